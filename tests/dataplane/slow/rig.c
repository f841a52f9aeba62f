#include "tests/dataplane/slow/rig.h"

#include <rte_eal.h>
#include <rte_hexdump.h>
#include <rte_mempool.h>

int rig_start(void **state)
{
	const char *args[] = {"test",  "--no-huge",   "--no-pci", "--no-shconf",
			      "-m256", "--log-level", "error",	  "--no-telemetry"};
	struct rig *r = calloc(1, sizeof(*r));

	if (!r || rte_eal_init(RTE_DIM(args), (char **)(uintptr_t)args) < 0)
		return -1;
	r->pool = rte_pktmbuf_pool_create("pool", 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	r->large = rte_pktmbuf_pool_create("large", 31, 0, 0, 10000 + RTE_PKTMBUF_HEADROOM, 0);
	r->tiny = rte_pktmbuf_pool_create("tiny", 2, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (posix_memalign((void **)&r->qsbr, RTE_CACHE_LINE_SIZE, rte_rcu_qsbr_get_memsize(4)) !=
	    0)
		return -1;
	*state = r;
	return r->pool && r->large && r->tiny ? rte_rcu_qsbr_init(r->qsbr, 4) : -1;
}

int rig_stop(void **state)
{
	struct rig *r = *state;

	if (!r)
		return -1;
	rte_mempool_free(r->pool);
	rte_mempool_free(r->large);
	rte_mempool_free(r->tiny);
	free(r->qsbr);
	free(r);
	rte_eal_cleanup();
	return 0;
}

struct rte_mbuf *rig_mbuf(struct rte_mempool *pool, const void *data, size_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	char *to;

	assert_non_null(m);
	to = rte_pktmbuf_append(m, (uint16_t)n);
	assert_non_null(to);
	memcpy(to, data, n);
	return m;
}

bool rig_holds(struct rte_mbuf *m, const void *data, size_t n)
{
	bool same;

	assert_non_null(m);
	same = m->nb_segs == 1 && m->pkt_len == m->data_len && m->data_len == n &&
	       memcmp(rte_pktmbuf_mtod(m, void *), data, n) == 0;
	if (!same) {
		rte_hexdump(stderr, "got", rte_pktmbuf_mtod(m, void *), m->data_len);
		rte_hexdump(stderr, "expected", data, (unsigned)n);
	}
	rte_pktmbuf_free(m);
	return same;
}

unsigned rig_in_use(const struct rig *r)
{
	return rte_mempool_in_use_count(r->pool) + rte_mempool_in_use_count(r->large) +
	       rte_mempool_in_use_count(r->tiny);
}

struct ip_addr rig_addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(&a, text), 0);
	return a;
}

struct ip_prefix rig_prefix(const char *text, unsigned len)
{
	return (struct ip_prefix){rig_addr(text), (uint8_t)len};
}
