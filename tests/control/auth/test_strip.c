#include "control/auth/auth.h"
#include "tests/support/test.h"

#define KEY "00112233445566778899aabbccddeeff"

static void check(bool (*strip)(struct sbuf *, struct sv), const char *value, const char *want)
{
	char buf[512];
	struct sbuf b = sbuf_of(buf, sizeof(buf));
	bool ok = strip(&b, sv_of(value));

	if (ok != (want != NULL) || (ok && !sv_eq(sbuf_sv(&b), sv_of(want))))
		fail_msg("%s gave %.*s", value, (int)b.n, b.p);
	assert_false(!ok && b.n);
}

/* Any order, place, spacing, letter case, quoted or not. covers: F32, AK-05 */
static void test_keys(void **state)
{
	static const char *const gone[] = {
		"Digest ik=\"" KEY "\",ck=\"" KEY "\",realm=\"r\",nonce=\"n\"",
		"Digest ck=\"" KEY "\",ik=\"" KEY "\",realm=\"r\",nonce=\"n\"",
		"Digest realm=\"r\",ik=\"" KEY "\",nonce=\"n\",ck=\"" KEY "\"",
		"Digest realm=\"r\",ik=\"" KEY "\",ck=\"" KEY "\",nonce=\"n\"",
		"Digest realm=\"r\",nonce=\"n\",ck=\"" KEY "\",ik=\"" KEY "\"",
		"Digest  realm=\"r\" , nonce=\"n\" , IK = \"" KEY "\" , Ck\r\n =\r\n\t" KEY " ",
		"Digest realm=\"r\",nonce=\"n\",ik=" KEY ",ck=short",
		"Digest realm=\"r\",,nonce=\"n\",ik=\"" KEY "\",,ck=\"" KEY "\",",
		"Digest realm=\"r\",nonce=\"n\",ik=\"" KEY "\",ik=\"" KEY "\",ck=\"a\\\"b\"",
		"Digest realm=\"r\",nonce=\"n\"",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(gone); i++)
		check(auth_strip_keys, gone[i], "Digest realm=\"r\", nonce=\"n\"");
}

/* What only looks like a key stays. */
static void test_others_stay(void **state)
{
	(void)state;
	check(auth_strip_keys, "Digest realm=\"x, ik=\\\"" KEY "\\\"\",xik=1,ck-=2,nonce=\"ck=1\"",
	      "Digest realm=\"x, ik=\\\"" KEY "\\\"\", xik=1, ck-=2, nonce=\"ck=1\"");
	check(auth_strip_keys, "Digest realm=r,integrity-protected=yes",
	      "Digest realm=r, integrity-protected=yes");
}

/* A value that cannot be read does not pass: a key may be in there. */
static void test_fails_closed(void **state)
{
	static const char *const bad[] = {
		"",
		"Digest",
		"Digest ik=\"" KEY "\"", /* nothing left */
		"Digest realm=\"r\" ik=\"" KEY "\"",
		"Digest realm=\"r\";ik=\"" KEY "\"",
		"Digest realm=\"r,ik=\"" KEY "\"",
		"Digest realm=\"r\",ik=\"" KEY,
		"Digest realm=\"r\",ik",
		"Digest realm=\"r\",nonce=\"n\", Digest ik=\"" KEY "\"",
		"realm=\"r\",ik=\"" KEY "\"",
	};
	char small[20];
	struct sbuf b = sbuf_of(small, sizeof(small));

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		check(auth_strip_keys, bad[i], NULL);
	assert_false(auth_strip_keys(&b, SV("Digest realm=\"too long for it\",nonce=\"n\"")));
	assert_int_equal(b.n, 0);
}

/* covers: IN-05 */
static void test_integrity(void **state)
{
	static const char *const gone[] = {
		"Digest username=\"u\",integrity-protected=\"yes\",uri=\"x\"",
		"Digest integrity-protected=yes,username=\"u\",uri=\"x\"",
		"Digest username=\"u\",uri=\"x\", INTEGRITY-Protected = \"yes\"",
		"Digest "
		"username=\"u\",integrity-protected=\"no\",integrity-protected=\"yes\",uri=\"x\"",
		"Digest username=\"u\",uri=\"x\"",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(gone); i++)
		check(auth_strip_integrity, gone[i], "Digest username=\"u\", uri=\"x\"");
	check(auth_strip_integrity, "Digest username=\"u\" integrity-protected=yes", NULL);
	check(auth_strip_integrity, "Digest username=\"integrity-protected=yes\"",
	      "Digest username=\"integrity-protected=yes\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_others_stay),
		cmocka_unit_test(test_fails_closed),
		cmocka_unit_test(test_integrity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
