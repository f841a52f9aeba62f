/* Numbers and prefixes from text, strictly: all of the view must be it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip.h"
#include "sv.h"

/* Decimal, 1 to 20 digits, leading zeros allowed, <= max. */
bool parse_u64(struct sv text, uint64_t max, uint64_t *value);
static inline bool parse_u32(struct sv text, uint32_t max, uint32_t *value)
{
	uint64_t v;

	if (!parse_u64(text, max, &v))
		return false;
	*value = (uint32_t)v;
	return true;
}

/* ADDRESS/LENGTH without bits set behind LENGTH. */
bool parse_prefix(const char *text, struct ip_prefix *p);

/* Exactly n octets from 2n hex digits of either case. */
bool parse_hex(struct sv text, void *octets, size_t n);
/* Base64 with padding (RFC 4648); at most cap octets to out, *n gets their number. */
bool parse_base64(struct sv text, void *out, size_t cap, size_t *n);
/* Encodes n octets; out has room for 4 * ((n + 2) / 3) + 1, NUL-terminated. */
void format_base64(char *out, const void *octets, size_t n);

struct sv sv_trim(struct sv v);	   /* blanks, tabs, CR and LF off both ends */
struct sv sv_unquote(struct sv v); /* one pair of double quotes off, if there */
bool sv_has_prefix(struct sv v, struct sv prefix);
char *sv_dup(struct sv v); /* malloc'd, NUL-terminated; NULL without memory */
