/*
 * TCP between UEs and the P-CSCF, as stream/ gives it: who may open what, connections that end with
 * what is on them, and what comes back then.
 */
#pragma once

#include "tests/control/flow/net.h"

/* env.stream_send() of either end */
int conn_send(struct net_end *e, const struct sip_flow *flow, struct sv text);
/* The ends of a clear connection as the receiver knows them. */
void conn_clear(struct net_end *to, const struct net_packet *k, struct sip_flow *flow);
/* A packet whose connection has ended, or was refused, at the end that sent it. */
void conn_give_back(struct net *n, const struct net_packet *k);
/* The connection of a packet ends: it is lost, and requests sent lately come back. */
void conn_break(struct net *n, const struct net_packet *k);
bool conn_is_gone(const struct net_packet *k);
/* The packet comes a second time, in clear on another connection. false: it cannot. */
bool conn_double(struct net *n, struct net_packet *k);
unsigned conn_serial(struct net_end *e, const struct sip_flow *flow); /* there is one */
/* Connections of a set go with it, without a word. */
void conn_unprotect(struct net_end *e, const struct sa_set *set);
void conns_free(struct net *n);
