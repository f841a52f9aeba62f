#include "control/sip/msg.h"

static const char *const names[] = {
	[SIP_OTHER] = "",
	[SIP_ACK] = "ACK",
	[SIP_BYE] = "BYE",
	[SIP_CANCEL] = "CANCEL",
	[SIP_INFO] = "INFO",
	[SIP_INVITE] = "INVITE",
	[SIP_MESSAGE] = "MESSAGE",
	[SIP_NOTIFY] = "NOTIFY",
	[SIP_OPTIONS] = "OPTIONS",
	[SIP_PRACK] = "PRACK",
	[SIP_PUBLISH] = "PUBLISH",
	[SIP_REFER] = "REFER",
	[SIP_REGISTER] = "REGISTER",
	[SIP_SUBSCRIBE] = "SUBSCRIBE",
	[SIP_UPDATE] = "UPDATE",
};

#define METHODS (sizeof(names) / sizeof(names[0]))

enum sip_method sip_method_of(struct sv name)
{
	for (unsigned i = 1; i < METHODS && name.n; i++)
		if (names[i][0] == name.p[0] && sv_eq(name, sv_of(names[i])))
			return (enum sip_method)i;
	return SIP_OTHER;
}

struct sv sip_method_text(enum sip_method m)
{
	return sv_of((unsigned)m < METHODS ? names[m] : "");
}
