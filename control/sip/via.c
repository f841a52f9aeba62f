#include <errno.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"
#include "control/sip/host.h"
#include "control/sip/msg.h"
#include "control/sip/scan.h"

/* Takes a token and, if `slash`, the "/" behind it off *rest, with white space around. */
static bool take_token(struct sv *rest, bool slash, struct sv *token)
{
	*token = (struct sv){rest->p, scan_token(*rest)};
	*rest = sv_skip(*rest, token->n);
	if (token->n == 0 || !slash)
		return token->n != 0;
	*rest = scan_skip_lws(*rest);
	if (rest->n == 0 || rest->p[0] != '/')
		return false;
	*rest = scan_skip_lws(sv_skip(*rest, 1));
	return true;
}

/* protocol-name "/" protocol-version "/" transport LWS sent-by *( ";" via-params ) */
int sip_via_parse(struct sip_via *v, struct sv element)
{
	struct sv rest, name, version;
	size_t blanks;

	memset(v, 0, sizeof(*v));
	v->element = rest = sv_trim(element);
	if (!take_token(&rest, true, &name) || !take_token(&rest, true, &version) ||
	    !take_token(&rest, false, &v->transport) || !sv_caseeq(name, SV("SIP")) ||
	    !sv_eq(version, SV("2.0")))
		return -EBADMSG;
	blanks = scan_lws(rest);
	rest = sv_skip(rest, blanks);
	if (blanks == 0 || sip_hostport_read(&rest, true, &v->host, &v->port))
		return -EBADMSG;
	v->params = sv_trim(rest);
	if (v->params.n && (v->params.p[0] != ';' || !scan_is_closed(v->params)))
		return -EBADMSG;
	sip_param(v->params, SV("branch"), &v->branch);
	return 0;
}

int sip_via_top(struct sip_via *v, const struct sip_msg *m)
{
	struct sv rest = sip_msg_value(m, SIP_HDR_VIA), element;

	if (!sip_list_next(&rest, &element))
		return -EBADMSG;
	return sip_via_parse(v, element);
}

void sip_via_transport_set(char *text, size_t n, struct sv transport)
{
	struct sip_msg m;
	struct sip_via v;

	if (sip_msg_parse(&m, (struct sv){text, n}) == 0 && sip_via_top(&v, &m) == 0 &&
	    v.transport.n == transport.n)
		memcpy(text + (v.transport.p - text), transport.p, transport.n);
}
