#include "tests/control/flow/conn.h"
#include "tests/control/flow/path.h"

#include <stdlib.h>

#include "control/sip/msg.h"
#include "crypto/secret.h"

#define REALM "home.test"

static const struct agree_choice all_choices[PCSCF_MAX_CHOICES] = {
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_DES_EDE3_CBC, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_MD5_96, SA_ENCR_DES_EDE3_CBC, SA_MODE_TRANSPORT},
};

/* ---- SA layer */

/* The id finds the place, and so does an SPI; neither comes again. */
static struct net_sa *sa_find(struct net_end *e, sa_set_id id)
{
	struct net_sa *sa = &e->sas[id % e->places];

	return sa->reserved && sa->set.id == id ? sa : NULL;
}

static struct net_sa *sa_of_spi(struct net_end *e, uint32_t spi)
{
	return spi < SA_SPI_MIN ? NULL : sa_find(e, (spi - SA_SPI_MIN) / SA_PAIRS);
}

static bool spi_avoided(uint32_t spi, const uint32_t *avoid, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (avoid[i] == spi)
			return true;
	return false;
}

static int sa_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	struct net_end *e = ctx;

	for (unsigned tries = 0; tries < 2 * e->places; tries++) {
		sa_set_id id = ++e->last_id;
		uint32_t spi = SA_SPI_MIN + id * SA_PAIRS;
		struct net_sa *sa = &e->sas[id % e->places];

		if (sa->reserved || spi_avoided(spi, avoid, n) || spi_avoided(spi + 1, avoid, n))
			continue;
		set->id = id;
		set->spi_in[SA_SERVER] = spi;
		set->spi_in[SA_CLIENT] = spi + 1;
		*sa = (struct net_sa){.reserved = true, .set = *set};
		e->in_use++;
		return 0;
	}
	return -ENOSPC;
}

static unsigned host_of(const struct ip_addr *a)
{
	return a->version == 4 ? (unsigned)a->b[2] << 8 | a->b[3]
			       : (unsigned)a->b[14] << 8 | a->b[15];
}

static int sa_install(void *ctx, const struct sa_set *set)
{
	struct net_end *e = ctx;
	struct net_sa *sa = sa_find(e, set->id);

	assert_non_null(sa);
	assert_false(sa->installed);
	assert_memory_equal(sa->set.spi_in, set->spi_in, sizeof(set->spi_in));
	for (unsigned p = 0; p < SA_PAIRS; p++)
		assert_true(set->spi_out[p] >= SA_SPI_MIN);
	sa->set = *set;
	sa->installed = true;
	sa->owner = e->net->at[host_of(&set->remote)];
	e->net->installs++;
	return 0;
}

static void sa_remove(void *ctx, sa_set_id id)
{
	struct net_end *e = ctx;
	struct net_sa *sa = sa_find(e, id);

	assert_non_null(sa);
	if (sa->installed)
		conn_unprotect(e, &sa->set);
	e->net->removes += sa->installed;
	e->in_use--;
	memset(sa, 0, sizeof(*sa));
}

unsigned net_sets(const struct net_end *e)
{
	return e->in_use;
}

static void end_make(struct net *n, struct net_end *e, unsigned places)
{
	e->net = n;
	e->places = places;
	e->last_id = (n->ends++ & 63) << 24; /* so ids and SPIs differ between a few ends */
	e->sas = calloc(places, sizeof(*e->sas));
	assert_non_null(e->sas);
}

/* ---- the access */

struct net_end *net_end_of(struct net *n, const struct ip_addr *a)
{
	struct net_ue *x = n->at[host_of(a)];

	return x && ip_addr_eq(&x->conf.local.addr, a) ? &x->end : &n->edge;
}

/* A parameter of that name; a nonce may hold the letters by chance. */
static bool has_param(const struct net_packet *k, const char *name)
{
	for (size_t i = 1; i + 3 < k->n; i++)
		if (strncasecmp(k->text + i, name, 3) == 0 && strchr(" ,\t\n", k->text[i - 1]))
			return true;
	return false;
}

