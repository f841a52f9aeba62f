/*
 * A plain SIP program behind the UE: its messages go out on the UE's SAs, and what comes for it
 * goes to it (`esplanade-ue gateway`). Nothing is kept of them: each way a Via is put on top whose
 * branch follows from the one below (RFC 3261 16.11), so that repeats, CANCEL and ACK are of the
 * transaction they belong to; towards the program it also names the flow of the answer (LU-09).
 */
#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"
#include "control/ue/dialog.h"

#define BRANCH	   "z9hG4bKgw" /* sip_branch() continues in hex digits */
#define BRANCH_LEN 48

/* Keyed, as the network's messages go in, too. */
static uint64_t hash_add(const struct ue *u, uint64_t h, struct sv v)
{
	uint64_t both[2] = {h, 0};

	crypto_shorthash((unsigned char *)&both[1], (const unsigned char *)v.p, v.n, u->pass_key);
	crypto_shorthash((unsigned char *)&h, (const unsigned char *)both, sizeof(both),
			 u->pass_key);
	return h;
}

/* Without a branch of RFC 3261 below: as 17.2.3 compares, but the method of ACK and CANCEL. */
static uint64_t branch_number(const struct ue *u, const struct sip_msg *m, const struct sip_via *v)
{
	uint64_t h = hash_add(u, v->port, v->host);

	h = hash_add(u, h, m->branch);
	if (sv_has_prefix(m->branch, SV("z9hG4bK")))
		return h;
	h = hash_add(u, hash_add(u, h, m->call_id), m->from_tag);
	return hash_add(u, h ^ m->cseq, (struct sv){0});
}

static int text_of(const struct sip_edit *e, char *text, struct sv *out)
{
	*out = sip_edit_text(e, text, UE_TEXT_MAX);
	return sv_empty(*out) ? -EMSGSIZE : 0;
}

/* ---- the program's messages --------------------------------------------------------------- */

static bool bare(struct sv element) /* an addr-spec */
{
	return !memchr(element.p, '<', element.n);
}

/* Its own address is no use to others. */
static void contact_edit(const struct ue *u, struct sip_edit *e)
{
	struct sip_list contacts = {.msg = e->msg, .id = SIP_HDR_CONTACT};
	char text[UE_TEXT_MAX / 16];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sip_addr a;
	struct sv element;

	sbuf_printf(&b, "sip:%.*s@", SV_ARG(u->user));
	ue_contact_end_write(u, &b); /* with a ">" */
	e->failed |= b.overflow;
	while (!b.overflow && sip_list_walk(&contacts, &element))
		if (sip_addr_parse(&a, element) == 0 && !sv_empty(a.uri))
			sip_edit_replace(e, a.uri, bare(element) ? "<%.*s>" : "%.*s", (int)b.n - 1,
					 b.p);
}

/* Who is called by the address of the program's proxy, which is us, is a user of the home domain.
 */
static void called_edit(const struct ue *u, struct sip_edit *e, struct sv called)
{
	struct sip_uri uri;
	struct ip_addr a;

	if (sip_uri_parse(&uri, called) == 0 && uri.port == u->behind.port &&
	    ue_host_read(uri.host, &a) && ip_addr_eq(&a, &u->behind.addr))
		sip_edit_replace(e, called, "sip:%.*s%s%.*s", SV_ARG(uri.user),
				 sv_empty(uri.user) ? "" : "@", SV_ARG(u->realm));
}

/*
 * The caller is the UE: a From of no domain is that of a program that does not know who it is, and
 * the P-CSCF would take it for a false claim (ST-10). Dialogs are told by tags, so nothing is put
 * back in answers (RFC 3261 12).
 */
static void caller_edit(const struct ue *u, struct sip_edit *e)
{
	struct sip_addr from;
	struct sip_uri uri;
	struct ip_addr a;

	if (sip_addr_parse(&from, sip_msg_value(e->msg, SIP_HDR_FROM)) == 0 &&
	    sip_uri_parse(&uri, from.uri) == 0 && ue_host_read(uri.host, &a))
		sip_edit_replace(e, from.uri, "%.*s", SV_ARG(u->impu));
}

