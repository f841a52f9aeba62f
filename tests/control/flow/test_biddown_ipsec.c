/*
 * A man in the middle who can alter all that goes in clear between a UE and a P-CSCF that have all
 * pairs of algorithms of ipsec-3gpp, and the P-CSCF tls too: IMS AKA. The P-CSCF offers tls after
 * them. What goes by ESP he cannot touch.
 */
#include "tests/control/flow/mitm.h"

#define CLIENT	"Security-Client"
#define SERVER	"Security-Server"
#define ASKS	"WWW-Authenticate"
#define ANSWERS "Authorization"
#define NAME	"ipsec-3gpp"
#define SHA	"alg=hmac-sha-1-96"
#define MD5	"alg=hmac-md5-96"

static const struct mitm_attack attacks[] = {
	/* SM1 */
	{true, CLIENT, MITM_GONE, NULL, NULL},
	{true, CLIENT, MITM_TWICE, NULL, NULL},
	{true, CLIENT, MITM_SWAP, NULL, NULL},
	{true, CLIENT, MITM_BEHEAD, NULL, NULL},
	{true, CLIENT, MITM_LAST, NULL, NULL},
	{true, CLIENT, MITM_FRONT, NULL, "tls, "},
	{true, CLIENT, MITM_FRONT, NULL, "tls;q=0.99, "},
	{true, CLIENT, MITM_BACK, NULL, ", tls"},
	{true, CLIENT, MITM_BACK, NULL, ", digest;d-qop=auth"},
	{true, CLIENT, MITM_ALL, NAME, "tls"},
	{true, CLIENT, MITM_ALL, NAME, "digest"},
	{true, CLIENT, MITM_ALL, NAME, "ipsec-4gpp"},
	{true, CLIENT, MITM_FIRST, NAME, "ipsec-4gpp"},
	{true, CLIENT, MITM_FIRST, NAME, NAME ";q=0.001"},
	{true, CLIENT, MITM_ALL, SHA, MD5},
	{true, CLIENT, MITM_FIRST, SHA, MD5},
	{true, CLIENT, MITM_ALL, SHA, "alg=null"},
	{true, CLIENT, MITM_ALL, SHA, "x=y"},
	{true, CLIENT, MITM_ALL, "ealg=aes-cbc", "ealg=null"},
	{true, CLIENT, MITM_FIRST, "ealg=aes-cbc", "ealg=null"},
	{true, CLIENT, MITM_ALL, "ealg=aes-cbc", "ealg=des-ede3-cbc"},
	{true, CLIENT, MITM_ALL, "ealg=aes-cbc", "x=y"},
	{true, CLIENT, MITM_ALL, NAME, NAME ";prot=ah"},
	{true, CLIENT, MITM_FIRST, NAME, NAME ";prot=ah"},
	{true, CLIENT, MITM_ALL, NAME, NAME ";mod=tun"},
	{true, CLIENT, MITM_FIRST, NAME, NAME ";mod=tun"},
	{true, CLIENT, MITM_ALL, NAME, NAME ";mod=UDP-enc-tun"},
	{true, CLIENT, MITM_FIRST, NAME, NAME ";mod=UDP-enc-tun"},
	{true, CLIENT, MITM_ALL, "spi-c=", "spi-c=1"},
	{true, CLIENT, MITM_ALL, "spi-s=", "spi-s=1"},
	{true, CLIENT, MITM_ALL, "port-c=", "port-c=1"},
	{true, CLIENT, MITM_ALL, "port-s=", "port-s=1"},
	{true, "Require", MITM_GONE, NULL, NULL},
	{true, "Require", MITM_ALL, "sec-agree", "x"},
	{true, "Proxy-Require", MITM_GONE, NULL, NULL},
	{true, "Supported", MITM_GONE, NULL, NULL},
	{true, ANSWERS, MITM_GONE, NULL, NULL},
	{true, ANSWERS, MITM_TWICE, NULL, NULL},
	{true, ANSWERS, MITM_BACK, NULL, ", algorithm=MD5"},
	{true, ANSWERS, MITM_BACK, NULL, ", integrity-protected=\"yes\""},
	{true, "P-Access-Network-Info", MITM_GONE, NULL, NULL},
	{true, "P-Access-Network-Info", MITM_FRONT, NULL, "IEEE-802.11, "},
	/* SM6 */
	{false, SERVER, MITM_GONE, NULL, NULL},
	{false, SERVER, MITM_TWICE, NULL, NULL},
	{false, SERVER, MITM_SWAP, NULL, NULL},
	{false, SERVER, MITM_BEHEAD, NULL, NULL},
	{false, SERVER, MITM_LAST, NULL, NULL},
	{false, SERVER, MITM_FRONT, NULL, "tls;q=0.99, "},
	{false, SERVER, MITM_FRONT, NULL, "digest;q=0.99, "},
	{false, SERVER, MITM_BACK, NULL, ", digest;q=0.99"},
	{false, SERVER, MITM_ALL, NAME, "tls"},
	{false, SERVER, MITM_ALL, NAME, "ipsec-4gpp"},
	{false, SERVER, MITM_FIRST, NAME, "ipsec-4gpp"},
	{false, SERVER, MITM_FIRST, "q=0.9", "q=0.1"},
	{false, SERVER, MITM_FIRST, "q=0.9", "q=0.0"},
	{false, SERVER, MITM_FIRST, "q=0.9", "x=y"},
	{false, SERVER, MITM_FIRST, "q=0.8", "q=0.99"},
	{false, SERVER, MITM_FIRST, "q=0.4", "q=0.99"},
	{false, SERVER, MITM_ALL, ";q=0.", ";x=0."},
	{false, SERVER, MITM_ALL, SHA, MD5},
	{false, SERVER, MITM_FIRST, SHA, MD5},
	{false, SERVER, MITM_ALL, SHA, "alg=null"},
	{false, SERVER, MITM_ALL, SHA, "x=y"},
	{false, SERVER, MITM_ALL, "ealg=aes-cbc", "ealg=null"},
	{false, SERVER, MITM_FIRST, "ealg=aes-cbc", "ealg=null"},
	{false, SERVER, MITM_ALL, "ealg=aes-cbc", "ealg=des-ede3-cbc"},
	{false, SERVER, MITM_ALL, "ealg=aes-cbc", "x=y"},
	{false, SERVER, MITM_ALL, NAME, NAME ";prot=ah"},
	{false, SERVER, MITM_FIRST, NAME, NAME ";prot=ah"},
	{false, SERVER, MITM_ALL, NAME, NAME ";mod=tun"},
	{false, SERVER, MITM_FIRST, NAME, NAME ";mod=UDP-enc-tun"},
	{false, SERVER, MITM_ALL, "spi-c=", "spi-c=1"},
	{false, SERVER, MITM_ALL, "spi-s=", "spi-s=1"},
	{false, SERVER, MITM_ALL, "port-c=", "port-c=1"},
	{false, SERVER, MITM_ALL, "port-s=", "port-s=1"},
	{false, ASKS, MITM_GONE, NULL, NULL},
	{false, ASKS, MITM_TWICE, NULL, NULL},
	{false, ASKS, MITM_ALL, "AKAv1-MD5", "MD5"},
	{false, ASKS, MITM_ALL, "AKAv1-MD5", "SHA-256"},
	{false, ASKS, MITM_ALL, "AKAv1-MD5", "AKAv2-MD5"},
	{false, ASKS, MITM_ALL, "algorithm=", "x="},
	{false, ASKS, MITM_ALL, "nonce=\"", "nonce=\"A"},
	{false, ASKS, MITM_ALL, "realm=\"", "realm=\"x"},
	{false, ASKS, MITM_ALL, "qop=", "x="},
	{false, ASKS, MITM_BACK, NULL, ", stale=TRUE"},
};

