/*
 * UDP, TCP or TLS for what the UE sends (RFC 3261 18.1.1; TS 33.203 7.1, O.2.2), and what is tried
 * if a connection fails: for an answer one of our own from port_uc, then UDP on the same SAs. What
 * was meant for TLS goes no other way.
 */
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"
#include "control/ue/ue_internal.h"

#define UDP_MAX	  1300	/* RFC 3261 18.1.1: larger requests want congestion control */
#define NO_TCP_MS 60000 /* how long a P-CSCF that takes no connection is spared */
#define AGAIN_MS  5000
#define TOGETHER  16 /* requests that one connection took with it */

static bool tcp_fits(const struct ue *u, struct sv text, uint64_t now)
{
	if (u->transport == UE_TRANSPORT_UDP || !u->env.stream_send || u->no_tcp_until > now)
		return false;
	return u->transport == UE_TRANSPORT_TCP || text.n > UDP_MAX ||
	       sv_has_prefix(text, SV("REGISTER "));
}

void ue_request_flow(const struct ue *u, const struct ue_set *on, struct sbuf *b,
		     struct sip_flow *flow, uint64_t now)
{
	ue_set_flow(u, on, flow);
	if (!b->overflow && flow->transport == SIP_TRANSPORT_TLS)
		sip_via_transport_set(b->p, b->n, SV("TLS"));
	if (flow->transport == SIP_TRANSPORT_TLS || b->overflow || !tcp_fits(u, sbuf_sv(b), now))
		return;
	flow->transport = SIP_TRANSPORT_TCP;
	sip_via_transport_set(b->p, b->n, SV("TCP"));
}

void ue_reply_flow(struct ue *u, const struct sip_flow *from, struct sip_flow *reply)
{
	if (from->transport == SIP_TRANSPORT_UDP)
		ue_set_flow(u, ue_set_find(u, from->set), reply);
	else
		*reply = *from;
}

/* ---- the next one ------------------------------------------------------------------------- */

static void response_elsewhere(struct ue *u, const struct ue_set *s, const struct sip_flow *failed,
			       struct sv text)
{
	struct sip_flow flow;

	ue_set_flow(u, s, &flow);
	flow.transport = SIP_TRANSPORT_TCP;
	if (failed->pair == SA_SERVER && u->env.stream_send(u->env.ctx, u, &flow, text) == 0)
		return;
	flow.transport = SIP_TRANSPORT_UDP;
	u->env.send(u->env.ctx, u, &flow, text);
}

/* A request of no transaction: an ACK. */
static void request_elsewhere(struct ue *u, const struct ue_set *s, struct sv text)
{
	char *copy = sv_dup(text);
	struct sip_flow flow;

	if (!copy)
		return;
	ue_set_flow(u, s, &flow);
	sip_via_transport_set(copy, text.n, SV("UDP"));
	u->env.send(u->env.ctx, u, &flow, (struct sv){copy, text.n});
	free(copy);
}

static void send_elsewhere(struct ue *u, const struct sip_flow *failed, struct sv text,
			   enum sip_transport next, uint64_t now)
{
	const struct ue_set *s = ue_set_find(u, failed->set);
	struct sip_flow flow;
	struct sip_msg m;

	if ((failed->set && (!s || s->closed)) || sip_msg_parse(&m, text) < 0)
		return;
	ue_set_flow(u, s, &flow);
	flow.transport = next;
	if (!m.request)
		response_elsewhere(u, s, failed, text);
	else if (!sip_client_reroute(u->txns, &m, &flow, now) && m.method == SIP_ACK)
		request_elsewhere(u, s, text);
}

void ue_transport_send(struct ue *u, const struct sip_flow *flow, struct sv text)
{
	if (flow->transport == SIP_TRANSPORT_TLS) {
		struct sip_flow out = ue_tls_flow_out(flow);

		if (u->env.stream_send(u->env.ctx, u, &out, text) < 0)
			ue_tls_not_sent(u, flow->set, timers_now(u->timers));
		return;
	}
	if (flow->transport == SIP_TRANSPORT_UDP)
		u->env.send(u->env.ctx, u, flow, text);
	else if (u->env.stream_send && u->env.stream_send(u->env.ctx, u, flow, text) < 0)
		send_elsewhere(u, flow, text, SIP_TRANSPORT_UDP, timers_now(u->timers));
}

/* A connection that ended is opened again, but one that ends again and again is left alone. */
static enum sip_transport next_of(struct ue *u, const struct sip_flow *failed, bool stood,
				  uint64_t now)
{
	bool again = stood && (!u->tcp_lost_at || now - u->tcp_lost_at >= AGAIN_MS);

	if (failed->set && failed->pair != SA_CLIENT)
		return SIP_TRANSPORT_UDP;
	if (!stood)
		u->no_tcp_until = now + NO_TCP_MS;
	else if (again)
		u->tcp_lost_at = now;
	u->tcp_losses = again ? 0 : u->tcp_losses + 1;
	again |= stood && now == u->tcp_lost_at && u->tcp_losses < TOGETHER;
	return again ? SIP_TRANSPORT_TCP : SIP_TRANSPORT_UDP;
}

void ue_undelivered(struct ue *u, const struct sip_flow *flow, struct sv text, bool stood,
		    uint64_t now)
{
	if (flow->transport == SIP_TRANSPORT_TLS) /* one that stood is told of as closed */
		ue_session_closed(u, flow, stood ? NULL : "no TLS connection", now);
	else
		send_elsewhere(u, flow, text, next_of(u, flow, stood, now), now);
}
