/*
 * The configuration file as plain values. libconfig reads it, the table in keys.c says what may
 * stand in it; whatever is wrong is reported with file and line, all of it in one go.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ip.h"
#include "sa.h"

#define CONF_MAX_ALGORITHMS 6 /* {sha1, md5} x {null, aes-cbc, 3des} */

enum conf_role {
	CONF_PCSCF = 1,
	CONF_ICSCF = 2,
	CONF_SCSCF = 4,
	CONF_HSS = 8,
};

enum conf_clear { CONF_CLEAR_REGISTER, CONF_CLEAR_EMERGENCY };
enum conf_policy { CONF_IPSEC_OPTIONAL, CONF_IPSEC_REQUIRED };

enum conf_level { CONF_LOG_ERROR, CONF_LOG_WARNING, CONF_LOG_INFO, CONF_LOG_DEBUG };

enum conf_variant { CONF_VARIANT_SCSCF, CONF_VARIANT_HSS };

enum conf_digest { CONF_SHA256, CONF_SHA256_SESS, CONF_MD5, CONF_MD5_SESS, CONF_MAX_DIGESTS };
#define CONF_MAX_REALMS 16

#define CONF_UDP_ENC_PORT 4500 /* RFC 3948 */

struct conf_algorithm {
	enum sa_integ integ;
	enum sa_encr encr;
};

enum conf_direction { CONF_IN, CONF_OUT };

/* One SA keyed by hand. */
struct conf_sa {
	enum conf_direction direction;
	uint32_t spi;
	struct ip_addr remote; /* ours is access.addresses' of the same IP version */
	uint32_t local_port, remote_port;
	struct conf_algorithm algorithm;
	bool anti_replay;
	struct sa_keys keys;
	unsigned line; /* where it begins */
};

#define CONF_MAX_NETWORKS 16
#define CONF_MAX_TYPE	  64

enum conf_mechanism {
	CONF_MECHANISM_IPSEC,
	CONF_MECHANISM_TLS,
	CONF_MECHANISM_DIGEST, /* SIP Digest without TLS */
	CONF_MECHANISMS,
};

struct conf_mechanisms { /* the preferred first */
	uint8_t list[CONF_MECHANISMS];
	unsigned n;
};
bool conf_mechanism_stands(const struct conf_mechanisms *m, enum conf_mechanism which);

/* legacy.tls_indicator (C-06) */
enum conf_tls_indicator {
	CONF_TLS_INDICATOR_PENDING,
	CONF_TLS_INDICATOR_NONE,
	CONF_TLS_INDICATOR_YES,
	CONF_TLS_INDICATOR_REAUTH_YES,
};

/* What holds in one access network; complete once the file is checked. */
struct conf_network {
	char type[CONF_MAX_TYPE]; /* "": any */
	struct ip_prefix source;  /* version 0: any */
	enum conf_policy policy;
	struct conf_mechanisms mechanisms;
	struct conf_algorithm algorithms[CONF_MAX_ALGORITHMS];
	unsigned n_algorithms;
	bool null_encryption, spi_ten_digits;
	bool has_policy, has_null, has_digits;
	unsigned line;
};

/* Strings belong to the struct, or are NULL where nothing was said. */
struct esp_conf {
	/* dataplane */
	char *ue_port, *host_port, *cores, *pci_allow;
	struct ip_addr gateways[2]; /* [0] IPv4, [1] IPv6; version 0: none */
	uint32_t workers, memory_mb, buffers, sa_sets, replay_window, mtu, idle_sleep_us;
	uint32_t spi_min, spi_max;
	bool huge_pages;

	/* access */
	struct ip_addr addresses[2]; /* as gateways; host parts */
	uint32_t sip_port, port_ps, port_pc_min, port_pc_max;

	/* roles and names */
	unsigned roles; /* of enum conf_role */
	char *realm, *pcscf_host, *icscf_host, *scscf_host, *visited_network;
	char *ecscf_host; /* NULL: emergency requests get 380 */

	/* ipsec */
	enum conf_policy ipsec_policy;
	struct conf_algorithm
		algorithms[CONF_MAX_ALGORITHMS]; /* by priority, legacy ones sorted out */
	unsigned n_algorithms;
	bool null_encryption;		   /* pairs without encryption may be taken */
	bool spi_ten_digits;		   /* C-13 */
	struct conf_mechanisms mechanisms; /* access.mechanisms */
	enum conf_tls_indicator tls_indicator;
	enum conf_clear clear_accept;		      /* C-15 */
	bool legacy_des_ede3_cbc, legacy_hmac_md5_96; /* C-02 */

	/* access_networks: the first that fits */
	struct conf_network networks[CONF_MAX_NETWORKS];
	unsigned n_networks;

	/* nat */
	bool udp_enc_tun;	     /* UEs behind NATs are taken (TS 33.203 Annex M) */
	struct ip_prefix aliases[2]; /* as addresses; out of which the host's stack knows them */

	/* tls */
	bool tls_enabled, tls_upgrade, tls_null_suites, legacy_tls10;
	char *tls_certificate, *tls_key, *tls_suites;
	uint32_t tls_port, tls_session_lifetime, tls_handshake; /* s */
	uint32_t tls_connections, tls_per_address, tls_half_open;

	/* static_sas */
	struct conf_sa *static_sas;
	unsigned n_static_sas;

	/* timers: seconds, but milliseconds for t1, t2, t4 */
	uint32_t reg_await_auth, sa_guard, sa_linger, sa_changeover;
	uint32_t t1_ms, t2_ms, t4_ms;

	/* registrar */
	uint32_t expires_default, expires_min, expires_max; /* s */
	uint32_t vectors;
	bool challenge_protected;
	uint32_t reauth_expires, reauth_repeats; /* s; times */
	bool reg_event;				 /* the P-CSCF subscribes */

	/* hss */
	char *hss_path;
	uint32_t sqn_block;
	bool synchronous;

	/* digest */
	enum conf_variant digest_variant;
	char *digest_realm, *digest_domain;
	char *digest_hss_realms[CONF_MAX_REALMS];
	unsigned n_digest_hss_realms;
	enum conf_digest digest_algorithms[CONF_MAX_DIGESTS];
	unsigned n_digest_algorithms;
	bool digest_without_qop, digest_before_aka, digest_trust_ip, digest_tls_required;
	uint32_t digest_nonce_lifetime; /* s */

	/* management, limits, log */
	char *socket_path;
	uint32_t max_pending, max_emergency, tcp_connections, tcp_idle;
	enum conf_level log_level;
};

/* One fault. `line` is 1-based; the text has no newline at its end. */
typedef void conf_error_h(void *arg, const char *file, unsigned line, const char *text);

/*
 * Reads `path`. Relative hss.database and control.socket become paths below run_dir (NULL: the
 * working directory). 0 and *c filled, to be freed by conf_free(); or the number of faults, each
 * reported, and *c empty.
 */
unsigned conf_load(struct esp_conf *c, const char *path, const char *run_dir, conf_error_h *report,
		   void *arg);
/* The same from text of n octets; `name` stands for the file in reports. */
unsigned conf_load_text(struct esp_conf *c, const char *text, size_t n, const char *name,
			const char *run_dir, conf_error_h *report, void *arg);
void conf_free(struct esp_conf *c); /* wipes keys */

/* Every key with its type, range, default and meaning. */
void conf_keys_print(FILE *out);
/* Lowest and highest of the ports that carry nothing in clear: port_ps and all of port_pc. */
void conf_protected_ports(const struct esp_conf *c, uint16_t *min, uint16_t *max);