static void identities_edit(const struct ue *u, struct sip_edit *e)
{
	struct sip_addr to;

	called_edit(u, e, e->msg->uri);
	if (sip_addr_parse(&to, sip_msg_value(e->msg, SIP_HDR_TO)) == 0)
		called_edit(u, e, to.uri);
	caller_edit(u, e);
}

/* What the P-CSCF wants of a request (TS 24.229 5.1.2A.1.1). */
static void fields_add(const struct ue *u, const struct ue_set *on, struct sip_edit *e)
{
	const struct sip_msg *m = e->msg;
	char route[UE_TEXT_MAX / 4];
	struct sbuf b = sbuf_of(route, sizeof(route));

	ue_route_write(u, on, &b);
	e->failed |= b.overflow;
	if (!sip_msg_find(m, SIP_HDR_ROUTE) && b.n > 2 && !b.overflow)
		sip_edit_append(e, "%.*s", (int)b.n - 2, b.p);
	if (!sip_msg_find(m, SIP_HDR_MAX_FORWARDS))
		sip_edit_append(e, "Max-Forwards: 70");
	if (m->method == SIP_ACK || m->method == SIP_CANCEL)
		return;
	if (ue_identity_fits(m->method) && !sip_msg_find(m, SIP_HDR_P_PREFERRED_IDENTITY))
		sip_edit_append(e, "P-Preferred-Identity: <%.*s>", SV_ARG(u->impu));
	if (on->security_server) {
		sip_edit_append(e, "Require: sec-agree");
		sip_edit_append(e, "Proxy-Require: sec-agree");
		sip_edit_append(e, "Security-Verify: %s", on->security_server);
	}
	b.n = 0;
	ue_access_write(u, &b);
	if (b.n > 2 && !b.overflow)
		sip_edit_append(e, "%.*s", (int)b.n - 2, b.p);
}

static int request_pass(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	const struct ue_set *on = ue_set_in(u, UE_SET_CURRENT);
	char text[UE_TEXT_MAX], branch[BRANCH_LEN], via[160];
	struct sbuf b = sbuf_of(via, sizeof(via)), out = sbuf_of(text, sizeof(text));
	struct sip_flow flow;
	struct sip_edit e;
	struct sip_via v;
	struct sv sent;

	if (!ue_service_allowed(u) || !on)
		return -ENOTCONN;
	if (m->method == SIP_REGISTER || sip_via_top(&v, m) < 0)
		return -EPERM;
	snprintf(branch, sizeof(branch), BRANCH "%016llx",
		 (unsigned long long)branch_number(u, m, &v));
	ue_via_write(u, &b, on, branch);
	sip_edit_init(&e, m);
	sip_edit_insert(&e, SIP_HDR_VIA, "%.*s", (int)b.n - 2, via);
	identities_edit(u, &e);
	contact_edit(u, &e);
	fields_add(u, on, &e);
	if (text_of(&e, text, &sent) < 0)
		return -EMSGSIZE;
	out.n = sent.n;
	ue_request_flow(u, on, &out, &flow, now);
	ue_transport_send(u, &flow, sbuf_sv(&out));
	return 0;
}

/* The flow that the Via of request_take() names; the current set if that set has gone. */
static int reply_flow(struct ue *u, const struct sip_msg *m, struct sip_flow *flow)
{
	unsigned long long number;
	char branch[BRANCH_LEN], transport;
	const struct ue_set *s;
	unsigned set;

	if (m->branch.n >= sizeof(branch))
		return -EBADMSG;
	memcpy(branch, m->branch.p, m->branch.n);
	branch[m->branch.n] = '\0';
	if (sscanf(branch, BRANCH "%16llx.%8x.%c", &number, &set, &transport) != 3)
		return -EBADMSG;
	s = ue_set_find(u, set);
	if (!s || s->closed || (s->state != UE_SET_CURRENT && s->state != UE_SET_OLD))
		s = ue_set_in(u, UE_SET_CURRENT);
	if (!s)
		return -ENOTCONN;
	ue_set_flow(u, s, flow);
	if (transport != 't' || s->tls)
		return 0;
	flow->transport = SIP_TRANSPORT_TCP;
	flow->pair = SA_SERVER;
	flow->local.port = s->sa.local_port[SA_SERVER];
	flow->remote.port = s->sa.remote_port[SA_SERVER];
	return 0;
}

