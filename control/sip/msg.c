#include <errno.h>
#include <stddef.h>

#include "control/base/parse.h"
#include "control/sip/header_names.h"
#include "control/sip/msg_check.h"
#include "control/sip/scan.h"

#define BIT(id) (UINT64_C(1) << (id))
/* Two of these would be read differently by different elements, so they are refused (RFC
 * 4475 3.3.8). */
#define ONCE                                                                                       \
	(BIT(SIP_HDR_CALL_ID) | BIT(SIP_HDR_CONTENT_LENGTH) | BIT(SIP_HDR_CSEQ) |                  \
	 BIT(SIP_HDR_FROM) | BIT(SIP_HDR_MAX_FORWARDS) | BIT(SIP_HDR_TO))

_Static_assert(SIP_HDR_COUNT <= 64, "BIT()");
_Static_assert(SIP_MAX_HEADERS < 256, "sip_msg.first");

/* The LF of the CRLF that ends the line at p; NULL if there is none. */
static const char *line_end(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf && lf > p && lf[-1] == '\r' ? lf : NULL;
}

/* The same, but over the folds of a header field. */
static const char *field_end(const char *p, const char *end)
{
	do {
		p = line_end(p, end);
		if (!p)
			return NULL;
	} while (++p < end && scan_is_blank(*p));
	return p - 1;
}

static int field_add(struct sip_msg *m, struct sv name, struct sv value, struct sv line)
{
	enum sip_hdr id = sip_header_id(name);

	if (m->n == SIP_MAX_HEADERS)
		return -E2BIG;
	if (m->first[id] && (ONCE & BIT(id)))
		return -EBADMSG;
	m->h[m->n++] = (struct sip_header){(uint8_t)id, name, value, line};
	if (!m->first[id])
		m->first[id] = (uint8_t)m->n;
	return 0;
}

/* Reads the header field at *pp and moves *pp behind it. */
static int field_read(struct sip_msg *m, const char **pp, const char *end)
{
	struct sv rest = sv_between(*pp, end), name = {*pp, scan_token(rest)};
	const char *lf;

	rest = sv_skip(rest, name.n);
	while (rest.n && scan_is_blank(rest.p[0]))
		rest = sv_skip(rest, 1);
	if (name.n == 0 || rest.n == 0 || rest.p[0] != ':')
		return -EBADMSG;
	rest = sv_skip(rest, 1);
	lf = field_end(rest.p, end);
	if (!lf)
		return -EBADMSG;
	*pp = lf + 1;
	return field_add(m, name, sv_trim(sv_between(rest.p, lf)), sv_between(name.p, lf + 1));
}

/*
 * No NUL, no CR without LF, no LF without CR. One pass without branches over the whole head, which
 * the compiler turns into vector code.
 */
static bool head_is_clean(const char *p, size_t n)
{
	uint8_t bad = 0;

	for (size_t i = 1; i < n; i++) {
		uint8_t lf = p[i] == '\n', cr = p[i - 1] == '\r', nul = p[i] == 0;

		bad |= (uint8_t)((lf ^ cr) | nul);
	}
	return !bad;
}

/* What follows the head; octets beyond Content-Length are not of this message (RFC 3261 18.3). */
static int read_body(struct sip_msg *m, struct sv rest)
{
	uint32_t length;

	if (m->first[SIP_HDR_CONTENT_LENGTH]) {
		if (!parse_u32(sip_msg_value(m, SIP_HDR_CONTENT_LENGTH), SIP_MAX_LENGTH, &length) ||
		    length > rest.n)
			return -EBADMSG;
		rest.n = length;
	}
	m->body = rest;
	return 0;
}

static int read_fields(struct sip_msg *m, const char **pp, const char *end)
{
	const char *p = *pp;
	int err;

	while (end - p >= 2 && p[0] != '\r') {
		err = field_read(m, &p, end);
		if (err)
			return err;
	}
	if (end - p < 2 || p[1] != '\n')
		return -EBADMSG;
	*pp = p + 2;
	return 0;
}

int sip_msg_parse(struct sip_msg *m, struct sv text)
{
	const char *p, *lf, *end;
	int err;

	/* All but h[], of which the first n are set. */
	memset(m, 0, offsetof(struct sip_msg, h));
	memset(m->first, 0, sizeof(*m) - offsetof(struct sip_msg, first));
	if (text.n > SIP_MAX_LENGTH)
		return -E2BIG;
	while (text.n >= 2 && text.p[0] == '\r' && text.p[1] == '\n')
		text = sv_skip(text, 2); /* RFC 3261 7.5 */
	if (text.n == 0)
		return -EBADMSG;
	end = text.p + text.n;
	lf = line_end(text.p, end);
	if (!lf || sip_start_line_read(m, sv_between(text.p, lf - 1)))
		return -EBADMSG;
	m->start_line = sv_between(text.p, lf + 1);
	p = lf + 1;
	err = read_fields(m, &p, end);
	if (err)
		return err;
	if (!head_is_clean(text.p, (size_t)(p - text.p)) || read_body(m, sv_between(p, end)))
		return -EBADMSG;
	m->raw = sv_between(text.p, m->body.p + m->body.n);
	return sip_mandatory_read(m);
}

const struct sip_header *sip_msg_find(const struct sip_msg *m, enum sip_hdr id)
{
	return m->first[id] ? &m->h[m->first[id] - 1] : NULL;
}

const struct sip_header *sip_msg_next(const struct sip_msg *m, const struct sip_header *h)
{
	for (const struct sip_header *i = h + 1; i < m->h + m->n; i++)
		if (i->id == h->id)
			return i;
	return NULL;
}

struct sv sip_msg_value(const struct sip_msg *m, enum sip_hdr id)
{
	const struct sip_header *h = sip_msg_find(m, id);

	return h ? h->value : (struct sv){0};
}
