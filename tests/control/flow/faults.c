/* What a fault strikes, and what must be true afterwards. */
#include "tests/control/flow/faults.h"

#include <stdlib.h>

static const uint64_t late_ms[FAULTS] = {
	[LATE] = 40000, [LATER] = 130000, [LATEST] = 250000, [STALLED] = 20000};

static const char *const names[FAULTS] = {"lost",    "gone",   "doubled", "overtaken", "damaged",
					  "late",    "later",  "latest",  "cut",       "stalled",
					  "refused", "no TCP", "rebound", "moved"};

struct held { /* in the core */
	struct held *next;
	struct timer timer;
	struct mw *mw;
	char host[64];
	bool swap;
	size_t n;
	char text[];
};

static struct {
	struct net *net;
	unsigned message; /* 1..12; 0: none */
	enum fault kind;
	bool done;
	unsigned struck;
	struct held *held;
} faults;

/* ---- which message is it? */

static bool begins(struct sv text, const char *with)
{
	return text.n >= strlen(with) && memcmp(text.p, with, strlen(with)) == 0;
}

static bool holds(struct sv text, const char *what)
{
	return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

/* 0: SM1; 1: the challenge to it; 2: SM7; 3: the answer to that; -1: none of the first UE's. */
static int leg(struct sv text)
{
	if (!holds(text, "u0@") || !holds(text, " REGISTER"))
		return -1;
	if (begins(text, "REGISTER "))
		return holds(text, "response=\"\"") ? 0 : 2;
	if (begins(text, "SIP/2.0 401"))
		return 1;
	return begins(text, "SIP/2.0 200") ? 3 : -1;
}

/* SM1 to SM12 by leg and hop: UE - P-CSCF - I-CSCF - S-CSCF */
static unsigned message_of(int l, unsigned hop)
{
	if (l < 0)
		return 0;
	return (unsigned)l * 3 + (l % 2 ? 2 - hop : hop) + 1;
}

static bool strikes(unsigned message)
{
	if (!message || message != faults.message || faults.done)
		return false;
	faults.done = faults.kind != GONE;
	faults.struck++;
	return true;
}

/* ---- on the access */

static enum net_fate access_fate(struct net *n, const struct net_packet *k, void *arg)
{
	static const enum net_fate fates[FAULTS] = {
		[LOST] = NET_DROP,	[GONE] = NET_DROP,     [DOUBLED] = NET_DOUBLE,
		[OVERTAKEN] = NET_SWAP, [DAMAGED] = NET_SPOIL, [LATE] = NET_LATE,
		[LATER] = NET_LATE,	[LATEST] = NET_LATE,   [CUT] = NET_CUT,
		[STALLED] = NET_STALL,	[REFUSED] = NET_DROP,  [NO_TCP] = NET_DROP,
		[REBOUND] = NET_PASS,	[MOVED] = NET_PASS};

	(void)arg;
	if (!strikes(message_of(leg((struct sv){k->text, k->n}), 0)))
		return NET_PASS;
	if (faults.kind == REBOUND || faults.kind == MOVED)
		net_rebind(n, 0, faults.kind == MOVED ? "203.0.113.99" : NULL);
	return fates[faults.kind];
}

/* A connection for that message. What was refused once is not asked again. */
static bool access_refuses(struct net *n, const struct net_end *from, struct sv text)
{
	(void)n;
	(void)from;
	if (faults.kind == NO_TCP && faults.struck && faults.message)
		return true;
	return (faults.kind == REFUSED || faults.kind == NO_TCP) &&
	       strikes(message_of(leg(text), 0));
}

/* ---- in the core */

int __real_mw_send(struct mw *m, struct sv host, struct sv text);
int __wrap_mw_send(struct mw *m, struct sv host, struct sv text);

static void held_release(struct held *h)
{
	struct held **p = &faults.held;

	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	timer_stop(faults.net->timers, &h->timer);
	(void)__real_mw_send(h->mw, sv_of(h->host), (struct sv){h->text, h->n});
	free(h);
}

static void held_due(struct timer *t, void *arg, uint64_t now)
{
	(void)t;
	(void)now;
	held_release(arg);
}

static int hold(struct mw *m, struct sv host, struct sv text, uint64_t ms, bool swap)
{
	struct held *h = calloc(1, sizeof(*h) + text.n);

	assert_non_null(h);
	h->mw = m;
	h->swap = swap;
	h->n = text.n;
	snprintf(h->host, sizeof(h->host), "%.*s", SV_ARG(host));
	memcpy(h->text, text.p, text.n);
	h->next = faults.held;
	faults.held = h;
	return timer_start(faults.net->timers, &h->timer, faults.net->now + ms, held_due, h);
}

static int send_damaged(struct mw *m, struct sv host, struct sv text)
{
	char copy[NET_TEXT];

	assert_true(text.n < sizeof(copy));
	memcpy(copy, text.p, text.n);
	copy[faults.net->spoil_at % text.n] ^= (char)faults.net->spoil_bits;
	return __real_mw_send(m, host, (struct sv){copy, text.n});
}

static unsigned core_message(struct sv host, struct sv text)
{
	int l = leg(text);
	bool request = l % 2 == 0;

	if (l < 0)
		return 0;
	if (begins(host, "icscf"))
		return message_of(l, request ? 1 : 2);
	return message_of(l, request ? 2 : 1);
}

static int strike_core(struct mw *m, struct sv host, struct sv text)
{
	switch (faults.kind) {
	case DOUBLED:
		(void)__real_mw_send(m, host, text);
		return __real_mw_send(m, host, text);
	case OVERTAKEN:
		return hold(m, host, text, 3000, true);
	case DAMAGED:
		return send_damaged(m, host, text);
	case LATE:
	case LATER:
	case LATEST:
		return hold(m, host, text, late_ms[faults.kind], false);
	default:
		return 0;
	}
}

int __wrap_mw_send(struct mw *m, struct sv host, struct sv text)
{
	int rc;

	if (strikes(core_message(host, text)))
		return strike_core(m, host, text);
	rc = __real_mw_send(m, host, text);
	while (faults.held && faults.held->swap)
		held_release(faults.held);
	return rc;
}

/* ---- what must be true afterwards */

struct view {
	const char *impi;
	bool found, registered, mirrored;
	const struct sa_set *ue;
};

static bool mirrors(const struct sa_set *edge, const struct sa_set *ue)
{
	for (unsigned p = 0; p < SA_PAIRS; p++)
		if (edge->spi_in[p] != ue->spi_out[!p] || edge->spi_out[p] != ue->spi_in[!p] ||
		    edge->local_port[p] != ue->remote_port[!p] ||
		    edge->remote_port[p] != ue->local_port[!p])
			return false;
	return true;
}

static bool look(void *arg, const struct pcscf_registration *r)
{
	struct view *v = arg;

	if (!sv_eq(r->impi, sv_of(v->impi)))
		return true;
	v->found = true;
	v->registered = r->registered;
	for (unsigned i = 0; v->ue && i < r->n_sets; i++)
		if (mirrors(&r->sets[i].set, v->ue) && r->sets[i].role != PCSCF_SET_ENDING &&
		    r->sets[i].role != PCSCF_SET_NEW)
			v->mirrored = true;
	return false;
}

/* What the UE believes to have, the P-CSCF has. */
static void both_agree(struct net *n, unsigned i)
{
	struct view v = {.impi = n->ues[i].impi, .ue = ue_current_set(n->ues[i].ue)};

	assert_int_equal(ue_registered(n->ues[i].ue), v.ue != NULL);
	if (!v.ue)
		return;
	pcscf_registration_each(n->pcscf, look, &v);
	assert_true(v.found && v.registered && v.mirrored);
}

static void exchange(struct net *n)
{
	for (unsigned i = 0; i < 2; i++) {
		struct net_ue *x = &n->ues[i], *y = &n->ues[1 - i];
		unsigned ok = x->events[UE_MESSAGE_SENT_OK], got = y->events[UE_MESSAGE_RECEIVED];

		assert_int_equal(ue_message(x->ue, sv_of(y->impu), SV("hello"), n->now), 0);
		net_run(n, 1);
		assert_int_equal(x->events[UE_MESSAGE_SENT_OK], ok + 1);
		assert_int_equal(y->events[UE_MESSAGE_RECEIVED], got + 1);
	}
}

static void nothing_is_left(struct net *n)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ue_deregister(n->ues[i].ue, n->now), 0);
		net_run(n, 1);
		assert_false(ue_registered(n->ues[i].ue));
	}
	net_run(n, 400000);
	assert_int_equal(net_sets(&n->edge), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(net_sets(&n->ues[i].end), 0);
		assert_int_equal(ue_transactions(n->ues[i].ue), 0);
	}
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).pending, 0);
	assert_int_equal(net_counters(n).sets, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(net_counters(n).dialogs, 0);
	assert_int_equal(scscf_registered(n->scscf), 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(timers_count(n->timers), 0);
	assert_null(n->held);
	assert_null(faults.held);
	net_hang_up_idle(n, 1); /* those in clear end by themselves, */
	assert_null(n->tcp.conns);
}

static void all_is_well(struct net *n)
{
	both_agree(n, 0);
	if (ue_register(n->ues[0].ue, n->now) == -EBUSY) /* it tries by itself */
		net_run(n, 150000);
	else
		net_run(n, 1);
	assert_true(ue_registered(n->ues[0].ue));
	both_agree(n, 0);
	net_register(n, 0); /* the next registration */
	both_agree(n, 0);
	exchange(n);
	net_run(n, 300000);
	assert_int_equal(net_sets(&n->edge), 2);
	for (unsigned i = 0; i < 2; i++) {
		both_agree(n, i);
		assert_int_equal(net_sets(&n->ues[i].end), 1);
	}
	assert_int_equal(net_counters(n).pending, 0);
	exchange(n);
	nothing_is_left(n);
}

/* ---- one trial */

static struct net *trial_begin(const struct fault_trial *t)
{
	struct net_setup setup = {
		.ues = 2, .ip = 4, .challenge_protected = true, .transport = t->transport};
	struct net *n;

	if (t->nat) { /* twins */
		setup.udp_enc_tun = true;
		setup.nat[0].private = setup.nat[1].private = "192.168.1.2";
		setup.nat[0].public = "203.0.113.10";
		setup.nat[1].public = "203.0.113.20";
	}
	n = net_alloc(&setup);
	memset(&faults, 0, sizeof(faults));
	faults.net = n;
	faults.kind = t->fault;
	n->fate = access_fate;
	n->refuse = access_refuses;
	n->late_ms = late_ms[t->fault];
	n->spoil_at = t->at;
	n->spoil_bits = t->bits;
	net_register(n, 1);
	if (t->again) {
		net_register(n, 0);
		exchange(n);
		net_run(n, 300000);
	}
	faults.message = t->message;
	return n;
}

void fault_trial_run(const struct fault_trial *t)
{
	struct net *n = trial_begin(t);

	if (getenv("FAULTS_SHOW"))
		print_message("%s SM%u %s at %u\n", t->again ? "re-registration" : "registration",
			      t->message, names[t->fault], t->at);
	assert_int_equal(ue_register(n->ues[0].ue, n->now), 0);
	if (t->again) { /* beside other traffic of both directions */
		(void)ue_message(n->ues[0].ue, sv_of(n->ues[1].impu), SV("x"), n->now);
		(void)ue_message(n->ues[1].ue, sv_of(n->ues[0].impu), SV("y"), n->now);
	}
	net_run(n, 700000); /* all that the UE tries by itself, and what is late */
	assert_true(faults.struck > 0);
	faults.message = 0;
	net_run(n, 1);
	all_is_well(n);
	net_free(n);
}
