/* UEs behind NATs (TS 33.203 Annex M, field notes), end to end on simulated time. */
#include "tests/control/flow/net.h"

/* Two UEs with the same private address behind two NATs. */
static struct net *twins(struct net_setup setup)
{
	setup.ues = 2;
	setup.ip = 4;
	setup.udp_enc_tun = true;
	setup.nat[0].private = setup.nat[1].private = "192.168.1.2";
	setup.nat[0].public = "203.0.113.10";
	setup.nat[1].public = "203.0.113.20";
	return net_alloc(&setup);
}

static const struct sa_set *edge_set(const struct net *n, unsigned i)
{
	const struct sa_set *ue = ue_current_set(n->ues[i].ue);

	assert_non_null(ue);
	for (unsigned k = 0; k < NET_SETS; k++)
		if (n->edge.sas[k].installed &&
		    n->edge.sas[k].set.spi_in[SA_SERVER] == ue->spi_out[SA_CLIENT])
			return &n->edge.sas[k].set;
	fail_msg("the P-CSCF has no such set");
	return NULL;
}

static void message(struct net *n, unsigned from, unsigned to, uint64_t ms)
{
	unsigned ok = n->ues[from].events[UE_MESSAGE_SENT_OK];
	unsigned got = n->ues[to].events[UE_MESSAGE_RECEIVED];

	assert_int_equal(ue_message(n->ues[from].ue, sv_of(n->ues[to].impu), SV("hello"), n->now),
			 0);
	net_run(n, ms);
	assert_int_equal(n->ues[from].events[UE_MESSAGE_SENT_OK], ok + 1);
	assert_int_equal(n->ues[to].events[UE_MESSAGE_RECEIVED], got + 1);
}

static void leave(struct net *n)
{
	for (unsigned i = 0; i < n->n_ues; i++)
		assert_int_equal(ue_deregister(n->ues[i].ue, n->now), 0);
	net_run(n, 400000);
	for (unsigned i = 0; i < n->n_ues; i++)
		assert_int_equal(n->ues[i].events[UE_DEREGISTERED], 1);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	net_free(n);
}

/*
 * Behind one NAT all UEs have one address, and so the same ports to choose from: here so few that
 * they collide (this was a 400 now and then in the interop tests).
 */
/* covers: ST-06, ST-08 */
static void ports_taken_by_a_neighbour(void **state)
{
	static const char *const private[NET_UES] = {"192.168.1.2", "192.168.1.3", "192.168.1.4",
						     "192.168.1.5"};
	struct net_setup setup = {.ues = NET_UES, .ip = 4, .udp_enc_tun = true};
	uint64_t refused = 0;

	(void)state;
	for (unsigned i = 0; i < NET_UES; i++) {
		setup.nat[i].private = private[i];
		setup.nat[i].public = "203.0.113.10";
	}
	for (unsigned round = 0; round < 200 && refused < 3; round++) {
		struct net *n = net_alloc(&setup);

		for (unsigned i = 0; i < NET_UES; i++) {
			net_ue_crash(n, i);
			n->ues[i].conf.port_min = 30000;
			n->ues[i].conf.port_max = 30127;
			net_ue_start(n, i);
			net_register(n, i);
		}
		assert_int_equal(net_counters(n).registered, NET_UES);
		message(n, 0, NET_UES - 1, 1000);
		refused += net_counters(n).drops[PCSCF_REFUSED_PORT];
		leave(n);
	}
	assert_true(refused > 0);
}

