#include <errno.h>

#include "control/agree/mech.h"
#include "control/agree/param.h"
#include "control/base/parse.h"
#include "control/sip/scan.h"

#define MAX_DIGITS 10 /* spivalue, portvalue: leading zeros, but not without end */

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths */
static bool read_q(struct sv v, int16_t *q)
{
	int value = 0, unit = 100;

	if (v.n == 0 || v.n > 5 || (v.p[0] != '0' && v.p[0] != '1') || (v.n > 1 && v.p[1] != '.'))
		return false;
	for (size_t i = 2; i < v.n; i++, unit /= 10) {
		if (!scan_is_digit(v.p[i]))
			return false;
		value += (v.p[i] - '0') * unit;
	}
	if (v.p[0] == '1')
		value += 1000;
	*q = (int16_t)value;
	return value <= 1000;
}

static bool read_spi(struct sv v, uint32_t *spi)
{
	return v.n <= MAX_DIGITS && parse_u32(v, UINT32_MAX, spi);
}

static bool read_port(struct sv v, uint16_t *port)
{
	uint32_t value;

	if (v.n > MAX_DIGITS || !parse_u32(v, UINT16_MAX, &value) || value == 0)
		return false;
	*port = (uint16_t)value;
	return true;
}

static uint8_t known_or_unknown(int id)
{
	return id < 0 ? AGREE_UNKNOWN : (uint8_t)id;
}

static uint8_t prot_of(struct sv v)
{
	if (sv_caseeq(v, SV("esp")))
		return AGREE_PROT_ESP;
	return sv_caseeq(v, SV("ah")) ? AGREE_PROT_AH : AGREE_PROT_UNKNOWN;
}

static uint8_t mod_of(struct sv v)
{
	if (sv_caseeq(v, SV("trans")))
		return AGREE_MOD_TRANS;
	if (sv_caseeq(v, SV("tun")))
		return AGREE_MOD_TUN;
	return sv_caseeq(v, SV("UDP-enc-tun")) ? AGREE_MOD_UDP_ENC_TUN : AGREE_MOD_UNKNOWN;
}

enum known {
	KNOWN_ALG,
	KNOWN_EALG,
	KNOWN_PROT,
	KNOWN_MOD,
	KNOWN_SPI_C,
	KNOWN_SPI_S,
	KNOWN_PORT_C,
	KNOWN_PORT_S,
	KNOWN_COUNT,
};

static const char *const known_names[KNOWN_COUNT] = {
	[KNOWN_ALG] = "alg",	   [KNOWN_EALG] = "ealg",     [KNOWN_PROT] = "prot",
	[KNOWN_MOD] = "mod",	   [KNOWN_SPI_C] = "spi-c",   [KNOWN_SPI_S] = "spi-s",
	[KNOWN_PORT_C] = "port-c", [KNOWN_PORT_S] = "port-s",
};

/* What an entry cannot do without (HX-05, TS 33.203 Annex H). */
#define MANDATORY                                                                                  \
	(1u << KNOWN_ALG | 1u << KNOWN_SPI_C | 1u << KNOWN_SPI_S | 1u << KNOWN_PORT_C |            \
	 1u << KNOWN_PORT_S)

static unsigned known_of(struct sv name)
{
	unsigned k = 0;

	while (k < KNOWN_COUNT && !sv_caseeq(name, sv_of(known_names[k])))
		k++;
	return k;
}

static bool set_known(struct agree_mech *m, enum known k, struct sv v)
{
	if (!scan_all_token(v)) /* a flag, quoted, or an address */
		return false;
	switch (k) {
	case KNOWN_ALG:
		m->alg = known_or_unknown(agree_alg_of(v));
		return true;
	case KNOWN_EALG:
		m->ealg = known_or_unknown(agree_ealg_of(v));
		return true;
	case KNOWN_PROT:
		m->prot = prot_of(v);
		return true;
	case KNOWN_MOD:
		m->mod = mod_of(v);
		return true;
	case KNOWN_SPI_C:
		return read_spi(v, &m->spi_c);
	case KNOWN_SPI_S:
		return read_spi(v, &m->spi_s);
	case KNOWN_PORT_C:
		return read_port(v, &m->port_c);
	case KNOWN_PORT_S:
		return read_port(v, &m->port_s);
	default:
		return false;
	}
}

static bool is_repeated(const struct sv *seen, unsigned n, struct sv name)
{
	for (unsigned i = 0; i < n; i++)
		if (sv_caseeq(seen[i], name))
			return true;
	return false;
}

/* Parameters of ipsec-3gpp mean something with it only: elsewhere they are just read over (HX-14).
 */
static bool set_param(struct agree_mech *m, const struct agree_param *p, unsigned *have)
{
	unsigned k;

	if (sv_caseeq(p->name, SV("q")))
		return read_q(p->value, &m->q);
	k = known_of(p->name);
	if (m->type != AGREE_IPSEC_3GPP || k == KNOWN_COUNT)
		return true;
	*have |= 1u << k;
	return set_known(m, (enum known)k, p->value);
}

static int read_params(struct agree_mech *m, struct sv rest, unsigned *have)
{
	struct sv seen[AGREE_MAX_PARAMS];
	struct agree_param p;
	unsigned n = 0;
	int more;

	while ((more = agree_param_read(&rest, &p)) > 0) {
		if (n == AGREE_MAX_PARAMS || is_repeated(seen, n, p.name) ||
		    !set_param(m, &p, have))
			return -EBADMSG;
		seen[n++] = p.name;
	}
	return more;
}

static bool is_own_sip_port(uint16_t port)
{
	return port == 5060 || port == 5061; /* TS 33.203 7.1: not for protected traffic */
}

static bool is_usable(const struct agree_mech *m)
{
	return m->type == AGREE_IPSEC_3GPP && m->alg != AGREE_UNKNOWN && m->ealg != AGREE_UNKNOWN &&
	       m->prot == AGREE_PROT_ESP &&
	       (m->mod == AGREE_MOD_TRANS || m->mod == AGREE_MOD_UDP_ENC_TUN) &&
	       m->spi_c >= SA_SPI_MIN && m->spi_s >= SA_SPI_MIN && m->spi_c != m->spi_s &&
	       m->port_c != m->port_s && !is_own_sip_port(m->port_c) && !is_own_sip_port(m->port_s);
}

static enum agree_mech_type type_of(struct sv name)
{
	if (sv_caseeq(name, SV("ipsec-3gpp")))
		return AGREE_IPSEC_3GPP;
	return sv_caseeq(name, SV("tls")) ? AGREE_TLS : AGREE_OTHER;
}

int agree_mech_read(struct agree_mech *m, struct sv element)
{
	struct sv rest = element;
	unsigned have = 0;

	*m = (struct agree_mech){
		.text = sv_trim(element),
		.q = -1,
		.alg = AGREE_UNKNOWN,
		.ealg = SA_ENCR_NULL, /* the defaults: HX-06 */
		.prot = AGREE_PROT_ESP,
		.mod = AGREE_MOD_TRANS,
	};
	if (!agree_name_read(&rest, &m->name))
		return -EBADMSG;
	m->type = type_of(m->name);
	if (read_params(m, rest, &have))
		return -EBADMSG;
	if (m->type == AGREE_IPSEC_3GPP && (have & MANDATORY) != MANDATORY)
		return -EBADMSG;
	m->usable = is_usable(m);
	return 0;
}
