/* Bindings: lifetimes, replacement, removal, management; and that nothing is left of many. */
#include "tests/control/scscf/core.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>

static struct core *start(void)
{
	struct scscf_conf conf;

	core_conf(&conf);
	return core_alloc(&conf, NULL);
}

static struct core *start_attached(struct ue *u)
{
	struct core *c = start();

	ue_init(u, c, 1);
	ue_attach(u);
	return c;
}

static unsigned refresh(struct ue *u, const char *contact, const char *expires)
{
	return ue_register(u, &(struct reg_opts){.authorization = u->good,
						 .integrity = "yes",
						 .contact = contact,
						 .expires = expires});
}

static void test_expires(void **state)
{
	static const struct {
		const char *contact, *expires, *granted;
	} cases[] = {
		{NULL, "60", "60"},
		{NULL, "7200", "7200"},
		{NULL, "7201", "7200"},
		{NULL, "99999999999999999999999", "7200"},
		{NULL, "", "3600"},			 /* the default */
		{NULL, "soon", "3600"},			 /* RFC 3261 10.3: malformed is 3600 */
		{"<sip:u@h>;expires=100", "600", "100"}, /* the parameter is stronger */
		{"<sip:u@h>;Expires=100", "0", "100"},
		{"sip:u@h;expires=100", "", "100"},
		{"<sip:old@h>;expires=0, <sip:u@h>;expires=100", "", "100"},
		{"<sip:u@h>;expires=101, <sip:old@h>;expires=0", "", "101"},
	};
	struct ue u;
	struct core *c = start_attached(&u);
	char expected[32];

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		const char *contact;

		assert_int_equal(refresh(&u, cases[i].contact, cases[i].expires), 200);
		snprintf(expected, sizeof(expected), ";expires=%s", cases[i].granted);
		contact = core_field(c, SIP_HDR_CONTACT);
		assert_string_equal(contact + strlen(contact) - strlen(expected), expected);
		assert_null(strstr(contact, "old"));
		assert_ptr_equal(strcasestr(contact, ";expires="),
				 contact + strlen(contact) - strlen(expected)); /* once */
	}
	core_free(c);
}

static void test_expiry(void **state)
{
	struct ue u;
	struct core *c = start_attached(&u);

	(void)state;
	core_pass(c, 300 * 1000);
	assert_int_equal(ue_refresh(&u), 200);
	core_pass(c, 599 * 1000);
	assert_int_equal(scscf_registered(c->scscf), 1);
	core_pass(c, 1000);
	assert_int_equal(scscf_registered(c->scscf), 0);
	assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
	assert_int_equal(scscf_pending(c->scscf), 0);
	assert_int_equal(timers_count(c->timers), 0);
	assert_int_equal(ue_refresh(&u), 401); /* no longer good without AKA */
	core_free(c);
}

/* covers: F08, F25 */
static void test_removal(void **state)
{
	static const struct {
		const char *contact, *expires;
		bool gone;
	} cases[] = {
		{NULL, "0", true},
		{"*", "0", true},
		{"<sip:u1@192.0.2.7:6001>;expires=0", "600", true},
		{"<sip:u1@192.0.2.7:6001;transport=udp>;q=1;expires=0", "", true},
		{"<sip:u1@192.0.2.7:6002>;expires=0", "", false}, /* another one */
		{"", "600", false},				  /* a question */
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct ue u;
		struct core *c = start_attached(&u);

		assert_int_equal(refresh(&u, cases[i].contact, cases[i].expires), 200);
		assert_int_equal(scscf_registered(c->scscf), cases[i].gone ? 0 : 1);
		assert_int_equal(core_flag(c, 1),
				 cases[i].gone ? CX_NOT_REGISTERED : CX_REGISTERED);
		if (cases[i].gone)
			assert_null(strstr(c->text, "Contact"));
		else
			assert_string_equal(core_field(c, SIP_HDR_CONTACT),
					    "<sip:u1@192.0.2.7:6001>;+g.3gpp.smsip;"
					    "+sip.instance=\"<urn:x:1>\";expires=600");
		assert_int_equal(scscf_pending(c->scscf), 0);
		/* the next REGISTER is challenged, even if it says it was protected */
		if (cases[i].gone)
			assert_int_equal(ue_refresh(&u), 401);
		core_free(c);
	}
}

/* Policy asks for AKA at each refresh, but who leaves may leave. */
static void test_removal_with_policy(void **state)
{
	struct scscf_conf conf;
	struct core *c;
	struct ue u;

	(void)state;
	core_conf(&conf);
	conf.challenge_protected = true;
	c = core_alloc(&conf, NULL);
	ue_init(&u, c, 1);
	ue_attach(&u);
	assert_int_equal(ue_refresh(&u), 401);
	assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
	assert_int_equal(ue_detach(&u), 200);
	assert_int_equal(scscf_registered(c->scscf), 0);
	core_free(c);
}

