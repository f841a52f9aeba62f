#include "control/agree/agree.h"

/* Falls with position and is never the same twice (C-26, RFC 3329 2.3). */
static void write_q(struct sbuf *b, unsigned i, unsigned n)
{
	if (n <= 9)
		sbuf_printf(b, ";q=0.%u", 9 - i);
	else
		sbuf_printf(b, ";q=0.%03u", 999 - i);
}

static void write_ipsec(struct sbuf *b, const struct agree_choice *c, const struct agree_params *p)
{
	int digits = p && p->ten_digits ? 10 : 1;

	sbuf_printf(b, ";alg=%s;ealg=%s", agree_alg_name(c->integ), agree_ealg_name(c->encr));
	if (c->mode == SA_MODE_UDP_ENC_TUN)
		sbuf_put(b, SV(";mod=UDP-enc-tun"));
	if (p)
		sbuf_printf(b, ";spi-c=%0*u;spi-s=%0*u;port-c=%u;port-s=%u", digits, p->spi_c,
			    digits, p->spi_s, p->port_c, p->port_s);
}

void agree_write(struct sbuf *b, const struct agree_choice *choices, unsigned n,
		 const struct agree_params *p, bool with_q)
{
	for (unsigned i = 0; i < n; i++) {
		bool tls = choices[i].type == AGREE_TLS;

		sbuf_printf(b, "%s%s", i ? ", " : "", tls ? "tls" : "ipsec-3gpp");
		if (with_q)
			write_q(b, i, n);
		if (!tls)
			write_ipsec(b, &choices[i], p);
	}
}
