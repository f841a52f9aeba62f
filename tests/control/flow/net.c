#include "tests/control/flow/conn.h"
#include "tests/control/flow/path.h"
#include "tests/control/flow/sas.h"

#include <stdlib.h>

#include "control/sip/msg.h"
#include "crypto/secret.h"

#define REALM "home.test"

static const struct agree_choice all_choices[6] = {
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_DES_EDE3_CBC, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_MD5_96, SA_ENCR_DES_EDE3_CBC, SA_MODE_TRANSPORT},
};

static void ue_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	(void)u;
	net_transmit(ctx, flow, text);
}

static void edge_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	net_transmit(ctx, flow, text);
}

static int stream_send(struct net_end *e, const struct sip_flow *flow, struct sv text)
{
	struct sip_flow f = *flow;

	if (f.transport != SIP_TRANSPORT_TLS)
		return conn_send(e, flow, text);
	if (!f.session)
		f.session = ++e->net->sessions;
	net_transmit(e, &f, text);
	return 0;
}

static int ue_stream_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	(void)u;
	return stream_send(ctx, flow, text);
}

static int edge_stream_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	return stream_send(ctx, flow, text);
}

static void ue_hang_up(void *ctx, struct ue *u, const struct sip_flow *flow)
{
	(void)ctx;
	(void)u;
	(void)flow;
}

static void edge_hang_up(void *ctx, const struct sip_flow *flow)
{
	(void)ctx;
	(void)flow;
}

static void event(void *ctx, struct ue *u, enum ue_event e, struct sv text, uint64_t now)
{
	struct net_ue *x = net_ue_of(ctx);

	(void)now;
	x->events[e]++;
	snprintf(x->text, sizeof(x->text), "%.*s", SV_ARG(text));
	if (e == UE_REGISTERED && ue_current_set(u))
		sas_find(&x->end, ue_current_set(u)->id)->confirmed = true;
	if (x->end.net->event)
		x->end.net->event(x->end.net, x, e, text);
}

void net_ue_place(struct net *n, unsigned i, uint16_t host)
{
	struct net_ue *x = &n->ues[i];
	char addr[64];

	assert_null(n->at[host]);
	assert_null(x->ue);
	n->at[x->host] = NULL;
	x->host = host;
	n->at[host] = x;
	if (x->conf.pcscf.addr.version == 6)
		snprintf(addr, sizeof(addr), "2001:db8:1::%x", host);
	else
		snprintf(addr, sizeof(addr), "10.1.%u.%u", host >> 8, host & 255);
	ip_addr_parse(&x->conf.local.addr, addr);
}

void net_ue_start(struct net *n, unsigned i)
{
	struct net_ue *x = &n->ues[i];
	struct ue_env env = {.ctx = &x->end,
			     .send = ue_send,
			     .sa_reserve = sas_reserve,
			     .sa_install = sas_install,
			     .sa_remove = sas_remove,
			     .event = event,
			     .stream_send = ue_stream_send,
			     .hang_up = ue_hang_up};

	assert_int_equal(ue_alloc(&x->ue, &x->conf, &env, n->timers), 0);
}

void net_ue_crash(struct net *n, unsigned i)
{
	ue_free(n->ues[i].ue);
	n->ues[i].ue = NULL;
	assert_int_equal(net_sets(&n->ues[i].end), 0);
}

static void ue_make(struct net *n, unsigned i, const struct net_setup *setup)
{
	struct net_ue *x = &n->ues[i];
	struct hss_subscriber s = {.n_impus = 2, .amf = {0x80, 0}};

	snprintf(x->impi, sizeof(x->impi), "u%u@" REALM, i);
	snprintf(x->impu, sizeof(x->impu), "sip:u%u@" REALM, i);
	sas_make(n, &x->end, NET_SETS);
	x->conf = (struct ue_conf){
		.impi = x->impi,
		.impu = x->impu,
		.realm = REALM,
		.sqn = &x->sqn,
		.port_min = 30000,
		.port_max = 60000,
		.n_choices = 6,
		.expires = setup->expires ? setup->expires : 3600,
		.await_auth = 240,
		.guard = 30,
		.protect_or_abort = true,
		.reg_event = setup->reg_event,
		.transport = setup->transport,
	};
	if (setup->either) {
		x->conf.auth = UE_AUTH_EITHER;
		x->conf.security = UE_SECURITY_EITHER;
		x->conf.password = "secret";
	}
	memcpy(x->conf.choices, all_choices, sizeof(all_choices));
	memset(&x->conf.key, 0x40 + (int)i, sizeof(x->conf.key));
	ip_addr_parse(&x->conf.pcscf.addr,
		      setup->ip == 6 || (!setup->ip && i % 2) ? "2001:db8::1" : "192.0.2.1");
	net_ue_place(n, i, (uint16_t)(i + 1));
	x->conf.local.port = x->conf.pcscf.port = 5060;
	x->conf.udp_enc_tun = setup->udp_enc_tun;
	if (i < NET_UES && setup->nat[i].public) {
		ip_addr_parse(&x->conf.local.addr, setup->nat[i].private);
		net_rebind(n, i, setup->nat[i].public);
	}
	snprintf(s.impi, sizeof(s.impi), "%s", x->impi);
	snprintf(s.impus[0], sizeof(s.impus[0]), "%s", x->impu);
	snprintf(s.impus[1], sizeof(s.impus[1]), "tel:+4930%04u", i);
	memcpy(s.k, x->conf.key.k, sizeof(s.k));
	memcpy(s.opc, x->conf.key.opc, sizeof(s.opc));
	s.k[0] ^= setup->wrong_key;
	if (setup->either)
		assert_int_equal(hss_subscriber_password(&s, SV(REALM), "secret", 6), 0);
	assert_int_equal(hss_subscriber_add(n->hss, &s), 0);
	net_ue_start(n, i);
}

