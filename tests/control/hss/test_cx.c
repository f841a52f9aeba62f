/* The HSS's answers on Cx. */
#include "tests/control/hss/harness.h"

static int setup(void **state)
{
	struct hss *h = h_open(":memory:", 32);

	h_add(h, 0);
	h_add(h, 1);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	hss_free(*state);
	return 0;
}

/* Whoever asks for identities that do not exist or do not belong together learns that and no more.
 */
static void test_identities(void **state)
{
	static const enum cx_command with_impi[] = {CX_UAR, CX_MAR, CX_SAR};
	static const struct {
		const char *impi, *impu;
		enum cx_result result;
	} cases[] = {
		{H_IMPI, H_IMPU, CX_SUCCESS},
		{H_IMPI, H_TEL, CX_SUCCESS},
		{"nobody@home.net", H_IMPU, CX_USER_UNKNOWN},
		{"", "", CX_USER_UNKNOWN},
		{H_IMPI, "sip:name1@home.net", CX_IDENTITIES_DONT_MATCH},
		{H_IMPI, "sip:nobody@home.net", CX_IDENTITIES_DONT_MATCH},
		{H_IMPI, "", CX_IDENTITIES_DONT_MATCH},
		{"Alice@home.net", H_IMPU, CX_USER_UNKNOWN},
		{"' OR 1=1 --", H_IMPU, CX_USER_UNKNOWN},
	};
	struct h_answer a;

	for (unsigned c = 0; c < N_OF(with_impi); c++)
		for (unsigned i = 0; i < N_OF(cases); i++) {
			const struct cx_request r = {.command = with_impi[c],
						     .impi = sv_of(cases[i].impi),
						     .impu = sv_of(cases[i].impu),
						     .scscf = H_SCSCF,
						     .n_vectors = 1,
						     .put = CX_REGISTERED};

			h_ask(*state, &r, &a);
			assert_int_equal(a.result, cases[i].result);
			if (a.result != CX_SUCCESS)
				assert_int_equal(a.n_vectors + a.n_impus + strlen(a.scscf), 0);
		}
}

static void test_too_long(void **state)
{
	char text[1000];
	struct cx_request r = {.impi = {text, sizeof(text)}, .impu = {text, sizeof(text)}};
	struct h_answer a;

	memset(text, 'a', sizeof(text));
	for (r.command = CX_UAR; r.command <= CX_SAR; r.command++) {
		h_ask(*state, &r, &a);
		assert_int_equal(a.result, CX_USER_UNKNOWN);
	}
	/* an S-CSCF's name that does not fit is not cut */
	r = (struct cx_request){.command = CX_MAR,
				.impi = SV(H_IMPI),
				.impu = SV(H_IMPU),
				.scscf = {text, sizeof(text)},
				.n_vectors = 1};
	h_ask(*state, &r, &a);
	assert_int_equal(a.result, CX_UNABLE);
	assert_int_equal(a.n_vectors, 0);
	r.command = CX_SAR;
	r.put = CX_REGISTERED;
	h_ask(*state, &r, &a);
	assert_int_equal(a.result, CX_UNABLE);
}

/* covers: AK-03 */
static void test_vector(void **state)
{
	struct milenage_key key;
	struct sqn_array sqn = {0};
	struct aka_answer card;
	struct aka_vector again;
	struct h_answer a;

	h_key(&key, 0);
	h_mar(*state, 0, 1, &a);
	assert_int_equal(a.result, CX_SUCCESS);
	assert_int_equal(a.n_vectors, 1);
	assert_string_equal(a.impi, H_IMPI);
	assert_memory_equal(a.vectors[0].autn + 6, "\x80\x5a", 2); /* the AMF as configured */
	aka_vector_make(&again, &key, (const uint8_t *)"\x80\x5a", h_sqn(&a.vectors[0], 0),
			a.vectors[0].rand);
	assert_memory_equal(&again, &a.vectors[0], sizeof(again));
	assert_int_equal(aka_card_answer(&card, &key, &sqn, a.vectors[0].rand, a.vectors[0].autn),
			 AKA_OK);
	assert_memory_equal(card.res, a.vectors[0].xres, sizeof(card.res));
}

