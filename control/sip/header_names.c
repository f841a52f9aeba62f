#include "control/sip/header_names.h"

#define LONGEST 21 /* "P-Access-Network-Info" */

struct candidate {
	char key; /* the lower-case letter at struct length_class.at */
	uint8_t id;
	const char *name; /* in lower case */
};

/* Names of one length differ in the character at one place, so one comparison of a name is enough.
 */
struct length_class {
	uint8_t at;
	struct candidate c[10];
};

static const struct length_class classes[LONGEST + 1] = {
	[1] = {0,
	       {{'v', SIP_HDR_VIA, "v"},
		{'f', SIP_HDR_FROM, "f"},
		{'t', SIP_HDR_TO, "t"},
		{'i', SIP_HDR_CALL_ID, "i"},
		{'m', SIP_HDR_CONTACT, "m"},
		{'l', SIP_HDR_CONTENT_LENGTH, "l"},
		{'c', SIP_HDR_CONTENT_TYPE, "c"},
		{'k', SIP_HDR_SUPPORTED, "k"},
		{'o', SIP_HDR_EVENT, "o"},
		{'a', SIP_HDR_ACCEPT_CONTACT, "a"}}},
	[2] = {0, {{'t', SIP_HDR_TO, "to"}}},
	[3] = {0, {{'v', SIP_HDR_VIA, "via"}}},
	[4] = {0,
	       {{'f', SIP_HDR_FROM, "from"},
		{'c', SIP_HDR_CSEQ, "cseq"},
		{'p', SIP_HDR_PATH, "path"}}},
	[5] = {0,
	       {{'r', SIP_HDR_ROUTE, "route"},
		{'a', SIP_HDR_ALLOW, "allow"},
		{'e', SIP_HDR_EVENT, "event"}}},
	[7] = {6,
	       {{'d', SIP_HDR_CALL_ID, "call-id"},
		{'t', SIP_HDR_CONTACT, "contact"},
		{'s', SIP_HDR_EXPIRES, "expires"},
		{'e', SIP_HDR_REQUIRE, "require"},
		{'g', SIP_HDR_WARNING, "warning"}}},
	[9] = {0, {{'s', SIP_HDR_SUPPORTED, "supported"}}},
	[11] = {0,
		{{'m', SIP_HDR_MIN_EXPIRES, "min-expires"},
		 {'r', SIP_HDR_RETRY_AFTER, "retry-after"},
		 {'u', SIP_HDR_UNSUPPORTED, "unsupported"}}},
	[12] = {0,
		{{'m', SIP_HDR_MAX_FORWARDS, "max-forwards"},
		 {'c', SIP_HDR_CONTENT_TYPE, "content-type"},
		 {'r', SIP_HDR_RECORD_ROUTE, "record-route"}}},
	[13] = {0,
		{{'a', SIP_HDR_AUTHORIZATION, "authorization"},
		 {'p', SIP_HDR_PROXY_REQUIRE, "proxy-require"},
		 {'s', SIP_HDR_SERVICE_ROUTE, "service-route"}}},
	[14] = {0,
		{{'c', SIP_HDR_CONTENT_LENGTH, "content-length"},
		 {'a', SIP_HDR_ACCEPT_CONTACT, "accept-contact"}}},
	[15] = {9,
		{{'c', SIP_HDR_SECURITY_CLIENT, "security-client"},
		 {'s', SIP_HDR_SECURITY_SERVER, "security-server"},
		 {'v', SIP_HDR_SECURITY_VERIFY, "security-verify"}}},
	[16] = {0,
		{{'w', SIP_HDR_WWW_AUTHENTICATE, "www-authenticate"},
		 {'p', SIP_HDR_P_ASSOCIATED_URI, "p-associated-uri"}}},
	[17] = {3,
		{{'a', SIP_HDR_P_CALLED_PARTY_ID, "p-called-party-id"},
		 {'h', SIP_HDR_P_CHARGING_VECTOR, "p-charging-vector"}}},
	[18] = {0, {{'s', SIP_HDR_SUBSCRIPTION_STATE, "subscription-state"}}},
	[19] = {0,
		{{'a', SIP_HDR_AUTHENTICATION_INFO, "authentication-info"},
		 {'p', SIP_HDR_P_ASSERTED_IDENTITY, "p-asserted-identity"}}},
	[20] = {2,
		{{'p', SIP_HDR_P_PREFERRED_IDENTITY, "p-preferred-identity"},
		 {'v', SIP_HDR_P_VISITED_NETWORK_ID, "p-visited-network-id"}}},
	[21] = {0, {{'p', SIP_HDR_P_ACCESS_NETWORK_INFO, "p-access-network-info"}}},
};

/* Bit 5 makes letters small and leaves "-" as it is; of a token's characters no others meet these.
 */
static bool same(struct sv name, const char *lower_case)
{
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] | 0x20) != lower_case[i])
			return false;
	return true;
}

enum sip_hdr sip_header_id(struct sv name)
{
	const struct length_class *k;
	char key;

	if (name.n == 0 || name.n > LONGEST)
		return SIP_HDR_OTHER;
	k = &classes[name.n];
	key = (char)(name.p[k->at] | 0x20);
	for (const struct candidate *c = k->c; c < k->c + 10 && c->name; c++)
		if (c->key == key)
			return same(name, c->name) ? (enum sip_hdr)c->id : SIP_HDR_OTHER;
	return SIP_HDR_OTHER;
}
