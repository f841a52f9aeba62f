#include <errno.h>
#include <stdlib.h>

#include "control/sip/msg.h"
#include "tests/support/test.h"

#define HEAD                                                                                       \
	"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa\r\n"                                      \
	"From: <sip:a@example.org>;tag=ft\r\n"                                                     \
	"To: <sip:b@example.org>\r\n"                                                              \
	"Call-ID: c1\r\n"
#define START	"REGISTER sip:example.org SIP/2.0\r\n"
#define REQUEST START HEAD "CSeq: 1 REGISTER\r\n"

static int parse(struct sip_msg *m, const char *text)
{
	return sip_msg_parse(m, sv_of(text));
}

static void assert_sv(struct sv v, const char *text)
{
	if (!sv_eq(v, sv_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", SV_ARG(v), text);
}

static void test_request(void **state)
{
	static struct sip_msg m;
	const char *text = "\r\n\r\nINVITE sip:b@example.org;x SIP/2.0\r\n"
			   "v: SIP/2.0/TCP h;branch=z9hG4bK1, SIP/2.0/UDP i;branch=z9hG4bK2\r\n"
			   "V: SIP/2.0/UDP j\r\n"
			   "f: \"A;tag=no\" <sip:a@x;tag=no>;x=1;tag=f7\r\n"
			   "t: sip:b@x;tag=t9\r\n"
			   "i: id@host\r\n"
			   "CSEQ: 0042 \t INVITE\r\n"
			   "Empty:\r\n"
			   "X: \t one\r\n\ttwo \r\n"
			   "l: 4\r\n\r\nbodyMORE";

	(void)state;
	assert_int_equal(parse(&m, text), 0);
	assert_true(m.request);
	assert_int_equal(m.method, SIP_INVITE);
	assert_sv(m.method_name, "INVITE");
	assert_sv(m.uri, "sip:b@example.org;x");
	assert_sv(m.start_line, "INVITE sip:b@example.org;x SIP/2.0\r\n");
	assert_sv(m.branch, "z9hG4bK1");
	assert_sv(m.from_tag, "f7");
	assert_sv(m.to_tag, "t9");
	assert_sv(m.call_id, "id@host");
	assert_int_equal(m.cseq, 42);
	assert_sv(m.body, "body");
	assert_int_equal(m.n, 9);
	assert_sv(m.h[6].name, "Empty");
	assert_sv(m.h[6].value, "");
	assert_sv(m.h[7].value, "one\r\n\ttwo");
	assert_sv(m.h[7].line, "X: \t one\r\n\ttwo \r\n");
	/* raw: without the empty lines before and the octets behind */
	assert_ptr_equal(m.raw.p, text + 4);
	assert_int_equal(m.raw.n, strlen(text) - 8);
}

static void test_response(void **state)
{
	static struct sip_msg m;

	(void)state;
	assert_int_equal(
		parse(&m, "SIP/2.0 401 Not you\r\n" HEAD "CSeq: 7 PUBLISH\r\n\r\nall of it"), 0);
	assert_false(m.request);
	assert_int_equal(m.status, 401);
	assert_sv(m.reason, "Not you");
	assert_int_equal(m.method, SIP_PUBLISH);
	assert_int_equal(m.cseq, 7);
	assert_sv(m.to_tag, "");
	assert_sv(m.body, "all of it");
}

static void test_find(void **state)
{
	static struct sip_msg m;
	const struct sip_header *h;

	(void)state;
	assert_int_equal(parse(&m, REQUEST "Route: <sip:1>\r\nX: y\r\nRoute: <sip:2>\r\n\r\n"), 0);
	h = sip_msg_find(&m, SIP_HDR_ROUTE);
	assert_sv(h->value, "<sip:1>");
	h = sip_msg_next(&m, h);
	assert_sv(h->value, "<sip:2>");
	assert_null(sip_msg_next(&m, h));
	assert_null(sip_msg_find(&m, SIP_HDR_PATH));
	assert_sv(sip_msg_value(&m, SIP_HDR_PATH), "");
	assert_sv(sip_msg_value(&m, SIP_HDR_CALL_ID), "c1");
}

static void test_methods(void **state)
{
	(void)state;
	for (int m = SIP_ACK; m <= SIP_UPDATE; m++)
		assert_int_equal(sip_method_of(sip_method_text((enum sip_method)m)), m);
	assert_int_equal(sip_method_of(SV("register")), SIP_OTHER);
	assert_int_equal(sip_method_of(SV("REGISTERS")), SIP_OTHER);
	assert_int_equal(sip_method_of(SV("")), SIP_OTHER);
	assert_sv(sip_method_text(SIP_OTHER), "");
}

#define WITH(lines) START lines "CSeq: 1 REGISTER\r\n\r\n"
#define VIA	    "Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"
#define FROM	    "From: <sip:a@x>;tag=1\r\n"
#define TO	    "To: <sip:a@x>\r\n"
#define ID	    "Call-ID: c\r\n"

static void test_accepted(void **state)
{
	static const char *const cases[] = {
		WITH(VIA FROM TO ID),
		WITH("Via:SIP/2.0/UDP h\r\n" FROM TO ID), /* RFC 2543: no branch */
		WITH(VIA "From:sip:a@x\r\n" TO ID),	  /* nor a tag */
		WITH(VIA "From: tel:+4930;tag=1\r\n" TO ID),
		WITH(VIA FROM "To: \"a\\\" <b>\" <sip:a@x>\r\n" ID),
		WITH("Via : SIP / 2.0 / UDP\r\n h : 5060 ; branch = z9hG4bKa\r\n" FROM TO ID),
		WITH("Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKa\r\n" FROM TO ID),
		"NEWMETHOD sip:x SIP/2.0\r\n" HEAD "CSeq: 1 NEWMETHOD\r\n\r\n",
		"OPTIONS other:opaque SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\n\r\n",
		"REGISTER sip:x sip/2.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0 200 \r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0 200\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0 699 \xd0\xa1\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		REQUEST "Content-Length: 0\r\n\r\n",
		REQUEST "Content-Length: 00000\r\n\r\nignored",
		REQUEST "\r\n\0\r\n", /* a body may hold anything */
		REQUEST "Subject: \xff\xfe tab\there\r\n\r\n",
	};
	static struct sip_msg m;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		if (parse(&m, cases[i]))
			fail_msg("refused: %s", cases[i]);
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"\r\n",
		"\r\n\r\n",
		"x",
		"REGISTER",
		START,
		START HEAD,
		REQUEST, /* no empty line */
		REQUEST "\r",
		REQUEST "\n",
		REQUEST "Content-Length: 0\r\n",
		/* one of the mandatory ones missing, empty or twice */
		WITH(FROM TO ID),
		WITH(VIA TO ID),
		WITH(VIA FROM ID),
		WITH(VIA FROM TO),
		START HEAD "\r\n",
		WITH("Via:\r\n" FROM TO ID),
		WITH(VIA "From:\r\n" TO ID),
		WITH(VIA FROM "To: \r\n" ID),
		WITH(VIA FROM TO "Call-ID: \r\n"),
		WITH(VIA FROM FROM TO ID),
		WITH(VIA FROM TO TO ID),
		WITH(VIA FROM TO ID "i: c\r\n"),
		REQUEST "CSeq: 1 REGISTER\r\n\r\n",
		REQUEST "Max-Forwards: 70\r\nMax-Forwards: 5\r\n\r\n",
		REQUEST "Content-Length: 0\r\nl: 0\r\n\r\n",
		/* malformed ones */
		WITH("Via: SIP/1.0/UDP h\r\n" FROM TO ID),
		WITH("Via: SIP/2.0/UDP\r\n" FROM TO ID),
		WITH("Via: SIP/2.0/UDP h:0\r\n" FROM TO ID),
		WITH("Via: SIP/2.0/UDP h:65536\r\n" FROM TO ID),
		WITH("Via: SIP/2.0/UDP h branch\r\n" FROM TO ID),
		WITH("Via: SIP/2.0/UDP [2001:db8::1\r\n" FROM TO ID),
		WITH("Via: SIP/2.0/UDP [::g]\r\n" FROM TO ID),
		WITH(VIA "From: <sip:a@x\r\n" TO ID),
		WITH(VIA "From: <>\r\n" TO ID),
		WITH(VIA "From: <sip:a@x>tag=1\r\n" TO ID),
		WITH(VIA "From: <sip:a@x>;tag=\r\n" TO ID),
		WITH(VIA "From: <sip:a@x>;tag\r\n" TO ID),
		WITH(VIA "From: <sip:a@x>;tag=a,b\r\n" TO ID),
		WITH(VIA "From: <sip:a@x>;tag=\"1\"\r\n" TO ID),
		WITH("Via: SIP/2.0/UDP h;branch=\"z9hG4bKa\"\r\n" FROM TO ID),
		WITH(VIA "From: <sip:a@x>;x=\"no end;tag=1\r\n" TO ID),
		WITH(VIA FROM "To: \"no end <sip:a@x>\r\n" ID),
		WITH(VIA FROM TO "Call-ID: two words\r\n"),
		START HEAD "CSeq: REGISTER\r\n\r\n",
		START HEAD "CSeq: 1REGISTER\r\n\r\n",
		START HEAD "CSeq: 1\r\n\r\n",
		START HEAD "CSeq: 1 REGISTER x\r\n\r\n",
		START HEAD "CSeq: -1 REGISTER\r\n\r\n",
		START HEAD "CSeq: 4294967296 REGISTER\r\n\r\n",
		START HEAD "CSeq: 1 INVITE\r\n\r\n",
		START HEAD "CSeq: 1 register\r\n\r\n",
		/* Content-Length */
		REQUEST "Content-Length: 5\r\n\r\nbody",
		REQUEST "Content-Length: -1\r\n\r\nbody",
		REQUEST "Content-Length: 4x\r\n\r\nbody",
		REQUEST "Content-Length: \r\n\r\nbody",
		REQUEST "Content-Length: 18446744073709551617\r\n\r\nbody",
		/* start lines */
		" " REQUEST "\r\n",
		"REGISTER  sip:x SIP/2.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER sip:x  SIP/2.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER sip:x SIP/2.0 \r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER sip:x SIP/2.0\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER sip:x SIP/3.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER sip:x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER  SIP/2.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER <sip:x> SIP/2.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER sip: SIP/2.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"REGISTER nocolon SIP/2.0\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"RE/GISTER sip:x SIP/2.0\r\n" HEAD "CSeq: 1 RE/GISTER\r\n\r\n",
		"SIP/2.0 99 x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0 099 x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0 700 x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0 2000 x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0 20x x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/2.0  200 x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		"SIP/3.0 200 x\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
		/* lines that another element may read as something else */
		REQUEST "X: a\rb\r\n\r\n",
		REQUEST "X: a\nb: c\r\n\r\n",
		REQUEST "X: a\n\r\n",
		REQUEST "X: a\n b\r\n\r\n",
		REQUEST "X: a\r\r\n\r\n",
		REQUEST "no colon\r\n\r\n",
		REQUEST ": no name\r\n\r\n",
		REQUEST "two words: x\r\n\r\n",
		REQUEST "X\r\n : x\r\n\r\n",
		START " fold at once\r\n" HEAD "CSeq: 1 REGISTER\r\n\r\n",
	};
	static struct sip_msg m;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		if (parse(&m, cases[i]) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
}

static void test_nul(void **state)
{
	char text[] = REQUEST "Subject: ab\r\nX: y\r\n\r\nbody";
	static struct sip_msg m;
	size_t n = sizeof(text) - 1;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char was = text[i];
		bool body = i >= n - 4;

		text[i] = '\0';
		assert_int_equal(sip_msg_parse(&m, (struct sv){text, n}), body ? 0 : -EBADMSG);
		text[i] = was;
	}
}

/* However it is cut, nothing is read beyond the end (the address sanitizer sees it). */
static void test_truncated(void **state)
{
	static const char text[] = REQUEST "Contact: <sip:a@x>\r\n ;q=1\r\nl: 3\r\n\r\nabc";
	static struct sip_msg m;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, text, n);
		assert_int_equal(sip_msg_parse(&m, (struct sv){copy, n}), -EBADMSG);
		free(copy);
	}
}

static void test_limits(void **state)
{
	static struct sip_msg m;
	static char text[SIP_MAX_LENGTH + 2];
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "%s", REQUEST);
	for (unsigned i = 5; i < SIP_MAX_HEADERS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "X: %u\r\n", i);
	memcpy(text + n, "\r\n", 2);
	assert_int_equal(sip_msg_parse(&m, (struct sv){text, n + 2}), 0);
	assert_int_equal(m.n, SIP_MAX_HEADERS);
	memcpy(text + n, "Y: 1\r\n\r\n", 8);
	assert_int_equal(sip_msg_parse(&m, (struct sv){text, n + 8}), -E2BIG);

	n = (size_t)snprintf(text, sizeof(text), "%s\r\n", REQUEST);
	memset(text + n, 'x', sizeof(text) - n);
	assert_int_equal(sip_msg_parse(&m, (struct sv){text, SIP_MAX_LENGTH}), 0);
	assert_int_equal(m.body.n, SIP_MAX_LENGTH - n);
	assert_int_equal(sip_msg_parse(&m, (struct sv){text, SIP_MAX_LENGTH + 1}), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),	 cmocka_unit_test(test_response),
		cmocka_unit_test(test_find),	 cmocka_unit_test(test_methods),
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul),	 cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
