/* The P-CSCF's subscription to the registration state of its UEs (TS 24.229 5.2.3). */
#include "tests/control/pcscf/rig.h"

#include <stdio.h>
#include <stdlib.h>

struct t {
	struct rig r;
	struct rig_ue u;
	char subscribe[RIG_TEXT]; /* its last SUBSCRIBE */
	struct sip_msg m;	  /* the same, read */
	char own[128];		  /* its Contact URI */
};

static void tweak(struct pcscf_conf *conf)
{
	conf->reg_event = true;
	conf->changeover = 100;
}

/* Keeps the SUBSCRIBE that the core got last. */
static void subscribe_keep(struct t *t)
{
	const struct rig_message *last = rig_last_core(&t->r);
	struct sip_addr a;

	assert_int_equal(last->m.method, SIP_SUBSCRIBE);
	memcpy(t->subscribe, last->text, RIG_TEXT);
	assert_int_equal(sip_msg_parse(&t->m, (struct sv){t->subscribe, last->m.raw.n}), 0);
	assert_int_equal(sip_addr_parse(&a, sip_msg_value(&t->m, SIP_HDR_CONTACT)), 0);
	snprintf(t->own, sizeof(t->own), "%.*s", SV_ARG(a.uri));
}

static void registered(struct rig *r, struct rig_ue *u, sa_set_id over)
{
	char verify[2048];

	rig_ue_fresh(u);
	snprintf(verify, sizeof(verify), "%s", u->verify);
	rig_register(r, u,
		     &(struct rig_register){.over = over,
					    .client = u->client,
					    .verify = over ? verify : NULL,
					    .expires = 3600});
	rig_challenge(r, u);
	rig_register(r, u,
		     &(struct rig_register){.over = u->set,
					    .client = u->client,
					    .verify = u->verify,
					    .authorization =
						    ", nonce=\"" RIG_NONCE "\", response=\"0123\"",
					    .expires = 3600});
	rig_ok(r, u, 3600);
}

static int setup(void **state)
{
	struct t *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	rig_init(&t->r, tweak);
	rig_ue_init(&t->u, "alice", "10.1.0.1");
	registered(&t->r, &t->u, 0);
	rig_run(&t->r, 0);
	subscribe_keep(t);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct t *t = *state;

	rig_end(&t->r);
	free(t);
	return 0;
}

struct notify { /* zero: a good one */
	const char *uri, *call_id, *to_tag, *from_tag, *event, *state, *type, *document;
	unsigned cseq;
};

static const char * or (const char *a, const char *b)
{
	return a ? a : b;
}

/* Sends it and returns the status of the answer. */
static unsigned notify(struct t *t, const struct notify *n)
{
	static unsigned serial;
	const char *document = or (n->document, "");
	char call_id[64], tag[64];

	snprintf(call_id, sizeof(call_id), "%.*s", SV_ARG(t->m.call_id));
	snprintf(tag, sizeof(tag), "%.*s", SV_ARG(t->m.from_tag));
	rig_from_core(&t->r,
		      "NOTIFY %s SIP/2.0\r\nVia: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKe%u\r\n"
		      "Max-Forwards: 70\r\nFrom: <sip:alice@home.test>;tag=%s\r\n"
		      "To: <sip:x>;tag=%s\r\nCall-ID: %s\r\nCSeq: %u NOTIFY\r\n"
		      "Contact: <sip:reg@" RIG_SCSCF ">\r\nEvent: %s\r\n"
		      "%s%s%sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
		      or (n->uri, t->own), ++serial, or (n->from_tag, "s"), or (n->to_tag, tag),
		      or (n->call_id, call_id), n->cseq ? n->cseq : 1, or (n->event, "reg"),
		      n->state && !n->state[0] ? "" : "Subscription-State: ",
		      or (n->state, "active;expires=3600"), n->state && !n->state[0] ? "" : "\r\n",
		      or (n->type, "application/reginfo+xml"), strlen(document), document);
	return rig_last_core(&t->r)->m.status;
}

struct look {
	sa_set_id id;
	uint64_t set;
	char contact[128];
};

static bool look_at(void *arg, const struct pcscf_registration *r)
{
	struct look *l = arg;

	snprintf(l->contact, sizeof(l->contact), "%.*s", SV_ARG(r->contact));
	for (unsigned i = 0; i < r->n_sets; i++)
		if (r->sets[i].set.id == l->id)
			l->set = r->sets[i].expires_at;
	return true;
}

/* One registration with the UE's Contact, or another one. */
static const char *part(struct t *t, const char *kind, unsigned version, const char *state,
			const char *event, const char *expires, const char *contact)
{
	static char text[2048];

	struct look l = {0};

	pcscf_registration_each(t->r.p, look_at, &l);
	snprintf(text, sizeof(text),
		 "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"%u\" state=\"%s\">"
		 "<registration aor=\"%s\" id=\"r\" state=\"%s\">"
		 "<contact id=\"c\" state=\"%s\" event=\"%s\" expires=\"%s\"><uri>%s</uri>"
		 "</contact></registration></reginfo>",
		 version, kind, t->u.impu, state, state, event, expires, or (contact, l.contact));
	return text;
}

