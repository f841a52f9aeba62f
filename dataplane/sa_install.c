/* Making the SAs of a set usable. */
#include <errno.h>
#include <string.h>

#include "dataplane/owner.h"
#include "dataplane/sa_table_control.h"
#include "dataplane/tcp_lookup.h"

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
	rc = sa_set_tcp_add(t, i);
	if (rc < 0) { /* its entries may have been seen: it leaves like one that was live */
		sa_table_remove(t, set->id);
		return rc;
	}
	atomic_store_explicit(&sa_shared_at(&t->view, i)->live, set->id, memory_order_release);
	return 0;
}
