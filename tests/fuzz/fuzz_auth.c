/* Reads any text as a challenge and as an answer; keys must never survive stripping. */
#include <assert.h>

#include "control/auth/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void strip(struct sv value)
{
	static char buf[65536], again[65536];
	struct sbuf out = sbuf_of(buf, sizeof(buf)), twice = sbuf_of(again, sizeof(again));
	struct auth_challenge c;
	struct auth_response r;

	if (auth_strip_keys(&out, value)) {
		if (auth_challenge_parse(&c, sbuf_sv(&out)) == 0)
			assert(!c.has_ik && !c.has_ck);
		assert(auth_strip_keys(&twice, sbuf_sv(&out)));
		assert(sv_eq(sbuf_sv(&out), sbuf_sv(&twice)));
	}
	out.n = 0;
	if (auth_strip_integrity(&out, value) && auth_response_parse(&r, sbuf_sv(&out)) == 0)
		assert(!r.integrity_protected.p);
}

static void challenge(struct sv value)
{
	struct auth_challenge c;
	struct auth_response r;
	struct auth_answer a = {
		.username = SV("u@example"),
		.realm = SV("example"),
		.uri = SV("sip:example"),
		.challenge = &c,
		.password = "pass",
		.password_len = 4,
		.cnonce = SV("abc"),
		.nc = 1,
		.method = SV("REGISTER"),
	};
	uint8_t rand[16], autn[16];
	static char buf[65536];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	if (auth_challenge_parse(&c, value))
		return;
	auth_aka_nonce(c.nonce, rand, autn);
	auth_answer_write(&b, &a);
	/* what a UE answers to a challenge that it understands, the network takes */
	if (!c.known_algorithm || !c.nonce.n || b.overflow)
		return;
	assert(auth_response_parse(&r, sbuf_sv(&b)) == 0);
	assert(auth_response_check(&r, SV("REGISTER"), SV(""), "pass", 4));
	assert(!auth_response_check(&r, SV("REGISTER"), SV(""), "pasS", 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv value = {(const char *)data, size};
	struct auth_response r;

	if (size > 30000)
		return 0;
	if (auth_response_parse(&r, value) == 0)
		auth_response_check(&r, SV("REGISTER"), SV("body"), "pass", 4);
	challenge(value);
	strip(value);
	return 0;
}
