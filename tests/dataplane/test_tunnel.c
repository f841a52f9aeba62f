/* ESP in UDP through a NAT: where the peer is, which inner address it has, keepalives, TCP. */
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "tests/dataplane/tunnel_rig.h"
#include "tests/support/test.h"

static void phone_send(struct tunnel_rig *t, const struct tunnel_ue *ue, const char *text)
{
	assert_int_equal(rig_send(t->pair.phone.dp, ue->phone.id, SA_CLIENT, text, strlen(text)),
			 0);
}

/* The P-CSCF has got text from ue. */
static void pcscf_got(struct tunnel_rig *t, const struct tunnel_ue *ue, const char *text)
{
	struct dp_packet pkt;

	rig_poll(t->pair.pcscf.dp);
	assert_int_equal(dp_recv(t->pair.pcscf.dp, &pkt, 1), 1);
	assert_int_equal(pkt.len, strlen(text));
	assert_memory_equal(pkt.data, text, pkt.len);
	assert_int_equal(pkt.set, ue->pcscf.id);
	assert_int_equal(pkt.pair, SA_SERVER);
	assert_true(ip_addr_eq(&pkt.remote.addr, &ue->phone.tunnel.inner_local));
	assert_true(ip_addr_eq(&pkt.local.addr, &ue->pcscf.tunnel.inner_local));
	assert_int_equal(pkt.remote.port, RIG_PORT_UC);
	assert_int_equal(pkt.local.port, RIG_PORT_PS);
	dp_release(t->pair.pcscf.dp, &pkt, 1);
}

static void pcscf_got_nothing(struct tunnel_rig *t)
{
	struct dp_packet pkt;

	rig_poll(t->pair.pcscf.dp);
	assert_int_equal(dp_recv(t->pair.pcscf.dp, &pkt, 1), 0);
}

/* An answer goes out, to where; and the phone can read it. */
static void pcscf_answers(struct tunnel_rig *t, const struct tunnel_ue *ue,
			  const struct ip_endpoint *where)
{
	struct ip_endpoint to;
	struct dp_packet pkt;
	struct rte_mbuf *m;

	assert_int_equal(rig_send(t->pair.pcscf.dp, ue->pcscf.id, SA_CLIENT, "200 OK", 6), 0);
	m = tunnel_down(t);
	assert_non_null(m);
	to = tunnel_destination(m);
	assert_true(ip_endpoint_eq(&to, where));
	tunnel_deliver(t, m);
	assert_int_equal(dp_recv(t->pair.phone.dp, &pkt, 1), 1);
	assert_int_equal(pkt.len, 6);
	assert_int_equal(pkt.set, ue->phone.id);
	assert_int_equal(pkt.pair, SA_SERVER);
	dp_release(t->pair.phone.dp, &pkt, 1);
}

static void moved_to(struct tunnel_rig *t, const struct tunnel_ue *ue)
{
	struct dp_event ev;

	assert_true(tunnel_moved(t, &ev));
	assert_int_equal(ev.set, ue->pcscf.id);
	assert_true(ip_endpoint_eq(&ev.peer, &t->nat));
	assert_true(ip_addr_eq(&ev.inner_remote, &ue->phone.tunnel.inner_local));
}

static void not_moved(struct tunnel_rig *t)
{
	struct dp_event ev;

	assert_false(tunnel_moved(t, &ev));
}

/* ---- both ways ---------------------------------------------------------------------------- */

static void both_ways(int outer, int inner)
{
	struct tunnel_rig t;
	struct tunnel_ue ue;

	tunnel_open(&t, outer, inner, 1);
	tunnel_ue_make(&t, &ue, 7);
	tunnel_install(&t, &ue);
	phone_send(&t, &ue, "REGISTER");
	tunnel_carry(&t);
	pcscf_got(&t, &ue, "REGISTER");
	moved_to(&t, &ue);
	pcscf_answers(&t, &ue, &t.nat);
	assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 0);
	assert_int_equal(rig_drops_total(t.pair.phone.dp), 0);
	tunnel_close(&t);
}

