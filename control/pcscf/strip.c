/* What must not cross the P-CSCF. */
#include "control/base/parse.h"
#include "control/pcscf/internal.h"

void pcscf_strip_agreement(struct sip_edit *e)
{
	static const uint8_t fields[] = {SIP_HDR_SECURITY_CLIENT, SIP_HDR_SECURITY_SERVER,
					 SIP_HDR_SECURITY_VERIFY};
	static const uint8_t tags[] = {SIP_HDR_REQUIRE, SIP_HDR_PROXY_REQUIRE, SIP_HDR_SUPPORTED};

	for (unsigned i = 0; i < sizeof(fields); i++)
		sip_edit_remove_all(e, (enum sip_hdr)fields[i]);
	for (unsigned i = 0; i < sizeof(tags); i++)
		sip_edit_remove_token(e, (enum sip_hdr)tags[i], SV("sec-agree"));
}

/* Only the network says these (TS 24.229 4.4): the core would believe them. */
void pcscf_strip_network(struct sip_edit *e, const struct sip_msg *m)
{
	static const char *const names[] = {
		"P-Served-User",     "P-Charging-Vector", "P-Charging-Function-Addresses",
		"P-Profile-Key",     "P-User-Database",	  "P-Private-Network-Indication",
		"P-Asserted-Service"};

	sip_edit_remove_all(e, SIP_HDR_P_CHARGING_VECTOR);
	sip_edit_remove_all(e, SIP_HDR_P_CALLED_PARTY_ID);
	for (unsigned i = 0; i < m->n; i++) {
		const struct sip_header *h = &m->h[i];

		for (unsigned k = 0; k < sizeof(names) / sizeof(*names); k++)
			if (h->id == SIP_HDR_OTHER && sv_caseeq(h->name, sv_of(names[k])))
				sip_edit_remove(e, h);
		if (h->id == SIP_HDR_P_ACCESS_NETWORK_INFO && sip_access_of_network(h->value))
			sip_edit_remove(e, h);
	}
}

/* priv-value *(";" priv-value) (RFC 3323 4.2); "id" is of RFC 3325 9.3 */
static bool privacy_of_id(struct sv value)
{
	while (value.n) {
		const char *semicolon = memchr(value.p, ';', value.n);
		size_t n = semicolon ? (size_t)(semicolon - value.p) : value.n;

		if (sv_caseeq(sv_trim((struct sv){value.p, n}), SV("id")))
			return true;
		n += semicolon != NULL;
		value = (struct sv){value.p + n, value.n - n};
	}
	return false;
}

/* Where a UE is and who pays is the network's business, and so is a name that asked for privacy
 * (RFC 3325 7, RFC 7315 4.4 to 4.6). */
void pcscf_strip_private(struct sip_edit *e, const struct sip_msg *m)
{
	static const char *const names[] = {"P-Served-User", "P-Charging-Function-Addresses"};
	bool anonymous = false;

	sip_edit_remove_all(e, SIP_HDR_P_ACCESS_NETWORK_INFO);
	sip_edit_remove_all(e, SIP_HDR_P_VISITED_NETWORK_ID);
	sip_edit_remove_all(e, SIP_HDR_P_CHARGING_VECTOR);
	for (unsigned i = 0; i < m->n; i++) {
		for (unsigned k = 0; k < sizeof(names) / sizeof(*names); k++)
			if (m->h[i].id == SIP_HDR_OTHER && sv_caseeq(m->h[i].name, sv_of(names[k])))
				sip_edit_remove(e, &m->h[i]);
		anonymous |= sv_caseeq(m->h[i].name, SV("Privacy")) && privacy_of_id(m->h[i].value);
	}
	if (anonymous)
		sip_edit_remove_all(e, SIP_HDR_P_ASSERTED_IDENTITY);
}

static bool is_challenge(const struct sip_header *h)
{
	return h->id == SIP_HDR_WWW_AUTHENTICATE || sv_caseeq(h->name, SV("Proxy-Authenticate"));
}

/* A field that cannot be read goes as a whole: keys in it would go unseen otherwise. */
static void keys_remove(struct sip_edit *e, const struct sip_header *h)
{
	char store[PCSCF_LIST_MAX];
	struct sbuf b = sbuf_of(store, sizeof(store));

	if (auth_strip_keys(&b, h->value) && !b.overflow)
		sip_edit_replace(e, h->value, "%.*s", SV_ARG(sbuf_sv(&b)));
	else
		sip_edit_remove(e, h);
}

void pcscf_strip_keys(struct sip_edit *e, const struct sip_msg *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (is_challenge(&m->h[i]))
			keys_remove(e, &m->h[i]);
}
