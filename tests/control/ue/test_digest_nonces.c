/* SIP Digest at the UE over more than one run: refreshes, nonce counts, stale nonces. */
#include "tests/control/ue/registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* covers: DF-09 */
static void stale_nonce_is_answered_anew(void **state)
{
	static const char *const stale[] = {"stale=true", "stale=TRUE", "stale=\"True\""};
	struct registrar_params p = {.qop = "auth"};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct h *h = registrar_start();
		char text[128], first[64];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		registrar_challenge(h, "nonce=\"" NONCE "\", qop=\"auth\"");
		registrar_read(h, &p);
		snprintf(first, sizeof(first), "%s", p.cnonce);
		snprintf(text, sizeof(text), "nonce=\"second\", qop=\"auth\", %s", stale[i]);
		registrar_challenge(h, text);
		registrar_read(h, &p);
		assert_string_equal(p.nonce, "second");
		assert_string_equal(p.nc, "00000001");
		assert_string_not_equal(p.cnonce, first);
		assert_int_equal(h->events[UE_FAILED], 0);
		registrar_prove(h, &p, "");
		assert_true(ue_registered(h->ue));
		h_free(h);
	}
}

/* A network that finds every nonce stale is left alone. */
/* covers: DF-09 */
static void stale_for_ever_is_a_failure(void **state)
{
	struct h *h = registrar_start();

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	for (unsigned i = 0; i < 20 && !h->events[UE_FAILED]; i++)
		registrar_challenge(h, "nonce=\"n\", qop=\"auth\", stale=true");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_in_range(h->n_sent, 3, 8);
	h_free(h);
}

/* covers: DN-11, DN-14 */
static void refresh_counts_on_with_the_same_nonce(void **state)
{
	struct h *h = registrar_start();
	struct registrar_params p;

	(void)state;
	registrar_register(h, &p);
	for (unsigned i = 2; i < 5; i++) {
		char nc[16];

		h_advance(h, 300 * 1000);
		snprintf(nc, sizeof(nc), "%08x", i);
		registrar_read(h, &p);
		assert_string_equal(p.nonce, NONCE);
		assert_string_equal(p.nc, nc);
		registrar_prove(h, &p, "");
		assert_int_equal(h->events[UE_REGISTERED], i);
	}
	h_advance(h, 300 * 1000);
	registrar_challenge(h, "nonce=\"new\", qop=\"auth\", stale=true");
	registrar_read(h, &p);
	assert_string_equal(p.nonce, "new");
	assert_string_equal(p.nc, "00000001");
	registrar_prove(h, &p, ", nextnonce=\"next\"");
	h_advance(h, 300 * 1000);
	registrar_read(h, &p);
	assert_string_equal(p.nonce, "next");
	assert_string_equal(p.nc, "00000001");
	registrar_prove(h, &p, ", nextnonce=\"next\""); /* no new one: no new count */
	h_advance(h, 300 * 1000);
	registrar_read(h, &p);
	assert_string_equal(p.nonce, "next");
	assert_string_equal(p.nc, "00000002");
	registrar_prove(h, &p, "");
	assert_int_equal(h->events[UE_FAILED], 0);
	h_free(h);
}

/* The session key ends with the nonce that it was made of. */
/* covers: DN-11 */
static void session_key_does_not_outlive_its_nonce(void **state)
{
	struct h *h = registrar_start();
	struct registrar_params p = {.sess = true, .qop = "auth"};
	char nonce[64];

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	registrar_challenge(h, "nonce=\"" NONCE "\", algorithm=MD5-sess, qop=\"auth\"");
	registrar_read(h, &p);
	registrar_prove(h, &p, ", nextnonce=\"next\"");
	h_advance(h, 300 * 1000);
	registrar_param(registrar_field(h), "nonce", nonce, sizeof(nonce));
	assert_string_equal(nonce, "");
	h_free(h);
}

/* covers: DF-04 */
static void refresh_must_be_proven_too(void **state)
{
	struct h *h = registrar_start();
	struct registrar_params p;

	(void)state;
	registrar_register(h, &p);
	h_advance(h, 300 * 1000);
	registrar_ok(h, "");
	assert_int_equal(h->events[UE_REGISTERED], 1);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

/* covers: DF-10 */
static void network_can_have_a_new_run(void **state)
{
	struct h *h = registrar_start();
	struct registrar_params p;

	(void)state;
	registrar_register(h, &p);
	h_advance(h, 300 * 1000);
	registrar_challenge(h, "nonce=\"again\", qop=\"auth\"");
	registrar_read(h, &p);
	assert_string_equal(p.nonce, "again");
	registrar_prove(h, &p, "");
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_nonce_is_answered_anew),
		cmocka_unit_test(stale_for_ever_is_a_failure),
		cmocka_unit_test(refresh_counts_on_with_the_same_nonce),
		cmocka_unit_test(session_key_does_not_outlive_its_nonce),
		cmocka_unit_test(refresh_must_be_proven_too),
		cmocka_unit_test(network_can_have_a_new_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
