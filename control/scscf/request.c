/* Reading a REGISTER (RFC 3261 10.3, TS 24.229 5.4.1.2). */
#include "control/scscf/internal.h"

#include "control/base/parse.h"

#define EXPIRES_MALFORMED 3600 /* RFC 3261 10.3 step 6 */

static enum reg_protection protection_of(struct sv value)
{
	static const struct {
		const char *word;
		enum reg_protection protection;
	} words[] = {
		{"yes", REG_IPSEC},	  {"tls-pending", REG_TLS_PENDING},
		{"tls-yes", REG_TLS},	  {"ip-assoc-pending", REG_IP_PENDING},
		{"ip-assoc-yes", REG_IP},
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (sv_caseeq(value, sv_of(words[i].word)))
			return words[i].protection;
	return REG_CLEAR;
}

static unsigned credentials_read(struct reg *r)
{
	struct sv value = sip_msg_value(r->m, SIP_HDR_AUTHORIZATION);

	if (sv_empty(value)) {
		r->impi = mw_derived_impi(r->impu);
	} else {
		if (auth_response_parse(&r->auth, value) < 0)
			return 400;
		r->has_auth = true;
		r->impi = r->auth.username;
		r->protection = protection_of(r->auth.integrity_protected);
	}
	return sv_empty(r->impi) || r->impi.n >= MW_MAX_IDENTITY ? 400 : 0;
}

static bool all_digits(struct sv text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.n > 0;
}

static uint32_t expires_of(const struct scscf *s, const struct reg *r,
			   const struct sip_addr *contact)
{
	const struct sip_header *h = sip_msg_find(r->m, SIP_HDR_EXPIRES);
	struct sv text;
	uint32_t value;

	if (!sip_param(contact->params, SV("expires"), &text)) {
		if (!h)
			return s->expires_default;
		text = h->value;
	}
	if (parse_u32(text, UINT32_MAX, &value))
		return value;
	return all_digits(text) ? UINT32_MAX : EXPIRES_MALFORMED;
}

static unsigned star_read(struct reg *r, unsigned n_contacts)
{
	uint32_t value;

	if (n_contacts != 1 ||
	    !parse_u32(sip_msg_value(r->m, SIP_HDR_EXPIRES), UINT32_MAX, &value) || value != 0)
		return 400;
	r->action = REG_REMOVE_ALL;
	return 0;
}

/* One binding per IMPI: the first Contact that shall stay is it, or else the first that shall go.
 */
static unsigned contacts_read(struct reg *r, const struct scscf *s)
{
	struct sip_list contacts = {.msg = r->m, .id = SIP_HDR_CONTACT};
	struct sip_addr a;
	struct sip_uri uri;
	struct sv element;
	bool star = false;
	unsigned n = 0;
	uint32_t expires;

	while (sip_list_walk(&contacts, &element)) {
		n++;
		if (sv_eq(element, SV("*"))) {
			star = true;
			continue;
		}
		if (sip_addr_parse(&a, element) < 0 || sip_uri_parse(&uri, a.uri) < 0 ||
		    sv_empty(uri.host)) /* nothing that a SIP request can be sent to */
			return 400;
		expires = expires_of(s, r, &a);
		if (r->action == REG_BIND || (r->action == REG_REMOVE && expires == 0))
			continue;
		r->action = expires ? REG_BIND : REG_REMOVE;
		r->contact = a;
		r->expires = expires;
	}
	return star ? star_read(r, n) : 0;
}

unsigned reg_parse(struct reg *r, const struct scscf *s, const struct sip_msg *m)
{
	struct sip_addr to;
	unsigned status;

	*r = (struct reg){.m = m, .action = REG_FETCH};
	if (sip_addr_parse(&to, sip_msg_value(m, SIP_HDR_TO)) < 0)
		return 400;
	r->impu = sip_identity(to.uri, r->impu_text, sizeof(r->impu_text));
	if (sv_empty(r->impu))
		return 400;
	r->on_3gpp = sip_access_is_3gpp(m);
	status = credentials_read(r);
	if (!status)
		status = contacts_read(r, s);
	if (status || r->action != REG_BIND)
		return status;
	if (r->expires < s->expires_min)
		return 423;
	if (r->expires > s->expires_max)
		r->expires = s->expires_max;
	return 0;
}
