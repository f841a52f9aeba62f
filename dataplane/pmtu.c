#include "dataplane/pmtu.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/esp_transport.h"
#include "dataplane/esp_tunnel.h"
#include "dataplane/esp_write.h"
#include "dataplane/icmp_too_big.h"
#include "dataplane/ip_header.h"
#include "dataplane/worker.h"

#define NOTE_BITS   10
#define NOTES	    (1 << NOTE_BITS)
#define AGE_S	    600 /* RFC 1191 6.3 */
#define SEQ_RECENT  65536
#define IPV4_FLOOR  576
#define IPV6_FLOOR  1280 /* RFC 8200 5 */
#define HOST_FLOOR4 552	 /* what Linux lets itself be told (net.ipv4.route.min_pmtu) */
#define PIECES_MAX  64
#define PLAIN_MIN   576 /* a path leaves at least so much for IP header and payload */

/* One per worker; others only read it, by whole words. */
struct pmtu {
	uint64_t sent[NOTES]; /* pmtu_note_of(), by SPI */
};

/* ---- what has been sent ------------------------------------------------------------------- */

int pmtu_alloc(struct pmtu **pp)
{
	*pp = rte_zmalloc("pmtu", sizeof(**pp), RTE_CACHE_LINE_SIZE);
	return *pp ? 0 : -ENOMEM;
}

void pmtu_free(struct pmtu *t)
{
	rte_free(t);
}

static uint64_t *note_at(struct pmtu *t, rte_be32_t spi)
{
	return &t->sent[rte_be_to_cpu_32(spi) * UINT32_C(0x9e3779b1) >> (32 - NOTE_BITS)];
}

void pmtu_note(struct worker *w, const struct pkt *p)
{
	w->noted = pmtu_note_of(p);
	__atomic_store_n(note_at(w->pmtu, p->out->spi), w->noted, __ATOMIC_RELAXED);
}

/* Slot of a recent packet with the SPI, whichever worker sent it; -1: none. */
static int64_t note_find(const struct worker *w, rte_be32_t spi)
{
	uint16_t i;

	for (i = 0; i < w->env->n_workers; i++) {
		uint64_t note =
			__atomic_load_n(note_at(w->env->workers[i]->pmtu, spi), __ATOMIC_RELAXED);

		if (note >> 32 == spi)
			return (int64_t)(uint32_t)note;
	}
	return -1;
}

/* ---- what routers say --------------------------------------------------------------------- */

/* A packet of ours that did not fit, as ICMP quotes it. */
struct quote {
	const uint8_t *src, *dst; /* outer */
	rte_be32_t spi;
	uint32_t seq, mtu;
	uint8_t version;
	bool udp_enc;
	rte_be16_t dst_port; /* with udp_enc */
};

/* Reads from the header named by proto on: `at` up to `end`. */
static bool quote_esp(const struct worker *w, struct quote *q, uint8_t proto, const uint8_t *at,
		      const uint8_t *end)
{
	rte_be32_t esp[2];
	rte_be16_t ports[2];

	if (proto == IPPROTO_UDP) {
		if (end - at < (ptrdiff_t)sizeof(struct rte_udp_hdr))
			return false;
		memcpy(ports, at, sizeof(ports));
		if (w->env->udp_enc_port == 0 || ports[0] != w->env->udp_enc_port)
			return false;
		q->udp_enc = true;
		q->dst_port = ports[1];
		at += sizeof(struct rte_udp_hdr);
	} else if (proto != IPPROTO_ESP) {
		return false;
	}
	if (end - at < (ptrdiff_t)sizeof(esp))
		return false;
	memcpy(esp, at, sizeof(esp));
	q->spi = esp[0];
	q->seq = rte_be_to_cpu_32(esp[1]);
	return true;
}

