/*
 * A UE that has AKA with ipsec-3gpp and Digest with tls, and offers both; a P-CSCF that prefers the
 * one or the other; and a man in the middle who would have them take the one that it does not
 * prefer, or less of it.
 */
#include "tests/control/flow/mitm.h"

#define CLIENT	"Security-Client"
#define SERVER	"Security-Server"
#define ASKS	"WWW-Authenticate"
#define ANSWERS "Authorization"
#define ACCESS	"P-Access-Network-Info"
#define NAME	"ipsec-3gpp"
#define SHA	"alg=hmac-sha-1-96"
#define MD5	"alg=hmac-md5-96"
#define PORTS	";spi-c=900001;spi-s=900002;port-c=20999;port-s=6060"

static const struct mitm_attack attacks[] = {
	/* SM1 */
	{true, CLIENT, MITM_GONE, NULL, NULL},
	{true, CLIENT, MITM_TWICE, NULL, NULL},
	{true, CLIENT, MITM_SWAP, NULL, NULL},
	{true, CLIENT, MITM_BEHEAD, NULL, NULL},
	{true, CLIENT, MITM_LAST, NULL, NULL}, /* ipsec-3gpp is gone */
	{true, CLIENT, MITM_ALL, ", tls", ""},
	{true, CLIENT, MITM_ALL, ", tls", ", tls;q=0.1"},
	{true, CLIENT, MITM_ALL, ", tls", ", digest;d-qop=auth"},
	{true, CLIENT, MITM_FRONT, NULL, "tls;q=0.99, "},
	{true, CLIENT, MITM_ALL, NAME, "tls"},
	{true, CLIENT, MITM_ALL, NAME, "ipsec-4gpp"},
	{true, CLIENT, MITM_ALL, SHA, MD5},
	{true, CLIENT, MITM_ALL, "ealg=aes-cbc", "ealg=null"},
	{true, "Require", MITM_GONE, NULL, NULL},
	{true, "Proxy-Require", MITM_GONE, NULL, NULL},
	{true, "Supported", MITM_GONE, NULL, NULL},
	{true, ANSWERS, MITM_GONE, NULL, NULL},
	{true, ANSWERS, MITM_BACK, NULL, ", integrity-protected=\"no\""},
	{true, ANSWERS, MITM_BACK, NULL, ", integrity-protected=\"tls-pending\""},
	{true, ACCESS, MITM_GONE, NULL, NULL},
	{true, ACCESS, MITM_FRONT, NULL, "3GPP-E-UTRAN-FDD, "},
	/* SM6 */
	{false, SERVER, MITM_GONE, NULL, NULL},
	{false, SERVER, MITM_TWICE, NULL, NULL},
	{false, SERVER, MITM_FRONT, NULL, "tls;q=0.99, "},
	{false, SERVER, MITM_BACK, NULL, ", tls;q=0.99"},
	{false, SERVER, MITM_FRONT, NULL, NAME ";q=0.99;" SHA ";ealg=aes-cbc" PORTS ", "},
	{false, SERVER, MITM_BACK, NULL, ", " NAME ";q=0.99;" MD5 PORTS},
	{false, SERVER, MITM_ALL, NAME, "tls"},
	{false, SERVER, MITM_ALL, NAME, "digest"},
	{false, SERVER, MITM_ALL, "tls", NAME ";" MD5 PORTS},
	{false, SERVER, MITM_ALL, "tls", "digest"},
	{false, SERVER, MITM_FIRST, "q=0.9", "q=0.0"},
	{false, SERVER, MITM_FIRST, "q=0.9", "q=0.1"},
	{false, ASKS, MITM_GONE, NULL, NULL},
	{false, ASKS, MITM_TWICE, NULL, NULL},
	{false, ASKS, MITM_ALL, "algorithm=", "algorithm=MD5, x="},
	{false, ASKS, MITM_ALL, "algorithm=", "algorithm=SHA-256, x="},
	{false, ASKS, MITM_ALL, "algorithm=", "algorithm=AKAv1-MD5, x="},
	{false, ASKS, MITM_BACK, NULL, ", stale=TRUE"},
};

/* tls last, or first */
static struct net *net_of(bool tls_first)
{
	static const struct agree_choice ipsec[] = {
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
	};
	struct net_setup setup = {.ues = 1, .ip = 4, .either = true, .n_choices = 5};

	setup.digest_before_aka = tls_first;
	memcpy(setup.choices + tls_first, ipsec, sizeof(ipsec));
	setup.choices[tls_first ? 0 : 4] = (struct agree_choice){.type = AGREE_TLS};
	return net_alloc(&setup);
}

struct found {
	unsigned tls, best, other;
};

