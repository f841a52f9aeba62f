#include "dataplane/sa_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "dataplane.h"
#include "dataplane/owner.h"
#include "dataplane/slab.h"
#include "dataplane/tcp_lookup.h"

#define SETS_MAX  4194304u /* two slots each: 23 bits of an SPI */
#define SPI_TRIES 1000
#define NONE	  UINT32_MAX

enum set_state {
	SET_FREE,
	SET_RESERVED,
	SET_INSTALLED,
	SET_RECEIVING, /* without its outbound SAs */
	SET_REMOVED,   /* workers may still be reading it */
};

/* What only control knows of a set. */
struct set_control {
	sa_set_id id;
	uint32_t next; /* in the list it is on */
	int32_t tcp_position[SA_PAIRS];
	uint8_t state;
};

struct set_list {
	uint32_t head, tail;
};

struct sa_table {
	struct sa_view view;
	struct secret_words random;
	struct sa_transforms transforms;
	struct set_control *sets;
	struct tcp_lookup *tcp;
	struct rte_rcu_qsbr *qsbr;
	enum esp_backend backend;
	uint32_t n_sets;
	uint32_t spi_min, spi_max;
	uint16_t workers;
	unsigned in_use;
	struct set_list free;	 /* first in, first out: an SPI rests as long as possible */
	struct set_list removed; /* since the grace period began */
	struct set_list leaving; /* wait for it to end */
	uint64_t grace;
};

/* ---- lists of sets ------------------------------------------------------------------------ */

static bool list_empty(const struct set_list *l)
{
	return l->head == NONE;
}

static void list_append(struct sa_table *t, struct set_list *l, uint32_t i)
{
	t->sets[i].next = NONE;
	if (list_empty(l))
		l->head = i;
	else
		t->sets[l->tail].next = i;
	l->tail = i;
}

static uint32_t list_take(struct sa_table *t, struct set_list *l)
{
	uint32_t i = l->head;

	if (i != NONE)
		l->head = t->sets[i].next;
	return i;
}

/* Takes one out of the middle: walks the list, for sa_table_reserve_spi() only. */
static void list_extract(struct sa_table *t, struct set_list *l, uint32_t i)
{
	uint32_t at = l->head, before = NONE;

	while (at != i) {
		before = at;
		at = t->sets[at].next;
	}
	if (before == NONE)
		l->head = t->sets[i].next;
	else
		t->sets[before].next = t->sets[i].next;
	if (l->tail == i)
		l->tail = before;
}

/* ---- alloc -------------------------------------------------------------------------------- */

static uint32_t sets_round(uint32_t n)
{
	uint32_t sets = 1;

	while (sets < n)
		sets *= 2;
	return sets;
}

static size_t windows_octets(const struct sa_table *t)
{
	return (size_t)t->n_sets * SA_PAIRS * replay_octets(t->view.replay);
}

static bool windows_in_line(const struct sa_table *t)
{
	return replay_octets(t->view.replay) <= sizeof(((struct sa_in *)0)->window);
}

static int windows_alloc(struct sa_table *t)
{
	if (windows_in_line(t))
		return 0;
	t->view.windows = slab_alloc(windows_octets(t));
	t->view.window_words = replay_octets(t->view.replay) / sizeof(uint64_t);
	return t->view.windows ? 0 : -ENOMEM;
}

static int lines_alloc(struct sa_table *t)
{
	size_t n = t->n_sets;

	t->view.blocks = slab_alloc(n * sizeof(struct sa_block));
	t->view.tunnels = slab_alloc(n * sizeof(struct tunnel));
	t->sets = slab_alloc(n * sizeof(struct set_control));
	if (!t->view.blocks || !t->view.tunnels || !t->sets)
		return -ENOMEM;
	slab_protect(t->view.blocks, n * sizeof(struct sa_block));
	return windows_alloc(t);
}

static void lines_free(struct sa_table *t)
{
	size_t n = t->n_sets;

	slab_free(t->view.windows, windows_octets(t));
	slab_free(t->view.blocks, n * sizeof(struct sa_block));
	slab_free(t->view.tunnels, n * sizeof(struct tunnel));
	slab_free(t->sets, n * sizeof(struct set_control));
}

static void lists_init(struct sa_table *t)
{
	uint32_t i;

	t->free = t->removed = t->leaving = (struct set_list){NONE, NONE};
	for (i = 0; i < t->n_sets; i++) {
		t->sets[i].id = i;
		list_append(t, &t->free, i);
	}
}

