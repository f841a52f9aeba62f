#include "tests/control/sip/txn_rig.h"

const struct sip_flow rig_udp = {
	.transport = SIP_TRANSPORT_UDP,
	.local = {{.version = 4, .b = {192, 0, 2, 1}}, 5062},
	.remote = {{.version = 4, .b = {192, 0, 2, 7}}, 31002},
	.set = 5,
	.pair = SA_CLIENT,
};

const struct sip_flow rig_tcp = {
	.transport = SIP_TRANSPORT_TCP,
	.local = {{.version = 4, .b = {192, 0, 2, 1}}, 5062},
	.remote = {{.version = 4, .b = {192, 0, 2, 7}}, 31001},
	.set = 5,
};

static void on_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct rig *r = ctx;
	struct rig_sent *s = &r->sent[r->n_sent++];

	assert_true(r->n_sent <= RIG_MAX_SENT && text.n < sizeof(s->text));
	s->at = r->now;
	s->flow = *flow;
	memcpy(s->text, text.p, text.n);
	s->text[text.n] = '\0';
}

void rig_start(struct rig *r, struct sip_txn_timers v)
{
	const struct sip_txns_env env = {.ctx = r, .send = on_send};

	memset(r, 0, sizeof(*r));
	r->v = v;
	assert_int_equal(timers_alloc(&r->timers), 0);
	assert_int_equal(sip_txns_alloc(&r->txns, r->timers, v, &env), 0);
}

void rig_stop(struct rig *r)
{
	assert_int_equal(sip_txns_count(r->txns), 0);
	assert_int_equal(timers_count(r->timers), 0);
	sip_txns_free(r->txns);
	timers_free(r->timers);
}

void rig_run(struct rig *r, uint64_t until)
{
	for (;;) {
		uint64_t next = timers_run(r->timers, r->now);

		if (next > until)
			break;
		r->now = next;
	}
	r->now = until;
}

bool rig_input(struct rig *r, const struct sip_flow *from, const char *text)
{
	static struct sip_msg m;

	assert_int_equal(sip_msg_parse(&m, sv_of(text)), 0);
	return sip_txns_input(r->txns, from, &m, r->now);
}

void rig_assert_sent(const struct rig *r, unsigned i, uint64_t at, const char *start)
{
	if (i >= r->n_sent)
		fail_msg("message %u was not sent", i);
	assert_int_equal(r->sent[i].at, at);
	if (strncmp(r->sent[i].text, start, strlen(start)) != 0)
		fail_msg("sent: %s", r->sent[i].text);
}

void rig_on_response(void *arg, const struct sip_msg *response, uint64_t now)
{
	struct rig *r = arg;

	assert_int_equal(now, r->now);
	if (!response) {
		r->timeouts++;
		return;
	}
	r->responses++;
	r->last_status = response->status;
}

void rig_on_gone(void *arg)
{
	struct rig *r = arg;

	r->gone++;
}