/* The URI's parameters are not the binding's. */
static void test_uri_parameters(void **state)
{
	struct ue u;
	struct core *c = start_attached(&u);

	(void)state;
	assert_int_equal(refresh(&u, "<sip:u@h;expires=5>", "600"), 200);
	assert_string_equal(core_field(c, SIP_HDR_CONTACT), "<sip:u@h;expires=5>;expires=600");
	core_free(c);
}

/* Removal by a UE that shows no answer takes AKA first, and removes nothing before. */
static void test_removal_in_clear(void **state)
{
	struct ue u;
	struct core *c = start_attached(&u);
	char value[1024];

	(void)state;
	assert_int_equal(ue_register(&u, &(struct reg_opts){.contact = "*", .expires = "0"}), 401);
	assert_int_equal(scscf_registered(c->scscf), 1);
	ue_answer(&u, UE_RIGHT, value, sizeof(value));
	assert_int_equal(ue_register(&u, &(struct reg_opts){.contact = "*",
							    .expires = "0",
							    .authorization = value,
							    .integrity = "yes"}),
			 200);
	assert_int_equal(scscf_registered(c->scscf), 0);
	assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
	core_free(c);
}

/* De-registration, or a question, of somebody who is not registered leaves the HSS's flag as it
 * was. */
static void test_removal_of_nothing(void **state)
{
	static const char *const contacts[] = {"*", "<sip:u1@192.0.2.7:6001>", ""};

	(void)state;
	for (unsigned i = 0; i < N_OF(contacts); i++) {
		struct core *c = start();
		char value[1024];
		struct reg_opts o = {.contact = contacts[i], .expires = "0"};
		struct ue u;

		ue_init(&u, c, 1);
		assert_int_equal(ue_register(&u, &o), 401);
		ue_answer(&u, UE_RIGHT, value, sizeof(value));
		o.authorization = value;
		o.integrity = "yes";
		assert_int_equal(ue_register(&u, &o), 200);
		assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
		assert_int_equal(scscf_registered(c->scscf) + scscf_pending(c->scscf), 0);
		assert_int_equal(timers_count(c->timers), 0);
		core_free(c);
	}
}

static bool keep_contact(void *arg, const struct scscf_binding *b)
{
	snprintf(arg, 256, "%.*s", SV_ARG(b->contact));
	return true;
}

/* covers: F29 */
static void test_new_contact(void **state)
{
	struct ue u;
	struct core *c = start_attached(&u);
	char contact[256];

	(void)state;
	snprintf(u.contact, sizeof(u.contact), "sip:u1@198.51.100.9:7000");
	snprintf(u.call_id, sizeof(u.call_id), "after-handover");
	u.cseq = 0;
	ue_attach(&u);
	assert_int_equal(scscf_registered(c->scscf), 1);
	scscf_binding_each(c->scscf, keep_contact, contact);
	assert_string_equal(contact, "sip:u1@198.51.100.9:7000");
	assert_int_equal(refresh(&u, "<sip:u1@192.0.2.7:6001>;expires=0", ""), 200);
	assert_int_equal(scscf_registered(c->scscf), 1); /* the old one was gone already */
	core_free(c);
}

/* RFC 3261 10.3 step 7 */
static void test_overtaken(void **state)
{
	struct ue u;
	struct core *c = start_attached(&u);

	(void)state;
	assert_int_equal(ue_refresh(&u), 200);
	u.cseq -= 2;
	assert_int_equal(ue_detach(&u), 500);
	assert_int_equal(scscf_registered(c->scscf), 1);
	u.cseq = 0; /* but a UE that has forgotten everything may come again */
	ue_attach(&u);
	core_free(c);
}

static void test_many_paths(void **state)
{
	struct ue u;
	struct core *c = start_attached(&u);
	struct reg_opts o = {.authorization = u.good,
			     .integrity = "yes",
			     .path = "<sip:a.net;lr>,<sip:b.net;lr>\r\nPath:  <sip:c.net;lr>"};

	(void)state;
	assert_int_equal(ue_register(&u, &o), 200);
	assert_string_equal(core_field(c, SIP_HDR_PATH),
			    "<sip:a.net;lr>, <sip:b.net;lr>, <sip:c.net;lr>");
	o.path = "";
	assert_int_equal(ue_register(&u, &o), 200);
	assert_null(sip_msg_find(&c->m, SIP_HDR_PATH));
	core_free(c);
}