static void watch(struct net *n, const struct net_packet *k)
{
	if (k->from == &n->edge && (has_param(k, "ck=") || has_param(k, "ik=")))
		n->keys_seen++;
	if (!k->flow.set && strncmp(k->text, "REGISTER ", 9) != 0 &&
	    strncmp(k->text, "SIP/2.0 ", 8) != 0)
		n->clear_requests++;
}

static bool is_sm12(struct sv text)
{
	return text.n > 12 && memcmp(text.p, "SIP/2.0 200 ", 12) == 0 &&
	       memmem(text.p, text.n, " REGISTER\r\n", 11);
}

void net_transmit(struct net_end *e, const struct sip_flow *flow, struct sv text)
{
	struct net *n = e->net;
	struct net_packet *k = malloc(sizeof(*k) + text.n);

	assert_non_null(k);
	assert_true(text.n < NET_TEXT);
	if (flow->set) { /* only on installed sets, and with their ports */
		struct net_sa *sa = sa_find(e, flow->set);

		assert_non_null(sa);
		assert_true(sa->installed);
		assert_int_equal(flow->local.port, sa->set.local_port[flow->pair]);
		assert_int_equal(flow->remote.port, sa->set.remote_port[flow->pair]);
		if (e == &n->edge && is_sm12(text))
			sa->confirmed = true;
	} else {
		assert_int_equal(flow->local.port, 5060);
	}
	*k = (struct net_packet){.from = e, .flow = *flow, .number = n->sent++, .n = text.n};
	if (flow->set)
		k->sa = sa_find(e, flow->set)->set;
	memcpy(k->text, text.p, text.n);
	watch(n, k);
	*n->tail = k;
	n->tail = &k->next;
}

static void ue_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	(void)u;
	net_transmit(ctx, flow, text);
}

static void edge_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	net_transmit(ctx, flow, text);
}

static int ue_stream_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	(void)u;
	return conn_send(ctx, flow, text);
}

static int edge_stream_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	return conn_send(ctx, flow, text);
}

/* The receiver's SA for a protected packet, or NULL as ESP would drop it. */
static struct net_sa *sa_receive(struct net_end *to, const struct sa_set *out, unsigned pair,
				 unsigned *in_pair)
{
	struct net_sa *sa = sa_of_spi(to, out->spi_out[pair]);
	unsigned p;

	if (!sa || !sa->installed) {
		to->net->lost_spi++;
		return NULL;
	}
	if (sa->set.integ != out->integ || sa->set.encr != out->encr ||
	    memcmp(&sa->set.keys, &out->keys, sizeof(out->keys)) != 0) {
		to->net->lost_keys++;
		return NULL;
	}
	p = sa->set.spi_in[SA_SERVER] == out->spi_out[pair] ? SA_SERVER : SA_CLIENT;
	if (sa->set.mode != out->mode ||
	    (out->mode == SA_MODE_TRANSPORT && !ip_addr_eq(&sa->set.remote, &out->local)) ||
	    sa->set.local_port[p] != out->remote_port[pair] ||
	    sa->set.remote_port[p] != out->local_port[pair]) {
		to->net->lost_selectors++;
		return NULL;
	}
	*in_pair = p;
	return sa;
}

static void hand_over(struct net *n, struct net_end *to, const struct sip_flow *flow,
		      struct sv text)
{
	if (to == &n->edge) {
		pcscf_input(n->pcscf, flow, text, n->now);
		return;
	}
	if (net_ue_of(to)->ue)
		ue_input(net_ue_of(to)->ue, flow, text, n->now);
}

static void deliver(struct net *n, const struct net_packet *k)
{
	struct sip_flow flow = {
		.transport = k->flow.transport, .local = k->flow.remote, .remote = k->flow.local};
	struct ip_endpoint source;
	bool tcp = k->flow.transport == SIP_TRANSPORT_TCP;
	struct net_end *to;
	struct sv text = {0};
	unsigned pair = 0;

	if (k->back) {
		conn_give_back(n, k);
		return;
	}
	if (tcp && conn_is_gone(n, k))
		return;
	to = path_take(n, k, &source);

	if (!to) {
		n->lost_nat++;
		return;
	}
	if (k->flow.set) {
		struct net_sa *in = sa_receive(to, &k->sa, k->flow.pair, &pair);

		if (!in)
			return;
		flow.set = in->set.id;
		flow.pair = (uint8_t)pair;
		path_learn(n, to, in, &source, &flow.remote.addr);
	} else {
		path_clear(n, to, &source, &flow);
		if (tcp)
			conn_clear(to, k, &flow);
		if (flow.local.port != 5060) { /* SP-11: protected ports take nothing in clear */
			n->lost_clear++;
			return;
		}
	}
	if (n->alter)
		text = n->alter(n, k, n->fate_arg);
	hand_over(n, to, &flow, sv_empty(text) ? (struct sv){k->text, k->n} : text);
}

