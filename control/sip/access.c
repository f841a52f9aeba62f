/* P-Access-Network-Info (RFC 7315 4.4, TS 24.229 7.2A.4) */
#include "control/base/parse.h"
#include "control/sip/msg.h"

/* "3GPP-E-UTRAN-FDD" and the like; "3GPP2-1X" is another family. */
static bool is_3gpp(struct sv info)
{
	const struct sv word = SV("3GPP");

	return info.n >= word.n && sv_caseeq((struct sv){info.p, word.n}, word) &&
	       (info.n == word.n || info.p[word.n] != '2');
}

bool sip_access_is_3gpp(const struct sip_msg *m)
{
	struct sip_list infos = {.msg = m, .id = SIP_HDR_P_ACCESS_NETWORK_INFO};
	struct sv info;

	while (sip_list_walk(&infos, &info))
		if (is_3gpp(info))
			return true;
	return false;
}

bool sip_access_of_network(struct sv value)
{
	struct sv info;

	while (sip_list_next(&value, &info)) {
		const char *params = memchr(info.p, ';', info.n);

		if (params && sip_param((struct sv){params, (size_t)(info.p + info.n - params)},
					SV("network-provided"), NULL))
			return true;
	}
	return false;
}
