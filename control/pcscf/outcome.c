/* SM11 and every other response of the core to a REGISTER. */
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

/* Failures of a run with a protected SM1 go over the old SAs, though SM7 came on the new ones
 * (ER-04). */
void pcscf_failure_detour(struct pcscf_run *run)
{
	if (!run->was_protected || !run->set || !run->over || run->kind != PCSCF_IPSEC)
		return;
	run->set->detoured = true;
	run->set->detour = run->reply;
}

static timer_h registration_expired;

void pcscf_expiry_arm(struct pcscf_reg *r)
{
	uint64_t next = pcscf_impus_next(r);

	if (next == TIMER_NEVER)
		timer_stop(r->p->timers, &r->timer);
	else
		(void)timer_start(r->p->timers, &r->timer, next, registration_expired, r);
}

/* With the last IMPU the SAs lose their purpose: they get the guard time and no more (F07). */
static void registration_expired(struct timer *t, void *arg, uint64_t now)
{
	struct pcscf_reg *r = arg;
	uint64_t end = now + r->p->conf.guard * UINT64_C(1000);

	(void)t;
	if (!pcscf_impus_expire(r, now))
		for (unsigned i = 0; i < r->n_sets; i++)
			if (r->sets[i]->expires_at > end)
				pcscf_set_lifetime(r->sets[i], end);
	pcscf_expiry_arm(r);
	pcscf_reg_reap(r);
}

static void keep(char **field, struct sv value)
{
	char *copy = sv_dup(value);

	if (!copy)
		return;
	free(*field);
	*field = copy;
}

static void service_route_keep(struct pcscf_reg *r, const struct sip_msg *response)
{
	struct sip_list l = {.msg = response, .id = SIP_HDR_SERVICE_ROUTE};
	char store[PCSCF_LIST_MAX];
	struct sbuf b = sbuf_of(store, sizeof(store));
	struct sv element;

	while (sip_list_walk(&l, &element))
		sbuf_printf(&b, "%s%.*s", b.n ? ", " : "", SV_ARG(element));
	if (b.n && !b.overflow)
		keep(&r->service_route, sbuf_sv(&b));
}

static void contact_keep(struct pcscf_reg *r, const struct sip_msg *request)
{
	struct sip_list l = {.msg = request, .id = SIP_HDR_CONTACT};
	struct sip_addr a;
	struct sv element;

	if (sip_list_walk(&l, &element) && sip_addr_parse(&a, element) == 0 &&
	    a.uri.n <= PCSCF_IDENTITY_MAX)
		keep(&r->contact, a.uri);
}

/* The longest lifetime among the sets that are still in use (LP-09). */
static uint64_t lifetime_held(const struct pcscf_reg *r)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < r->n_sets; i++)
		if ((r->sets[i]->role == PCSCF_SET_CURRENT || r->sets[i]->role == PCSCF_SET_OLD) &&
		    r->sets[i]->expires_at > most)
			most = r->sets[i]->expires_at;
	return most;
}

/* Registered for `granted` seconds more: identities, route and the lifetime of `s` (LP-09, LP-14,
 * C-07). */
static void registration_extend(struct pcscf_reg *r, struct pcscf_set *s, struct sv impu,
				const struct sip_msg *request, const struct sip_msg *response,
				uint32_t granted, uint64_t now)
{
	uint64_t ends = now + granted * UINT64_C(1000);
	uint64_t outlast = ends + r->p->conf.guard * UINT64_C(1000), held = lifetime_held(r);

	(void)pcscf_impus_bind(r, impu, response, ends);
	service_route_keep(r, response);
	contact_keep(r, request);
	pcscf_expiry_arm(r);
	pcscf_set_lifetime(s, held > outlast ? held : outlast);
}

static void registration_withdraw(struct pcscf_reg *r, struct sv impu, uint64_t now)
{
	r->p->counters.deregistrations += r->impus != NULL; /* else NOTIFY came first */
	pcscf_impus_unbind(r, impu);
	pcscf_expiry_arm(r);
	if (!r->impus)
		pcscf_sets_end(r, now); /* they live on for repeats of the 200 (F06) */
}

