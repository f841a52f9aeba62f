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
