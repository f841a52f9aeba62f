/* The entries by which segments of the host find their SA. */
#include "dataplane/sa_table_control.h"
#include "dataplane/tcp_lookup.h"

static void set_tcp_key(const struct sa_table *t, uint32_t i, unsigned pair, struct tcp_key *key)
{
	const struct sa_shared *s = sa_shared_at(&t->view, i);
	const struct tunnel *n = &t->view.tunnels[i];
	bool tunnel = s->mode == SA_MODE_UDP_ENC_TUN;

	tcp_key_make(key, tunnel ? &n->inner_local : &s->local, tunnel ? &n->host : &s->remote,
		     s->local_port[pair], s->remote_port[pair]);
}

void sa_set_tcp_remove(struct sa_table *t, uint32_t i)
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

void sa_set_tcp_release(struct sa_table *t, uint32_t i)
{
	unsigned pair;

	for (pair = 0; pair < SA_PAIRS; pair++)
		if (t->sets[i].tcp_position[pair] >= 0)
			tcp_lookup_release(t->tcp, t->sets[i].tcp_position[pair]);
}

/* A worker that finds the entry before the set is live treats it as unknown. */
int sa_set_tcp_add(struct sa_table *t, uint32_t i)
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
