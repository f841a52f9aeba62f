#include "tests/control/pcscf/nat.h"

void nat_conf(struct pcscf_conf *c)
{
	c->udp_enc_port = 4500;
	assert_int_equal(ip_addr_parse(&c->alias[0].addr, "198.18.0.0"), 0);
	c->alias[0].len = 30;
}

struct ip_addr nat_addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(&a, text), 0);
	return a;
}

bool nat_addr_is(const struct ip_addr *a, const char *text)
{
	struct ip_addr b = nat_addr(text);

	return ip_addr_eq(a, &b);
}

void nat_start(struct rig *r, struct rig_ue *u)
{
	rig_init(r, nat_conf);
	rig_ue_init(u, "alice", "192.168.1.2");
	rig_ue_behind(u, NAT);
}

struct rig_register nat_sm1(const struct rig_ue *u)
{
	return (struct rig_register){
		.client = u->client, .expires = 600, .branch = "z9hG4bKn;rport"};
}

void nat_moved(struct rig *r, const struct rig_ue *u, const char *outer, uint16_t port)
{
	struct ip_endpoint e = {nat_addr(outer), port};

	pcscf_ue_moved(r->p, u->set, &e, &u->addr);
}

void nat_register(struct rig *r, struct rig_ue *u)
{
	rig_registered(r, u, 0, 600);
	nat_moved(r, u, NAT, 45000);
}