/* Type 3, code 4 (RFC 792, RFC 1191 4) */
static bool quote_ipv4(const struct worker *w, const struct pkt *p, struct quote *q)
{
	const uint8_t *icmp = p->ip + p->ip_len, *ip = icmp + 8, *end;
	uint32_t len = pkt_payload_len(p), header;

	if (len < 8 + sizeof(struct rte_ipv4_hdr) || icmp[0] != 3 || icmp[1] != 4 ||
	    rte_raw_cksum(icmp, len) != 0xffff)
		return false;
	end = icmp + len;
	header = (ip[0] & 15) * 4u;
	if (ip[0] >> 4 != 4 || header < sizeof(struct rte_ipv4_hdr) || header > len - 8 ||
	    (ip[6] & 0x1f) || ip[7]) /* only a first piece has the SPI */
		return false;
	q->version = 4;
	q->mtu = (uint32_t)(icmp[6] << 8 | icmp[7]);
	q->src = ip + 12;
	q->dst = ip + 16;
	return quote_esp(w, q, ip[9], ip + header, end);
}

/* Type 2 (RFC 4443 3.2) */
static bool quote_ipv6(const struct worker *w, const struct pkt *p, struct quote *q)
{
	const uint8_t *icmp = p->ip + p->ip_len, *ip = icmp + 8, *end, *next;
	uint32_t len = pkt_payload_len(p);
	rte_be32_t mtu;
	uint8_t proto;

	if (len < 8 + sizeof(struct rte_ipv6_hdr) || icmp[0] != 2 || ip[0] >> 4 != 6 ||
	    checksum_sum(p->ip, 6, IPPROTO_ICMPV6, icmp, len) != 0xffff)
		return false;
	end = icmp + len;
	next = ip + sizeof(struct rte_ipv6_hdr);
	proto = ip[6];
	if (proto == IPPROTO_FRAGMENT) {
		if (end - next < 8 || (next[2] << 8 | next[3]) & RTE_IPV6_EHDR_FO_MASK)
			return false;
		proto = next[0];
		next += 8;
	}
	memcpy(&mtu, icmp + 4, sizeof(mtu));
	q->version = 6;
	q->mtu = rte_be_to_cpu_32(mtu);
	q->src = ip + 8;
	q->dst = ip + 24;
	return quote_esp(w, q, proto, next, end);
}

/* Have we sent it, lately, by this SA? */
static bool quote_is_ours(const struct worker *w, const struct quote *q, uint32_t slot)
{
	const struct sa_view *sa = &w->env->sa;
	const struct sa_shared *set = sa_shared_at(sa, slot / SA_PAIRS);
	const struct tunnel *n = &sa->tunnels[slot / SA_PAIRS];
	const struct sa_out *out = sa_out_at(sa, slot);
	bool tunnel;

	if (sa_live(set) == 0 || out->spi != q->spi || set->local.version != q->version ||
	    !ip_octets_are(q->src, &set->local) || out->seq - q->seq >= SEQ_RECENT)
		return false;
	tunnel = set->mode == SA_MODE_UDP_ENC_TUN;
	if (tunnel != q->udp_enc || (tunnel && q->dst_port != n->peer_port))
		return false;
	return ip_octets_are(q->dst, tunnel ? &n->peer : &set->remote);
}

static uint16_t path_mtu(struct worker *w, struct sa_out *out)
{
	if (likely(out->pmtu == 0))
		return w->env->ue.mtu;
	if (w->now >= out->pmtu_until)
		out->pmtu = 0;
	return out->pmtu ? out->pmtu : w->env->ue.mtu;
}

/* For the whole set: the path is the UE's. It only sinks; after a while it is tried anew. */
static void path_lower(struct worker *w, uint32_t slot, const struct quote *q)
{
	struct sa_out *out = sa_out_at(&w->env->sa, slot - slot % SA_PAIRS);
	uint32_t mtu = RTE_MAX(q->mtu, (uint32_t)(q->version == 4 ? IPV4_FLOOR : IPV6_FLOOR));
	unsigned pair;

	if (mtu >= path_mtu(w, &out[slot % SA_PAIRS]))
		return;
	for (pair = 0; pair < SA_PAIRS; pair++) {
		out[pair].pmtu = (uint16_t)mtu;
		out[pair].pmtu_until = w->now + rte_get_tsc_hz() * AGE_S;
	}
	w->c.pmtu_lowered++;
}

