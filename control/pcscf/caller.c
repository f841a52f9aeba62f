/*
 * The callers of emergency calls in clear: known by address and Call-ID, bounded in number. One
 * without a dialog lasts as long as repeats may come.
 */
#include <stdlib.h>
#include <utlist.h>

#include "control/base/parse.h"
#include "control/pcscf/caller.h"

#define CALLER_MS     (PCSCF_TIMER_C + 5000) /* longer than nobody says that it rings */
#define CHECK_MS      60000		     /* whether its dialogs and requests still are */
#define NEAR_FRACTION 4			     /* of all callers at one address */
#define CALL_ID_MAX   256

struct pcscf_caller *pcscf_caller_find(struct pcscf *p, const struct ip_addr *ue, struct sv call_id)
{
	struct pcscf_caller *c;

	DL_FOREACH(p->callers, c)
	{
		if (ip_addr_eq(&c->flow.remote.addr, ue) &&
		    sv_eq((struct sv){c->call_id, c->n}, call_id))
			return c;
	}
	return NULL;
}

static void caller_free(struct pcscf_caller *c)
{
	struct pcscf *p = c->reg.p;

	pcscf_dialogs_end(&c->reg);
	timer_stop(p->timers, &c->timer);
	DL_DELETE(p->callers, c);
	p->n_callers--;
	free(c);
}

void pcscf_callers_free(struct pcscf *p)
{
	while (p->callers)
		caller_free(p->callers);
}

static void on_timer(struct timer *t, void *arg, uint64_t now)
{
	struct pcscf_caller *c = arg;

	if (c->reg.n_dialogs || c->open)
		(void)timer_start(c->reg.p->timers, t, now + CHECK_MS, on_timer, c);
	else
		caller_free(c);
}

static unsigned callers_at(const struct pcscf *p, const struct ip_addr *ue)
{
	const struct pcscf_caller *c;
	unsigned n = 0;

	DL_FOREACH(p->callers, c)
	{
		n += ip_addr_eq(&c->flow.remote.addr, ue);
	}
	return n;
}

/* One that only waits for repeats gives its place to a new one. */
static bool place_make(struct pcscf *p, const struct ip_addr *ue)
{
	struct pcscf_caller *c, *next;

	DL_FOREACH_SAFE(p->callers, c, next)
	{
		if (p->n_callers < p->conf.max_emergency)
			break;
		if (c->over && !c->reg.n_dialogs)
			caller_free(c);
	}
	return p->n_callers < p->conf.max_emergency &&
	       callers_at(p, ue) <= p->conf.max_emergency / NEAR_FRACTION;
}

static uint16_t contact_port(const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sip_addr a;
	struct sip_uri u;
	struct sv element;

	if (sip_list_walk(&l, &element) && sip_addr_parse(&a, element) == 0 &&
	    sip_uri_parse(&u, a.uri) == 0 && u.port)
		return u.port;
	return 5060;
}

struct pcscf_caller *pcscf_caller_create(struct pcscf *p, const struct sip_flow *from,
					 const struct sip_msg *m, uint64_t now)
{
	struct pcscf_caller *c;

	if (m->call_id.n > CALL_ID_MAX || !place_make(p, &from->remote.addr))
		return NULL;
	c = calloc(1, sizeof(*c) + m->call_id.n);
	if (!c)
		return NULL;
	c->reg.p = p;
	sip_token(c->reg.token, sizeof(c->reg.token));
	c->flow = *from;
	c->udp_port = contact_port(m);
	c->n = m->call_id.n;
	memcpy(c->call_id, m->call_id.p, m->call_id.n);
	if (timer_start(p->timers, &c->timer, now + CALLER_MS, on_timer, c) < 0) {
		free(c);
		return NULL;
	}
	DL_APPEND(p->callers, c);
	p->n_callers++;
	p->counters.emergency_calls++;
	return c;
}

struct pcscf_caller *pcscf_caller_find_token(struct pcscf *p, struct sv token)
{
	struct pcscf_caller *c;

	DL_FOREACH(p->callers, c)
	{
		if (sv_eq(sv_of(c->reg.token), token))
			return c;
	}
	return NULL;
}

void pcscf_caller_opens(struct pcscf_caller *c, struct pcscf_relay *relay)
{
	memcpy(relay->caller, c->reg.token, sizeof(relay->caller));
	c->open += relay->kind == PCSCF_RELAY_UP;
}

void pcscf_caller_closed(const struct pcscf_relay *relay)
{
	struct pcscf_caller *c = pcscf_caller_find_token(relay->p, sv_of(relay->caller));

	if (c)
		c->open -= relay->kind == PCSCF_RELAY_UP;
}

/* What remains has 64 T1 for repeats, and so does the ACK to a failure. */
void pcscf_caller_ebb(struct pcscf_caller *c, uint64_t now)
{
	uint64_t ms = c->reg.p->access_timers.t1 * UINT64_C(64);

	if (c->reg.n_dialogs)
		return;
	c->over = true;
	(void)timer_start(c->reg.p->timers, &c->timer, now + ms, on_timer, c);
}