/* The port of the NAT is not known before; all pairs of IP versions. */
/* covers: D-16, D-17, DP-02, DP-15, NM-05 */
static void test_both_ways(void **state)
{
	(void)state;
	both_ways(4, 4);
	both_ways(4, 6);
	both_ways(6, 4);
	both_ways(6, 6);
}

/* covers: NM-05 */
static void test_no_peer_yet(void **state)
{
	struct tunnel_rig t;
	struct tunnel_ue ue;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	tunnel_ue_make(&t, &ue, 7);
	tunnel_install(&t, &ue);
	assert_int_equal(rig_send(t.pair.pcscf.dp, ue.pcscf.id, SA_CLIENT, "x", 1), 0);
	rig_poll(t.pair.pcscf.dp);
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_NO_PEER), 1);
	tunnel_close(&t);
}

/* ---- the NAT rebinds ---------------------------------------------------------------------- */

/* All ESP of the set has gone through its owner, and no other worker. */
static void only_owner(const struct tunnel_rig *t, const struct tunnel_ue *ue, unsigned n)
{
	struct dp *dp = t->pair.pcscf.dp;
	const struct sa_view *sa = &dp->env.sa;
	unsigned owner = sa_shared_at(sa, sa_slot_of_id(sa, ue->pcscf.id, 0) / SA_PAIRS)->owner, i;
	struct dp_counters c;

	for (i = 0; i < dp_workers(dp); i++) {
		dp_worker_counters(dp, i, &c);
		assert_int_equal(c.esp_checked, i == owner ? n : 0);
		assert_int_equal(c.esp_protected, i == owner ? n : 0);
	}
}

/* What is remembered of the way to the old place is forgotten. */
static void way_forgotten(const struct tunnel_rig *t, const struct tunnel_ue *ue)
{
	const struct sa_view *sa = &t->pair.pcscf.dp->env.sa;

	assert_int_equal(sa_out_at(sa, sa_slot_of_id(sa, ue->pcscf.id, SA_CLIENT))->hop.generation,
			 0);
}

static void moves(int outer, uint16_t workers)
{
	struct tunnel_rig t;
	struct tunnel_ue ue;
	unsigned i;

	tunnel_open(&t, outer, 4, workers);
	tunnel_ue_make(&t, &ue, 7);
	tunnel_install(&t, &ue);
	for (i = 0; i < 12; i++) {
		t.nat.port = (uint16_t)(50000 + i);
		if (i % 3 == 0)
			t.nat.addr = tunnel_public(&t, (uint16_t)(100 + i));
		phone_send(&t, &ue, "MESSAGE");
		tunnel_carry(&t);
		pcscf_got(&t, &ue, "MESSAGE");
		moved_to(&t, &ue);
		not_moved(&t);
		way_forgotten(&t, &ue);
		pcscf_answers(&t, &ue, &t.nat);
	}
	only_owner(&t, &ue, 12);
	assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 0);
	tunnel_close(&t);
}

/* One worker or several: whichever gets the packet, the set's owner handles it. */
/* covers: D-17, DP-04, NM-14 */
static void test_peer_moves(void **state)
{
	(void)state;
	moves(4, 1);
	moves(6, 1);
	moves(4, 3);
}