static const char *document(struct t *t, unsigned version, const char *state, const char *event,
			    const char *expires, const char *contact)
{
	return part(t, "full", version, state, event, expires, contact);
}

/* ---- SUBSCRIBE ---------------------------------------------------------------------------- */

static void subscribes(void **state)
{
	struct t *t = *state;
	const struct rig_message *last = rig_last_core(&t->r);
	char path[160];

	assert_true(sv_eq(last->host, SV(RIG_ICSCF)));
	assert_true(sv_eq(t->m.uri, sv_of(t->u.impu)));
	snprintf(path, sizeof(path), "<%s>", t->own);
	assert_true(sv_eq(sip_msg_value(&t->m, SIP_HDR_P_ASSERTED_IDENTITY), sv_of(path)));
	assert_true(sv_eq(sip_msg_value(&t->m, SIP_HDR_EVENT), SV("reg")));
	assert_true(sv_eq(sip_msg_value(&t->m, SIP_HDR_EXPIRES), SV("600000")));
	assert_true(rig_holds(last, "Accept: application/reginfo+xml\r\n"));
	assert_true(sv_empty(t->m.to_tag));
	rig_answer(&t->r, 200, "Contact: <sip:reg@" RIG_SCSCF ">\r\nExpires: 1000\r\n");
	rig_forget(&t->r);
	rig_run(&t->r, 499000);
	assert_int_equal(t->r.core.n, 0);
	rig_run(&t->r, 1000);
	last = rig_last_core(&t->r);
	assert_true(sv_eq(last->host, SV(RIG_SCSCF)));
	assert_true(sv_eq(last->m.uri, SV("sip:reg@" RIG_SCSCF)));
	assert_false(sv_empty(last->m.to_tag));
	assert_int_equal(last->m.cseq, 2);
}

static void refused(void **state)
{
	static const struct {
		unsigned status; /* 0: no answer */
		bool again;	 /* after a minute */
	} cases[] = {{403, false}, {489, false}, {500, true}, {0, true}};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct t *t;

		setup((void **)&t);
		if (cases[i].status)
			rig_answer(&t->r, cases[i].status, "%s", "");
		else
			rig_run(&t->r, 32000);
		rig_forget(&t->r);
		rig_run(&t->r, 61000);
		assert_int_equal(t->r.core.n, cases[i].again);
		teardown((void **)&t);
	}
}

/* ---- NOTIFY ------------------------------------------------------------------------------- */

