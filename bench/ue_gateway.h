/* `esplanade-ue gateway`: plain SIP programs (SIPp, a softphone) use UEs as their proxies. */
#pragma once

#include "bench/ue_options.h"
#include "control/ue/ue.h"

struct load;
struct gateway;

/* A UDP socket for each UE, at --listen and the ports after it. */
int gateway_alloc(struct gateway **gp, struct load *l);
void gateway_free(struct gateway *g);
int gateway_fd(const struct gateway *g);  /* readable: gateway_turn() has work */
unsigned gateway_turn(struct gateway *g); /* messages taken from the programs */
/* Where the program of UE i sends to. */
void gateway_endpoint(const struct load_options *o, uint32_t i, struct ip_endpoint *e);
/* env.pass of the UEs; ctx = struct load_ue */
void gateway_pass(void *ctx, struct ue *u, struct sv text);

/* Registers, carries messages until SIGINT or SIGTERM, de-registers. Exit status. */
int gateway_main(const struct load_options *o);