/* Old packets, replays and forgeries bring nobody anywhere. */
/* covers: D-17, NM-14 */
static void test_peer_stays(void **state)
{
	struct rte_mbuf *old, *replay, *forged;
	struct ip_endpoint home;
	struct tunnel_rig t;
	struct tunnel_ue ue;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	tunnel_ue_make(&t, &ue, 7);
	tunnel_install(&t, &ue);
	home = t.nat;
	t.nat.port = 666; /* what comes from here is late, known or wrong */
	phone_send(&t, &ue, "one");
	old = tunnel_up(&t);
	phone_send(&t, &ue, "two");
	replay = tunnel_up(&t);
	t.nat = home;
	tunnel_put(&t, rig_copy(replay)); /* as it was, but for the port */
	pcscf_got(&t, &ue, "two");
	t.nat.port = 666;
	moved_to(&t, &ue);
	t.nat = home;
	phone_send(&t, &ue, "three");
	forged = tunnel_up(&t);
	tunnel_put(&t, rig_copy(forged));
	pcscf_got(&t, &ue, "three");
	moved_to(&t, &ue);

	tunnel_put(&t, old); /* good, but late */
	pcscf_got(&t, &ue, "one");
	not_moved(&t);
	tunnel_put(&t, replay);
	pcscf_got_nothing(&t);
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_REPLAY), 1);
	not_moved(&t);
	/* next number, from elsewhere, with a bad ICV */
	rte_pktmbuf_mtod(forged, uint8_t *)[14 + 20] ^= 1;	  /* UDP source port */
	rte_pktmbuf_mtod(forged, uint8_t *)[14 + 20 + 8 + 7] = 9; /* sequence number */
	tunnel_put(&t, forged);
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_BAD_ICV), 1);
	not_moved(&t);
	pcscf_answers(&t, &ue, &home);
	tunnel_close(&t);
}

/* Behind no NAT (the UE's view of us): answers do not go elsewhere. */
static void test_peer_not_followed(void **state)
{
	struct ip_endpoint first;
	struct tunnel_rig t;
	struct tunnel_ue ue;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	tunnel_ue_make(&t, &ue, 7);
	ue.pcscf.tunnel.follow = false;
	ue.pcscf.tunnel.remote_port = t.nat.port;
	tunnel_install(&t, &ue);
	first = t.nat;
	t.nat.port++;
	phone_send(&t, &ue, "x");
	tunnel_carry(&t);
	pcscf_got(&t, &ue, "x");
	pcscf_answers(&t, &ue, &first);
	tunnel_close(&t);
}

/* ---- inner addresses ---------------------------------------------------------------------- */

/* The first packet decides between private and public; then it is fixed. */
/* covers: C-34, NM-07 */
static void test_inner_address_fixed(void **state)
{
	struct tunnel_rig t;
	struct tunnel_ue ue, same;
	unsigned choice;

	(void)state;
	for (choice = 0; choice < 2; choice++) {
		tunnel_open(&t, 4, 4, 1);
		tunnel_ue_make(&t, &ue, 7);
		ue.pcscf.tunnel.inner_remote[!choice] = tunnel_inner(&t, 8);
		ue.pcscf.tunnel.inner_remote[choice] = tunnel_inner(&t, 7);
		tunnel_install(&t, &ue);
		phone_send(&t, &ue, "REGISTER");
		tunnel_carry(&t);
		pcscf_got(&t, &ue, "REGISTER");
		moved_to(&t, &ue);
		pcscf_answers(&t, &ue, &t.nat);
		/* the same SAs with the other address inside */
		dp_sa_remove(t.pair.phone.dp, ue.phone.id);
		rig_poll(t.pair.phone.dp);
		same = ue;
		same.phone.tunnel.inner_local = tunnel_inner(&t, 8);
		assert_int_equal(dp_sa_reserve(t.pair.phone.dp, NULL, 0, &same.phone), 0);
		assert_int_equal(dp_sa_install(t.pair.phone.dp, &same.phone), 0);
		phone_send(&t, &same, "x"); /* number 1 once more */
		phone_send(&t, &same, "y");
		tunnel_carry(&t);
		pcscf_got_nothing(&t);
		assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_SELECTOR), 1);
		tunnel_close(&t);
	}
}

/* ---- several UEs -------------------------------------------------------------------------- */

