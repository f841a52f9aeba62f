/* The SAs of one end: no crypto, but what may arrive is as ESP would have it. */
#include <errno.h>
#include <stdlib.h>

#include "tests/control/flow/conn.h"
#include "tests/control/flow/path.h"
#include "tests/control/flow/sas.h"

/* The id finds the place, and so does an SPI; neither comes again. */
struct net_sa *sas_find(struct net_end *e, sa_set_id id)
{
	struct net_sa *sa = &e->sas[id % e->places];

	return sa->reserved && sa->set.id == id ? sa : NULL;
}

struct net_sa *sas_of_spi(struct net_end *e, uint32_t spi)
{
	return spi < SA_SPI_MIN ? NULL : sas_find(e, (spi - SA_SPI_MIN) / SA_PAIRS);
}

static bool spi_avoided(uint32_t spi, const uint32_t *avoid, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (avoid[i] == spi)
			return true;
	return false;
}

int sas_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	struct net_end *e = ctx;

	for (unsigned tries = 0; tries < 2 * e->places; tries++) {
		sa_set_id id = ++e->last_id;
		uint32_t spi = SA_SPI_MIN + id * SA_PAIRS;
		struct net_sa *sa = &e->sas[id % e->places];

		if (sa->reserved || spi_avoided(spi, avoid, n) || spi_avoided(spi + 1, avoid, n))
			continue;
		set->id = id;
		set->spi_in[SA_SERVER] = spi;
		set->spi_in[SA_CLIENT] = spi + 1;
		*sa = (struct net_sa){.reserved = true, .set = *set};
		e->in_use++;
		return 0;
	}
	return -ENOSPC;
}

int sas_install(void *ctx, const struct sa_set *set)
{
	struct net_end *e = ctx;
	struct net_sa *sa = sas_find(e, set->id);

	assert_non_null(sa);
	assert_false(sa->installed);
	assert_memory_equal(sa->set.spi_in, set->spi_in, sizeof(set->spi_in));
	for (unsigned p = 0; p < SA_PAIRS; p++)
		assert_true(set->spi_out[p] >= SA_SPI_MIN);
	sa->set = *set;
	if (e != &e->net->edge && net_ue_of(e)->wrong_ik)
		sa->set.keys.integ[0] ^= 1;
	sa->installed = true;
	sa->owner = path_owner(e->net, &set->remote);
	e->net->installs++;
	return 0;
}

void sas_remove(void *ctx, sa_set_id id)
{
	struct net_end *e = ctx;
	struct net_sa *sa = sas_find(e, id);

	assert_non_null(sa);
	if (sa->installed)
		conn_unprotect(e, &sa->set);
	e->net->removes += sa->installed;
	e->in_use--;
	memset(sa, 0, sizeof(*sa));
}

unsigned net_sets(const struct net_end *e)
{
	return e->in_use;
}

void sas_make(struct net *n, struct net_end *e, unsigned places)
{
	e->net = n;
	e->places = places;
	e->last_id = (n->ends++ & 63) << 24; /* so ids and SPIs differ between a few ends */
	e->sas = calloc(places, sizeof(*e->sas));
	assert_non_null(e->sas);
}

struct net_sa *sas_receive(struct net_end *to, const struct sa_set *out, unsigned pair,
			   unsigned *in_pair)
{
	struct net_sa *sa = sas_of_spi(to, out->spi_out[pair]);
	unsigned p;

	if (!sa || !sa->installed) {
		to->net->lost_spi++;
		return NULL;
	}
	if (sa->set.integ != out->integ || sa->set.encr != out->encr ||
	    memcmp(&sa->set.keys, &out->keys, sizeof(out->keys)) != 0) {
		to->net->lost_keys++;
		return NULL;
	}
	p = sa->set.spi_in[SA_SERVER] == out->spi_out[pair] ? SA_SERVER : SA_CLIENT;
	if (sa->set.mode != out->mode ||
	    (out->mode == SA_MODE_TRANSPORT && !ip_addr_eq(&sa->set.remote, &out->local)) ||
	    sa->set.local_port[p] != out->remote_port[pair] ||
	    sa->set.remote_port[p] != out->local_port[pair]) {
		to->net->lost_selectors++;
		return NULL;
	}
	*in_pair = p;
	return sa;
}
