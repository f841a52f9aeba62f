/* The flows over TCP: connections in both directions, ending at any point, refused by either side.
 */
#include <stdlib.h>

#include "tests/control/flow/net.h"

struct seen {
	unsigned udp, tcp; /* packets */
	unsigned drop_at;  /* number of the TCP packet whose connection ends; 0: none */
};

static enum net_fate count(struct net *n, const struct net_packet *k, void *arg)
{
	struct seen *s = arg;

	(void)n;
	if (k->flow.transport == SIP_TRANSPORT_UDP)
		s->udp++;
	else if (++s->tcp == s->drop_at)
		return NET_DROP;
	return NET_PASS;
}

static struct net *net_of(uint8_t ip, enum ue_transport transport, struct seen *s)
{
	struct net_setup setup = {
		.ues = 2, .ip = ip, .challenge_protected = true, .transport = transport};
	struct net *n = net_alloc(&setup);

	n->fate = count;
	n->fate_arg = s;
	return n;
}

static void message(struct net *n, unsigned from, size_t size, uint64_t ms)
{
	unsigned sent = n->ues[from].events[UE_MESSAGE_SENT_OK];
	unsigned got = n->ues[!from].events[UE_MESSAGE_RECEIVED];
	char body[2048];

	assert_true(size < sizeof(body));
	memset(body, 'm', size);
	assert_int_equal(ue_message(n->ues[from].ue, sv_of(n->ues[!from].impu),
				    (struct sv){body, size}, n->now),
			 0);
	net_run(n, ms);
	assert_int_equal(n->ues[from].events[UE_MESSAGE_SENT_OK], sent + 1);
	assert_int_equal(n->ues[!from].events[UE_MESSAGE_RECEIVED], got + 1);
}

static void all_end(struct net *n)
{
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ue_deregister(n->ues[i].ue, n->now), 0);
	net_run(n, 400000);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(n->ues[i].events[UE_DEREGISTERED], 1);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(net_counters(n).registered, 0);
	net_free(n);
}

/*
 * Registration, messages both ways, challenged refresh with its new ports, the end. covers: SP-16,
 * SP-17, SP-18
 */
static void everything_over_tcp(uint8_t ip)
{
	struct seen s = {0};
	struct net *n = net_of(ip, UE_TRANSPORT_TCP, &s);
	struct sa_set first;

	net_register(n, 0);
	net_register(n, 1);
	assert_int_equal(n->tcp.opened[0], 4); /* each: SM1 in clear, SM7 inside ESP */
	message(n, 0, 10, 1);
	message(n, 1, 1500, 1);
	assert_int_equal(n->tcp.opened[0], 4);
	assert_int_equal(n->tcp.opened[1], 2); /* port_pc to port_us, one per UE */
	first = *ue_current_set(n->ues[0].ue);
	net_run(n, 600000);
	net_register(n, 0);
	assert_true(ue_current_set(n->ues[0].ue)->id != first.id);
	assert_int_equal(ue_current_set(n->ues[0].ue)->local_port[SA_SERVER],
			 first.local_port[SA_SERVER]);
	assert_int_equal(n->tcp.opened[0], 5); /* from the new port_uc */
	message(n, 0, 10, 1);
	message(n, 1, 10, 1);
	assert_int_equal(s.udp, 0);
	assert_int_equal(n->lost_spi, 0);
	all_end(n);
}

/* covers: SP-16, SP-17, F35 */
static void tcp_alone(void **state)
{
	(void)state;
	everything_over_tcp(4);
	everything_over_tcp(6);
}

/* A phone registers over TCP, sends over UDP on the same SAs, and TCP for what is long. covers:
 * F11, ES-04, F35 */
static void both_on_one_set(void **state)
{
	struct seen s = {0};
	struct net *n = net_of(6, UE_TRANSPORT_MIXED, &s);
	unsigned tcp;

	(void)state;
	net_register(n, 0);
	net_register(n, 1);
	assert_int_equal(s.udp, 0);
	tcp = s.tcp;
	message(n, 0, 10, 1);
	assert_int_equal(s.tcp, tcp);
	assert_int_equal(s.udp, 4);
	message(n, 0, 1500, 1);
	assert_int_equal(s.udp, 4);
	assert_int_equal(s.tcp, tcp + 4);
	assert_int_equal(net_sets(&n->edge), 2);
	all_end(n);
}

/* Idle connections end; registrations do not. covers: F12 */
static void registration_outlives_connections(void **state)
{
	struct seen s = {0};
	struct net *n = net_of(4, UE_TRANSPORT_TCP, &s);

	(void)state;
	net_register(n, 0);
	net_register(n, 1);
	for (unsigned i = 0; i < 4; i++) {
		net_run(n, 60000);
		net_hang_up(n);
		net_run(n, 60000);
		assert_int_equal(net_counters(n).registered, 2);
		assert_int_equal(net_sets(&n->edge), 2);
		message(n, i & 1, 10, 1);
	}
	assert_int_equal(s.udp, 0);
	all_end(n);
}

/*
 * Whichever packet it is with which its connection ends: registrations and messages all succeed, no
 * message arrives twice, nothing goes out in clear that should not, and nothing is left. covers:
 * F10
 */
static void ends_at_any_packet(enum ue_transport transport, size_t size)
{
	unsigned at = 0, packets = 1;

	for (; at <= packets; at++) {
		struct seen s = {.drop_at = at};
		struct net *n = net_of(6, transport, &s);

		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(ue_register(n->ues[i].ue, n->now), 0);
			net_run(n, 30000);
			assert_int_equal(n->ues[i].events[UE_REGISTERED], 1);
		}
		message(n, 0, size, 30000);
		message(n, 1, size, 30000);
		if (at == 0)
			packets = s.tcp;
		all_end(n);
	}
	assert_true(packets > 8);
}

static void connections_end_anywhere(void **state)
{
	(void)state;
	ends_at_any_packet(UE_TRANSPORT_TCP, 10);
	ends_at_any_packet(UE_TRANSPORT_MIXED, 1500);
}

/* One side takes no connections: UDP on the same SAs, at once. covers: F15 */
static void refused_connections(void **state)
{
	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		struct seen s = {0};
		struct net *n = net_of(4, UE_TRANSPORT_TCP, &s);

		n->tcp.refuses[side] = true;
		net_register(n, 0);
		net_register(n, 1);
		assert_int_equal(s.udp > 0, side == 1);
		message(n, 0, 10, 1);
		message(n, 1, 1500, 1);
		assert_true(s.udp > 0);
		assert_int_equal(n->tcp.opened[!side], 0);
		all_end(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_alone),
		cmocka_unit_test(both_on_one_set),
		cmocka_unit_test(registration_outlives_connections),
		cmocka_unit_test(connections_end_anywhere),
		cmocka_unit_test(refused_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
