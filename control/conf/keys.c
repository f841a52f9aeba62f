/* The table of all keys: the one place to add one. */
#include "control/conf/key.h"

#define FIELD(name) offsetof(struct esp_conf, name)

static const struct conf_word policy_words[] = {
	{"required", CONF_IPSEC_REQUIRED}, {"optional", CONF_IPSEC_OPTIONAL}, {NULL, 0}};
static const struct conf_word clear_words[] = {{"register", CONF_CLEAR_REGISTER},
					       {"register+emergency+error", CONF_CLEAR_EMERGENCY},
					       {NULL, 0}};
static const struct conf_word variant_words[] = {
	{"s-cscf", CONF_VARIANT_SCSCF}, {"hss", CONF_VARIANT_HSS}, {NULL, 0}};
static const struct conf_word level_words[] = {{"error", CONF_LOG_ERROR},
					       {"warning", CONF_LOG_WARNING},
					       {"info", CONF_LOG_INFO},
					       {"debug", CONF_LOG_DEBUG},
					       {NULL, 0}};

const struct conf_key conf_keys[] = {
	{"roles", &conf_roles, FIELD(roles), .needed_by = CONF_ALL_ROLES,
	 .help = "what this process is: \"p-cscf\", \"i-cscf\", \"s-cscf\", \"hss\""},
	{"realm", &conf_host, FIELD(realm), .needed_by = CONF_ALL_ROLES,
	 .help = "home domain: realm of the challenges, Request-URI of REGISTERs"},

	{"names.pcscf", &conf_host, FIELD(pcscf_host), .help = "host name; pcscf.REALM if not set"},
	{"names.icscf", &conf_host, FIELD(icscf_host), .help = "host name; icscf.REALM if not set"},
	{"names.scscf", &conf_host, FIELD(scscf_host), .help = "host name; scscf.REALM if not set"},
	{"names.ecscf", &conf_host, FIELD(ecscf_host),
	 .help = "host name of the next hop of emergency requests; without: 380"},
	{"names.visited_network", &conf_host, FIELD(visited_network),
	 .help = "P-Visited-Network-ID; REALM if not set"},

	{"dataplane.ue_port", &conf_string, FIELD(ue_port), .needed_by = CONF_PCSCF,
	 .help = "DPDK port towards the UEs: PCI address or virtual device with arguments"},
	{"dataplane.host_port", &conf_string, FIELD(host_port),
	 .help = "DPDK port towards the kernel; without one esplanade answers ARP and ND itself"},
	{"dataplane.gateways", &conf_addresses, FIELD(gateways),
	 .help = "without host_port: next hop, one per IP version; none: all UEs are on link"},
	{"dataplane.workers", &conf_number, FIELD(workers), 1, 32, .fallback = "1",
	 .help = "threads that carry packets"},
	{"dataplane.cores", &conf_string, FIELD(cores),
	 .help = "EAL core list: one for control, then one per worker; without: all CPUs"},
	{"dataplane.pci_allow", &conf_string, FIELD(pci_allow),
	 .help = "PCI address that DPDK may touch; without: none but ue_port and host_port"},
	{"dataplane.huge_pages", &conf_bool, FIELD(huge_pages), .fallback = "true",
	 .help = "false: ordinary memory, for trials"},
	{"dataplane.memory_mb", &conf_number, FIELD(memory_mb), 64, 1048576, .fallback = "1024",
	 .help = "megabytes that DPDK may use without huge pages"},
	{"dataplane.buffers", &conf_number, FIELD(buffers), 1024, 16777216, .fallback = "32768",
	 .help = "packet buffers in all"},
	{"dataplane.sa_sets", &conf_number, FIELD(sa_sets), 16, 4194304, .fallback = "65536",
	 .help = "SA sets at once: one per UE and one more while it re-authenticates"},
	{"dataplane.spi_min", &conf_number, FIELD(spi_min), SA_SPI_MIN, UINT32_MAX,
	 .fallback = "256", .help = "lowest SPI of ours; others on this machine may use the rest"},
	{"dataplane.spi_max", &conf_number, FIELD(spi_max), SA_SPI_MIN, UINT32_MAX,
	 .fallback = "4294967295L", .help = "highest SPI of ours"},
	{"dataplane.replay_window", &conf_number, FIELD(replay_window), 32, 1024, .fallback = "128",
	 .help = "packets of the anti-replay window"},
	{"dataplane.mtu", &conf_number, FIELD(mtu), 1280, 9216, .fallback = "1500",
	 .help = "largest IP packet at the UE port"},
	{"dataplane.idle_sleep_us", &conf_number, FIELD(idle_sleep_us), 0, 100000,
	 .fallback = "100", .help = "a worker without work sleeps at most this long; 0: it spins"},

	{"access.addresses", &conf_addresses, FIELD(addresses), .needed_by = CONF_PCSCF,
	 .help = "addresses of the P-CSCF towards the UEs, at most one per IP version"},
	{"access.sip_port", &conf_number, FIELD(sip_port), 1, 65535, .fallback = "5060",
	 .help = "port for REGISTERs in clear"},
	{"access.port_ps", &conf_number, FIELD(port_ps), 1024, 65535, .fallback = "6100",
	 .help = "protected server port"},
	{"access.port_pc_min", &conf_number, FIELD(port_pc_min), 1024, 65535, .fallback = "6101",
	 .help = "lowest protected client port"},
	{"access.port_pc_max", &conf_number, FIELD(port_pc_max), 1024, 65535, .fallback = "6199",
	 .help = "highest protected client port"},

	{"access.reg_event", &conf_bool, FIELD(reg_event), .fallback = "true",
	 .help = "the P-CSCF subscribes to the registration state of each UE"},

	{"ipsec.policy", &conf_word, FIELD(ipsec_policy), .words = policy_words,
	 .fallback = "\"required\"", .help = "optional: UEs that offer no IPsec may register"},
	{"ipsec.algorithms", &conf_algorithms, FIELD(algorithms),
	 .fallback = "[\"hmac-sha-1-96/aes-cbc\", \"hmac-sha-1-96/null\", "
		     "\"hmac-md5-96/aes-cbc\", \"hmac-md5-96/null\"]",
	 .help = "alg/ealg, the preferred first"},
	{"ipsec.null_encryption", &conf_bool, FIELD(null_encryption), .fallback = "true",
	 .help = "false: withdraws pairs with null from ipsec.algorithms"},
	{"ipsec.spi_ten_digits", &conf_bool, FIELD(spi_ten_digits), .fallback = "false",
	 .help = "true: SPIs are written with leading zeros, as TS 33.203 Annex H says"},
	{"ipsec.clear_accept", &conf_word, FIELD(clear_accept), .words = clear_words,
	 .fallback = "\"register\"",
	 .help = "what may come without IPsec: with +emergency, calls to urn:service:sos"},
	{"access_networks", &conf_access_networks, 0,
	 .help = "what differs from ipsec for UEs by their `source` prefix, the `type` that their "
		 "P-Access-Network-Info begins with, or both: policy, algorithms, null_encryption, "
		 "spi_ten_digits; the first that fits"},
	{"legacy.des_ede3_cbc", &conf_bool, FIELD(legacy_des_ede3_cbc), .fallback = "false",
	 .help = "true: des-ede3-cbc may stand in ipsec.algorithms"},
	{"legacy.hmac_md5_96", &conf_bool, FIELD(legacy_hmac_md5_96), .fallback = "true",
	 .help = "false: withdraws hmac-md5-96 from ipsec.algorithms"},

	{"nat.udp_enc_tun", &conf_bool, FIELD(udp_enc_tun), .fallback = "true",
	 .help = "UEs behind NATs: ESP inside UDP, port 4500; false: they are refused"},
	{"nat.aliases", &conf_prefixes, FIELD(aliases),
	 .fallback = "[\"198.18.0.0/15\", \"fd00:e5::/104\"]",
	 .help = "addresses by which the host (TCP) knows UEs behind NATs, one prefix per IP "
		 "version; "
		 "route them to host_port"},

	{"static_sas", &conf_static_sas, 0,
	 .help = "SAs keyed by hand, carried between host_port and ue_port without SIP"},

	{"timers.reg_await_auth", &conf_number, FIELD(reg_await_auth), 10, 3600, .fallback = "240",
	 .help = "seconds a challenge may stay unanswered"},
	{"timers.sa_guard", &conf_number, FIELD(sa_guard), 0, 3600, .fallback = "30",
	 .help = "seconds that SAs outlive the registration"},
	{"timers.sa_linger", &conf_number, FIELD(sa_linger), 1, 600, .fallback = "32",
	 .help = "seconds that SAs outlive the de-registration, for repeats of its answer"},
	{"timers.sa_changeover", &conf_number, FIELD(sa_changeover), 1, 3600, .fallback = "240",
	 .help = "seconds that old SAs last at most after a re-authentication that we wished for"},
	{"timers.t1_ms", &conf_number, FIELD(t1_ms), 10, 60000, .fallback = "2000",
	 .help = "SIP timer T1 towards the UE"},
	{"timers.t2_ms", &conf_number, FIELD(t2_ms), 10, 120000, .fallback = "16000",
	 .help = "SIP timer T2 towards the UE"},
	{"timers.t4_ms", &conf_number, FIELD(t4_ms), 10, 120000, .fallback = "17000",
	 .help = "SIP timer T4 towards the UE"},

	{"registrar.expires_default", &conf_number, FIELD(expires_default), 1, 2592000,
	 .fallback = "3600", .help = "seconds, where the UE asks for nothing"},
	{"registrar.expires_min", &conf_number, FIELD(expires_min), 1, 2592000, .fallback = "60",
	 .help = "seconds; shorter ones are refused (423)"},
	{"registrar.expires_max", &conf_number, FIELD(expires_max), 1, 2592000,
	 .fallback = "600000", .help = "seconds; longer ones are cut"},
	{"registrar.vectors", &conf_number, FIELD(vectors), 1, 8, .fallback = "1",
	 .help = "authentication vectors asked for at once"},
	{"registrar.challenge_protected", &conf_bool, FIELD(challenge_protected),
	 .fallback = "false", .help = "true: refreshes inside ESP are authenticated anew"},

	{"registrar.reauth_expires", &conf_number, FIELD(reauth_expires), 10, 86400,
	 .fallback = "600", .help = "seconds left to a UE that shall authenticate again"},
	{"registrar.reauth_repeats", &conf_number, FIELD(reauth_repeats), 0, 100, .fallback = "0",
	 .help = "how often a UE is asked again before it is de-registered"},

	{"hss.database", &conf_file, FIELD(hss_path), .needed_by = CONF_HSS,
	 .help = "SQLite file of the subscribers; relative to --run-dir"},
	{"hss.sqn_block", &conf_number, FIELD(sqn_block), 1, 65536, .fallback = "32",
	 .help = "sequence numbers reserved per write"},
	{"hss.synchronous", &conf_bool, FIELD(synchronous), .fallback = "true",
	 .help = "true: survives power loss; false: only crashes of the process"},

	{"digest.variant", &conf_word, FIELD(digest_variant), .words = variant_words,
	 .fallback = "\"s-cscf\"",
	 .help = "who checks responses of SIP Digest (TS 33.203 Annex N): the S-CSCF, which gets "
		 "H(A1) for it, or the HSS"},
	{"digest.hss_realms", &conf_realms, FIELD(digest_hss_realms),
	 .help = "realms whose responses the HSS checks, whatever digest.variant says"},
	{"digest.realm", &conf_realm, FIELD(digest_realm),
	 .help = "realm of challenges and of new passwords; realm if not set"},
	{"digest.domain", &conf_realm, FIELD(digest_domain),
	 .help = "domain of challenges; without: none"},
	{"digest.algorithms", &conf_digest_algorithms, FIELD(digest_algorithms),
	 .fallback = "[\"MD5\"]",
	 .help = "\"SHA-256\", \"SHA-256-sess\" (RFC 8760), \"MD5\", \"MD5-sess\": a challenge for "
		 "each, the preferred first"},
	{"digest.without_qop", &conf_bool, FIELD(digest_without_qop), .fallback = "false",
	 .help = "true: answers of clients that know no qop (RFC 2069) count, too"},
	{"digest.before_aka", &conf_bool, FIELD(digest_before_aka), .fallback = "false",
	 .help = "true: who has both is asked for Digest where AKA is not prescribed"},
	{"digest.nonce_lifetime", &conf_number, FIELD(digest_nonce_lifetime), 10, 86400,
	 .fallback = "3600",
	 .help = "seconds that an answered nonce may be used again, with the next count"},
	{"digest.trust_ip_association", &conf_bool, FIELD(digest_trust_ip), .fallback = "false",
	 .help = "true: without TLS, refreshes from the registered address and port need no "
		 "answer"},
	{"digest.tls_required", &conf_bool, FIELD(digest_tls_required), .fallback = "false",
	 .help = "true: who is registered by Digest without TLS can only register, and call for "
		 "help"},

	{"control.socket", &conf_file, FIELD(socket_path),
	 .fallback = "\"/run/esplanade/control.sock\"",
	 .help = "where esplanadectl connects; relative to --run-dir"},
	{"limits.pending_registrations", &conf_number, FIELD(max_pending), 1, 4194304,
	 .fallback = "20000", .help = "registrations under way at once; more are refused"},
	{"limits.emergency_calls", &conf_number, FIELD(max_emergency), 4, 65536, .fallback = "1000",
	 .help = "emergency calls in clear at once; from one address a quarter"},
	{"limits.tcp_connections", &conf_number, FIELD(tcp_connections), 16, 1048576,
	 .fallback = "100000", .help = "protected TCP connections at once; in clear a quarter"},
	{"limits.tcp_idle", &conf_number, FIELD(tcp_idle), 30, 86400, .fallback = "1800",
	 .help = "seconds without a message after which a connection is closed"},
	{"log.level", &conf_word, FIELD(log_level), .words = level_words, .fallback = "\"info\"",
	 .help = "least weight that is written"},
};

const size_t conf_n_keys = sizeof(conf_keys) / sizeof(conf_keys[0]);
