/* Two ends on loopback that speak TLS: a P-CSCF at 127.0.0.1 and a UE at 127.0.0.2. */
#pragma once

#include <unistd.h>
#include <uv.h>

#include "control/tls/tls.h"

/* Programs of tests run side by side. */
#define RIG_PORT                                                                                   \
	((uint16_t)(35000 + getpid() % 400 * 2)) /* the next: in clear, until TLS begins           \
						  */

struct rig_end {
	struct rig *r;
	struct stream *s;
	struct tls *t;
	unsigned messages, lost, closed;
	bool stood;
	struct sip_flow from;
	char text[4096], why[TLS_WHY];
};

struct rig {
	uv_loop_t loop;
	struct timers *timers;
	struct rig_end net, ue;
	char dir[64]; /* certificates */
};

/* scripts/make-certs with these arguments, in the rig's directory. */
void rig_certs(struct rig *r, const char *arguments);
struct rig *rig_make(void); /* certificates, no ends yet */
void rig_start(struct rig *r, const struct tls_server_conf *server,
	       const struct tls_client_conf *client);
void rig_stop(struct rig *r); /* both ends */
void rig_free(struct rig *r);

void rig_pump(struct rig *r);
/* false: the condition did not come true within some seconds */
#define RIG_UNTIL(r, condition)                                                                    \
	do {                                                                                       \
		for (unsigned turns = 0; !(condition); turns++) {                                  \
			assert_true(turns < 6000);                                                 \
			rig_pump(r);                                                               \
		}                                                                                  \
	} while (0)

struct sip_flow rig_up(void); /* UE to P-CSCF */
struct sv rig_request(char *text, size_t size, size_t body);
/* The files of rig_certs(), with defaults for the rest. */
struct tls_server_conf rig_server(struct rig *r);
struct tls_client_conf rig_client(struct rig *r);
const char *rig_file(struct rig *r, const char *name); /* valid until the rig ends */
