/* The stateless proxy that I-CSCF and S-CSCF share (RFC 3261 16.3, 16.6, 16.7, 16.11). */
#include "tests/support/test.h"

#include <errno.h>

#include "control/mw/identity.h"
#include "control/mw/proxy.h"

struct t {
	struct mw *mw;
	struct mw_proxy proxy;
	char text[8192]; /* the last message for "before" or "after" */
	unsigned n;
};

static void keep(void *arg, struct sv text, uint64_t now)
{
	struct t *t = arg;

	(void)now;
	t->n++;
	snprintf(t->text, sizeof(t->text), "%.*s", SV_ARG(text));
}

static int setup(void **state)
{
	struct t *t = test_calloc(1, sizeof(*t));

	assert_int_equal(mw_alloc(&t->mw), 0);
	t->proxy = (struct mw_proxy){.mw = t->mw, .host = SV("proxy.net")};
	assert_int_equal(mw_attach(t->mw, SV("before"), keep, t), 0);
	assert_int_equal(mw_attach(t->mw, SV("after"), keep, t), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct t *t = *state;

	mw_free(t->mw);
	test_free(t);
	return 0;
}

#define COMMON "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"

static struct sv request(char *buf, size_t cap, const char *method, const char *branch,
			 unsigned cseq, const char *fields)
{
	snprintf(buf, cap,
		 "%s sip:b@after SIP/2.0\r\nVia: SIP/2.0/TCP before;branch=%s\r\n" COMMON
		 "CSeq: %u %s\r\n%sContent-Length: 0\r\n\r\n",
		 method, branch, cseq, method, fields);
	return sv_of(buf);
}

/* What the proxy makes of it: parsed, from t->text. */
static void pass(struct t *t, struct sip_msg *out, struct sv text)
{
	struct sip_msg m;
	struct sip_edit e;
	struct sv user;

	assert_int_equal(sip_msg_parse(&m, text), 0);
	assert_true(mw_proxy_check(&t->proxy, &m));
	mw_proxy_begin(&t->proxy, &e, &m, mw_proxy_own_route(&t->proxy, &m, &user));
	assert_int_equal(mw_proxy_end(&t->proxy, &e, (struct sv){0}), 0);
	assert_int_equal(mw_run(t->mw, 0), 1);
	assert_int_equal(sip_msg_parse(out, sv_of(t->text)), 0);
}

static void test_request(void **state)
{
	struct t *t = *state;
	char buf[1024];
	struct sip_msg m;
	struct sip_via via;

	pass(t, &m,
	     request(buf, sizeof(buf), "MESSAGE", "z9hG4bKx", 1,
		     "Max-Forwards: 12\r\nRoute: <sip:orig@PROXY.net;lr>, <sip:after;lr>\r\n"));
	assert_int_equal(sip_via_top(&via, &m), 0);
	assert_true(sv_eq(via.host, SV("proxy.net")));
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_MAX_FORWARDS), SV("11")));
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_ROUTE), SV("<sip:after;lr>")));
	assert_non_null(strstr(t->text, "branch=z9hG4bKx\r\n")); /* the first Via is still below */

	pass(t, &m, request(buf, sizeof(buf), "MESSAGE", "z9hG4bKx", 1, ""));
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_MAX_FORWARDS), SV("70")));
}

static void branch_of(struct t *t, char branch[64], const char *method, const char *received,
		      unsigned cseq)
{
	char buf[1024];
	struct sip_msg m;

	pass(t, &m, request(buf, sizeof(buf), method, received, cseq, ""));
	snprintf(branch, 64, "%.*s", SV_ARG(m.branch));
	assert_int_equal(strncmp(branch, "z9hG4bK", 7), 0);
}

/* RFC 3261 16.11: repeats, CANCEL and the ACK to a failure take the same way under the same branch.
 */
static void test_branch(void **state)
{
	struct t *t = *state;
	char first[64], other[64];

	branch_of(t, first, "INVITE", "z9hG4bKx", 1);
	branch_of(t, other, "INVITE", "z9hG4bKx", 1);
	assert_string_equal(first, other);
	branch_of(t, other, "CANCEL", "z9hG4bKx", 1);
	assert_string_equal(first, other);
	branch_of(t, other, "ACK", "z9hG4bKx", 1);
	assert_string_equal(first, other);
	branch_of(t, other, "INVITE", "z9hG4bKy", 1);
	assert_string_not_equal(first, other);
	branch_of(t, other, "INVITE", "z9hG4bKx", 2);
	assert_string_not_equal(first, other);
}

