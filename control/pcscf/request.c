/* What a REGISTER says: identities, authentication, expiry. */
#include "control/base/parse.h"
#include "control/pcscf/internal.h"

/* IMPI from the IMPU when Authorization is missing (TS 23.003 13.3 read backwards): "user@host". */
static void impi_derive(struct pcscf_request *q)
{
	struct sv colon = SV("sip:");

	if (sv_has_prefix(q->impu_sv, colon)) {
		q->impi_sv.n = q->impu_sv.n - colon.n;
		memcpy(q->impi, q->impu_sv.p + colon.n, q->impi_sv.n);
		q->impi_sv.p = q->impi;
	}
}

static int authorization_read(struct pcscf_request *q, const struct sip_msg *m)
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_AUTHORIZATION);

	if (!h) {
		impi_derive(q);
		return sv_empty(q->impi_sv) ? -EBADMSG : 0;
	}
	/* two would let the core read another one than we did (IN-05) */
	if (sip_msg_next(m, h) || auth_response_parse(&q->auth, h->value) < 0)
		return -EBADMSG;
	if (sv_empty(q->auth.username) || q->auth.username.n >= sizeof(q->impi))
		return -EBADMSG;
	memcpy(q->impi, q->auth.username.p, q->auth.username.n);
	q->impi_sv = (struct sv){q->impi, q->auth.username.n};
	q->has_authorization = true;
	q->resync = !sv_empty(q->auth.auts);
	q->answers = !q->resync && !sv_empty(q->auth.response);
	return 0;
}

static bool contact_any(const struct sip_msg *m)
{
	return sv_eq(sv_trim(sip_msg_value(m, SIP_HDR_CONTACT)), SV("*"));
}

/* Contact's own expires, else the Expires field (RFC 3261 10.2.1.1). UINT32_MAX: neither. */
static uint32_t expires_of(const struct sip_msg *m, struct sv contact_params)
{
	uint32_t s;
	struct sv value;

	if (sip_param(contact_params, SV("expires"), &value) &&
	    parse_u32(value, UINT32_MAX - 1, &s))
		return s;
	if (parse_u32(sip_msg_value(m, SIP_HDR_EXPIRES), UINT32_MAX - 1, &s))
		return s;
	return UINT32_MAX;
}

static bool contact_first(const struct sip_msg *m, struct sip_addr *a)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sv element;

	return sip_list_walk(&l, &element) && sip_addr_parse(a, element) == 0;
}

static uint32_t expires_asked(const struct sip_msg *m)
{
	struct sip_addr a;

	if (contact_any(m) || !contact_first(m, &a))
		return expires_of(m, (struct sv){0});
	return expires_of(m, a.params);
}

int pcscf_request_read(struct pcscf_request *q, const struct sip_msg *m)
{
	struct sip_addr to;

	memset(q, 0, sizeof(*q));
	if (sip_addr_parse(&to, sip_msg_value(m, SIP_HDR_TO)) < 0)
		return -EBADMSG;
	q->impu_sv = sip_identity(to.uri, q->impu, sizeof(q->impu));
	if (sv_empty(q->impu_sv))
		return -EBADMSG;
	q->expires = expires_asked(m);
	q->dereg = q->expires == 0;
	return authorization_read(q, m);
}

uint32_t pcscf_granted(const struct sip_msg *request, const struct sip_msg *response)
{
	struct sip_list l = {.msg = response, .id = SIP_HDR_CONTACT};
	uint32_t asked = expires_asked(request), most = 0, s;
	struct sip_addr ours, a;
	struct sv element;
	bool any = false;

	if (asked == 0)
		return 0;
	if (!contact_first(request, &ours))
		ours.uri = (struct sv){0};
	while (sip_list_walk(&l, &element)) {
		if (sip_addr_parse(&a, element) < 0)
			continue;
		s = expires_of(response, a.params);
		if (s == UINT32_MAX)
			s = asked == UINT32_MAX ? 3600 : asked;
		if (sv_eq(a.uri, ours.uri))
			return s;
		if (s > most)
			most = s;
		any = true;
	}
	if (any)
		return most;
	s = expires_of(response, (struct sv){0});
	if (s == UINT32_MAX)
		s = asked;
	return s == UINT32_MAX ? 3600 : s;
}
