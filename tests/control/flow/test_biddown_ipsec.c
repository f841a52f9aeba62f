/*
 * A man in the middle who can alter all that goes in clear between a UE and a P-CSCF that have all
 * pairs of algorithms of ipsec-3gpp, and the P-CSCF tls too: IMS AKA. The P-CSCF offers tls after
 * them. What goes by ESP he cannot touch.
 */
#include "control/base/sbuf.h"
#include "tests/control/flow/net.h"

enum how {
	ALL,	/* each `from` in the field's lines becomes `to` */
	FIRST,	/* only the first */
	FRONT,	/* `to` goes before the value */
	BACK,	/* and behind it */
	GONE,	/* the line */
	TWICE,	/* the line */
	SWAP,	/* the first entry and the others change places */
	BEHEAD, /* the first entry goes */
	LAST,	/* all but the last entry go */
};

struct attack {
	bool up;
	const char *field;
	enum how how;
	const char *from, *to;
};

#define CLIENT	"Security-Client"
#define SERVER	"Security-Server"
#define ASKS	"WWW-Authenticate"
#define ANSWERS "Authorization"
#define NAME	"ipsec-3gpp"
#define SHA	"alg=hmac-sha-1-96"
#define MD5	"alg=hmac-md5-96"

static const struct attack attacks[] = {
	/* SM1 */
	{true, CLIENT, GONE, NULL, NULL},
	{true, CLIENT, TWICE, NULL, NULL},
	{true, CLIENT, SWAP, NULL, NULL},
	{true, CLIENT, BEHEAD, NULL, NULL},
	{true, CLIENT, LAST, NULL, NULL},
	{true, CLIENT, FRONT, NULL, "tls, "},
	{true, CLIENT, FRONT, NULL, "tls;q=0.99, "},
	{true, CLIENT, BACK, NULL, ", tls"},
	{true, CLIENT, BACK, NULL, ", digest;d-qop=auth"},
	{true, CLIENT, ALL, NAME, "tls"},
	{true, CLIENT, ALL, NAME, "digest"},
	{true, CLIENT, ALL, NAME, "ipsec-4gpp"},
	{true, CLIENT, FIRST, NAME, "ipsec-4gpp"},
	{true, CLIENT, FIRST, NAME, NAME ";q=0.001"},
	{true, CLIENT, ALL, SHA, MD5},
	{true, CLIENT, FIRST, SHA, MD5},
	{true, CLIENT, ALL, SHA, "alg=null"},
	{true, CLIENT, ALL, SHA, "x=y"},
	{true, CLIENT, ALL, "ealg=aes-cbc", "ealg=null"},
	{true, CLIENT, FIRST, "ealg=aes-cbc", "ealg=null"},
	{true, CLIENT, ALL, "ealg=aes-cbc", "ealg=des-ede3-cbc"},
	{true, CLIENT, ALL, "ealg=aes-cbc", "x=y"},
	{true, CLIENT, ALL, NAME, NAME ";prot=ah"},
	{true, CLIENT, FIRST, NAME, NAME ";prot=ah"},
	{true, CLIENT, ALL, NAME, NAME ";mod=tun"},
	{true, CLIENT, FIRST, NAME, NAME ";mod=tun"},
	{true, CLIENT, ALL, NAME, NAME ";mod=UDP-enc-tun"},
	{true, CLIENT, FIRST, NAME, NAME ";mod=UDP-enc-tun"},
	{true, CLIENT, ALL, "spi-c=", "spi-c=1"},
	{true, CLIENT, ALL, "spi-s=", "spi-s=1"},
	{true, CLIENT, ALL, "port-c=", "port-c=1"},
	{true, CLIENT, ALL, "port-s=", "port-s=1"},
	{true, "Require", GONE, NULL, NULL},
	{true, "Require", ALL, "sec-agree", "x"},
	{true, "Proxy-Require", GONE, NULL, NULL},
	{true, "Supported", GONE, NULL, NULL},
	{true, ANSWERS, GONE, NULL, NULL},
	{true, ANSWERS, TWICE, NULL, NULL},
	{true, ANSWERS, BACK, NULL, ", algorithm=MD5"},
	{true, ANSWERS, BACK, NULL, ", integrity-protected=\"yes\""},
	{true, "P-Access-Network-Info", GONE, NULL, NULL},
	{true, "P-Access-Network-Info", FRONT, NULL, "IEEE-802.11, "},
	/* SM6 */
	{false, SERVER, GONE, NULL, NULL},
	{false, SERVER, TWICE, NULL, NULL},
	{false, SERVER, SWAP, NULL, NULL},
	{false, SERVER, BEHEAD, NULL, NULL},
	{false, SERVER, LAST, NULL, NULL},
	{false, SERVER, FRONT, NULL, "tls;q=0.99, "},
	{false, SERVER, FRONT, NULL, "digest;q=0.99, "},
	{false, SERVER, BACK, NULL, ", digest;q=0.99"},
	{false, SERVER, ALL, NAME, "tls"},
	{false, SERVER, ALL, NAME, "ipsec-4gpp"},
	{false, SERVER, FIRST, NAME, "ipsec-4gpp"},
	{false, SERVER, FIRST, "q=0.9", "q=0.1"},
	{false, SERVER, FIRST, "q=0.9", "q=0.0"},
	{false, SERVER, FIRST, "q=0.9", "x=y"},
	{false, SERVER, FIRST, "q=0.8", "q=0.99"},
	{false, SERVER, FIRST, "q=0.4", "q=0.99"},
	{false, SERVER, ALL, ";q=0.", ";x=0."},
	{false, SERVER, ALL, SHA, MD5},
	{false, SERVER, FIRST, SHA, MD5},
	{false, SERVER, ALL, SHA, "alg=null"},
	{false, SERVER, ALL, SHA, "x=y"},
	{false, SERVER, ALL, "ealg=aes-cbc", "ealg=null"},
	{false, SERVER, FIRST, "ealg=aes-cbc", "ealg=null"},
	{false, SERVER, ALL, "ealg=aes-cbc", "ealg=des-ede3-cbc"},
	{false, SERVER, ALL, "ealg=aes-cbc", "x=y"},
	{false, SERVER, ALL, NAME, NAME ";prot=ah"},
	{false, SERVER, FIRST, NAME, NAME ";prot=ah"},
	{false, SERVER, ALL, NAME, NAME ";mod=tun"},
	{false, SERVER, FIRST, NAME, NAME ";mod=UDP-enc-tun"},
	{false, SERVER, ALL, "spi-c=", "spi-c=1"},
	{false, SERVER, ALL, "spi-s=", "spi-s=1"},
	{false, SERVER, ALL, "port-c=", "port-c=1"},
	{false, SERVER, ALL, "port-s=", "port-s=1"},
	{false, ASKS, GONE, NULL, NULL},
	{false, ASKS, TWICE, NULL, NULL},
	{false, ASKS, ALL, "AKAv1-MD5", "MD5"},
	{false, ASKS, ALL, "AKAv1-MD5", "SHA-256"},
	{false, ASKS, ALL, "AKAv1-MD5", "AKAv2-MD5"},
	{false, ASKS, ALL, "algorithm=", "x="},
	{false, ASKS, ALL, "nonce=\"", "nonce=\"A"},
	{false, ASKS, ALL, "realm=\"", "realm=\"x"},
	{false, ASKS, ALL, "qop=", "x="},
	{false, ASKS, BACK, NULL, ", stale=TRUE"},
};