struct net_end *net_receiver(struct net *n, const struct net_packet *k)
{
	return net_end_of(n, &k->flow.remote.addr);
}

struct net_sa *net_sa_of(struct net_end *to, const struct net_packet *k)
{
	return sa_of_spi(to, k->sa.spi_out[k->flow.pair]);
}

void net_inject(struct net *n, struct net_end *to, const struct net_sa *on, struct sv text)
{
	struct net_ue *x = to == &n->edge ? NULL : net_ue_of(to);
	struct sip_flow flow = {.transport = SIP_TRANSPORT_UDP};

	if (on) {
		flow.set = on->set.id;
		flow.pair = SA_SERVER;
		flow.local = (struct ip_endpoint){on->set.local, on->set.local_port[SA_SERVER]};
		flow.remote = (struct ip_endpoint){on->set.remote, on->set.remote_port[SA_SERVER]};
	} else {
		flow.local = x ? x->conf.local : n->ues[0].conf.pcscf;
		flow.remote = x ? x->conf.pcscf : n->ues[0].conf.local;
	}
	hand_over(n, to, &flow, text);
}

static void spoil(struct net *n, struct net_packet *k)
{
	if (k->flow.set)
		n->spoiled++;
	else
		k->text[n->spoil_at % k->n] ^= (char)n->spoil_bits;
}

static void hold(struct net *n, struct net_packet *k, uint64_t ms, bool swap)
{
	k->due = n->now + ms;
	k->swap = swap;
	k->next = n->held;
	n->held = k;
}

/* What was held back for its time, or for another packet to pass. */
static void release(struct net *n, bool passed)
{
	for (struct net_packet **p = &n->held, *k; (k = *p);) {
		if (k->due > n->now && !(passed && k->swap)) {
			p = &k->next;
			continue;
		}
		*p = k->next;
		deliver(n, k);
		free(k);
		mw_run(n->mw, n->now);
		p = &n->held;
	}
}

/* false: the packet stays for later */
static bool meet_fate(struct net *n, struct net_packet *k)
{
	enum net_fate fate = n->fate && !k->back ? n->fate(n, k, n->fate_arg) : NET_PASS;

	if (k->flow.transport == SIP_TRANSPORT_TCP && fate != NET_PASS && fate != NET_LATE) {
		if (fate == NET_DROP) /* what TCP cannot repair ends the connection */
			conn_break(n, k);
		else
			deliver(n, k);
		return true;
	}

	if (fate == NET_SWAP || fate == NET_LATE) {
		hold(n, k, fate == NET_SWAP ? 3000 : n->late_ms, fate == NET_SWAP);
		return false;
	}
	if (fate == NET_SPOIL)
		spoil(n, k);
	if (fate != NET_DROP && !(fate == NET_SPOIL && k->flow.set))
		deliver(n, k);
	if (fate == NET_DOUBLE)
		deliver(n, k);
	return true;
}

bool net_step(struct net *n)
{
	struct net_packet *k = n->head;

	if (!k)
		return false;
	n->head = k->next;
	if (!n->head)
		n->tail = &n->head;
	if (!meet_fate(n, k))
		return true;
	free(k);
	mw_run(n->mw, n->now);
	release(n, true);
	return true;
}

static void step(struct net *n)
{
	mw_run(n->mw, n->now);
	release(n, false);
	while (net_step(n))
		;
}

void net_run(struct net *n, uint64_t ms)
{
	uint64_t end = n->now + ms, due;

	for (;;) {
		step(n);
		due = timers_run(n->timers, n->now);
		step(n);
		for (const struct net_packet *k = n->held; k; k = k->next)
			due = k->due < due ? k->due : due;
		if (n->head || due <= n->now)
			continue;
		if (due > end)
			break;
		n->now = due;
	}
	n->now = end;
}

