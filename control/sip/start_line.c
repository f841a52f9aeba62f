#include <errno.h>

#include "control/base/parse.h"
#include "control/sip/msg_check.h"
#include "control/sip/scan.h"

#define VERSION SV("SIP/2.0")

/* Method SP Request-URI SP SIP-Version: exactly one blank each (RFC 3261 7.1). */
static int request_line(struct sip_msg *m, struct sv line)
{
	const char *end = line.p + line.n, *blank;
	struct sv rest;

	m->request = true;
	m->method_name = (struct sv){line.p, scan_token(line)};
	rest = sv_skip(line, m->method_name.n);
	if (m->method_name.n == 0 || rest.n == 0 || rest.p[0] != ' ')
		return -EBADMSG;
	rest = sv_skip(rest, 1);
	blank = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
	if (!blank)
		return -EBADMSG;
	m->uri = sv_between(rest.p, blank);
	if (!sip_uri_is_absolute(m->uri) || !sv_caseeq(sv_between(blank + 1, end), VERSION))
		return -EBADMSG;
	m->method = sip_method_of(m->method_name);
	return 0;
}

/* SIP-Version SP Status-Code SP Reason-Phrase; the last SP may be missing with the phrase. */
static int status_line(struct sip_msg *m, struct sv line)
{
	uint32_t status;

	if (line.n < VERSION.n + 4 || !sv_caseeq((struct sv){line.p, VERSION.n}, VERSION) ||
	    line.p[VERSION.n] != ' ')
		return -EBADMSG;
	line = sv_skip(line, VERSION.n + 1);
	if (!parse_u32((struct sv){line.p, 3}, 699, &status) || status < 100)
		return -EBADMSG;
	line = sv_skip(line, 3);
	if (line.n && line.p[0] != ' ')
		return -EBADMSG;
	m->status = status;
	m->reason = line.n ? sv_skip(line, 1) : line;
	return 0;
}

int sip_start_line_read(struct sip_msg *m, struct sv line)
{
	/* A method is a token and has no "/": so this tells the two apart. */
	if (line.n >= 4 && strncasecmp(line.p, "SIP/", 4) == 0)
		return status_line(m, line);
	return request_line(m, line);
}
