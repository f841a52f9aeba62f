/* Reads any text as a reginfo document; what was read is written and read again, and is the same.
 */
#include <assert.h>

#include "control/reginfo/reginfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct reginfo *r, struct sbuf *b)
{
	reginfo_begin(b, r->version, r->full);
	for (unsigned i = 0; i < r->n_registrations; i++) {
		const struct reginfo_registration *g = &r->registrations[i];

		assert(g->first + g->n <= r->n_contacts && g->aor.n <= REGINFO_MAX_TEXT);
		reginfo_registration_begin(b, g->aor, SV("x"), g->state);
		for (unsigned k = 0; k < g->n; k++)
			reginfo_contact(b, &r->contacts[g->first + k]);
		reginfo_registration_end(b);
	}
	reginfo_end(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 20];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct reginfo *r, *again;

	if (reginfo_parse(&r, (struct sv){(const char *)data, size}) < 0)
		return 0;
	write_again(r, &b);
	assert(!b.overflow);
	/* an aor of characters that no URI has comes out empty */
	if (b.n <= REGINFO_MAX_LENGTH && reginfo_parse(&again, sbuf_sv(&b)) == 0) {
		assert(again->version == r->version && again->full == r->full);
		assert(again->n_registrations == r->n_registrations);
		assert(again->n_contacts == r->n_contacts);
		for (unsigned i = 0; i < r->n_contacts; i++) {
			assert(again->contacts[i].event == r->contacts[i].event);
			assert(again->contacts[i].expires == r->contacts[i].expires);
		}
		reginfo_free(again);
	}
	reginfo_free(r);
	return 0;
}
