/*
 * A UE that has AKA with ipsec-3gpp and Digest with tls (C-32). SM1 in clear offers both; until SM6
 * it is a UE with AKA, and then what the P-CSCF's highest q says (RFC 3329 2.3.1, SU-07). SM7
 * repeats both, whichever it is: so the P-CSCF sees whether one of them was taken out of SM1.
 */
#include <errno.h>

#include "control/ue/ue_internal.h"

static void become(struct ue *u, bool tls)
{
	u->auth = tls ? UE_AUTH_DIGEST : UE_AUTH_AKA;
	u->security = tls ? UE_SECURITY_TLS : UE_SECURITY_IPSEC;
}

/* Protected REGISTERs go on with what there is. */
void ue_either_begin(struct ue *u, const struct ue_set *on)
{
	if (!u->either)
		return;
	become(u, on && on->tls);
	if (!on)
		ue_digest_forget(&u->digest);
}

static bool prefers_tls(const struct ue *u, const struct sip_msg *m)
{
	struct agree_choice ours[2 * UE_MAX_CHOICES + 1];
	const struct agree_mech *mech;
	struct agree_list l;
	unsigned n;

	memset(&l, 0, sizeof(l));
	if (agree_parse(&l, m, SIP_HDR_SECURITY_SERVER) < 0)
		return false;
	n = ue_nat_choices(u, ours);
	ours[n++] = (struct agree_choice){.type = AGREE_TLS};
	return agree_choose_server(&l, ours, n, &mech) == (int)n - 1;
}

int ue_either_take(struct ue *u, const struct sip_msg *m)
{
	if (!ue_offers_both(u) || !prefers_tls(u, m))
		return 0;
	if (u->run.fresh) /* its SPIs and ports stay offered */
		ue_set_remove(u, u->run.fresh);
	u->run.fresh = NULL;
	u->port_us = 0;
	become(u, true);
	return ue_tls_propose(u, &u->run.fresh);
}
