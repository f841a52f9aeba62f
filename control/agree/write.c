#include "control/agree/agree.h"

/* Falls with position and is never the same twice (C-26, RFC 3329 2.3). */
static void write_q(struct sbuf *b, unsigned i, unsigned n)
{
	if (n <= 9)
		sbuf_printf(b, ";q=0.%u", 9 - i);
	else
		sbuf_printf(b, ";q=0.%03u", 999 - i);
}

void agree_write(struct sbuf *b, const struct agree_choice *choices, unsigned n,
		 const struct agree_params *p, bool with_q)
{
	int digits = p->ten_digits ? 10 : 1;

	for (unsigned i = 0; i < n; i++) {
		const struct agree_choice *c = &choices[i];

		sbuf_printf(b, "%sipsec-3gpp", i ? ", " : "");
		if (with_q)
			write_q(b, i, n);
		sbuf_printf(b, ";alg=%s;ealg=%s", agree_alg_name(c->integ),
			    agree_ealg_name(c->encr));
		if (c->mode == SA_MODE_UDP_ENC_TUN)
			sbuf_put(b, SV(";mod=UDP-enc-tun"));
		sbuf_printf(b, ";spi-c=%0*u;spi-s=%0*u;port-c=%u;port-s=%u", digits, p->spi_c,
			    digits, p->spi_s, p->port_c, p->port_s);
	}
}