static int response_pass(struct ue *u, const struct sip_msg *m)
{
	char text[UE_TEXT_MAX];
	struct sip_flow flow;
	struct sip_edit e;
	struct sv sent;
	int rc = reply_flow(u, m, &flow);

	if (rc < 0)
		return rc;
	sip_edit_init(&e, m);
	sip_edit_remove_first(&e, SIP_HDR_VIA);
	contact_edit(u, &e);
	rc = text_of(&e, text, &sent);
	if (rc == 0)
		ue_transport_send(u, &flow, sent);
	return rc;
}

int ue_pass(struct ue *u, struct sv text, uint64_t now)
{
	struct sip_msg m;

	if (!u->behind.addr.version || sip_msg_parse(&m, text) < 0)
		return -EBADMSG;
	return m.request ? request_pass(u, &m, now) : response_pass(u, &m);
}

/* ---- messages for the program ------------------------------------------------------------- */

static void request_take(struct ue *u, const struct sip_flow *from, const struct sip_msg *m)
{
	char text[UE_TEXT_MAX], at[IP_ENDPOINT_STRLEN];
	struct sip_edit e;
	struct sip_via v;
	struct sv taken;

	if (sip_via_top(&v, m) < 0)
		return;
	sip_edit_init(&e, m);
	sip_edit_insert(&e, SIP_HDR_VIA, "Via: SIP/2.0/UDP %s;branch=" BRANCH "%016llx.%x.%c",
			ip_endpoint_format(&u->behind, at),
			(unsigned long long)branch_number(u, m, &v), (unsigned)from->set,
			from->transport == SIP_TRANSPORT_TCP ? 't' : 'u');
	if (text_of(&e, text, &taken) == 0)
		u->env.pass(u->env.ctx, u, taken);
}

/*
 * Responses go where the program's Via says, and whoever answers has had that in hand: ours is made
 * of what it was.
 */
static bool is_as_sent(const struct ue *u, struct sv branch, struct sv taken)
{
	char was[BRANCH_LEN];
	struct sip_msg below;
	struct sip_via v;

	if (sip_msg_parse(&below, taken) < 0 || sip_via_top(&v, &below) < 0)
		return false;
	snprintf(was, sizeof(was), BRANCH "%016llx",
		 (unsigned long long)branch_number(u, &below, &v));
	return sv_eq(branch, sv_of(was));
}

static void response_take(struct ue *u, const struct sip_msg *m)
{
	char text[UE_TEXT_MAX];
	struct sip_edit e;
	struct sv taken;

	sip_edit_init(&e, m);
	sip_edit_remove_first(&e, SIP_HDR_VIA);
	if (text_of(&e, text, &taken) == 0 && is_as_sent(u, m->branch, taken))
		u->env.pass(u->env.ctx, u, taken);
}

bool ue_pass_input(struct ue *u, const struct sip_flow *from, const struct sip_msg *m)
{
	bool ours;

	if (!u->env.pass || !u->behind.addr.version)
		return false;
	if (m->request) /* of the registration state (RFC 3680) the UE itself hears */
		ours = m->method == SIP_NOTIFY &&
		       sv_has_prefix(sip_msg_value(m, SIP_HDR_EVENT), SV("reg"));
	else
		ours = !sv_has_prefix(m->branch, SV(BRANCH));
	if (ours)
		return false;
	if (m->request)
		request_take(u, from, m);
	else
		response_take(u, m);
	return true;
}