/* Many behind one NAT: its port tells them apart outside, the SA inside. */
/* covers: D-17, NM-10 */
static void test_one_nat(void **state)
{
	struct tunnel_ue ue[8];
	struct tunnel_rig t;
	uint16_t i;

	(void)state;
	tunnel_open(&t, 4, 4, 2);
	for (i = 0; i < N_OF(ue); i++) {
		t.nat.port = (uint16_t)(41000 + i);
		tunnel_ue_make(&t, &ue[i], (uint16_t)(i + 1));
		tunnel_install(&t, &ue[i]);
		phone_send(&t, &ue[i], "REGISTER");
		tunnel_carry(&t);
		pcscf_got(&t, &ue[i], "REGISTER");
		moved_to(&t, &ue[i]);
	}
	for (i = 0; i < N_OF(ue); i++) {
		t.nat.port = (uint16_t)(41000 + i);
		t.phone.addr = ue[i].phone.local;
		pcscf_answers(&t, &ue[i], &t.nat);
	}
	assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 0);
	tunnel_close(&t);
}

/* ---- TCP ---------------------------------------------------------------------------------- */

struct segment {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_tcp_hdr tcp;
	uint8_t mss[4];
} __rte_packed __rte_aligned(2);

static void host_send(struct rig_side *side, const struct ip_addr *from, uint16_t sport,
		      const struct ip_addr *to, uint16_t dport)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	struct segment *s = (struct segment *)rte_pktmbuf_append(m, sizeof(*s));

	*s = (struct segment){
		.eth.dst_addr = side->dp->env.ue.mac,
		.eth.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.ip.version_ihl = RTE_IPV4_VHL_DEF,
		.ip.total_length = rte_cpu_to_be_16(sizeof(*s) - sizeof(s->eth)),
		.ip.time_to_live = 64,
		.ip.next_proto_id = 6,
		.tcp.src_port = rte_cpu_to_be_16(sport),
		.tcp.dst_port = rte_cpu_to_be_16(dport),
		.tcp.data_off = 6 << 4,
		.tcp.tcp_flags = RTE_TCP_SYN_FLAG,
		.mss = {2, 4, 1460 >> 8, 1460 & 0xff},
	};
	memcpy(&s->ip.src_addr, from->b, 4);
	memcpy(&s->ip.dst_addr, to->b, 4);
	s->ip.hdr_checksum = rte_ipv4_cksum(&s->ip);
	s->tcp.cksum = checksum_make((uint8_t *)&s->ip, 4, 6, &s->tcp, 24);
	assert_int_equal(rte_ring_enqueue(side->host.to, m), 0);
	rig_poll(side->dp);
}

/* What the kernel of a side gets: whole, and from whom. */
static void host_got(struct rig_side *side, const struct ip_addr *from, const struct ip_addr *to)
{
	const struct segment *s;
	void *m = NULL;

	do {
		rig_poll(side->dp);
		assert_int_equal(rte_ring_dequeue(side->host.from, &m), 0);
		s = rte_pktmbuf_mtod((struct rte_mbuf *)m, const struct segment *);
		if (s->eth.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
			break;
		rte_pktmbuf_free(m); /* ARP */
	} while (true);
	assert_int_equal(rte_pktmbuf_data_len((struct rte_mbuf *)m), sizeof(*s));
	assert_memory_equal(&s->ip.src_addr, from->b, 4);
	assert_memory_equal(&s->ip.dst_addr, to->b, 4);
	assert_int_equal(rte_raw_cksum(&s->ip, 20), 0xffff);
	assert_int_equal(checksum_sum((const uint8_t *)&s->ip, 4, 6, &s->tcp, 24), 0xffff);
	/* 1500 - 20 - 8 - 8 - 16 - 12 = 1436, whole blocks 1424, trailer 2, headers 40 */
	assert_int_equal(s->mss[2] << 8 | s->mss[3], 1382);
	rte_pktmbuf_free(m);
}

static void tcp_both_ways(struct tunnel_rig *t, const struct tunnel_ue *ue,
			  const struct ip_addr *alias)
{
	const struct ip_addr *phone = &ue->phone.tunnel.inner_local;
	const struct ip_addr *pcscf = &ue->pcscf.tunnel.inner_local;
	struct ip_endpoint to;
	struct rte_mbuf *m;

	host_send(&t->pair.phone, phone, RIG_PORT_UC, pcscf, RIG_PORT_PS);
	tunnel_carry(t);
	host_got(&t->pair.pcscf, alias, pcscf);
	host_send(&t->pair.pcscf, pcscf, RIG_PORT_PS, alias, RIG_PORT_UC);
	m = tunnel_down(t);
	assert_non_null(m);
	to = tunnel_destination(m);
	assert_true(ip_endpoint_eq(&to, &t->nat));
	tunnel_deliver(t, m);
	host_got(&t->pair.phone, pcscf, phone);
}

/*
 * Two UEs with one private address and the same ports behind different NATs: the host knows them
 * by different addresses.
 */
/* covers: D-17, F11, NM-11 */
static void test_host_alias(void **state)
{
	struct tunnel_ue ue[2];
	struct tunnel_rig t;
	struct ip_addr alias;
	unsigned i, workers, turn;

	(void)state;
	for (turn = 0; turn < 4; turn++) {
		workers = turn & 1 ? 3 : 1;
		tunnel_open(&t, 4, 4, (uint16_t)workers);
		/* the host's checksums are kept, as those of a file */
		t.pair.pcscf.dp->env.host.sums_whole = turn & 2;
		for (i = 0; i < 2; i++) {
			tunnel_ue_make(&t, &ue[i], 7);
			ip_addr_parse(&alias, i ? "100.64.0.2" : "100.64.0.1");
			ue[i].pcscf.tunnel.host_alias = alias;
			t.nat.port = (uint16_t)(41000 + i);
			tunnel_install(&t, &ue[i]);
			tcp_both_ways(&t, &ue[i], &alias);
			if (i == 0)
				only_owner(&t, &ue[i], 1);
			dp_sa_remove(t.pair.phone.dp,
				     ue[i].phone.id); /* next phone, same address */
			rig_poll(t.pair.phone.dp);
		}
		assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 0);
		tunnel_close(&t);
	}
}

