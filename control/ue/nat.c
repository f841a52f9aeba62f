/*
 * The UE behind a NAT (TS 33.203 Annex M): it offers UDP-encapsulated tunnel mode beside transport
 * mode, takes it where the P-CSCF says so or there is a NAT, and keeps its NAT's mapping alive.
 */
#include <errno.h>

#include "control/ue/ue_internal.h"

const struct ip_addr *ue_public_addr(const struct ue *u)
{
	return u->nat.version ? &u->nat : &u->local.addr;
}

/* received (RFC 3261 18.2.1): put there where Via and the packet's source differ. */
void ue_nat_see(struct ue *u, const struct sip_msg *m)
{
	struct sv received;
	struct ip_addr a;
	struct sip_via v;

	memset(&u->nat, 0, sizeof(u->nat));
	if (sip_via_top(&v, m) == 0 && sip_param(v.params, SV("received"), &received) &&
	    ue_host_read(received, &a) && a.version == u->local.addr.version &&
	    !ip_addr_eq(&a, &u->local.addr))
		u->nat = a;
}

/* ESP in transport mode would not pass the NAT. */
static unsigned first_choice(const struct ue *u)
{
	return u->nat.version ? u->n_plain : 0;
}

unsigned ue_nat_choices(const struct ue *u, struct agree_choice *to)
{
	unsigned first = first_choice(u), n = u->n_choices - first;

	memcpy(to, u->choices + first, n * sizeof(*to));
	return n;
}

int ue_nat_choose(const struct ue *u, const struct agree_list *l, const struct agree_mech **mech)
{
	unsigned first = first_choice(u);
	int i;

	if (first == u->n_choices)
		return -ENOENT;
	i = agree_choose_server(l, u->choices + first, u->n_choices - first, mech);
	return i < 0 ? i : i + (int)first;
}

/* The P-CSCF is behind no NAT: outside and inside it has one address, and stays there. */
void ue_nat_tunnel_fill(const struct ue *u, struct sa_set *sa)
{
	memset(&sa->tunnel, 0, sizeof(sa->tunnel));
	if (sa->mode != SA_MODE_UDP_ENC_TUN)
		return;
	sa->tunnel.remote_port = u->udp_enc_port;
	sa->tunnel.keepalive = true;
	sa->tunnel.inner_local = u->local.addr;
	sa->tunnel.inner_remote[0] = u->pcscf.addr;
}

/* ---- the mapping -------------------------------------------------------------------------- */

static void on_beat(struct timer *t, void *arg, uint64_t now)
{
	struct ue *u = arg;
	struct sip_flow flow;

	(void)t;
	ue_set_flow(u, ue_set_in(u, UE_SET_CURRENT), &flow);
	if (flow.set)
		u->env.send(u->env.ctx, u, &flow, SV("\r\n\r\n")); /* RFC 5626 3.5.1 */
	ue_nat_beat(u, now);
}

void ue_nat_beat(struct ue *u, uint64_t now)
{
	const struct ue_set *s = ue_set_in(u, UE_SET_CURRENT);

	if (s && s->sa.mode == SA_MODE_UDP_ENC_TUN)
		(void)timer_start(u->timers, &u->beat, now + u->heartbeat * UINT64_C(1000), on_beat,
				  u);
	else
		timer_stop(u->timers, &u->beat);
}
