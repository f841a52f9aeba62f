/*
 * Any frame to the stand-alone responder: it reads and writes within the frame, answers only in its
 * own name and to one host, and what it says of others is sane.
 *
 * Input: an octet (how much room is behind the frame; 0x20: correct its checksums), the frame.
 */
#include <assert.h>
#include <stdlib.h>

#include "dataplane/icmp6.h"
#include "dataplane/responder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rte_ether_addr us = {{2, 0, 0, 0, 0, 0xaa}};

static void responder_make(struct responder *r)
{
	*r = (struct responder){.mac = us, .n_local = 2};
	ip_addr_parse(&r->gateway[0], "10.1.0.1");
	ip_addr_parse(&r->local[0].addr, "10.1.0.0");
	ip_addr_parse(&r->local[1].addr, "2001:db8:1::");
	r->local[0].len = 16;
	r->local[1].len = 64;
}

static void answer_check(const struct rte_mbuf *m, size_t asked)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

	assert(m->data_len == m->pkt_len && m->nb_segs == 1);
	assert(m->data_len <= asked + sizeof(struct nd_mac_opt));
	assert(rte_is_same_ether_addr(&eth->src_addr, &us));
	assert(!rte_is_same_ether_addr(&eth->dst_addr, &us));
	/* to all: only the answer in duplicate address detection */
	if (rte_is_multicast_ether_addr(&eth->dst_addr))
		assert(eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
		       eth->dst_addr.addr_bytes[0] == 0x33);
}

static void claim_check(const struct responder *r, const struct neighbour_claim *c)
{
	assert(c->addr.version == 4 || c->addr.version == 6);
	assert(rte_is_unicast_ether_addr(&c->mac) && !rte_is_zero_ether_addr(&c->mac));
	assert(!ip_prefix_holds(&r->local[0], &c->addr) || ip_addr_eq(&c->addr, &r->gateway[0]));
	assert(!ip_prefix_holds(&r->local[1], &c->addr));
}

/* So that the fuzzer gets past them. */
static void checksums_correct(struct rte_mbuf *m)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, sizeof(struct rte_ether_hdr));
	size_t left = m->data_len < 14 ? 0 : m->data_len - 14u;

	if (left >= 28 && ip[0] == RTE_IPV4_VHL_DEF) {
		size_t total = (size_t)(ip[2] << 8 | ip[3]);

		memset(ip + 10, 0, 2);
		*(unaligned_uint16_t *)(ip + 10) = (uint16_t)~rte_raw_cksum(ip, 20);
		memset(ip + 22, 0, 2);
		if (total > 20 && total <= left)
			*(unaligned_uint16_t *)(ip + 22) =
				(uint16_t)~rte_raw_cksum(ip + 20, total - 20);
	} else if (left >= 44 && ip[0] >> 4 == 6 && (size_t)(ip[4] << 8 | ip[5]) + 40 <= left) {
		icmp6_checksum_set((void *)ip, (void *)(ip + 40));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct neighbour_claim claim;
	struct responder r;
	struct rte_mbuf m = {.nb_segs = 1, .refcnt = 1};
	size_t room;

	if (size < 1 || size > 2001)
		return 0;
	responder_make(&r);
	room = data[0] & 31; /* behind the frame, which begins with the second octet */
	m.buf_len = (uint16_t)(size - 1 + room);
	m.buf_addr = malloc(m.buf_len + 1u);
	m.data_len = (uint16_t)(size - 1);
	m.pkt_len = m.data_len;
	memcpy(m.buf_addr, data + 1, size - 1);
	if (data[0] & 0x20)
		checksums_correct(&m);
	switch (responder_take(&r, &m, &claim)) {
	case RESPONDER_ANSWERED:
		answer_check(&m, size - 1);
		break;
	case RESPONDER_CLAIMED:
		claim_check(&r, &claim);
		break;
	case RESPONDER_IGNORED:
		break;
	}
	free(m.buf_addr);
	return 0;
}
