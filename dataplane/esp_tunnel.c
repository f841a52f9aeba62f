#include "dataplane/esp_tunnel.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/classify_plain.h"
#include "dataplane/esp_read.h"
#include "dataplane/esp_write.h"
#include "dataplane/ip_header.h"
#include "dataplane/ip_write.h"
#include "dataplane/natt.h"
#include "dataplane/sa_in.h"
#include "dataplane/sa_out.h"
#include "dataplane/udp_write.h"
#include "dataplane/worker.h"

#define DSCP_MASK 0xfc

static struct tunnel *tunnel_of(const struct worker *w, const struct pkt *p)
{
	return &w->env->sa.tunnels[p->slot / SA_PAIRS];
}

/* ---- outer headers ------------------------------------------------------------------------ */

unsigned esp_tunnel_header_len(const struct tunnel *n)
{
	return ip_new_len(n->peer.version) + (unsigned)sizeof(struct rte_udp_hdr);
}

void esp_tunnel_header_write(struct worker *w, uint8_t *at, const struct tunnel *n,
			     const struct ip_addr *local, uint32_t len, uint8_t dscp)
{
	uint32_t udp_len = (uint32_t)sizeof(struct rte_udp_hdr) + len;
	struct ip_new outer = {
		.src = local,
		.dst = &n->peer,
		.len = udp_len,
		.proto = IPPROTO_UDP,
		.tos = dscp,
	};
	struct rte_udp_hdr *udp;

	ip_write(at, &outer, w->ip_id++);
	udp = (struct rte_udp_hdr *)(at + esp_tunnel_header_len(n) - sizeof(*udp));
	*udp = (struct rte_udp_hdr){
		.src_port = w->env->udp_enc_port,
		.dst_port = n->peer_port,
		.dgram_len = rte_cpu_to_be_16((uint16_t)udp_len),
	};
}

void esp_tunnel_checksum(uint8_t *ip6)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip6 + sizeof(struct rte_ipv6_hdr));

	udp->dgram_cksum =
		checksum_make(ip6, 6, IPPROTO_UDP, udp, rte_be_to_cpu_16(udp->dgram_len));
}

/* ---- outbound ----------------------------------------------------------------------------- */

static uint8_t inner_dscp(const struct pkt *p)
{
	uint8_t tos = p->version == 4 ? p->ip[1] : (uint8_t)(p->ip[0] << 4 | p->ip[1] >> 4);

	return tos & DSCP_MASK;
}

int esp_tunnel_seal(struct worker *w, struct pkt *p)
{
	const struct sa_transform *t = p->set->transform;
	struct tunnel *n = tunnel_of(w, p);
	uint32_t inner = rte_pktmbuf_data_len(p->m), headers = esp_tunnel_header_len(n);
	uint8_t pad = (uint8_t)(-(inner + ESP_TRAILER_LEN) & (t->block_len - 1u));
	uint32_t len = t->overhead + inner + pad + (uint32_t)ESP_TRAILER_LEN;
	uint8_t dscp = inner_dscp(p), *tail;
	int reason = sa_out_number(w, p);

	if (unlikely(reason != PKT_KEEP))
		return reason;
	if (unlikely(n->peer_port == 0))
		return DP_DROP_NO_PEER;
	if (headers + len + ESP_ICV_LEN > UINT16_MAX)
		return DP_DROP_TOO_BIG;
	tail = (uint8_t *)rte_pktmbuf_append(p->m, pad + ESP_TRAILER_LEN + ESP_ICV_LEN);
	if (!tail)
		return DP_DROP_TOO_BIG;
	esp_trailer_write(tail, pad, p->version == 4 ? IPPROTO_IPIP : IPPROTO_IPV6);
	p->ip = (uint8_t *)rte_pktmbuf_prepend(p->m, (uint16_t)(headers + t->overhead));
	if (!p->ip)
		return DP_DROP_NO_BUFFER;
	esp_tunnel_header_write(w, p->ip, n, &p->set->local, len + ESP_ICV_LEN, dscp);
	esp_header_write(w, p, p->ip + headers);
	p->version = n->peer.version;
	n->sent = 1;
	p->job.key = sa_key_at(&w->env->sa, p->slot / SA_PAIRS);
	p->job.esp = p->ip + headers;
	p->job.len = (uint16_t)len;
	p->job.inbound = false;
	sa_out_count(w, p);
	return PKT_KEEP;
}

