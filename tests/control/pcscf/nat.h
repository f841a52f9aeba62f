/* What tests of UEs behind NATs share. */
#pragma once

#include "tests/control/pcscf/rig.h"

#define NAT "203.0.113.10"

struct ip_addr nat_addr(const char *text);
bool nat_addr_is(const struct ip_addr *a, const char *text);

/* Port 4500, and a /30 of aliases. */
void nat_conf(struct pcscf_conf *c);
/* A P-CSCF and alice, behind NAT. */
void nat_start(struct rig *r, struct rig_ue *u);
struct rig_register nat_sm1(const struct rig_ue *u);
/* The data plane has seen the UE there. */
void nat_moved(struct rig *r, const struct rig_ue *u, const char *outer, uint16_t port);
void nat_register(struct rig *r, struct rig_ue *u);
