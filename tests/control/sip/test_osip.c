/*
 * Whatever both our scanner and GNU oSIP take, both must read alike: start line, field names and
 * values, addresses, Via, body. The corpus is read as it is and with thousands of seeded mutations.
 */
#include <ctype.h>
#include <osipparser2/osip_parser.h>
#include <stdlib.h>

#include "control/sip/msg.h"
#include "tests/support/test.h"

#define MUTATIONS 4000 /* per message */
#define TEXT_MAX  4096

#define HEAD(method)                                                                               \
	"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa;rport\r\n"                                \
	"Max-Forwards: 70\r\n"                                                                     \
	"From: \"A, B\" <sip:a@example.org>;tag=f1\r\n"                                            \
	"To: <sip:b@example.org:5070;user=phone>\r\n"                                              \
	"Call-ID: c1@192.0.2.1\r\n"                                                                \
	"CSeq: 42 " method "\r\n"

static const char *const corpus[] = {
	"REGISTER sip:ims.example.org SIP/2.0\r\n"
	"Via: SIP/2.0/UDP [2001:db8::7]:31001;branch=z9hG4bK77a0;rport\r\n"
	"Max-Forwards: 70\r\nRoute: <sip:pcscf.example.org:5062;lr>, <sip:two.example.org;lr>\r\n"
	"From: <sip:+4930123@ims.example.org>;tag=f1\r\nTo: <sip:+4930123@ims.example.org>\r\n"
	"Call-ID: c1@ue\r\nCSeq: 7 REGISTER\r\n"
	"Contact: "
	"<sip:ue@[2001:db8::7]:31002>;+sip.instance=\"<urn:gsma:imei:1>\";expires=600000\r\n"
	"Authorization: Digest "
	"username=\"u@ims.example.org\",realm=\"ims.example.org\",nonce=\"\",uri=\"sip:ims.example."
	"org\",response=\"\"\r\n"
	"Security-Client: "
	"ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4096;spi-s=4097;port-c=31001;port-s="
	"31002\r\n"
	"Require: sec-agree\r\nProxy-Require: sec-agree\r\nSupported: path, gruu\r\n"
	"P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010019B01\r\n"
	"Content-Length: 0\r\n\r\n",
	"SIP/2.0 401 Unauthorized\r\n" HEAD(
		"REGISTER") "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", "
			    "algorithm=AKAv1-MD5, qop=\"auth\"\r\n"
			    "Security-Server: "
			    "ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;spi-c=1000;spi-s=1001;port-c=1;"
			    "port-s=2\r\n"
			    "Content-Length: 0\r\n\r\n",
	"SIP/2.0 200 OK\r\n" HEAD(
		"REGISTER") "Service-Route: "
			    "<sip:orig@scscf.example.org:5060;lr>\r\nP-Associated-URI: "
			    "<sip:a@example.org>, <tel:+4930>\r\n"
			    "Contact: <sip:ue@192.0.2.7:31002>;expires=3600\r\nPath: "
			    "<sip:term@pcscf.example.org;lr>\r\n\r\n",
	"INVITE sip:b@example.org;user=phone SIP/2.0\r\n"
	"Via: SIP/2.0/TCP first.example.org;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP "
	"second.example.org:5070;branch=z9hG4bK2;received=192.0.2.9\r\n"
	"From: sip:a@example.org;tag=1\r\nTo: sip:b@example.org;tag=2\r\nCall-ID: x\r\nCSeq: 0009 "
	"INVITE\r\n"
	"Record-Route: <sip:p1.example.org;lr>,<sip:p2.example.org;lr>\r\nSubject: one\r\n two\r\n"
	"X-Odd: ;;,,;;,;\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
	"MESSAGE tel:+4930123 SIP/2.0\r\n"
	"v: SIP/2.0/UDP h;branch=z9hG4bKz\r\nf: \"Q\\\"uoted\" <tel:+49-30>;tag=9\r\nt: "
	"<sip:b@h>\r\ni: short\r\nCSeq: 1 MESSAGE\r\n"
	"k: 100rel\r\nc: text/plain\r\nl: 2\r\n\r\nhi",
	"NOTIFY sip:ue@192.0.2.7 SIP/2.0\r\n" HEAD(
		"NOTIFY") "Event: reg\r\nSubscription-State: "
			  "active;expires=600\r\nP-Asserted-Identity: "
			  "<sip:scscf.example.org>\r\n\r\n",
};

/* What makes parsers differ, where it may hurt. */
static const char salt[] = "\r\n \t:;,<>@\"\\=?/[]%*.0aZ~\x7f\x80";

/* ---- both readings as comparable text ------------------------------------------------------ */

struct text {
	char p[4 * TEXT_MAX];
	size_t n;
};

