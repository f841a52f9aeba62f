/* Documents written and read; what must be refused (RFC 3680 5). */
#include "control/reginfo/reginfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/test.h"

static int parse(struct reginfo **rp, const char *text)
{
	*rp = NULL;
	return reginfo_parse(rp, sv_of(text));
}

static void written_is_read(void **state)
{
	const struct sv aors[] = {SV("sip:a&b@home.net"), SV("tel:+49\"<1>")};
	char text[4096];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct reginfo *r;

	(void)state;
	reginfo_begin(&b, 4294967295u, true);
	for (unsigned i = 0; i < 2; i++) {
		reginfo_registration_begin(&b, aors[i], SV("r1"),
					   i ? REGINFO_TERMINATED : REGINFO_ACTIVE);
		for (unsigned e = 0; e < REGINFO_EVENTS; e++)
			reginfo_contact(&b,
					&(struct reginfo_contact){.id = SV("c"),
								  .uri = SV("sip:x@[2001::1]:5"
									    ";a=<&>"),
								  .active = i == 0,
								  .event = (enum reginfo_event)e,
								  .has_expires = e & 1,
								  .expires = 10 * e});
		reginfo_registration_end(&b);
	}
	reginfo_end(&b);
	assert_false(b.overflow);
	assert_int_equal(reginfo_parse(&r, sbuf_sv(&b)), 0);
	assert_true(r->full);
	assert_int_equal(r->version, 4294967295u);
	assert_int_equal(r->n_registrations, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct reginfo_registration *g = &r->registrations[i];

		assert_true(sv_eq(g->aor, aors[i]));
		assert_int_equal(g->state, i ? REGINFO_TERMINATED : REGINFO_ACTIVE);
		assert_int_equal(g->n, REGINFO_EVENTS);
		for (unsigned e = 0; e < g->n; e++) {
			const struct reginfo_contact *c = &r->contacts[g->first + e];

			assert_int_equal(c->event, e);
			assert_int_equal(c->active, i == 0);
			assert_int_equal(c->has_expires, e & 1);
			assert_int_equal(c->expires, e & 1 ? 10 * e : 0);
			assert_true(sv_eq(c->uri, SV("sip:x@[2001::1]:5;a=<&>")));
			assert_true(sv_eq(c->id, SV("c")));
		}
	}
	reginfo_free(r);
}

/* Octets that XML or UTF-8 cannot hold do not get out. */
static void written_is_well_formed(void **state)
{
	char raw[255], text[4096];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct reginfo *r;

	(void)state;
	for (unsigned i = 0; i < sizeof(raw); i++)
		raw[i] = (char)(i + 1);
	reginfo_begin(&b, 0, false);
	reginfo_registration_begin(&b, (struct sv){raw, sizeof(raw)}, SV("i"), REGINFO_INIT);
	reginfo_contact(&b, &(struct reginfo_contact){.uri = {raw, sizeof(raw)}});
	reginfo_registration_end(&b);
	reginfo_end(&b);
	assert_int_equal(reginfo_parse(&r, sbuf_sv(&b)), 0);
	assert_false(r->full);
	assert_true(sv_eq(r->registrations[0].aor, (struct sv){raw + 31, 95}));
	reginfo_free(r);
}

#define HEAD "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"1\" state=\"full\""
#define REG  "<registration aor=\"sip:a@b\" id=\"1\" state=\"active\">"

static void others_are_skipped(void **state)
{
	struct reginfo *r;

	(void)state;
	/* RFC 3680 5.4, with what RFC 5628 and vendors add */
	assert_int_equal(
		parse(&r,
		      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" HEAD " xmlns:g=\"urn:x\">"
		      "<g:registration aor=\"no\"/><other><contact/></other>" REG
		      "<contact id=\"7\" state=\"active\" event=\"teleported\"><uri>sip:no</uri>"
		      "</contact><contact id=\"8\" state=\"active\" event=\"shortened\" "
		      "expires=\"60\" callid=\"z\" cseq=\"9\" duration-registered=\"3\" q=\"0.8\">"
		      "<display-name>A &#x42;</display-name><uri>\n sip:a@1.2.3.4;x=&amp;"
		      "<b>not</b></uri><g:pub>sip:b<uri>no</uri></g:pub><unknown-param name=\"x\"/>"
		      "</contact></registration></reginfo>\n"),
		0);
	assert_int_equal(r->n_registrations, 1);
	assert_int_equal(r->n_contacts, 1);
	assert_int_equal(r->contacts[0].event, REGINFO_SHORTENED);
	assert_int_equal(r->contacts[0].expires, 60);
	assert_true(sv_eq(r->contacts[0].uri, SV("sip:a@1.2.3.4;x=&")));
	reginfo_free(r);
	assert_int_equal(parse(&r, HEAD "/>"), 0);
	assert_int_equal(r->n_registrations, 0);
	reginfo_free(r);
}

