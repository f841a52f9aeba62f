#include <errno.h>
#include <stdint.h>

#include "control/base/parse.h"
#include "control/sip/host.h"
#include "control/sip/scan.h"
#include "ip.h"

static bool is_ipv6(struct sv text)
{
	char buf[IP_ADDR_STRLEN];
	struct ip_addr a;

	if (text.n == 0 || text.n >= sizeof(buf) || memchr(text.p, 0, text.n))
		return false;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	return ip_addr_parse(&a, buf) == 0 && a.version == 6;
}

static int read_ipv6(struct sv *rest, struct sv *host)
{
	const char *close = memchr(rest->p, ']', rest->n);

	if (!close)
		return -EBADMSG;
	*host = sv_between(rest->p + 1, close);
	*rest = sv_between(close + 1, rest->p + rest->n);
	return is_ipv6(*host) ? 0 : -EBADMSG;
}

/* Names and IPv4 addresses. "_" is not in the grammar but in the field. */
static int read_name(struct sv *rest, struct sv *host)
{
	size_t n = 0;

	while (n < rest->n && (scan_is_alpha(rest->p[n]) || scan_is_digit(rest->p[n]) ||
			       rest->p[n] == '.' || rest->p[n] == '-' || rest->p[n] == '_'))
		n++;
	*host = (struct sv){rest->p, n};
	*rest = sv_skip(*rest, n);
	return n ? 0 : -EBADMSG;
}

static int read_port(struct sv *rest, uint16_t *port)
{
	uint32_t value;
	size_t n = 0;

	while (n < rest->n && scan_is_digit(rest->p[n]))
		n++;
	if (!parse_u32((struct sv){rest->p, n}, UINT16_MAX, &value) || value == 0)
		return -EBADMSG;
	*port = (uint16_t)value;
	*rest = sv_skip(*rest, n);
	return 0;
}

int sip_hostport_read(struct sv *rest, bool lws, struct sv *host, uint16_t *port)
{
	struct sv after;
	int err;

	*port = 0;
	if (rest->n == 0)
		return -EBADMSG;
	err = rest->p[0] == '[' ? read_ipv6(rest, host) : read_name(rest, host);
	if (err)
		return err;
	after = lws ? scan_skip_lws(*rest) : *rest;
	if (after.n == 0 || after.p[0] != ':')
		return 0;
	after = sv_skip(after, 1);
	*rest = lws ? scan_skip_lws(after) : after;
	return read_port(rest, port);
}