static bool is_best(const struct sa_set *s)
{
	return s->integ == SA_INTEG_HMAC_SHA_1_96 && s->encr == SA_ENCR_AES_CBC &&
	       s->mode == SA_MODE_TRANSPORT;
}

/* Registered on the best pair, and on nothing else. */
static bool no_weaker(void *arg, const struct pcscf_registration *r)
{
	bool *weak = arg;

	for (unsigned i = 0; r->registered && i < r->n_sets; i++)
		if (r->sets[i].role != PCSCF_SET_NEW &&
		    (r->sets[i].kind != PCSCF_IPSEC || !is_best(&r->sets[i].set)))
			*weak = true;
	return true;
}

static size_t row(const struct mitm_attack *a)
{
	return a ? (size_t)(a - attacks) : N_OF(attacks);
}

enum world {
	FIRST,	  /* registration */
	AGAIN,	  /* there is one: its phone has been switched off and on */
	OPTIONAL, /* the P-CSCF lets UEs in without */
	WORLDS,
};

/* UP and DOWN: rows of attacks[], NULL: none. */
static void tried(const struct mitm_attack *up, const struct mitm_attack *down, enum world world)
{
	struct net_setup setup = {
		.ues = 1,
		.ip = 4,
		.choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_SHA_1_96, SA_ENCR_DES_EDE3_CBC, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_MD5_96, SA_ENCR_DES_EDE3_CBC, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
			    {.type = AGREE_TLS}},
		.n_choices = 7,
		.ipsec_optional = world == OPTIONAL};
	struct net *n = net_alloc(&setup);
	struct mitm m = {.up = NULL};
	const struct sa_set *set;
	bool weak = false;

	n->fate_arg = &m;
	n->alter = mitm_alter;
	if (world == AGAIN) {
		net_register(n, 0);
		net_run(n, 1000);
		net_ue_crash(n, 0);
		net_ue_start(n, 0);
	}
	m.up = up;
	m.down = down;
	n->ues[0].events[UE_UNPROTECTED] = 0;
	(void)ue_register(n->ues[0].ue, n->now);
	net_run(n, 300000);
	set = ue_registered(n->ues[0].ue) ? ue_current_set(n->ues[0].ue) : NULL;
	pcscf_registration_each(n->pcscf, no_weaker, &weak);
	if ((up && !m.hits[1]) || (down && !up && !m.hits[0]))
		fail_msg("attack %zu, %zu did not happen", row(up), row(down));
	if (weak || (ue_registered(n->ues[0].ue) && (!set || !is_best(set))) || n->clear_requests ||
	    n->keys_seen || n->ues[0].events[UE_UNPROTECTED])
		fail_msg("attack %zu, %zu: registered %u, on less at P-CSCF %u, clear %u, keys %u",
			 row(up), row(down), ue_registered(n->ues[0].ue), weak, n->clear_requests,
			 n->keys_seen);
	if (!up && !down)
		assert_true(ue_registered(n->ues[0].ue));
	n->lost_selectors = 0; /* ESP with ports or SPIs that he has altered */
	net_free(n);
}

/* covers: SU-07, PO-01, PO-02 */
static void nothing_brings_them_down(void **state)
{
	(void)state;
	for (unsigned world = FIRST; world < WORLDS; world++) {
		tried(NULL, NULL, world);
		for (const struct mitm_attack *a = attacks; a < attacks + N_OF(attacks); a++)
			tried(a->up ? a : NULL, a->up ? NULL : a, world);
	}
}

/* SM1 and SM6 altered so that they fit: the lists repeated in SM7 tell. covers: SU-10, SU-12,
 * HX-13 */
static void nor_do_both_directions(void **state)
{
	const struct mitm_attack *end = attacks + N_OF(attacks);

	(void)state;
	for (const struct mitm_attack *up = attacks; up < end; up++)
		for (const struct mitm_attack *down = attacks; up->up && down < end; down++)
			if (!down->up)
				tried(up, down, FIRST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_brings_them_down),
		cmocka_unit_test(nor_do_both_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