/* The HSS has other identities for the subscriber than at first. */
static void test_changed_set(void **state)
{
	struct hss_subscriber s = {.n_impus = 2,
				   .impi = "u1@" C_REALM,
				   .impus = {"sip:u1@" C_REALM, "sip:new1@" C_REALM}};
	struct ue u;
	struct core *c = start_attached(&u);
	struct reg_opts o = {
		.authorization = u.good, .integrity = "yes", .impu = "sip:new1@" C_REALM};

	(void)state;
	assert_int_equal(hss_subscriber_del(c->hss, sv_of(u.impi)), 0);
	assert_int_equal(hss_subscriber_add(c->hss, &s), 0);
	assert_int_equal(ue_register(&u, &o), 200);
	assert_string_equal(core_field(c, SIP_HDR_P_ASSOCIATED_URI),
			    "<sip:u1@home.net>, <sip:new1@home.net>");
	assert_int_equal(scscf_registered(c->scscf), 1);
	ue_request(&u, "MESSAGE", "sip:new1@" C_REALM, "");
	assert_true(c->m.request);
	ue_request(&u, "MESSAGE", "tel:+491001", ""); /* no longer its own */
	assert_int_equal(c->m.status, 404);
	core_free(c);
}

/* ---- management --------------------------------------------------------------------------- */

struct seen {
	unsigned registered, pending, stop_at;
};

static bool count(void *arg, const struct scscf_binding *b)
{
	struct seen *s = arg;

	s->registered += b->registered;
	s->pending += !b->registered;
	assert_true(b->expires_at > 0);
	if (b->registered) {
		assert_int_equal(b->n_impus, 3);
		assert_true(sv_eq(b->path, SV("<sip:term@pcscf.visited.net;lr>")));
	} else {
		assert_int_equal(b->n_impus, 0);
	}
	return s->registered + s->pending != s->stop_at;
}

static void test_each(void **state)
{
	struct core *c = start();
	struct ue u[10];
	struct seen s = {0};

	(void)state;
	for (unsigned i = 0; i < N_OF(u); i++) {
		ue_init(&u[i], c, i);
		if (i < 6)
			ue_attach(&u[i]);
		else
			ue_register(&u[i], &(struct reg_opts){0});
	}
	scscf_binding_each(c->scscf, count, &s);
	assert_int_equal(s.registered, 6);
	assert_int_equal(s.pending, 4);
	s = (struct seen){.stop_at = 2};
	scscf_binding_each(c->scscf, count, &s);
	assert_int_equal(s.registered + s.pending, 2);
	core_free(c); /* with all of that in it */
}

static void test_deregister(void **state)
{
	struct ue u;
	struct core *c = start_attached(&u);

	(void)state;
	assert_int_equal(scscf_deregister(c->scscf, SV("nobody@home.net"), c->now), -ENOENT);
	assert_int_equal(scscf_deregister(c->scscf, sv_of(u.impi), c->now), 0);
	assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
	assert_int_equal(scscf_registered(c->scscf), 0);
	assert_int_equal(scscf_deregister(c->scscf, sv_of(u.impi), c->now), -ENOENT);
	core_free(c);
}

/* ---- leaks -------------------------------------------------------------------------------- */

static void one_life(struct ue *u, unsigned way)
{
	struct core *c = u->core;

	if (way == 0) { /* never answers */
		assert_int_equal(ue_register(u, &(struct reg_opts){0}), 401);
		core_pass(c, 240 * 1000);
		return;
	}
	if (way == 1) {
		assert_int_equal(ue_register(u, &(struct reg_opts){0}), 401);
		assert_int_equal(ue_respond(u, UE_WRONG_RES), 403);
		return;
	}
	ue_attach(u);
	if (way == 2)
		core_pass(c, 600 * 1000);
	else if (way == 3)
		assert_int_equal(scscf_deregister(c->scscf, sv_of(u->impi), c->now), 0);
	else
		assert_int_equal(ue_detach(u), 200);
}

/* covers: F21, F25 */
static void test_leaks(void **state)
{
	struct scscf_conf conf;
	struct core *c;
	struct ue u[50];
	size_t before = 0;

	(void)state;
	core_conf(&conf);
	conf.vectors = 2;
	c = core_alloc(&conf, NULL);
	for (unsigned i = 0; i < N_OF(u); i++)
		ue_init(&u[i], c, i);
	for (unsigned i = 0; i < 10000; i++) {
		if (i == 2000) {
			core_pass(c, 240 * 1000);
			before = mallinfo2().uordblks;
		}
		one_life(&u[i % N_OF(u)], i % 7);
		assert_int_equal(scscf_registered(c->scscf) + scscf_pending(c->scscf), 0);
	}
	core_pass(c, 240 * 1000); /* vectors in store go, too */
	assert_int_equal(timers_count(c->timers), 0);
	/* SQLite's pages come and go a little; 8000 lives that each lost a byte would show */
	assert_true(mallinfo2().uordblks < before + 8000);
	core_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_removal),
		cmocka_unit_test(test_removal_with_policy),
		cmocka_unit_test(test_uri_parameters),
		cmocka_unit_test(test_removal_in_clear),
		cmocka_unit_test(test_removal_of_nothing),
		cmocka_unit_test(test_new_contact),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_many_paths),
		cmocka_unit_test(test_changed_set),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_deregister),
		cmocka_unit_test(test_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
