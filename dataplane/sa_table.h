/*
 * The SAs. Our SPI is the index of the inbound SA: its low bits are the set, the next one the pair,
 * the rest is random (design 3.3), so looking one up is one array read and one compare. (The set
 * comes first so that SPIs in a row, as people choose them by hand, fall into sets of their own.)
 *
 * A set has one index i, and two slots, 2i + pair. Each SA has a line of 64 octets of its own
 * per slot and direction; what the four share and no worker writes is in one more line per set, and
 * behind them are their keys.
 *
 * Control writes, workers read. `live` of the shared line is what publishes: it is stored last
 * (with release) at install, and first at removal. All else of a set changes only while no worker
 * can hold a pointer to it: after removal its index waits until every worker has passed a quiescent
 * state. Sequence numbers and windows belong to the one worker that owns the set.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_ip.h>
#include <rte_prefetch.h>
#include <rte_rcu_qsbr.h>

#include "crypto/esp.h"
#include "dataplane.h"
#include "dataplane/replay.h"
#include "dataplane/sa_transform.h"
#include "dataplane/slowpath.h"
#include "dataplane/tunnel.h"
#include "sa.h"

struct sa_in {
	uint32_t spi; /* 0: none */
	uint32_t top; /* highest sequence number accepted */
	uint64_t packets, bytes;
	uint64_t window[5]; /* small windows; large ones are in a slab of their own */
} __rte_aligned(64);

/* sa_shared.flags */
#define SA_FLAG_MANUAL	       1 /* keyed by hand: all of it is the host's */
#define SA_FLAG_NO_ANTI_REPLAY 2

/* What control has already been told about an outbound SA */
#define SA_TOLD_SN_NEAR_END 1
#define SA_TOLD_SN_END	    2

struct sa_out {
	uint32_t spi; /* network order; 0: none */
	uint32_t seq; /* last sent */
	uint64_t packets, bytes;
	struct next_hop_cache hop;
	uint64_t pmtu_until; /* TSC */
	uint16_t pmtu;	     /* path MTU that ICMP told us; 0: none, the port's */
	uint8_t told;
	uint8_t closed; /* control's: sends no more, though the set still receives */
} __rte_aligned(64);

struct sa_shared {
	_Atomic sa_set_id live; /* 0: not usable */
	uint16_t owner;		/* worker of all packets of this set */
	uint8_t mode;		/* enum sa_mode */
	uint8_t flags;		/* SA_FLAG_* */
	const struct sa_transform *transform;
	struct ip_addr local, remote;
	rte_be16_t local_port[SA_PAIRS], remote_port[SA_PAIRS];
} __rte_aligned(64);

_Static_assert(sizeof(struct sa_in) == 64, "one cache line");
_Static_assert(sizeof(struct sa_out) == 64, "one cache line");
_Static_assert(sizeof(struct sa_shared) == 64, "one cache line");

/*
 * All of a set in one place: a packet of one among millions then needs one entry of the TLB, and
 * 768 octets are no power of two, so the sets' lines spread over the cache.
 */
struct sa_block {
	struct sa_shared shared;
	struct sa_out out[SA_PAIRS];
	struct sa_in in[SA_PAIRS];
	struct esp_key key;
};

_Static_assert(sizeof(struct sa_block) == 768, "no gaps");

/* The part of the table that workers read. */
struct sa_view {
	struct sa_block *blocks; /* by index */
	struct tunnel *tunnels;	 /* by index; memory is used only for sets in that mode */
	uint64_t *windows;	 /* by slot, window_words apart; NULL: in the SAs' own lines */
	uint32_t window_words;
	uint32_t slot_mask;
	uint32_t pair_shift; /* the bit of an SPI that names the pair */
	struct replay_size replay;
};

static inline uint32_t sa_slot_of_spi(const struct sa_view *v, uint32_t spi)
{
	return (spi << 1 & (v->slot_mask - 1)) | (spi >> v->pair_shift & 1);
}

/* The low bits of the SPIs of a slot */
static inline uint32_t sa_spi_of_slot(const struct sa_view *v, uint32_t slot)
{
	return slot >> 1 | (slot & 1) << v->pair_shift;
}

static inline uint32_t sa_slot_of_id(const struct sa_view *v, sa_set_id id, unsigned pair)
{
	return (id << 1 | pair) & v->slot_mask;
}

