/* Each allocation of a scenario fails once: that is an error for the caller, and nothing crashes or
 * leaks. */
#include <errno.h>
#include <stdlib.h>

#include "control/sip/txn.h"
#include "tests/support/test.h"

#define HEAD(method, branch)                                                                       \
	"Via: SIP/2.0/UDP h;branch=z9hG4bK" branch "\r\nFrom: <sip:a@x>;tag=f\r\n"                 \
	"To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 7 " method "\r\n\r\n"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

/* Allocations until the one that fails; negative: none does. */
static long countdown = -1;

static bool fails(void)
{
	return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

struct seen {
	unsigned finals, gone;
};

static void on_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	(void)ctx;
	(void)flow;
	assert_true(text.n > 0);
}

static void on_response(void *arg, const struct sip_msg *response, uint64_t now)
{
	struct seen *s = arg;

	(void)now;
	assert_non_null(response);
	s->finals++;
}

static void on_gone(void *arg)
{
	struct seen *s = arg;

	s->gone++;
}

static bool input(struct sip_txns *t, const char *text)
{
	static const struct sip_flow flow;
	static struct sip_msg m;

	assert_int_equal(sip_msg_parse(&m, sv_of(text)), 0);
	return sip_txns_input(t, &flow, &m, 0);
}

static void client(struct sip_txns *t, struct seen *seen)
{
	static const struct sip_flow flow;
	struct sip_client_txn *c;
	unsigned before = sip_txns_count(t);
	int err;

	err = sip_client_create(t, &c, &flow, SV("INVITE sip:b@x SIP/2.0\r\n" HEAD("INVITE", "c")),
				on_response, seen, 0);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(sip_txns_count(t), before);
		return;
	}
	/* the answer gets through even if there is no memory for its ACK */
	assert_true(input(t, "SIP/2.0 486 Busy\r\n" HEAD("INVITE", "c")));
	assert_int_equal(seen->finals, 1);
	assert_true(input(t, "SIP/2.0 486 Busy\r\n" HEAD("INVITE", "c")));
}

static void server(struct sip_txns *t, struct seen *seen, const char *request, unsigned status)
{
	static const struct sip_flow flow;
	static struct sip_msg m;
	struct sip_server_txn *s;
	unsigned before = sip_txns_count(t), gone = seen->gone;
	int err;

	assert_int_equal(sip_msg_parse(&m, sv_of(request)), 0);
	err = sip_server_create(t, &s, &flow, &m, on_gone, seen, 0);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(sip_txns_count(t), before);
		assert_int_equal(seen->gone, gone); /* it never was */
		return;
	}
	err = sip_server_respond(s, status, SV("SIP/2.0 x\r\n"), 0);
	if (err) { /* nothing happened: it can be said again */
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(sip_server_respond(s, status, SV("SIP/2.0 x\r\n"), 0), 0);
	}
	assert_true(input(t, request));
}

static void scenario(void)
{
	const struct sip_txns_env env = {.send = on_send};
	struct seen seen = {0};
	struct timers *timers = NULL;
	struct sip_txns *t = NULL;

	if (timers_alloc(&timers) == 0 && sip_txns_alloc(&t, timers, SIP_TIMERS_CORE, &env) == 0) {
		client(t, &seen);
		server(t, &seen, "INVITE sip:b@x SIP/2.0\r\n" HEAD("INVITE", "s1"), 486);
		server(t, &seen, "INVITE sip:b@x SIP/2.0\r\n" HEAD("INVITE", "s2"), 200);
		server(t, &seen, "OPTIONS sip:b@x SIP/2.0\r\n" HEAD("OPTIONS", "s3"), 200);
		timers_run(timers, 1000000);
		assert_int_equal(sip_txns_count(t), 0);
		assert_int_equal(timers_count(timers), 0);
	}
	sip_txns_free(t);
	timers_free(timers);
}

static void test_each_allocation_fails(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (long n = 0;; n++) {
		countdown = n;
		scenario();
		if (countdown >= 0)
			break; /* there were fewer than n */
		failed++;
	}
	countdown = -1;
	assert_in_range(failed, 10, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
