/* Frames that a port hands out in several buffers. */
#pragma once

#include <rte_mbuf.h>

struct worker;

/*
 * The frame in one buffer: the first of its own if there is room, else a large one. The old is
 * freed, or NULL is returned and it is still the caller's.
 */
struct rte_mbuf *segments_join(struct worker *w, struct rte_mbuf *m);
