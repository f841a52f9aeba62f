/* One /64 counts as one address. A network of our own, where every address of 2001:db8::/32 is ours
 * (77, skipped, where that is not allowed). */
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/stream/stream.h"
#include "tests/support/test.h"

#define PORT	5060
#define PATIENT 1000000

static void on_message(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now)
{
	(void)ctx, (void)from, (void)text, (void)now;
}

static void on_undelivered(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			   uint64_t now)
{
	(void)ctx, (void)flow, (void)text, (void)stood, (void)now;
}

static void on_closed(void *ctx, const struct sip_flow *flow, uint64_t now)
{
	(void)ctx, (void)flow, (void)now;
}

static struct sockaddr_in6 address(const char *addr, uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET6, addr, &a.sin6_addr), 1);
	return a;
}

static int dial(const char *from)
{
	struct sockaddr_in6 source = address(from, 0), to = address("2001:db8::1", PORT);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	(void)connect(fd, (struct sockaddr *)&to, sizeof(to));
	return fd;
}

/* Each row comes after the ones before it. Of 16 in all an address has 2, a /64 a quarter. */
static void test_network_is_one_address(void **state)
{
	static const struct {
		const char *from;
		uint64_t accepted, refused;
	} rows[] = {
		{"2001:db8:0:1::1", 1, 0},   {"2001:db8:0:1::2", 2, 0},
		{"2001:db8:0:1:8::3", 3, 0}, {"2001:db8:0:1:ffff::4", 4, 0},
		{"2001:db8:0:1::5", 4, 1},   {"2001:db8:0:1:a:b:c:d", 4, 2},
		{"2001:db8:0:2::1", 5, 2},   {"2001:db8:1:1::1", 6, 2},
		{"2001:db8:0:2::2", 7, 2},
	};
	static const struct stream_conf conf = {
		.head_max = 16384,
		.message_max = 65535,
		.clear_max = 8192,
		.queue_max = 100000,
		.max = 100,
		.clear_accepted = 16,
		.per_address = 2,
		.filtered = 16,
		.filtered_per_address = 2,
		.half_open = 4,
		.connect_ms = PATIENT,
		.message_ms = PATIENT,
		.stall_ms = PATIENT,
		.idle_ms = PATIENT,
		.clear_idle_ms = PATIENT,
	};
	const struct stream_env env = {NULL, on_message, on_undelivered, on_closed};
	struct ip_endpoint at = {.port = PORT};
	const struct stream_counters *n;
	struct timers *timers;
	int fd[N_OF(rows)];
	struct stream *s;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(ip_addr_parse(&at.addr, "2001:db8::1"), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(timers_alloc(&timers), 0);
	assert_int_equal(stream_alloc(&s, &loop, timers, &conf, &env), 0);
	assert_int_equal(stream_listen(s, &at, false, NULL, NULL), 0);
	n = stream_counters(s);
	for (unsigned i = 0; i < N_OF(rows); i++) {
		fd[i] = dial(rows[i].from);
		for (unsigned turns = 0; n->accepted + n->refused < i + 1; turns++) {
			assert_true(turns < 6000);
			uv_run(&loop, UV_RUN_NOWAIT);
			usleep(500);
		}
		if (n->accepted != rows[i].accepted || n->refused != rows[i].refused)
			fail_msg("row %u", i);
	}
	for (unsigned i = 0; i < N_OF(rows); i++)
		close(fd[i]);
	stream_close(s);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	stream_free(s);
	timers_free(timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_network_is_one_address)};

	if ((unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) ||
	    system("ip link set lo up && ip addr add 2001:db8::1/128 dev lo nodad && "
		   "ip route add local 2001:db8::/32 dev lo") != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
