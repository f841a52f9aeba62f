#include "control/ue/sdp.h"

#include <errno.h>

#include "control/base/parse.h"

#define RTP_PORT 49152 /* of no socket: calls are signalling only */

static void session_write(struct sbuf *b, const struct ip_addr *local)
{
	char host[IP_ADDR_STRLEN];
	unsigned version = local->version;

	ip_addr_format(local, host);
	sbuf_printf(b, "v=0\r\no=- 1 1 IN IP%u %s\r\ns=-\r\nc=IN IP%u %s\r\nt=0 0\r\n", version,
		    host, version, host);
}

void ue_sdp_offer(struct sbuf *b, const struct ip_addr *local)
{
	session_write(b, local);
	sbuf_printf(b,
		    "m=audio %u RTP/AVP 97 101\r\na=rtpmap:97 AMR-WB/16000\r\n"
		    "a=rtpmap:101 telephone-event/16000\r\na=ptime:20\r\na=sendrecv\r\n",
		    RTP_PORT);
}

static bool line_next(struct sv *rest, struct sv *line)
{
	const char *end;
	size_t n;

	if (sv_empty(*rest))
		return false;
	end = memchr(rest->p, '\n', rest->n);
	n = end ? (size_t)(end - rest->p) : rest->n;
	*line = sv_trim((struct sv){rest->p, n});
	n += end != NULL;
	rest->p += n;
	rest->n -= n;
	return true;
}

static struct sv word_next(struct sv *rest)
{
	const char *blank = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
	struct sv word = {rest->p, blank ? (size_t)(blank - rest->p) : rest->n};
	size_t n = word.n + (blank != NULL);

	rest->p += n;
	rest->n -= n;
	return word;
}

/* "m=" MEDIA PORT PROTOCOL FORMAT...; a stream has its place in the answer, refused or not. */
static bool media_answer(struct sbuf *b, struct sv line, bool wanted)
{
	struct sv rest = {line.p + 2, line.n - 2};
	struct sv media = word_next(&rest), port = word_next(&rest), proto = word_next(&rest),
		  format = word_next(&rest);
	bool take = wanted && sv_eq(media, SV("audio")) && !sv_eq(port, SV("0"));

	sbuf_printf(b, "m=%.*s %u %.*s %.*s\r\n", SV_ARG(media), take ? RTP_PORT : 0, SV_ARG(proto),
		    SV_ARG(format));
	return take;
}

int ue_sdp_answer(struct sbuf *b, struct sv offer, const struct ip_addr *local)
{
	struct sv line;
	bool taken = false;

	if (!sv_has_prefix(offer, SV("v=0")))
		return -EINVAL;
	session_write(b, local);
	while (line_next(&offer, &line))
		if (sv_has_prefix(line, SV("m=")))
			taken |= media_answer(b, line, !taken);
	return taken ? 0 : -EINVAL;
}