static void core_make(struct net *n, const struct net_setup *setup)
{
	struct hss_conf hss = {
		.path = ":memory:", .sqn_block = 32, .digest.before_aka = setup->digest_before_aka};
	struct icscf_conf icscf = {.host = "icscf." REALM, .scscf_host = "scscf." REALM};
	struct scscf_conf scscf = {
		.host = "scscf." REALM,
		.icscf_host = "icscf." REALM,
		.realm = REALM,
		.expires_default = 3600,
		.expires_min = 60,
		.expires_max = 7200,
		.await_auth = 240,
		.vectors = 1,
		.challenge_protected = setup->challenge_protected,
		.reauth_expires = setup->reauth_expires,
		.reauth_repeats = setup->reauth_repeats,
	};

	assert_int_equal(hss_alloc(&n->hss, &hss), 0);
	assert_int_equal(icscf_alloc(&n->icscf, &icscf, n->mw, hss_cx(n->hss)), 0);
	assert_int_equal(scscf_alloc(&n->scscf, &scscf, n->timers, n->mw, hss_cx(n->hss)), 0);
}

static void edge_make(struct net *n, const struct net_setup *setup)
{
	struct pcscf_env env = {.ctx = &n->edge,
				.send = edge_send,
				.sa_reserve = sas_reserve,
				.sa_install = sas_install,
				.sa_remove = sas_remove,
				.stream_send = edge_stream_send,
				.hang_up = edge_hang_up};
	struct pcscf_conf conf = {
		.host = "pcscf.visited.test",
		.icscf_host = "icscf." REALM,
		.visited_network = "visited.test",
		.port_ps = 6060,
		.port_pc_min = 20000,
		.port_pc_max = 29999,
		.n_choices = setup->n_choices ? setup->n_choices : 6,
		.ipsec_required = !setup->ipsec_optional,
		.await_auth = 240,
		.guard = 30,
		.linger = 32,
		.max_pending = setup->ues + 1000,
		.udp_enc_port = setup->no_udp_enc ? 0 : NET_UDP_ENC_PORT,
		.reg_event = setup->edge_event,
		.ecscf_host = setup->ecscf,
		.clear_emergency = setup->clear_emergency,
	};

	if (setup->n_choices)
		memcpy(conf.choices, setup->choices, sizeof(conf.choices));
	else
		memcpy(conf.choices, all_choices, sizeof(all_choices));
	ip_addr_parse(&conf.access[0].addr, "192.0.2.1");
	ip_addr_parse(&conf.access[1].addr, "2001:db8::1");
	conf.access[0].port = conf.access[1].port = 5060;
	ip_addr_parse(&conf.alias[0].addr, "198.18.0.0");
	conf.alias[0].len = 15;
	sas_make(n, &n->edge, 4 * setup->ues + NET_SETS);
	assert_int_equal(pcscf_alloc(&n->pcscf, &conf, &env, n->timers, n->mw), 0);
}

struct net *net_alloc(const struct net_setup *setup)
{
	struct net *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	assert_int_equal(secret_init(), 0);
	n->tail = &n->head;
	n->now = 1000;
	n->ues = calloc(setup->ues, sizeof(*n->ues));
	assert_non_null(n->ues);
	assert_int_equal(timers_alloc(&n->timers), 0);
	assert_int_equal(mw_alloc(&n->mw), 0);
	core_make(n, setup);
	edge_make(n, setup);
	n->n_ues = setup->ues;
	for (unsigned i = 0; i < setup->ues; i++)
		ue_make(n, i, setup);
	return n;
}

static void packets_free(struct net_packet *k)
{
	while (k) {
		struct net_packet *next = k->next;

		free(k);
		k = next;
	}
}

void net_free(struct net *n)
{
	assert_int_equal(n->keys_seen, 0);
	assert_int_equal(n->clear_requests, 0);
	if (!n->spoil_bits) {
		assert_int_equal(n->lost_clear, 0);
		assert_int_equal(n->lost_selectors, 0);
	}
	for (unsigned i = 0; i < n->n_ues; i++)
		if (n->ues[i].ue)
			net_ue_crash(n, i);
	pcscf_free(n->pcscf);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(n->installs, n->removes);
	scscf_free(n->scscf);
	icscf_free(n->icscf);
	hss_free(n->hss);
	packets_free(n->head);
	packets_free(n->held);
	conns_free(n);
	mw_free(n->mw);
	assert_int_equal(timers_count(n->timers), 0);
	timers_free(n->timers);
	for (unsigned i = 0; i < n->n_ues; i++)
		free(n->ues[i].end.sas);
	free(n->edge.sas);
	free(n->ues);
	free(n);
}

void net_register(struct net *n, unsigned i)
{
	unsigned before = n->ues[i].events[UE_REGISTERED];

	assert_int_equal(ue_register(n->ues[i].ue, n->now), 0);
	net_run(n, 1);
	assert_int_equal(n->ues[i].events[UE_REGISTERED], before + 1);
}

struct pcscf_counters net_counters(const struct net *n)
{
	struct pcscf_counters c;

	pcscf_counters(n->pcscf, &c);
	return c;
}
