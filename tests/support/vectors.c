#include "tests/support/vectors.h"

#include <sodium.h>
#include <stdlib.h>

json_t *vectors_open(const char *file, const char *format)
{
	const char *dir = getenv("ESPLANADE_VECTORS");
	char path[4096];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s", dir && *dir ? dir : ESPLANADE_VECTORS_DEFAULT, file);
	root = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (!root)
		fail_msg("%s: %s (line %d)", path, error.text, error.line);
	if (strcmp(vectors_text(root, "format"), format) != 0 ||
	    vectors_number(root, "version") != 1)
		fail_msg("%s: not format %s, version 1", path, format);
	return root;
}

json_t *vectors_list(const json_t *file, const char *name)
{
	json_t *list = json_object_get(file, name);

	if (!json_is_array(list) || json_array_size(list) == 0)
		fail_msg("list %s is missing or empty", name);
	return list;
}

const char *vectors_id(const json_t *v)
{
	const json_t *id = json_object_get(v, "id");

	if (!id)
		id = json_object_get(v, "source");
	return json_is_string(id) ? json_string_value(id) : "?";
}

const json_t *vectors_member(const json_t *v, const char *key)
{
	const json_t *member = json_object_get(v, key);

	if (!member)
		fail_msg("%s: no member %s", vectors_id(v), key);
	return member;
}

bool vectors_is_null(const json_t *v, const char *key)
{
	return json_is_null(vectors_member(v, key));
}

static const json_t *text_member(const json_t *v, const char *key)
{
	const json_t *member = vectors_member(v, key);

	if (!json_is_string(member) && !json_is_null(member))
		fail_msg("%s: %s is not a string", vectors_id(v), key);
	return member;
}

const char *vectors_text(const json_t *v, const char *key)
{
	return json_string_value(text_member(v, key));
}

struct sv vectors_sv(const json_t *v, const char *key)
{
	const json_t *member = text_member(v, key);

	return (struct sv){json_string_value(member), json_string_length(member)};
}

uint64_t vectors_number(const json_t *v, const char *key)
{
	const json_t *member = vectors_member(v, key);

	if (!json_is_integer(member) || json_integer_value(member) < 0)
		fail_msg("%s: %s is not a number", vectors_id(v), key);
	return (uint64_t)json_integer_value(member);
}

size_t vectors_hex(uint8_t *out, size_t room, const json_t *v, const char *key)
{
	struct sv hex = vectors_sv(v, key);
	const char *end = hex.p;
	size_t n = 0;

	if (hex.n > 0 &&
	    (sodium_hex2bin(out, room, hex.p, hex.n, NULL, &n, &end) != 0 || end != hex.p + hex.n))
		fail_msg("%s: %s is not hex or longer than %zu octets", vectors_id(v), key, room);
	return n;
}

void vectors_octets(uint8_t *out, size_t n, const json_t *v, const char *key)
{
	size_t got = vectors_hex(out, n, v, key);

	if (got != n)
		fail_msg("%s: %s has %zu octets, not %zu", vectors_id(v), key, got, n);
}

/* ---- SA objects --------------------------------------------------------------------------- */

static int name_index(const json_t *v, const char *key, const char *const *names, int n)
{
	const char *name = vectors_text(v, key);

	for (int i = 0; i < n; i++)
		if (name && strcmp(name, names[i]) == 0)
			return i;
	fail_msg("%s: %s is unknown", vectors_id(v), key);
	return 0;
}

static void endpoint_read(struct ip_endpoint *e, const json_t *v, const char *addr,
			  const char *port)
{
	if (ip_addr_parse(&e->addr, vectors_text(v, addr)) != 0)
		fail_msg("%s is not an address", addr);
	e->port = (uint16_t)vectors_number(v, port);
}

void vectors_sa(struct vectors_sa *sa, const json_t *v)
{
	static const char *const modes[] = {"transport", "udp-enc-tunnel"};
	static const char *const integs[] = {"hmac-sha-1-96", "hmac-md5-96"};
	static const char *const encrs[] = {"null", "aes-cbc", "des-ede3-cbc"};
	const json_t *sel = vectors_member(v, "sel"), *tunnel = vectors_member(v, "tunnel");

	memset(sa, 0, sizeof(*sa));
	sa->mode = (enum sa_mode)name_index(v, "mode", modes, SA_MODE_COUNT);
	sa->integ = (enum sa_integ)name_index(v, "auth", integs, SA_INTEG_COUNT);
	sa->encr = (enum sa_encr)name_index(v, "enc", encrs, SA_ENCR_COUNT);
	sa->ip = (uint8_t)vectors_number(v, "ip");
	sa->inner_ip = (uint8_t)vectors_number(v, "inner_ip");
	sa->spi = (uint32_t)vectors_number(v, "spi");
	vectors_hex(sa->keys.integ, sizeof(sa->keys.integ), v, "auth_key");
	vectors_hex(sa->keys.encr, sizeof(sa->keys.encr), v, "enc_key");
	endpoint_read(&sa->src, sel, "src", "sport");
	endpoint_read(&sa->dst, sel, "dst", "dport");
	if (json_is_null(tunnel))
		return;
	endpoint_read(&sa->tunnel_src, tunnel, "src", "sport");
	endpoint_read(&sa->tunnel_dst, tunnel, "dst", "dport");
}
