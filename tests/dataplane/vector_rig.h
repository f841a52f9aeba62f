/* SAs and packets of tests/vectors in a data plane. */
#pragma once

#include "tests/dataplane/rig.h"
#include "tests/support/vectors.h"

#define VECTOR_MAX     2048
#define VECTOR_UDP_ENC 4500

struct octets {
	uint8_t p[VECTOR_MAX];
	size_t n;
};

void octets_read(struct octets *o, const json_t *v, const char *key);
void octets_of(struct octets *o, const char *hex);

/* All ports are protected, but for one that clear SIP may use. */
void vector_rig_open(struct rig *r, const char *name, enum esp_backend backend);

/* Installs the SA, as its receiver or its sender has it. Returns the pair. */
enum sa_pair vector_install_in(struct rig *r, const struct vectors_sa *sa, struct sa_set *set);
enum sa_pair vector_install_out(struct rig *r, const struct vectors_sa *sa, uint32_t seq,
				struct sa_set *set);
/*
 * Vectors have a downlink tunnel's packets as they reach the NAT: does what the NAT does, since a
 * data plane takes ESP in UDP at its own port only. (Their UDP checksum is 0.)
 */
void vector_nat(const struct vectors_sa *sa, uint8_t *packet);
/* Removes the set; its place is free again when this returns. */
void vector_remove(struct rig *r, const struct sa_set *set);

/* What came out of an inbound data plane, put together as a plain packet would be compared. */
enum vector_outcome {
	VECTOR_NOTHING,
	VECTOR_TO_CONTROL, /* got: UDP payload */
	VECTOR_TO_HOST,	   /* got: IP packet */
};

enum vector_outcome vector_outcome(struct rig *r, struct dp_packet *pkt, struct octets *got);

/* Where the UDP or TCP header of a plain packet begins. */
size_t vector_l4(const struct octets *plain);
