/*
 * Loops (RFC 3261 16.3 step 4, 16.6 step 8): each request that goes out has in its branch a hash of
 * what decided where it goes. One that comes back with such a Via and the same hash goes in
 * circles; with another one it is a spiral, as each call between two UEs of ours.
 */
#include <sodium.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

#define HASHED_MAX 2048
#define BRANCH_AT  15 /* behind the cookie and the set's id */
#define HASH_LEN   8

static void hash_text(const struct pcscf *p, const struct sip_msg *m, sa_set_id set, bool up,
		      char text[HASH_LEN + 1])
{
	unsigned char hash[crypto_shorthash_BYTES];
	char store[HASHED_MAX];
	struct sbuf b = sbuf_of(store, sizeof(store));

	sbuf_printf(&b, "%d %u %u %d\n", up, set, m->cseq, m->method);
	sbuf_printf(&b, "%.*s\n%.*s\n%.*s\n", SV_ARG(m->call_id), SV_ARG(m->from_tag),
		    SV_ARG(m->to_tag));
	sbuf_put(&b, m->uri);
	/* what does not fit is the same for the same request */
	crypto_shorthash(hash, (const unsigned char *)store,
			 b.n < sizeof(store) ? b.n : sizeof(store), p->loop_key);
	sodium_bin2hex(text, HASH_LEN + 1, hash, HASH_LEN / 2);
}

void pcscf_branch_of(const struct pcscf *p, char branch[SIP_BRANCH_LEN], sa_set_id set,
		     const struct sip_msg *m, bool up)
{
	char hash[HASH_LEN + 1];

	pcscf_branch(branch, set);
	hash_text(p, m, set, up, hash);
	memcpy(branch + BRANCH_AT, hash, HASH_LEN);
}

bool pcscf_looped(const struct pcscf *p, const struct sip_msg *m, sa_set_id set, bool up)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_VIA};
	char hash[HASH_LEN + 1];
	struct sv element;
	struct sip_via v;
	sa_set_id id;

	hash_text(p, m, set, up, hash);
	while (sip_list_walk(&l, &element))
		if (sip_via_parse(&v, element) == 0 && pcscf_host_ours(p, v.host) &&
		    pcscf_branch_set(v.branch, &id) &&
		    memcmp(v.branch.p + BRANCH_AT, hash, HASH_LEN) == 0)
			return true;
	return false;
}