/* Both ends' tunnels, and the addresses that each of them holds. */
static void tunnel_is_right(const struct net *n, unsigned i)
{
	const struct sa_set *ue = ue_current_set(n->ues[i].ue), *edge = edge_set(n, i);
	const struct net_ue *x = &n->ues[i];

	assert_int_equal(ue->mode, SA_MODE_UDP_ENC_TUN);
	assert_int_equal(edge->mode, SA_MODE_UDP_ENC_TUN);
	/* D-17: outbound to the UE's public address; from the UE's local one */
	assert_true(ip_addr_eq(&edge->remote, &x->nat.addr));
	assert_int_equal(edge->tunnel.remote_port, x->nat.enc);
	assert_true(ip_addr_eq(&ue->local, &x->conf.local.addr));
	assert_true(ip_addr_eq(&ue->remote, &x->conf.pcscf.addr));
	assert_int_equal(ue->tunnel.remote_port, 4500);
	assert_true(edge->tunnel.follow);
	assert_false(edge->tunnel.keepalive);
	assert_true(ue->tunnel.keepalive);
	assert_false(ue->tunnel.follow);
	assert_true(ip_addr_eq(&edge->tunnel.inner_remote[0], &x->conf.local.addr));
	assert_true(ip_addr_eq(&edge->tunnel.inner_local, &x->conf.pcscf.addr));
	assert_true(ip_addr_eq(&ue->tunnel.inner_local, &x->conf.local.addr));
	assert_true(ip_addr_eq(&ue->tunnel.inner_remote[0], &x->conf.pcscf.addr));
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		assert_int_equal(edge->local_port[p], ue->remote_port[!p]);
		assert_int_equal(edge->remote_port[p], ue->local_port[!p]);
	}
}

/* covers: D-17, C-03, C-34, F17, HX-08, NM-01, NM-03, NM-05, NM-06, NM-11 */
static void equal_private_addresses(void **state)
{
	struct net *n = twins((struct net_setup){.challenge_protected = true});
	struct ip_prefix aliases = {.len = 15};

	(void)state;
	assert_int_equal(ip_addr_parse(&aliases.addr, "198.18.0.0"), 0);
	net_register(n, 0);
	net_register(n, 1);
	for (unsigned i = 0; i < 2; i++)
		tunnel_is_right(n, i);
	/* the host's stack can tell them apart */
	assert_true(ip_prefix_holds(&aliases, &edge_set(n, 0)->tunnel.host_alias));
	assert_true(ip_prefix_holds(&aliases, &edge_set(n, 1)->tunnel.host_alias));
	assert_false(
		ip_addr_eq(&edge_set(n, 0)->tunnel.host_alias, &edge_set(n, 1)->tunnel.host_alias));
	message(n, 0, 1, 1);
	message(n, 1, 0, 1);
	assert_int_equal(n->moves, 2); /* each first heard with its SM7 */
	assert_int_equal(n->lost_nat, 0);
	leave(n);
}

/* A challenged refresh inside the tunnel: the same ways, and the same alias, for the new set. */
static void refreshed(void **state)
{
	struct net *n = twins((struct net_setup){.challenge_protected = true});
	struct sa_set first;

	(void)state;
	net_register(n, 0);
	net_register(n, 1);
	first = *edge_set(n, 0);
	net_run(n, 600000);
	net_register(n, 0);
	assert_true(edge_set(n, 0)->id != first.id);
	tunnel_is_right(n, 0);
	assert_true(ip_addr_eq(&edge_set(n, 0)->tunnel.host_alias, &first.tunnel.host_alias));
	assert_int_equal(edge_set(n, 0)->remote_port[SA_CLIENT], first.remote_port[SA_CLIENT]);
	message(n, 1, 0, 1);
	message(n, 0, 1, 1);
	leave(n);
}

/* covers: D-17, NM-14 */
static void rebinding_while_idle(void **state)
{
	static const char *const addresses[] = {NULL, "203.0.113.77"};

	(void)state;
	for (unsigned a = 0; a < N_OF(addresses); a++) {
		struct net *n = twins((struct net_setup){.ues = 0});

		net_register(n, 0);
		net_register(n, 1);
		net_rebind(n, 0, addresses[a]);
		net_rebind(n, 1, NULL);
		/* the UE's heartbeat comes within 20 s; the MESSAGE is repeated until then */
		message(n, 1, 0, 40000);
		message(n, 0, 1, 40000);
		tunnel_is_right(n, 0);
		tunnel_is_right(n, 1);
		assert_true(n->lost_nat > 0);
		net_run(n, 120000);
		n->lost_nat = 0;
		message(n, 1, 0, 1); /* at once */
		assert_int_equal(n->lost_nat, 0);
		leave(n);
	}
}

