#include "dataplane/ip_header.h"

#include <netinet/in.h>

#include "dataplane/checksum.h"
#include "dataplane/worker.h"

/* A longer chain of extension headers helps nobody but who wants to hide something. */
#define IPV6_MAX_EXT 8

static uint32_t ip_room(const struct pkt *p)
{
	return rte_pktmbuf_data_len(p->m) - (uint32_t)(p->ip - rte_pktmbuf_mtod(p->m, uint8_t *));
}

/* Link padding after the end of the IP packet goes. */
static void ip_trim(struct pkt *p, uint32_t total)
{
	uint32_t room = ip_room(p);

	if (room > total)
		rte_pktmbuf_trim(p->m, (uint16_t)(room - total));
}

static uint16_t ipv4_sum(const uint8_t *ip, uint32_t len)
{
	return checksum_fold(likely(len == sizeof(struct rte_ipv4_hdr)) ? checksum_ipv4_header(ip)
									: checksum_octets(ip, len));
}

static int ipv4_parse(struct pkt *p)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->ip;
	uint32_t room = ip_room(p), header, total;

	if (room < sizeof(*ip))
		return DP_DROP_TRUNCATED;
	header = rte_ipv4_hdr_len(ip);
	total = rte_be_to_cpu_16(ip->total_length);
	if (ip->version != 4 || header < sizeof(*ip) || total < header)
		return DP_DROP_BAD_IP;
	if (room < total)
		return DP_DROP_TRUNCATED;
	if (ipv4_sum(p->ip, header) != 0xffff)
		return DP_DROP_BAD_IP;
	ip_trim(p, total);
	p->ip_len = (uint16_t)header;
	p->next_at = offsetof(struct rte_ipv4_hdr, next_proto_id);
	p->proto = ip->next_proto_id;
	p->fragment =
		(ip->fragment_offset & rte_cpu_to_be_16((uint16_t)~RTE_IPV4_HDR_DF_FLAG)) != 0;
	return PKT_KEEP;
}

/* One extension header at p->ip_len: steps over it. */
static int ipv6_extension_parse(struct pkt *p, uint32_t total)
{
	const uint8_t *ext = p->ip + p->ip_len;
	uint32_t len;

	if (p->proto == IPPROTO_HOPOPTS && p->ip_len != sizeof(struct rte_ipv6_hdr))
		return DP_DROP_BAD_IP; /* only right after the IPv6 header (RFC 8200 4.1) */
	if (total - p->ip_len < 8)
		return DP_DROP_BAD_IP;
	len = (ext[1] + 1u) * 8;
	if (total - p->ip_len < len)
		return DP_DROP_BAD_IP;
	if (p->proto == IPPROTO_ROUTING && ext[3] != 0)
		return DP_DROP_BAD_IP; /* segments left: we are not a router */
	p->proto = ext[0];
	p->next_at = p->ip_len;
	p->ip_len = (uint16_t)(p->ip_len + len);
	return PKT_KEEP;
}

static int ipv6_parse(struct pkt *p)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p->ip;
	uint32_t room = ip_room(p), total;
	unsigned n;

	if (room < sizeof(*ip))
		return DP_DROP_TRUNCATED;
	total = (uint32_t)sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
	if (p->ip[0] >> 4 != 6)
		return DP_DROP_BAD_IP;
	if (room < total)
		return DP_DROP_TRUNCATED;
	ip_trim(p, total);
	p->ip_len = sizeof(*ip);
	p->next_at = offsetof(struct rte_ipv6_hdr, proto);
	p->proto = ip->proto;
	for (n = 0; ip6_is_extension(p->proto); n++) {
		int rc = n < IPV6_MAX_EXT ? ipv6_extension_parse(p, total) : DP_DROP_BAD_IP;

		if (rc != PKT_KEEP)
			return rc;
	}
	p->fragment = p->proto == IPPROTO_FRAGMENT;
	return PKT_KEEP;
}

int ip_header_parse(struct pkt *p)
{
	return p->version == 4 ? ipv4_parse(p) : ipv6_parse(p);
}

int ip_udp_check(const struct pkt *p, const struct rte_udp_hdr *udp, uint32_t len)
{
	int reason = ip_udp_length_check(udp, len);

	if (reason != PKT_KEEP)
		return reason;
	if (udp->dgram_cksum == 0) /* "none" is for IPv4 only (RFC 8200 8.1) */
		return p->version == 4 ? PKT_KEEP : DP_DROP_BAD_UDP;
	if (checksum_sum(p->ip, p->version, IPPROTO_UDP, udp, rte_be_to_cpu_16(udp->dgram_len)) !=
	    0xffff)
		return DP_DROP_BAD_UDP;
	return PKT_KEEP;
}

int ip_tcp_check(const struct rte_tcp_hdr *tcp, uint32_t len)
{
	uint32_t header;

	if (len < sizeof(*tcp))
		return DP_DROP_TRUNCATED;
	header = (tcp->data_off >> 4) * 4u;
	return header < sizeof(*tcp) || header > len ? DP_DROP_TRUNCATED : PKT_KEEP;
}

/* Words of the header are exchanged in its checksum: a sum over all would wait for the stores. */
static void ipv4_update(struct pkt *p, uint8_t proto, uint16_t total)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->ip;
	rte_be16_t length = rte_cpu_to_be_16(total);
	uint16_t sum = checksum_replace16(ip->hdr_checksum, ip->total_length, length);

	sum = checksum_replace16(sum, rte_cpu_to_be_16(ip->next_proto_id), rte_cpu_to_be_16(proto));
	ip->total_length = length;
	ip->next_proto_id = proto;
	ip->hdr_checksum = sum;
}

void ip_header_update(struct pkt *p, uint8_t proto, uint32_t payload_len)
{
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)p->ip;
	uint32_t total = p->ip_len + payload_len;

	p->proto = proto;
	if (p->version == 4) {
		ipv4_update(p, proto, (uint16_t)total);
		return;
	}
	p->ip[p->next_at] = proto;
	ip6->payload_len = rte_cpu_to_be_16((uint16_t)(total - sizeof(*ip6)));
}

void ip_source(const struct pkt *p, struct ip_addr *addr)
{
	ip_addr_set(addr, p->version, ip_source_octets(p));
}

void ip_destination(const struct pkt *p, struct ip_addr *addr)
{
	ip_addr_set(addr, p->version, ip_destination_octets(p));
}
