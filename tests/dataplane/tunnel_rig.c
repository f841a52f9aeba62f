#include "tests/dataplane/tunnel_rig.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "crypto/secret.h"
#include "dataplane/checksum.h"

#define WAIT_MS 2000

void tunnel_open(struct tunnel_rig *t, int outer, int inner, uint16_t workers)
{
	memset(t, 0, sizeof(*t));
	t->outer = outer;
	t->inner = inner;
	rig_pair_open(&t->pair, outer, workers, false);
	rig_pair_meet(&t->pair);
	t->pair.hold = true;
	t->nat.addr = tunnel_public(t, 200);
	t->nat.port = 40001;
}

void tunnel_close(struct tunnel_rig *t)
{
	rig_pair_close(&t->pair);
}

static struct ip_addr numbered(const char *text4, const char *text6, int version, uint16_t n)
{
	struct ip_addr addr;
	unsigned at = version == 4 ? 2 : 14;

	assert_int_equal(ip_addr_parse(&addr, version == 4 ? text4 : text6), 0);
	addr.b[at] |= (uint8_t)(n >> 8);
	addr.b[at + 1] = (uint8_t)n;
	return addr;
}

struct ip_addr tunnel_inner(const struct tunnel_rig *t, uint16_t n)
{
	return numbered("192.168.0.0", "2001:db8:aa::", t->inner, n);
}

struct ip_addr tunnel_public(const struct tunnel_rig *t, uint16_t n)
{
	return numbered("10.1.0.0", "2001:db8:1::", t->outer, n);
}

void tunnel_ue_make(struct tunnel_rig *t, struct tunnel_ue *ue, uint16_t n)
{
	struct sa_set *a = &ue->phone, *b = &ue->pcscf;

	memset(ue, 0, sizeof(*ue));
	a->mode = SA_MODE_UDP_ENC_TUN;
	a->integ = SA_INTEG_HMAC_SHA_1_96;
	a->encr = SA_ENCR_AES_CBC;
	secret_random(&a->keys, sizeof(a->keys));
	*b = *a;
	a->local = tunnel_public(t, n);
	a->remote = t->pair.pcscf.addr;
	a->tunnel.remote_port = TUNNEL_UDP;
	a->tunnel.inner_local = tunnel_inner(t, n);
	a->tunnel.inner_remote[0] = numbered("192.0.2.0", "2001:db8:bb::", t->inner, 1);
	a->tunnel.keepalive = true;
	a->local_port[SA_SERVER] = RIG_PORT_US;
	a->local_port[SA_CLIENT] = RIG_PORT_UC;
	a->remote_port[SA_SERVER] = RIG_PORT_PC;
	a->remote_port[SA_CLIENT] = RIG_PORT_PS;
	b->local = a->remote;
	b->remote = t->nat.addr;
	b->tunnel.follow = true;
	b->tunnel.inner_local = a->tunnel.inner_remote[0];
	b->tunnel.inner_remote[0] = a->tunnel.inner_local;
}

void tunnel_install(struct tunnel_rig *t, struct tunnel_ue *ue)
{
	struct sa_set *a = &ue->phone, *b = &ue->pcscf;
	unsigned pair;

	assert_int_equal(dp_sa_reserve(t->pair.phone.dp, NULL, 0, a), 0);
	assert_int_equal(dp_sa_reserve(t->pair.pcscf.dp, a->spi_in, SA_PAIRS, b), 0);
	for (pair = 0; pair < SA_PAIRS; pair++) {
		a->spi_out[pair] = b->spi_in[!pair];
		b->spi_out[pair] = a->spi_in[!pair];
		b->local_port[pair] = a->remote_port[!pair];
		b->remote_port[pair] = a->local_port[!pair];
	}
	assert_int_equal(dp_sa_install(t->pair.pcscf.dp, b), 0);
	assert_int_equal(dp_sa_install(t->pair.phone.dp, a), 0);
	t->phone = (struct ip_endpoint){.addr = a->local, .port = TUNNEL_UDP};
}

/* ---- the NAT ------------------------------------------------------------------------------ */

struct outer {
	uint8_t *ip, *src, *dst;
	struct rte_udp_hdr *udp; /* NULL: none */
	unsigned octets;	 /* of an address */
};

static struct outer outer_of(const struct rte_mbuf *m)
{
	struct outer o = {
		.ip = rte_pktmbuf_mtod_offset(m, uint8_t *, sizeof(struct rte_ether_hdr))};
	bool v4 = o.ip[0] >> 4 == 4;

