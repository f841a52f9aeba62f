#include <errno.h>

#include "control/base/parse.h"
#include "control/sip/msg_check.h"
#include "control/sip/scan.h"

/* Call-ID: words, so without any white space or control character. */
static int read_call_id(struct sip_msg *m)
{
	m->call_id = sip_msg_value(m, SIP_HDR_CALL_ID);
	for (size_t i = 0; i < m->call_id.n; i++)
		if ((unsigned char)m->call_id.p[i] <= ' ' || m->call_id.p[i] == 0x7f)
			return -EBADMSG;
	return m->call_id.n ? 0 : -EBADMSG;
}

/* CSeq: 1*DIGIT LWS Method; the method is that of the request (RFC 3261 8.1.1.5). */
static int read_cseq(struct sip_msg *m)
{
	struct sv v = sip_msg_value(m, SIP_HDR_CSEQ), method;
	size_t digits = 0, blanks;

	while (digits < v.n && scan_is_digit(v.p[digits]))
		digits++;
	if (!parse_u32((struct sv){v.p, digits}, UINT32_MAX, &m->cseq))
		return -EBADMSG;
	v = sv_skip(v, digits);
	blanks = scan_lws(v);
	method = sv_skip(v, blanks);
	if (blanks == 0 || !scan_all_token(method))
		return -EBADMSG;
	if (m->request)
		return sv_eq(method, m->method_name) ? 0 : -EBADMSG;
	m->method = sip_method_of(method);
	return 0;
}

static int read_tag(const struct sip_msg *m, enum sip_hdr id, struct sv *tag)
{
	struct sip_addr a;

	if (sip_addr_parse(&a, sip_msg_value(m, id)))
		return -EBADMSG;
	*tag = (struct sv){0};
	if (!sip_param(a.params, SV("tag"), tag))
		return 0; /* RFC 2543 */
	return scan_all_token(*tag) ? 0 : -EBADMSG;
}

static int read_branch(struct sip_msg *m)
{
	struct sip_via via;

	if (sip_via_top(&via, m))
		return -EBADMSG;
	m->branch = via.branch;
	return sv_empty(m->branch) || scan_all_token(m->branch) ? 0 : -EBADMSG;
}

int sip_mandatory_read(struct sip_msg *m)
{
	if (read_call_id(m) || read_cseq(m) || read_branch(m) ||
	    read_tag(m, SIP_HDR_FROM, &m->from_tag) || read_tag(m, SIP_HDR_TO, &m->to_tag))
		return -EBADMSG;
	return 0;
}
