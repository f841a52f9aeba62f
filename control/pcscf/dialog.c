/*
 * Dialogs of the UEs, as far as the P-CSCF has to know them: which route their requests take
 * (TS 24.229 5.2.6.3, 5.2.6.4). The route is what the core recorded; what the UE writes into Route
 * is not read at all. A fork makes one dialog for each To tag.
 */
#include <stdlib.h>
#include <utlist.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

#define KEY_MAX	     1024
#define ROUTE_MAX    4096
#define ELEMENTS_MAX 32
#define IDLE_MS	     (UINT64_C(12) * 3600 * 1000) /* a call that nobody refreshes */
#define GRACE_MS     128000			  /* 64 T1: repeats of what ends it */

struct pcscf_dialog {
	struct pcscf_reg *reg;
	struct pcscf_dialog *prev, *next; /* of the registration, the one heard longest ago first */
	UT_hash_handle hh;
	struct timer timer;
	uint64_t span; /* ms that it lasts without a message */
	bool early;
	bool call;   /* made by INVITE; else by SUBSCRIBE or REFER */
	bool refers; /* a call with a REFER in it, whose NOTIFYs may outlast it (RFC 5057 5.1) */
	size_t call_len; /* of the key: token, Call-ID and the UE's tag, common to all forks */
	size_t key_len;
	char *key;
	char *route; /* Route of the UE's requests behind us; NULL: nobody recorded himself */
};

/* ---- names -------------------------------------------------------------------------------- */

struct dialog_name {
	char text[KEY_MAX];
	size_t call_len, len; /* 0: too long for us */
};

static void name_make(struct dialog_name *n, const struct pcscf_reg *r, struct sv call_id,
		      struct sv ue_tag, struct sv remote_tag)
{
	struct sbuf b = sbuf_of(n->text, sizeof(n->text));

	sbuf_printf(&b, "%s\n%.*s\n%.*s\n", r->token, SV_ARG(call_id), SV_ARG(ue_tag));
	n->call_len = b.n;
	sbuf_put(&b, remote_tag);
	n->len = b.overflow ? 0 : b.n;
}

static void name_of_response(struct dialog_name *n, const struct pcscf_reg *r,
			     const struct sip_msg *m, bool from_core)
{
	name_make(n, r, m->call_id, from_core ? m->from_tag : m->to_tag,
		  from_core ? m->to_tag : m->from_tag);
}

/* ---- life --------------------------------------------------------------------------------- */

static void dialog_free(struct pcscf_dialog *d)
{
	struct pcscf_reg *r = d->reg;

	timer_stop(r->p->timers, &d->timer);
	HASH_DELETE(hh, r->p->dialogs, d);
	DL_DELETE(r->dialogs, d);
	r->n_dialogs--;
	free(d->key);
	free(d->route);
	free(d);
}

static void on_timer(struct timer *t, void *arg, uint64_t now)
{
	(void)t;
	(void)now;
	dialog_free(arg);
}

static void touch(struct pcscf_dialog *d, uint64_t now)
{
	DL_DELETE(d->reg->dialogs, d);
	DL_APPEND(d->reg->dialogs, d);
	(void)timer_start(d->reg->p->timers, &d->timer, now + d->span, on_timer, d);
}

static struct pcscf_dialog *find(const struct pcscf_reg *r, const struct dialog_name *n)
{
	struct pcscf_dialog *d = NULL;

	if (n->len)
		HASH_FIND(hh, r->p->dialogs, n->text, n->len, d);
	return d;
}

static bool enter(struct pcscf_dialog *d, struct pcscf_reg *r, const struct dialog_name *n,
		  uint64_t now)
{
	d->key = sv_dup((struct sv){n->text, n->len});
	if (!d->key)
		return false;
	d->key_len = n->len;
	d->call_len = n->call_len;
	HASH_ADD_KEYPTR(hh, r->p->dialogs, d->key, d->key_len, d);
	if (!d->hh.tbl)
		return false;
	if (timer_start(r->p->timers, &d->timer, now + PCSCF_TIMER_C, on_timer, d) == 0)
		return true;
	HASH_DELETE(hh, r->p->dialogs, d);
	return false;
}

/* Beyond the bound the dialog heard longest ago goes: its requests take the Service-Route then. */
static struct pcscf_dialog *create(struct pcscf_reg *r, const struct dialog_name *n, uint64_t now)
{
	struct pcscf_dialog *d;

