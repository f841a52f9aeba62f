#include <stdlib.h>
#include <string.h>

#include "control/base/parse.h"

bool parse_u64(struct sv text, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (text.n == 0 || text.n > 20)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		unsigned digit = (unsigned char)text.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v > max)
		return false;
	*value = v;
	return true;
}

static bool host_bits_clear(const struct ip_prefix *p)
{
	unsigned bits = p->addr.version == 4 ? 32 : 128;

	for (unsigned i = p->len; i < bits; i++)
		if (p->addr.b[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

bool parse_prefix(const char *text, struct ip_prefix *p)
{
	const char *slash = strchr(text, '/');
	char addr[IP_ADDR_STRLEN];
	uint32_t len;

	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return false;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	if (ip_addr_parse(&p->addr, addr) < 0 ||
	    !parse_u32(sv_of(slash + 1), p->addr.version == 4 ? 32 : 128, &len))
		return false;
	p->len = (uint8_t)len;
	return host_bits_clear(p);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool parse_hex(struct sv text, void *octets, size_t n)
{
	uint8_t *o = octets;

	if (text.n % 2 || text.n / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(text.p[2 * i]), low = hex_value(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		o[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The 24 bits of four characters of which the last `pad` are '='; -1 if they are not base64. */
static int32_t base64_group(const char *p, size_t pad)
{
	int32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int v = i >= 4 - pad ? 0 : base64_value(p[i]);

		if (v < 0)
			return -1;
		bits = bits << 6 | v;
	}
	/* RFC 4648 3.5: one text for one value, so bits that are cut off must be zero. */
	return bits & ((1 << 8 * pad) - 1) ? -1 : bits;
}

bool parse_base64(struct sv text, void *out, size_t cap, size_t *n)
{
	size_t pad = 0, len;
	uint8_t *o = out;

	if (text.n % 4)
		return false;
	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	len = text.n / 4 * 3 - pad;
	if (len > cap)
		return false;
	for (size_t i = 0, at = 0; i < text.n; i += 4) {
		int32_t bits = base64_group(text.p + i, i + 4 == text.n ? pad : 0);

		if (bits < 0)
			return false;
		for (int shift = 16; shift >= 0 && at < len; shift -= 8)
			o[at++] = (uint8_t)(bits >> shift);
	}
	*n = len;
	return true;
}

void format_base64(char *out, const void *octets, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *o = octets;

	for (size_t i = 0; i < n; i += 3, out += 4) {
		size_t left = n - i;
		uint32_t bits = (uint32_t)o[i] << 16;

		if (left > 1)
			bits |= (uint32_t)o[i + 1] << 8;
		if (left > 2)
			bits |= o[i + 2];
		out[0] = digits[bits >> 18];
		out[1] = digits[bits >> 12 & 63];
		out[2] = left > 1 ? digits[bits >> 6 & 63] : '=';
		out[3] = left > 2 ? digits[bits & 63] : '=';
	}
	*out = '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sv sv_trim(struct sv v)
{
	while (v.n && is_blank(v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

struct sv sv_unquote(struct sv v)
{
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		return (struct sv){v.p + 1, v.n - 2};
	return v;
}

bool sv_has_prefix(struct sv v, struct sv prefix)
{
	return v.n >= prefix.n && (prefix.n == 0 || memcmp(v.p, prefix.p, prefix.n) == 0);
}

char *sv_dup(struct sv v)
{
	char *s = malloc(v.n + 1);

	if (!s)
		return NULL;
	if (v.n)
		memcpy(s, v.p, v.n);
	s[v.n] = '\0';
	return s;
}
