#include <string.h>

#include "crypto/aka.h"
#include "crypto/milenage.h"
#include "tests/support/vectors.h"

static void f_check(const json_t *v, const char *name, const uint8_t *got, size_t n)
{
	uint8_t expected[16];

	vectors_octets(expected, n, v, name);
	if (memcmp(got, expected, n) != 0)
		fail_msg("%s: %s differs", vectors_id(v), name);
}

static void key_read(struct milenage_key *key, const json_t *v)
{
	uint8_t op[16];

	vectors_octets(key->k, 16, v, "k");
	vectors_octets(op, 16, v, "op");
	milenage_opc(key->opc, key->k, op);
	f_check(v, "opc", key->opc, 16);
}

static void functions_check(const json_t *v)
{
	uint8_t rand[16], sqn[6], amf[2], mac_a[8], mac_s[8], res[8], ck[16], ik[16], ak[6],
		ak_s[6];
	struct milenage_key key;

	key_read(&key, v);
	vectors_octets(rand, 16, v, "rand");
	vectors_octets(sqn, 6, v, "sqn");
	vectors_octets(amf, 2, v, "amf");
	milenage_f1(&key, rand, sqn, amf, mac_a, mac_s);
	milenage_f2345(&key, rand, res, ck, ik, ak, ak_s);
	f_check(v, "f1", mac_a, 8);
	f_check(v, "f1s", mac_s, 8);
	f_check(v, "f2", res, 8);
	f_check(v, "f3", ck, 16);
	f_check(v, "f4", ik, 16);
	f_check(v, "f5", ak, 6);
	f_check(v, "f5s", ak_s, 6);
}

/* Each output alone is the one we get together with the others. */
static void single_outputs_check(const json_t *v)
{
	uint8_t rand[16], sqn[6], amf[2], out[16];
	struct milenage_key key;

	key_read(&key, v);
	vectors_octets(rand, 16, v, "rand");
	vectors_octets(sqn, 6, v, "sqn");
	vectors_octets(amf, 2, v, "amf");
	milenage_f1(&key, rand, sqn, amf, NULL, out);
	f_check(v, "f1s", out, 8);
	milenage_f2345(&key, rand, NULL, NULL, NULL, NULL, out);
	f_check(v, "f5s", out, 6);
	milenage_f2345(&key, rand, NULL, out, NULL, NULL, NULL);
	f_check(v, "f3", out, 16);
	milenage_f2345(&key, rand, NULL, NULL, NULL, NULL, NULL);
	milenage_f1(&key, rand, sqn, amf, NULL, NULL);
}

/* covers: AK-03 */
static void functions_of_ts_35208(void **state)
{
	json_t *file = vectors_open("milenage.json", "ims-aka"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "ts35208"), i, v)
	{
		functions_check(v);
		single_outputs_check(v);
	}
	json_decref(file);
}

/* covers: AK-03 */
static void functions_of_random_keys(void **state)
{
	json_t *file = vectors_open("milenage.json", "ims-aka"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "random"), i, v) functions_check(v);
	json_decref(file);
}

/* covers: AK-01, AK-03 */
static void authentication_vectors(void **state)
{
	json_t *file = vectors_open("milenage.json", "ims-aka"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "random"), i, v)
	{
		uint8_t rand[16], sqn[6], amf[2];
		struct milenage_key key;
		struct aka_vector av;
		uint64_t sqn_number = 0;

		key_read(&key, v);
		vectors_octets(rand, 16, v, "rand");
		vectors_octets(sqn, 6, v, "sqn");
		vectors_octets(amf, 2, v, "amf");
		for (unsigned k = 0; k < 6; k++)
			sqn_number = sqn_number * 256 + sqn[k];
		aka_vector_make(&av, &key, amf, sqn_number, rand);
		assert_memory_equal(av.rand, rand, 16);
		f_check(v, "autn", av.autn, 16);
		f_check(v, "f2", av.xres, 8);
		f_check(v, "f3", av.ck, 16);
		f_check(v, "f4", av.ik, 16);
		assert_memory_equal(av.autn + 6, amf, 2);
	}
	json_decref(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_of_ts_35208),
		cmocka_unit_test(functions_of_random_keys),
		cmocka_unit_test(authentication_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
