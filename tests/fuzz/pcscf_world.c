#include "tests/fuzz/pcscf_world.h"

#include <assert.h>

#include "control/sip/edit.h"

static int sa_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	struct world *w = ctx;

	(void)avoid;
	(void)n;
	for (unsigned i = 0; i < WORLD_SETS; i++) {
		if (w->sas[i].used)
			continue;
		w->sas[i].used = true;
		w->sas[i].installed = false;
		w->sas[i].set.id = set->id = ++w->next_id;
		set->spi_in[0] = 0x10000000 + 2 * set->id;
		set->spi_in[1] = 0x10000001 + 2 * set->id;
		return 0;
	}
	return -ENOSPC;
}

static int sa_find(const struct world *w, sa_set_id id)
{
	for (int i = 0; i < WORLD_SETS; i++)
		if (w->sas[i].used && w->sas[i].set.id == id)
			return i;
	return -1;
}

static int sa_install(void *ctx, const struct sa_set *set)
{
	struct world *w = ctx;
	int i = sa_find(w, set->id);

	assert(i >= 0 && !w->sas[i].installed);
	w->sas[i].set = *set;
	w->sas[i].installed = true;
	return 0;
}

static void sa_remove(void *ctx, sa_set_id id)
{
	struct world *w = ctx;
	int i = sa_find(w, id);

	assert(i >= 0);
	memset(&w->sas[i], 0, sizeof(w->sas[i]));
}

static void hang_up(void *ctx, const struct sip_flow *flow)
{
	(void)ctx;
	assert(flow->session);
}

static void to_ue(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct world *w = ctx;
	int i = flow->set ? sa_find(w, flow->set) : -1;
	struct sip_msg m;

	assert(!flow->set || (i >= 0 && w->sas[i].installed));
	assert(!w->no_keys || !memmem(text.p, text.n, WORLD_IK, sizeof(WORLD_IK) - 1));
	assert(text.n <= WORLD_TEXT && sip_msg_parse(&m, text) == 0);
	w->to_ue(w->told, flow, &m);
}

static int stream_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	if (flow->session == 3) /* gone unseen */
		return -ENOTCONN;
	to_ue(ctx, flow, text);
	return 0;
}

static void to_core(void *arg, struct sv text, uint64_t now)
{
	struct world *w = arg;
	struct sip_msg m;

	(void)now;
	assert(text.n <= WORLD_TEXT && sip_msg_parse(&m, text) == 0);
	w->to_core(w->told, &m);
}

unsigned world_sets(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < WORLD_SETS; i++)
		n += w->sas[i].installed;
	return n;
}

static unsigned older_than(const struct world *w, sa_set_id id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < WORLD_SETS; i++)
		n += w->sas[i].installed && w->sas[i].set.id < id;
	return n;
}

bool world_flow_of_set(const struct world *w, unsigned k, struct sip_flow *f)
{
	for (unsigned i = 0; i < WORLD_SETS; i++) {
		const struct sa_set *s = &w->sas[i].set;
		bool direct = s->mode == SA_MODE_TRANSPORT;

		if (!w->sas[i].installed || older_than(w, s->id) != k)
			continue;
		*f = (struct sip_flow){
			.set = s->id,
			.pair = SA_SERVER,
			.local = {s->local, s->local_port[SA_SERVER]},
			.remote = {direct ? s->remote : s->tunnel.inner_remote[0],
				   s->remote_port[SA_SERVER]},
		};
		return true;
	}
	return false;
}

struct sip_flow world_clear_flow(void)
{
	struct sip_flow f = {.local.port = 5060, .remote.port = 5060};

	ip_addr_parse(&f.local.addr, "192.0.2.1");
	ip_addr_parse(&f.remote.addr, "192.0.2.77");
	return f;
}

struct sip_flow world_tls_flow(uint64_t session)
{
	struct sip_flow f = world_clear_flow();

	f.transport = SIP_TRANSPORT_TLS;
	f.local.port = 5061;
	f.session = session;
	f.remote.port = (uint16_t)(33000 + session);
	return f;
}

void world_ue_says(struct world *w, const struct sip_flow *f, struct sv text)
{
	pcscf_input(w->p, f, text, w->now);
	mw_run(w->mw, w->now);
}

void world_core_says(struct world *w, struct sv text)
{
	if (text.n && mw_send(w->mw, SV(WORLD_HOST), text) == 0)
		mw_run(w->mw, w->now);
}

struct sv world_answer(struct world *w, struct sv request, unsigned status, struct sv more)
{
	struct sbuf b = sbuf_of(w->text, sizeof(w->text));
	struct sip_msg m;

	if (sip_msg_parse(&m, request) < 0)
		return (struct sv){0};
	sip_reply_begin(&b, &m, status, SV("peer"));
	sbuf_put(&b, more);
	sip_reply_end(&b, (struct sv){0});
	return b.overflow ? (struct sv){0} : sbuf_sv(&b);
}

void world_pass_time(struct world *w, uint64_t ms)
{
	uint64_t end = w->now + ms, due;

	while ((due = timers_run(w->timers, w->now)) <= end) {
		mw_run(w->mw, w->now);
		w->now = due > w->now ? due : w->now;
	}
	mw_run(w->mw, w->now);
	w->now = end;
}

void world_begin(struct world *w, bool digest, bool reg_event)
{
	struct pcscf_env env = {.ctx = w,
				.send = to_ue,
				.sa_reserve = sa_reserve,
				.sa_install = sa_install,
				.sa_remove = sa_remove,
				.stream_send = stream_send,
				.hang_up = hang_up};
	struct pcscf_conf conf = {
		.host = WORLD_HOST,
		.icscf_host = WORLD_CORE,
		.visited_network = "visited.test",
		.port_ps = 6060,
		.port_pc_min = 20000,
		.port_pc_max = 20099,
		.choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
			    {.type = AGREE_TLS}},
		.n_choices = 3,
		.digest = digest,
		.ipsec_required = true,
		.await_auth = 240,
		.guard = 30,
		.linger = 32,
		.max_pending = 8,
		.ecscf_host = WORLD_CORE,
		.clear_emergency = true,
		.max_emergency = 4,
		.reg_event = reg_event,
		.udp_enc_port = 4500,
		.alias[0].len = 28,
	};

	ip_addr_parse(&conf.access[0].addr, "192.0.2.1");
	conf.access[0].port = 5060;
	ip_addr_parse(&conf.alias[0].addr, "198.18.0.0");
	assert(timers_alloc(&w->timers) == 0 && mw_alloc(&w->mw) == 0);
	assert(mw_attach(w->mw, SV(WORLD_CORE), to_core, w) == 0);
	assert(pcscf_alloc(&w->p, &conf, &env, w->timers, w->mw) == 0);
}

void world_end(struct world *w)
{
	struct pcscf_counters c;

	world_pass_time(w, 1000000);
	pcscf_counters(w->p, &c);
	assert(c.pending == 0 && c.transactions == 0);
	pcscf_free(w->p);
	for (unsigned i = 0; i < WORLD_SETS; i++)
		assert(!w->sas[i].used);
	assert(timers_count(w->timers) == 0);
	mw_free(w->mw);
	timers_free(w->timers);
}