/* What the UE gets: the response without our Via, keys, Security-* (SU-14, F32). */
static bool response_pass(struct pcscf_relay *relay, const struct sip_msg *m, uint64_t now)
{
	struct sv text = pcscf_response_down(relay->p, m, NULL);

	if (sv_empty(text)) {
		pcscf_relay_answer(relay, &(struct pcscf_refusal){.status = 500}, now);
		return false;
	}
	pcscf_relay_respond(relay, m->status, text, now);
	return true;
}

/* A 2xx to what came on the current set without being challenged, or on the new one with the right
 * answer. */
struct success {
	struct pcscf_reg *r;
	struct pcscf_set *set;
	struct sip_msg request;
	char *request_text;
	struct pcscf_request q;
	uint32_t granted;
};

/* From a copy of the request, since the relay may die with the response. */
static bool success_read(struct success *s, struct pcscf_relay *relay, const struct sip_msg *m)
{
	if (!relay->request)
		return false;
	s->request_text = sv_dup((struct sv){relay->request, relay->request_len});
	if (!s->request_text ||
	    sip_msg_parse(&s->request, (struct sv){s->request_text, relay->request_len}) < 0 ||
	    pcscf_request_read(&s->q, &s->request) < 0)
		return false;
	s->granted = pcscf_granted(&s->request, m);
	return true;
}

static void success_free(struct success *s)
{
	if (s)
		free(s->request_text);
	free(s);
}

/* AK-17, C-08: traffic shall go over to the new SAs; what is under way may end (64 T1). */
static void old_hasten(struct pcscf_reg *r, uint64_t now)
{
	uint64_t most = r->p->conf.changeover * UINT64_C(1000),
		 pending = r->p->access_timers.t1 * UINT64_C(64);

	for (unsigned i = 0; i < r->n_sets; i++) {
		struct pcscf_set *s = r->sets[i];
		uint64_t end = now + (s->busy && most < pending ? pending : most);

		if (s->role == PCSCF_SET_OLD && s->expires_at > end)
			pcscf_set_lifetime(s, end);
	}
}

static void success_apply(struct success *s, const struct sip_msg *m, bool sm12, uint64_t now)
{
	struct pcscf_counters *c = &s->r->p->counters;

	if (s->granted == 0) {
		registration_withdraw(s->r, s->q.impu_sv, now);
		return;
	}
	registration_extend(s->r, s->set, s->q.impu_sv, &s->request, m, s->granted, now);
	if (sm12 && s->r->reauth)
		old_hasten(s->r, now);
	s->r->reauth = false;
	pcscf_subscription_start(s->r, now);
	if (sm12)
		c->registrations++;
	else
		c->refreshes++;
}

/*
 * SM7 has shown that the UE has SM6, so nobody repeats SM1 any more: its transaction need not last
 * for 64 T1. A copy that the network still brings is refused for its port (ST-06), or by
 * anti-replay.
 */
static void sm1_forget(struct pcscf_run *run)
{
	if (run->sm1 && run->sm1->server)
		sip_server_cancel(run->sm1->server);
}

/* SM11 to SM12 (LP-09 to LP-11) */
static void sm12(struct pcscf_relay *relay, struct pcscf_run *run, const struct sip_msg *m,
		 uint64_t now)
{
	struct success *s = calloc(1, sizeof(*s));
	struct pcscf_reg *r = run->reg;
	uint64_t held = lifetime_held(r);

	/* Another UE may have got the address that the answer came from. */
	if (!run->set || !s || !success_read(s, relay, m)) {
		success_free(s);
		pcscf_run_end(run, PCSCF_ON_FAILURE, true, now);
		pcscf_relay_answer(relay, &(struct pcscf_refusal){.status = 500}, now);
		pcscf_reg_reap(r);
		return;
	}
	s->r = r;
	s->set = run->set;
	sm1_forget(run);
	(void)response_pass(relay, m, now);
	pcscf_sets_switch(run);
	pcscf_run_end(run, PCSCF_ON_SM11, false, now);
	pcscf_set_lifetime(s->set, held); /* that of the old SAs; now for the larger of both */
	success_apply(s, m, true, now);
	success_free(s);
}

/* No challenge: the lifetimes follow, and what the request proposed is dropped with the run (LP-14,
 * SP-19). */
