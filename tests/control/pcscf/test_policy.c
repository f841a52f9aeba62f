/* What holds in which access network: by the UE's address and what it says of where it is (F16). */
#include "tests/control/pcscf/rig.h"

#define LTE  "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010019B01\r\n"
#define WIFI "P-Access-Network-Info: IEEE-802.11n;i-wlan-node-id=000102030405\r\n"

static struct pcscf_policy policies[] = {
	{.type = "IEEE-802.11",
	 .choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT}},
	 .n_choices = 1,
	 .ipsec_required = true,
	 .spi_ten_digits = true},
	{.source = {.len = 24},
	 .choices = {{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT}},
	 .n_choices = 1},
};

static void with_policies(struct pcscf_conf *conf)
{
	ip_addr_parse(&policies[1].source.addr, "198.51.100.0");
	conf->policies = policies;
	conf->n_policies = N_OF(policies);
}

static const struct {
	const char *addr, *info;
	bool offers;	 /* sha/aes, sha/null, md5/null; else nothing */
	unsigned status; /* of the answer; 0: SM1 passes */
	enum sa_integ integ;
	enum sa_encr encr;
} cases[] = {
	{"192.0.2.77", LTE, true, 0, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC},
	{"192.0.2.77", "", true, 0, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC},
	{"192.0.2.77", LTE, false, 421, 0, 0},
	{"192.0.2.77", WIFI, true, 0, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC},
	{"192.0.2.77", WIFI, false, 421, 0, 0},
	{"198.51.100.9", LTE, true, 0, SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL},
	{"198.51.100.9", LTE, false, 0, SA_INTEG_COUNT, 0}, /* passes in clear */
	{"198.51.100.9", WIFI, false, 421, 0, 0},	    /* the first that fits */
	{"198.51.101.9", LTE, false, 421, 0, 0},
};

/* covers: F16, ES-10, HX-09 */
static void policy_of_the_access_network(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		bool wifi = strcmp(cases[i].info, WIFI) == 0;
		const char *server;
		struct rig_ue u;
		struct rig r = {0};

		rig_init(&r, with_policies);
		rig_ue_init(&u, "alice", cases[i].addr);
		rig_register(&r, &u,
			     &(struct rig_register){.client = cases[i].offers ? u.client : NULL,
						    .extra = cases[i].info,
						    .expires = 600});
		if (cases[i].status) {
			assert_int_equal(r.core.n, 0);
			assert_int_equal(rig_last_ue(&r)->m.status, cases[i].status);
			assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_AGREEMENT], 1);
			server = rig_field(&r, rig_last_ue(&r), SIP_HDR_SECURITY_SERVER);
			assert_int_equal(strstr(server, "hmac-md5-96") == NULL, wifi);
		} else {
			assert_int_equal(r.core.n, 1);
		}
		if (!cases[i].status && cases[i].offers) {
			rig_challenge(&r, &u);
			assert_int_equal(rig_sa(&r, u.set)->integ, cases[i].integ);
			assert_int_equal(rig_sa(&r, u.set)->encr, cases[i].encr);
			server = rig_field(&r, rig_last_ue(&r), SIP_HDR_SECURITY_SERVER);
			assert_int_equal(strstr(server, "spi-c=00000") != NULL, wifi);
			assert_int_equal(strstr(server, ", ") == NULL,
					 wifi || cases[i].addr[2] == '8');
		}
		rig_end(&r);
	}
}

/* Who is made to seem elsewhere in clear says in SM7 where it really is. */
/* covers: F16 */
static void access_network_altered_on_the_way(void **state)
{
	for (unsigned altered = 0; altered < 2; altered++) {
		struct rig_ue u;
		struct rig r = {0};

		(void)state;
		rig_init(&r, with_policies);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u,
			     &(struct rig_register){.client = u.client,
						    .extra = altered ? LTE : WIFI,
						    .expires = 600});
		rig_challenge(&r, &u);
		rig_forget(&r);
		rig_register(&r, &u,
			     &(struct rig_register){.over = u.set,
						    .client = u.client,
						    .verify = u.verify,
						    .authorization = "nonce=\"" RIG_NONCE
								     "\", response=\"00\"",
						    .extra = WIFI,
						    .expires = 600});
		assert_int_equal(r.core.n, !altered);
		if (altered)
			assert_int_equal(rig_last_ue(&r)->m.status, 494);
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_of_the_access_network),
		cmocka_unit_test(access_network_altered_on_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
