/* What the tests of the slow path and of fragments share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>

#include "ip.h"

struct bytes {
	const uint8_t *p;
	size_t n;
};

#define BYTES(a)                                                                                   \
	{                                                                                          \
		(a), sizeof(a)                                                                     \
	}

/* Group set-up and tear-down: EAL without root and huge pages, a pool. */
int rig_start(void **state);
int rig_stop(void **state);

struct rig {
	struct rte_mempool *pool;  /* of usual size */
	struct rte_mempool *large; /* data room for 10,000 octets */
	struct rte_mempool *tiny;  /* two buffers */
	struct rte_rcu_qsbr *qsbr; /* without threads */
};

struct rte_mbuf *rig_mbuf(struct rte_mempool *pool, const void *data, size_t n);

/* Same octets? Prints both if not. Frees m. */
bool rig_holds(struct rte_mbuf *m, const void *data, size_t n);

/* Buffers taken from the pool. */
unsigned rig_in_use(const struct rig *r);

struct ip_addr rig_addr(const char *text);
struct ip_prefix rig_prefix(const char *text, unsigned len);
