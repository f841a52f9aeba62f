#include "dataplane/icmp_too_big.h"

#include <netinet/in.h>

#include <rte_icmp.h>
#include <rte_ip.h>

#include "dataplane/checksum.h"
#include "dataplane/worker.h"

#define QUOTED	       256 /* octets of the packet: all headers there can be */
#define TTL	       64
#define IPV6_VERSION   0x60000000u
#define ICMPV4_UNREACH 3
#define ICMPV4_FRAG    4
#define ICMPV6_TOO_BIG 2

/* ICMP of both versions: type, code, checksum, and the MTU at the end of the next 32 bits. */
struct icmp_mtu {
	uint8_t type, code;
	uint16_t checksum;
	rte_be32_t mtu;
};

/* From the address that the packet was for: the host routes that back to us, so it believes it. */
static void ipv4_write(uint8_t *at, const uint8_t *about, uint32_t payload)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + payload)),
		.time_to_live = TTL,
		.next_proto_id = IPPROTO_ICMP,
	};
	memcpy(&ip->src_addr, about + 16, 4);
	memcpy(&ip->dst_addr, about + 12, 4);
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, sizeof(*ip));
}

static void ipv6_write(uint8_t *at, const uint8_t *about, uint32_t payload)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;

	ip->vtc_flow = rte_cpu_to_be_32(IPV6_VERSION);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)payload);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = TTL;
	memcpy(ip->src_addr, about + 24, 16);
	memcpy(ip->dst_addr, about + 8, 16);
}

static void packet_write(uint8_t *at, const struct pkt *p, uint32_t quoted, uint16_t mtu)
{
	bool v4 = p->version == 4;
	uint32_t payload = (uint32_t)sizeof(struct icmp_mtu) + quoted;
	uint32_t header = v4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	struct icmp_mtu *icmp = (struct icmp_mtu *)(at + header);

	*icmp = (struct icmp_mtu){.type = v4 ? ICMPV4_UNREACH : ICMPV6_TOO_BIG,
				  .code = v4 ? ICMPV4_FRAG : 0,
				  .mtu = rte_cpu_to_be_32(mtu)};
	memcpy(icmp + 1, p->ip, quoted);
	if (v4) {
		ipv4_write(at, p->ip, payload);
		icmp->checksum = (uint16_t)~rte_raw_cksum(icmp, payload);
	} else {
		ipv6_write(at, p->ip, payload);
		icmp->checksum = checksum_make(at, 6, IPPROTO_ICMPV6, icmp, payload);
	}
}

void icmp_too_big_send(struct worker *w, const struct pkt *p, uint16_t mtu)
{
	uint32_t quoted = RTE_MIN((uint32_t)p->ip_len + pkt_payload_len(p), (uint32_t)QUOTED);
	uint32_t header =
		p->version == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->env->pool);
	uint8_t *at = m ? (uint8_t *)rte_pktmbuf_append(
				  m, (uint16_t)(header + sizeof(struct icmp_mtu) + quoted))
			: NULL;

	if (!at) {
		rte_pktmbuf_free(m);
		return; /* the host will send it once more */
	}
	packet_write(at, p, quoted, mtu);
	tx_host_header(w, m);
	tx_host_raw(w, m);
	w->c.too_big_told++;
}
