#include "tests/control/pcscf/rig.h"

#include <stdlib.h>

/* ---- data plane */

static int sa_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	struct rig *r = ctx;

	for (unsigned i = 0; i < RIG_SETS; i++) {
		struct rig_sa *sa = &r->sas[i];

		if (sa->reserved)
			continue;
		sa->reserved = true;
		set->id = sa->set.id = ++r->next_id;
		for (unsigned k = 0; k < SA_PAIRS; k++) {
			do {
				set->spi_in[k] = r->next_spi++;
			} while ((n > 0 && set->spi_in[k] == avoid[0]) ||
				 (n > 1 && set->spi_in[k] == avoid[1]));
		}
		return 0;
	}
	return -ENOSPC;
}

static struct rig_sa *sa_find(struct rig *r, sa_set_id id)
{
	for (unsigned i = 0; i < RIG_SETS; i++)
		if (r->sas[i].reserved && r->sas[i].set.id == id)
			return &r->sas[i];
	return NULL;
}

static int sa_install(void *ctx, const struct sa_set *set)
{
	struct rig *r = ctx;
	struct rig_sa *sa = sa_find(r, set->id);

	assert_non_null(sa);
	assert_false(sa->installed);
	r->installs++;
	if (r->install_result)
		return r->install_result;
	sa->set = *set;
	sa->installed = true;
	return 0;
}

static void sa_remove(void *ctx, sa_set_id id)
{
	struct rig *r = ctx;
	struct rig_sa *sa = sa_find(r, id);

	assert_non_null(sa);
	memset(sa, 0, sizeof(*sa));
	r->removes++;
}

static int resolve(void *ctx, const char *host, uint32_t id)
{
	struct rig *r = ctx;

	if (r->resolve_result)
		return r->resolve_result;
	r->resolves++;
	snprintf(r->resolve_host, sizeof(r->resolve_host), "%s", host);
	r->resolve_id = id;
	return 0;
}

unsigned rig_installed(const struct rig *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RIG_SETS; i++)
		n += r->sas[i].reserved;
	return n;
}

const struct sa_set *rig_sa(const struct rig *r, sa_set_id id)
{
	const struct rig_sa *sa = sa_find((struct rig *)r, id);

	return sa && sa->installed ? &sa->set : NULL;
}

/* ---- both sides */

static struct rig_message *box_add(struct rig_box *b, struct sv text)
{
	struct rig_message *m = &b->messages[b->n];

	assert_true(b->n < RIG_MESSAGES);
	assert_true(text.n < RIG_TEXT);
	memcpy(m->text, text.p, text.n);
	m->text[text.n] = '\0';
	assert_int_equal(sip_msg_parse(&m->m, (struct sv){m->text, text.n}), 0);
	b->n++;
	return m;
}

static void to_ue(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct rig *r = ctx;
	const struct sa_set *sa;

	if (flow->set) {
		sa = rig_sa(r, flow->set);
		assert_non_null(sa);
		assert_int_equal(flow->local.port, sa->local_port[flow->pair]);
		assert_int_equal(flow->remote.port, sa->remote_port[flow->pair]);
		if (sa->mode == SA_MODE_TRANSPORT)
			assert_true(ip_addr_eq(&flow->remote.addr, &sa->remote));
	} else {
		assert_int_equal(flow->local.port,
				 flow->transport == SIP_TRANSPORT_TLS ? 5061 : 5060);
	}
	box_add(&r->ue, text)->flow = *flow;
}

static int to_ue_stream(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct rig *r = ctx;

	assert_int_not_equal(flow->transport, SIP_TRANSPORT_UDP);
	assert_int_equal(flow->transport == SIP_TRANSPORT_TLS, flow->session != 0);
	if (!flow->set && r->clear_stream_result)
		return r->clear_stream_result;
	if (flow->session && r->tls_result)
		return r->tls_result;
	if (flow->set && r->stream_result[flow->pair])
		return r->stream_result[flow->pair];
	to_ue(ctx, flow, text);
	return 0;
}

static void hang_up(void *ctx, const struct sip_flow *flow)
{
	struct rig *r = ctx;

	assert_true(flow->session);
	r->hung_up = flow->session;
	r->hang_ups++;
}

