/* The subscription to the own registration state, and NOTIFYs: good, bad, late (RFC 3680). */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct t {
	struct h *h;
	sa_set_id id;
	char call_id[64], tag[64];
};

static const char *tag_of(const char *value)
{
	const char *tag = strstr(value, ";tag=");

	return tag ? tag + 5 : "";
}

/* Registered, SUBSCRIBE sent and, if status is given, answered. */
static void start(struct t *t, uint32_t expires, unsigned status)
{
	struct ue_conf c;

	memset(t, 0, sizeof(*t));
	t->h = h_alloc();
	c = h_conf(t->h);
	c.reg_event = true;
	h_start(t->h, &c);
	t->id = h_register(t->h, expires);
	h_advance(t->h, 0);
	assert_memory_equal(h_last(t->h)->text, "SUBSCRIBE ", 10);
	snprintf(t->call_id, sizeof(t->call_id), "%s", h_field(h_last(t->h)->text, "Call-ID"));
	snprintf(t->tag, sizeof(t->tag), "%s", tag_of(h_field(h_last(t->h)->text, "From")));
	if (status)
		h_respond(t->h, h_last(t->h), t->id, status,
			  "Contact: <sip:reg@scscf1.home1.net>\r\nExpires: 7200\r\n"
			  "Record-Route: <sip:b@10.44.0.1:5105;lr>, <sip:a@p2.net;lr>\r\n");
}

struct notify { /* zero: a good one */
	const char *call_id, *to_tag, *from_tag, *event, *state, *type, *document;
	unsigned cseq;
};

static const char * or (const char *a, const char *b)
{
	return a ? a : b;
}

/* Sends it by the UE's set `id` and returns the status of its answer; 0: none. */
static unsigned notify_on(struct t *t, sa_set_id id, const struct notify *n)
{
	struct sip_flow from = h_flow(t->h, id);
	static unsigned serial;
	const char *document = or (n->document, "");
	char text[60000];
	unsigned before = t->h->n_sent;
	struct sip_msg m;

	snprintf(text, sizeof(text),
		 "NOTIFY sip:user1_public1@10.45.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 10.44.0.1:%u;branch=z9hG4bKn%u\r\nMax-Forwards: 69\r\n"
		 "From: <sip:user1_public1@home1.net>;tag=%s\r\n"
		 "To: <sip:user1_public1@home1.net>;tag=%s\r\n"
		 "Call-ID: %s\r\nCSeq: %u NOTIFY\r\nContact: <sip:reg@scscf1.home1.net>\r\n"
		 "Event: %s\r\n%s%s%sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
		 H_SERVER_PORT, ++serial, or (n->from_tag, "h"), or (n->to_tag, t->tag),
		 or (n->call_id, t->call_id), n->cseq ? n->cseq : 1, or (n->event, "reg"),
		 n->state && !n->state[0] ? "" : "Subscription-State: ",
		 or (n->state, "active;expires=7200"), n->state && !n->state[0] ? "" : "\r\n",
		 or (n->type, "application/reginfo+xml"), strlen(document), document);
	h_input(t->h, &from, text);
	if (t->h->n_sent == before)
		return 0;
	assert_int_equal(sip_msg_parse(&m, sv_of(t->h->sent[before].text)), 0);
	return m.status;
}

static unsigned notify(struct t *t, const struct notify *n)
{
	return notify_on(t, t->id, n);
}

/* A document with one registration and one contact. */
static const char *document(unsigned version, const char *kind, const char *state,
			    const char *event, const char *expires, const char *contact)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
		 "version=\"%u\" state=\"%s\"><registration aor=\"sip:user1_public1@home1.net\" "
		 "id=\"r\" state=\"%s\"><contact id=\"c\" state=\"%s\" event=\"%s\"%s%s%s>"
		 "<uri>%s</uri></contact></registration></reginfo>",
		 version, kind, state, state, event, expires ? " expires=\"" : "",
		 expires ? expires : "", expires ? "\"" : "",
		 contact ? contact : "sip:user1_public1@10.45.0.1:5060");
	return text;
}

/* ---- SUBSCRIBE ---------------------------------------------------------------------------- */