struct mitm {
	const struct attack *up, *down; /* NULL: none */
	unsigned hits[2];
	char text[NET_TEXT];
};

static const char *line_of(struct sv text, const char *field, const char **end)
{
	size_t n = strlen(field);

	for (const char *at = text.p, *stop = text.p + text.n, *cr;
	     (cr = memmem(at, (size_t)(stop - at), "\r\n", 2)); at = cr + 2)
		if ((size_t)(cr - at) > n && strncasecmp(at, field, n) == 0 && at[n] == ':') {
			*end = cr + 2;
			return at;
		}
	return NULL;
}

static bool replace(const struct attack *a, const char *line, const char *end, struct sbuf *b)
{
	size_t n = strlen(a->from);
	const char *at = memmem(line, (size_t)(end - line), a->from, n);

	if (!at)
		return false;
	for (; at; at = a->how == ALL ? memmem(line, (size_t)(end - line), a->from, n) : NULL) {
		sbuf_put(b, (struct sv){line, (size_t)(at - line)});
		sbuf_put(b, sv_of(a->to));
		line = at + n;
	}
	sbuf_put(b, (struct sv){line, (size_t)(end - line)});
	return true;
}

/* What becomes of the entries, and of the line as one. */
static bool reshape(const struct attack *a, const char *line, const char *end, struct sbuf *b)
{
	const char *value = line + strlen(a->field) + 2, *crlf = end - 2;
	const char *first = memchr(line, ',', (size_t)(crlf - line));
	const char *last = memrchr(line, ',', (size_t)(crlf - line));

	if (a->how >= SWAP && !first)
		return false;
	sbuf_put(b, (struct sv){line, a->how == GONE ? 0 : (size_t)(value - line)});
	if (a->how == FRONT)
		sbuf_put(b, sv_of(a->to));
	if (a->how == FRONT || a->how == BACK)
		sbuf_put(b, (struct sv){value, (size_t)(crlf - value)});
	if (a->how == BACK)
		sbuf_put(b, sv_of(a->to));
	if (a->how == TWICE)
		sbuf_printf(b, "%.*s%.*s", (int)(end - value), value, (int)(crlf - line), line);
	if (a->how == SWAP || a->how == BEHEAD)
		sbuf_put(b, (struct sv){first + 1, (size_t)(crlf - first - 1)});
	if (a->how == SWAP)
		sbuf_printf(b, ", %.*s", (int)(first - value), value);
	if (a->how == LAST)
		sbuf_put(b, (struct sv){last + 1, (size_t)(crlf - last - 1)});
	if (a->how != GONE)
		sbuf_put(b, SV("\r\n"));
	return true;
}

