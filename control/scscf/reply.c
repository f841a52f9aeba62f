#include "control/scscf/internal.h"

#include <inttypes.h>
#include <stdio.h>

#include <sodium.h>

void reply_status(struct scscf *s, const struct sip_msg *m, unsigned status)
{
	mw_proxy_reply(&s->proxy, m, status, (struct sv){0});
}

void reply_min_expires(struct scscf *s, const struct sip_msg *m)
{
	char field[48];
	struct sbuf b = sbuf_of(field, sizeof(field));

	sbuf_printf(&b, "Min-Expires: %" PRIu32 "\r\n", s->expires_min);
	mw_proxy_reply(&s->proxy, m, 423, sbuf_sv(&b));
}

/* SM4: with IK and CK for the P-CSCF. */
void reply_challenge(struct scscf *s, const struct sip_msg *m, const struct aka_vector *av)
{
	char buf[SIP_MAX_LENGTH];
	struct sbuf text = sbuf_of(buf, sizeof(buf));

	mw_proxy_reply_begin(&s->proxy, &text, m, 401);
	sbuf_put(&text, SV("WWW-Authenticate: "));
	auth_aka_challenge_write(&text, sv_of(s->realm), av);
	sbuf_put(&text, SV("\r\n"));
	mw_proxy_reply_end(&s->proxy, &text, m);
	sodium_memzero(buf, text.n);
}

static void digest_choice_write(struct sbuf *b, const struct user *u,
				enum digest_algorithm algorithm)
{
	const struct digest *d = u->digest;
	const struct auth_offer offer = {.realm = d->av.realm,
					 .domain = d->av.domain,
					 .nonce = sv_of(u->challenge.nonce),
					 .opaque = sv_of(d->av.opaque),
					 .algorithm = algorithm,
					 .qop_auth = true,
					 .stale = d->stale};

	sbuf_put(b, SV("WWW-Authenticate: "));
	auth_challenge_write(b, &offer);
	sbuf_put(b, SV("\r\n"));
}

void reply_digest_challenge(struct user *u, const struct sip_msg *m)
{
	struct scscf *s = u->scscf;
	char buf[SIP_MAX_LENGTH];
	struct sbuf text = sbuf_of(buf, sizeof(buf));

	mw_proxy_reply_begin(&s->proxy, &text, m, 401);
	for (unsigned i = 0; i < u->digest->av.n; i++)
		digest_choice_write(&text, u, u->digest->av.choice[i].algorithm);
	mw_proxy_reply_end(&s->proxy, &text, m);
}

/* DN-15, DH-07: for the answer that this 200 is for, not for one that came meanwhile. */
static void authentication_info(struct sbuf *b, const struct user *u, const struct sip_msg *m)
{
	struct auth_response r;

	if (!u->digest || auth_response_parse(&r, sip_msg_value(m, SIP_HDR_AUTHORIZATION)) < 0 ||
	    sv_empty(r.response) || !sv_eq(r.nonce, sv_of(u->good_nonce)) ||
	    !sv_caseeq(r.response, sv_of(u->digest->response)))
		return;
	sbuf_put(b, SV("Authentication-Info: "));
	auth_info_write(b, &(struct auth_info){.rspauth = sv_of(u->digest->rspauth),
					       .qop_value = r.qop_value,
					       .cnonce = r.cnonce,
					       .nc = r.nc});
	sbuf_put(b, SV("\r\n"));
}

static void associated_uris(struct sbuf *b, const struct user *u)
{
	if (u->n_served == 0)
		return;
	sbuf_put(b, SV("P-Associated-URI: "));
	for (unsigned i = 0; i < u->n_served; i++)
		sbuf_printf(b, "%s<%s>", i ? ", " : "", u->served[i].impu);
	sbuf_put(b, SV("\r\n"));
}

void reply_registered(struct user *u, const struct sip_msg *m, uint64_t now)
{
	struct scscf *s = u->scscf;
	const struct binding *b = &u->binding;
	uint64_t left = b->expires_at > now ? (b->expires_at - now) / 1000 : 0;
	char buf[SIP_MAX_LENGTH];
	struct sbuf text = sbuf_of(buf, sizeof(buf));

	mw_proxy_reply_begin(&s->proxy, &text, m, 200);
	authentication_info(&text, u, m);
	if (u->registered) {
		if (b->path[0])
			sbuf_printf(&text, "Path: %s\r\n", b->path);
		sbuf_printf(&text, "Service-Route: <sip:orig@%s;lr>\r\n", s->host);
		associated_uris(&text, u);
		sbuf_printf(&text, "Contact: <%s>%s;expires=%" PRIu64 "\r\n", b->contact, b->params,
			    left);
	}
	mw_proxy_reply_end(&s->proxy, &text, m);
}
