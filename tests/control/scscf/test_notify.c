/* The notifier of the event package reg: NOTIFYs, re-authentication, the end of a registration. */
#include "tests/control/scscf/watcher.h"

#include <errno.h>
#include <stdio.h>

static void failed_notify_ends_it(void **state)
{
	static const struct {
		unsigned status; /* 0: no answer */
		const char *fields;
		unsigned left;
	} cases[] = {{481, "", 0},
		     {480, "", 0},
		     {503, "Retry-After: 5\r\n", 1},
		     {408, "", 0},
		     {0, "", 0}};
	struct core_pair *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct watcher w = {.call_id = (const char *const[]){"a", "b", "c", "d", "e"}[i]};
		unsigned before = scscf_subscriptions(t->c->scscf);

		watcher_subscribe(t->c, &w);
		if (cases[i].status)
			watcher_answer(t->c, 1, cases[i].status, cases[i].fields);
		else
			core_wait(t->c, 33000);
		assert_int_equal(scscf_subscriptions(t->c->scscf), before + cases[i].left);
	}
}

/* One NOTIFY at a time: what happens meanwhile comes in one document. */
static void news_while_notifying(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m;
	struct reginfo *r;

	watcher_subscribe(t->c, &(struct watcher){0});
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			scscf_reauthenticate(t->c->scscf, sv_of(t->a.impi), 100 + i, t->c->now), 0);
	mw_run(t->c->mw, t->c->now);
	assert_int_equal(t->c->n_received, 2);
	watcher_answer(t->c, 1, 200, "");
	assert_int_equal(t->c->n_received, 1);
	r = watcher_notified(t->c, 0, &m, "active;expires=600");
	assert_true(r->full);
	assert_int_equal(r->version, 1);
	assert_int_equal(r->contacts[0].event, REGINFO_SHORTENED);
	assert_int_equal(r->contacts[0].expires, 100); /* and never longer again */
	reginfo_free(r);
	watcher_answer(t->c, 0, 200, "");
	assert_int_equal(t->c->n_received, 0);
}

static void reauthenticate(struct core_pair *t, uint32_t expires)
{
	t->c->n_received = 0;
	assert_int_equal(scscf_reauthenticate(t->c->scscf, sv_of(t->a.impi), expires, t->c->now),
			 0);
	mw_run(t->c->mw, t->c->now);
}

/* covers: AK-14 */
static void shortened_and_challenged(void **state)
{
	struct core_pair *t = *state;
	char tag[64], tag2[64], nonce[256];

	assert_int_equal(ue_register(&t->a, &(struct reg_opts){.authorization = t->a.good,
							       .integrity = "yes",
							       .expires = "7200"}),
			 200);
	watcher_subscribed(t->c, &(struct watcher){.expires = "6000"}, tag);
	watcher_subscribed(t->c, &watcher_network, tag2);
	assert_int_equal(scscf_reauthenticate(t->c->scscf, SV("nobody@home.net"), 0, t->c->now),
			 -ENOENT);
	reauthenticate(t, 0); /* 600 s, as TS 24.229 5.4.1.6 has it */
	assert_int_equal(t->c->n_received, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(watcher_notified_all(t->c, i, "active;", REGINFO_ACTIVE,
						      REGINFO_SHORTENED, 600),
				 1);
	/* a refresh that shows the last good answer is challenged all the same, afresh */
	snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(t->a.challenge.nonce));
	assert_int_equal(ue_refresh(&t->a), 401);
	assert_false(sv_eq(t->a.challenge.nonce, sv_of(nonce)));
	assert_int_equal(ue_refresh(&t->a), 401); /* and again, until it answers */
	assert_int_equal(ue_respond(&t->a, UE_RIGHT), 200);
	assert_int_equal(ue_refresh(&t->a), 200); /* from now on as before */
	core_wait(t->c, 599000);
	assert_int_equal(scscf_registered(t->c->scscf), 2);
}

static void refresh_is_told_after_shortening(void **state)
{
	struct core_pair *t = *state;
	char tag[64];

	watcher_subscribed(t->c, &(struct watcher){0}, tag);
	assert_int_equal(ue_refresh(&t->a), 200);
	assert_int_equal(t->c->n_received, 1); /* the UE knows */
	reauthenticate(t, 300);
	watcher_answer(t->c, 0, 200, "");
	assert_int_equal(ue_refresh(&t->a), 401);
	assert_int_equal(ue_respond(&t->a, UE_RIGHT), 200);
	/* the 200 takes the way by the I-CSCF, so it comes behind */
	assert_int_equal(t->c->n_received, 2);
	assert_int_equal(
		watcher_notified_all(t->c, 0, "active;", REGINFO_ACTIVE, REGINFO_REFRESHED, 600),
		2);
}

/* De-registration needs no new run (AK-13). */
static void shortened_may_leave(void **state)
{
	struct core_pair *t = *state;

	reauthenticate(t, 300);
	assert_int_equal(ue_detach(&t->a), 200);
	assert_int_equal(scscf_registered(t->c->scscf), 1);
}

/* covers: AK-16 */
static void silent_ue_is_deregistered(void **state)
{
	struct core_pair *t = *state;
	char tag[64], tag2[64];

	watcher_subscribed(t->c, &watcher_network, tag2);
	watcher_subscribed(t->c, &(struct watcher){0}, tag);
	reauthenticate(t, 300);
	watcher_answer(t->c, 0, 200, "");
	core_wait(t->c, 1);
	core_wait(t->c, 299998);
	assert_int_equal(scscf_registered(t->c->scscf), 2);
	core_wait(t->c, 1);
	assert_int_equal(scscf_registered(t->c->scscf), 1);
	assert_int_equal(core_flag(t->c, 1), CX_NOT_REGISTERED);
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
}

