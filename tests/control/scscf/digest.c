#include "tests/control/scscf/digest.h"

const struct hss_digest_conf digest_by_scscf, digest_by_hss = {.variant = HSS_VARIANT_HSS};
const struct hss_digest_conf *const digest_variants[2] = {&digest_by_scscf, &digest_by_hss};
const struct ue_digest digest_right;

struct core *digest_start(const struct hss_digest_conf *digest)
{
	struct scscf_conf conf;

	core_conf(&conf);
	conf.nonce_lifetime = 600;
	return core_alloc_digest(&conf, digest);
}

unsigned digest_first(struct ue *u)
{
	return ue_register(u, &(struct reg_opts){.authorization = ""});
}

unsigned core_count(const struct core *c, enum sip_hdr id)
{
	unsigned n = 0;

	for (const struct sip_header *h = sip_msg_find(&c->m, id); h; h = sip_msg_next(&c->m, h))
		n++;
	return n;
}

bool digest_stale(const struct ue *u)
{
	return sv_caseeq(u->challenge.stale, SV("true"));
}
