/* Pools of packet buffers. */
#pragma once

#include <rte_mbuf.h>

/*
 * As rte_pktmbuf_pool_create() without private area, on any socket; room: octets for data,
 * headroom included. Without huge pages DPDK would put each buffer at the start of a page of its
 * own, and all of them would fight for the same few sets of the first-level cache; here they lie
 * side by side. NULL when out of memory.
 */
struct rte_mempool *buffer_pool_alloc(const char *name, unsigned n, unsigned cache, uint16_t room);
