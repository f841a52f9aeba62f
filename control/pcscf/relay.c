/* A request passed on between the UE and the core, and the way back of its responses. */
#include <stdlib.h>
#include <utlist.h>

#include "control/base/parse.h"
#include "control/pcscf/caller.h"

struct sip_flow pcscf_core_flow(void)
{
	return (struct sip_flow){.transport = SIP_TRANSPORT_MW};
}

void pcscf_relay_free(struct pcscf_relay *r)
{
	struct pcscf *p = r->p;

	if (r->run)
		r->run->relay = NULL;
	if (r->sm1_of)
		r->sm1_of->sm1 = NULL;
	if (r->place)
		*r->place = NULL;
	if (r->client)
		sip_client_cancel(r->client);
	if (r->clear)
		p->clear_relays--;
	if (*r->caller)
		pcscf_caller_closed(r);
	timer_stop(p->timers, &r->timer_c);
	DL_DELETE(p->relays, r);
	free(r->request);
	free(r->cancel);
	free(r);
}

static void server_gone(void *arg)
{
	struct pcscf_relay *r = arg;

	r->server = NULL;
	pcscf_relay_free(r);
}

static struct sip_txns *asker_side(const struct pcscf_relay *r)
{
	return r->kind == PCSCF_RELAY_DOWN ? r->p->core : r->p->access;
}

static struct sip_txns *other_side(const struct pcscf_relay *r)
{
	return r->kind == PCSCF_RELAY_DOWN ? r->p->access : r->p->core;
}

int pcscf_relay_create(struct pcscf *p, enum pcscf_relay_kind kind, const struct sip_flow *reply,
		       const struct sip_msg *m, struct pcscf_set *s, struct pcscf_relay **rp,
		       uint64_t now)
{
	struct pcscf_relay *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	r->p = p;
	r->kind = kind;
	r->method = m->method;
	r->started = now;
	r->request = sv_dup(m->raw);
	r->request_len = m->raw.n;
	rc = r->request ? 0 : -ENOMEM;
	if (rc == 0)
		rc = sip_server_create(asker_side(r), &r->server, reply, m, server_gone, r, now);
	if (rc < 0) {
		free(r->request);
		free(r);
		return rc;
	}
	DL_APPEND(p->relays, r);
	if (s) {
		r->set = s->sa.id;
		r->serial = s->serial;
		pcscf_set_hold(s);
	} else if (kind == PCSCF_RELAY_REGISTER) {
		r->clear = true;
		p->clear_relays++;
	}
	*rp = r;
	return 0;
}

/* Who knows an IMPI can send any number of REGISTERs in its name. */
void pcscf_relay_place(struct pcscf_relay *r, struct pcscf_reg *reg)
{
	struct pcscf_relay **place = &reg->clear[reg->clear_next];

	reg->clear_next = (reg->clear_next + 1) % PCSCF_MAX_CLEAR;
	if (*place && (*place)->server)
		sip_server_cancel((*place)->server);
	*place = r;
	r->place = place;
}

int pcscf_relay_send(struct pcscf_relay *r, const struct sip_flow *flow, struct sv text,
		     uint64_t now)
{
	struct pcscf *p = r->p;
	int rc;

	if (sv_empty(text))
		return -E2BIG;
	if (r->method == SIP_INVITE) {
		pcscf_cancel_prepare(r, text);
		rc = timer_start(p->timers, &r->timer_c, now + PCSCF_TIMER_C, pcscf_timer_c, r);
		if (rc < 0)
			return rc;
	}
	p->core_lost = p->flow_lost = false;
	rc = sip_client_create(other_side(r), &r->client, flow, text, pcscf_relay_response, r, now);
	if (rc == 0 && p->core_lost && r->kind != PCSCF_RELAY_DOWN) {
		sip_client_cancel(r->client);
		r->client = NULL;
		rc = -EHOSTUNREACH;
	}
	if (rc == 0 && p->flow_lost && r->kind == PCSCF_RELAY_DOWN) {
		sip_client_cancel(r->client);
		r->client = NULL;
		rc = -ENOTCONN;
	}
	return rc;
}

/* As with our own refusals: what leads nowhere leaves no state to a flood. */
static bool refused_in_clear(const struct pcscf_relay *r, unsigned status)
{
	return r->clear && status >= 300 && status != 401;
}