/* UDP of the host's, its checksum whole or none; returns the one that the UE gets. */
static uint16_t alias_datagram(struct tunnel_rig *t, const struct tunnel_ue *ue,
			       const struct ip_addr *alias, bool none)
{
	struct {
		struct rte_ether_hdr eth;
		struct rte_ipv4_hdr ip;
		struct rte_udp_hdr udp;
		uint8_t data[8];
	} __rte_packed __rte_aligned(2) f = {
		.eth.dst_addr = t->pair.pcscf.dp->env.ue.mac,
		.eth.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.ip.version_ihl = RTE_IPV4_VHL_DEF,
		.ip.total_length = rte_cpu_to_be_16(36),
		.ip.time_to_live = 64,
		.ip.next_proto_id = 17,
		.udp.src_port = rte_cpu_to_be_16(RIG_PORT_PS),
		.udp.dst_port = rte_cpu_to_be_16(RIG_PORT_UC),
		.udp.dgram_len = rte_cpu_to_be_16(16),
	};
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	struct dp_packet pkt;
	const uint8_t *udp;

	memcpy(&f.ip.src_addr, ue->pcscf.tunnel.inner_local.b, 4);
	memcpy(&f.ip.dst_addr, alias->b, 4);
	f.ip.hdr_checksum = rte_ipv4_cksum(&f.ip);
	if (!none)
		f.udp.dgram_cksum = checksum_make((uint8_t *)&f.ip, 4, 17, &f.udp, 16);
	memcpy(rte_pktmbuf_append(m, sizeof(f)), &f, sizeof(f));
	assert_int_equal(rte_ring_enqueue(t->pair.pcscf.host.to, m), 0);
	m = tunnel_down(t);
	assert_non_null(m);
	tunnel_deliver(t, m);
	assert_int_equal(dp_recv(t->pair.phone.dp, &pkt, 1), 1);
	udp = (const uint8_t *)pkt.data - 8;
	memcpy(&f.udp, udp, sizeof(f.udp));
	if (f.udp.dgram_cksum && checksum_sum(udp - 20, 4, 17, udp, 16) != 0xffff)
		fail_msg("the datagram's checksum is wrong");
	dp_release(t->pair.phone.dp, &pkt, 1);
	return f.udp.dgram_cksum;
}