/* Inner headers, at p->ip + p->ip_len + overhead; their addresses are of one version. */
static void inner_write(struct worker *w, const struct pkt *p, const struct tunnel *n,
			uint8_t *inner)
{
	unsigned pair = p->slot % SA_PAIRS;
	struct ip_new ip = {
		.src = &n->inner_local,
		.dst = &n->inner_remote,
		.len = p->l4_len,
		.proto = IPPROTO_UDP,
	};
	struct udp_path path = {
		.local = &n->inner_local,
		.remote = &n->inner_remote,
		.local_port = p->set->local_port[pair],
		.remote_port = p->set->remote_port[pair],
		.version = n->inner_remote.version,
	};

	ip_write(inner, &ip, w->ip_id++);
	udp_write((struct rte_udp_hdr *)p->l4, &path, p->l4_len, p->payload_sum);
}

int esp_tunnel_datagram(struct worker *w, struct pkt *p)
{
	const struct sa_transform *t = p->set->transform;
	struct tunnel *n = tunnel_of(w, p);
	uint16_t inner_ip = ip_new_len(n->inner_remote.version);
	uint32_t headers = esp_tunnel_header_len(n);
	uint32_t l4_len = p->m->data_len + (uint32_t)sizeof(struct rte_udp_hdr);
	uint8_t pad = (uint8_t)(-(inner_ip + l4_len + ESP_TRAILER_LEN) & (t->block_len - 1u));
	uint32_t before = headers + t->overhead + inner_ip + (uint32_t)sizeof(struct rte_udp_hdr);
	int reason = sa_out_number(w, p);

	if (unlikely(reason != PKT_KEEP))
		return reason;
	if (unlikely(n->peer_port == 0))
		return DP_DROP_NO_PEER;
	reason = esp_room(p->m, (uint32_t)sizeof(struct rte_ether_hdr) + before,
			  pad + ESP_TRAILER_LEN + (uint32_t)ESP_ICV_LEN);
	if (unlikely(reason != PKT_KEEP))
		return reason;
	p->ip = rte_pktmbuf_mtod_offset(p->m, uint8_t *, sizeof(struct rte_ether_hdr));
	p->version = n->peer.version;
	p->l4_len = (uint16_t)l4_len;
	p->job.key = sa_key_at(&w->env->sa, p->slot / SA_PAIRS);
	p->job.esp = p->ip + headers;
	p->job.len = (uint16_t)(t->overhead + inner_ip + l4_len + pad + ESP_TRAILER_LEN);
	p->job.inbound = false;
	p->l4 = p->job.esp + t->overhead + inner_ip;
	esp_tunnel_header_write(w, p->ip, n, &p->set->local, p->job.len + (uint32_t)ESP_ICV_LEN, 0);
	esp_header_write(w, p, p->job.esp);
	inner_write(w, p, n, p->l4 - inner_ip);
	esp_trailer_write(p->l4 + l4_len, pad,
			  n->inner_remote.version == 4 ? IPPROTO_IPIP : IPPROTO_IPV6);
	n->sent = 1;
	sa_out_count(w, p);
	if (p->version == 4) /* IPv6: outer UDP still lacks its checksum */
		sa_out_link(w, p, &n->peer);
	else
		rte_pktmbuf_adj(p->m, sizeof(struct rte_ether_hdr));
	return PKT_KEEP;
}

/* ---- inbound ------------------------------------------------------------------------------ */

static int inner_l4(struct pkt *p)
{
	p->l4 = p->ip + p->ip_len;
	p->l4_len = (uint16_t)pkt_payload_len(p);
	return p->proto == IPPROTO_UDP || p->proto == IPPROTO_TCP ? PKT_KEEP : DP_DROP_SELECTOR;
}

/*
 * Only a whole packet can be held against the selectors. The Linux kernel cuts large IPv6 packets
 * before ESP (RFC 4301 7), so SM7 may come in pieces. While they wait, the set's id stands for the
 * source, which has been checked: peers may have equal addresses, and none shall finish another's
 * packet.
 */