/* Nothing more is awaited from the other side. The relay may be gone with its last response. */
static void respond_finally(struct pcscf_relay *r, unsigned status, struct sv text, uint64_t now)
{
	r->final = true;
	r->client = NULL;
	timer_stop(r->p->timers, &r->timer_c);
	free(r->request);
	free(r->cancel);
	r->request = r->cancel = NULL;
	if (r->server && refused_in_clear(r, status)) {
		sip_server_respond(r->server, status, text, now);
		sip_server_cancel(r->server);
	} else if (r->server) {
		pcscf_server_end(r->server, status, text, now);
	}
}

void pcscf_relay_respond(struct pcscf_relay *r, unsigned status, struct sv text, uint64_t now)
{
	bool repeat = r->kind == PCSCF_RELAY_UP;
	uint32_t serial = r->serial;
	struct pcscf *p = r->p;
	sa_set_id set = r->set;

	if (r->final)
		return;
	if (status >= 200) {
		respond_finally(r, status, text, now);
		pcscf_set_release(p, set, serial, repeat, now);
	} else if (r->server) {
		sip_server_respond(r->server, status, text, now);
	}
}

void pcscf_relay_answer(struct pcscf_relay *r, const struct pcscf_refusal *why, uint64_t now)
{
	struct sip_msg request;

	if (r->request && sip_msg_parse(&request, (struct sv){r->request, r->request_len}) == 0)
		pcscf_relay_respond(r, why->status, pcscf_reply_text(r->p, &request, why), now);
}

static void provisional(struct pcscf_relay *r, const struct sip_msg *m, uint64_t now)
{
	r->provisional = true;
	if (timer_running(&r->timer_c) && m->status > 100 && r->cancel) /* not cancelled yet */
		(void)timer_start(r->p->timers, &r->timer_c, now + PCSCF_TIMER_C, pcscf_timer_c, r);
	if (r->cancelled)
		(void)pcscf_cancel_send(r, now);
}

static struct pcscf_set *set_of(const struct pcscf_relay *r)
{
	struct pcscf_set *s = r->set ? pcscf_set_find(r->p, r->set) : NULL;

	return s && s->serial == r->serial ? s : NULL;
}

/* m: the response; NULL: there will be none. */
static void dialog_follow(struct pcscf_relay *r, const struct sip_msg *m, uint64_t now)
{
	const struct pcscf_set *s = set_of(r);
	struct sip_msg request;

	if ((!s && !*r->caller) || !r->request ||
	    sip_msg_parse(&request, (struct sv){r->request, r->request_len}) < 0)
		return;
	if (!s)
		pcscf_emergency_follow(r, &request, m, now);
	else if (m)
		pcscf_dialog_response(s->reg, &request, m, r->kind == PCSCF_RELAY_UP, now);
	else
		pcscf_dialog_unanswered(s->reg, &request, r->kind == PCSCF_RELAY_DOWN, now);
}

static const struct pcscf_impu *answerer(const struct pcscf_relay *r, const struct pcscf_reg *reg)
{
	struct sip_msg request;

	if (!r->request || sip_msg_parse(&request, (struct sv){r->request, r->request_len}) < 0)
		return NULL;
	return pcscf_impus_called(reg, &request);
}

static struct sv response_text(struct pcscf_relay *r, const struct sip_msg *m)
{
	const struct pcscf_set *s = set_of(r);

	if (*r->caller)
		return pcscf_emergency_response(r, m);
	if (r->kind == PCSCF_RELAY_DOWN)
		return pcscf_response_up(r->p, m, s, s ? answerer(r, s->reg) : NULL);
	return pcscf_response_down(r->p, m, s);
}

void pcscf_relay_response(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct pcscf_relay *r = arg;
	struct sv text;

	if (m && m->status < 200)
		provisional(r, m, now);
	else
		r->client = NULL;
	if (m && m->status == 100)
		return;
	if (r->kind == PCSCF_RELAY_REGISTER) {
		pcscf_register_response(r, m, now);
		return;
	}
	dialog_follow(r, m, now);
	if (!m) {
		if (r->kind == PCSCF_RELAY_DOWN)
			pcscf_set_silent(r->p, r->set, r->serial, now);
		pcscf_relay_answer(r, &(struct pcscf_refusal){.status = 408}, now);
		return;
	}
	text = response_text(r, m);
	if (sv_empty(text))
		pcscf_relay_answer(r, &(struct pcscf_refusal){.status = 500}, now);
	else
		pcscf_relay_respond(r, m->status, text, now);
}