static void subscribe_text(void **state)
{
	struct t t;
	const char *text;

	(void)state;
	start(&t, 600000, 0);
	text = h_last(t.h)->text;
	assert_memory_equal(text, "SUBSCRIBE sip:user1_public1@home1.net SIP/2.0\r\n", 47);
	assert_int_equal(h_last(t.h)->flow.set, t.id);
	assert_string_equal(h_field(text, "Event"), "reg");
	assert_string_equal(h_field(text, "Expires"), "600000");
	assert_string_equal(h_field(text, "Accept"), "application/reginfo+xml");
	assert_string_equal(h_field(text, "Route"),
			    "<sip:10.44.0.1:5105;lr>, <sip:orig@scscf1.home1.net;lr>");
	assert_string_equal(h_field(text, "To"), "<sip:user1_public1@home1.net>");
	h_respond(t.h, h_last(t.h), t.id, 200,
		  "Contact: <sip:reg@scscf1.home1.net>\r\nExpires: 7200\r\n"
		  "Record-Route: <sip:b@10.44.0.1:5105;lr>, <sip:a@p2.net;lr>\r\n");
	/* in the dialog from now on, 600 s before its end */
	h_advance(t.h, 6600000);
	text = h_last(t.h)->text;
	assert_memory_equal(text, "SUBSCRIBE sip:reg@scscf1.home1.net SIP/2.0\r\n", 44);
	assert_string_equal(h_field(text, "Route"), "<sip:a@p2.net;lr>, <sip:b@10.44.0.1:5105;lr>");
	assert_string_equal(h_field(text, "Call-ID"), t.call_id);
	assert_string_equal(h_field(text, "CSeq"), "2 SUBSCRIBE");
	assert_true(strlen(tag_of(h_field(text, "To"))) > 0);
	/* the S-CSCF has forgotten it: at once a new one */
	h_respond(t.h, h_last(t.h), t.id, 481, "");
	h_advance(t.h, 0);
	text = h_last(t.h)->text;
	assert_memory_equal(text, "SUBSCRIBE sip:user1_public1@home1.net SIP/2.0\r\n", 47);
	assert_string_not_equal(h_field(text, "Call-ID"), t.call_id);
	h_free(t.h);
}

static void subscribe_refused(void **state)
{
	static const struct {
		unsigned status; /* 0: no answer */
		bool again;	 /* after a minute */
	} cases[] = {{403, false}, {489, false}, {500, true}, {503, true}, {481, true}, {0, true}};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct t t;
		unsigned before;

		start(&t, 600000, cases[i].status);
		if (!cases[i].status)
			h_advance(t.h, 129000);
		before = t.h->n_sent;
		h_advance(t.h, 58000);
		assert_int_equal(t.h->n_sent, before);
		h_advance(t.h, 2500);
		assert_int_equal(t.h->n_sent, before + cases[i].again);
		h_free(t.h);
	}
}

/* ---- NOTIFY ------------------------------------------------------------------------------- */

static void notify_refused(void **state)
{
	static char large[40000];
	static const struct {
		struct notify n;
		unsigned status;
	} cases[] = {
		{{.call_id = "other"}, 481},
		{{.to_tag = "other"}, 481},
		{{.from_tag = "other"}, 481},
		{{.event = "presence"}, 489},
		{{.event = "regs"}, 489},
		{{.state = ""}, 400},
		{{.type = "text/plain", .document = "hello"}, 415},
		{{.document = "hello"}, 400},
		{{.document = "<reginfo/>"}, 400},
		{{.document = "<!DOCTYPE a><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
			      "version=\"0\" state=\"full\"/>"},
		 400},
		{{.document = large}, 413},
	};
	struct t t;

	(void)state;
	memset(large, ' ', sizeof(large) - 1);
	start(&t, 600000, 200);
	assert_int_equal(notify(&t, &(struct notify){.cseq = 5}), 481); /* another From tag */
	h_free(t.h);

	start(&t, 600000, 0); /* the NOTIFY comes before the 200 (RFC 6665 4.4.1) */
	assert_int_equal(notify(&t, &(struct notify){.cseq = 5}), 200);
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct notify n = cases[i].n;
		unsigned got;

		n.cseq = 6;
		got = notify(&t, &n);
		if (got != cases[i].status)
			fail_msg("case %u: %u", i, got);
	}
	assert_int_equal(notify(&t, &(struct notify){.cseq = 5}), 500); /* overtaken */
	assert_int_equal(notify(&t, &(struct notify){.cseq = 6}), 200);
	assert_true(ue_registered(t.h->ue));
	assert_int_equal(t.h->events[UE_SHORTENED] + t.h->events[UE_DEREGISTERED], 0);
	h_free(t.h);
}

static void not_subscribed(void **state)
{
	struct t t = {.h = h_alloc(), .call_id = "c", .tag = "t"};
	struct ue_conf c = h_conf(t.h);

	(void)state;
	h_start(t.h, &c);
	t.id = h_register(t.h, 3600);
	h_advance(t.h, 0);
	assert_memory_equal(h_last(t.h)->text, "REGISTER ", 9);
	assert_int_equal(notify(&t, &(struct notify){.document = document(0, "full", "terminated",
									  "rejected", NULL, NULL)}),
			 481);
	assert_true(ue_registered(t.h->ue));
	h_free(t.h);
}

