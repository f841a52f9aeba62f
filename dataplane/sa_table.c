#include "dataplane/sa_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/sa_table_control.h"
#include "dataplane/slab.h"
#include "dataplane/tcp_lookup.h"

#define SETS_MAX 4194304u /* two slots each: 23 bits of an SPI */

/* ---- alloc -------------------------------------------------------------------------------- */

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

	t->free = t->removed = t->leaving = (struct set_list){SA_NONE, SA_NONE};
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
	t->n_sets = dp_sa_sets_round(conf->sets);
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

bool sa_table_sends(const struct sa_table *t, sa_set_id id)
{
	return set_of_id(t, id, SET_INSTALLED, SET_INSTALLED) != NULL;
}

unsigned sa_table_in_use(const struct sa_table *t)
{
	return t->in_use;
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
