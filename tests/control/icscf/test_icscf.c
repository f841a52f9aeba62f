/* The I-CSCF between a test that is the P-CSCF, a test that is the S-CSCF "other.net", and the HSS.
 */
#include "tests/control/scscf/core.h"

#include <errno.h>
#include <stdio.h>

struct t {
	struct core *c;
	struct ue u;
	char text[8192]; /* the last message at other.net */
	struct sip_msg m;
	unsigned n;
};

static void at_other(void *arg, struct sv text, uint64_t now)
{
	struct t *t = arg;

	(void)now;
	t->n++;
	snprintf(t->text, sizeof(t->text), "%.*s", SV_ARG(text));
	assert_int_equal(sip_msg_parse(&t->m, sv_of(t->text)), 0);
}

static int setup(void **state)
{
	struct t *t = test_calloc(1, sizeof(*t));
	struct scscf_conf conf;

	core_conf(&conf);
	t->c = core_alloc(&conf, NULL);
	ue_init(&t->u, t->c, 1);
	assert_int_equal(mw_attach(t->c->mw, SV("other.net"), at_other, t), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct t *t = *state;

	core_free(t->c);
	test_free(t);
	return 0;
}

static void ignore(void *arg, const struct cx_answer *a, uint64_t now)
{
	(void)arg;
	(void)now;
	assert_int_equal(a->result, CX_SUCCESS);
}

/* The HSS notes that another S-CSCF has the user. */
static void assign(struct t *t, const char *scscf)
{
	struct cx hss = hss_cx(t->c->hss);
	const struct cx_request r = {.command = CX_SAR,
				     .impi = sv_of(t->u.impi),
				     .impu = sv_of(t->u.impu),
				     .scscf = sv_of(scscf),
				     .put = CX_REGISTERED};

	hss.request(hss.ctx, &r, ignore, NULL, 0);
}

static void request(struct t *t, const char *method, const char *uri, const char *fields)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "%s %s SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n"
		 "Max-Forwards: 10\r\nFrom: <sip:x@y>;tag=f\r\nTo: <sip:u1@home.net>\r\n"
		 "Call-ID: i\r\nCSeq: 1 %s\r\n%s\r\n",
		 method, uri, method, fields);
	t->n = 0;
	core_send(t->c, "icscf.home.net", text);
}

/* covers: AK-06 */
static void test_register(void **state)
{
	struct t *t = *state;
	struct sip_via via;

	/* nobody has the user: the S-CSCF of the configuration gets it and answers */
	assert_int_equal(ue_register(&t->u, &(struct reg_opts){0}), 401);
	assert_int_equal(t->n, 0);
	assert_int_equal(icscf_queries(t->c->icscf), 1);
	/* the HSS names one */
	assign(t, "sip:other.net");
	assert_int_equal(ue_register(&t->u, &(struct reg_opts){0}), 0);
	assert_int_equal(t->n, 1);
	assert_int_equal(icscf_queries(t->c->icscf), 2);
	assert_true(sv_eq(t->m.uri, SV("sip:other.net")));
	assert_int_equal(sip_via_top(&via, &t->m), 0);
	assert_true(sv_eq(via.host, SV("icscf.home.net")));
	assert_true(sv_eq(sip_msg_value(&t->m, SIP_HDR_MAX_FORWARDS), SV("68")));
	assert_non_null(strstr(t->text, "uri=\"sip:home.net\"")); /* the digest's is untouched */
}

static void test_register_route(void **state)
{
	struct t *t = *state;

	assign(t, "sip:other.net");
	request(t, "REGISTER", "sip:home.net", "Route: <sip:icscf.home.net;lr>\r\n");
	assert_int_equal(t->n, 1);
	assert_null(sip_msg_find(&t->m, SIP_HDR_ROUTE));
}

static void test_register_refused(void **state)
{
	static const struct {
		const char *to_and_more;
		unsigned status;
	} cases[] = {
		{"To: <sip:nobody@home.net>\r\n", 403},
		{"To: <tel:+491001>\r\n", 400}, /* no IMPI follows from it */
		{"To: <mailto:x@y>\r\n", 400},
		{"To: <sip:u1@home.net>\r\nAuthorization: Digest username=\"u2@home.net\"\r\n",
		 403},
		{"To: <sip:u2@home.net>\r\nAuthorization: Digest username=\"u1@home.net\"\r\n",
		 403},
		{"To: <sip:u1@home.net>\r\nAuthorization: Digest realm=\"home.net\"\r\n", 400},
		{"To: <sip:u1@home.net>\r\nMax-Forwards: 0\r\n", 483},
		{"To: <sip:u1@home.net>\r\nProxy-Require: x\r\n", 420},
	};
	struct t *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		char text[1024];

		snprintf(text, sizeof(text),
			 "REGISTER sip:home.net SIP/2.0\r\n"
			 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n"
			 "From: <sip:x@y>;tag=f\r\n%sCall-ID: i\r\nCSeq: 1 REGISTER\r\n\r\n",
			 cases[i].to_and_more);
		core_send(t->c, "icscf.home.net", text);
		assert_int_equal(t->c->n_received, 1);
		assert_int_equal(t->c->m.status, cases[i].status);
	}
}