static int spi_range_set(struct sa_table *t, const struct sa_table_conf *conf)
{
	uint64_t room = (uint64_t)t->n_sets * SA_PAIRS * DP_SPI_ROOM;

	t->spi_min = conf->spi_min > SA_SPI_MIN ? conf->spi_min : SA_SPI_MIN;
	t->spi_max = conf->spi_max ? conf->spi_max : UINT32_MAX;
	return (uint64_t)t->spi_min + room - 1 <= t->spi_max ? 0 : -EINVAL;
}

int sa_table_alloc(struct sa_table **tp, const struct sa_table_conf *conf)
{
	struct sa_table *t;
	int rc;

	if (conf->sets == 0 || conf->sets > SETS_MAX || conf->replay_window < REPLAY_WINDOW_MIN ||
	    conf->replay_window > REPLAY_WINDOW_MAX)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->n_sets = sets_round(conf->sets);
	t->workers = conf->workers;
	t->backend = conf->backend;
	t->qsbr = conf->qsbr;
	t->view.slot_mask = t->n_sets * SA_PAIRS - 1;
	t->view.pair_shift = rte_log2_u32(t->n_sets);
	t->view.replay = replay_size((conf->replay_window + 31u) & ~31u);
	sa_transforms_init(&t->transforms);
	rc = spi_range_set(t, conf);
	if (rc == 0)
		rc = lines_alloc(t);
	if (rc == 0)
		rc = tcp_lookup_alloc(&t->tcp, t->n_sets * SA_PAIRS);
	if (rc < 0) {
		sa_table_free(t);
		return rc;
	}
	lists_init(t);
	*tp = t;
	return 0;
}

void sa_table_free(struct sa_table *t)
{
	uint32_t i;

	if (!t)
		return;
	for (i = 0; t->view.blocks && t->sets && i < t->n_sets; i++)
		if (t->sets[i].state >= SET_INSTALLED)
			esp_key_wipe(sa_key_at(&t->view, i));
	tcp_lookup_free(t->tcp);
	lines_free(t);
	free(t);
}

const struct sa_view *sa_table_view(const struct sa_table *t)
{
	return &t->view;
}

const struct tcp_lookup *sa_table_tcp(const struct sa_table *t)
{
	return t->tcp;
}

unsigned sa_table_in_use(const struct sa_table *t)
{
	return t->in_use;
}

/* ---- names -------------------------------------------------------------------------------- */

static uint32_t index_of_id(const struct sa_table *t, sa_set_id id)
{
	return id & (t->n_sets - 1);
}

/* The set that id names, if it does in one of the states from..to. */
static struct set_control *set_of_id(const struct sa_table *t, sa_set_id id, uint8_t from,
				     uint8_t to)
{
	struct set_control *c = &t->sets[index_of_id(t, id)];

	return id != 0 && c->id == id && c->state >= from && c->state <= to ? c : NULL;
}

/* The part of an id above the index counts; it skips 0, so that no id is 0. */
static sa_set_id id_next(const struct sa_table *t, sa_set_id id)
{
	id += t->n_sets;
	return id < t->n_sets ? id + t->n_sets : id;
}

static bool spi_usable(uint32_t spi, uint32_t old, const uint32_t *avoid, unsigned n_avoid)
{
	unsigned i;

	if (spi == old)
		return false;
	for (i = 0; i < n_avoid; i++)
		if (avoid[i] == spi)
			return false;
	return true;
}

/*
 * A random SPI of our range for the slot, not the one it had last. The range holds DP_SPI_ROOM of
 * them or more. 0: cannot be had.
 */
static uint32_t spi_choose(struct sa_table *t, uint32_t slot, const uint32_t *avoid,
			   unsigned n_avoid)
{
	uint32_t old = sa_in_at(&t->view, slot)->spi, spi, mask = t->view.slot_mask;
	uint32_t low = sa_spi_of_slot(&t->view, slot);
	uint32_t least = t->spi_min + ((low - t->spi_min) & mask);
	uint32_t more = (t->spi_max - least) / (mask + 1); /* as many beside the least */
	unsigned tries;

	for (tries = 0; tries < SPI_TRIES; tries++) {
		spi = secret_word(&t->random);
		if (more < UINT32_MAX / (mask + 1) / 2) /* trying would take too long */
			spi = least + spi % (more + 1) * (mask + 1);
		else
			spi = (spi & ~mask) | low;
		if (spi >= least && spi <= t->spi_max && spi_usable(spi, old, avoid, n_avoid))
			return spi;
	}
	return 0;
}

/* ---- reserve ------------------------------------------------------------------------------ */