static struct sv alter(struct net *n, const struct net_packet *k, void *arg)
{
	struct mitm *m = arg;
	bool up = k->from != &n->edge;
	const struct attack *a = up ? m->up : m->down;
	struct sv text = {k->text, k->n};
	struct sbuf b = sbuf_of(m->text, sizeof(m->text));
	const char *line, *end;

	if (!a || k->flow.set)
		return (struct sv){0};
	line = line_of(text, a->field, &end);
	if (!line)
		return (struct sv){0};
	sbuf_put(&b, (struct sv){text.p, (size_t)(line - text.p)});
	if (!(a->how <= FIRST ? replace(a, line, end, &b) : reshape(a, line, end, &b)))
		return (struct sv){0};
	sbuf_put(&b, (struct sv){end, (size_t)(text.p + text.n - end)});
	assert_false(b.overflow);
	m->hits[up]++;
	return sbuf_sv(&b);
}

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

static size_t row(const struct attack *a)
{
	return a ? (size_t)(a - attacks) : N_OF(attacks);
}

/* UP and DOWN: rows of attacks[], NULL: none. */
static void tried(const struct attack *up, const struct attack *down, bool again)
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
		.n_choices = 7};
	struct net *n = net_alloc(&setup);
	struct mitm m = {.up = NULL};
	const struct sa_set *set;
	bool weak = false;

	n->fate_arg = &m;
	n->alter = alter;
	if (again) { /* there is a registration: its phone has been switched off and on */
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
	for (unsigned again = 0; again < 2; again++) {
		tried(NULL, NULL, again);
		for (const struct attack *a = attacks; a < attacks + N_OF(attacks); a++)
			tried(a->up ? a : NULL, a->up ? NULL : a, again);
	}
}

/* SM1 and SM6 altered so that they fit: the lists repeated in SM7 tell. covers: SU-10, SU-12,
 * HX-13 */
static void nor_do_both_directions(void **state)
{
	const struct attack *end = attacks + N_OF(attacks);

	(void)state;
	for (const struct attack *up = attacks; up < end; up++)
		for (const struct attack *down = attacks; up->up && down < end; down++)
			if (!down->up)
				tried(up, down, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_brings_them_down),
		cmocka_unit_test(nor_do_both_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