/* covers: AK-16 */
static void silent_ue_is_asked_again(void **state)
{
	struct core_pair *t = *state;
	struct scscf_conf conf;
	struct core *c;
	struct ue u;
	char tag[64];

	(void)t;
	core_conf(&conf);
	conf.reauth_expires = 100;
	conf.reauth_repeats = 2;
	c = core_alloc(&conf, NULL);
	ue_init(&u, c, 1);
	ue_attach(&u);
	watcher_subscribed(c, &(struct watcher){0}, tag);
	c->n_received = 0;
	assert_int_equal(scscf_reauthenticate(c->scscf, sv_of(u.impi), 0, c->now), 0);
	mw_run(c->mw, c->now);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(c->n_received, 1);
		assert_int_equal(watcher_notified_all(c, 0, "active;", REGINFO_ACTIVE,
						      REGINFO_SHORTENED, 100),
				 1 + i);
		watcher_answer(c, 0, 200, "");
		core_wait(c, 99000);
		assert_int_equal(c->n_received, 0);
		core_wait(c, 1000);
	}
	assert_int_equal(c->n_received, 1);
	watcher_notified_all(c, 0, "terminated;reason=noresource", REGINFO_TERMINATED,
			     REGINFO_EXPIRED, 0);
	assert_int_equal(scscf_registered(c->scscf), 0);
	core_free(c);
}

static void terminated(struct core_pair *t, enum reginfo_event event)
{
	struct sip_msg m;

	assert_int_equal(t->c->n_received, 2);
	watcher_notified_all(t->c, 0, "terminated;reason=noresource", REGINFO_TERMINATED, event, 0);
	watcher_notified_all(t->c, 1, "terminated;reason=noresource", REGINFO_TERMINATED, event, 0);
	watcher_message(t->c, 0, &m); /* the UE first, since its P-CSCF will cut it off */
	assert_true(sv_eq(m.call_id, SV("s1")));
	watcher_message(t->c, 1, &m);
	assert_true(sv_eq(m.uri, SV(PCSCF_URI)));
	assert_true(sv_empty(sip_msg_value(&m, SIP_HDR_ROUTE)));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
}

static void ends(void **state)
{
	struct core_pair *t = *state;
	char tag[64];

	for (unsigned how = 0; how < 4; how++) {
		watcher_subscribed(t->c, &watcher_network, tag);
		watcher_subscribed(t->c, &(struct watcher){.expires = "6000"}, tag);
		t->c->n_received = 0;
		if (how == 0) {
			assert_int_equal(scscf_deregister(t->c->scscf, sv_of(t->a.impi), t->c->now),
					 0);
			mw_run(t->c->mw, t->c->now);
			terminated(t, REGINFO_DEACTIVATED);
		} else if (how == 1) {
			assert_int_equal(scscf_reject(t->c->scscf, sv_of(t->a.impi), t->c->now), 0);
			mw_run(t->c->mw, t->c->now);
			terminated(t, REGINFO_REJECTED);
		} else if (how == 2) {
			ue_detach(&t->a);
			assert_int_equal(watcher_status(t->c, 2), 200);
			t->c->n_received--;
			terminated(t, REGINFO_UNREGISTERED);
		} else {
			assert_int_equal(ue_refresh(&t->b), 200);
			core_wait(t->c, 599999);
			ue_refresh(&t->b);
			core_wait(t->c, 1);
			terminated(t, REGINFO_EXPIRED);
			break;
		}
		core_wait(t->c, 40000);
		ue_attach(&t->a);
		ue_refresh(&t->b);
	}
}

/* The last NOTIFY goes although the one before has no answer. */
static void ends_while_notifying(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m;

	watcher_subscribe(t->c, &(struct watcher){0});
	t->c->n_received = 0;
	assert_int_equal(scscf_deregister(t->c->scscf, sv_of(t->a.impi), t->c->now), 0);
	mw_run(t->c->mw, t->c->now);
	assert_int_equal(t->c->n_received, 1);
	reginfo_free(watcher_notified(t->c, 0, &m, "terminated;reason=noresource"));
	assert_int_equal(m.cseq, 2);
	watcher_subscribe(t->c, &(struct watcher){.call_id = "s3"});
	assert_int_equal(watcher_status(t->c, 0), 403); /* u1 is no user of ours any more */
}

/* Freed with subscriptions, timers and NOTIFYs under way: sanitizers and timers_count() look. */
static void freed_in_the_middle(void **state)
{
	struct core_pair *t = *state;
	char tag[64];

	watcher_subscribed(t->c, &watcher_network, tag);
	watcher_subscribe(t->c, &(struct watcher){0});
	scscf_free(t->c->scscf);
	assert_int_equal(timers_count(t->c->timers), 0);
	t->c->scscf = NULL;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, core_pair_setup, core_pair_teardown)
	const struct CMUnitTest tests[] = {
		T(failed_notify_ends_it),    T(news_while_notifying),
		T(shortened_and_challenged), T(refresh_is_told_after_shortening),
		T(shortened_may_leave),	     T(silent_ue_is_deregistered),
		T(silent_ue_is_asked_again), T(ends),
		T(ends_while_notifying),     T(freed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
