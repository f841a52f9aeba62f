#include "dataplane/udp.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/ip_header.h"
#include "dataplane/worker.h"

#define UDP_TTL	     64
#define IPV6_VERSION 0x60000000u

/* Addresses and ports of the datagram, as they go into it. */
struct udp_path {
	const struct ip_addr *local, *remote;
	rte_be16_t local_port, remote_port;
};

static void ipv4_write(struct worker *w, uint8_t *at, const struct udp_path *path, uint16_t len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;

	rte_be32_t src = checksum_load32(path->local->b), dst = checksum_load32(path->remote->b);
	/* May be fragmented, by us or on the way: needs an identification of its own. */
	rte_be16_t id = rte_cpu_to_be_16(w->ip_id++);
	rte_be16_t total = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + len));
	uint64_t sum = rte_cpu_to_be_16(RTE_IPV4_VHL_DEF << 8) + (uint64_t)total + id +
		       rte_cpu_to_be_16(UDP_TTL << 8 | IPPROTO_UDP) + src + dst;

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = total,
		.packet_id = id,
		.time_to_live = UDP_TTL,
		.next_proto_id = IPPROTO_UDP,
		.hdr_checksum = (uint16_t)~checksum_fold(sum),
		.src_addr = src,
		.dst_addr = dst,
	};
}

static void ipv6_write(uint8_t *at, const struct udp_path *path, uint16_t len)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;

	ip->vtc_flow = rte_cpu_to_be_32(IPV6_VERSION);
	ip->payload_len = rte_cpu_to_be_16(len);
	ip->proto = IPPROTO_UDP;
	ip->hop_limits = UDP_TTL;
	memcpy(ip->src_addr, path->local->b, 16);
	memcpy(ip->dst_addr, path->remote->b, 16);
}

/* Pseudo header (RFC 768, RFC 8200 8.1) and UDP header, from what goes into them rather than from
 * memory, where it has just been written; the payload's sum came with the payload. */
static uint64_t udp_sum(const struct pkt *p, const struct udp_path *path, rte_be16_t len)
{
	uint64_t sum = p->payload_sum + rte_cpu_to_be_16(IPPROTO_UDP) + 2u * (uint64_t)len +
		       path->local_port + path->remote_port;
	unsigned i, octets = p->version == 4 ? 4 : 16;

	for (i = 0; i < octets; i += 4)
		sum += (uint64_t)checksum_load32(path->local->b + i) +
		       checksum_load32(path->remote->b + i);
	return sum;
}

static void udp_write(struct pkt *p, const struct udp_path *path)
{
	rte_be16_t len = rte_cpu_to_be_16(p->l4_len);

	*(struct rte_udp_hdr *)p->l4 = (struct rte_udp_hdr){
		.src_port = path->local_port,
		.dst_port = path->remote_port,
		.dgram_len = len,
		.dgram_cksum = checksum_field(udp_sum(p, path, len)),
	};
}

/* UDP and IP header; gap octets are left between them. */
static int udp_build(struct worker *w, struct pkt *p, const struct udp_path *path, uint8_t gap)
{
	bool v4 = path->remote->version == 4;
	uint16_t ip_len = v4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint16_t headers = (uint16_t)(ip_len + gap + sizeof(struct rte_udp_hdr));
	uint32_t payload = rte_pktmbuf_data_len(p->m);

	if (headers + payload > UINT16_MAX)
		return DP_DROP_TOO_BIG;
	p->ip = (uint8_t *)rte_pktmbuf_prepend(p->m, headers);
	if (!p->ip)
		return DP_DROP_NO_BUFFER;
	p->version = v4 ? 4 : 6;
	p->proto = IPPROTO_UDP;
	p->ip_len = ip_len;
	p->next_at = v4 ? offsetof(struct rte_ipv4_hdr, next_proto_id)
			: offsetof(struct rte_ipv6_hdr, proto);
	p->l4 = p->ip + ip_len + gap;
	p->l4_len = (uint16_t)(sizeof(struct rte_udp_hdr) + payload);
	if (v4)
		ipv4_write(w, p->ip, path, p->l4_len);
	else
		ipv6_write(p->ip, path, p->l4_len);
	udp_write(p, path);
	return PKT_KEEP;
}

int udp_build_clear(struct worker *w, struct pkt *p, const struct ip_endpoint *local,
		    const struct ip_endpoint *remote)
{
	struct udp_path path = {
		.local = &local->addr,
		.remote = &remote->addr,
		.local_port = rte_cpu_to_be_16(local->port),
		.remote_port = rte_cpu_to_be_16(remote->port),
	};

	return udp_build(w, p, &path, 0);
}

int udp_build_secured(struct worker *w, struct pkt *p)
{
	const struct sa_shared *set = p->set;
	const struct tunnel *n = &w->env->sa.tunnels[p->slot / SA_PAIRS];
	bool tunnel = set->mode == SA_MODE_UDP_ENC_TUN;
	unsigned pair = p->slot % SA_PAIRS;
	struct udp_path path = {
		.local = tunnel ? &n->inner_local : &set->local,
		.remote = tunnel ? &n->inner_remote : &set->remote,
		.local_port = set->local_port[pair],
		.remote_port = set->remote_port[pair],
	};

	return udp_build(w, p, &path, set->transform->gap);
}