static bool count(void *arg, const struct pcscf_registration *r)
{
	struct found *f = arg;

	for (unsigned i = 0; r->registered && i < r->n_sets; i++) {
		const struct pcscf_set_info *s = &r->sets[i];

		if (s->role == PCSCF_SET_NEW)
			continue;
		if (s->kind == PCSCF_TLS)
			f->tls++;
		else if (s->kind == PCSCF_IPSEC && s->set.integ == SA_INTEG_HMAC_SHA_1_96 &&
			 s->set.encr == SA_ENCR_AES_CBC)
			f->best++;
		else
			f->other++;
	}
	return true;
}

static struct found found(struct net *n)
{
	struct found f = {0};

	pcscf_registration_each(n->pcscf, count, &f);
	return f;
}

/* The P-CSCF's preference decides, and the registration goes on with it. covers: SU-07, TS-03,
 * DT-07, TL-03 */
static void takes_the_highest_q(void **state)
{
	(void)state;
	for (unsigned tls_first = 0; tls_first < 2; tls_first++) {
		struct net *n = net_of(tls_first);

		for (unsigned time = 0; time < 2; time++) {
			struct found f;

			net_register(n, 0);
			net_run(n, 2 * 3600 * 1000);
			assert_true(ue_registered(n->ues[0].ue));
			assert_int_equal(n->ues[0].events[UE_FAILED], 0);
			assert_int_equal(ue_sets(n->ues[0].ue), 1);
			assert_int_equal(ue_current_set(n->ues[0].ue) == NULL, tls_first);
			f = found(n);
			assert_int_equal(f.tls, tls_first);
			assert_int_equal(f.best, !tls_first);
			assert_int_equal(f.other, 0);
			assert_int_equal(n->clear_answers, 0);
			assert_int_equal(n->installs - n->removes, tls_first ? 0 : 2);
			assert_int_equal(ue_deregister(n->ues[0].ue, n->now), 0);
			net_run(n, 60000);
			assert_false(ue_registered(n->ues[0].ue));
			assert_int_equal(ue_sets(n->ues[0].ue), 0);
		}
		net_free(n);
	}
}

static size_t row(const struct mitm_attack *a)
{
	return a ? (size_t)(a - attacks) : N_OF(attacks);
}

/* How often he was there, of all times he could have been. */
static unsigned tried(bool tls_first, const struct mitm_attack *up, const struct mitm_attack *down)
{
	struct net *n = net_of(tls_first);
	struct mitm m = {.up = up, .down = down};
	struct found f;

	n->fate_arg = &m;
	n->alter = mitm_alter;
	(void)ue_register(n->ues[0].ue, n->now);
	net_run(n, 300000);
	f = found(n);
	if (f.other || (tls_first ? f.best : f.tls) || n->clear_requests || n->clear_answers ||
	    n->ues[0].events[UE_UNPROTECTED] ||
	    (ue_registered(n->ues[0].ue) && (ue_current_set(n->ues[0].ue) == NULL) != tls_first))
		fail_msg("attack %zu, %zu, tls first %u: registered %u, tls %u, best %u, "
			 "other %u, clear %u, %u",
			 row(up), row(down), tls_first, ue_registered(n->ues[0].ue), f.tls, f.best,
			 f.other, n->clear_requests, n->clear_answers);
	if (up && !m.hits[1])
		fail_msg("attack %zu did not happen", row(up));
	n->lost_selectors = 0; /* ESP with ports or SPIs that he has made up */
	net_free(n);
	return m.hits[0];
}

/* Each field, either preference; some lists have no such entry. covers: PO-01, SU-07, SU-10, TS-05
 */
static void nothing_brings_them_down(void **state)
{
	(void)state;
	for (const struct mitm_attack *a = attacks; a < attacks + N_OF(attacks); a++) {
		unsigned hits = 0;

		for (unsigned tls_first = 0; tls_first < 2; tls_first++)
			hits += tried(tls_first, a->up ? a : NULL, a->up ? NULL : a);
		if (!a->up && !hits)
			fail_msg("attack %zu did not happen", row(a));
	}
}

/* Security-Client and the rest of SM6 altered so that they fit. covers: SU-10, SU-12, HX-13 */
static void nor_do_both_directions(void **state)
{
	const struct mitm_attack *end = attacks + N_OF(attacks);

	(void)state;
	for (const struct mitm_attack *up = attacks; up < end; up++)
		for (const struct mitm_attack *down = attacks; down < end; down++)
			if (up->up && !down->up && strcmp(up->field, CLIENT) == 0)
				for (unsigned tls_first = 0; tls_first < 2; tls_first++)
					(void)tried(tls_first, up, down);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_highest_q),
		cmocka_unit_test(nothing_brings_them_down),
		cmocka_unit_test(nor_do_both_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
