#include "control/mw/proxy.h"

#include <errno.h>

#include <sodium.h>

#include "control/base/parse.h"

#define MAX_FORWARDS_DEFAULT 70
#define MAX_FORWARDS_LIMIT   255 /* RFC 3261 20.22 */
#define TOKEN_OCTETS	     12

bool mw_proxy_is_own(const struct mw_proxy *p, struct sv uri)
{
	struct sip_uri u;

	return sip_uri_parse(&u, uri) == 0 && sv_caseeq(u.host, p->host);
}

bool mw_proxy_own_route(const struct mw_proxy *p, const struct sip_msg *m, struct sv *user)
{
	struct sip_list routes = {.msg = m, .id = SIP_HDR_ROUTE};
	struct sip_addr route;
	struct sip_uri u;
	struct sv element;

	*user = (struct sv){0};
	if (!sip_list_walk(&routes, &element) || sip_addr_parse(&route, element) < 0 ||
	    sip_uri_parse(&u, route.uri) < 0 || !sv_caseeq(u.host, p->host))
		return false;
	*user = u.user;
	return true;
}

/* ---- checks ------------------------------------------------------------------------------- */

static bool known_option(struct sv tag, const struct sv *known, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (sv_caseeq(tag, known[i]))
			return true;
	return false;
}

bool mw_proxy_unsupported(const struct sip_msg *m, enum sip_hdr id, const struct sv *known,
			  unsigned n, struct sbuf *out)
{
	struct sip_list options = {.msg = m, .id = id};
	struct sv tag;
	bool any = false;

	while (sip_list_walk(&options, &tag)) {
		if (sv_empty(tag) || known_option(tag, known, n))
			continue;
		sbuf_printf(out, "%s%.*s", any ? ", " : "", SV_ARG(tag));
		any = true;
	}
	return any;
}

bool mw_proxy_options_known(struct mw_proxy *p, const struct sip_msg *m, enum sip_hdr id,
			    const struct sv *known, unsigned n)
{
	char fields[512];
	struct sbuf b = sbuf_of(fields, sizeof(fields));

	sbuf_put(&b, SV("Unsupported: "));
	if (!mw_proxy_unsupported(m, id, known, n, &b))
		return true;
	sbuf_put(&b, SV("\r\n"));
	mw_proxy_reply(p, m, 420, b.overflow ? (struct sv){0} : sbuf_sv(&b));
	return false;
}

/* -1: absent, -2: malformed */
static int max_forwards(const struct sip_msg *m)
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_MAX_FORWARDS);
	uint32_t value;

	if (!h)
		return -1;
	return parse_u32(h->value, MAX_FORWARDS_LIMIT, &value) ? (int)value : -2;
}

bool mw_proxy_check(struct mw_proxy *p, const struct sip_msg *m)
{
	int hops = max_forwards(m);

	if (hops == -2) {
		mw_proxy_reply(p, m, 400, (struct sv){0});
		return false;
	}
	if (hops == 0) {
		mw_proxy_reply(p, m, 483, (struct sv){0});
		return false;
	}
	return m->method == SIP_ACK || m->method == SIP_CANCEL ||
	       mw_proxy_options_known(p, m, SIP_HDR_PROXY_REQUIRE, NULL, 0);
}

void mw_proxy_self(struct mw_proxy *p, const struct sip_msg *m, struct sv allow)
{
	char fields[640];
	struct sbuf b = sbuf_of(fields, sizeof(fields));
	unsigned status = m->method == SIP_OPTIONS ? 200 : m->method == SIP_CANCEL ? 481 : 405;

	if (status != 481 && !mw_proxy_options_known(p, m, SIP_HDR_REQUIRE, NULL, 0))
		return;
	sbuf_printf(&b, "Allow: %.*s\r\n", SV_ARG(allow));
	mw_proxy_reply(p, m, status, b.overflow ? (struct sv){0} : sbuf_sv(&b));
}

/* ---- requests ----------------------------------------------------------------------------- */

static void hash_text(crypto_generichash_state *h, struct sv text)
{
	uint32_t n = (uint32_t)text.n; /* so that no two lists of texts run into the same octets */

	crypto_generichash_update(h, (const unsigned char *)&n, sizeof(n));
	if (text.n)
		crypto_generichash_update(h, (const unsigned char *)text.p, text.n);
}

/* What is the same in a request, its repeats, its CANCEL and the ACK to its failure; `purpose` sets
 * uses apart. */