	if (!n->len)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->reg = r;
	d->early = true;
	d->span = PCSCF_TIMER_C;
	if (!enter(d, r, n, now)) {
		free(d->key);
		free(d);
		return NULL;
	}
	if (r->n_dialogs == PCSCF_MAX_DIALOGS)
		dialog_free(r->dialogs);
	DL_APPEND(r->dialogs, d);
	r->n_dialogs++;
	return d;
}

void pcscf_dialogs_end(struct pcscf_reg *r)
{
	while (r->dialogs)
		dialog_free(r->dialogs);
}

unsigned pcscf_dialogs_count(const struct pcscf *p)
{
	return HASH_COUNT(p->dialogs);
}

/* The INVITE failed: so did all its forks. A dialog that stands is not touched by a re-INVITE. */
static void early_end(struct pcscf_reg *r, const struct dialog_name *n)
{
	struct pcscf_dialog *d, *next;

	DL_FOREACH_SAFE(r->dialogs, d, next)
	{
		if (d->early && d->call_len == n->call_len &&
		    memcmp(d->key, n->text, n->call_len) == 0)
			dialog_free(d);
	}
}

/* ---- route sets (RFC 3261 12.1) ----------------------------------------------------------- */

static unsigned records(const struct sip_msg *m, struct sv elements[ELEMENTS_MAX])
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_RECORD_ROUTE};
	struct sv element;
	unsigned n = 0;

	while (sip_list_walk(&l, &element)) {
		if (n == ELEMENTS_MAX)
			return 0;
		elements[n++] = element;
	}
	return n;
}

/* backwards: of a response, whose last element is ours and is left out. */
static char *route_dup(struct pcscf_reg *r, const struct sip_msg *m, bool backwards)
{
	struct sv elements[ELEMENTS_MAX], token;
	unsigned n = records(m, elements);
	char text[ROUTE_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));

	if (backwards && n && pcscf_route_ours(r->p, elements[n - 1], &token) &&
	    sv_eq(token, sv_of(r->token)))
		n--;
	for (unsigned i = 0; i < n; i++)
		sbuf_printf(&b, "%s%.*s", i ? ", " : "",
			    SV_ARG(elements[backwards ? n - 1 - i : i]));
	return b.n && !b.overflow ? sv_dup(sbuf_sv(&b)) : NULL;
}

/* RFC 3261 13.2.2.4: that of the 2xx counts. */
static void route_set(struct pcscf_dialog *d, char *route)
{
	free(d->route);
	d->route = route;
}

/* ---- what makes and ends them ------------------------------------------------------------- */

static struct sv field(const struct sip_msg *m, struct sv name, struct sv compact)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->h[i].id == SIP_HDR_OTHER &&
		    (sv_caseeq(m->h[i].name, name) || sv_caseeq(m->h[i].name, compact)))
			return m->h[i].value;
	return (struct sv){0};
}

/* Session timer of a call (RFC 4028), lifetime of a subscription. */
static uint64_t span_of(const struct sip_msg *m)
{
	struct sv value = m->method == SIP_SUBSCRIBE ? sip_msg_value(m, SIP_HDR_EXPIRES)
						     : field(m, SV("Session-Expires"), SV("x"));
	const char *end = value.n ? memchr(value.p, ';', value.n) : NULL;
	uint64_t ms;
	uint32_t s;

	if (end)
		value.n = (size_t)(end - value.p);
	if (!parse_u32(sv_trim(value), UINT32_MAX, &s))
		return IDLE_MS;
	ms = (uint64_t)s * 1000 + GRACE_MS;
	return ms < IDLE_MS ? ms : IDLE_MS;
}

static bool forms(const struct sip_msg *m)
{
	if (m->status <= 100 || m->status >= 300 || sv_empty(m->to_tag) || sv_empty(m->from_tag))
		return false;
	return m->method == SIP_INVITE ||
	       (m->status >= 200 && (m->method == SIP_SUBSCRIBE || m->method == SIP_REFER));
}

/* What says how long it lasts (RFC 4028 7, RFC 6665 4.1.2.1). */
static bool refreshes(const struct pcscf_dialog *d, const struct sip_msg *m)
{
	if (d->early || m->status < 200)
		return false;
	return d->call ? m->method == SIP_INVITE || m->method == SIP_UPDATE
		       : m->method == SIP_SUBSCRIBE || m->method == SIP_REFER;
}

