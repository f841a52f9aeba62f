#include "dataplane/icmp_quote.h"

#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rte_ip.h>

#include "dataplane/ip_header.h"

#define ICMP_HEADER   8
#define ICMP6_INFO    128 /* types below it are errors (RFC 4443 2.1) */
#define IPV6_EXT_UNIT 8

/* The octets quoted that are still to be read. */
struct rest {
	const uint8_t *at, *end;
};

static bool rest_skip(struct rest *r, uint32_t n)
{
	if (r->end - r->at < (ptrdiff_t)n)
		return false;
	r->at += n;
	return true;
}

static bool icmp_is_error(const struct pkt *p, uint8_t type)
{
	if (p->version == 6)
		return p->proto == IPPROTO_ICMPV6 && type < ICMP6_INFO;
	if (p->proto != IPPROTO_ICMP)
		return false;
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* Goes behind the IPv4 header; only a first piece has ports. */
static bool ipv4_skip(struct rest *r, uint8_t *proto)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)r->at;
	uint32_t header;

	if (r->end - r->at < (ptrdiff_t)sizeof(*ip))
		return false;
	header = rte_ipv4_hdr_len(ip);
	*proto = ip->next_proto_id;
	return ip->version == 4 && header >= sizeof(*ip) && rest_skip(r, header) &&
	       (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)) == 0;
}

/* The same of IPv6, with the extension headers. */
static bool ipv6_skip(struct rest *r, uint8_t *proto)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)r->at;

	if (r->end - r->at < (ptrdiff_t)sizeof(*ip) || r->at[0] >> 4 != 6)
		return false;
	*proto = ip->proto;
	r->at += sizeof(*ip);
	while (ip6_is_extension_or_fragment(*proto)) {
		const uint8_t *ext = r->at;
		bool piece = *proto == IPPROTO_FRAGMENT;

		if (!rest_skip(r, IPV6_EXT_UNIT) ||
		    (piece && (ext[2] << 8 | ext[3]) & RTE_IPV6_EHDR_FO_MASK) ||
		    (!piece && !rest_skip(r, ext[1] * (uint32_t)IPV6_EXT_UNIT)))
			return false;
		*proto = ext[0];
	}
	return true;
}

bool icmp_quote_read(const struct pkt *p, struct icmp_quote *q)
{
	const uint8_t *icmp = p->ip + p->ip_len;
	struct rest r = {.at = icmp, .end = icmp + pkt_payload_len(p)};

	if (!rest_skip(&r, ICMP_HEADER) || !icmp_is_error(p, icmp[0]) ||
	    !(p->version == 4 ? ipv4_skip(&r, &q->proto) : ipv6_skip(&r, &q->proto)))
		return false;
	if ((q->proto != IPPROTO_UDP && q->proto != IPPROTO_TCP) ||
	    r.end - r.at < (ptrdiff_t)(sizeof(q->src) + sizeof(q->dst)))
		return false;
	memcpy(&q->src, r.at, sizeof(q->src));
	memcpy(&q->dst, r.at + sizeof(q->src), sizeof(q->dst));
	return true;
}
