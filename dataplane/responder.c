#include <rte_arp.h>
#include <rte_icmp.h>

#include "dataplane/icmp6.h"
#include "dataplane/responder.h"

#define IPV4_TTL 64

struct arp_frame {
	struct rte_ether_hdr eth;
	struct rte_arp_hdr arp;
} __rte_packed __rte_aligned(2);

struct ipv4_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_icmp_hdr icmp;
} __rte_packed __rte_aligned(2);

struct ipv6_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv6_hdr ip;
	struct icmp6_hdr icmp;
} __rte_packed __rte_aligned(2);

struct nd_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv6_hdr ip;
	struct nd_msg nd;
	struct nd_mac_opt opt;
} __rte_packed __rte_aligned(2);

/* ---- addresses ---------------------------------------------------------------------------- */

static struct ip_addr addr_of(uint8_t version, const void *octets)
{
	struct ip_addr a = {.version = version};

	memcpy(a.b, octets, version == 4 ? 4 : 16);
	return a;
}

static bool is_zero(const void *p, size_t n)
{
	static const uint8_t zero[16];

	return memcmp(p, zero, n) == 0;
}

static bool is_ours(const struct responder *r, uint8_t version, const void *octets)
{
	struct ip_addr a = addr_of(version, octets);

	if (ip_addr_eq(&a, &r->gateway[0]) || ip_addr_eq(&a, &r->gateway[1]))
		return false;
	for (unsigned i = 0; i < r->n_local; i++)
		if (ip_prefix_holds(&r->local[i], &a))
			return true;
	return false;
}

/* One that may be answered: a single host's, and not ours. */
static bool is_peer(const struct responder *r, uint8_t version, const void *octets)
{
	const uint8_t *b = octets;

	if (version == 4 ? b[0] == 0 || b[0] == 127 || b[0] >= 224 : b[0] == 0xff || is_zero(b, 16))
		return false;
	return !is_ours(r, version, octets);
}

static bool is_peer_mac(const struct responder *r, const struct rte_ether_addr *mac)
{
	return rte_is_unicast_ether_addr(mac) && !rte_is_zero_ether_addr(mac) &&
	       !rte_is_same_ether_addr(mac, &r->mac);
}

static bool to_us(const struct responder *r, const struct rte_ether_hdr *eth)
{
	return rte_is_same_ether_addr(&eth->dst_addr, &r->mac);
}

static void eth_set(struct rte_ether_hdr *eth, const struct rte_ether_addr *to,
		    const struct rte_ether_addr *from, uint16_t type)
{
	eth->dst_addr = *to;
	eth->src_addr = *from;
	eth->ether_type = rte_cpu_to_be_16(type);
}

/* Makes the frame exactly len octets long. */
static bool frame_resize(struct rte_mbuf *frame, uint32_t len)
{
	if (frame->pkt_len > len)
		return rte_pktmbuf_trim(frame, (uint16_t)(frame->pkt_len - len)) == 0;
	return frame->pkt_len == len ||
	       rte_pktmbuf_append(frame, (uint16_t)(len - frame->pkt_len)) != NULL;
}

/* ---- ARP (RFC 826) ------------------------------------------------------------------------ */

static bool arp_valid(const struct responder *r, const struct rte_arp_hdr *arp)
{
	return arp->arp_hardware == rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) &&
	       arp->arp_protocol == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) && arp->arp_hlen == 6 &&
	       arp->arp_plen == 4 && is_peer_mac(r, &arp->arp_data.arp_sha);
}

static void arp_answer(const struct responder *r, struct arp_frame *f)
{
	struct rte_arp_ipv4 *data = &f->arp.arp_data;
	rte_be32_t asked = data->arp_tip;

	eth_set(&f->eth, &data->arp_sha, &r->mac, RTE_ETHER_TYPE_ARP);
	f->arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	data->arp_tha = data->arp_sha;
	data->arp_tip = data->arp_sip;
	data->arp_sha = r->mac;
	data->arp_sip = asked;
}

