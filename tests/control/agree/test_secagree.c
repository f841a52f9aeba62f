/* tests/vectors/secagree.json */
#include <errno.h>
#include <stdlib.h>

#include "control/agree/agree.h"
#include "tests/support/vectors.h"

/* A REGISTER with the header fields of a case. The caller frees. */
static char *message(const json_t *v, size_t *n)
{
	static const char before[] =
		"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a@x\r\n"
		"To: sip:a@x\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n";
	size_t raw = strlen(vectors_text(v, "raw_hex")) / 2;
	char *text = malloc(sizeof(before) + raw + 2);

	*n = sizeof(before) - 1;
	memcpy(text, before, *n);
	*n += vectors_hex((uint8_t *)text + *n, raw, v, "raw_hex");
	memcpy(text + *n, "\r\n", 2);
	*n += 2;
	return text;
}

static enum sip_hdr id_of(const json_t *header)
{
	const char *name = vectors_text(header, "name");

	if (strcasecmp(name, "Security-Client") == 0)
		return SIP_HDR_SECURITY_CLIENT;
	return strcasecmp(name, "Security-Server") == 0 ? SIP_HDR_SECURITY_SERVER
							: SIP_HDR_SECURITY_VERIFY;
}

/* All values of a case, one after the other, by the strict reader; 0 or its first error. */
static int read_strict(struct agree_list *l, const json_t *v)
{
	const json_t *header, *headers = vectors_member(v, "headers");
	size_t i;
	int err = 0;

	l->n = 0;
	json_array_foreach(headers, i, header)
	{
		size_t n = strlen(vectors_text(header, "value_hex")) / 2;
		char *value = malloc(n + 1);

		vectors_hex((uint8_t *)value, n, header, "value_hex");
		err = agree_parse_value(l, (struct sv){value, n});
		/* the views die with the value: only numbers are compared */
		free(value);
		if (err)
			break;
	}
	return err;
}

static const char *alg_text(uint8_t alg)
{
	return alg == AGREE_UNKNOWN ? NULL : agree_alg_name((enum sa_integ)alg);
}

static const char *ealg_text(uint8_t ealg)
{
	return ealg == AGREE_UNKNOWN ? NULL : agree_ealg_name((enum sa_encr)ealg);
}

/* What we do not know has no name here, and must then be none of those that we should know. */
static void assert_word(const char *ours, const char *const *known, size_t n, const char *want,
			const json_t *v)
{
	if (ours) {
		assert_string_equal(ours, want);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (strcmp(known[i], want) == 0)
			fail_msg("%s: %s was not known", vectors_id(v), want);
}

static void check_ipsec(const struct agree_mech *m, const json_t *want, const json_t *v)
{
	static const char *const algs[] = {"hmac-md5-96", "hmac-sha-1-96"};
	static const char *const ealgs[] = {"null", "aes-cbc", "des-ede3-cbc"};
	static const char *const prots[] = {
		[AGREE_PROT_ESP] = "esp", [AGREE_PROT_AH] = "ah", [AGREE_PROT_UNKNOWN] = NULL};
	static const char *const mods[] = {[AGREE_MOD_TRANS] = "trans",
					   [AGREE_MOD_TUN] = "tun",
					   [AGREE_MOD_UDP_ENC_TUN] = "udp-enc-tun",
					   [AGREE_MOD_UNKNOWN] = NULL};

	assert_int_equal(m->type, AGREE_IPSEC_3GPP);
	assert_word(alg_text(m->alg), algs, N_OF(algs), vectors_text(want, "alg"), v);
	assert_word(ealg_text(m->ealg), ealgs, N_OF(ealgs), vectors_text(want, "ealg"), v);
	assert_word(prots[m->prot], prots, 2, vectors_text(want, "prot"), v);
	assert_word(mods[m->mod], mods, 3, vectors_text(want, "mod"), v);
	assert_int_equal(m->spi_c, vectors_number(want, "spi_c"));
	assert_int_equal(m->spi_s, vectors_number(want, "spi_s"));
	assert_int_equal(m->port_c, vectors_number(want, "port_c"));
	assert_int_equal(m->port_s, vectors_number(want, "port_s"));
}

static void check_mech(const struct agree_mech *m, const json_t *want, const json_t *v, bool usable)
{
	const char *name = vectors_text(want, "mech");

	assert_int_equal(m->q, vectors_is_null(want, "q") ? -1 : (int)vectors_number(want, "q"));
	if (strcmp(name, "ipsec-3gpp") == 0)
		check_ipsec(m, want, v);
	else
		assert_int_equal(m->type, strcmp(name, "tls") == 0 ? AGREE_TLS : AGREE_OTHER);
	if (usable && m->usable != json_is_true(vectors_member(want, "usable")))
		fail_msg("%s: usable is %d", vectors_id(v), m->usable);
}

static void check_list(const struct agree_list *l, const json_t *v, bool usable)
{
	const json_t *mechs = vectors_member(v, "mechs");

	if (l->n != json_array_size(mechs))
		fail_msg("%s: %u mechanisms", vectors_id(v), l->n);
	for (unsigned i = 0; i < l->n; i++)
		check_mech(&l->m[i], json_array_get(mechs, i), v, usable);
}

/* Do all headers of the case have one name? Only then they are one list. */
static bool is_one_list(const json_t *v)
{
	const json_t *headers = vectors_member(v, "headers");
	enum sip_hdr id = id_of(json_array_get(headers, 0));

	for (size_t i = 1; i < json_array_size(headers); i++)
		if (id_of(json_array_get(headers, i)) != id)
			return false;
	return true;
}

/* The same by way of a message: 0, or the error of whoever refused it. */
static int read_message(struct agree_list *l, const json_t *v)
{
	static struct sip_msg m;
	size_t n;
	char *text = message(v, &n);
	int err = sip_msg_parse(&m, (struct sv){text, n});

	if (!err)
		err = agree_parse(l, &m, id_of(json_array_get(vectors_member(v, "headers"), 0)));
	free(text);
	return err;
}

/* covers: HX-01, HX-06, HX-07, HX-08, F01, F02, F31 */
static void test_valid(void **state)
{
	json_t *file = vectors_open("secagree.json", "ims-secagree"), *v;
	static struct agree_list l;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "valid"), i, v)
	{
		if (read_strict(&l, v))
			fail_msg("%s was refused", vectors_id(v));
		check_list(&l, v, true);
		if (!is_one_list(v))
			continue;
		if (read_message(&l, v))
			fail_msg("%s was refused in a message", vectors_id(v));
		check_list(&l, v, true);
	}
	json_decref(file);
}

/* covers: HX-03, HX-05, HX-10 */
static void test_invalid(void **state)
{
	json_t *file = vectors_open("secagree.json", "ims-secagree"), *v;
	static struct agree_list l;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "invalid"), i, v)
	{
		if (read_strict(&l, v) == 0)
			fail_msg("%s was taken", vectors_id(v));
		if (read_message(&l, v) == 0)
			fail_msg("%s was taken in a message", vectors_id(v));
	}
	json_decref(file);
}

/* Either way is right; but what is taken must be read as the vectors say. */
static void test_policy(void **state)
{
	json_t *file = vectors_open("secagree.json", "ims-secagree"), *v;
	static struct agree_list l;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "policy"), i, v)
	{
		if (read_strict(&l, v) == 0)
			check_list(&l, v, false);
		if (read_message(&l, v) == 0)
			check_list(&l, v, false);
	}
	json_decref(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
