/* What tests of SIP Digest at the S-CSCF share. */
#pragma once

#include "tests/control/scscf/core.h"

extern const struct hss_digest_conf digest_by_scscf, digest_by_hss;
extern const struct hss_digest_conf *const digest_variants[2]; /* both */
extern const struct ue_digest digest_right;		       /* a right answer */

/* A core whose nonces last for 600 s. */
struct core *digest_start(const struct hss_digest_conf *digest);
/* The first REGISTER, without credentials, as most Digest clients send it; the status. */
unsigned digest_first(struct ue *u);
/* How many such header fields the last message has. */
unsigned core_count(const struct core *c, enum sip_hdr id);
/* The last challenge says stale=TRUE. */
bool digest_stale(const struct ue *u);