static int inner_join(struct worker *w, struct pkt *p, const struct tunnel *n)
{
	unsigned source = p->version == 4 ? 12 : 8;
	struct rte_ipv4_hdr *ip4;

	memcpy(p->ip + source, &p->id, sizeof(p->id));
	rte_pktmbuf_adj(p->m, (uint16_t)(p->ip - rte_pktmbuf_mtod(p->m, uint8_t *)));
	p->m = frag_reassemble(w->frag_inner, p->m, w->now);
	if (!p->m)
		return PKT_TAKEN;
	p->ip = rte_pktmbuf_mtod(p->m, uint8_t *);
	memcpy(p->ip + source, n->inner_remote.b, sizeof(p->id));
	if (p->version == 4) {
		ip4 = (struct rte_ipv4_hdr *)p->ip;
		ip4->hdr_checksum = 0;
		ip4->hdr_checksum = rte_ipv4_cksum(ip4);
	}
	tx_host_header(w, p->m);
	if (ip_header_parse(p) != PKT_KEEP || p->fragment)
		return DP_DROP_BAD_INNER;
	return inner_l4(p);
}

/* The octets before the trailer as an IP packet of their own. */
static int inner_parse(struct pkt *p)
{
	uint32_t end;

	if (p->proto != IPPROTO_IPIP && p->proto != IPPROTO_IPV6)
		return DP_DROP_BAD_NEXT_HEADER;
	p->version = p->proto == IPPROTO_IPIP ? 4 : 6;
	p->ip = p->l4;
	end = (uint32_t)(p->l4 + p->l4_len - rte_pktmbuf_mtod(p->m, uint8_t *));
	rte_pktmbuf_trim(p->m, (uint16_t)(rte_pktmbuf_data_len(p->m) - end));
	/* What follows the inner packet is padding against traffic analysis (RFC 4303 2.7). */
	if (ip_header_parse(p) != PKT_KEEP)
		return DP_DROP_BAD_INNER;
	return p->fragment ? PKT_KEEP : inner_l4(p);
}

/* The first authenticated packet says which of two inner addresses the peer has (C-34). */
static bool inner_remote_fits(const struct pkt *p, struct tunnel *n)
{
	const uint8_t *src = ip_source_octets(p);

	if (likely(ip_octets_are(src, &n->inner_remote))) {
		n->flags |= TUNNEL_FIXED;
		return true;
	}
	if ((n->flags & TUNNEL_FIXED) || n->inner_other.version != p->version ||
	    !ip_octets_are(src, &n->inner_other))
		return false;
	n->inner_remote = n->inner_other;
	n->flags |= TUNNEL_FIXED;
	return true;
}

/* Any packet of a tunnel. What control reads need not be cut off: it has lengths of its own. */
static int inner_open(struct worker *w, struct pkt *p, struct tunnel *n)
{
	struct natt_source from = natt_source(p);
	int reason = inner_parse(p);

	if (reason != PKT_KEEP)
		return reason;
	if (p->version != n->inner_local.version ||
	    !ip_octets_are(ip_destination_octets(p), &n->inner_local) || !inner_remote_fits(p, n))
		return DP_DROP_SELECTOR;
	natt_learn(w, p, &from);
	if (unlikely(p->fragment))
		reason = inner_join(w, p, n);
	return PKT_THEN(reason, sa_in_selectors(p));
}

/* UDP in IPv4 without options, whole, between the tunnel's two addresses, from a peer that is known
 * to have that address? Then sets l4 and l4_len. */
static inline bool inner_is_plain_v4(struct pkt *p, const struct tunnel *n)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l4;
	uint32_t total;

	if (p->l4_len < sizeof(*ip) || p->proto != IPPROTO_IPIP || n->inner_local.version != 4 ||
	    ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_UDP ||
	    (ip->fragment_offset & RTE_BE16((uint16_t)~RTE_IPV4_HDR_DF_FLAG)) ||
	    ip->src_addr != checksum_load32(n->inner_remote.b) ||
	    ip->dst_addr != checksum_load32(n->inner_local.b))
		return false;
	total = checksum_be16(ip->total_length);
	if (total > p->l4_len || total < sizeof(*ip) ||
	    checksum_fold(checksum_ipv4_header(p->l4)) != 0xffff)
		return false;
	p->l4 += sizeof(*ip);
	p->l4_len = (uint16_t)(total - sizeof(*ip));
	return true;
}