static void put(struct text *t, const char *p, size_t n)
{
	assert_true(n < sizeof(t->p) - t->n);
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

static void put_z(struct text *t, const char *p)
{
	put(t, p ? p : "", p ? strlen(p) : 0);
	put(t, "|", 1);
}

static void put_sv(struct text *t, struct sv v)
{
	put(t, v.p ? v.p : "", v.n);
	put(t, "|", 1);
}

/* oSIP joins folds and splits lists: neither blanks nor commas are compared. */
static void put_squeezed(struct text *t, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\r\n,", p[i]))
			put(t, p + i, 1);
}

static bool name_is(const char *a, struct sv b)
{
	return strlen(a) == b.n && strncasecmp(a, b.p, b.n) == 0;
}

/* All values of one name, one after the other: from oSIP's list of fields that it does not know
 * better ... */
static void put_theirs(struct text *t, const osip_message_t *o, struct sv name)
{
	osip_header_t *h;

	for (int i = 0; osip_message_get_header(o, i, &h) >= 0; i++)
		if (h->hname && name_is(h->hname, name) && h->hvalue)
			put_squeezed(t, h->hvalue, strlen(h->hvalue));
}

/* ... and from ours. */
static void put_ours(struct text *t, const struct sip_msg *m, struct sv name)
{
	for (unsigned i = 0; i < m->n; i++)
		if (sv_caseeq(m->h[i].name, name))
			put_squeezed(t, m->h[i].value.p, m->h[i].value.n);
}

static void assert_same(const char *what, const struct text *ours, const struct text *theirs,
			const struct sip_msg *m)
{
	if (ours->n != theirs->n || memcmp(ours->p, theirs->p, ours->n) != 0)
		fail_msg("%s: we read \"%s\", oSIP \"%s\" in:\n%.*s", what, ours->p, theirs->p,
			 SV_ARG(m->raw));
}

/* ---- the parts ------------------------------------------------------------------------------ */

/* oSIP undoes escapes, parts a password from its user and drops an empty user: such URIs are not
 * compared. */
static bool put_uris(struct text *ours, struct text *theirs, struct sv uri, const osip_uri_t *o)
{
	char port[8];
	struct sip_uri u;

	if (sip_uri_parse(&u, uri) || !u.host.n || memchr(uri.p, '%', uri.n) ||
	    (u.user.n && memchr(u.user.p, ':', u.user.n)))
		return false;
	put_sv(ours, u.host);
	put_sv(ours, u.user);
	snprintf(port, sizeof(port), "%u", u.port);
	put_z(ours, port);
	put_z(theirs, o->host);
	put_z(theirs, o->username);
	snprintf(port, sizeof(port), "%lu", o->port ? strtoul(o->port, NULL, 10) : 0);
	put_z(theirs, port);
	return true;
}

static void compare_start(const struct sip_msg *m, const osip_message_t *o)
{
	static struct text ours, theirs;
	char status[8];

	ours.n = theirs.n = 0;
	assert_int_equal(m->request, MSG_IS_REQUEST(o) != 0);
	if (m->request) {
		put_sv(&ours, m->method_name);
		put_z(&theirs, o->sip_method);
		put_uris(&ours, &theirs, m->uri, o->req_uri);
	} else {
		snprintf(status, sizeof(status), "%u", m->status);
		put_z(&ours, status);
		snprintf(status, sizeof(status), "%d", o->status_code);
		put_z(&theirs, status);
		put_sv(&ours, m->reason);
		put_z(&theirs, o->reason_phrase);
	}
	assert_same("start line", &ours, &theirs, m);
}

static void compare_ids(const struct sip_msg *m, const osip_message_t *o)
{
	static struct text ours, theirs;
	osip_generic_param_t *tag = NULL;
	char number[16];

	ours.n = theirs.n = 0;
	put_sv(&ours, m->call_id);
	put(&theirs, o->call_id->number, strlen(o->call_id->number));
	if (o->call_id->host) {
		put(&theirs, "@", 1);
		put(&theirs, o->call_id->host, strlen(o->call_id->host));
	}
	put(&theirs, "|", 1);
	snprintf(number, sizeof(number), "%u", m->cseq);
	put_z(&ours, number);
	snprintf(number, sizeof(number), "%lu", strtoul(o->cseq->number, NULL, 10));
	put_z(&theirs, number);
	put_sv(&ours, m->from_tag);
	osip_generic_param_get_byname(&o->from->gen_params, (char[]){"tag"}, &tag);
	put_z(&theirs, tag ? tag->gvalue : NULL);
	put_sv(&ours, m->to_tag);
	tag = NULL;
	osip_generic_param_get_byname(&o->to->gen_params, (char[]){"tag"}, &tag);
	put_z(&theirs, tag ? tag->gvalue : NULL);
	assert_same("Call-ID, CSeq, tags", &ours, &theirs, m);
}

static void compare_vias(const struct sip_msg *m, const osip_message_t *o)
{
	static struct text ours, theirs;
	struct sip_list l = {.msg = m, .id = SIP_HDR_VIA};
	osip_generic_param_t *branch;
	char port[8];
	osip_via_t *ov;
	struct sip_via v;
	struct sv e;

	ours.n = theirs.n = 0;
	while (sip_list_walk(&l, &e)) {
		if (sip_via_parse(&v, e))
			return; /* a lower Via is not ours to judge */
		put_sv(&ours, v.transport);
		put_sv(&ours, v.host);
		snprintf(port, sizeof(port), "%u", v.port);
		put_z(&ours, port);
		put_sv(&ours, v.branch);
	}
	for (int i = 0; osip_message_get_via(o, i, &ov) >= 0; i++) {
		put_z(&theirs, ov->protocol);
		put_z(&theirs, ov->host);
		snprintf(port, sizeof(port), "%lu", ov->port ? strtoul(ov->port, NULL, 10) : 0);
		put_z(&theirs, port);
		branch = NULL;
		osip_via_param_get_byname(ov, (char[]){"branch"}, &branch);
		put_z(&theirs, branch ? branch->gvalue : NULL);
	}
	assert_same("Via", &ours, &theirs, m);
}

static void compare_addresses(const struct sip_msg *m, const osip_message_t *o)
{
	static struct text ours, theirs;
	const osip_from_t *const them[] = {o->from, o->to};
	const enum sip_hdr ids[] = {SIP_HDR_FROM, SIP_HDR_TO};
	struct sip_addr a;

	for (int i = 0; i < 2; i++) {
		ours.n = theirs.n = 0;
		assert_int_equal(sip_addr_parse(&a, sip_msg_value(m, ids[i])), 0);
		if (put_uris(&ours, &theirs, a.uri, them[i]->url))
			assert_same(i ? "To" : "From", &ours, &theirs, m);
	}
}

/* Fields that oSIP keeps as text. */
static void compare_fields(const struct sip_msg *m, const osip_message_t *o)
{
	static struct text ours, theirs;
	osip_header_t *h;

	for (int i = 0; osip_message_get_header(o, i, &h) >= 0; i++) {
		struct sv name = sv_of(h->hname);

		ours.n = theirs.n = 0;
		put_ours(&ours, m, name);
		put_theirs(&theirs, o, name);
		assert_same(h->hname, &ours, &theirs, m);
	}
}

static void compare_body(const struct sip_msg *m, const osip_message_t *o)
{
	osip_body_t *b = NULL;

	if (o->mime_version || !o->content_length || osip_message_get_body(o, 0, &b) < 0 || !b)
		return;
	if (b->length != m->body.n || memcmp(b->body, m->body.p, b->length) != 0)
		fail_msg("body: %zu octets and %zu in:\n%.*s", m->body.n, b->length,
			 SV_ARG(m->raw));
}

/* Both take it? Then compare. */
static bool compare(const char *p, size_t n)
{
	static struct sip_msg m;
	osip_message_t *o;
	bool both;

	assert_int_equal(osip_message_init(&o), 0);
	both = sip_msg_parse(&m, (struct sv){p, n}) == 0 && osip_message_parse(o, p, n) == 0;
	if (both) {
		compare_start(&m, o);
		compare_ids(&m, o);
		compare_vias(&m, o);
		compare_addresses(&m, o);
		compare_fields(&m, o);
		compare_body(&m, o);
	}
	osip_message_free(o);
	return both;
}

static size_t mutate(char *p, size_t n, struct test_random *r)
{
	unsigned edits = 1 + test_random_below(r, 2);

	for (unsigned i = 0; i < edits; i++) {
		size_t at = test_random_below(r, (uint32_t)n);
		char c = salt[test_random_below(r, sizeof(salt) - 1)];

		switch (test_random_below(r, 3)) {
		case 0:
			p[at] = c;
			break;
		case 1:
			memmove(p + at, p + at + 1, n - at - 1);
			n--;
			break;
		default:
			memmove(p + at + 1, p + at, n - at);
			p[at] = c;
			n++;
			break;
		}
	}
	return n;
}

static void test_corpus(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(corpus); i++)
		if (!compare(corpus[i], strlen(corpus[i])))
			fail_msg("not taken by both: %s", corpus[i]);
}

static void test_mutations(void **state)
{
	struct test_random r = {4475};
	unsigned both = 0;

	(void)state;
	for (size_t i = 0; i < N_OF(corpus); i++)
		for (unsigned k = 0; k < MUTATIONS; k++) {
			char text[TEXT_MAX];
			size_t n = strlen(corpus[i]);

			memcpy(text, corpus[i], n);
			n = mutate(text, n, &r);
			both += compare(text, n);
		}
	/* the comparison is worth something only if most of them get there */
	assert_true(both > MUTATIONS * N_OF(corpus) / 4);
}

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *fmt,
		     va_list ap)
{
	(void)file;
	(void)line;
	(void)level;
	(void)fmt;
	(void)ap;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_mutations),
	};

	parser_init();
	osip_trace_initialize_func(TRACE_LEVEL0, no_trace);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