static void malformed(void **state)
{
	static const struct {
		struct notify n;
		unsigned status;
	} cases[] = {
		{{.call_id = "other"}, 481},
		{{.to_tag = "other"}, 481},
		{{.from_tag = "other"}, 481},
		{{.uri = "sip:0123456789abcdef@" RIG_HOST}, 481},
		{{.uri = "sip:" RIG_HOST}, 481},
		{{.event = "presence"}, 489},
		{{.state = ""}, 400},
		{{.type = "text/plain", .document = "x"}, 415},
		{{.document = "x"}, 400},
		{{.document = "<a><a><a><a><a><a><a><a><a>"}, 400},
		{{.document = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"}, 400},
		{{.cseq = 1}, 500},
	};
	struct t *t = *state;

	rig_answer(&t->r, 200, "Contact: <sip:reg@" RIG_SCSCF ">\r\nExpires: 9000\r\n");
	assert_int_equal(notify(t, &(struct notify){.cseq = 1, .from_tag = "s"}), 481);
	teardown(state);
	setup(state);
	t = *state;
	assert_int_equal(notify(t, &(struct notify){.cseq = 1}), 200); /* before the 200 */
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct notify n = cases[i].n;
		unsigned got;

		n.cseq = n.cseq ? n.cseq : 2;
		got = notify(t, &n);
		if (got != cases[i].status)
			fail_msg("case %u: %u", i, got);
	}
	assert_int_equal(rig_counters(&t->r).registered, 1);
	assert_int_equal(rig_installed(&t->r), 1);
}

/* ms from now that the set has; 0: it is gone. */
static uint64_t lifetime(struct t *t, sa_set_id id)
{
	struct look l = {.id = id};

	pcscf_registration_each(t->r.p, look_at, &l);
	return l.set ? l.set - t->r.now : 0;
}

/* covers: AK-17 */
static void shortened(void **state)
{
	struct t *t = *state;
	sa_set_id first = t->u.set;

	assert_int_equal(lifetime(t, first), 3630000);
	assert_int_equal(
		notify(t, &(struct notify){.document = document(t, 0, "active", "shortened", "9000",
								NULL)}),
		200);
	assert_int_equal(lifetime(t, first), 3630000); /* never longer */
	assert_int_equal(
		notify(t, &(struct notify){.cseq = 2,
					   .document = document(t, 1, "active", "shortened", "600",
								NULL)}),
		200);
	assert_int_equal(lifetime(t, first), 630000);
	/* another UE's Contact is none of ours */
	assert_int_equal(
		notify(t, &(struct notify){.cseq = 3,
					   .document = document(t, 2, "active", "shortened", "60",
								"sip:alice@10.1.0.9")}),
		200);
	assert_int_equal(lifetime(t, first), 630000);
	/* the authentication that follows: the old set for 100 s and not for what it had */
	registered(&t->r, &t->u, first);
	assert_int_equal(lifetime(t, first), 100000);
	assert_int_equal(lifetime(t, t->u.set), 3630000);
	rig_run(&t->r, 99000);
	assert_int_equal(rig_installed(&t->r), 2);
	rig_run(&t->r, 2000);
	assert_int_equal(rig_installed(&t->r), 1);
}

/* RFC 3680 5.1: a gap before a partial document; all of it is asked for, by the same dialog. */
static void gap_is_filled(void **state)
{
	struct t *t = *state;

	rig_answer(&t->r, 200, "Contact: <sip:reg@" RIG_SCSCF ">\r\nExpires: 600000\r\n");
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned versions[] = {0, 1, 3};

		rig_forget(&t->r);
		assert_int_equal(
			notify(t, &(struct notify){.cseq = i + 1,
						   .from_tag = "core",
						   .document = part(t, i ? "partial" : "full",
								    versions[i], "active",
								    "refreshed", "9000", NULL)}),
			200);
		rig_forget(&t->r);
		rig_run(&t->r, 1);
		assert_int_equal(t->r.core.n, i == 2);
	}
	assert_int_equal(rig_last_core(&t->r)->m.method, SIP_SUBSCRIBE);
	assert_false(sv_empty(rig_last_core(&t->r)->m.to_tag));
	rig_answer(&t->r, 200, "Expires: 0\r\n");
	rig_forget(&t->r);
	rig_run(&t->r, 9000);
	assert_int_equal(t->r.core.n, 0); /* but not without end */
	rig_run(&t->r, 2000);
	assert_int_equal(t->r.core.n, 1);
}

/* Without a word from the network the old set stays as long as it may. */
static void not_shortened(void **state)
{
	struct t *t = *state;
	sa_set_id first = t->u.set;

	registered(&t->r, &t->u, first);
	assert_int_equal(lifetime(t, first), 3630000);
}

static void shortened_and_silence(void **state)
{
	struct t *t = *state;

	assert_int_equal(notify(t, &(struct notify){.document = document(t, 0, "active",
									 "shortened", "60", NULL)}),
			 200);
	rig_run(&t->r, 61000);
	assert_int_equal(rig_counters(&t->r).registered, 0);
	rig_run(&t->r, 30000);
	assert_int_equal(rig_installed(&t->r), 0);
}

static void terminated(void **state)
{
	struct t *t = *state;

	assert_int_equal(notify(t, &(struct notify){.state = "terminated;reason=noresource",
						    .document = document(t, 0, "terminated",
									 "rejected", "0", NULL)}),
			 200);
	assert_int_equal(rig_counters(&t->r).registered, 0);
	assert_int_equal(rig_counters(&t->r).deregistrations, 1);
	/* no service, but repeats of the UE's own NOTIFY */
	rig_forget(&t->r);
	rig_request(&t->r, &t->u, t->u.set, "MESSAGE", "");
	assert_int_equal(t->r.core.n, 0);
	rig_run(&t->r, 31000);
	assert_int_equal(rig_installed(&t->r), 1);
	rig_run(&t->r, 2000);
	assert_int_equal(rig_installed(&t->r), 0);
	assert_int_equal(notify(t, &(struct notify){.cseq = 2}), 481);
}

/* The same UE comes back while its last set lingers: a new subscription. */
static void back_again(void **state)
{
	struct t *t = *state;
	char call_id[64];

	assert_int_equal(
		notify(t, &(struct notify){.state = "terminated;reason=noresource",
					   .document = document(t, 0, "terminated", "deactivated",
								"0", NULL)}),
		200);
	snprintf(call_id, sizeof(call_id), "%.*s", SV_ARG(t->m.call_id));
	registered(&t->r, &t->u, 0);
	rig_run(&t->r, 0);
	subscribe_keep(t);
	assert_false(sv_eq(t->m.call_id, sv_of(call_id)));
	assert_int_equal(rig_counters(&t->r).registered, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(subscribes),
		cmocka_unit_test(refused),
		T(malformed),
		T(shortened),
		T(not_shortened),
		T(gap_is_filled),
		T(shortened_and_silence),
		T(terminated),
		T(back_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