/* A packet of the UE's own tells at once, and a refresh works from the new place. */
/* covers: NM-14 */
static void rebinding_under_way(void **state)
{
	struct net *n = twins((struct net_setup){.challenge_protected = true});

	(void)state;
	net_register(n, 0);
	net_register(n, 1);
	net_rebind(n, 0, "203.0.113.78");
	message(n, 0, 1, 1);
	message(n, 1, 0, 1);
	assert_int_equal(n->lost_nat, 0);
	net_rebind(n, 0, "203.0.113.79");
	net_register(n, 0);
	tunnel_is_right(n, 0);
	message(n, 1, 0, 1);
	leave(n);
}

static void without_nat_transport_mode(void **state)
{
	struct net_setup setup = {.ues = 2, .udp_enc_tun = true};

	(void)state;
	for (setup.ip = 4; setup.ip <= 6; setup.ip += 2) {
		struct net *n = net_alloc(&setup);

		net_register(n, 0);
		net_register(n, 1);
		assert_int_equal(ue_current_set(n->ues[0].ue)->mode, SA_MODE_TRANSPORT);
		assert_int_equal(edge_set(n, 0)->mode, SA_MODE_TRANSPORT);
		message(n, 0, 1, 1);
		net_run(n, 600000); /* no heartbeats */
		assert_int_equal(n->moves, 0);
		leave(n);
	}
}

/* covers: F17, HX-08, NM-04 */
static void refused_without_the_offer_or_the_feature(void **state)
{
	static const struct {
		bool offered, taken;
		const char *text;
	} cases[] = {{false, true, "494"}, {true, false, "403"}, {false, false, "403"}};

	(void)state;
	for (unsigned c = 0; c < N_OF(cases); c++) {
		struct net_setup setup = {.ues = 1,
					  .ip = 4,
					  .udp_enc_tun = cases[c].offered,
					  .no_udp_enc = !cases[c].taken,
					  .nat[0] = {"192.168.1.2", "203.0.113.10"}};
		struct net *n = net_alloc(&setup);

		assert_int_equal(ue_register(n->ues[0].ue, n->now), 0);
		net_run(n, 1000);
		assert_int_equal(n->ues[0].events[UE_FAILED], 1);
		assert_memory_equal(n->ues[0].text, cases[c].text, 3);
		assert_int_equal(net_counters(n).drops[PCSCF_REFUSED_NAT], 1);
		assert_int_equal(net_sets(&n->edge), 0);
		net_run(n, 400000);
		net_free(n);
	}
}

/* covers: D-17, NM-10 */
static void several_behind_one_nat(void **state)
{
	struct net_setup setup = {.ues = 3, .ip = 4, .udp_enc_tun = true};
	struct net *n;

	(void)state;
	setup.nat[0].private = "192.168.1.2";
	setup.nat[1].private = "192.168.1.3";
	setup.nat[2].private = "192.168.1.4";
	for (unsigned i = 0; i < 3; i++)
		setup.nat[i].public = "203.0.113.10";
	n = net_alloc(&setup);
	for (unsigned i = 0; i < 3; i++)
		net_register(n, i);
	for (unsigned i = 0; i < 3; i++) {
		tunnel_is_right(n, i);
		message(n, i, (i + 1) % 3, 1);
	}
	leave(n);
}

/* A UE that forgot everything comes back through another mapping, in clear. */
static void restarted(void **state)
{
	struct net *n = twins((struct net_setup){.ues = 0});

	(void)state;
	net_register(n, 0);
	net_register(n, 1);
	net_ue_crash(n, 0);
	net_rebind(n, 0, "203.0.113.80");
	net_ue_start(n, 0);
	net_register(n, 0);
	net_run(n, 400000);
	tunnel_is_right(n, 0);
	assert_int_equal(net_sets(&n->edge), 2);
	message(n, 1, 0, 1);
	leave(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_taken_by_a_neighbour),
		cmocka_unit_test(equal_private_addresses),
		cmocka_unit_test(refreshed),
		cmocka_unit_test(rebinding_while_idle),
		cmocka_unit_test(rebinding_under_way),
		cmocka_unit_test(without_nat_transport_mode),
		cmocka_unit_test(refused_without_the_offer_or_the_feature),
		cmocka_unit_test(several_behind_one_nat),
		cmocka_unit_test(restarted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
