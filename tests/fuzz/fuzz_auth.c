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

/* What the network says of such an answer, the UE takes; and a UE with another password does not.
 */
static void proof(const struct auth_response *r, struct auth_answer *a)
{
	const struct digest_input in = {
		.algorithm = r->algorithm, .username = r->username, .realm = r->realm};
	char ha1[DIGEST_HEX], rspauth[DIGEST_HEX];
	static char buf[65536];
	struct sbuf b = sbuf_of(buf, sizeof(buf));
	struct auth_info info = {.qop_value = r->qop_value, .cnonce = r->cnonce, .nc = r->nc};

	digest_ha1(ha1, &in, "pass", 4);
	auth_response_rspauth(rspauth, r, SV("x"), ha1);
	info.rspauth = sv_of(rspauth);
	auth_info_write(&b, &info);
	assert(auth_info_parse(&info, sbuf_sv(&b)) == 0);
	assert(auth_info_check(&info, a, SV("x")));
	a->password = "pasS";
	assert(!auth_info_check(&info, a, SV("x")));
}

static void info(struct sv value)
{
	struct auth_challenge c = {.realm = SV("r"), .nonce = SV("n"), .known_algorithm = true};
	struct auth_answer a = {.challenge = &c, .cnonce = SV("abc"), .nc = 1};
	static char buf[65536];
	struct sbuf b = sbuf_of(buf, sizeof(buf));
	struct auth_info i, again;

	if (auth_info_parse(&i, value))
		return;
	c.qop_auth = i.qop_value == DIGEST_QOP_AUTH;
	auth_info_check(&i, &a, SV(""));
	auth_info_write(&b, &i);
	assert(auth_info_parse(&again, sbuf_sv(&b)) == 0);
	assert(sv_eq(i.rspauth, again.rspauth) && sv_eq(i.nextnonce, again.nextnonce));
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
	proof(&r, &a);
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
	info(value);
	strip(value);
	return 0;
}
