/* Between the UEs and the data plane: packets, SA sets, waiting. */
#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "bench/ue_load_internal.h"

#define BURST 64

uint64_t load_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- what the UEs ask for ----------------------------------------------------------------- */

/* What cannot be sent is lost, as on any network; the transaction repeats it. */
static void on_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	struct load *l = ((struct load_ue *)ctx)->load;
	const struct iovec iov = {(void *)(uintptr_t)text.p, text.n};
	const struct dp_out out = {
		.set = flow->set, .pair = flow->pair, .local = flow->local, .remote = flow->remote};

	(void)u;
	if (dp_send(l->dp, &out, &iov, 1) < 0)
		l->unsent++;
}

static int on_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	return dp_sa_reserve(((struct load_ue *)ctx)->load->dp, avoid, n, set);
}

static int on_install(void *ctx, const struct sa_set *set)
{
	struct load *l = ((struct load_ue *)ctx)->load;
	int rc;

	if (l->keys && key_export_set(l->keys, set) < 0)
		fprintf(stderr, "esplanade-ue: %s: cannot write\n", l->o.export_keys);
	rc = dp_sa_install(l->dp, set);
	if (rc == 0 && l->stream && stream_protect(l->stream, set) < 0)
		l->unsent++;
	return rc;
}

static void on_remove(void *ctx, sa_set_id id)
{
	struct load *l = ((struct load_ue *)ctx)->load;

	if (l->stream)
		stream_unprotect(l->stream, id);
	if (l->dp)
		dp_sa_remove(l->dp, id);
}

static void on_remove_outbound(void *ctx, sa_set_id id)
{
	struct load *l = ((struct load_ue *)ctx)->load;

	if (l->dp)
		dp_sa_remove_outbound(l->dp, id);
}

static void on_event(void *ctx, struct ue *u, enum ue_event event, struct sv text, uint64_t now)
{
	(void)u;
	(void)now;
	load_event(ctx, event, text);
}

const struct ue_env load_env = {
	.send = on_send,
	.sa_reserve = on_reserve,
	.sa_install = on_install,
	.sa_remove = on_remove,
	.event = on_event,
	.stream_send = load_tcp_send,
	.sa_remove_outbound = on_remove_outbound,
	.pass = gateway_pass,
};

/* ---- what comes in ------------------------------------------------------------------------ */

/* Each UE has an address of its own, so the address finds it. */
static void packet_input(struct load *l, const struct dp_packet *p)
{
	const struct sip_flow from = {
		.transport = SIP_TRANSPORT_UDP,
		.local = p->local,
		.remote = p->remote,
		.set = p->set,
		.pair = p->pair,
	};
	int64_t i = pool_index(&l->pool, &p->local.addr);

	if (i >= 0)
		ue_input(l->ues[i].ue, &from, (struct sv){p->data, p->len}, l->now);
}

static unsigned packets_input(struct load *l)
{
	struct dp_packet pkts[BURST];
	unsigned n = dp_recv(l->dp, pkts, BURST);

	for (unsigned i = 0; i < n; i++)
		packet_input(l, &pkts[i]);
	dp_release(l->dp, pkts, n);
	return n;
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void progress_print(struct load *l)
{
	if (!l->o.progress || l->now < l->progress_at)
		return;
	l->progress_at = l->now + 1000;
	fprintf(stderr, "registered %u of %u, failed %u; messages %llu sent, %llu delivered\n",
		l->registered, l->o.ues, l->failed, (unsigned long long)l->sent,
		(unsigned long long)l->mail.delivered);
}

static void wait_for(struct load *l, uint64_t until)
{
	struct pollfd fds[] = {
		{.fd = dp_fd(l->dp), .events = POLLIN},
		{.fd = l->signals, .events = POLLIN},
		{.fd = l->stream ? uv_backend_fd(&l->loop) : -1, .events = POLLIN},
		{.fd = l->gateway ? gateway_fd(l->gateway) : -1, .events = POLLIN},
	};
	struct signalfd_siginfo info;
	uint64_t ms = until > l->now ? until - l->now : 0;

	if (load_tcp_turn(l) || !dp_arm(l->dp))
		return;
	if (poll(fds, 4, ms > 1000 ? 1000 : (int)ms) > 0 && (fds[1].revents & POLLIN) &&
	    read(l->signals, &info, sizeof(info)) == sizeof(info))
		l->interrupted = true;
	dp_disarm(l->dp);
}

void load_turn(struct load *l, uint64_t until)
{
	struct dp_event events[16];
	uint64_t due;
	unsigned n;

	l->now = load_clock_us() / 1000;
	n = packets_input(l) + load_tcp_turn(l);
	if (l->gateway)
		n += gateway_turn(l->gateway);
	while (dp_events(l->dp, events, 16) == 16)
		; /* no SA of a short run wears out */
	if (l->o.udp_enc_tun)
		dp_keepalive(l->dp, l->now);
	due = timers_run(l->timers, l->now);
	progress_print(l);
	if (n == 0 || l->interrupted)
		wait_for(l, due < until ? due : until);
}