/* The same in IPv6 without extension headers. */
static inline bool inner_is_plain_v6(struct pkt *p, const struct tunnel *n)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p->l4;
	uint32_t len;

	if (p->l4_len < sizeof(*ip) || p->proto != IPPROTO_IPV6 || n->inner_local.version != 6 ||
	    p->l4[0] >> 4 != 6 || ip->proto != IPPROTO_UDP ||
	    !ip_octets_are(ip->src_addr, &n->inner_remote) ||
	    !ip_octets_are(ip->dst_addr, &n->inner_local))
		return false;
	len = checksum_be16(ip->payload_len);
	if (len > p->l4_len - sizeof(*ip))
		return false;
	p->l4 += sizeof(*ip);
	p->l4_len = (uint16_t)len;
	return true;
}

/* For what nearly all packets of a tunnel are: nothing of them is cut off or looked at twice, since
 * control reads UDP by its own length. */
static bool inner_open_plain(struct worker *w, struct pkt *p, struct tunnel *n)
{
	struct natt_source from = natt_source(p);
	uint8_t *inner = p->l4;

	if (!(n->flags & TUNNEL_FIXED) || (p->set->flags & SA_FLAG_MANUAL))
		return false;
	if (!inner_is_plain_v4(p, n) && !inner_is_plain_v6(p, n))
		return false;
	p->ip = inner;
	p->version = n->inner_local.version;
	p->proto = IPPROTO_UDP;
	natt_learn(w, p, &from);
	return true;
}

int esp_tunnel_open(struct worker *w, struct pkt *p)
{
	struct tunnel *n = tunnel_of(w, p);
	int reason = sa_in_take(w, p);

	reason = PKT_THEN(reason, esp_trailer_open(p));
	if (unlikely(reason != PKT_KEEP))
		return reason;
	if (likely(inner_open_plain(w, p, n)))
		return sa_in_selectors(p);
	return inner_open(w, p, n);
}

/* ---- the host's side ---------------------------------------------------------------------- */

/* Replaces an address in the IP header, and adapts the header's checksum. */
static void address_replace(struct pkt *p, uint8_t *at, const struct ip_addr *is)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->ip;

	if (p->version == 4)
		ip->hdr_checksum = checksum_replace(ip->hdr_checksum, at, is->b, 4);
	memcpy(at, is->b, p->version == 4 ? 4 : 16);
}

/* It covers the addresses, too: before one is replaced. It stays as right or wrong as it was. */
static void l4_sum_replace(struct pkt *p, const uint8_t *at, const struct ip_addr *is)
{
	size_t where = ip_l4_sum_at(p->proto, p->l4_len);
	uint16_t sum;

	if (where == 0)
		return;
	memcpy(&sum, p->l4 + where, sizeof(sum));
	if (p->proto == IPPROTO_UDP && sum == 0) /* none */
		return;
	sum = checksum_replace(sum, at, is->b, p->version == 4 ? 4 : 16);
	if (sum == 0) /* the same number, but not UDP's word for "none" */
		sum = 0xffff;
	memcpy(p->l4 + where, &sum, sizeof(sum));
}

int esp_tunnel_from_host(struct worker *w, struct pkt *p)
{
	const struct tunnel *n = tunnel_of(w, p);
	uint8_t *dst = p->ip + (p->version == 4 ? 16 : 24);

	if (ip_addr_eq(&n->host, &n->inner_remote))
		return PKT_KEEP;
	if (w->env->host.sums_whole)
		l4_sum_replace(p, dst, &n->inner_remote);
	address_replace(p, dst, &n->inner_remote);
	return PKT_KEEP;
}

static void source_rename(struct pkt *p, const struct tunnel *n)
{
	uint8_t *src = p->ip + (p->version == 4 ? 12 : 8);

	l4_sum_replace(p, src, &n->host);
	address_replace(p, src, &n->host);
}

int esp_tunnel_restore(struct worker *w, struct pkt *p)
{
	const struct tunnel *n = tunnel_of(w, p);
	uint8_t *frame = rte_pktmbuf_mtod(p->m, uint8_t *);
	bool v6 = p->version == 6;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)(p->ip - sizeof(*eth));

	if (!ip_addr_eq(&n->host, &n->inner_remote))
		source_rename(p, n);
	memmove(eth, frame, sizeof(*eth));
	eth->ether_type = rte_cpu_to_be_16(v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	rte_pktmbuf_adj(p->m, (uint16_t)((uint8_t *)eth - frame));
	return PKT_KEEP;
}
