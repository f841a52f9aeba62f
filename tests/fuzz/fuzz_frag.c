/*
 * Fragments in any order and of any content: nothing is read beyond them, nothing leaks, and what
 * comes out is one whole packet. And any packet cut up comes together again as it was.
 *
 * Input: an octet that chooses; then pieces, each with a length of two octets before it, or an MTU
 * of two octets and a packet.
 */
#include <assert.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_mempool.h>

#include "dataplane/frag.h"

#define MAX_PIECES 64
#define MAX_LEN	   9000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mempool *pool, *large;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *args[] = {"fuzz",  "--no-huge",   "--no-pci", "--no-shconf",
			      "-m128", "--log-level", "error",	  "--no-telemetry"};

	(void)argc;
	(void)argv;
	if (rte_eal_init(RTE_DIM(args), (char **)(uintptr_t)args) < 0)
		exit(1);
	pool = rte_pktmbuf_pool_create("pool", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	large = rte_pktmbuf_pool_create("large", 63, 0, 0, MAX_LEN + RTE_PKTMBUF_HEADROOM, 0);
	return pool && large ? 0 : -1;
}

static struct frag *frag_make(void)
{
	const struct frag_conf conf = {.large = large, .max_flows = 16, .timeout_ms = 1000};
	struct frag *f = NULL;

	if (frag_alloc(&f, &conf, SOCKET_ID_ANY) != 0)
		abort();
	return f;
}

static void memory_free(void *memory, void *arg)
{
	(void)memory;
	free(arg);
}

/* Octets in memory of their own that ends with them, for the address checker. */
static struct rte_mbuf *exact(const uint8_t *data, uint16_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct {
		struct rte_mbuf_ext_shared_info info;
		uint8_t octets[];
	} *memory = malloc(sizeof(*memory) + n);

	assert(m && memory);
	memory->info.free_cb = memory_free;
	memory->info.fcb_opaque = memory;
	rte_mbuf_ext_refcnt_set(&memory->info, 1);
	memcpy(memory->octets, data, n);
	rte_pktmbuf_attach_extbuf(m, memory->octets, 0, n, &memory->info);
	m->data_len = n;
	m->pkt_len = n;
	return m;
}

static void whole_check(struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);

	assert(m->nb_segs == 1 && m->data_len == m->pkt_len && !frag_is_fragment(m));
	assert(rte_pktmbuf_headroom(m) >= RTE_PKTMBUF_HEADROOM);
	if (ip[0] >> 4 == 4)
		assert(((ip[2] << 8) | ip[3]) == (int)m->pkt_len &&
		       rte_raw_cksum(ip, (ip[0] & 15) * 4u) == 0xffff);
	else
		assert(((ip[4] << 8) | ip[5]) + 40 == (int)m->pkt_len);
	rte_pktmbuf_free(m);
}

static void pieces_try(const uint8_t *data, size_t size)
{
	struct frag *f = frag_make();
	uint64_t now = 1;

	for (unsigned i = 0; i < MAX_PIECES && size > 2; i++) {
		uint16_t n = (uint16_t)((data[0] << 8 | data[1]) & 0x7ff);
		struct rte_mbuf *m;

		data += 2;
		size -= 2;
		n = (uint16_t)RTE_MIN(n, size);
		m = frag_reassemble(f, exact(data, n), now);
		if (m)
			whole_check(m);
		data += n;
		size -= n;
		now += n & 1 ? rte_get_tsc_hz() / 4 : 1;
		if (n & 2)
			frag_expire(f, now);
	}
	frag_free(f);
}

/* Would a host make it, and frag_reassemble() take its pieces? */
static bool packet_is_sane(const uint8_t *ip, uint16_t n, uint16_t mtu)
{
	uint32_t header = ip[0] >> 4 == 4 ? (ip[0] & 15) * 4u : 48;

	if (mtu < header + 48 || (n - 40) / ((mtu - header) & ~7u) >= RTE_LIBRTE_IP_FRAG_MAX_FRAG)
		return false;
	if (ip[0] >> 4 == 4)
		return ((ip[2] << 8) | ip[3]) == n && (ip[6] & 0x3f) == 0 && ip[7] == 0;
	return ip[6] != IPPROTO_FRAGMENT;
}

static void split_try(uint16_t mtu, const uint8_t *data, uint16_t n)
{
	struct rte_mbuf *out[MAX_PIECES], *whole = NULL, *m = exact(data, n);
	unsigned pieces = frag_split(m, mtu, 7, pool, out, MAX_PIECES);
	bool sane = pieces && packet_is_sane(data, n, mtu);
	struct frag *f = frag_make();

	for (unsigned i = 0; i < pieces; i++) {
		assert(out[i]->pkt_len <= mtu);
		if (whole)
			rte_pktmbuf_free(out[i]);
		else
			whole = frag_reassemble(f, out[i], 1);
	}
	if (!pieces)
		rte_pktmbuf_free(m);
	if (sane) {
		const uint8_t *got;
		uint32_t header = data[0] >> 4 == 4 ? 20 : 40;

		assert(whole && whole->pkt_len == n);
		got = rte_pktmbuf_mtod(whole, const uint8_t *);
		assert(memcmp(got + header, data + header, n - header) == 0);
	}
	rte_pktmbuf_free(whole);
	frag_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4 || size > MAX_LEN)
		return 0;
	if (data[0] & 1)
		pieces_try(data + 1, size - 1);
	else
		split_try((uint16_t)((data[1] << 8 | data[2]) & 0xfff), data + 3,
			  (uint16_t)(size - 3));
	if (rte_mempool_in_use_count(pool) != 0 || rte_mempool_in_use_count(large) != 0)
		abort(); /* leak */
	return 0;
}
