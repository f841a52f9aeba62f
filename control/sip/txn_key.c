#include <sodium.h>

#include "control/sip/scan.h"
#include "control/sip/txn_impl.h"

_Static_assert(TXN_KEY == crypto_shorthash_siphashx24_BYTES, "one SipHash each");
_Static_assert(TXN_KEY == crypto_shorthash_siphashx24_KEYBYTES, "one SipHash each");

#define COOKIE SV("z9hG4bK")

static void hash(uint8_t out[TXN_KEY], const struct sip_txns *t, const void *p, size_t n)
{
	crypto_shorthash_siphashx24(out, p, n, t->secret);
}

/* Each part is hashed by itself, so that no two lists of parts look alike. */
static void mix(struct txn_key *key, const struct sip_txns *t, struct sv part)
{
	uint8_t both[2 * TXN_KEY];

	memcpy(both, key->b, TXN_KEY);
	hash(both + TXN_KEY, t, part.n ? part.p : "", part.n);
	hash(key->b, t, both, sizeof(both));
}

static void mix_number(struct txn_key *key, const struct sip_txns *t, uint32_t number)
{
	mix(key, t, (struct sv){(const char *)&number, sizeof(number)});
}

struct txn_key txn_server_key(const struct sip_txns *t, const struct sip_msg *request,
			      struct sv method)
{
	struct txn_key key = {{0}};
	struct sip_via via;

	mix(&key, t, method);
	if (sip_via_top(&via, request)) /* cannot be: it was parsed */
		return key;
	if (via.branch.n > COOKIE.n && strncmp(via.branch.p, COOKIE.p, COOKIE.n) == 0) {
		mix(&key, t, via.branch);
		mix(&key, t, via.host);
		mix_number(&key, t, via.port);
		return key;
	}
	/* RFC 2543: without To tag, which an ACK has and its INVITE has not */
	mix(&key, t, request->call_id);
	mix(&key, t, request->from_tag);
	mix_number(&key, t, request->cseq);
	mix(&key, t, via.element);
	return key;
}

struct txn_key txn_client_key(const struct sip_txns *t, const struct sip_msg *m)
{
	struct sv cseq = sip_msg_value(m, SIP_HDR_CSEQ);
	struct txn_key key = {{0}};

	while (cseq.n && scan_is_digit(cseq.p[0]))
		cseq = sv_skip(cseq, 1);
	mix(&key, t, scan_skip_lws(cseq)); /* the method */
	mix(&key, t, m->branch);
	return key;
}
