/* Between the UEs and the data plane: packets, SA sets, waiting. */
#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "bench/ue_load_internal.h"

#define BURST 64
#define FDS   5 /* that load_turn() waits for */

uint64_t load_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- whose it is -------------------------------------------------------------------------- */

void load_ue_local(const struct load *l, uint32_t i, struct ip_endpoint *local)
{
	*local = (struct ip_endpoint){l->o.local.addr, (uint16_t)(l->o.local_port + i)};
	if (l->o.one_address)
		return;
	local->port = 5060;
	pool_addr(&l->pool, i, &local->addr);
}

/* Each UE has an address of its own, or else a port. */
struct load_ue *load_ue_at(struct load *l, const struct ip_endpoint *local)
{
	int64_t i;

	if (l->o.one_address)
		i = ip_addr_eq(&local->addr, &l->o.local.addr)
			    ? (int64_t)local->port - l->o.local_port
			    : -1;
	else
		i = pool_index(&l->pool, &local->addr);
	return i >= 0 && i < l->o.ues ? &l->ues[i] : NULL;
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
	if (!l->dp)
		load_udp_send(l, ctx, flow, text);
	else if (dp_send(l->dp, &out, &iov, 1) < 0)
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
	struct load_ue *x = ctx;

	(void)u;
	(void)now;
	if (x->load->observer)
		x->load->observer(x, event, text);
	else
		load_event(x, event, text);
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
	.hang_up = load_tls_hang_up,
};

/* ---- what comes in ------------------------------------------------------------------------ */

static void packet_input(struct load *l, const struct dp_packet *p)
{
	const struct sip_flow from = {
		.transport = SIP_TRANSPORT_UDP,
		.local = p->local,
		.remote = p->remote,
		.set = p->set,
		.pair = p->pair,
	};
	struct load_ue *u = load_ue_at(l, &p->local);

	if (u)
		ue_input(u->ue, &from, (struct sv){p->data, p->len}, l->now);
}

static unsigned packets_input(struct load *l)
{
	struct dp_packet pkts[BURST];
	unsigned n = l->dp ? dp_recv(l->dp, pkts, BURST) : 0;

	if (n == 0)
		return 0;
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
	struct pollfd fds[FDS] = {
		{.fd = l->dp ? dp_fd(l->dp) : -1, .events = POLLIN},
		{.fd = l->signals, .events = POLLIN},
		{.fd = l->loop_open ? uv_backend_fd(&l->loop) : -1, .events = POLLIN},
		{.fd = l->input, .events = POLLIN},
		{.fd = l->gateway ? gateway_fd(l->gateway) : -1, .events = POLLIN},
	};
	struct signalfd_siginfo info;
	uint64_t ms = until > l->now ? until - l->now : 0;

	if (load_tcp_turn(l) || (l->dp && !dp_arm(l->dp)))
		return;
	fds[0].revents = fds[1].revents = fds[3].revents = 0;
	if (poll(fds, FDS, ms > 1000 ? 1000 : (int)ms) > 0 && (fds[1].revents & POLLIN) &&
	    read(l->signals, &info, sizeof(info)) == sizeof(info))
		l->interrupted = true;
	l->input_ready = fds[3].revents != 0;
	if (l->dp)
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
	while (l->dp && dp_events(l->dp, events, 16) == 16)
		; /* no SA of a short run wears out */
	if (l->o.udp_enc_tun && l->dp)
		dp_keepalive(l->dp, l->now);
	due = timers_run(l->timers, l->now);
	progress_print(l);
	if (n == 0 || l->interrupted)
		wait_for(l, due < until ? due : until);
}
