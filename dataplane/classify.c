#include "dataplane/classify.h"

#include <netinet/in.h>

#include <rte_ether.h>

#include "dataplane/icmp_quote.h"
#include "dataplane/ip_header.h"
#include "dataplane/natt.h"
#include "dataplane/segments.h"
#include "dataplane/worker.h"

#define VLAN_ID_MASK 0x0fff

/* UDP and TCP alike begin with these. */
struct l4_ports {
	rte_be16_t src, dst;
};

static enum packet_class drop(struct pkt *p, int reason)
{
	p->reason = (uint8_t)reason;
	return CLASS_DROP;
}

/* Sets ip and version of a frame that holds an IP packet. */
static bool frame_is_ip(struct pkt *p, const struct rte_ether_hdr *eth)
{
	p->ip = (uint8_t *)(uintptr_t)(eth + 1);
	switch (rte_be_to_cpu_16(eth->ether_type)) {
	case RTE_ETHER_TYPE_IPV4:
		p->version = 4;
		return true;
	case RTE_ETHER_TYPE_IPV6:
		p->version = 6;
		return true;
	default:
		return false;
	}
}

/* One contiguous buffer, which is what all stages work on. PKT_KEEP or the reason to drop. */
static int frame_make_whole(struct worker *w, struct pkt *p)
{
	if (unlikely(p->m->nb_segs != 1)) {
		struct rte_mbuf *whole = segments_join(w, p->m);

		if (!whole)
			return DP_DROP_NO_BUFFER;
		p->m = whole;
	}
	return rte_pktmbuf_data_len(p->m) >= sizeof(struct rte_ether_hdr) ? PKT_KEEP
									  : DP_DROP_TRUNCATED;
}

static bool proto_has_ports(const struct pkt *p)
{
	return p->proto == IPPROTO_UDP || p->proto == IPPROTO_TCP;
}

/* NULL: too short to have any. */
static const struct l4_ports *packet_ports(const struct pkt *p)
{
	if (pkt_payload_len(p) < sizeof(struct l4_ports))
		return NULL;
	return (const struct l4_ports *)(p->ip + p->ip_len);
}

/* ---- from the UE side --------------------------------------------------------------------- */

static bool to_local(const struct worker *w, const struct pkt *p)
{
	struct ip_addr dst;

	ip_destination(p, &dst);
	return worker_addr_local(w, &dst);
}

/* ESP inside UDP, whose SA names the address it has to come to, or what only we may take. */
static bool is_udp_enc(const struct worker *w, const struct pkt *p, const struct l4_ports *ports)
{
	if (p->proto != IPPROTO_UDP || ports->dst != w->env->udp_enc_port || ports->dst == 0)
		return false;
	return natt_is_esp((const struct rte_udp_hdr *)ports, pkt_payload_len(p)) || to_local(w, p);
}

/* Clear UDP or TCP. A protected port takes nothing, at whichever address (TS 33.203 7.1). */
static enum packet_class classify_clear(struct worker *w, struct pkt *p)
{
	const struct l4_ports *ports = packet_ports(p);
	int reason;

	if (!ports)
		return drop(p, DP_DROP_TRUNCATED);
	if (is_udp_enc(w, p, ports))
		return CLASS_UDP_ENC;
	if (p->proto == IPPROTO_UDP && ports->dst == w->env->sip_port && ports->dst != 0 &&
	    to_local(w, p)) {
		reason = ip_udp_check(p, (const struct rte_udp_hdr *)ports, pkt_payload_len(p));
		return reason == PKT_KEEP ? CLASS_SIP : drop(p, reason);
	}
	if (worker_port_protected(w, ports->dst))
		return drop(p, DP_DROP_CLEAR_TO_PROTECTED);
	return CLASS_HOST;
}

/*
 * What a protected port sends nobody else sees in clear, so who quotes it has made it up; but the
 * port of ESP inside UDP may be among them.
 */
static enum packet_class classify_icmp(struct worker *w, struct pkt *p)
{
	struct icmp_quote q;