static enum responder_verdict arp_take(const struct responder *r, struct rte_mbuf *frame,
				       struct neighbour_claim *claim)
{
	struct arp_frame *f = rte_pktmbuf_mtod(frame, struct arp_frame *);
	const struct rte_arp_ipv4 *data = &f->arp.arp_data;
	bool probe, ours;

	if (frame->data_len < sizeof(*f) || !arp_valid(r, &f->arp))
		return RESPONDER_IGNORED;
	probe = is_zero(&data->arp_sip, 4); /* RFC 5227: is the address free? */
	ours = is_ours(r, 4, &data->arp_tip);
	if (!probe && !is_peer(r, 4, &data->arp_sip))
		return RESPONDER_IGNORED;
	if (ours && f->arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST)) {
		arp_answer(r, f);
		return RESPONDER_ANSWERED;
	}
	if (probe)
		return RESPONDER_IGNORED;
	*claim = (struct neighbour_claim){
		.addr = addr_of(4, &data->arp_sip),
		.mac = data->arp_sha,
		.solicited = f->arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REPLY) && ours &&
			     to_us(r, &f->eth),
		.mac_stated = true,
	};
	return RESPONDER_CLAIMED;
}

/* ---- ICMP echo (RFC 792) ------------------------------------------------------------------ */

static bool echo_valid(const struct responder *r, const struct rte_mbuf *frame,
		       const struct ipv4_frame *f)
{
	uint32_t total;

	if (frame->data_len < sizeof(*f) || f->ip.version_ihl != RTE_IPV4_VHL_DEF ||
	    f->ip.next_proto_id != IPPROTO_ICMP)
		return false;
	total = rte_be_to_cpu_16(f->ip.total_length);
	if (total < sizeof(f->ip) + sizeof(f->icmp) || total > frame->data_len - sizeof(f->eth))
		return false;
	return (f->ip.fragment_offset & ~rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) == 0 &&
	       rte_raw_cksum(&f->ip, sizeof(f->ip)) == 0xffff &&
	       f->icmp.icmp_type == RTE_IP_ICMP_ECHO_REQUEST && f->icmp.icmp_code == 0 &&
	       rte_raw_cksum(&f->icmp, total - sizeof(f->ip)) == 0xffff && to_us(r, &f->eth) &&
	       is_peer_mac(r, &f->eth.src_addr) && is_ours(r, 4, &f->ip.dst_addr) &&
	       is_peer(r, 4, &f->ip.src_addr);
}

static enum responder_verdict ipv4_take(const struct responder *r, struct rte_mbuf *frame)
{
	struct ipv4_frame *f = rte_pktmbuf_mtod(frame, struct ipv4_frame *);
	struct rte_ether_addr peer;
	rte_be32_t ours;
	uint32_t total;

	if (!echo_valid(r, frame, f))
		return RESPONDER_IGNORED;
	total = rte_be_to_cpu_16(f->ip.total_length);
	if (!frame_resize(frame, (uint32_t)sizeof(f->eth) + total))
		return RESPONDER_IGNORED;
	peer = f->eth.src_addr;
	eth_set(&f->eth, &peer, &r->mac, RTE_ETHER_TYPE_IPV4);
	ours = f->ip.dst_addr;
	f->ip.dst_addr = f->ip.src_addr;
	f->ip.src_addr = ours;
	f->ip.time_to_live = IPV4_TTL;
	f->ip.hdr_checksum = 0;
	f->ip.hdr_checksum = rte_ipv4_cksum(&f->ip);
	f->icmp.icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	f->icmp.icmp_cksum = 0;
	f->icmp.icmp_cksum = (uint16_t)~rte_raw_cksum(&f->icmp, total - sizeof(f->ip));
	return RESPONDER_ANSWERED;
}

/* ---- neighbour discovery (RFC 4861) ------------------------------------------------------- */

