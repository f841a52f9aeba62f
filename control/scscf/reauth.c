/*
 * Network-initiated re-authentication (TS 33.203 6.1.4, TS 24.229 5.4.1.6): SIP has no request for
 * it, so the registration is shortened, the UE hears of it by its reg event and registers again.
 */
#include <errno.h>

#include "control/scscf/internal.h"

static int shorten(struct user *u, uint64_t now)
{
	uint64_t end = now + (uint64_t)u->reauth.expires * 1000;
	int err = binding_shorten(u, end < u->reauth.until ? end : u->reauth.until);

	if (err)
		return err;
	u->event = REGINFO_SHORTENED;
	subscriptions_notify(u, now);
	return 0;
}

int scscf_reauthenticate(struct scscf *s, struct sv impi, uint32_t expires, uint64_t now)
{
	struct user *u = user_find(s, impi);

	if (!u || !u->registered)
		return -ENOENT;
	(void)reauth_step(u, REAUTH_ON_WISH);
	u->reauth.repeats = s->reauth_repeats;
	u->reauth.expires = expires ? expires : s->reauth_expires;
	u->reauth.until = u->binding.expires_at;
	return shorten(u, now);
}

bool reauth_repeat(struct user *u, uint64_t now)
{
	if (!u->reauth.due || u->reauth.repeats == 0 || now >= u->reauth.until)
		return false;
	u->reauth.repeats--;
	(void)reauth_step(u, REAUTH_ON_REPEAT);
	return shorten(u, now) == 0;
}

void reauth_done(struct user *u)
{
	(void)reauth_step(u, REAUTH_ON_DONE);
}