/* "None" stays so (RFC 768). */
static void test_host_alias_datagram(void **state)
{
	struct ip_addr alias;
	struct tunnel_rig t;
	struct tunnel_ue ue;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	t.pair.pcscf.dp->env.host.sums_whole = true;
	tunnel_ue_make(&t, &ue, 7);
	ip_addr_parse(&alias, "100.64.0.1");
	ue.pcscf.tunnel.host_alias = alias;
	ue.pcscf.tunnel.remote_port = t.nat.port;
	tunnel_install(&t, &ue);
	assert_int_not_equal(alias_datagram(&t, &ue, &alias, false), 0);
	assert_int_equal(alias_datagram(&t, &ue, &alias, true), 0);
	tunnel_close(&t);
}

static void test_same_inner_address_refused(void **state)
{
	struct tunnel_ue ue, other;
	struct tunnel_rig t;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	tunnel_ue_make(&t, &ue, 7);
	tunnel_install(&t, &ue);
	tcp_both_ways(&t, &ue, &ue.phone.tunnel.inner_local);
	tunnel_ue_make(&t, &other, 7);
	assert_int_equal(dp_sa_reserve(t.pair.pcscf.dp, NULL, 0, &other.pcscf), 0);
	memcpy(other.pcscf.spi_out, ue.pcscf.spi_out, sizeof(ue.pcscf.spi_out));
	memcpy(other.pcscf.local_port, ue.pcscf.local_port, sizeof(ue.pcscf.local_port));
	memcpy(other.pcscf.remote_port, ue.pcscf.remote_port, sizeof(ue.pcscf.remote_port));
	assert_int_equal(dp_sa_install(t.pair.pcscf.dp, &other.pcscf), -EEXIST);
	tunnel_close(&t);
}

/* ---- port 4500 ---------------------------------------------------------------------------- */

/* A datagram from the NAT, as it is, to UDP port 4500. */
static void put_raw(struct tunnel_rig *t, const void *payload, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(14 + 28 + len));
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)at;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	*eth = (struct rte_ether_hdr){.dst_addr = t->pair.pcscf.dp->env.ue.mac,
				      .ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
				    .total_length = rte_cpu_to_be_16((uint16_t)(28 + len)),
				    .time_to_live = 9,
				    .next_proto_id = 17};
	memcpy(&ip->src_addr, t->nat.addr.b, 4);
	memcpy(&ip->dst_addr, t->pair.pcscf.addr.b, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(t->nat.port),
				    .dst_port = rte_cpu_to_be_16(TUNNEL_UDP),
				    .dgram_len = rte_cpu_to_be_16((uint16_t)(8 + len))};
	memcpy(udp + 1, payload, len);
	tunnel_put(t, m);
}

/* covers: D-16, NM-15 */
static void test_port_4500(void **state)
{
	static const uint8_t ike[28] = {0}, spi[12] = {1, 2, 3, 4};
	struct dp_counters c;
	struct tunnel_rig t;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	put_raw(&t, "\xff", 1);
	dp_worker_counters(t.pair.pcscf.dp, 0, &c);
	assert_int_equal(c.keepalives_in, 1);
	assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 0);
	put_raw(&t, "\xff\xff", 2);
	put_raw(&t, "", 0);
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_ESP_TOO_SHORT), 2);
	put_raw(&t, spi, sizeof(spi));
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_UNKNOWN_SPI), 1);
	put_raw(&t, ike, sizeof(ike)); /* 4500 is no protected port of this rig: the host's */
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_NON_ESP), 0);
	t.pair.pcscf.dp->env.protected_min = 4000;
	put_raw(&t, ike, sizeof(ike));
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_NON_ESP), 1);
	tunnel_close(&t);
}

/* Without udp_enc_port the mode does not exist. covers: HX-08 */
static void test_off(void **state)
{
	struct tunnel_rig t;
	struct tunnel_ue ue;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	tunnel_ue_make(&t, &ue, 7);
	t.pair.pcscf.dp->env.udp_enc_port = 0;
	assert_int_equal(dp_sa_reserve(t.pair.pcscf.dp, NULL, 0, &ue.pcscf), 0);
	assert_int_equal(dp_sa_install(t.pair.pcscf.dp, &ue.pcscf), -ENOTSUP);
	tunnel_close(&t);
}