	if (icmp_quote_read(p, &q) && worker_port_protected(w, q.src) &&
	    !(q.proto == IPPROTO_UDP && q.src == w->env->udp_enc_port))
		return drop(p, DP_DROP_CLEAR_TO_PROTECTED);
	return CLASS_ICMP;
}

/*
 * Switches pass frames with a priority but no VLAN (IEEE 802.1Q, VID 0), and Linux takes such a tag
 * off: what is behind it is to be looked at as if it were not there. PKT_KEEP or the reason to
 * drop.
 */
static int priority_tag_strip(struct pkt *p)
{
	const struct rte_vlan_hdr *tag;
	uint8_t *frame = rte_pktmbuf_mtod(p->m, uint8_t *);
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;

	while (unlikely(eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN) ||
			eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_QINQ))) {
		tag = (const struct rte_vlan_hdr *)(eth + 1);
		if (rte_pktmbuf_data_len(p->m) < sizeof(*eth) + sizeof(*tag))
			return DP_DROP_TRUNCATED;
		if (tag->vlan_tci & RTE_BE16(VLAN_ID_MASK))
			return PKT_KEEP;
		memmove(frame + sizeof(*tag), frame, 2 * sizeof(struct rte_ether_addr));
		rte_pktmbuf_adj(p->m, sizeof(*tag));
		frame = rte_pktmbuf_mtod(p->m, uint8_t *);
		eth = (const struct rte_ether_hdr *)frame;
	}
	return PKT_KEEP;
}

enum packet_class classify_ue(struct worker *w, struct pkt *p)
{
	const struct rte_ether_hdr *eth;
	int reason = frame_make_whole(w, p);

	reason = PKT_THEN(reason, priority_tag_strip(p));
	if (unlikely(reason != PKT_KEEP))
		return drop(p, reason);
	eth = rte_pktmbuf_mtod(p->m, const struct rte_ether_hdr *);
	if (rte_is_unicast_ether_addr(&eth->dst_addr) &&
	    !rte_is_same_ether_addr(&eth->dst_addr, &w->env->ue.mac))
		return drop(p, DP_DROP_NOT_FOR_US);
	if (!frame_is_ip(p, eth))
		return CLASS_HOST;
	reason = ip_header_parse(p);
	if (reason != PKT_KEEP)
		return drop(p, reason);
	if (p->fragment)
		return CLASS_FRAGMENT;
	if (p->proto == IPPROTO_ESP)
		return CLASS_ESP;
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		return classify_icmp(w, p);
	return proto_has_ports(p) ? classify_clear(w, p) : CLASS_HOST;
}

/* ---- from the host ------------------------------------------------------------------------ */

/*
 * An ICMP error of the kernel's about what has come by an SA would show it in clear. Options and
 * extension headers are outside ESP's protection, so anybody on the way can have the kernel find
 * fault with any packet.
 */
static bool quotes_protected(const struct worker *w, const struct pkt *p)
{
	struct icmp_quote q;

	return icmp_quote_read(p, &q) && worker_port_protected(w, q.dst);
}

enum packet_class classify_host(struct worker *w, struct pkt *p)
{
	const struct rte_ether_hdr *eth;
	const struct l4_ports *ports;
	int reason = frame_make_whole(w, p);

	if (unlikely(reason != PKT_KEEP))
		return drop(p, reason);
	eth = rte_pktmbuf_mtod(p->m, const struct rte_ether_hdr *);
	if (!frame_is_ip(p, eth))
		return CLASS_UE;
	reason = ip_header_parse(p);
	if (reason != PKT_KEEP)
		return drop(p, reason);
	if (p->fragment) /* only the first has ports; the others must not get out in clear */
		return CLASS_FRAGMENT;
	if (!proto_has_ports(p))
		return quotes_protected(w, p) ? drop(p, DP_DROP_CLEAR_FROM_PROTECTED) : CLASS_UE;
	ports = packet_ports(p);
	if (!ports)
		return drop(p, DP_DROP_TRUNCATED);
	return worker_port_protected(w, ports->src) ? CLASS_PROTECT : CLASS_UE;
}
