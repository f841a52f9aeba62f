/* UEs behind one NAT that choose the same protected ports (D-17): the later one takes others. */
#include <stdlib.h>

#include "control/base/sbuf.h"
#include "tests/control/flow/net.h"

/* What the second UE offers is made the first one's. */
struct clash {
	const char *param;
	uint16_t port;
	unsigned left; /* REGISTERs that are altered still */
	unsigned seen; /* those refused */
	char text[NET_TEXT];
};

static struct sv make_clash(struct net *n, const struct net_packet *k, void *arg)
{
	struct clash *c = arg;
	struct sbuf b = sbuf_of(c->text, sizeof(c->text));
	const char *at = k->text, *end = k->text + k->n, *next;

	if (k->from == &n->edge)
		c->seen += memmem(k->text, k->n, "protected port in use", 21) != NULL;
	if (!c->left || k->from != &n->ues[1].end || strncmp(k->text, "REGISTER ", 9) != 0)
		return (struct sv){0};
	c->left--;
	while ((next = memmem(at, (size_t)(end - at), c->param, strlen(c->param)))) {
		next += strlen(c->param);
		sbuf_put(&b, (struct sv){at, (size_t)(next - at)});
		sbuf_printf(&b, "%u", c->port);
		for (at = next; at < end && *at >= '0' && *at <= '9';)
			at++;
	}
	sbuf_put(&b, (struct sv){at, (size_t)(end - at)});
	assert_false(b.overflow);
	return sbuf_sv(&b);
}

static struct net *neighbours(struct clash *c)
{
	struct net_setup setup = {.ues = 2,
				  .ip = 4,
				  .udp_enc_tun = true,
				  .challenge_protected = true,
				  .nat[0] = {"192.168.1.2", "203.0.113.10"},
				  .nat[1] = {"192.168.1.3", "203.0.113.10"}};
	struct net *n = net_alloc(&setup);
	const struct sa_set *first;

	net_register(n, 0);
	first = ue_current_set(n->ues[0].ue);
	c->port = first->local_port[c->param[5] == 's' ? SA_SERVER : SA_CLIENT];
	n->alter = make_clash;
	n->fate_arg = c;
	return n;
}

static void all_leave(struct net *n)
{
	for (unsigned i = 0; i < 2; i++)
		if (ue_registered(n->ues[i].ue))
			assert_int_equal(ue_deregister(n->ues[i].ue, n->now), 0);
	net_run(n, 400000);
	assert_int_equal(net_sets(&n->edge), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(net_sets(&n->ues[i].end), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).pending, 0);
	assert_int_equal(timers_count(n->timers), 0);
	net_free(n);
}

static void meets(struct net *n)
{
	const struct sa_set *a = ue_current_set(n->ues[0].ue), *b = ue_current_set(n->ues[1].ue);

	assert_true(a->local_port[SA_SERVER] != b->local_port[SA_SERVER]);
	for (unsigned i = 0; i < 2; i++) {
		unsigned got = n->ues[!i].events[UE_MESSAGE_RECEIVED];

		assert_int_equal(
			ue_message(n->ues[i].ue, sv_of(n->ues[!i].impu), SV("hello"), n->now), 0);
		net_run(n, 1);
		assert_int_equal(n->ues[!i].events[UE_MESSAGE_RECEIVED], got + 1);
	}
}

/* covers: D-17, ST-06, ST-08 */
static void takes_other_ports(void **state)
{
	static const char *const params[] = {"port-s=", "port-c="};

	(void)state;
	for (unsigned i = 0; i < N_OF(params); i++)
		for (unsigned times = 1; times <= 3; times++) {
			struct clash c = {.param = params[i], .left = times};
			struct net *n = neighbours(&c);

			net_register(n, 1); /* within a millisecond */
			assert_int_equal(c.seen, times);
			assert_int_equal(n->ues[1].events[UE_FAILED], 0);
			meets(n);
			all_leave(n);
		}
}

/* A refresh keeps port_us, and only another port_uc helps (SP-18). */
static void refresh_takes_another_client_port(void **state)
{
	struct clash c = {.param = "port-c="};
	struct net *n = neighbours(&c);
	uint16_t port_us;

	(void)state;
	net_register(n, 1);
	port_us = ue_current_set(n->ues[1].ue)->local_port[SA_SERVER];
	c.left = 1;
	net_register(n, 1);
	assert_int_equal(c.seen, 1);
	assert_int_equal(ue_current_set(n->ues[1].ue)->local_port[SA_SERVER], port_us);
	meets(n);
	c.left = 1; /* and when it leaves */
	assert_int_equal(ue_deregister(n->ues[1].ue, n->now), 0);
	net_run(n, 1);
	assert_int_equal(c.seen, 2);
	assert_int_equal(n->ues[1].events[UE_DEREGISTERED], 1);
	all_leave(n);
}

static void gives_up_at_last(void **state)
{
	struct clash c = {.param = "port-s=", .left = 100};
	struct net *n = neighbours(&c);

	(void)state;
	assert_int_equal(ue_register(n->ues[1].ue, n->now), 0);
	net_run(n, 1000);
	assert_int_equal(n->ues[1].events[UE_FAILED], 1);
	assert_memory_equal(n->ues[1].text, "400", 3);
	assert_int_equal(c.seen, 4);
	assert_int_equal(net_counters(n).drops[PCSCF_REFUSED_PORT], 4);
	assert_int_equal(ue_sets(n->ues[1].ue), 0);
	assert_int_equal(net_sets(&n->edge), 1);
	c.left = 0;
	net_register(n, 1);
	meets(n);
	all_leave(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_other_ports),
		cmocka_unit_test(refresh_takes_another_client_port),
		cmocka_unit_test(gives_up_at_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
