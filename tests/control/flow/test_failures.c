/*
 * How a registration can fail (TS 33.203 7.3), through the real network: for each way, the answer,
 * the SA it goes over, and what remains. One message is altered: in clear as on the way, in ESP as
 * if its sender had gone wrong.
 */
#include "control/base/sbuf.h"
#include "tests/control/flow/net.h"

enum over { NOTHING, CLEAR, NEW, OLD }; /* OLD: set of the registration that there was before */

#define CLIENT "Security-Client: "
#define VERIFY "Security-Verify: "
#define SERVER "Security-Server: "

static const struct failure {
	const char *begins, *holds; /* the message: its first octets, and what else is in it */
	const char *field, *from;   /* in this field, */
	const char *to;		    /* this becomes that; NULL: the digit behind it another */
	unsigned status;	    /* of the final answer; 0: none */
	enum over first, again;	    /* where it goes, when SM1 was in clear, or protected */
	const char *says;	    /* what the UE is told of its end */
} failures[] = {
	/* proposals that one of the two cannot accept (ER-07, ER-09) */
	{"REGISTER", "response=\"\"", CLIENT, "ipsec-3gpp", "ipsec-4gpp", 494, CLEAR, OLD, "494"},
	{"REGISTER", "response=\"\"", CLIENT, CLIENT, "X-Client: ", 421, CLEAR, NOTHING, "421"},
	{"REGISTER", "response=\"\"", CLIENT, "port-s=", "port-s=5060;x=", 494, CLEAR, OLD, "494"},
	{"SIP/2.0 401", SERVER, SERVER, SERVER, "X-Server: ", 0, NOTHING, NOTHING,
	 "no Security-Server"},
	{"SIP/2.0 401", SERVER, SERVER, "ipsec-3gpp", "ipsec-4gpp", 0, NOTHING, NOTHING,
	 "no acceptable Security-Server"},
	{"SIP/2.0 401", SERVER, SERVER, "alg=hmac-", "alg=hmoc-", 0, NOTHING, NOTHING,
	 "no acceptable Security-Server"},
	/* SM6 altered: the UE repeats what it got (SU-10, ER-08) */
	{"SIP/2.0 401", SERVER, SERVER, "q=0.4", "q=0.3", 494, NEW, OLD, "494"},
	/* so that it takes another pair of algorithms: nothing it sends can be read */
	{"SIP/2.0 401", SERVER, SERVER, "q=0.9", "q=0.1", 0, NOTHING, NOTHING, ""},
	{"SIP/2.0 401", SERVER, SERVER, "ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc",
	 "ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-gcm", 494, NOTHING, NOTHING, ""},
	/* each field of SM7 in turn (SU-10, SU-11, ER-08) */
	{"REGISTER", VERIFY, VERIFY, "q=0.9", "q=0.8", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "alg=hmac-sha-1-96", "alg=hmac-md5-96", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "ealg=aes-cbc", "ealg=null", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "ipsec-3gpp;", "ipsec-3gpp;prot=ah;", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "ipsec-3gpp;", "ipsec-3gpp;mod=tun;", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "spi-c=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "spi-s=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "port-c=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, "port-s=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, VERIFY, VERIFY "tls;q=0.95, ", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, VERIFY, VERIFY, "X-Verify: ", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, CLIENT, "alg=hmac-sha-1-96", "alg=hmac-md5-96", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, CLIENT, "ealg=aes-cbc", "ealg=null", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, CLIENT, "spi-c=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, CLIENT, "spi-s=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, CLIENT, "port-c=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, CLIENT, "port-s=", NULL, 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, CLIENT, CLIENT, "X-Client: ", 494, NEW, OLD, "494"},
	{"REGISTER", VERIFY, "Call-ID: ", "Call-ID: ", "Call-ID: x", 403, NEW, OLD, ""},
	{"REGISTER", VERIFY, "Authorization: ", "u0@", "u1@", 403, NEW, OLD, "403"},
	{"REGISTER", VERIFY, "To: ", "u0@", "u1@", 403, NEW, OLD, "403"},
	/* the UE's answer is wrong (ER-02) */
	{"REGISTER", VERIFY, "Authorization: ", "response=\"", "response=\"0", 403, NEW, OLD,
	 "403"},
};

struct trial {
	const struct failure *f;
	struct net *net;
	bool armed, done;
	unsigned status;
	enum over over;
	char text[NET_TEXT];
};

static const char *find(const char *text, size_t n, const char *what)
{
	return memmem(text, n, what, strlen(what));
}

/* Of the first UE; its re-registration alone has Security-Verify in SM1, too. */
static bool is_meant(const struct trial *t, const struct net_packet *k)
{
	const struct failure *f = t->f;
	bool answers = find(k->text, k->n, "response=\"\"") == NULL;

	if (!t->armed || t->done || strncmp(k->text, f->begins, strlen(f->begins)) != 0)
		return false;
	if (f->holds == (const char *)VERIFY && !answers)
		return false;
	return find(k->text, k->n, f->holds) && find(k->text, k->n, "u0@");
}

static void note_answer(struct trial *t, const struct net_packet *k)
{
	const struct net_end *e = k->from;
	unsigned status;

	if (e != &t->net->edge || sscanf(k->text, "SIP/2.0 %u", &status) != 1 || status < 300 ||
	    status == 401 || !t->armed)
		return;
	t->status = status;
	if (!k->flow.set)
		t->over = CLEAR;
	else
		t->over = e->sas[k->flow.set % e->places].confirmed ? OLD : NEW;
}

/* Wherever it stands in the field; a digit only where it stands first. */
static struct sv altered(struct trial *t, const struct net_packet *k)
{
	const struct failure *f = t->f;
	const char *field = find(k->text, k->n, f->field), *end, *at, *from;
	struct sbuf b = sbuf_of(t->text, sizeof(t->text));
	size_t n = strlen(f->from);

	assert_non_null(field);
	end = memmem(field, k->n - (size_t)(field - k->text), "\r\n", 2);
	at = find(field, (size_t)(end - field), f->from);
	assert_non_null(at);
	for (from = k->text; at; at = find(from, (size_t)(end - from), f->from)) {
		sbuf_put(&b, (struct sv){from, (size_t)(at - from)});
		sbuf_put(&b, sv_of(f->to ? f->to : f->from));
		from = at + n;
		if (f->to)
			continue;
		sbuf_printf(&b, "%c", *from++ ^ 1); /* 2 and 3, 4 and 5, ... */
		break;
	}
	sbuf_put(&b, (struct sv){from, k->n - (size_t)(from - k->text)});
	assert_false(b.overflow);
	return sbuf_sv(&b);
}

static struct sv alter(struct net *n, const struct net_packet *k, void *arg)
{
	struct trial *t = arg;

	(void)n;
	note_answer(t, k);
	if (!is_meant(t, k))
		return (struct sv){0};
	t->done = true;
	return altered(t, k);
}

struct roles {
	const char *impi;
	unsigned n[PCSCF_SET_ENDING + 1];
};

static bool count_roles(void *arg, const struct pcscf_registration *r)
{
	struct roles *v = arg;

	for (unsigned i = 0; sv_eq(r->impi, sv_of(v->impi)) && i < r->n_sets; i++)
		v->n[r->sets[i].role]++;
	return true;
}

static void what_remains(struct net *n, bool again, sa_set_id old)
{
	struct roles v = {.impi = n->ues[0].impi};
	const struct sa_set *set = ue_current_set(n->ues[0].ue);

	pcscf_registration_each(n->pcscf, count_roles, &v);
	assert_int_equal(v.n[PCSCF_SET_NEW], 0);
	assert_int_equal(v.n[PCSCF_SET_OLD], 0);
	assert_int_equal(v.n[PCSCF_SET_CURRENT], again);
	assert_int_equal(ue_sets(n->ues[0].ue), again);
	assert_int_equal(ue_registered(n->ues[0].ue), again);
	assert_int_equal(set ? set->id : 0, old);
	assert_int_equal(net_counters(n).pending, 0);
}

static void fails(const struct failure *f, bool again)
{
	struct net_setup setup = {.ues = 2, .ip = 4, .challenge_protected = true};
	struct net *n = net_alloc(&setup);
	struct trial t = {.f = f, .net = n};
	enum over expected = again ? f->again : f->first;
	unsigned failed;
	sa_set_id old = 0;

	n->fate_arg = &t;
	n->alter = alter;
	if (again) {
		net_register(n, 0);
		net_run(n, 300000);
		old = ue_current_set(n->ues[0].ue)->id;
	}
	failed = n->ues[0].events[UE_FAILED];
	t.armed = true;
	assert_int_equal(ue_register(n->ues[0].ue, n->now), 0);
	net_run(n, 1);
	assert_true(t.done);
	if (expected != NOTHING) {
		assert_int_equal(t.status, f->status);
		assert_int_equal(t.over, expected);
		if (*f->says)
			assert_int_equal(n->ues[0].events[UE_FAILED], failed + 1);
	}
	if (f->says[0] && (!again || expected != NOTHING))
		assert_non_null(strstr(n->ues[0].text, f->says));
	t.armed = false;
	if (again && expected != NOTHING)
		net_run(n, 1000);
	else
		net_run(n,
			400000); /* what nobody answers ends by time; a registered UE tries again */
	if (expected != NOTHING || (!again && f->says[0]))
		what_remains(n, again, old);
	net_run(n, 400000);
	net_register(n, 0);
	assert_int_equal(ue_message(n->ues[0].ue, sv_of(n->ues[1].impu), SV("x"), n->now), 0);
	net_run(n, 300000); /* the old ones have gone with the answer */
	assert_int_equal(ue_sets(n->ues[0].ue), 1);
	assert_int_equal(net_sets(&n->ues[0].end), 1);
	assert_int_equal(net_sets(&n->edge), 1);
	net_free(n);
}

/* covers: ER-02, ER-04, ER-05, ER-07, ER-08, ER-09, SU-10, SU-11, SU-12, HX-13 */
static void each_way_to_fail(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_OF(failures); i++)
		for (unsigned again = 0; again < 2; again++)
			fails(&failures[i], again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_to_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