static void to_icscf(void *arg, struct sv text, uint64_t now)
{
	(void)now;
	box_add(&((struct rig *)arg)->core, text)->host = SV(RIG_ICSCF);
}

static void to_scscf(void *arg, struct sv text, uint64_t now)
{
	(void)now;
	box_add(&((struct rig *)arg)->core, text)->host = SV(RIG_SCSCF);
}

void rig_init(struct rig *r, void (*tweak)(struct pcscf_conf *conf))
{
	rig_init_resolver(r, tweak, false);
}

void rig_init_resolver(struct rig *r, void (*tweak)(struct pcscf_conf *conf), bool resolver)
{
	struct pcscf_env env = {.ctx = r,
				.send = to_ue,
				.sa_reserve = sa_reserve,
				.sa_install = sa_install,
				.sa_remove = sa_remove,
				.resolve = resolver ? resolve : NULL,
				.stream_send = to_ue_stream,
				.hang_up = hang_up};
	struct pcscf_conf conf = {
		.host = RIG_HOST,
		.icscf_host = RIG_ICSCF,
		.visited_network = "visited.test",
		.port_ps = 6060,
		.port_pc_min = 20000,
		.port_pc_max = 20999,
		.choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT}},
		.n_choices = 3,
		.ipsec_required = true,
		.await_auth = 240,
		.guard = 30,
		.linger = 32,
		.max_pending = 1000,
	};

	memset(r, 0, sizeof(*r));
	r->next_spi = 1000;
	r->now = 1000000;
	r->ue.messages = calloc(RIG_MESSAGES, sizeof(*r->ue.messages));
	r->core.messages = calloc(RIG_MESSAGES, sizeof(*r->core.messages));
	assert_true(r->ue.messages && r->core.messages);
	ip_addr_parse(&conf.access[0].addr, "192.0.2.1");
	ip_addr_parse(&conf.access[1].addr, "2001:db8::1");
	conf.access[0].port = conf.access[1].port = 5060;
	if (tweak)
		tweak(&conf);
	assert_int_equal(timers_alloc(&r->timers), 0);
	assert_int_equal(mw_alloc(&r->mw), 0);
	assert_int_equal(mw_attach(r->mw, SV(RIG_ICSCF), to_icscf, r), 0);
	assert_int_equal(mw_attach(r->mw, SV(RIG_SCSCF), to_scscf, r), 0);
	r->conf = conf;
	assert_int_equal(pcscf_alloc(&r->p, &conf, &env, r->timers, r->mw), 0);
}

void rig_end(struct rig *r)
{
	pcscf_free(r->p);
	assert_int_equal(rig_installed(r), 0);
	assert_int_equal(timers_count(r->timers), 0);
	mw_free(r->mw);
	timers_free(r->timers);
	free(r->ue.messages);
	free(r->core.messages);
}

void rig_run(struct rig *r, uint64_t ms)
{
	uint64_t end = r->now + ms, due;

	for (;;) {
		mw_run(r->mw, r->now);
		due = timers_run(r->timers, r->now);
		mw_run(r->mw, r->now);
		if (due > end)
			break;
		r->now = due > r->now ? due : r->now;
	}
	r->now = end;
}

struct pcscf_counters rig_counters(const struct rig *r)
{
	struct pcscf_counters c;

	pcscf_counters(r->p, &c);
	return c;
}

const struct rig_message *rig_last_ue(const struct rig *r)
{
	assert_true(r->ue.n > 0);
	return &r->ue.messages[r->ue.n - 1];
}

const struct rig_message *rig_last_core(const struct rig *r)
{
	assert_true(r->core.n > 0);
	return &r->core.messages[r->core.n - 1];
}

void rig_forget(struct rig *r)
{
	r->ue.n = r->core.n = 0;
}

bool rig_holds(const struct rig_message *m, const char *text)
{
	return strcasestr(m->text, text) != NULL;
}

const char *rig_field(struct rig *r, const struct rig_message *m, enum sip_hdr id)
{
	struct sv v = sip_msg_value(&m->m, id);

	if (!sip_msg_find(&m->m, id))
		return NULL;
	snprintf(r->text, sizeof(r->text), "%.*s", SV_ARG(v));
	return r->text;
}
