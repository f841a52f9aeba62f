#include <errno.h>

#include "control/sip/msg.h"
#include "tests/support/test.h"

static void assert_sv(struct sv v, const char *text)
{
	if (!sv_eq(v, sv_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", SV_ARG(v), text);
}

static void test_list(void **state)
{
	struct sv rest = SV(" a , \"b,\\\"c\" <sip:x,y>;p=\"1,2\" ,, ,\r\n d;x, e ");
	struct sv e;

	(void)state;
	assert_true(sip_list_next(&rest, &e));
	assert_sv(e, "a");
	assert_true(sip_list_next(&rest, &e));
	assert_sv(e, "\"b,\\\"c\" <sip:x,y>;p=\"1,2\"");
	assert_true(sip_list_next(&rest, &e));
	assert_sv(e, "d;x");
	assert_true(sip_list_next(&rest, &e));
	assert_sv(e, "e");
	assert_false(sip_list_next(&rest, &e));
	rest = SV("a, \"open, b");
	assert_true(sip_list_next(&rest, &e));
	assert_true(sip_list_next(&rest, &e));
	assert_sv(e, "\"open, b");
	assert_false(sip_list_next(&rest, &e));
	rest = (struct sv){0};
	assert_false(sip_list_next(&rest, &e));
}

static void test_walk(void **state)
{
	static struct sip_msg m;
	struct sip_list l = {.msg = &m, .id = SIP_HDR_ROUTE};
	struct sip_list none = {.msg = &m, .id = SIP_HDR_PATH};
	struct sv e;
	char all[64] = "";

	(void)state;
	assert_int_equal(
		sip_msg_parse(
			&m,
			SV("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
			   "From: sip:a\r\nTo: sip:b\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"
			   "Route: <sip:1>, <sip:2>\r\nX: 9\r\nRoute:\r\nRoute: <sip:3>\r\n\r\n")),
		0);
	while (sip_list_walk(&l, &e))
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%.*s", SV_ARG(e));
	assert_string_equal(all, "<sip:1><sip:2><sip:3>");
	assert_false(sip_list_walk(&l, &e));
	assert_false(sip_list_walk(&none, &e));
}

static void test_params(void **state)
{
	struct sv params = SV(" ;a ; B = 1 ;;c=\"x;y\\\"\" ;d=<sip:q;r>;e=;A=2"), rest = params, n,
		  v;
	static const char *const want[][2] = {
		{"a", ""},	    {"B", "1"}, {"c", "\"x;y\\\"\""},
		{"d", "<sip:q;r>"}, {"e", ""},	{"A", "2"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(want); i++) {
		assert_true(sip_param_next(&rest, &n, &v));
		assert_sv(n, want[i][0]);
		assert_sv(v, want[i][1]);
	}
	assert_false(sip_param_next(&rest, &n, &v));
	assert_true(sip_param(params, SV("b"), &v));
	assert_sv(v, "1");
	assert_true(sip_param(params, SV("A"), &v)); /* the first of them */
	assert_sv(v, "");
	assert_true(sip_param(params, SV("E"), NULL));
	assert_false(sip_param(params, SV("y"), &v));
	assert_false(sip_param(SV("x;a"), SV("a"), &v));
	assert_false(sip_param((struct sv){0}, SV("a"), &v));
}

static void test_uri(void **state)
{
	static const struct {
		const char *text, *scheme, *user, *host, *params, *headers;
		uint16_t port;
	} cases[] = {
		{"sip:h", "sip", "", "h", "", "", 0},
		{"sip:a:pw@h.example:5062;lr;x=1?S=%20", "sip", "a:pw", "h.example", ";lr;x=1",
		 "?S=%20", 5062},
		{"SIPS:a;b=c?d@[2001:db8::1]:1;lr", "SIPS", "a;b=c?d", "2001:db8::1", ";lr", "", 1},
		{"sip:+4930;phone-context=%2b1@h;user=phone", "sip", "+4930;phone-context=%2b1",
		 "h", ";user=phone", "", 0},
		{"sip:192.0.2.1?a=b;c", "sip", "", "192.0.2.1", "", "?a=b;c", 0},
		{"sip:a_b@my_host", "sip", "a_b", "my_host", "", "", 0},
		{"tel:+49-30-1;phone-context=x", "tel", "+49-30-1", "", ";phone-context=x", "", 0},
		{"urn:service:sos", "urn", "", "", "", "", 0},
	};
	struct sip_uri u;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		assert_int_equal(sip_uri_parse(&u, sv_of(cases[i].text)), 0);
		assert_sv(u.text, cases[i].text);
		assert_sv(u.scheme, cases[i].scheme);
		assert_sv(u.user, cases[i].user);
		assert_sv(u.host, cases[i].host);
		assert_sv(u.params, cases[i].params);
		assert_sv(u.headers, cases[i].headers);
		assert_int_equal(u.port, cases[i].port);
	}
}

static void test_uri_bad(void **state)
{
	static const char *const cases[] = {
		"",
		"sip",
		"sip:",
		":h",
		"1sip:h",
		"s p:h",
		"sip:@h",
		"sip:a@",
		"sip:a@h:",
		"sip:a@h:0",
		"sip:a@h:65536",
		"sip:a@h:5060x",
		"sip:a@h:99999999999999999999999",
		"sip:[::1",
		"sip:[]",
		"sip:[1.2.3.4]",
		"sip:[::1]x",
		"sip:a@h/x",
		"sip:a b@h",
		"sip:a@h>",
		"<sip:a@h>",
		"sip:a@h\r\n",
		"sip:\"a\"@h",
		"tel:",
		"tel:;x",
		"sip:a@b@c",
		"sip:\xc3\xa9@h",
		"sip:a@h\x7f",
	};
	struct sip_uri u;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		if (sip_uri_parse(&u, sv_of(cases[i])) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
	assert_int_equal(sip_uri_parse(&u, (struct sv){0}), -EBADMSG);
}

static void test_addr(void **state)
{
	static const struct {
		const char *text, *display, *uri, *params;
	} cases[] = {
		{"sip:a@h", "", "sip:a@h", ""},
		{" sip:a@h ; tag=1;x", "", "sip:a@h", "; tag=1;x"},
		{"<sip:a@h;lr>", "", "sip:a@h;lr", ""},
		{"\"D <x> \\\" \"\r\n <sip:a@h> ;tag=1 ", "\"D <x> \\\" \"", "sip:a@h", ";tag=1"},
		{"Two Words <tel:+1>", "Two Words", "tel:+1", ""},
		{"*", "", "*", ""},
	};
	static const char *const bad[] = {
		"",
		"<>",
		"<sip:a",
		"sip:a b",
		"<sip:a> x",
		"<sip:a b>",
		"< sip:a>",
		"\"x <sip:a>",
		"\"x\" sip:a",
		"\"x\" y <sip:a>",
		"x \"y\" <sip:a>",
		"sip:x <sip:a>",
		";tag=1",
		"<sip:a>;x=\"",
		"<sip:a>;x=<y",
		"sip:a>",
		"<<sip:a>",
	};
	struct sip_addr a;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		assert_int_equal(sip_addr_parse(&a, sv_of(cases[i].text)), 0);
		assert_sv(a.display, cases[i].display);
		assert_sv(a.uri, cases[i].uri);
		assert_sv(a.params, cases[i].params);
	}
	for (size_t i = 0; i < N_OF(bad); i++)
		if (sip_addr_parse(&a, sv_of(bad[i])) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

static void test_via(void **state)
{
	static const char *const bad[] = {
		"",
		"SIP/2.0/UDP",
		"SIP/2.0/UDP ",
		"SIP/2.0 h",
		"SIP/2.0/UDPh;x",
		"HTTP/2.0/UDP h",
		"SIP/2.1/UDP h",
		"SIP/2.0/UDP h:",
		"SIP/2.0/UDP h:x",
		"SIP/2.0/UDP h i",
		"SIP/2.0/UDP ;branch=1",
		"SIP/2.0/U P h",
	};
	struct sip_via v;

	(void)state;
	assert_int_equal(
		sip_via_parse(&v, SV(" sip / 2.0\r\n / TCP\th : 5062 ; rport; Branch = z9 ")), 0);
	assert_sv(v.transport, "TCP");
	assert_sv(v.host, "h");
	assert_int_equal(v.port, 5062);
	assert_sv(v.branch, "z9");
	assert_sv(v.params, "; rport; Branch = z9");
	assert_sv(v.element, "sip / 2.0\r\n / TCP\th : 5062 ; rport; Branch = z9");
	assert_int_equal(sip_via_parse(&v, SV("SIP/2.0/UDP [2001:db8::1]")), 0);
	assert_sv(v.host, "2001:db8::1");
	assert_int_equal(v.port, 0);
	assert_sv(v.branch, "");
	for (size_t i = 0; i < N_OF(bad); i++)
		if (sip_via_parse(&v, sv_of(bad[i])) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

static void test_identity(void **state)
{
	static const char *const cases[][2] = {
		{"sip:a@Example.ORG", "sip:a@example.org"},
		{"SIP:a@example.org:5060;user=phone?x=y", "sip:a@example.org"},
		{"sips:a@example.org", "sip:a@example.org"},
		{"sip:a:secret@example.org", "sip:a@example.org"},
		{"sip:Aa@example.org", "sip:Aa@example.org"},
		{"sip:%61%2D%3a%40@example.org", "sip:a-%3A%40@example.org"},
		{"sip:a@[2001:DB8::1]", "sip:a@[2001:db8::1]"},
		{"sip:example.org", "sip:example.org"},
		{"tel:+49-30.(12)3;phone-context=x", "tel:+4930123"},
		{"TEL:*31#1A", "tel:*31#1a"},
		{"urn:service:sos", ""},
		{"tel:-.()", ""},
		{"sip::secret@example.org", ""},
		{"sip:%4@example.org", ""},
		{"sip:%zz@example.org", ""},
		{"a@example.org", ""},
		{"", ""},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_sv(sip_identity(sv_of(cases[i][0]), buf, sizeof(buf)), cases[i][1]);
	assert_sv(sip_identity(SV("sip:a@example.org"), buf, 17), "sip:a@example.org");
	assert_sv(sip_identity(SV("sip:a@example.org"), buf, 16), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),	cmocka_unit_test(test_walk),
		cmocka_unit_test(test_params),	cmocka_unit_test(test_uri),
		cmocka_unit_test(test_uri_bad), cmocka_unit_test(test_addr),
		cmocka_unit_test(test_via),	cmocka_unit_test(test_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
