#include "control/sip/edit.h"
#include "tests/support/test.h"

#define REQUEST                                                                                    \
	"MESSAGE sip:b@x SIP/2.0\r\n"                                                              \
	"Via: SIP/2.0/UDP h1;branch=z9hG4bK1, SIP/2.0/UDP h2\r\n"                                  \
	"To: sip:b@x\r\n"                                                                          \
	"f: <sip:a@x>;\r\n tag=1\r\n"                                                              \
	"Timestamp: 54\r\n"                                                                        \
	"Call-ID: c\r\n"                                                                           \
	"Via: SIP/2.0/UDP h3\r\n"                                                                  \
	"CSeq: 1 MESSAGE\r\n"

#define COPIED                                                                                     \
	"Via: SIP/2.0/UDP h1;branch=z9hG4bK1, SIP/2.0/UDP h2\r\n"                                  \
	"Via: SIP/2.0/UDP h3\r\n"                                                                  \
	"f: <sip:a@x>;\r\n tag=1\r\n"

static void check(const char *request, unsigned status, struct sv tag, struct sv body,
		  const char *want)
{
	static struct sip_msg m;
	char buf[1024];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	assert_int_equal(sip_msg_parse(&m, sv_of(request)), 0);
	sip_reply_begin(&b, &m, status, tag);
	sip_reply_end(&b, body);
	assert_false(b.overflow);
	if (!sv_eq(sbuf_sv(&b), sv_of(want)))
		fail_msg("got:\n%.*s\nwant:\n%s", (int)b.n, b.p, want);
}

static void test_reply(void **state)
{
	(void)state;
	check(REQUEST "\r\n", 200, SV("t9"), SV(""),
	      "SIP/2.0 200 OK\r\n" COPIED
	      "To: sip:b@x;tag=t9\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n");
	check(REQUEST "\r\n", 494, SV(""), SV("why"),
	      "SIP/2.0 494 Security Agreement Required\r\n" COPIED
	      "To: sip:b@x\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 3\r\n\r\nwhy");
	check(REQUEST "\r\n", 100, SV(""), SV(""),
	      "SIP/2.0 100 Trying\r\n" COPIED
	      "To: sip:b@x\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nTimestamp: 54\r\nContent-Length: "
	      "0\r\n\r\n");
}

/* A tag that is there already stays the only one. */
static void test_reply_in_dialog(void **state)
{
	(void)state;
	check("BYE sip:b@x SIP/2.0\r\nv: SIP/2.0/UDP h\r\nf: sip:a@x;tag=1\r\nt: <sip:b@x> ;tag=2 "
	      "\r\ni: c\r\n"
	      "CSeq: 2 BYE\r\n\r\n",
	      481, SV("t9"), SV(""),
	      "SIP/2.0 481 Call/Transaction Does Not Exist\r\nv: SIP/2.0/UDP h\r\nf: "
	      "sip:a@x;tag=1\r\n"
	      "t: <sip:b@x> ;tag=2 \r\ni: c\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n");
}

static void test_reply_overflow(void **state)
{
	static struct sip_msg m;
	char buf[100];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	assert_int_equal(sip_msg_parse(&m, SV(REQUEST "\r\n")), 0);
	sip_reply_begin(&b, &m, 200, SV("x"));
	sip_reply_end(&b, SV(""));
	assert_true(b.overflow);
}

static void test_reasons(void **state)
{
	(void)state;
	assert_string_equal(sip_reason(401), "Unauthorized");
	assert_string_equal(sip_reason(421), "Extension Required");
	assert_string_equal(sip_reason(504), "Server Time-out");
	assert_string_equal(sip_reason(299), "OK");
	assert_string_equal(sip_reason(499), "Request Failure");
	assert_string_equal(sip_reason(699), "Global Failure");
	assert_string_equal(sip_reason(0), "Unknown");
	assert_string_equal(sip_reason(7000), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_reply_in_dialog),
		cmocka_unit_test(test_reply_overflow),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