static void set_reserve(struct sa_table *t, uint32_t i, struct sa_set *set)
{
	struct set_control *c = &t->sets[i];
	unsigned pair;

	c->id = id_next(t, c->id);
	c->state = SET_RESERVED;
	c->tcp_position[SA_SERVER] = c->tcp_position[SA_CLIENT] = -1;
	t->in_use++;
	set->id = c->id;
	for (pair = 0; pair < SA_PAIRS; pair++)
		__atomic_store_n(&sa_in_at(&t->view, i * SA_PAIRS + pair)->spi, set->spi_in[pair],
				 __ATOMIC_RELAXED);
}

int sa_table_reserve(struct sa_table *t, const uint32_t *avoid, unsigned n_avoid,
		     struct sa_set *set)
{
	uint32_t i;
	unsigned pair;

	sa_table_reclaim(t);
	i = t->free.head;
	if (i == NONE)
		return -ENOSPC;
	for (pair = 0; pair < SA_PAIRS; pair++) {
		set->spi_in[pair] = spi_choose(t, i * SA_PAIRS + pair, avoid, n_avoid);
		if (set->spi_in[pair] == 0)
			return -ENOSPC;
	}
	list_take(t, &t->free);
	set_reserve(t, i, set);
	return 0;
}

int sa_table_reserve_spi(struct sa_table *t, uint32_t spi, struct sa_set *set)
{
	uint32_t slot = sa_slot_of_spi(&t->view, spi), i = slot / SA_PAIRS;

	if (spi < SA_SPI_MIN)
		return -EINVAL;
	sa_table_reclaim(t);
	if (t->sets[i].state != SET_FREE)
		return -EBUSY;
	list_extract(t, &t->free, i);
	memset(set->spi_in, 0, sizeof(set->spi_in));
	set->spi_in[slot % SA_PAIRS] = spi;
	set_reserve(t, i, set);
	return 0;
}

int sa_table_reserve_none(struct sa_table *t, struct sa_set *set)
{
	uint32_t i;

	sa_table_reclaim(t);
	i = list_take(t, &t->free);
	if (i == NONE)
		return -ENOSPC;
	memset(set->spi_in, 0, sizeof(set->spi_in));
	set_reserve(t, i, set);
	return 0;
}

/* ---- install ------------------------------------------------------------------------------ */

/* A pair may stay without SAs; of one keyed by hand, so may either direction. */
static bool set_has_pair(const struct sa_set *set, unsigned pair)
{
	return set->spi_in[pair] || (set->manual && set->spi_out[pair]);
}

static bool set_has_out(const struct sa_set *set, unsigned pair)
{
	return set_has_pair(set, pair) && set->spi_out[pair];
}

static bool set_pair_valid(const struct sa_table *t, const struct sa_set *set, unsigned pair)
{
	uint32_t slot = sa_slot_of_id(&t->view, set->id, pair);

	if (set->spi_in[pair] != sa_in_at(&t->view, slot)->spi)
		return false;
	if (!set_has_pair(set, pair))
		return true;
	return (set->spi_out[pair] >= SA_SPI_MIN || (set->manual && set->spi_out[pair] == 0)) &&
	       set->local_port[pair] && set->remote_port[pair];
}

/* The peer's address in the host's eyes. */
static const struct ip_addr *set_host_remote(const struct sa_set *set)
{
	if (set->mode == SA_MODE_TRANSPORT)
		return &set->remote;
	return set->tunnel.host_alias.version ? &set->tunnel.host_alias
					      : &set->tunnel.inner_remote[0];
}

static const struct ip_addr *set_host_local(const struct sa_set *set)
{
	return set->mode == SA_MODE_TRANSPORT ? &set->local : &set->tunnel.inner_local;
}

static bool set_tunnel_valid(const struct sa_tunnel *n)
{
	uint8_t v = n->inner_local.version;

	return (v == 4 || v == 6) && n->inner_remote[0].version == v &&
	       (n->inner_remote[1].version == 0 || n->inner_remote[1].version == v) &&
	       (n->host_alias.version == 0 || n->host_alias.version == v);
}

static int set_valid(const struct sa_table *t, const struct sa_set *set)
{
	bool v4 = set->local.version == 4 && set->remote.version == 4;
	bool v6 = set->local.version == 6 && set->remote.version == 6;
	const struct set_control *c = set_of_id(t, set->id, SET_RESERVED, SET_RECEIVING);

	if (!c)
		return -ESTALE;
	if (c->state != SET_RESERVED || !(v4 || v6) || !set_pair_valid(t, set, SA_SERVER) ||
	    !set_pair_valid(t, set, SA_CLIENT) || (unsigned)set->integ >= SA_INTEG_COUNT ||
	    (unsigned)set->encr >= SA_ENCR_COUNT || (unsigned)set->mode >= SA_MODE_COUNT)
		return -EINVAL;
	if (set->mode == SA_MODE_UDP_ENC_TUN && !set_tunnel_valid(&set->tunnel))
		return -EINVAL;
	return sa_transform_find(&t->transforms, set->mode, set->encr) ? 0 : -ENOTSUP;
}

