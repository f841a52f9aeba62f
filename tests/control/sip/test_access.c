/* P-Access-Network-Info (TS 24.229 7.2A.4): of which access it tells, and whose word it is. */
#include "control/sip/msg.h"
#include "tests/support/test.h"

#define INFO "P-Access-Network-Info: "

/* covers: DN-02, TL-02 */
static void test_is_3gpp(void **state)
{
	static const struct {
		const char *fields;
		bool is;
	} rows[] = {
		{"", false},
		{INFO "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1\r\n", true},
		{INFO "3gpp-nr-fdd\r\n", true},
		{INFO "3GPP\r\n", true},
		{INFO "3GPP2-1X;ci-3gpp2=1\r\n", false},
		{INFO "3GPP2\r\n", false},
		{INFO "3GP\r\n", false},
		{INFO "IEEE-802.11;i-wlan-node-id=00\r\n", false},
		{INFO "IEEE-802.11, 3GPP-NR-TDD;network-provided\r\n", true},
		{INFO "IEEE-802.11\r\n" INFO "3GPP-UTRAN-TDD\r\n", true},
		{INFO "IEEE-802.11;x=\", 3GPP-NR-TDD\"\r\n", false},
	};
	static struct sip_msg m;
	char text[512];

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		snprintf(text, sizeof(text),
			 "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a\r\nTo: "
			 "sip:b\r\n"
			 "Call-ID: c\r\nCSeq: 1 OPTIONS\r\n%s\r\n",
			 rows[i].fields);
		assert_int_equal(sip_msg_parse(&m, sv_of(text)), 0);
		if (sip_access_is_3gpp(&m) != rows[i].is)
			fail_msg("row %u", i);
	}
}

static void test_of_network(void **state)
{
	static const struct {
		const char *value;
		bool is;
	} rows[] = {
		{"3GPP-NR-FDD;network-provided", true},
		{"3GPP-NR-FDD ; utran-cell-id-3gpp=\"1;2\" ; Network-Provided", true},
		{"IEEE-802.11, 3GPP-NR-FDD;x=1;network-provided", true},
		{"3GPP-NR-FDD", false},
		{"3GPP-NR-FDD;network-provided-not", false},
		{"3GPP-NR-FDD;x=\";network-provided\"", false},
		{"network-provided", false},
		{"", false},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++)
		if (sip_access_of_network(sv_of(rows[i].value)) != rows[i].is)
			fail_msg("row %u", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_3gpp),
		cmocka_unit_test(test_of_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
