/* Reads any text as a message, walks all of it, edits it and reads the result again. */
#include <assert.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"

#define OUT_MAX (SIP_MAX_LENGTH + SIP_EDIT_TEXT_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct sv part, struct sv whole)
{
	assert(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void walk_params(struct sv params, struct sv whole)
{
	struct sv name, value;

	while (sip_param_next(&params, &name, &value)) {
		inside(name, whole);
		inside(value, whole);
	}
}

static void walk_uri(struct sv text, struct sv whole)
{
	char small[24], big[2048];
	struct sip_uri u;
	struct sv id;

	id = sip_identity(text, big, sizeof(big));
	if (id.n) {
		char again[2048];

		/* a canonical form is its own canonical form */
		assert(sv_eq(id, sip_identity(id, again, sizeof(again))));
	}
	sip_identity(text, small, sizeof(small));
	if (sip_uri_parse(&u, text))
		return;
	inside(u.host, whole);
	inside(u.user, whole);
	inside(u.headers, whole);
	walk_params(u.params, whole);
}

static void walk_element(struct sv e, struct sv whole)
{
	struct sip_addr a;
	struct sip_via v;

	inside(e, whole);
	if (sip_addr_parse(&a, e) == 0) {
		inside(a.display, whole);
		walk_uri(a.uri, whole);
		walk_params(a.params, whole);
	}
	if (sip_via_parse(&v, e) == 0) {
		inside(v.host, whole);
		inside(v.branch, whole);
		walk_params(v.params, whole);
	}
}

static void walk(const struct sip_msg *m)
{
	struct sv element;

	walk_uri(m->uri, m->raw);
	for (unsigned i = 0; i < m->n; i++) {
		const struct sip_header *h = &m->h[i];

		inside(h->name, m->raw);
		inside(h->line, m->raw);
		inside(h->value, h->line);
	}
	for (unsigned id = 0; id < SIP_HDR_COUNT; id++) {
		struct sip_list l = {.msg = m, .id = (enum sip_hdr)id};

		while (sip_list_walk(&l, &element))
			walk_element(element, m->raw);
	}
}

/* The text as edited must be a message again, with one more field and without the removed one. */
static void edit(const struct sip_msg *m, char *out)
{
	static struct sip_edit e;
	static struct sip_msg again;
	struct sv text;

	sip_edit_init(&e, m);
	sip_edit_remove_token(&e, SIP_HDR_REQUIRE, SV("sec-agree"));
	sip_edit_remove_token(&e, SIP_HDR_SUPPORTED, SV("path"));
	sip_edit_remove_token(&e, SIP_HDR_SUPPORTED, SV("gruu"));
	sip_edit_remove_all(&e, SIP_HDR_SECURITY_CLIENT);
	sip_edit_remove_first(&e, SIP_HDR_ROUTE);
	sip_edit_remove_first(&e, SIP_HDR_ROUTE);
	sip_edit_insert(&e, SIP_HDR_VIA, "Via: SIP/2.0/UDP a.example;branch=z9hG4bKa");
	sip_edit_append(&e, "X-Fuzz: %u", m->n);
	if (m->request)
		sip_edit_replace(&e, m->uri, "sip:%s", "fuzz.example");
	text = sip_edit_text(&e, out, OUT_MAX);
	if (!text.n || m->n + 2 > SIP_MAX_HEADERS || text.n > SIP_MAX_LENGTH)
		return;
	assert(sip_msg_parse(&again, text) == 0);
	assert(!sip_msg_find(&again, SIP_HDR_SECURITY_CLIENT));
	assert(sv_eq(again.branch, SV("z9hG4bKa")));
	assert(sv_eq(again.call_id, m->call_id) && sv_eq(again.body, m->body));
	assert(sv_eq(again.from_tag, m->from_tag) && again.cseq == m->cseq);
}

static void reply(const struct sip_msg *m, char *out)
{
	static struct sip_msg again;
	struct sbuf b = sbuf_of(out, OUT_MAX);

	sip_reply_begin(&b, m, 200, SV("fuzz"));
	sip_reply_end(&b, SV("body"));
	if (b.overflow || b.n > SIP_MAX_LENGTH)
		return;
	assert(sip_msg_parse(&again, sbuf_sv(&b)) == 0);
	assert(again.status == 200 && again.cseq == m->cseq && again.to_tag.n);
	assert(sv_eq(again.branch, m->branch));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[OUT_MAX];
	static struct sip_msg m;

	if (sip_msg_parse(&m, (struct sv){(const char *)data, size}))
		return 0;
	walk(&m);
	edit(&m, out);
	if (m.request)
		reply(&m, out);
	return 0;
}
