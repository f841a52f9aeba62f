/*
 * Security mechanism agreement (RFC 3329) with the mechanisms of TS 33.203 Annex H, ipsec-3gpp and
 * tls, in one list: Security-Client, Security-Server and Security-Verify.
 */
#pragma once

#include "control/base/sbuf.h"
#include "control/sip/msg.h"
#include "sa.h"

#define AGREE_MAX_MECHS 32

enum agree_mech_type {
	AGREE_IPSEC_3GPP,
	AGREE_TLS,
	AGREE_OTHER,
};

enum agree_prot { AGREE_PROT_ESP, AGREE_PROT_AH, AGREE_PROT_UNKNOWN };
enum agree_mod { AGREE_MOD_TRANS, AGREE_MOD_TUN, AGREE_MOD_UDP_ENC_TUN, AGREE_MOD_UNKNOWN };
#define AGREE_UNKNOWN 0xff /* alg or ealg that we do not know, or alg missing */

struct agree_mech {
	enum agree_mech_type type;
	struct sv name, text; /* views into the message: mechanism name; the whole element */
	int16_t q;	      /* thousandths; -1: absent */
	uint8_t alg, ealg;    /* enum sa_integ, enum sa_encr or AGREE_UNKNOWN */
	uint8_t prot, mod;
	uint32_t spi_c, spi_s; /* 0: absent */
	uint16_t port_c, port_s;
	bool usable; /* ipsec-3gpp that can be set up: alg and ealg known, esp, trans or
		      * UDP-enc-tun, both SPIs >= 256 and different, both ports given, different,
		      * not 5060 or 5061 */
};

struct agree_list {
	unsigned n;
	struct agree_mech m[AGREE_MAX_MECHS];
};

/*
 * Reads all header fields of one kind as one list (HX-01). Broken elements are left out beside good
 * ones (HX-03). -EBADMSG: nothing is left; -ENOENT: no such field; -E2BIG: over AGREE_MAX_MECHS.
 */
int agree_parse(struct agree_list *l, const struct sip_msg *m, enum sip_hdr id);
/*
 * Strict: one value, appended to *l; any error refuses all of it, and *l stays as it was. -EBADMSG;
 * -E2BIG: over AGREE_MAX_MECHS, or longer than 65535 octets.
 */
int agree_parse_value(struct agree_list *l, struct sv value);

/* One entry of our own preference. */
struct agree_choice {
	enum sa_integ integ; /* of ipsec-3gpp, and so are the next two */
	enum sa_encr encr;
	enum sa_mode mode;
	enum agree_mech_type type; /* AGREE_IPSEC_3GPP (0) or AGREE_TLS */
};

/*
 * The first of choices[] that the list offers with a usable mechanism (SU-04; SU-07 when `l` is the
 * P-CSCF's list, whose q falls with position, call agree_choose_server). Index into choices and
 * *mech, or -ENOENT.
 */
int agree_choose(const struct agree_list *l, const struct agree_choice *choices, unsigned n,
		 const struct agree_mech **mech);
/* The UE's side: highest q first, then position; the first entry that choices[] holds (SU-07,
 * HX-04). */
int agree_choose_server(const struct agree_list *l, const struct agree_choice *choices, unsigned n,
			const struct agree_mech **mech);

/*
 * Same entries in the same order with the same parameters (HX-13, SU-10). Blanks, letter case,
 * leading zeros, the order of parameters, and whether a default is said or not, make no difference.
 */
bool agree_equal(const struct agree_list *a, const struct agree_list *b);

struct agree_params {
	uint32_t spi_c, spi_s;
	uint16_t port_c, port_s;
	bool ten_digits; /* SPIs are written with leading zeros (Annex H), not as phones do (F31) */
};

/*
 * Header value with one entry per choice. with_q: q falls with position (C-26, TS-03). Every entry
 * of ipsec-3gpp says alg, ealg, and mod and prot unless they are the defaults, and SPIs and ports;
 * p == NULL: it has none, since no SAs are made. tls has no parameters.
 */
void agree_write(struct sbuf *b, const struct agree_choice *choices, unsigned n,
		 const struct agree_params *p, bool with_q);

const char *agree_alg_name(enum sa_integ integ); /* "hmac-sha-1-96" */
const char *agree_ealg_name(enum sa_encr encr);	 /* "aes-cbc" */
int agree_alg_of(struct sv name);		 /* enum sa_integ or -ENOENT */
int agree_ealg_of(struct sv name);		 /* enum sa_encr or -ENOENT */