/* The MAC address in an option; *found NULL: none. False: malformed options (4.6). */
static bool nd_option_find(const struct nd_frame *f, uint8_t type,
			   const struct rte_ether_addr **found)
{
	const uint8_t *opt = (const uint8_t *)&f->opt;
	uint32_t left = rte_be_to_cpu_16(f->ip.payload_len) - (uint32_t)sizeof(f->nd);

	*found = NULL;
	while (left) {
		uint32_t len = left < 2 ? 0 : opt[1] * 8u;

		if (len == 0 || len > left)
			return false;
		if (opt[0] == type && len == sizeof(struct nd_mac_opt))
			*found = (const void *)(opt + 2);
		opt += len;
		left -= len;
	}
	return true;
}

/* Common to 7.1.1 and 7.1.2; the checksum is good already. */
static bool nd_valid(const struct nd_frame *f)
{
	return f->ip.hop_limits == ND_HOP_LIMIT && f->nd.icmp.code == 0 &&
	       rte_be_to_cpu_16(f->ip.payload_len) >= sizeof(f->nd) && f->nd.target[0] != 0xff;
}

/* ff02::1:ffXX:XXXX (RFC 4291 2.7.1) */
static void solicited_node(const uint8_t *target, uint8_t *group)
{
	static const uint8_t prefix[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + 13, target + 13, 3);
}

/* 33:33 and the last four octets (RFC 2464 7) */
static struct rte_ether_addr multicast_mac(const uint8_t *group)
{
	struct rte_ether_addr mac = {{0x33, 0x33, group[12], group[13], group[14], group[15]}};

	return mac;
}

/* Headers and option of either message; flags and target are the caller's. */
static void nd_finish(const struct responder *r, struct nd_frame *f, uint8_t type, uint8_t option)
{
	f->ip.vtc_flow = rte_cpu_to_be_32(UINT32_C(6) << 28);
	f->ip.payload_len = rte_cpu_to_be_16(sizeof(f->nd) + sizeof(f->opt));
	f->ip.proto = IPPROTO_ICMPV6;
	f->ip.hop_limits = ND_HOP_LIMIT;
	f->nd.icmp = (struct icmp6_hdr){.type = type};
	f->opt = (struct nd_mac_opt){option, sizeof(f->opt) / 8, r->mac};
	icmp6_checksum_set(&f->ip, &f->nd.icmp);
}

static enum responder_verdict solicit_take(const struct responder *r, struct rte_mbuf *frame,
					   struct nd_frame *f)
{
	static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
	bool dad = is_zero(f->ip.src_addr, 16); /* RFC 4862 5.4: is the address free? */
	const struct rte_ether_addr *stated;
	struct rte_ether_addr to;
	uint8_t group[16];

	if (!nd_option_find(f, ND_OPT_SOURCE_MAC, &stated) || !is_ours(r, 6, f->nd.target))
		return RESPONDER_IGNORED;
	solicited_node(f->nd.target, group);
	if (memcmp(f->ip.dst_addr, group, 16) != 0 &&
	    (dad || memcmp(f->ip.dst_addr, f->nd.target, 16) != 0))
		return RESPONDER_IGNORED;
	if (dad ? stated != NULL : !is_peer(r, 6, f->ip.src_addr))
		return RESPONDER_IGNORED;
	to = dad ? multicast_mac(all_nodes) : stated ? *stated : f->eth.src_addr;
	if ((!dad && !is_peer_mac(r, &to)) || !frame_resize(frame, sizeof(*f)))
		return RESPONDER_IGNORED;
	eth_set(&f->eth, &to, &r->mac, RTE_ETHER_TYPE_IPV6);
	memcpy(f->ip.dst_addr, dad ? all_nodes : f->ip.src_addr, 16);
	memcpy(f->ip.src_addr, f->nd.target, 16);
	f->nd.flags = rte_cpu_to_be_32(ND_ADVERT_OVERRIDE | (dad ? 0 : ND_ADVERT_SOLICITED));
	nd_finish(r, f, ICMP6_ADVERT, ND_OPT_TARGET_MAC);
	return RESPONDER_ANSWERED;
}

static enum responder_verdict advert_take(const struct responder *r, const struct nd_frame *f,
					  struct neighbour_claim *claim)
{
	bool solicited = f->nd.flags & rte_cpu_to_be_32(ND_ADVERT_SOLICITED);
	const struct rte_ether_addr *stated;