static void keep(struct pcscf_dialog *d, const struct sip_msg *m, uint64_t now)
{
	if (refreshes(d, m))
		d->span = span_of(m);
	touch(d, now);
}

/* recorded: whose Record-Route counts; the UE's own copy of it does not. */
static void formed(struct pcscf_reg *r, const struct dialog_name *n, const struct sip_msg *m,
		   const struct sip_msg *recorded, uint64_t now)
{
	struct pcscf_dialog *d = find(r, n);

	if (!d)
		d = create(r, n, now);
	if (!d)
		return;
	if (d->early)
		route_set(d, route_dup(r, recorded, recorded == m));
	if (m->method == SIP_INVITE)
		d->call = true;
	if (m->status >= 200)
		d->early = false;
	keep(d, m, now);
}

static bool notified_over(const struct sip_msg *request)
{
	return request->method == SIP_NOTIFY &&
	       sv_has_prefix(sip_msg_value(request, SIP_HDR_SUBSCRIPTION_STATE), SV("terminated"));
}

/* RFC 3261 12.2.1.2, 15.1.1; RFC 6665 4.1.2.2, 4.4.1; RFC 5057 */
static bool over(const struct pcscf_dialog *d, const struct sip_msg *m,
		 const struct sip_msg *request)
{
	if (m->status < 200 || m->status == 401 || m->status == 407)
		return false;
	if (d->call)
		return m->method == SIP_BYE ||
		       (m->status == 481 && (m->method == SIP_INVITE || m->method == SIP_UPDATE));
	return notified_over(request) ||
	       (m->status == 481 && (m->method == SIP_SUBSCRIBE || m->method == SIP_NOTIFY));
}

static void end(struct pcscf_dialog *d, uint64_t now)
{
	if (!d->call || !d->refers) {
		dialog_free(d);
		return;
	}
	d->call = false;
	d->span = GRACE_MS;
	touch(d, now);
}

static void in_dialog(struct pcscf_reg *r, const struct dialog_name *n, const struct sip_msg *m,
		      const struct sip_msg *request, uint64_t now)
{
	struct pcscf_dialog *d = find(r, n);

	if (d && m->method == SIP_REFER && m->status >= 200 && m->status < 300)
		d->refers = true;
	if (d && over(d, m, request))
		end(d, now);
	else if (d && m->status < 300)
		keep(d, m, now);
}

void pcscf_dialog_unanswered(struct pcscf_reg *r, const struct sip_msg *request, bool from_core,
			     uint64_t now)
{
	struct pcscf_dialog *d;
	struct dialog_name n;

	name_make(&n, r, request->call_id, from_core ? request->to_tag : request->from_tag,
		  from_core ? request->from_tag : request->to_tag);
	d = find(r, &n);
	if (d && d->call && request->method == SIP_BYE)
		end(d, now);
	else if (request->method == SIP_INVITE && sv_empty(request->to_tag) && !from_core)
		early_end(r, &n);
}

void pcscf_dialog_response(struct pcscf_reg *r, const struct sip_msg *request,
			   const struct sip_msg *m, bool from_core, uint64_t now)
{
	struct dialog_name n;

	name_of_response(&n, r, m, from_core);
	if (!sv_empty(request->to_tag))
		in_dialog(r, &n, m, request, now);
	else if (forms(m))
		formed(r, &n, m, from_core ? m : request, now);
	else if (m->method == SIP_INVITE && m->status >= 300 && from_core)
		early_end(r, &n);
}

void pcscf_dialog_fork(struct pcscf_reg *r, const struct sip_msg *m, uint64_t now)
{
	struct dialog_name n;

	name_of_response(&n, r, m, true);
	if (forms(m))
		formed(r, &n, m, m, now);
}

bool pcscf_dialog_known(const struct pcscf_reg *r, const struct sip_msg *m)
{
	struct dialog_name n;

	name_make(&n, r, m->call_id, m->from_tag, m->to_tag);
	return find(r, &n) != NULL;
}

bool pcscf_dialog_route(struct pcscf_reg *r, const struct sip_msg *m, const char **route,
			uint64_t now)
{
	struct pcscf_dialog *d;
	struct dialog_name n;

	if (sv_empty(m->to_tag))
		return false;
	name_make(&n, r, m->call_id, m->from_tag, m->to_tag);
	d = find(r, &n);
	if (!d || !d->route)
		return false;
	touch(d, now);
	*route = d->route;
	return true;
}
