/* Both back ends against esp.json and esp_bad.json. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/crypto/esp_packets.h"
#include "tests/support/vectors.h"

#define MAX_PACKET 65536

/* One vector as it looks in clear (laid out) and as it looks on the wire. */
struct vector {
	const json_t *json;
	struct vectors_sa sa;
	unsigned len; /* without ICV */
	uint8_t clear[2048], wire[2048];
};

static unsigned ip_header_len(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? (ip[0] & 15) * 4u : 40;
}

/* ESP as a sender lays it out before protection (RFC 4303 clause 2). */
static unsigned clear_lay_out(struct vector *v)
{
	const json_t *c = v->json;
	uint8_t plain[2048], *p = v->clear;
	size_t plain_len = vectors_hex(plain, sizeof(plain), c, "plain");
	unsigned skip = v->sa.mode == SA_MODE_TRANSPORT ? ip_header_len(plain) : 0;
	uint8_t pad_len = (uint8_t)vectors_number(c, "pad_len");
	uint32_t words[2] = {htonl(v->sa.spi), htonl((uint32_t)vectors_number(c, "seq"))};

	memcpy(p, words, ESP_HEADER_LEN);
	p += ESP_HEADER_LEN;
	p += vectors_hex(p, ESP_MAX_IV, c, "iv");
	memcpy(p, plain + skip, plain_len - skip);
	p += plain_len - skip;
	for (uint8_t i = 1; i <= pad_len; i++)
		*p++ = i;
	*p++ = pad_len;
	*p++ = (uint8_t)vectors_number(c, "next_header");
	return (unsigned)(p - v->clear);
}

static void vector_read(struct vector *v, const json_t *json)
{
	uint8_t prot[2048];
	size_t off = vectors_number(json, "esp_off"), len = vectors_number(json, "esp_len");

	v->json = json;
	vectors_sa(&v->sa, vectors_member(json, "sa"));
	assert_true(off + len <= vectors_hex(prot, sizeof(prot), json, "prot"));
	v->len = clear_lay_out(v);
	if (v->len + ESP_ICV_LEN != len)
		fail_msg("%s: laid out %u octets", vectors_id(json), v->len);
	memcpy(v->wire, prot + off, len);
}

static void octets_check(const struct vector *v, const struct packet *p, const uint8_t *expected,
			 unsigned len)
{
	if (p->job.status != ESP_OK || memcmp(p->octets, expected, len) != 0)
		fail_msg("%s: status %u or octets differ", vectors_id(v->json), p->job.status);
}

static void vectors_run(enum esp_backend backend, unsigned max_batch, bool inbound)
{
	json_t *file = vectors_open("esp.json", "ims-esp"), *cases = vectors_list(file, "cases");
	unsigned n = (unsigned)json_array_size(cases);
	struct vector *vectors = calloc(n, sizeof(*vectors));
	struct packet *packets = calloc(n, sizeof(*packets));

	for (unsigned i = 0; i < n; i++) {
		struct vector *v = &vectors[i];

		vector_read(v, json_array_get(cases, i));
		packet_make(&packets[i], v->len);
		packet_key(&packets[i], backend, v->sa.integ, v->sa.encr, &v->sa.keys);
		memcpy(packets[i].octets, inbound ? v->wire : v->clear,
		       v->len + (inbound ? ESP_ICV_LEN : 0));
	}
	packets_run(backend, packets, n, max_batch, inbound);
	for (unsigned i = 0; i < n; i++) {
		struct vector *v = &vectors[i];

		octets_check(v, &packets[i], inbound ? v->clear : v->wire,
			     v->len + (inbound ? 0 : ESP_ICV_LEN));
		packet_free(&packets[i]);
	}
	free(packets);
	free(vectors);
	json_decref(file);
}

/* covers: DP-03, ES-09, ES-15 */
static void protects_as_the_vectors(void **state)
{
	(void)state;
	for (unsigned max_batch = 1; max_batch <= 512; max_batch *= 8) {
		vectors_run(ESP_BACKEND_IPSEC_MB, max_batch, false);
		vectors_run(ESP_BACKEND_OPENSSL, max_batch, false);
	}
}

/* covers: DP-03, ES-09, ES-15 */
static void opens_as_the_vectors(void **state)
{
	(void)state;
	for (unsigned max_batch = 1; max_batch <= 512; max_batch *= 8) {
		vectors_run(ESP_BACKEND_IPSEC_MB, max_batch, true);
		vectors_run(ESP_BACKEND_OPENSSL, max_batch, true);
	}
}

