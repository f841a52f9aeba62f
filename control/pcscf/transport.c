/*
 * Which transport a message to the UE takes (RFC 3261 18.1.1), and what is tried if a connection
 * fails (18.2.2): a protected connection from port_pc to port_us (F10), then UDP on the same SAs
 * (F15).
 */
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

#define UDP_MAX	  1300	/* RFC 3261 18.1.1: larger requests want congestion control */
#define NO_TCP_MS 60000 /* how long a UE that takes no connection is spared */
#define AGAIN_MS  5000
#define TOGETHER  16 /* requests that one connection took with it */

/* What the Request-URI, which is the UE's Contact, says of it. */
static struct sv transport_asked(const struct sip_msg *m)
{
	struct sip_uri u;
	struct sv value;

	if (sip_uri_parse(&u, m->uri) == 0 && sip_param(u.params, SV("transport"), &value))
		return value;
	return (struct sv){0};
}

static bool tcp_fits(const struct pcscf *p, const struct pcscf_set *s, const struct sip_msg *m,
		     uint64_t now)
{
	struct sv asked = transport_asked(m);

	if (!p->env.stream_send || s->no_tcp_until > now || sv_caseeq(asked, SV("udp")))
		return false;
	return m->raw.n > UDP_MAX || sv_caseeq(asked, SV("tcp"));
}

struct sip_flow pcscf_request_flow(const struct pcscf *p, const struct pcscf_set *s, char *text,
				   size_t n, uint64_t now)
{
	struct sip_flow flow = pcscf_set_flow(s);
	struct sip_msg m;

	if (s->kind != PCSCF_IPSEC) {
		sip_via_transport_set(text, n, sv_of(sip_transport_name(flow.transport)));
		return flow;
	}
	if (n == 0 || sip_msg_parse(&m, (struct sv){text, n}) < 0 || !tcp_fits(p, s, &m, now))
		return flow;
	flow.transport = SIP_TRANSPORT_TCP;
	sip_via_transport_set(text, n, SV("TCP"));
	return flow;
}

/* ---- the next one ------------------------------------------------------------------------- */

/* An answer: on a connection of ours if the UE's has gone, at last over UDP. */
static void response_elsewhere(struct pcscf *p, const struct pcscf_set *s,
			       const struct sip_flow *failed, struct sv text)
{
	struct sip_flow flow = pcscf_set_flow(s);

	flow.transport = SIP_TRANSPORT_TCP;
	if (failed->pair == SA_SERVER && p->env.stream_send(p->env.ctx, &flow, text) == 0)
		return;
	flow.transport = SIP_TRANSPORT_UDP;
	p->env.send(p->env.ctx, &flow, text);
}

/* A request of no transaction: an ACK. */
static void request_elsewhere(struct pcscf *p, const struct pcscf_set *s, struct sv text)
{
	struct sip_flow flow = pcscf_set_flow(s);
	char *copy = sv_dup(text);

	if (!copy)
		return;
	sip_via_transport_set(copy, text.n, SV("UDP"));
	p->env.send(p->env.ctx, &flow, (struct sv){copy, text.n});
	free(copy);
}

static void send_elsewhere(struct pcscf *p, const struct pcscf_set *s,
			   const struct sip_flow *failed, struct sv text, enum sip_transport next,
			   uint64_t now)
{
	struct sip_flow flow = pcscf_set_flow(s);
	struct sip_msg m;

	if (sip_msg_parse(&m, text) < 0)
		return;
	flow.transport = next;
	if (!m.request)
		response_elsewhere(p, s, failed, text);
	else if (!sip_client_reroute(p->access, &m, &flow, now) && m.method == SIP_ACK)
		request_elsewhere(p, s, text);
}

void pcscf_transport_send(struct pcscf *p, const struct pcscf_set *s, const struct sip_flow *flow,
			  struct sv text)
{
	if (flow->transport == SIP_TRANSPORT_UDP)
		p->env.send(p->env.ctx, flow, text);
	else if (!p->env.stream_send || p->env.stream_send(p->env.ctx, flow, text) == 0)
		return;
	else if (s && s->kind != PCSCF_IPSEC)
		p->flow_lost = true; /* it is the UE that opens another (DT-04) */
	else if (s)
		send_elsewhere(p, s, flow, text, SIP_TRANSPORT_UDP, timers_now(p->timers));
	else
		pcscf_emergency_elsewhere(p, flow, text, timers_now(p->timers));
}

/* A connection that ended is opened again, but one that ends again and again is left alone. */
static enum sip_transport next_of(struct pcscf_set *s, const struct sip_flow *failed, bool stood,
				  uint64_t now)
{
	bool again = stood && (!s->tcp_lost_at || now - s->tcp_lost_at >= AGAIN_MS);

	if (failed->pair != SA_CLIENT)
		return SIP_TRANSPORT_UDP;
	if (!stood)
		s->no_tcp_until = now + NO_TCP_MS;
	else if (again)
		s->tcp_lost_at = now;
	s->tcp_losses = again ? 0 : s->tcp_losses + 1;
	again |= stood && now == s->tcp_lost_at && s->tcp_losses < TOGETHER;
	return again ? SIP_TRANSPORT_TCP : SIP_TRANSPORT_UDP;
}

void pcscf_undelivered(struct pcscf *p, const struct sip_flow *flow, struct sv text, bool stood,
		       uint64_t now)
{
	struct pcscf_set *s =
		flow->set ? pcscf_set_find(p, flow->set) : pcscf_assoc_of_flow(p, flow);

	if (s && s->kind != PCSCF_IPSEC) {
		pcscf_assoc_requests_fail(s, now);
		pcscf_set_settle(s, now);
	} else if (s) {
		send_elsewhere(p, s, flow, text, next_of(s, flow, stood, now), now);
	} else if (!flow->set) { /* a REGISTER's UE asks again */
		pcscf_emergency_elsewhere(p, flow, text, now);
	}
}
