/* What the tests of the pipelines share: data planes on ring ports, without threads of their own.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane.h"
#include "dataplane/dp.h"
#include "dataplane/sa_table.h"

/* Group set-up and tear-down: EAL without root and huge pages, with a few workers. */
int rig_start(void **state);
int rig_stop(void **state);

struct rte_mempool *rig_pool(void);

/* ---- ports -------------------------------------------------------------------------------- */

/* A ring port; the test is the wire. */
struct rig_port {
	uint16_t id;
	char name[32];
	struct rte_ring *to, *from; /* seen from the data plane's outside */
};

void rig_port_make(struct rig_port *port, const char *name, struct rte_ring *to,
		   struct rte_ring *from);
void rig_port_free(struct rig_port *port);
struct rte_ring *rig_ring(const char *name);

/* ---- one data plane, the test on both sides ----------------------------------------------- */

struct rig {
	struct dp *dp;
	struct rig_port ue, host;
	bool alone; /* no host port */
	/* The wire answers ARP and ND for every address while this is set (the default). */
	bool neighbours;
};

#define RIG_SIP_PORT 5060

struct dp_config rig_config(void);
/* port names are filled in */
void rig_open(struct rig *r, const char *name, struct dp_config *conf, bool with_host,
	      enum esp_backend backend);
void rig_close(struct rig *r);

/* All workers take turns until they find nothing three times. */
void rig_poll(struct dp *dp);

/* A frame with an IP packet into a port. */
void rig_ip_in(struct rig *r, struct rig_port *port, int version, const void *ip, size_t len);
/* The next IP packet from a port, Ethernet header off; NULL if none comes. Polls. ARP and ND that
 * come are answered. */
struct rte_mbuf *rig_ip_out(struct rig *r, struct rig_port *port);
/* Like it, but waits a while until one comes. */
struct rte_mbuf *rig_ip_wait(struct rig *r, struct rig_port *port);
/* Waits for a datagram to control. */
bool rig_recv_wait(struct rig *r, struct dp_packet *pkt);

/* Counters, for who looks at a failed test. */
void rig_print(const char *name, struct dp *dp);
uint64_t rig_drops(struct dp *dp, enum dp_drop reason);
uint64_t rig_drops_total(struct dp *dp);
int rig_send(struct dp *dp, sa_set_id set, enum sa_pair pair, const void *data, size_t len);

/* ---- two data planes joined --------------------------------------------------------------- */

#define RIG_PORT_UC 7000
#define RIG_PORT_US 7001
#define RIG_PORT_PC 6101
#define RIG_PORT_PS 6100

struct rig_side {
	struct dp *dp;
	struct rig_port ue, host;
	struct ip_addr addr; /* the phone side has all with the first half of this */
	struct sa_set set;   /* the last one installed */
};

struct rig_pair {
	struct rig_side phone, pcscf;
	struct rte_ring *up, *down; /* phone to P-CSCF, and back */
	bool hold;		    /* the P-CSCF is not polled */
};

/* Workers of the P-CSCF; the phone side has one. threads: they run by themselves. */
void rig_pair_open(struct rig_pair *r, int version, uint16_t workers, bool threads);
void rig_pair_close(struct rig_pair *r);
/* A set on both sides, as TS 33.203 7.1 pairs them; of the n-th UE. */
void rig_pair_install_ue(struct rig_pair *r, uint16_t n, enum sa_integ integ, enum sa_encr encr);
void rig_pair_install(struct rig_pair *r, enum sa_integ integ, enum sa_encr encr);
void rig_pair_remove(struct rig_pair *r);
/* Is there a place for one more set on both sides? */
bool rig_pair_room(struct rig_pair *r);
void rig_pair_poll(struct rig_pair *r);
/* A datagram to `side`: one that is there; or one within a while. */
bool rig_pair_got(struct rig_pair *r, struct rig_side *side, struct dp_packet *pkt);
bool rig_pair_recv(struct rig_pair *r, struct rig_side *side, struct dp_packet *pkt);
struct rig_side *rig_pair_peer(struct rig_pair *r, struct rig_side *side);
/* Sends a clear datagram each way, so that both know the other's MAC address afterwards. */
void rig_pair_meet(struct rig_pair *r);
/* Takes the next frame off the wire; polls the phone. NULL: none. */
struct rte_mbuf *rig_pair_capture(struct rig_pair *r, struct rte_ring *wire);
struct rte_mbuf *rig_copy(struct rte_mbuf *m);

/* A TCP segment (IPv4) of the kernel into the host port; how many came out of one, ARP left out. */
void rig_segment(struct rig_side *side, const struct ip_addr *src, const struct ip_addr *dst,
		 uint16_t sport, uint16_t dport);
unsigned rig_segments(struct rig_side *side);