/* covers: AK-01 */
static void test_wrong_key(void **state)
{
	struct milenage_key key;
	struct sqn_array sqn = {0};
	struct aka_answer card;
	struct h_answer a;

	h_key(&key, 0);
	h_mar(*state, 0, 1, &a);
	for (unsigned bit = 0; bit < 128; bit++) {
		key.k[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
			aka_card_answer(&card, &key, &sqn, a.vectors[0].rand, a.vectors[0].autn),
			AKA_MAC_FAILURE);
		key.k[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void test_many_vectors(void **state)
{
	static const struct {
		unsigned asked, given;
	} cases[] = {
		{0, 1}, {1, 1}, {3, 3}, {CX_MAX_VECTORS, CX_MAX_VECTORS}, {1000, CX_MAX_VECTORS}};
	struct h_answer a;
	uint64_t last = 0;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		h_mar(*state, 0, cases[i].asked, &a);
		assert_int_equal(a.n_vectors, cases[i].given);
		for (unsigned v = 0; v < a.n_vectors; v++) {
			uint64_t sqn = h_sqn(&a.vectors[v], 0);

			/* in order, and each under the next IND */
			assert_true(sqn >> SQN_IND_BITS > last >> SQN_IND_BITS);
			assert_int_equal((sqn ^ (last + 1)) & (SQN_INDS - 1), 0);
			last = sqn;
			for (unsigned w = 0; w < v; w++)
				assert_memory_not_equal(a.vectors[v].rand, a.vectors[w].rand, 16);
		}
	}
}

static void sar(struct hss *h, const char *impu, enum cx_registration put, struct sv scscf,
		struct h_answer *a)
{
	const struct cx_request r = {.command = CX_SAR,
				     .impi = SV(H_IMPI),
				     .impu = sv_of(impu),
				     .scscf = scscf,
				     .put = put};

	h_ask(h, &r, a);
}

static void location(struct hss *h, const char *impu, struct h_answer *a)
{
	const struct cx_request r = {.command = CX_LIR, .impu = sv_of(impu)};

	h_ask(h, &r, a);
}

/* covers: F24 */
static void test_registration(void **state)
{
	struct h_answer a;

	assert_int_equal(h_flag(*state, 0), CX_NOT_REGISTERED);
	location(*state, H_TEL, &a);
	assert_int_equal(a.result, CX_SUCCESS);
	assert_string_equal(a.scscf, "");

	h_mar(*state, 0, 1, &a);
	assert_int_equal(a.flag, CX_NOT_REGISTERED);
	assert_int_equal(h_flag(*state, 0), CX_PENDING);
	location(*state, H_IMPU, &a);
	assert_string_equal(a.scscf, "sip:scscf.home.net"); /* so the second REGISTER finds it */

	sar(*state, H_TEL, CX_REGISTERED, H_SCSCF, &a);
	assert_int_equal(a.result, CX_SUCCESS);
	assert_int_equal(a.flag, CX_PENDING);
	assert_int_equal(a.n_impus, 2);
	assert_string_equal(a.impus[0], H_IMPU); /* the default first */
	assert_string_equal(a.impus[1], H_TEL);
	location(*state, H_IMPU, &a);
	assert_int_equal(a.flag, CX_REGISTERED);
	h_mar(*state, 0, 1, &a); /* a challenge does not touch a registration */
	assert_int_equal(h_flag(*state, 0), CX_REGISTERED);
	assert_int_equal(h_flag(*state, 1), CX_NOT_REGISTERED);

	sar(*state, H_IMPU, CX_UNREGISTERED, H_SCSCF, &a);
	location(*state, H_TEL, &a);
	assert_int_equal(a.flag, CX_UNREGISTERED);
	assert_string_equal(a.scscf, "sip:scscf.home.net");

	sar(*state, H_IMPU, CX_NOT_REGISTERED, H_SCSCF, &a);
	location(*state, H_TEL, &a);
	assert_int_equal(a.flag, CX_NOT_REGISTERED);
	assert_string_equal(a.scscf, "");
	location(*state, "sip:nobody@home.net", &a);
	assert_int_equal(a.result, CX_USER_UNKNOWN);
}

/* Another S-CSCF may take a user over, but not give up one that it does not have. */
static void test_two_scscfs(void **state)
{
	struct h_answer a;

	sar(*state, H_IMPU, CX_REGISTERED, H_SCSCF, &a);
	sar(*state, H_IMPU, CX_NOT_REGISTERED, SV("sip:other.net"), &a);
	assert_int_equal(a.result, CX_UNABLE);
	assert_int_equal(h_flag(*state, 0), CX_REGISTERED);
	sar(*state, H_IMPU, CX_REGISTERED, SV("sip:other.net"), &a);
	location(*state, H_IMPU, &a);
	assert_string_equal(a.scscf, "sip:other.net");
	sar(*state, H_IMPU, CX_NOT_REGISTERED, H_SCSCF, &a);
	assert_int_equal(h_flag(*state, 0), CX_REGISTERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_identities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vector, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_scscfs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
