/* Reading by expat, which sees to XML itself; here is what RFC 3680 says, and limits. */
#include <errno.h>
#include <expat.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/reginfo/reginfo.h"

#define NS "urn:ietf:params:xml:ns:reginfo "

struct reader {
	XML_Parser xml;
	struct reginfo *r;
	unsigned depth;
	bool root, in_registration, in_contact, in_uri;
	bool keep;	   /* the contact of now: its event is known */
	size_t uri_begins; /* in the store */
	int err;
};

static void stop(struct reader *p, int err)
{
	if (!p->err)
		p->err = err;
	XML_StopParser(p->xml, XML_FALSE);
}

static struct sv attribute(const XML_Char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return sv_of(attributes[1]);
	return (struct sv){0};
}

static struct sv keep(struct reader *p, struct sv value)
{
	struct sbuf *b = &p->r->text;
	size_t at = b->n;

	if (value.n > REGINFO_MAX_TEXT) {
		stop(p, -E2BIG);
		return (struct sv){0};
	}
	sbuf_put(b, value);
	if (b->overflow)
		stop(p, -E2BIG);
	return b->overflow ? (struct sv){0} : (struct sv){b->p + at, value.n};
}

static int word_of(struct sv text, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (sv_eq(text, sv_of(words[i])))
			return i;
	return -1;
}

static int event_of(struct sv text)
{
	for (int e = 0; e < REGINFO_EVENTS; e++)
		if (sv_eq(text, sv_of(reginfo_event_name((enum reginfo_event)e))))
			return e;
	return -1;
}

static void root_begin(struct reader *p, const XML_Char *name, const XML_Char **a)
{
	static const char *const states[] = {"partial", "full"};
	int state = word_of(attribute(a, "state"), states, 2);

	if (strcmp(name, NS "reginfo") != 0 || state < 0 ||
	    !parse_u32(attribute(a, "version"), UINT32_MAX, &p->r->version)) {
		stop(p, -EBADMSG);
		return;
	}
	p->r->full = state;
	p->root = true;
}

static void registration_begin(struct reader *p, const XML_Char **a)
{
	static const char *const states[] = {"init", "active", "terminated"};
	int state = word_of(attribute(a, "state"), states, 3);
	struct sv aor = attribute(a, "aor");
	struct reginfo *r = p->r;

	if (state < 0 || sv_empty(aor)) {
		stop(p, -EBADMSG);
		return;
	}
	if (r->n_registrations == REGINFO_MAX_REGISTRATIONS) {
		stop(p, -E2BIG);
		return;
	}
	r->registrations[r->n_registrations++] = (struct reginfo_registration){
		.aor = keep(p, aor), .state = (enum reginfo_state)state, .first = r->n_contacts};
	p->in_registration = true;
}

static void contact_begin(struct reader *p, const XML_Char **a)
{
	static const char *const states[] = {"active", "terminated"};
	int state = word_of(attribute(a, "state"), states, 2), event;
	struct sv event_text = attribute(a, "event"), expires = attribute(a, "expires");
	struct reginfo *r = p->r;
	struct reginfo_contact c = {.has_expires = !sv_empty(expires)};

	event = event_of(event_text);
	if (state < 0 || sv_empty(event_text) ||
	    (c.has_expires && !parse_u32(sv_trim(expires), UINT32_MAX, &c.expires))) {
		stop(p, -EBADMSG);
		return;
	}
	p->in_contact = true;
	p->keep = event >= 0;
	if (!p->keep)
		return;
	if (r->n_contacts == REGINFO_MAX_CONTACTS) {
		stop(p, -E2BIG);
		return;
	}
	c.active = state == 0;
	c.event = (enum reginfo_event)event;
	c.id = keep(p, attribute(a, "id"));
	r->contacts[r->n_contacts++] = c;
	r->registrations[r->n_registrations - 1].n++;
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **a)
{
	struct reader *p = arg;

	if (p->err)
		return;
	if (++p->depth > REGINFO_MAX_DEPTH) {
		stop(p, -E2BIG);
	} else if (p->depth == 1) {
		root_begin(p, name, a);
	} else if (p->depth == 2 && strcmp(name, NS "registration") == 0) {
		registration_begin(p, a);
	} else if (p->depth == 3 && p->in_registration && strcmp(name, NS "contact") == 0) {
		contact_begin(p, a);
	} else if (p->depth == 4 && p->in_contact && p->keep && strcmp(name, NS "uri") == 0) {
		p->in_uri = true;
		p->uri_begins = p->r->text.n;
	}
}

static void uri_end(struct reader *p)
{
	struct reginfo *r = p->r;
	struct sv uri = {r->text.p + p->uri_begins, r->text.n - p->uri_begins};

	r->contacts[r->n_contacts - 1].uri = sv_trim(uri);
	p->in_uri = false;
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct reader *p = arg;

	(void)name;
	if (p->err)
		return;
	if (p->depth == 4 && p->in_uri)
		uri_end(p);
	else if (p->depth == 3)
		p->in_contact = p->keep = false;
	else if (p->depth == 2)
		p->in_registration = false;
	p->depth--;
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int n)
{
	struct reader *p = arg;
	struct sv v = {text, (size_t)n};

	if (p->err || !p->in_uri || p->depth != 4)
		return;
	if (p->r->text.n - p->uri_begins + v.n > REGINFO_MAX_TEXT)
		stop(p, -E2BIG);
	else
		(void)keep(p, v);
}

/* No document of ours has a type, and entities can make a small one grow without end. */
static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
			       const XML_Char *public_id, int has_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	stop(arg, -EBADMSG);
}

static int read_all(struct reader *p, struct sv document)
{
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	if (XML_Parse(p->xml, document.p, (int)document.n, 1) == XML_STATUS_OK && !p->err)
		return p->root ? 0 : -EBADMSG;
	if (p->err)
		return p->err;
	return XML_GetErrorCode(p->xml) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG;
}

int reginfo_parse(struct reginfo **rp, struct sv document)
{
	struct reader p = {0};
	int err;

	if (document.n > REGINFO_MAX_LENGTH)
		return -E2BIG;
	if (document.n == 0)
		return -EBADMSG;
	p.r = malloc(sizeof(*p.r));
	p.xml = XML_ParserCreateNS("UTF-8", ' ');
	if (!p.r || !p.xml) {
		err = -ENOMEM;
	} else {
		memset(p.r, 0, offsetof(struct reginfo, store));
		p.r->text = sbuf_of(p.r->store, sizeof(p.r->store));
		err = read_all(&p, document);
	}
	if (p.xml)
		XML_ParserFree(p.xml);
	if (err) {
		free(p.r);
		return err;
	}
	*rp = p.r;
	return 0;
}

void reginfo_free(struct reginfo *r)
{
	free(r);
}
