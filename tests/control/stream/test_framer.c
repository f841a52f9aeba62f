#include <stdio.h>
#include <stdlib.h>

#include "control/sip/msg.h"
#include "control/stream/framer.h"
#include "tests/support/test.h"

#define HEAD_MAX    4096
#define MESSAGE_MAX 8192
#define REST                                                                                       \
	"Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\n" \
	"Call-ID: c\r\nCSeq: 1 MESSAGE\r\n"
#define START "MESSAGE sip:b@b SIP/2.0\r\n"

/* What the framer says of a stream, in short: M3 a message with 3 octets of body, P ping, O pong, !
 * bad, ? in the middle of one. */
static void say(struct stream_framer *f, char *out, size_t cap)
{
	enum stream_frame frame;
	struct sip_msg m;
	struct sv text;

	while ((frame = stream_framer_next(f, &text)) != STREAM_FRAME_MORE) {
		size_t n = strlen(out);

		if (frame == STREAM_FRAME_MESSAGE) {
			assert_int_equal(sip_msg_parse(&m, text), 0);
			snprintf(out + n, cap - n, "M%zu", m.body.n);
		} else if (frame == STREAM_FRAME_BAD) {
			if (!strchr(out, '!'))
				snprintf(out + n, cap - n, "!");
			return;
		} else {
			snprintf(out + n, cap - n, frame == STREAM_FRAME_PING ? "P" : "O");
		}
	}
}

/* The stream in pieces of `piece` octets. */
static void check(const char *octets, size_t piece, bool pong_due, const char *expected)
{
	struct stream_framer f;
	char out[256] = "";
	size_t n = strlen(octets);

	stream_framer_init(&f, HEAD_MAX, MESSAGE_MAX);
	f.pong_due = pong_due;
	for (size_t at = 0; at < n; at += piece) {
		assert_int_equal(
			stream_framer_put(&f, octets + at, n - at < piece ? n - at : piece), 0);
		say(&f, out, sizeof(out));
	}
	if (stream_framer_partial(&f))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "?");
	if (strcmp(out, expected) != 0)
		fail_msg("%s in pieces of %zu: %s, expected %s", octets, piece, out, expected);
	stream_framer_free(&f);
}

/* RFC 3261 7.5, 18.3, 20.14; RFC 5626 3.5.1 */
static void test_frames(void **state)
{
	static const struct {
		const char *octets;
		bool pong_due;
		const char *expected;
	} cases[] = {
		{START REST "Content-Length: 0\r\n\r\n", false, "M0"},
		{START REST "Content-Length: 3\r\n\r\nabc", false, "M3"},
		{START REST "l : 3\r\n\r\nabc", false, "M3"},
		{START REST "CONTENT-LENGTH:\r\n 3\r\n\r\nabc", false, "M3"},
		{START REST "Content-Length: 3\r\n\r\nab", false, "?"},
		{START REST "Content-Length: 3\r\n\r\nabc" START REST
			    "Content-Length: 1\r\n\r\nx" START,
		 false, "M3M1?"},
		{"SIP/2.0 200 OK\r\n" REST "Content-Length: 0\r\n\r\n", false, "M0"},
		/* a body may look like anything */
		{START REST "Content-Length: 4\r\n\r\n\r\n\r\n" START REST "l:0\r\n\r\n", false,
		 "M4M0"},
		/* keepalives */
		{"\r\n\r\n", false, "P"},
		{"\r\n\r\n\r\n\r\n", false, "PP"},
		{"\r\n", false, ""},
		{"\r\n", true, "O"},
		{"\r\n\r\n\r\n", true, "OP"},
		{"\r\n" START REST "l: 0\r\n\r\n\r\n", false, "M0"},
		{"\r\n\r\n" START REST "l: 0\r\n\r\n\r\n\r\n", false, "PM0P"},
		/* whoever is unsure of the length must not guess */
		{START REST "\r\n", false, "!"},
		{START REST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", false, "!"},
		{START REST "Content-Length: 3\r\nl: 4\r\n\r\nabcd", false, "!"},
		{START REST "Content-Length: 3x\r\n\r\nabc", false, "!"},
		{START REST "Content-Length: -1\r\n\r\nabc", false, "!"},
		{START REST "Content-Length: \r\n\r\nabc", false, "!"},
		{START REST "Content-Length: 8192\r\n\r\n", false, "!"},
		{START REST "Content-Length: 99999999999999999999\r\n\r\n", false, "!"},
		/* no SIP */
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, "!"},
		{"\x16\x03\x01\x02", false, "!"},
		{"\rX", false, "!"},
		{"\n", false, "!"},
		{"SIP/2.0\r\n", false, "!"},
		{"MESSAGE sip:b@b SIP/2.0\nl: 0\n\n", false, "!"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		for (size_t piece = 1; piece < 200; piece = piece * 2 + 1)
			check(cases[i].octets, piece, cases[i].pong_due, cases[i].expected);
}

static void fill(char *text, size_t n, const char *start, const char *end)
{
	size_t s = strlen(start), e = strlen(end);

	memset(text, 'x', n);
	memcpy(text, start, s);
	memcpy(text + n - e, end, e);
	text[n] = '\0';
}

static void test_limits(void **state)
{
	char text[MESSAGE_MAX * 2];

	(void)state;
	fill(text, HEAD_MAX, START REST "X: ", "\r\nl: 0\r\n\r\n");
	check(text, 100, false, "M0");
	fill(text, HEAD_MAX + 1, START REST "X: ", "\r\nl: 0\r\n\r\n");
	check(text, 100, false, "!");
	check(text, 5000, false, "!");
	/* without any end: refused when the limit is reached, not later */
	fill(text, HEAD_MAX, START REST "X: ", "");
	check(text, 64, false, "!");
	fill(text, HEAD_MAX - 1, START REST "X: ", "");
	check(text, 64, false, "?");
	/* a start line without an end is none */
	fill(text, 2048, "MESSAGE sip:", "");
	check(text, 64, false, "!");
}

static void test_memory(void **state)
{
	static const char text[] = START REST "Content-Length: 0\r\n\r\n";
	struct stream_framer f;
	char out[64] = "";

	(void)state;
	stream_framer_init(&f, HEAD_MAX, MESSAGE_MAX);
	assert_int_equal(stream_framer_put(&f, text, sizeof(text) - 1), 0);
	say(&f, out, sizeof(out));
	assert_string_equal(out, "M0");
	assert_null(f.buf); /* an idle connection has no buffer */
	stream_framer_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