	if (!nd_option_find(f, ND_OPT_TARGET_MAC, &stated) || !is_peer(r, 6, f->nd.target) ||
	    (solicited && f->ip.dst_addr[0] == 0xff))
		return RESPONDER_IGNORED;
	*claim = (struct neighbour_claim){
		.addr = addr_of(6, f->nd.target),
		/* An answer to a unicast solicitation may leave the option out (4.4). */
		.mac = stated ? *stated : f->eth.src_addr,
		.solicited = solicited && is_ours(r, 6, f->ip.dst_addr) && to_us(r, &f->eth),
		.mac_stated = stated != NULL,
	};
	return is_peer_mac(r, &claim->mac) ? RESPONDER_CLAIMED : RESPONDER_IGNORED;
}

/* ---- ICMPv6 echo (RFC 4443 4) ------------------------------------------------------------- */

static enum responder_verdict echo6_take(const struct responder *r, struct rte_mbuf *frame,
					 struct ipv6_frame *f)
{
	uint32_t len = (uint32_t)sizeof(f->eth) + (uint32_t)sizeof(f->ip);
	struct rte_ether_addr peer = f->eth.src_addr;
	uint8_t ours[16];

	len += rte_be_to_cpu_16(f->ip.payload_len);
	if (f->icmp.code != 0 || len < sizeof(*f) + 4 || !to_us(r, &f->eth) ||
	    !is_peer_mac(r, &peer) || !is_ours(r, 6, f->ip.dst_addr) ||
	    !is_peer(r, 6, f->ip.src_addr) || !frame_resize(frame, len))
		return RESPONDER_IGNORED;
	eth_set(&f->eth, &peer, &r->mac, RTE_ETHER_TYPE_IPV6);
	memcpy(ours, f->ip.dst_addr, 16);
	memcpy(f->ip.dst_addr, f->ip.src_addr, 16);
	memcpy(f->ip.src_addr, ours, 16);
	f->ip.hop_limits = IPV4_TTL;
	f->icmp.type = ICMP6_ECHO_REPLY;
	icmp6_checksum_set(&f->ip, &f->icmp);
	return RESPONDER_ANSWERED;
}

static enum responder_verdict ipv6_take(const struct responder *r, struct rte_mbuf *frame,
					struct neighbour_claim *claim)
{
	struct ipv6_frame *f = rte_pktmbuf_mtod(frame, struct ipv6_frame *);
	struct nd_frame *nd = rte_pktmbuf_mtod(frame, struct nd_frame *);
	uint32_t room = frame->data_len - (uint32_t)(sizeof(f->eth) + sizeof(f->ip));
	uint32_t payload;

	if (frame->data_len < sizeof(*f) || f->ip.proto != IPPROTO_ICMPV6)
		return RESPONDER_IGNORED;
	payload = rte_be_to_cpu_16(f->ip.payload_len);
	if (payload < sizeof(f->icmp) || payload > room || !icmp6_checksum_good(&f->ip, &f->icmp))
		return RESPONDER_IGNORED;
	switch (f->icmp.type) {
	case ICMP6_ECHO_REQUEST:
		return echo6_take(r, frame, f);
	case ICMP6_SOLICIT:
		return nd_valid(nd) ? solicit_take(r, frame, nd) : RESPONDER_IGNORED;
	case ICMP6_ADVERT:
		return nd_valid(nd) ? advert_take(r, nd, claim) : RESPONDER_IGNORED;
	default:
		return RESPONDER_IGNORED;
	}
}

/* ---- both ways ---------------------------------------------------------------------------- */

