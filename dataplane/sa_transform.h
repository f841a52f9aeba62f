/*
 * What an SA's mode and algorithms mean for its packets: chosen once at install, so that no packet
 * asks again.
 */
#pragma once

#include <stdint.h>

#include "crypto/esp.h"
#include "sa.h"

struct worker;
struct pkt;

/* PKT_KEEP or the reason to drop (dataplane/packet.h) */
typedef int sa_packet_fn(struct worker *w, struct pkt *p);

struct sa_transform {
	/* before encryption: number, room, ESP header, IV, trailer, IP header; counted */
	sa_packet_fn *seal;
	/* the same for a UDP payload from control, which gets all headers */
	sa_packet_fn *datagram;
	/* after decryption, ICV good: number taken, what is inside, and whether it may be */
	sa_packet_fn *open;
	/* a packet of the host's stack, before `seal`; NULL: nothing to do */
	sa_packet_fn *from_host;
	sa_packet_fn *to_host; /* after `open`: p->m becomes the frame with the plain packet */
	uint8_t iv_len;
	uint8_t block_len;
	uint8_t overhead; /* SPI, sequence number, IV */
	struct esp_key_lines key_in, key_out;
};

struct sa_transforms {
	struct sa_transform of[SA_MODE_COUNT][SA_ENCR_COUNT];
};

void sa_transforms_init(struct sa_transforms *t);
/* NULL: mode or algorithm is unknown or not supported. */
const struct sa_transform *sa_transform_find(const struct sa_transforms *t, enum sa_mode mode,
					     enum sa_encr encr);