static inline struct sa_in *sa_in_at(const struct sa_view *v, uint32_t slot)
{
	return &v->blocks[slot / SA_PAIRS].in[slot % SA_PAIRS];
}

static inline struct sa_out *sa_out_at(const struct sa_view *v, uint32_t slot)
{
	return &v->blocks[slot / SA_PAIRS].out[slot % SA_PAIRS];
}

static inline struct sa_shared *sa_shared_at(const struct sa_view *v, uint32_t index)
{
	return &v->blocks[index].shared;
}

static inline struct esp_key *sa_key_at(const struct sa_view *v, uint32_t index)
{
	return &v->blocks[index].key;
}

/* The keys and outbound SAs of a set whose shared line is at hand */
static inline struct sa_block *sa_block_of(struct sa_shared *s)
{
	return (struct sa_block *)s;
}

_Static_assert(offsetof(struct sa_block, shared) == 0, "first in its block");

static inline uint64_t *sa_window(const struct sa_view *v, uint32_t slot)
{
	return v->windows ? v->windows + (size_t)slot * v->window_words : sa_in_at(v, slot)->window;
}

/* The id of a usable set, 0 of any other. Everything else of the set may be read after it. */
static inline sa_set_id sa_live(const struct sa_shared *s)
{
	return atomic_load_explicit(&s->live, memory_order_acquire);
}

static inline void sa_prefetch_key(const struct esp_key *key, const struct esp_key_lines *lines)
{
	const uint8_t *at = key->opaque + lines->from * 64;
	unsigned i;

	rte_prefetch0(key->opaque);
	for (i = 0; i < lines->n; i++)
		rte_prefetch0(at + i * 64);
}

/*
 * Outbound, a turn ahead, into the second level, when nobody knows the set's algorithms yet: the
 * lines of AES-CBC, which nearly all have. From memory they take longer than all that happens
 * between sa_prefetch_key() and the engine. (Inbound it did not pay: docs/performance.md.)
 */
static inline void sa_prefetch_key_early(const struct esp_key *key)
{
	for (unsigned line = 0; line < 4; line++)
		rte_prefetch1(key->opaque + line * 64);
}

static inline void sa_prefetch_key_aes(const struct esp_key *key)
{
	for (unsigned line = 0; line < 4; line++)
		rte_prefetch0(key->opaque + line * 64);
}

/* ---- control's side ----------------------------------------------------------------------- */

struct sa_table;

struct sa_table_conf {
	uint32_t sets;
	uint16_t replay_window;
	uint16_t workers;
	uint32_t spi_min, spi_max; /* of our SPIs; 0, 0: all from SA_SPI_MIN on */
	enum esp_backend backend;
	struct rte_rcu_qsbr *qsbr;
};

int sa_table_alloc(struct sa_table **tp, const struct sa_table_conf *conf);
/* No worker runs any more. */
void sa_table_free(struct sa_table *t);
const struct sa_view *sa_table_view(const struct sa_table *t);

/* As dp_sa_reserve() and so on. */
int sa_table_reserve(struct sa_table *t, const uint32_t *avoid, unsigned n_avoid,
		     struct sa_set *set);
int sa_table_install(struct sa_table *t, const struct sa_set *set);
void sa_table_remove(struct sa_table *t, sa_set_id id);
void sa_table_remove_outbound(struct sa_table *t, sa_set_id id);
int sa_table_counters(const struct sa_table *t, sa_set_id id, enum sa_pair pair, bool inbound,
		      struct dp_sa_counters *c);
/* Has the set outbound SAs? */
bool sa_table_sends(const struct sa_table *t, sa_set_id id);
unsigned sa_table_in_use(const struct sa_table *t);

/*
 * Reserves the set that an SPI chosen by somebody else falls into: SPI and id are set, and the
 * other pair has SPI 0 and stays without SAs. -EBUSY if that place is taken.
 */
int sa_table_reserve_spi(struct sa_table *t, uint32_t spi, struct sa_set *set);
/* Any set, both of its inbound SPIs 0. */
int sa_table_reserve_none(struct sa_table *t, struct sa_set *set);

/* Wipes and gives back what was removed and can no longer be in use. */
void sa_table_reclaim(struct sa_table *t);

struct tcp_lookup;
const struct tcp_lookup *sa_table_tcp(const struct sa_table *t);