/* ---- received packets, good and bad ------------------------------------------------------- */

/* The engine's part of a verdict; -1: the packet never gets as far as an engine. */
static int expected_status(const json_t *c)
{
	static const char *const after_icv[] = {"bad_pad_length",  "bad_padding",
						"dummy_packet",	   "bad_inner",
						"bad_next_header", "selector_mismatch"};
	const char *verdict = vectors_text(c, "verdict"), *reason = vectors_text(c, "reason");

	if (strcmp(vectors_text(c, "class"), "ipv6_extension") == 0)
		return -1; /* where ESP begins is the data plane's business */
	if (strcmp(verdict, "accept") == 0)
		return ESP_OK;
	if (!reason || strcmp(verdict, "drop") != 0)
		return -1;
	if (strcmp(reason, "bad_icv") == 0)
		return ESP_BAD_ICV;
	if (strcmp(reason, "bad_block_length") == 0)
		return ESP_ERROR;
	for (unsigned i = 0; i < N_OF(after_icv); i++)
		if (strcmp(reason, after_icv[i]) == 0)
			return ESP_OK;
	return -1;
}

/* Copies ESP out of an IP packet: octets without the ICV, or 0 if there is no ESP to find. */
static unsigned esp_extract(uint8_t *esp, const uint8_t *ip, const struct vectors_sa *sa)
{
	unsigned off = ip_header_len(ip);
	unsigned end = ip[0] >> 4 == 4 ? ip[2] * 256u + ip[3] : 40 + ip[4] * 256u + ip[5];

	if (sa->mode == SA_MODE_UDP_ENC_TUN)
		off += 8;
	if (end < off + ESP_HEADER_LEN + ESP_ICV_LEN)
		return 0;
	memcpy(esp, ip + off, end - off);
	return end - off - ESP_ICV_LEN;
}

static const json_t *sa_find(const json_t *file, const char *id)
{
	const json_t *sas = vectors_list(file, "sas"), *sa;
	size_t i;

	json_array_foreach(sas, i, sa) if (strcmp(vectors_text(sa, "id"), id) == 0) return sa;
	fail_msg("no SA %s", id);
	return NULL;
}

static unsigned bad_packet_make(struct packet *p, const json_t *file, const json_t *c,
				enum esp_backend backend)
{
	static uint8_t ip[MAX_PACKET], esp[MAX_PACKET];
	struct vectors_sa sa;
	unsigned len;

	vectors_sa(&sa, sa_find(file, vectors_text(c, "sa")));
	vectors_hex(ip, sizeof(ip), c, "packet");
	len = esp_extract(esp, ip, &sa);
	if (len == 0)
		return 0;
	packet_make(p, len);
	packet_key(p, backend, sa.integ, sa.encr, &sa.keys);
	memcpy(p->octets, esp, len + ESP_ICV_LEN);
	return 1;
}

static void bad_vectors_run(enum esp_backend backend)
{
	json_t *file = vectors_open("esp_bad.json", "ims-esp-bad"), *c;
	json_t *cases = vectors_list(file, "cases");
	struct packet *packets = calloc(json_array_size(cases), sizeof(*packets));
	const json_t **tested = calloc(json_array_size(cases), sizeof(json_t *));
	unsigned n = 0, seen[3] = {0};
	size_t i;

	json_array_foreach(cases, i, c) if (expected_status(c) >= 0 &&
					    bad_packet_make(&packets[n], file, c, backend))
		tested[n++] = c;
	packets_run(backend, packets, n, 64, true);
	for (unsigned k = 0; k < n; k++) {
		int expected = expected_status(tested[k]);

		if (packets[k].job.status != expected)
			fail_msg("%s: status %u", vectors_id(tested[k]), packets[k].job.status);
		seen[expected]++;
		packet_free(&packets[k]);
	}
	assert_true(seen[ESP_OK] > 0 && seen[ESP_BAD_ICV] > 0 && seen[ESP_ERROR] > 0);
	free(tested);
	free(packets);
	json_decref(file);
}

/* covers: ES-13, DP-03 */
static void refuses_bad_icv_and_bad_length(void **state)
{
	(void)state;
	bad_vectors_run(ESP_BACKEND_IPSEC_MB);
	bad_vectors_run(ESP_BACKEND_OPENSSL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protects_as_the_vectors),
		cmocka_unit_test(opens_as_the_vectors),
		cmocka_unit_test(refuses_bad_icv_and_bad_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