static void transaction_token(char token[2 * TOKEN_OCTETS + 1], const struct sip_msg *m,
			      struct sv host, struct sv purpose)
{
	crypto_generichash_state h;
	unsigned char octets[crypto_generichash_BYTES_MIN];
	struct sip_via via = {0};

	_Static_assert(TOKEN_OCTETS <= sizeof(octets), "hash too short");
	(void)sip_via_top(&via, m);
	crypto_generichash_init(&h, NULL, 0, sizeof(octets));
	hash_text(&h, purpose);
	hash_text(&h, host);
	hash_text(&h, via.host);
	crypto_generichash_update(&h, (const unsigned char *)&via.port, sizeof(via.port));
	hash_text(&h, m->branch);
	hash_text(&h, m->call_id);
	hash_text(&h, m->from_tag);
	hash_text(&h, m->uri);
	crypto_generichash_update(&h, (const unsigned char *)&m->cseq, sizeof(m->cseq));
	crypto_generichash_final(&h, octets, sizeof(octets));
	sodium_bin2hex(token, 2 * TOKEN_OCTETS + 1, octets, TOKEN_OCTETS);
}

void mw_proxy_begin(const struct mw_proxy *p, struct sip_edit *e, const struct sip_msg *m,
		    bool drop_route)
{
	char token[2 * TOKEN_OCTETS + 1];
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_MAX_FORWARDS);
	int hops = max_forwards(m);

	transaction_token(token, m, p->host, SV("branch"));
	sip_edit_init(e, m);
	sip_edit_insert(e, SIP_HDR_VIA, "Via: SIP/2.0/TCP %.*s;branch=z9hG4bK%s", SV_ARG(p->host),
			token);
	if (h)
		sip_edit_replace(e, h->value, "%d", hops > 0 ? hops - 1 : 0);
	else
		sip_edit_append(e, "Max-Forwards: %d", MAX_FORWARDS_DEFAULT);
	if (drop_route)
		sip_edit_remove_first(e, SIP_HDR_ROUTE);
}

int mw_proxy_end(struct mw_proxy *p, const struct sip_edit *e, struct sv hop)
{
	char text[SIP_MAX_LENGTH];
	struct sv out = sip_edit_text(e, text, sizeof(text));
	int rc;

	if (sv_empty(out))
		return -E2BIG;
	rc = sv_empty(hop) ? mw_forward(p->mw, out) : mw_send(p->mw, hop, out);
	sodium_memzero(text, out.n); /* it may be a challenge with IK and CK */
	return rc;
}

/* ---- responses ---------------------------------------------------------------------------- */

void mw_proxy_response(struct mw_proxy *p, const struct sip_msg *m)
{
	struct sip_list vias = {.msg = m, .id = SIP_HDR_VIA};
	struct sip_edit e;
	struct sip_via own, next;
	struct sv element;

	if (!sip_list_walk(&vias, &element) || sip_via_parse(&own, element) < 0 ||
	    !sv_caseeq(own.host, p->host) || !sip_list_walk(&vias, &element) ||
	    sip_via_parse(&next, element) < 0) {
		p->dropped++;
		return;
	}
	sip_edit_init(&e, m);
	sip_edit_remove_first(&e, SIP_HDR_VIA);
	if (mw_proxy_end(p, &e, next.host) < 0)
		p->dropped++;
}

void mw_proxy_reply_begin(const struct mw_proxy *p, struct sbuf *text,
			  const struct sip_msg *request, unsigned status)
{
	char tag[2 * TOKEN_OCTETS + 1];

	transaction_token(tag, request, p->host, SV("tag"));
	sip_reply_begin(text, request, status, sv_of(tag));
}

void mw_proxy_reply_end(struct mw_proxy *p, struct sbuf *text, const struct sip_msg *request)
{
	struct sip_via via;

	sip_reply_end(text, (struct sv){0});
	if (text->overflow || sip_via_top(&via, request) < 0 ||
	    mw_send(p->mw, via.host, sbuf_sv(text)) < 0)
		p->dropped++;
}

void mw_proxy_reply(struct mw_proxy *p, const struct sip_msg *request, unsigned status,
		    struct sv fields)
{
	char buf[SIP_MAX_LENGTH];
	struct sbuf text = sbuf_of(buf, sizeof(buf));

	if (!request->request || request->method == SIP_ACK) {
		p->dropped++;
		return;
	}
	mw_proxy_reply_begin(p, &text, request, status);
	sbuf_put(&text, fields);
	mw_proxy_reply_end(p, &text, request);
}
