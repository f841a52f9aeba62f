/*
 * Known-answer vectors (tests/vectors/README.md) for tests: from $ESPLANADE_VECTORS if set, else
 * from the tree. Whatever is wrong with a file fails the running cmocka test and says where.
 */
#pragma once

#include <jansson.h>

#include "sa.h"
#include "sv.h"
#include "tests/support/test.h"

/* An open file; free with json_decref(). Fails for a format or version other than asked for. */
json_t *vectors_open(const char *file, const char *format);
/* One of its lists; fails if it is missing or empty. */
json_t *vectors_list(const json_t *file, const char *name);
/* To say which case is at fault: its "id", else "source", else "?". */
const char *vectors_id(const json_t *v);

/* Members of a case. A missing member fails; null is NULL, an empty view or no octets. */
const json_t *vectors_member(const json_t *v, const char *key);
bool vectors_is_null(const json_t *v, const char *key);
const char *vectors_text(const json_t *v, const char *key);
struct sv vectors_sv(const json_t *v, const char *key);
uint64_t vectors_number(const json_t *v, const char *key);
/* Hex to octets: returns how many; fails if they do not fit in room. */
size_t vectors_hex(uint8_t *out, size_t room, const json_t *v, const char *key);
/* The same for exactly n octets. */
void vectors_octets(uint8_t *out, size_t n, const json_t *v, const char *key);

/* An "SA object": one direction, seen from the sender. */
struct vectors_sa {
	enum sa_mode mode;
	uint8_t ip, inner_ip;
	uint32_t spi;
	enum sa_integ integ;
	enum sa_encr encr;
	struct sa_keys keys;
	struct ip_endpoint src, dst;		   /* selectors */
	struct ip_endpoint tunnel_src, tunnel_dst; /* SA_MODE_UDP_ENC_TUN only, else zero */
};

void vectors_sa(struct vectors_sa *sa, const json_t *v);
