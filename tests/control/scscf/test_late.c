/* Cx answers that come later, as from an HSS elsewhere: interleavings, and an end in the middle. */
#include "tests/control/scscf/core.h"

static struct core *start(struct ue *u)
{
	struct scscf_conf conf;
	struct core *c;

	core_conf(&conf);
	c = core_alloc(&conf, NULL);
	ue_init(u, c, 1);
	return c;
}

/* The HSS answers what it has been asked so far. */
static void step(struct core *c)
{
	struct c_held held[C_HELD];
	unsigned n = c->n_held;

	memcpy(held, c->held, sizeof(held));
	c->n_held = 0;
	for (unsigned i = 0; i < n; i++) {
		struct cx hss = hss_cx(c->hss);

		held[i].r.impi.p = held[i].impi; /* the old place will be used again */
		held[i].r.impu.p = held[i].impu;
		held[i].r.scscf.p = held[i].scscf;
		hss.request(hss.ctx, &held[i].r, held[i].handler, held[i].arg, c->now);
	}
	mw_run(c->mw, c->now);
}

/* Until there is nothing more to ask: how many steps. */
static unsigned settle(struct core *c)
{
	unsigned steps = 0;

	for (; c->n_held && steps < 20; steps++)
		step(c);
	return steps;
}

static void test_slow_hss(void **state)
{
	struct ue u;
	struct core *c = start(&u);
	char value[1024];

	(void)state;
	c->hold = true;
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 0); /* nothing yet */
	assert_true(settle(c) >= 2);
	assert_int_equal(c->m.status, 401);
	assert_int_equal(
		auth_challenge_parse(&u.challenge, sip_msg_value(&c->m, SIP_HDR_WWW_AUTHENTICATE)),
		0);
	ue_answer(&u, UE_RIGHT, value, sizeof(value));
	ue_register(&u, &(struct reg_opts){.authorization = value, .integrity = "yes"});
	assert_int_equal(scscf_registered(c->scscf), 0);
	settle(c);
	assert_int_equal(c->m.status, 200);
	assert_int_equal(scscf_registered(c->scscf), 1);
	assert_int_equal(scscf_pending(c->scscf), 0);
	core_free(c);
}

/* covers: F20, DF-05 */
static void test_two_at_once(void **state)
{
	struct ue u;
	struct core *c = start(&u);

	(void)state;
	c->hold = true;
	ue_register(&u, &(struct reg_opts){0});
	ue_register(&u, &(struct reg_opts){0});
	c->n_received = 0;
	settle(c);
	assert_int_equal(c->n_received, 2); /* each has its 401; the second one counts */
	assert_int_equal(scscf_pending(c->scscf), 1);
	core_pass(c, 240 * 1000);
	settle(c);
	core_pass(c, 240 * 1000);
	settle(c);
	assert_int_equal(scscf_pending(c->scscf), 0);
	assert_int_equal(timers_count(c->timers), 0);
	assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
	core_free(c);
}

/* covers: F20 */
static void test_register_and_deregister(void **state)
{
	struct ue u;
	struct core *c = start(&u);

	(void)state;
	ue_attach(&u);
	c->hold = true;
	ue_detach(&u);
	ue_register(&u, &(struct reg_opts){0}); /* at once again */
	settle(c);
	assert_int_equal(scscf_registered(c->scscf), 0);
	assert_int_equal(c->m.status, 401);
	c->hold = false;
	assert_int_equal(
		auth_challenge_parse(&u.challenge, sip_msg_value(&c->m, SIP_HDR_WWW_AUTHENTICATE)),
		0);
	assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
	assert_int_equal(core_flag(c, 1), CX_REGISTERED);
	core_free(c);
}

/* The binding expires, or is removed by hand, while its owner's request waits. */
static void test_end_meanwhile(void **state)
{
	struct ue u;
	struct core *c = start(&u);

	(void)state;
	ue_attach(&u);
	c->hold = true;
	ue_detach(&u);
	step(c); /* past the I-CSCF: Cx-Put is under way */
	assert_int_equal(scscf_pending(c->scscf), 1);
	core_pass(c, 600 * 1000);
	settle(c);
	assert_int_equal(c->m.status, 200);
	assert_int_equal(scscf_registered(c->scscf) + scscf_pending(c->scscf), 0);

	ue_register(&u, &(struct reg_opts){0});
	assert_int_equal(scscf_deregister(c->scscf, sv_of(u.impi), c->now), -2 /* ENOENT */);
	settle(c);
	assert_int_equal(c->m.status, 401);
	core_pass(c, 240 * 1000);
	settle(c);
	assert_int_equal(timers_count(c->timers), 0);
	core_free(c);
}

/* The CSCFs are freed with questions open at each stage; the answers come after that. */
static void test_free_meanwhile(void **state)
{
	for (unsigned stage = 0; stage < 3; stage++) {
		struct ue u;
		struct core *c = start(&u);

		(void)state;
		if (stage == 2)
			ue_attach(&u);
		c->hold = true;
		if (stage == 2)
			ue_detach(&u);
		else
			ue_register(&u, &(struct reg_opts){0});
		if (stage > 0)
			step(c); /* past the I-CSCF */
		assert_int_equal(c->n_held, 1);
		core_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_hss),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_register_and_deregister),
		cmocka_unit_test(test_end_meanwhile),
		cmocka_unit_test(test_free_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
