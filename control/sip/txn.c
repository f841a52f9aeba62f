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
	struct txn_node *node;
	uint32_t at = 0;

	if (!t)
		return;
	while ((node = txn_table_left(&t->clients, &at)))
		txn_client_free((struct sip_client_txn *)node);
	at = 0;
	while ((node = txn_table_left(&t->servers, &at)))
		txn_server_free((struct sip_server_txn *)node);
	txn_table_free(&t->clients);
	txn_table_free(&t->servers);
	sodium_memzero(t->secret, sizeof(t->secret));
	free(t);
}

unsigned sip_txns_count(const struct sip_txns *t)
{
	return t->clients.n + t->servers.n;
}

uint64_t sip_txns_retransmissions(const struct sip_txns *t)
{
	return t->retransmissions;
}

bool sip_txns_input(struct sip_txns *t, const struct sip_flow *from, const struct sip_msg *m,
		    uint64_t now)
{
	if (m->request)
		return txn_server_input(t, from, m, now);
	return txn_client_input(t, from, m, now);
}

void txn_resend(struct sip_txns *t, const struct sip_flow *flow, struct sv text)
{
	t->retransmissions++;
	t->env.send(t->env.ctx, flow, text);
}
