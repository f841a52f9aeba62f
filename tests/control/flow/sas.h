/* What the data plane does with SAs, for the ends of the network in memory. */
#pragma once

#include "tests/control/flow/net.h"

void sas_make(struct net *n, struct net_end *e, unsigned places);
/* env of P-CSCF and UE; ctx: the net_end */
int sas_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set);
int sas_install(void *ctx, const struct sa_set *set);
void sas_remove(void *ctx, sa_set_id id);
/* NULL: there is none */
struct net_sa *sas_find(struct net_end *e, sa_set_id id);
struct net_sa *sas_of_spi(struct net_end *e, uint32_t spi);
/* The receiver's SA for a protected packet, or NULL as ESP would drop it. */
struct net_sa *sas_receive(struct net_end *to, const struct sa_set *out, unsigned pair,
			   unsigned *in_pair);