/* covers: AK-15, AK-17 */
static void shortened(void **state)
{
	static const struct {
		const char *expires, *contact;
		unsigned at; /* s until the REGISTER leaves; 0: none because of it */
	} cases[] = {{"600", NULL, 300},
		     {"60", NULL, 30},
		     {"0", NULL, 0},
		     {"3600", NULL, 3000},
		     {"900000", NULL, 599400}, /* never longer */
		     {"60", "sip:user1_public1@10.45.0.2:5060", 599400},
		     {"60", "sip:other@10.45.0.1:5060", 599400}};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct t t;
		unsigned before;

		start(&t, 600000, 0);
		assert_int_equal(
			notify(&t, &(struct notify){.document = document(
							    0, "full", "active", "shortened",
							    cases[i].expires, cases[i].contact)}),
			200);
		assert_int_equal(t.h->events[UE_SHORTENED], cases[i].contact ? 0 : 1);
		h_respond(t.h, &t.h->sent[2], t.id, 200,
			  "Contact: <sip:reg@scscf1.home1.net>\r\nExpires: 600000\r\n");
		before = t.h->n_sent;
		if (cases[i].at) {
			h_advance(t.h, cases[i].at * 1000 - 1);
			for (unsigned k = before; k < t.h->n_sent; k++)
				assert_memory_not_equal(t.h->sent[k].text, "REGISTER ", 9);
		}
		h_advance(t.h, 2);
		assert_memory_equal(h_last(t.h)->text, "REGISTER ", 9);
		assert_int_equal(h_last(t.h)->flow.set, t.id);
		h_free(t.h);
	}
}

/* Nobody answers: registration and SAs end when the network said, not hours later. */
/* covers: AK-17 */
static void shortened_and_silence(void **state)
{
	struct t t;

	(void)state;
	start(&t, 600000, 0);
	assert_int_equal(
		notify(&t, &(struct notify){.document = document(0, "full", "active", "shortened",
								 "100", NULL)}),
		200);
	h_advance(t.h, 129000);
	assert_true(ue_registered(t.h->ue));
	h_advance(t.h, 2000);
	assert_false(ue_registered(t.h->ue));
	assert_int_equal(h_installed(t.h), 0);
	h_free(t.h);
}

static void versions(void **state)
{
	struct t t;

	(void)state;
	start(&t, 600000, 0);
	assert_int_equal(
		notify(&t, &(struct notify){.cseq = 1,
					    .document = document(7, "full", "active", "registered",
								 "9000", NULL)}),
		200);
	h_respond(t.h, &t.h->sent[2], t.id, 200,
		  "Contact: <sip:reg@scscf1.home1.net>\r\nExpires: 600000\r\n");
	/* older than what it knows */
	assert_int_equal(notify(&t, &(struct notify){.cseq = 2,
						     .document = document(6, "full", "terminated",
									  "rejected", NULL, NULL)}),
			 200);
	assert_true(ue_registered(t.h->ue));
	/* the one that follows: nothing is missing */
	assert_int_equal(
		notify(&t, &(struct notify){.cseq = 3,
					    .document = document(8, "partial", "active",
								 "refreshed", "9000", NULL)}),
		200);
	h_advance(t.h, 1);
	assert_memory_equal(h_last(t.h)->text, "SIP/2.0 200", 11);
	/* a gap: it asks for all (RFC 3680 5.1) */
	assert_int_equal(
		notify(&t, &(struct notify){.cseq = 4,
					    .state = "active;expires=600000",
					    .document = document(10, "partial", "active",
								 "refreshed", "9000", NULL)}),
		200);
	h_advance(t.h, 1);
	assert_memory_equal(h_last(t.h)->text, "SUBSCRIBE sip:reg@", 18);
	h_respond(t.h, h_last(t.h), t.id, 200,
		  "Contact: <sip:reg@scscf1.home1.net>\r\nExpires: 600000\r\n");
	/* all of it has come: as long as the notifier says, but not for ever anew */
	assert_int_equal(
		notify(&t, &(struct notify){.cseq = 5,
					    .state = "active;expires=0",
					    .document = document(11, "full", "active", "refreshed",
								 "9000", NULL)}),
		200);
	h_advance(t.h, 1000);
	assert_memory_equal(h_last(t.h)->text, "SIP/2.0 200", 11);
	h_advance(t.h, 10000);
	assert_memory_equal(h_last(t.h)->text, "SUBSCRIBE sip:reg@", 18);
	h_free(t.h);
}

