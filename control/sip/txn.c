#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "control/sip/txn_impl.h"

int sip_txns_alloc(struct sip_txns **tp, struct timers *timers, struct sip_txn_timers values,
		   const struct sip_txns_env *env)
{
	struct sip_txns *t;

	if (sodium_init() < 0)
		return -EIO;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->timers = timers;
	t->v = values;
	t->env = *env;
	randombytes_buf(t->secret, sizeof(t->secret));
	*tp = t;
	return 0;
}

void sip_txns_free(struct sip_txns *t)
{
	if (!t)
		return;
	while (t->clients)
		txn_client_free(t->clients);
	while (t->servers)
		txn_server_free(t->servers);
	free(t);
}

unsigned sip_txns_count(const struct sip_txns *t)
{
	return HASH_COUNT(t->clients) + HASH_COUNT(t->servers);
}

uint64_t sip_txns_retransmissions(const struct sip_txns *t)
{
	return t->retransmissions;
}

bool sip_txns_input(struct sip_txns *t, const struct sip_flow *from, const struct sip_msg *m,
		    uint64_t now)
{
	if (m->request)
		return txn_server_input(t, m, now);
	return txn_client_input(t, from, m, now);
}

void txn_resend(struct sip_txns *t, const struct sip_flow *flow, struct sv text)
{
	t->retransmissions++;
	t->env.send(t->env.ctx, flow, text);
}
