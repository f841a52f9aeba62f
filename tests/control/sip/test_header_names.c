#include <ctype.h>

#include "control/sip/header_names.h"
#include "tests/support/test.h"

/* The spelling of the specifications, and the compact form where there is one. */
static const struct {
	enum sip_hdr id;
	const char *name, *compact;
} names[] = {
	{SIP_HDR_ACCEPT_CONTACT, "Accept-Contact", "a"},
	{SIP_HDR_ALLOW, "Allow", NULL},
	{SIP_HDR_AUTHENTICATION_INFO, "Authentication-Info", NULL},
	{SIP_HDR_AUTHORIZATION, "Authorization", NULL},
	{SIP_HDR_CALL_ID, "Call-ID", "i"},
	{SIP_HDR_CONTACT, "Contact", "m"},
	{SIP_HDR_CONTENT_LENGTH, "Content-Length", "l"},
	{SIP_HDR_CONTENT_TYPE, "Content-Type", "c"},
	{SIP_HDR_CSEQ, "CSeq", NULL},
	{SIP_HDR_EVENT, "Event", "o"},
	{SIP_HDR_EXPIRES, "Expires", NULL},
	{SIP_HDR_FROM, "From", "f"},
	{SIP_HDR_MAX_FORWARDS, "Max-Forwards", NULL},
	{SIP_HDR_MIN_EXPIRES, "Min-Expires", NULL},
	{SIP_HDR_P_ACCESS_NETWORK_INFO, "P-Access-Network-Info", NULL},
	{SIP_HDR_P_ASSERTED_IDENTITY, "P-Asserted-Identity", NULL},
	{SIP_HDR_P_ASSOCIATED_URI, "P-Associated-URI", NULL},
	{SIP_HDR_P_CALLED_PARTY_ID, "P-Called-Party-ID", NULL},
	{SIP_HDR_P_CHARGING_VECTOR, "P-Charging-Vector", NULL},
	{SIP_HDR_P_PREFERRED_IDENTITY, "P-Preferred-Identity", NULL},
	{SIP_HDR_P_VISITED_NETWORK_ID, "P-Visited-Network-ID", NULL},
	{SIP_HDR_PATH, "Path", NULL},
	{SIP_HDR_PROXY_REQUIRE, "Proxy-Require", NULL},
	{SIP_HDR_RECORD_ROUTE, "Record-Route", NULL},
	{SIP_HDR_REQUIRE, "Require", NULL},
	{SIP_HDR_RETRY_AFTER, "Retry-After", NULL},
	{SIP_HDR_ROUTE, "Route", NULL},
	{SIP_HDR_SECURITY_CLIENT, "Security-Client", NULL},
	{SIP_HDR_SECURITY_SERVER, "Security-Server", NULL},
	{SIP_HDR_SECURITY_VERIFY, "Security-Verify", NULL},
	{SIP_HDR_SERVICE_ROUTE, "Service-Route", NULL},
	{SIP_HDR_SUBSCRIPTION_STATE, "Subscription-State", NULL},
	{SIP_HDR_SUPPORTED, "Supported", "k"},
	{SIP_HDR_TO, "To", "t"},
	{SIP_HDR_UNSUPPORTED, "Unsupported", NULL},
	{SIP_HDR_VIA, "Via", "v"},
	{SIP_HDR_WARNING, "Warning", NULL},
	{SIP_HDR_WWW_AUTHENTICATE, "WWW-Authenticate", NULL},
};

static void check_cases(const char *name, enum sip_hdr id)
{
	char text[32];
	size_t n = strlen(name);

	for (unsigned i = 0; i < 3; i++) {
		for (size_t k = 0; k < n; k++)
			text[k] = (char)(i == 0	  ? name[k]
					 : i == 1 ? tolower(name[k])
						  : toupper(name[k]));
		assert_int_equal(sip_header_id((struct sv){text, n}), id);
	}
}

static void test_all(void **state)
{
	(void)state;
	assert_int_equal(N_OF(names), SIP_HDR_COUNT - 1);
	for (size_t i = 0; i < N_OF(names); i++) {
		check_cases(names[i].name, names[i].id);
		if (names[i].compact)
			check_cases(names[i].compact, names[i].id);
	}
}

/* One character more, less or other, and it is another name. */
static void test_near_misses(void **state)
{
	char text[40];

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++) {
		size_t n = strlen(names[i].name);

		snprintf(text, sizeof(text), "%sx", names[i].name);
		assert_int_equal(sip_header_id((struct sv){text, n + 1}), SIP_HDR_OTHER);
		for (size_t k = 0; k < n; k++) {
			snprintf(text, sizeof(text), "%s", names[i].name);
			text[k] = '~';
			assert_int_equal(sip_header_id((struct sv){text, n}), SIP_HDR_OTHER);
		}
	}
	assert_int_equal(sip_header_id(SV("")), SIP_HDR_OTHER);
	assert_int_equal(sip_header_id(SV("s")), SIP_HDR_OTHER);
	assert_int_equal(sip_header_id(SV("subject")), SIP_HDR_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_near_misses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
