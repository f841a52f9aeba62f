/*
 * The fault matrix: each message SM1 to SM12 of a registration or re-registration lost, repeated,
 * overtaken, damaged or late. Afterwards UE and P-CSCF agree, the next registration succeeds, and
 * when it ends nothing is left anywhere.
 */
#include <stdlib.h>

#include "tests/control/flow/net.h"

enum fault {
	LOST, /* once */
	GONE, /* whatever is tried, until the access heals */
	DOUBLED,
	OVERTAKEN, /* by the next message of the access or of the core */
	DAMAGED,   /* in the middle */
	LATE,	   /* by more than the core's timers last, */
	LATER,	   /* those of the access, */
	LATEST,	   /* or reg-await-auth */
	FAULTS,
};

static const uint64_t late_ms[FAULTS] = {[LATE] = 40000, [LATER] = 130000, [LATEST] = 250000};

struct held { /* in the core */
	struct held *next;
	struct timer timer;
	struct mw *mw;
	char host[64];
	bool swap;
	size_t n;
	char text[];
};

static struct fault_state {
	struct net *net;
	unsigned message; /* 1..12; 0: none */
	enum fault fault;
	bool done;
	unsigned struck;
	struct held *held;
} fault;

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
	if (!message || message != fault.message || fault.done)
		return false;
	fault.done = fault.fault != GONE;
	fault.struck++;
	return true;
}

/* ---- on the access */

static enum net_fate access_fate(struct net *n, const struct net_packet *k, void *arg)
{
	static const enum net_fate fates[FAULTS] = {
		[LOST] = NET_DROP,	[GONE] = NET_DROP,     [DOUBLED] = NET_DOUBLE,
		[OVERTAKEN] = NET_SWAP, [DAMAGED] = NET_SPOIL, [LATE] = NET_LATE,
		[LATER] = NET_LATE,	[LATEST] = NET_LATE};

	(void)n;
	(void)arg;
	if (!strikes(message_of(leg((struct sv){k->text, k->n}), 0)))
		return NET_PASS;
	return fates[fault.fault];
}

/* ---- in the core */

int __real_mw_send(struct mw *m, struct sv host, struct sv text);
int __wrap_mw_send(struct mw *m, struct sv host, struct sv text);

static void held_release(struct held *h)
{
	struct held **p = &fault.held;

	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	timer_stop(fault.net->timers, &h->timer);
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
	h->next = fault.held;
	fault.held = h;
	return timer_start(fault.net->timers, &h->timer, fault.net->now + ms, held_due, h);
}

static int send_damaged(struct mw *m, struct sv host, struct sv text)
{
	char copy[NET_TEXT];

	assert_true(text.n < sizeof(copy));
	memcpy(copy, text.p, text.n);
	copy[fault.net->spoil_at % text.n] ^= (char)fault.net->spoil_bits;
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
	switch (fault.fault) {
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
		return hold(m, host, text, late_ms[fault.fault], false);
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
	while (fault.held && fault.held->swap)
		held_release(fault.held);
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
	assert_int_equal(scscf_registered(n->scscf), 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(timers_count(n->timers), 0);
	assert_null(n->held);
	assert_null(fault.held);
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

/* ---- the matrix */

struct trial {
	unsigned message;
	enum fault fault;
	bool again; /* a re-registration */
	unsigned at;
	uint8_t bits;
};

static struct net *trial_begin(const struct trial *t)
{
	struct net_setup setup = {.ues = 2, .ip = 4, .challenge_protected = true};
	struct net *n = net_alloc(&setup);

	memset(&fault, 0, sizeof(fault));
	fault.net = n;
	fault.fault = t->fault;
	n->fate = access_fate;
	n->late_ms = late_ms[t->fault];
	n->spoil_at = t->at;
	n->spoil_bits = t->bits;
	net_register(n, 1);
	if (t->again) {
		net_register(n, 0);
		exchange(n);
		net_run(n, 300000);
	}
	fault.message = t->message;
	return n;
}

static void trial_run(const struct trial *t)
{
	struct net *n = trial_begin(t);

	assert_int_equal(ue_register(n->ues[0].ue, n->now), 0);
	if (t->again) { /* beside other traffic of both directions */
		(void)ue_message(n->ues[0].ue, sv_of(n->ues[1].impu), SV("x"), n->now);
		(void)ue_message(n->ues[1].ue, sv_of(n->ues[0].impu), SV("y"), n->now);
	}
	net_run(n, 700000); /* all that the UE tries by itself, and what is late */
	assert_true(fault.struck > 0);
	fault.message = 0;
	net_run(n, 1);
	all_is_well(n);
	net_free(n);
}

static const char *const fault_names[FAULTS] = {"lost",	   "gone", "doubled", "overtaken",
						"damaged", "late", "later",   "latest"};

/* covers: F07, F20, LP-07 */
static void each_message_each_fault(void **state)
{
	(void)state;
	for (unsigned again = 0; again < 2; again++)
		for (unsigned sm = 1; sm <= 12; sm++)
			for (unsigned f = 0; f < FAULTS; f++) {
				struct trial t = {sm, (enum fault)f, again, 400, 1};

				if (getenv("FAULTS_SHOW"))
					print_message("%s SM%u %s\n",
						      again ? "re-registration" : "registration",
						      sm, fault_names[f]);
				trial_run(&t);
			}
}

/* Any octet of a message that nothing protects. FAULTS_STEP=1 takes them all. */
static void damage_anywhere(void **state)
{
	static const unsigned open[] = {1, 6, 2, 3, 4, 5, 8, 9, 10, 11};
	const char *env = getenv("FAULTS_STEP");
	unsigned step = env ? (unsigned)strtoul(env, NULL, 10) : 23, at = 0;

	(void)state;
	for (unsigned i = 0; i < N_OF(open); i++)
		for (at %= step; at < 1600; at += step) {
			struct trial t = {open[i], DAMAGED, i > 1 && at % 2, at,
					  (uint8_t)(at % 3 ? 1 : 0x10)};

			if (getenv("FAULTS_SHOW"))
				print_message("SM%u octet %u%s\n", open[i], at,
					      t.again ? ", re-registration" : "");
			trial_run(&t);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_each_fault),
		cmocka_unit_test(damage_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