enum responder_verdict responder_take(const struct responder *r, struct rte_mbuf *frame,
				      struct neighbour_claim *claim)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

	if (frame->nb_segs != 1 || rte_mbuf_refcnt_read(frame) != 1 ||
	    frame->data_len < sizeof(*eth))
		return RESPONDER_IGNORED;
	switch (rte_be_to_cpu_16(eth->ether_type)) {
	case RTE_ETHER_TYPE_ARP:
		return arp_take(r, frame, claim);
	case RTE_ETHER_TYPE_IPV4:
		return ipv4_take(r, frame);
	case RTE_ETHER_TYPE_IPV6:
		return ipv6_take(r, frame, claim);
	default:
		return RESPONDER_IGNORED;
	}
}

static bool is_subnet(const struct ip_prefix *p, unsigned bits)
{
	for (unsigned i = p->len; i < bits; i++)
		if (p->addr.b[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

/*
 * A prefix as one address: its own, or if that is the subnet's (all host bits zero: a broadcast to
 * some, an anycast to others) its first host's, but never the one that is asked for.
 */
static struct ip_addr prefix_host(const struct ip_prefix *p, const struct ip_addr *target)
{
	unsigned octets = p->addr.version == 4 ? 4 : 16, bits = octets * 8;
	struct ip_addr a = p->addr;

	if (p->len + 2u > bits)
		return a;
	if (is_subnet(p, bits))
		a.b[octets - 1] |= 1;
	if (ip_addr_eq(&a, target))
		a.b[octets - 1] ^= 3;
	return a;
}

/* Where a request comes from: the prefix that holds the target, else the first of its version. */
static bool source_choose(const struct responder *r, const struct ip_addr *target,
			  struct ip_addr *source)
{
	const struct ip_prefix *best = NULL;

	for (unsigned i = 0; i < r->n_local; i++) {
		const struct ip_prefix *p = &r->local[i];

		if (p->addr.version != target->version)
			continue;
		if (!best || (!ip_prefix_holds(best, target) && ip_prefix_holds(p, target)))
			best = p;
	}
	if (best)
		*source = prefix_host(best, target);
	return best != NULL;
}

static int arp_solicit(const struct responder *r, struct rte_mbuf *frame,
		       const struct ip_addr *target, const struct ip_addr *source,
		       const struct rte_ether_addr *mac)
{
	static const struct rte_ether_addr all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct arp_frame *f = (void *)rte_pktmbuf_append(frame, sizeof(*f));

	if (!f)
		return -ENOBUFS;
	*f = (struct arp_frame){
		.arp = {.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
			.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
			.arp_hlen = 6,
			.arp_plen = 4,
			.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
			.arp_data = {.arp_sha = r->mac}},
	};
	eth_set(&f->eth, mac ? mac : &all, &r->mac, RTE_ETHER_TYPE_ARP);
	memcpy(&f->arp.arp_data.arp_sip, source->b, 4);
	memcpy(&f->arp.arp_data.arp_tip, target->b, 4);
	return 0;
}

static int nd_solicit(const struct responder *r, struct rte_mbuf *frame,
		      const struct ip_addr *target, const struct ip_addr *source,
		      const struct rte_ether_addr *mac)
{
	struct nd_frame *f = (void *)rte_pktmbuf_append(frame, sizeof(*f));
	struct rte_ether_addr group_mac;

	if (!f)
		return -ENOBUFS;
	memcpy(f->ip.src_addr, source->b, 16);
	memcpy(f->ip.dst_addr, target->b, 16);
	if (!mac)
		solicited_node(target->b, f->ip.dst_addr);
	group_mac = multicast_mac(f->ip.dst_addr);
	eth_set(&f->eth, mac ? mac : &group_mac, &r->mac, RTE_ETHER_TYPE_IPV6);
	f->nd.flags = 0;
	memcpy(f->nd.target, target->b, 16);
	nd_finish(r, f, ICMP6_SOLICIT, ND_OPT_SOURCE_MAC);
	return 0;
}

int responder_solicit(const struct responder *r, struct rte_mbuf *frame,
		      const struct ip_addr *target, const struct rte_ether_addr *mac)
{
	struct ip_addr source;

	if (!source_choose(r, target, &source))
		return -EADDRNOTAVAIL;
	return target->version == 4 ? arp_solicit(r, frame, target, &source, mac)
				    : nd_solicit(r, frame, target, &source, mac);
}
