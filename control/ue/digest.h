/* Inside of control/ue/: SIP Digest (TS 33.203 Annex N; RFC 2617, RFC 3261 22, RFC 8760). */
#pragma once

#include "control/auth/auth.h"

struct ue;
struct ue_conf;

struct ue_digest {
	char *password; /* wiped */
	bool rspauth_optional, sha256_only;
	char *challenge; /* the WWW-Authenticate value that we answer; NULL: none yet */
	char *nextnonce; /* that the network wants instead of its nonce; NULL */
	char cnonce[33]; /* one for each nonce, as -sess wants it */
	uint32_t nc;	 /* answers with this nonce */
};

int ue_digest_init(struct ue_digest *d, const struct ue_conf *c); /* -ENOMEM */
void ue_digest_clear(struct ue_digest *d);
void ue_digest_forget(struct ue_digest *d); /* the challenge: nothing can be answered */
/* The strongest challenge of a 401 that our policy lets us answer. false: there is none. */
bool ue_digest_take(struct ue_digest *d, const struct sip_msg *m);
/* That challenge says that the password was right (DF-09). */
bool ue_digest_stale(const struct ue_digest *d, const struct sip_msg *m);
/* The next answer; *a looks into *c and u. false: no challenge is known. */
bool ue_digest_answer(struct ue *u, struct auth_challenge *c, struct auth_answer *a);
/*
 * Authentication-Info of a 2xx to the last answer (DF-04). NULL: good; else what is wrong.
 * `needed`: this 2xx must prove that the network knows the password.
 */
const char *ue_digest_check(struct ue *u, const struct sip_msg *m, bool needed);