static void set_tcp_key(const struct sa_table *t, uint32_t i, unsigned pair, struct tcp_key *key)
{
	const struct sa_shared *s = sa_shared_at(&t->view, i);
	const struct tunnel *n = &t->view.tunnels[i];
	bool tunnel = s->mode == SA_MODE_UDP_ENC_TUN;

	tcp_key_make(key, tunnel ? &n->inner_local : &s->local, tunnel ? &n->host : &s->remote,
		     s->local_port[pair], s->remote_port[pair]);
}

static void set_tcp_remove(struct sa_table *t, uint32_t i)
{
	struct tcp_key key;
	unsigned pair;

	for (pair = 0; pair < SA_PAIRS; pair++) {
		if (t->sets[i].tcp_position[pair] < 0)
			continue;
		set_tcp_key(t, i, pair, &key);
		tcp_lookup_remove(t->tcp, &key);
	}
}

static void set_tcp_release(struct sa_table *t, uint32_t i)
{
	unsigned pair;

	for (pair = 0; pair < SA_PAIRS; pair++)
		if (t->sets[i].tcp_position[pair] >= 0)
			tcp_lookup_release(t->tcp, t->sets[i].tcp_position[pair]);
}

static bool set_tcp_exists(struct sa_table *t, const struct sa_set *set)
{
	struct tcp_key key;
	unsigned pair;

	for (pair = 0; pair < SA_PAIRS; pair++) {
		tcp_key_make(&key, set_host_local(set), set_host_remote(set),
			     rte_cpu_to_be_16(set->local_port[pair]),
			     rte_cpu_to_be_16(set->remote_port[pair]));
		if (set_has_out(set, pair) && tcp_lookup_find(t->tcp, &key) >= 0)
			return true;
	}
	return false;
}

/* A worker that finds the entry before the set is live treats it as unknown. */
static int set_tcp_add(struct sa_table *t, uint32_t i)
{
	struct set_control *c = &t->sets[i];
	struct tcp_key key;
	unsigned pair;
	int rc = 0;

	for (pair = 0; rc >= 0 && pair < SA_PAIRS; pair++) {
		if (sa_out_at(&t->view, i * SA_PAIRS + pair)->spi == 0)
			continue;
		set_tcp_key(t, i, pair, &key);
		rc = tcp_lookup_add(t->tcp, &key, i * SA_PAIRS + pair);
		c->tcp_position[pair] = rc < 0 ? -1 : rc;
	}
	return rc < 0 ? rc : 0;
}

static void set_tunnel_write(struct tunnel *n, const struct sa_set *set)
{
	*n = (struct tunnel){
		.peer = set->remote,
		.peer_port = rte_cpu_to_be_16(set->tunnel.remote_port),
		.inner_local = set->tunnel.inner_local,
		.inner_remote = set->tunnel.inner_remote[0],
		.inner_other = set->tunnel.inner_remote[1],
		.host = *set_host_remote(set),
		.flags = TUNNEL_UNTOLD,
	};
	if (set->tunnel.follow)
		n->flags |= TUNNEL_FOLLOW;
}

static void set_lines_write(struct sa_table *t, uint32_t i, const struct sa_set *set)
{
	struct sa_shared *s = sa_shared_at(&t->view, i);
	unsigned pair;

	s->owner = owner_of(&set->remote, t->workers);
	s->transform = sa_transform_find(&t->transforms, set->mode, set->encr);
	s->mode = (uint8_t)set->mode;
	s->flags = (set->manual ? SA_FLAG_MANUAL : 0) |
		   (set->manual && set->no_anti_replay ? SA_FLAG_NO_ANTI_REPLAY : 0);
	s->local = set->local;
	s->remote = set->remote;
	if (set->mode == SA_MODE_UDP_ENC_TUN)
		set_tunnel_write(&t->view.tunnels[i], set);
	for (pair = 0; pair < SA_PAIRS; pair++) {
		uint32_t slot = i * SA_PAIRS + pair;

		s->local_port[pair] = rte_cpu_to_be_16(set->local_port[pair]);
		s->remote_port[pair] = rte_cpu_to_be_16(set->remote_port[pair]);
		*sa_in_at(&t->view, slot) = (struct sa_in){.spi = set->spi_in[pair]};
		memset(sa_window(&t->view, slot), 0, replay_octets(t->view.replay));
		*sa_out_at(&t->view, slot) =
			(struct sa_out){.spi = rte_cpu_to_be_32(set->spi_out[pair])};
		if (!set_has_pair(set, pair))
			sa_out_at(&t->view, slot)->spi = 0;
	}
}