/* ---- the network */

static void event(void *ctx, struct ue *u, enum ue_event e, struct sv text, uint64_t now)
{
	struct net_ue *x = net_ue_of(ctx);

	(void)now;
	x->events[e]++;
	snprintf(x->text, sizeof(x->text), "%.*s", SV_ARG(text));
	if (e == UE_REGISTERED && ue_current_set(u))
		sa_find(&x->end, ue_current_set(u)->id)->confirmed = true;
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
			     .sa_reserve = sa_reserve,
			     .sa_install = sa_install,
			     .sa_remove = sa_remove,
			     .event = event,
			     .stream_send = ue_stream_send};

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
	end_make(n, &x->end, NET_SETS);
	x->conf = (struct ue_conf){
		.impi = x->impi,
		.impu = x->impu,
		.realm = REALM,
		.sqn = &x->sqn,
		.port_min = 30000,
		.port_max = 60000,
		.n_choices = PCSCF_MAX_CHOICES,
		.expires = setup->expires ? setup->expires : 3600,
		.await_auth = 240,
		.guard = 30,
		.protect_or_abort = true,
		.reg_event = setup->reg_event,
		.transport = setup->transport,
	};
	memcpy(x->conf.choices, all_choices, sizeof(all_choices));
	memset(&x->conf.key, 0x40 + (int)i, sizeof(x->conf.key));
	ip_addr_parse(&x->conf.pcscf.addr, setup->ip == 6 ? "2001:db8::1" : "192.0.2.1");
	net_ue_place(n, i, (uint16_t)(i + 1));
	x->conf.local.port = x->conf.pcscf.port = 5060;
	x->conf.udp_enc_tun = setup->udp_enc_tun;
	if (i < NET_UES && setup->nat[i].public) {
		ip_addr_parse(&x->conf.local.addr, setup->nat[i].private);
		ip_addr_parse(&x->nat.addr, setup->nat[i].public);
		net_rebind(n, i, NULL);
	}
	snprintf(s.impi, sizeof(s.impi), "%s", x->impi);
	snprintf(s.impus[0], sizeof(s.impus[0]), "%s", x->impu);
	snprintf(s.impus[1], sizeof(s.impus[1]), "tel:+4930%04u", i);
	memcpy(s.k, x->conf.key.k, sizeof(s.k));
	memcpy(s.opc, x->conf.key.opc, sizeof(s.opc));
	s.k[0] ^= setup->wrong_key;
	assert_int_equal(hss_subscriber_add(n->hss, &s), 0);
	net_ue_start(n, i);
}

static void core_make(struct net *n, const struct net_setup *setup)
{
	struct hss_conf hss = {.path = ":memory:", .sqn_block = 32};
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
				.sa_reserve = sa_reserve,
				.sa_install = sa_install,
				.sa_remove = sa_remove,
				.stream_send = edge_stream_send};
	struct pcscf_conf conf = {
		.host = "pcscf.visited.test",
		.icscf_host = "icscf." REALM,
		.visited_network = "visited.test",
		.port_ps = 6060,
		.port_pc_min = 20000,
		.port_pc_max = 29999,
		.n_choices = setup->n_choices ? setup->n_choices : PCSCF_MAX_CHOICES,
		.ipsec_required = true,
		.await_auth = 240,
		.guard = 30,
		.linger = 32,
		.max_pending = setup->ues + 1000,
		.udp_enc_port = setup->no_udp_enc ? 0 : NET_UDP_ENC_PORT,
		.reg_event = setup->edge_event,
		.ecscf_host = setup->ecscf,
		.clear_emergency = setup->clear_emergency,
	};

	memcpy(conf.choices, setup->n_choices ? setup->choices : all_choices, sizeof(all_choices));
	ip_addr_parse(&conf.access[0].addr, "192.0.2.1");
	ip_addr_parse(&conf.access[1].addr, "2001:db8::1");
	conf.access[0].port = conf.access[1].port = 5060;
	ip_addr_parse(&conf.alias[0].addr, "198.18.0.0");
	conf.alias[0].len = 15;
	end_make(n, &n->edge, 4 * setup->ues + NET_SETS);
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
