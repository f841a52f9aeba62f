#include "control/icscf/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/mw/identity.h"

static void request_input(struct icscf *i, const struct sip_msg *m, uint64_t now)
{
	struct sv user;
	struct sip_uri u;

	if (!mw_proxy_check(&i->proxy, m))
		return;
	if (m->method != SIP_REGISTER && sip_uri_parse(&u, m->uri) == 0 && sv_empty(u.user) &&
	    !mw_proxy_own_route(&i->proxy, m, &user) && mw_proxy_is_own(&i->proxy, m->uri))
		mw_proxy_self(&i->proxy, m, SV("OPTIONS, REGISTER"));
	else
		icscf_query(i, m, false, now);
}

static void input(void *arg, struct sv text, uint64_t now)
{
	struct icscf *i = arg;
	struct sip_msg m;

	if (sip_msg_parse(&m, text) < 0)
		i->proxy.dropped++;
	else if (m.request)
		request_input(i, &m, now);
	else
		mw_proxy_response(&i->proxy, &m);
}

/* ---- what the HSS said -------------------------------------------------------------------- */

/* Gives the request to the S-CSCF: a REGISTER by Request-URI, others by Route
 * (TS 24.229 5.3.1.2, 5.3.2.1). */
static void pass_on(struct icscf *i, const struct sip_msg *m, struct sv scscf)
{
	struct sip_uri u;
	struct sip_edit e;
	struct sv user;
	int err;

	if (sip_uri_parse(&u, scscf) < 0) {
		mw_proxy_reply(&i->proxy, m, 500, (struct sv){0});
		return;
	}
	mw_proxy_begin(&i->proxy, &e, m, mw_proxy_own_route(&i->proxy, m, &user));
	if (m->method == SIP_REGISTER)
		sip_edit_replace(&e, m->uri, "%.*s", SV_ARG(scscf));
	else
		sip_edit_insert(&e, SIP_HDR_ROUTE, "Route: <%.*s;lr>", SV_ARG(scscf));
	err = mw_proxy_end(&i->proxy, &e, u.host);
	if (err)
		mw_proxy_reply(&i->proxy, m, err == -ENOENT ? 504 : 500, (struct sv){0});
}

static void registrar_found(struct icscf *i, const struct sip_msg *m, const struct cx_answer *a)
{
	switch (a->result) {
	case CX_SUCCESS:
		pass_on(i, m, sv_empty(a->scscf) ? sv_of(i->scscf_uri) : a->scscf);
		break;
	case CX_UNABLE:
		mw_proxy_reply(&i->proxy, m, 480, (struct sv){0});
		break;
	default: /* TS 24.229 5.3.1.2: no reason is given away */
		mw_proxy_reply(&i->proxy, m, 403, (struct sv){0});
	}
}

static void location_found(struct icscf *i, const struct sip_msg *m, bool as_phone,
			   const struct cx_answer *a, uint64_t now)
{
	char tel[MW_MAX_IDENTITY];

	if (a->result == CX_SUCCESS && !sv_empty(a->scscf))
		pass_on(i, m, a->scscf);
	else if (a->result == CX_SUCCESS || a->result == CX_UNABLE)
		mw_proxy_reply(&i->proxy, m, 480, (struct sv){0});
	else if (!as_phone && !sv_empty(mw_phone_alias(m->uri, tel, sizeof(tel))))
		icscf_query(i, m, true, now);
	else
		mw_proxy_reply(&i->proxy, m, 404, (struct sv){0});
}

void icscf_answered(struct icscf *i, const struct sip_msg *m, bool as_phone,
		    const struct cx_answer *a, uint64_t now)
{
	if (m->method == SIP_REGISTER)
		registrar_found(i, m, a);
	else
		location_found(i, m, as_phone, a, now);
}

/* ---- life --------------------------------------------------------------------------------- */

int icscf_alloc(struct icscf **ip, const struct icscf_conf *conf, struct mw *mw, struct cx cx)
{
	struct icscf *i = calloc(1, sizeof(*i));
	int err = -ENOMEM;

	if (!i)
		return -ENOMEM;
	i->cx = cx;
	i->host = strdup(conf->host);
	if (asprintf(&i->scscf_uri, "sip:%s", conf->scscf_host) < 0)
		i->scscf_uri = NULL;
	if (i->host && i->scscf_uri) {
		i->proxy = (struct mw_proxy){.mw = mw, .host = sv_of(i->host)};
		err = mw_attach(mw, i->proxy.host, input, i);
	}
	if (err) {
		i->proxy.mw = NULL;
		icscf_free(i);
		return err;
	}
	*ip = i;
	return 0;
}

void icscf_free(struct icscf *i)
{
	if (!i)
		return;
	if (i->proxy.mw)
		mw_detach(i->proxy.mw, i->proxy.host);
	icscf_queries_orphan(i);
	free(i->host);
	free(i->scscf_uri);
	free(i);
}

uint64_t icscf_queries(const struct icscf *i)
{
	return i->queries_asked;
}

uint64_t icscf_dropped(const struct icscf *i)
{
	return i->proxy.dropped;
}
