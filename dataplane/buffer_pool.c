#include "dataplane/buffer_pool.h"

#include <rte_eal.h>
#include <rte_mempool.h>

/* Without huge pages there is no device that asks where a buffer's pages are. */
static unsigned pool_flags(void)
{
	return rte_eal_has_hugepages() ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
}

struct rte_mempool *buffer_pool_alloc(const char *name, unsigned n, unsigned cache, uint16_t room)
{
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = room};
	struct rte_mempool *pool =
		rte_mempool_create_empty(name, n, (unsigned)sizeof(struct rte_mbuf) + room, cache,
					 sizeof(private), SOCKET_ID_ANY, pool_flags());

	if (!pool)
		return NULL;
	rte_pktmbuf_pool_init(pool, &private);
	if (rte_mempool_populate_default(pool) < 0) {
		rte_mempool_free(pool);
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}