int sa_table_install(struct sa_table *t, const struct sa_set *set)
{
	uint32_t i = index_of_id(t, set->id);
	int rc = set_valid(t, set);

	if (rc < 0)
		return rc;
	if (set_tcp_exists(t, set))
		return -EEXIST;
	rc = esp_key_expand(sa_key_at(&t->view, i), t->backend, set->integ, set->encr, &set->keys);
	if (rc < 0)
		return rc;
	set_lines_write(t, i, set);
	t->sets[i].state = SET_INSTALLED;
	rc = set_tcp_add(t, i);
	if (rc < 0) { /* its entries may have been seen: it leaves like one that was live */
		sa_table_remove(t, set->id);
		return rc;
	}
	atomic_store_explicit(&sa_shared_at(&t->view, i)->live, set->id, memory_order_release);
	return 0;
}

/* ---- remove ------------------------------------------------------------------------------- */

void sa_table_remove_outbound(struct sa_table *t, sa_set_id id)
{
	struct set_control *c = set_of_id(t, id, SET_INSTALLED, SET_INSTALLED);
	uint32_t i = index_of_id(t, id);
	unsigned pair;

	if (!c)
		return;
	for (pair = 0; pair < SA_PAIRS; pair++)
		__atomic_store_n(&sa_out_at(&t->view, i * SA_PAIRS + pair)->closed, 1,
				 __ATOMIC_RELAXED);
	set_tcp_remove(t, i); /* the positions are released with the rest of the set */
	c->state = SET_RECEIVING;
}

void sa_table_remove(struct sa_table *t, sa_set_id id)
{
	struct set_control *c = set_of_id(t, id, SET_RESERVED, SET_RECEIVING);
	uint32_t i = index_of_id(t, id);

	if (!c)
		return;
	t->in_use--;
	if (c->state == SET_RESERVED) { /* no worker ever saw it */
		c->state = SET_FREE;
		list_append(t, &t->free, i);
		return;
	}
	atomic_store_explicit(&sa_shared_at(&t->view, i)->live, 0, memory_order_seq_cst);
	if (c->state == SET_INSTALLED)
		set_tcp_remove(t, i);
	c->state = SET_REMOVED;
	list_append(t, &t->removed, i);
	sa_table_reclaim(t);
}

static void set_reclaim(struct sa_table *t, uint32_t i)
{
	set_tcp_release(t, i);
	esp_key_wipe(sa_key_at(&t->view, i));
	t->sets[i].state = SET_FREE;
	list_append(t, &t->free, i);
}

/* Removals are collected while a grace period runs, and share the next one. */
void sa_table_reclaim(struct sa_table *t)
{
	uint32_t i;

	if (!list_empty(&t->leaving) && rte_rcu_qsbr_check(t->qsbr, t->grace, false) == 1)
		while ((i = list_take(t, &t->leaving)) != NONE)
			set_reclaim(t, i);
	if (list_empty(&t->leaving) && !list_empty(&t->removed)) {
		t->leaving = t->removed;
		t->removed = (struct set_list){NONE, NONE};
		t->grace = rte_rcu_qsbr_start(t->qsbr);
	}
}

/* ---- counters ----------------------------------------------------------------------------- */

int sa_table_counters(const struct sa_table *t, sa_set_id id, enum sa_pair pair, bool inbound,
		      struct dp_sa_counters *c)
{
	uint32_t slot = sa_slot_of_id(&t->view, id, pair);
	const struct sa_in *in = sa_in_at(&t->view, slot);
	const struct sa_out *out = sa_out_at(&t->view, slot);

	if ((unsigned)pair >= SA_PAIRS ||
	    !set_of_id(t, id, SET_INSTALLED, inbound ? SET_RECEIVING : SET_INSTALLED))
		return -ENOENT;
	c->packets = __atomic_load_n(inbound ? &in->packets : &out->packets, __ATOMIC_RELAXED);
	c->bytes = __atomic_load_n(inbound ? &in->bytes : &out->bytes, __ATOMIC_RELAXED);
	c->seq = __atomic_load_n(inbound ? &in->top : &out->seq, __ATOMIC_RELAXED);
	return 0;
}