static void malformed(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"hello",
		"<reginfo/>",
		"<reginfo version=\"1\" state=\"full\"/>", /* no namespace */
		"<x xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"1\" state=\"full\"/>",
		"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" state=\"full\"/>",
		"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"-1\" state=\"full\"/>",
		"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"1\" state=\"new\"/>",
		HEAD ">",
		HEAD "></registration>",
		HEAD "/>" HEAD "/>",
		HEAD "><registration id=\"1\" state=\"active\"/></reginfo>",
		HEAD "><registration aor=\"sip:a\" id=\"1\" state=\"idle\"/></reginfo>",
		HEAD ">" REG "<contact id=\"1\" event=\"created\"/></registration></reginfo>",
		HEAD ">" REG "<contact id=\"1\" state=\"active\"/></registration></reginfo>",
		HEAD ">" REG "<contact state=\"active\" event=\"created\" expires=\"soon\"/>"
		     "</registration></reginfo>",
		HEAD ">" REG "<contact state=\"active\" event=\"created\" expires=\"4294967296\"/>"
		     "</registration></reginfo>",
		HEAD ">&undefined;</reginfo>",
		HEAD ">\x01</reginfo>",
		HEAD ">\xff</reginfo>",
		"<!DOCTYPE reginfo>" HEAD "/>",
		"<!DOCTYPE reginfo [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>" HEAD ">&b;"
		"</reginfo>",
		"<!DOCTYPE reginfo SYSTEM \"file:///etc/passwd\">" HEAD "/>",
	};
	struct reginfo *r;

	(void)state;
	for (unsigned i = 0; i < N_OF(texts); i++)
		if (parse(&r, texts[i]) != -EBADMSG)
			fail_msg("taken: %s", texts[i]);
}

/* A document of n times `each` inside of a registration or beside it. */
static int repeated(const char *before, const char *each, unsigned n, const char *after,
		    unsigned after_n)
{
	size_t cap = strlen(before) + n * strlen(each) + after_n * strlen(after) + 1;
	char *text = test_malloc(cap);
	struct sbuf b = sbuf_of(text, cap);
	struct reginfo *r = NULL;
	int err;

	sbuf_put(&b, sv_of(before));
	for (unsigned i = 0; i < n; i++)
		sbuf_put(&b, sv_of(each));
	for (unsigned i = 0; i < after_n; i++)
		sbuf_put(&b, sv_of(after));
	assert_false(b.overflow);
	err = reginfo_parse(&r, sbuf_sv(&b));
	reginfo_free(err ? NULL : r);
	test_free(text);
	return err;
}

static void limits(void **state)
{
	const char *contact = "<contact state=\"active\" event=\"created\"/>";

	(void)state;
	assert_int_equal(repeated(HEAD ">", REG "</registration>", REGINFO_MAX_REGISTRATIONS,
				  "</reginfo>", 1),
			 0);
	assert_int_equal(repeated(HEAD ">", REG "</registration>", REGINFO_MAX_REGISTRATIONS + 1,
				  "</reginfo>", 1),
			 -E2BIG);
	assert_int_equal(repeated(HEAD ">" REG, contact, REGINFO_MAX_CONTACTS,
				  "</registration></reginfo>", 1),
			 0);
	assert_int_equal(repeated(HEAD ">" REG, contact, REGINFO_MAX_CONTACTS + 1,
				  "</registration></reginfo>", 1),
			 -E2BIG);
	assert_int_equal(repeated(HEAD ">", "<a>", REGINFO_MAX_DEPTH, "</a>", REGINFO_MAX_DEPTH),
			 -E2BIG);
	assert_int_equal(repeated(HEAD "><registration state=\"init\" aor=\"", "a",
				  REGINFO_MAX_TEXT + 1, "\"/></reginfo>", 1),
			 -E2BIG);
	assert_int_equal(repeated(HEAD ">" REG "<contact state=\"active\" event=\"created\"><uri>",
				  "a<!-- -->", REGINFO_MAX_TEXT + 1,
				  "</uri></contact></registration></reginfo>", 1),
			 -E2BIG);
	assert_int_equal(repeated(HEAD ">", " ", REGINFO_MAX_LENGTH, "</reginfo>", 1), -E2BIG);
}

/* Every beginning of a good document, and every octet of it changed. */
static void damaged(void **state)
{
	const char good[] = HEAD ">" REG "<contact id=\"8\" state=\"active\" event=\"shortened\" "
				 "expires=\"60\"><uri>sip:a@1.2.3.4</uri></contact></registration>"
				 "</reginfo>";
	char text[sizeof(good)];
	struct reginfo *r;

	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++)
		assert_int_equal(reginfo_parse(&r, (struct sv){good, n}), -EBADMSG);
	for (size_t i = 0; i < sizeof(good) - 1; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(text, good, sizeof(good));
			text[i] ^= (char)(1u << bit);
			if (reginfo_parse(&r, (struct sv){text, sizeof(good) - 1}) == 0)
				reginfo_free(r);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_is_read),
		cmocka_unit_test(written_is_well_formed),
		cmocka_unit_test(others_are_skipped),
		cmocka_unit_test(malformed),
		cmocka_unit_test(limits),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