/* ---- keepalives --------------------------------------------------------------------------- */

static uint64_t keepalives(struct dp *dp, bool in)
{
	struct dp_counters c;

	rig_poll(dp);
	dp_worker_counters(dp, 0, &c);
	return in ? c.keepalives_in : c.keepalives_out;
}

/* covers: D-16, NM-13 */
static void test_keepalive(void **state)
{
	static const int versions[] = {4, 6};
	struct dp_counters before, c;
	struct tunnel_rig t;
	struct tunnel_ue ue;
	struct dp *dp;
	unsigned i;

	(void)state;
	for (i = 0; i < N_OF(versions); i++) {
		tunnel_open(&t, versions[i], 4, 1);
		dp = t.pair.phone.dp;
		tunnel_ue_make(&t, &ue, 7);
		dp_worker_counters(dp, 0, &before);
		dp_keepalive(dp, 1000); /* from now on */
		tunnel_install(&t, &ue);
		phone_send(&t, &ue, "REGISTER");
		tunnel_carry(&t);
		pcscf_got(&t, &ue, "REGISTER");
		dp_keepalive(dp, 10999);
		assert_int_equal(keepalives(dp, false), 0);
		dp_keepalive(dp, 11000); /* it has sent something since */
		assert_int_equal(keepalives(dp, false), 0);
		dp_keepalive(dp, 21000);
		dp_keepalive(dp, 21001);
		assert_int_equal(keepalives(dp, false), 1);
		tunnel_carry(&t);
		assert_int_equal(keepalives(t.pair.pcscf.dp, true), 1);
		assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 0);
		dp_sa_remove(dp, ue.phone.id);
		dp_keepalive(dp, 31001);
		assert_int_equal(keepalives(dp, false), 1);
		assert_int_equal(dp->keepalive.n, 0);
		dp_worker_counters(dp, 0, &c); /* "REGISTER", and no request to look after it */
		assert_int_equal(c.from_control, before.from_control + 1);
		tunnel_close(&t);
	}
}

/* ---- the wrong mode ----------------------------------------------------------------------- */

/* Tunnel ESP without its UDP header. */
static void test_encapsulation_differs(void **state)
{
	struct tunnel_rig t;
	struct tunnel_ue ue;
	struct rte_mbuf *m;
	uint8_t *p;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	tunnel_ue_make(&t, &ue, 7);
	tunnel_install(&t, &ue);
	phone_send(&t, &ue, "x");
	m = tunnel_up(&t);
	assert_non_null(m);
	p = rte_pktmbuf_mtod(m, uint8_t *);
	memmove(p + 8, p, 14 + 20);
	p = (uint8_t *)rte_pktmbuf_adj(m, 8);
	p[14 + 9] = 50;
	p[14 + 3] = (uint8_t)(p[14 + 3] - 8);
	p[14 + 10] = p[14 + 11] = 0;
	memcpy(p + 14 + 10, &(uint16_t){rte_ipv4_cksum((struct rte_ipv4_hdr *)(p + 14))}, 2);
	tunnel_put(&t, m);
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_ENCAP), 1);
	tunnel_close(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_no_peer_yet),
		cmocka_unit_test(test_peer_moves),
		cmocka_unit_test(test_peer_stays),
		cmocka_unit_test(test_peer_not_followed),
		cmocka_unit_test(test_inner_address_fixed),
		cmocka_unit_test(test_one_nat),
		cmocka_unit_test(test_host_alias),
		cmocka_unit_test(test_host_alias_datagram),
		cmocka_unit_test(test_same_inner_address_refused),
		cmocka_unit_test(test_port_4500),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_encapsulation_differs),
	};

	return cmocka_run_group_tests_name("dataplane.tunnel", tests, rig_start, rig_stop);
}