static void test_refused(void **state)
{
	static const struct {
		const char *method, *fields;
		unsigned status; /* 0: dropped */
		const char *has;
	} cases[] = {
		{"MESSAGE", "Max-Forwards: 0\r\n", 483, ""},
		{"MESSAGE", "Max-Forwards: x\r\n", 400, ""},
		{"MESSAGE", "Max-Forwards: 256\r\n", 400, ""},
		{"MESSAGE", "Proxy-Require: foo, bar\r\n", 420, "Unsupported: foo, bar\r\n"},
		{"FROB", "Proxy-Require: foo\r\n", 420, "Unsupported: foo\r\n"},
		{"ACK", "Max-Forwards: 0\r\n", 0, ""},
	};
	struct t *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		char buf[1024];
		struct sip_msg m, reply;
		uint64_t dropped = t->proxy.dropped;

		t->n = 0;
		assert_int_equal(sip_msg_parse(&m, request(buf, sizeof(buf), cases[i].method,
							   "z9hG4bKx", 1, cases[i].fields)),
				 0);
		assert_false(mw_proxy_check(&t->proxy, &m));
		mw_run(t->mw, 0);
		assert_int_equal(t->n, cases[i].status ? 1 : 0);
		assert_int_equal(t->proxy.dropped - dropped, cases[i].status ? 0 : 1);
		if (!cases[i].status)
			continue;
		assert_int_equal(sip_msg_parse(&reply, sv_of(t->text)), 0);
		assert_int_equal(reply.status, cases[i].status);
		assert_false(sv_empty(reply.to_tag));
		assert_non_null(strstr(t->text, cases[i].has));
	}
}

static void response(struct t *t, const char *vias)
{
	char buf[1024];
	struct sip_msg m;

	snprintf(buf, sizeof(buf), "SIP/2.0 180 Ringing\r\n%s" COMMON "CSeq: 1 INVITE\r\n\r\n",
		 vias);
	t->n = 0;
	assert_int_equal(sip_msg_parse(&m, sv_of(buf)), 0);
	mw_proxy_response(&t->proxy, &m);
	mw_run(t->mw, 0);
}

static void test_response(void **state)
{
	struct t *t = *state;

	response(t, "Via: SIP/2.0/TCP proxy.net;branch=z9hG4bK1, SIP/2.0/TCP "
		    "before;branch=z9hG4bK2\r\n");
	assert_int_equal(t->n, 1);
	assert_null(strstr(t->text, "proxy.net"));
	assert_int_equal(t->proxy.dropped, 0);
	response(t, "Via: SIP/2.0/TCP proxy.net;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP "
		    "before;branch=z9hG4bK2\r\n");
	assert_int_equal(t->n, 1);
	/* not ours; no way back; nobody there */
	response(t, "Via: SIP/2.0/TCP stranger;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP "
		    "before;branch=z9hG4bK2\r\n");
	response(t, "Via: SIP/2.0/TCP proxy.net;branch=z9hG4bK1\r\n");
	response(t, "Via: SIP/2.0/TCP proxy.net;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP "
		    "gone;branch=z9hG4bK2\r\n");
	assert_int_equal(t->n, 0);
	assert_int_equal(t->proxy.dropped, 3);
}

static void test_self(void **state)
{
	static const struct {
		const char *method, *fields;
		unsigned status;
	} cases[] = {
		{"OPTIONS", "", 200}, {"OPTIONS", "Require: foo\r\n", 420},
		{"CANCEL", "", 481},  {"CANCEL", "Require: foo\r\n", 481},
		{"MESSAGE", "", 405}, {"FROB", "", 405},
		{"ACK", "", 0},
	};
	struct t *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		char buf[1024];
		struct sip_msg m, reply;

		t->n = 0;
		assert_int_equal(sip_msg_parse(&m, request(buf, sizeof(buf), cases[i].method,
							   "z9hG4bKx", 1, cases[i].fields)),
				 0);
		mw_proxy_self(&t->proxy, &m, SV("OPTIONS"));
		mw_run(t->mw, 0);
		assert_int_equal(t->n, cases[i].status ? 1 : 0);
		if (!cases[i].status)
			continue;
		assert_int_equal(sip_msg_parse(&reply, sv_of(t->text)), 0);
		assert_int_equal(reply.status, cases[i].status);
	}
}

static void test_identity(void **state)
{
	static const struct {
		const char *uri, *tel;
	} cases[] = {
		{"sip:+49-123@home.net;user=phone", "tel:+49123"},
		{"sips:+49123@home.net;transport=tcp;user=PHONE", "tel:+49123"},
		{"sip:+49123@home.net", ""},
		{"sip:+49123@home.net;user=ip", ""},
		{"sip:home.net;user=phone", ""},
		{"tel:+49123", ""},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		char buf[MW_MAX_IDENTITY];

		assert_true(sv_eq(mw_phone_alias(sv_of(cases[i].uri), buf, sizeof(buf)),
				  sv_of(cases[i].tel)));
	}
	assert_true(sv_eq(mw_derived_impi(SV("sip:a@home.net")), SV("a@home.net")));
	assert_true(sv_empty(mw_derived_impi(SV("tel:+49123"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_response, setup, teardown),
		cmocka_unit_test_setup_teardown(test_self, setup, teardown),
		cmocka_unit_test(test_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
