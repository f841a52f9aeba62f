/* Which SA set a connection belongs to. */
#include <errno.h>
#include <stdlib.h>

#include "control/stream/inside.h"

struct stream_sa *stream_sa_find(struct stream *s, const struct stream_key *key)
{
	struct stream_sa *sa;

	HASH_FIND(by_key, s->sa_by_key, key, sizeof(*key), sa);
	return sa;
}

static struct stream_set *set_find(struct stream *s, sa_set_id id)
{
	struct stream_set *set;

	HASH_FIND(by_id, s->sets, &id, sizeof(id), set);
	return set;
}

struct stream_sa *stream_sa_of_flow(struct stream *s, const struct sip_flow *f)
{
	struct stream_set *set = f->pair < SA_PAIRS ? set_find(s, f->set) : NULL;

	return set ? &set->pair[f->pair] : NULL;
}

/* In tunnel mode the host's stack sees the inner addresses, or an alias of the peer's. */
static void pair_fill(struct stream_sa *sa, const struct sa_set *set, enum sa_pair pair)
{
	bool tunnel = set->mode == SA_MODE_UDP_ENC_TUN;

	memset(sa, 0, sizeof(*sa));
	sa->flow = (struct sip_flow){
		.transport = SIP_TRANSPORT_TCP,
		.local = {tunnel ? set->tunnel.inner_local : set->local, set->local_port[pair]},
		.remote = {tunnel ? set->tunnel.inner_remote[0] : set->remote,
			   set->remote_port[pair]},
		.set = set->id,
		.pair = (uint8_t)pair,
	};
	sa->key.local = sa->flow.local;
	sa->key.remote = sa->flow.remote;
	if (tunnel && set->tunnel.host_alias.version)
		sa->key.remote.addr = set->tunnel.host_alias;
}

static void set_delete(struct stream *s, struct stream_set *set)
{
	for (unsigned p = 0; p < SA_PAIRS; p++)
		if (set->pair[p].by_key.tbl)
			HASH_DELETE(by_key, s->sa_by_key, &set->pair[p]);
	if (set->by_id.tbl)
		HASH_DELETE(by_id, s->sets, set);
	if (set->listener)
		stream_listener_leave(set->listener);
	free(set);
}

static int set_insert(struct stream *s, struct stream_set *set)
{
	HASH_ADD(by_id, s->sets, id, sizeof(set->id), set);
	if (!set->by_id.tbl)
		return -ENOMEM;
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		struct stream_sa *sa = &set->pair[p];

		HASH_ADD(by_key, s->sa_by_key, key, sizeof(sa->key), sa);
		if (!sa->by_key.tbl)
			return -ENOMEM;
	}
	return s->conf.listens
		       ? stream_listener_use(s, &set->pair[SA_SERVER].key.local, &set->listener)
		       : 0;
}

int stream_protect(struct stream *s, const struct sa_set *sa)
{
	struct stream_set *set;
	int rc;

	if (set_find(s, sa->id))
		return -EEXIST;
	set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->id = sa->id;
	for (unsigned p = 0; p < SA_PAIRS; p++)
		pair_fill(&set->pair[p], sa, (enum sa_pair)p);
	if (stream_sa_find(s, &set->pair[0].key) || stream_sa_find(s, &set->pair[1].key)) {
		free(set);
		return -EEXIST;
	}
	rc = set_insert(s, set);
	if (rc < 0)
		set_delete(s, set);
	return rc;
}

/* The data plane lets nothing out any more: no use in a polite end. */
void stream_unprotect(struct stream *s, sa_set_id id)
{
	struct stream_set *set = set_find(s, id);

	if (!set)
		return;
	for (unsigned p = 0; p < SA_PAIRS; p++)
		while (set->pair[p].conns) {
			struct stream_conn *c = set->pair[p].conns;

			c->mute = true;
			stream_conn_close(c, STREAM_END_RESET);
		}
	set_delete(s, set);
}