static void unchallenged(struct pcscf_relay *relay, struct pcscf_set *bound,
			 const struct sip_msg *m, uint64_t now)
{
	struct pcscf_set *set = relay->set ? pcscf_set_find(relay->p, relay->set) : bound;
	struct success *s;

	if (!set || (!bound && set->serial != relay->serial) || set != set->reg->current) {
		(void)response_pass(relay, m, now);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s || !success_read(s, relay, m)) {
		success_free(s);
		pcscf_relay_answer(relay, &(struct pcscf_refusal){.status = 500}, now);
		return;
	}
	s->r = set->reg;
	s->set = set;
	(void)response_pass(relay, m, now);
	success_apply(s, m, false, now);
	success_free(s);
}

static void failure(struct pcscf_relay *relay, struct pcscf_run *run, const struct sip_msg *m,
		    uint64_t now)
{
	struct pcscf_reg *r = run ? run->reg : NULL;

	if (run && run->state == PCSCF_RUN_SM7) {
		pcscf_failure_detour(run);
		run->rejected = m && (m->status == 401 || m->status == 403);
		relay->p->counters.auth_failures += run->rejected;
	}
	if (!m)
		pcscf_relay_answer(relay, &(struct pcscf_refusal){.status = 408}, now);
	else if (!run && m->status == 401) /* a newer REGISTER has taken its place */
		pcscf_relay_answer(relay, &(struct pcscf_refusal){.status = 500}, now);
	else
		(void)response_pass(relay, m, now);
	if (run)
		pcscf_run_end(run, PCSCF_ON_FAILURE, true, now); /* ER-05 */
	if (r)
		pcscf_reg_reap(r);
}

/* A 401 that the UE shall answer, not one that ends the run (ER-02). */
static bool challenged(const struct pcscf_run *run, const struct sip_msg *m)
{
	if (run->state == PCSCF_RUN_SM1)
		return pcscf_challenge_counts(run, m);
	return run->kind != PCSCF_IPSEC && run->set && pcscf_challenge_is_stale(m);
}

/* A UE without SAs has refreshed on what it had used before the current set. */
static bool came_back(const struct pcscf_run *run)
{
	return run->over && run->over->kind != PCSCF_IPSEC && run->over->role == PCSCF_SET_OLD;
}

/*
 * The core took an answer to an earlier challenge (nextnonce, nc) on a flow that nothing was bound
 * to, as UEs do whose connection is a new one.
 */
static struct pcscf_set *bind_vouched(struct pcscf_run *run, uint64_t now)
{
	struct sip_flow flow = run->reply;

	if (came_back(run)) {
		run->set = run->over;
		pcscf_sets_switch(run);
		return run->reg->current;
	}
	if (!run->vouched)
		return NULL;
	run->kind = flow.session ? PCSCF_TLS : PCSCF_ADDRESS;
	run->set = pcscf_assoc_create(run, &flow, now);
	if (!run->set)
		return NULL;
	pcscf_sets_switch(run);
	return run->reg->current;
}

void pcscf_register_response(struct pcscf_relay *relay, const struct sip_msg *m, uint64_t now)
{
	struct pcscf_run *run = relay->run;
	bool ok = m && m->status >= 200 && m->status < 300;

	if (m && m->status < 200) {
		(void)response_pass(relay, m, now);
		return;
	}
	if (!m)
		relay->p->counters.timeouts++;
	if (run && m && m->status == 401 && challenged(run, m)) {
		pcscf_challenge(relay, m, run->state == PCSCF_RUN_SM7, now);
		return;
	}
	relay->run = NULL;
	if (run)
		run->relay = NULL;
	if (ok && run && run->state == PCSCF_RUN_SM7) {
		sm12(relay, run, m, now);
	} else if (ok && !relay->sm7) {
		struct pcscf_reg *r = run ? run->reg : NULL;
		struct pcscf_set *bound = run ? bind_vouched(run, now) : NULL;

		if (run)
			pcscf_run_end(run, PCSCF_ON_UNCHALLENGED, false, now);
		unchallenged(relay, bound, m, now);
		if (r)
			pcscf_reg_reap(r);
	} else {
		failure(relay, run, m, now);
	}
}