static void test_terminating(void **state)
{
	static const char *const uris[] = {"sip:u1@home.net", "tel:+491001",
					   "sip:alias1@home.net:5060",
					   "sip:+491001@home.net;user=phone"};
	struct t *t = *state;

	assign(t, "sip:other.net");
	for (unsigned i = 0; i < N_OF(uris); i++) {
		request(t, "INVITE", uris[i], "Route: <sip:icscf.home.net;lr>\r\n");
		assert_int_equal(t->n, 1);
		assert_true(sv_eq(t->m.uri, sv_of(uris[i]))); /* the S-CSCF reads it */
		assert_true(sv_eq(sip_msg_value(&t->m, SIP_HDR_ROUTE), SV("<sip:other.net;lr>")));
		assert_true(sv_eq(sip_msg_value(&t->m, SIP_HDR_MAX_FORWARDS), SV("9")));
		assert_null(sip_msg_find(&t->m, SIP_HDR_RECORD_ROUTE));
	}
}

static void test_terminating_refused(void **state)
{
	static const struct {
		const char *method, *uri;
		unsigned status; /* 0: dropped */
	} cases[] = {
		{"MESSAGE", "sip:nobody@home.net", 404},
		{"MESSAGE", "tel:+4999", 404},
		{"MESSAGE", "sip:+4999@home.net;user=phone", 404},
		{"MESSAGE", "http://home.net", 404},
		{"MESSAGE", "sip:u1@home.net", 480}, /* not registered */
		{"MESSAGE", "sip:+491001@home.net;user=phone", 480},
		{"ACK", "sip:nobody@home.net", 0},
		{"OPTIONS", "sip:icscf.home.net", 200},
		{"MESSAGE", "sip:icscf.home.net", 405},
	};
	struct t *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		request(t, cases[i].method, cases[i].uri, "");
		assert_int_equal(t->c->n_received, cases[i].status ? 1 : 0);
		assert_int_equal(t->c->m.status, cases[i].status);
	}
	assert_int_equal(icscf_dropped(t->c->icscf), 1);
}

static void test_unreachable(void **state)
{
	struct t *t = *state;

	assign(t, "sip:nowhere.net");
	request(t, "MESSAGE", "sip:u1@home.net", "");
	assert_int_equal(t->c->m.status, 504);
	assert_int_equal(ue_register(&t->u, &(struct reg_opts){0}), 504);
	assign(t, "garbage");
	request(t, "MESSAGE", "sip:u1@home.net", "");
	assert_int_equal(t->c->m.status, 500);
}

static void answer_with(void *ctx, const struct cx_request *r, cx_answer_h *handler, void *arg,
			uint64_t now)
{
	const struct cx_answer a = {.result = *(enum cx_result *)ctx};

	(void)r;
	handler(arg, &a, now);
}

static void test_hss_failure(void **state)
{
	static const struct {
		enum cx_result result;
		unsigned to_register, to_message;
	} cases[] = {
		{CX_USER_UNKNOWN, 403, 404},
		{CX_IDENTITIES_DONT_MATCH, 403, 404},
		{CX_NOT_ALLOWED, 403, 404},
		{CX_UNABLE, 480, 480},
	};
	struct t *t = *state;
	enum cx_result result;
	const struct icscf_conf conf = {.host = "door.net", .scscf_host = "other.net"};
	const struct cx cx = {.ctx = &result, .request = answer_with};
	struct icscf *i;

	assert_int_equal(icscf_alloc(&i, &conf, t->c->mw, cx), 0);
	for (unsigned k = 0; k < N_OF(cases); k++) {
		static const char *const methods[] = {"REGISTER", "MESSAGE"};

		result = cases[k].result;
		for (unsigned m = 0; m < 2; m++) {
			char text[1024];

			snprintf(text, sizeof(text),
				 "%s sip:u1@home.net SIP/2.0\r\n"
				 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n"
				 "From: <sip:x@y>;tag=f\r\nTo: <sip:u1@home.net>\r\n"
				 "Call-ID: i\r\nCSeq: 1 %s\r\n\r\n",
				 methods[m], methods[m]);
			core_send(t->c, "door.net", text);
			assert_int_equal(t->c->m.status,
					 m ? cases[k].to_message : cases[k].to_register);
		}
	}
	icscf_free(i);
	assert_int_equal(mw_send(t->c->mw, SV("door.net"), SV("x")), -ENOENT);
}

static void test_response(void **state)
{
	struct t *t = *state;

	core_send(t->c, "icscf.home.net",
		  "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/TCP icscf.home.net;branch=z9hG4bK2\r\n"
		  "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\nFrom: <sip:x@y>;tag=f\r\n"
		  "To: <sip:x@y>;tag=t\r\nCall-ID: i\r\nCSeq: 1 REGISTER\r\n\r\n");
	assert_int_equal(t->c->m.status, 401);
	assert_true(sv_eq(t->c->m.branch, SV("z9hG4bK1")));
	core_send(t->c, "icscf.home.net", "what?");
	assert_int_equal(t->c->n_received, 0);
	assert_int_equal(icscf_dropped(t->c->icscf), 1);
}

/* The HSS takes its time; the second message does not wait for the first. */
static void test_late_answer(void **state)
{
	struct t *t = *state;

	assign(t, "sip:other.net");
	t->c->hold = true;
	request(t, "INVITE", "sip:u1@home.net", "");
	request(t, "CANCEL", "sip:u1@home.net", "");
	assert_int_equal(t->n, 0);
	core_let_go(t->c);
	assert_int_equal(t->n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_register, setup, teardown),
		cmocka_unit_test_setup_teardown(test_register_route, setup, teardown),
		cmocka_unit_test_setup_teardown(test_register_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terminating, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terminating_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreachable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hss_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_response, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_answer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