bool pmtu_hear(struct worker *w, struct pkt *p)
{
	struct quote q = {0};
	int64_t slot;
	uint16_t owner;

	if (!(p->version == 4 && p->proto == IPPROTO_ICMP && quote_ipv4(w, p, &q)) &&
	    !(p->version == 6 && p->proto == IPPROTO_ICMPV6 && quote_ipv6(w, p, &q)))
		return true;
	slot = note_find(w, q.spi);
	if (slot < 0)
		return true;
	owner = sa_shared_at(&w->env->sa, slot / SA_PAIRS)->owner;
	if (owner != w->id && owner < w->env->n_workers) {
		handover_push(w, owner, p->m, HANDOVER_UE_RX);
		pkt_put(w, p);
		return false;
	}
	if (quote_is_ours(w, &q, (uint32_t)slot))
		path_lower(w, (uint32_t)slot, &q);
	return true;
}

/* ---- what fits ---------------------------------------------------------------------------- */

uint32_t pmtu_inner_max(struct worker *w, const struct pkt *p)
{
	const struct sa_transform *t = p->set->transform;
	const struct sa_view *sa = &w->env->sa;
	bool tunnel = p->set->mode == SA_MODE_UDP_ENC_TUN;
	uint32_t headers =
		tunnel ? esp_tunnel_header_len(&sa->tunnels[p->slot / SA_PAIRS]) : p->ip_len;
	uint32_t fixed = headers + t->overhead + ESP_ICV_LEN;
	uint32_t mtu = path_mtu(w, sa_out_at(sa, p->slot)), room;

	if (fixed + t->block_len > mtu)
		return PLAIN_MIN; /* extension headers as long as the packet */
	room = ((mtu - fixed) & ~(t->block_len - 1u)) - ESP_TRAILER_LEN;
	return room + (tunnel ? 0 : p->ip_len);
}

bool pmtu_exceeded(struct worker *w, const struct pkt *p)
{
	uint32_t l2 = p->l2_done ? sizeof(struct rte_ether_hdr) : 0;

	return rte_pktmbuf_data_len(p->m) > path_mtu(w, p->out) + l2;
}

void pmtu_transmit(struct worker *w, struct pkt *p, const struct ip_addr *to)
{
	struct rte_mbuf *pieces[PIECES_MAX];
	unsigned n, i;

	if (p->l2_done)
		rte_pktmbuf_adj(p->m, sizeof(struct rte_ether_hdr));
	n = frag_split(p->m, path_mtu(w, p->out), ++w->fragment_id, w->env->pool, pieces,
		       PIECES_MAX);
	if (n == 0)
		worker_drop(w, p->m, DP_DROP_TOO_BIG);
	for (i = 0; i < n; i++)
		tx_ue_packet(w, pieces[i], to, &p->out->hop);
}

/* May it be cut? IPv6 hosts want to be told, as if DF were set (RFC 4301 8.2.1). */
static bool dont_fragment(const struct pkt *p)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->ip;

	return p->version == 6 || (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG));
}

int pmtu_stage_size(struct worker *w, struct pkt *p)
{
	uint32_t len = (uint32_t)p->ip_len + p->l4_len, max = pmtu_inner_max(w, p);

	if (likely(len <= max) || !dont_fragment(p))
		return PKT_KEEP;
	/* What the host does not obey is fragmented all the same. */
	if (max < (uint32_t)(p->version == 4 ? HOST_FLOOR4 : IPV6_FLOOR)) {
		if (p->version == 4)
			ip4_df_clear((struct rte_ipv4_hdr *)p->ip);
		return PKT_KEEP;
	}
	icmp_too_big_send(w, p, (uint16_t)max);
	return DP_DROP_TOO_BIG;
}