static void terminated(void **state)
{
	static const struct {
		const char *event;
		bool again; /* registers again, in clear */
	} cases[] = {{"rejected", false},
		     {"unregistered", false},
		     {"deactivated", true},
		     {"expired", true}};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct t t;

		start(&t, 600000, 0);
		assert_int_equal(
			notify(&t,
			       &(struct notify){.state = "terminated;reason=noresource",
						.document = document(0, "full", "terminated",
								     cases[i].event, NULL, NULL)}),
			200);
		assert_int_equal(t.h->events[UE_DEREGISTERED], 1);
		assert_string_equal(t.h->text, cases[i].event);
		assert_false(ue_registered(t.h->ue));
		h_advance(t.h, 0);
		if (cases[i].again) {
			assert_memory_equal(h_last(t.h)->text, "REGISTER ", 9);
			assert_int_equal(h_last(t.h)->flow.set, 0);
		} else {
			assert_memory_equal(h_last(t.h)->text, "SIP/2.0 200", 11);
		}
		/* the SAs stay until the NOTIFY's transaction ends (TS 24.229 5.1.1.7) */
		h_advance(t.h, 127000);
		assert_int_equal(h_installed(t.h), 1);
		h_advance(t.h, 3000);
		assert_int_equal(h_installed(t.h), 0);
		h_free(t.h);
	}
}

/* Another UE of the same identity leaves; a partial document about another identity. */
static void others_leave(void **state)
{
	struct t t;
	char text[2048];
	const char *one;

	(void)state;
	start(&t, 600000, 0);
	one = document(0, "full", "terminated", "rejected", NULL, "sip:user1_public1@10.45.0.9");
	assert_int_equal(notify(&t, &(struct notify){.cseq = 1, .document = one}), 200);
	assert_true(ue_registered(t.h->ue));
	snprintf(text, sizeof(text), "%s",
		 document(1, "partial", "terminated", "rejected", NULL, NULL));
	memcpy(strstr(text, "user1_public1@home1"), "userX_public1@home1", 19);
	assert_int_equal(notify(&t, &(struct notify){.cseq = 2, .document = text}), 200);
	assert_true(ue_registered(t.h->ue));
	h_free(t.h);
}

/* The subscription ends, the registration does not (RFC 6665 4.1.3). */
static void subscription_ends(void **state)
{
	static const struct {
		const char *state;
		int after; /* s; -1: no new one */
	} cases[] = {{"terminated;reason=deactivated", 0},
		     {"terminated;reason=timeout", 0},
		     {"Terminated ; reason=probation;retry-after=7", 7},
		     {"terminated;reason=giveup", 60},
		     {"terminated", 60},
		     {"terminated;reason=rejected", -1},
		     {"terminated;reason=noresource", -1}};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct t t;
		unsigned before;

		start(&t, 600000, 0);
		assert_int_equal(notify(&t, &(struct notify){.cseq = 1}), 200);
		h_respond(t.h, &t.h->sent[2], t.id, 200,
			  "Contact: <sip:reg@scscf1.home1.net>\r\nExpires: 600000\r\n");
		assert_int_equal(notify(&t, &(struct notify){.cseq = 2, .state = cases[i].state}),
				 200);
		before = t.h->n_sent;
		if (cases[i].after > 0) {
			h_advance(t.h, (uint64_t)cases[i].after * 1000 - 1);
			assert_int_equal(t.h->n_sent, before);
		}
		h_advance(t.h, cases[i].after < 0 ? 1000000 : 1);
		if (t.h->n_sent != before + (cases[i].after >= 0))
			fail_msg("%s", cases[i].state);
		assert_true(ue_registered(t.h->ue));
		h_free(t.h);
	}
}

/* Its own de-registration is under way: the NOTIFY about it changes nothing. */
static void own_end(void **state)
{
	struct t t;

	(void)state;
	start(&t, 600000, 0);
	assert_int_equal(ue_deregister(t.h->ue, t.h->now), 0);
	assert_int_equal(
		notify(&t, &(struct notify){.state = "terminated;reason=noresource",
					    .document = document(0, "full", "terminated",
								 "unregistered", NULL, NULL)}),
		200);
	assert_int_equal(t.h->events[UE_DEREGISTERED], 0);
	h_respond(t.h, &t.h->sent[3], t.id, 200, "");
	assert_int_equal(t.h->events[UE_DEREGISTERED], 1);
	assert_string_equal(t.h->text, "");
	h_free(t.h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subscribe_text), cmocka_unit_test(subscribe_refused),
		cmocka_unit_test(notify_refused), cmocka_unit_test(not_subscribed),
		cmocka_unit_test(shortened),	  cmocka_unit_test(shortened_and_silence),
		cmocka_unit_test(versions),	  cmocka_unit_test(terminated),
		cmocka_unit_test(others_leave),	  cmocka_unit_test(subscription_ends),
		cmocka_unit_test(own_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