	o.octets = v4 ? 4 : 16;
	o.src = o.ip + (v4 ? 12 : 8);
	o.dst = o.src + o.octets;
	if (o.ip[v4 ? 9 : 6] == 17)
		o.udp = (struct rte_udp_hdr *)(o.ip + (v4 ? 20 : 40));
	return o;
}

static void sums_renew(struct outer *o)
{
	struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)o->ip;
	uint8_t version = o->octets == 4 ? 4 : 6;

	if (version == 4) {
		ip4->hdr_checksum = 0;
		ip4->hdr_checksum = rte_ipv4_cksum(ip4);
	}
	if (o->udp->dgram_cksum == 0)
		return;
	o->udp->dgram_cksum = 0;
	o->udp->dgram_cksum =
		checksum_make(o->ip, version, 17, o->udp, rte_be_to_cpu_16(o->udp->dgram_len));
}

/* Zero in IPv4 (RFC 3948 2.1), right in IPv6 (RFC 8200 8.1). */
static void sum_check(const struct outer *o)
{
	if (o->octets == 4)
		assert_int_equal(o->udp->dgram_cksum, 0);
	else
		assert_int_equal(
			checksum_sum(o->ip, 6, 17, o->udp, rte_be_to_cpu_16(o->udp->dgram_len)),
			0xffff);
}

struct rte_mbuf *tunnel_up(struct tunnel_rig *t)
{
	struct rte_mbuf *m = rig_pair_capture(&t->pair, t->pair.up);
	struct outer o;

	if (!m)
		return NULL;
	o = outer_of(m);
	if (!o.udp) /* ARP, ND */
		return m;
	sum_check(&o);
	memcpy(o.src, t->nat.addr.b, o.octets);
	o.udp->src_port = rte_cpu_to_be_16(t->nat.port);
	sums_renew(&o);
	return m;
}

void tunnel_put(struct tunnel_rig *t, struct rte_mbuf *m)
{
	assert_int_equal(rte_ring_enqueue(t->pair.up, m), 0);
	rig_poll(t->pair.pcscf.dp);
}

void tunnel_carry(struct tunnel_rig *t)
{
	struct rte_mbuf *m[64];
	unsigned n = 0, i;

	while (n < 64 && (m[n] = tunnel_up(t)) != NULL)
		n++;
	for (i = 0; i < n; i++)
		tunnel_put(t, m[i]);
}

/* ARP and ND are answered by the phone's side itself. */
static bool is_neighbours(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const uint8_t *ip = (const uint8_t *)(eth + 1);

	return eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) ||
	       (ip[0] >> 4 == 6 && ip[6] == 58);
}

struct rte_mbuf *tunnel_down(struct tunnel_rig *t)
{
	unsigned ms;
	void *m;

	for (ms = 0; ms < WAIT_MS; ms++) {
		rig_poll(t->pair.pcscf.dp);
		if (rte_ring_dequeue(t->pair.down, &m) < 0) {
			rte_delay_us_sleep(1000);
			tunnel_carry(t); /* what the phone's slow path has answered */
			continue;
		}
		if (!is_neighbours(m))
			return m;
		assert_int_equal(rte_ring_enqueue(t->pair.down, m), 0);
		rig_poll(t->pair.phone.dp);
	}
	return NULL;
}

void tunnel_deliver(struct tunnel_rig *t, struct rte_mbuf *m)
{
	struct outer o = outer_of(m);

	assert_non_null(o.udp);
	sum_check(&o);
	memcpy(o.dst, t->phone.addr.b, o.octets);
	o.udp->dst_port = rte_cpu_to_be_16(t->phone.port);
	sums_renew(&o);
	assert_int_equal(rte_ring_enqueue(t->pair.down, m), 0);
	rig_poll(t->pair.phone.dp);
}

struct ip_endpoint tunnel_destination(const struct rte_mbuf *m)
{
	struct outer o = outer_of(m);
	struct ip_endpoint e = {.addr.version = o.octets == 4 ? 4 : 6};

	memcpy(e.addr.b, o.dst, o.octets);
	if (o.udp)
		e.port = rte_be_to_cpu_16(o.udp->dst_port);
	return e;
}

bool tunnel_moved(struct tunnel_rig *t, struct dp_event *ev)
{
	return dp_events(t->pair.pcscf.dp, ev, 1) == 1 && ev->type == DP_EVENT_PEER_MOVED;
}
