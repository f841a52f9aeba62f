/*
 * static_sas: a list of groups, one per SA. The table says what may stand in a group; the readers
 * are those of the other keys. What a group needs as a whole is checked here, SAs against each
 * other in statics_check.c.
 */
#include <stdlib.h>
#include <string.h>

#include "control/base/parse.h"
#include "control/conf/key.h"

/* An SA as the group says it; the strings go before the SA is done. */
struct draft {
	struct conf_sa sa;
	char *integ_key, *encr_key, *key_file;
};

#define FIELD(name) offsetof(struct draft, name)
#define HAS(key)    (1u << (key))

enum { DIRECTION, SPI, REMOTE, LOCAL_PORT, REMOTE_PORT, ALGORITHM, INTEG, ENCR, FILE_, REPLAY };

static unsigned line_of(const config_setting_t *s)
{
	return config_setting_source_line(s);
}

/* ---- readers ------------------------------------------------------------------------------ */

/* Hexadecimal fills all 32 bits, and libconfig takes the upmost for a sign. */
static void spi_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	bool hex = config_setting_get_format(s) == CONFIG_FORMAT_HEX;
	int type = config_setting_type(s);
	long long v = config_setting_get_int64(s);

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		v = 0;
	if (type == CONFIG_TYPE_INT && hex)
		v = (uint32_t)v;
	if (v < SA_SPI_MIN || v > UINT32_MAX)
		conf_fault(l, line_of(s), "%s: expected %s, from %d on, found %lld", k->path,
			   k->type->noun, SA_SPI_MIN, v);
	else
		*(uint32_t *)field = (uint32_t)v;
}

static void remote_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			void *field)
{
	const char *text = config_setting_get_string(s);
	struct ip_addr a;

	if (!text || ip_addr_parse(&a, text) || !conf_address_usable(&a))
		conf_fault(l, line_of(s), "%s: expected %s%s%.64s", k->path, k->type->noun,
			   text ? ", found " : "", text ? text : "");
	else
		*(struct ip_addr *)field = a;
}

static void algorithm_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			   void *field)
{
	const char *text = config_setting_get_string(s);

	if (!text || !conf_algorithm_parse(field, text))
		conf_fault(l, line_of(s),
			   "%s: expected hmac-sha-1-96 or hmac-md5-96, '/', and null, aes-cbc or "
			   "des-ede3-cbc%s%.64s",
			   k->path, text ? ", found " : "", text ? text : "");
}

/* Kept until the algorithm is known. A fault does not show it. */
static void hex_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	const char *text = config_setting_get_string(s);
	char **key = field;

	if (!text)
		conf_fault(l, line_of(s), "%s: expected %s", k->path, k->type->noun);
	else if (!(*key = strdup(text)))
		conf_fault(l, 0, "out of memory");
	if (text) /* libconfig gives its memory back as it is */
		explicit_bzero((char *)(uintptr_t)text, strlen(text));
}

static const struct conf_type conf_spi = {spi_read, "an SPI"};
static const struct conf_type conf_remote = {remote_read, "the address of a host"};
static const struct conf_type conf_algorithm = {algorithm_read, "alg/ealg"};
static const struct conf_type conf_hex = {hex_read, "a key in hexadecimal"};

static const struct conf_word direction_words[] = {{"in", CONF_IN}, {"out", CONF_OUT}, {NULL, 0}};

/* In the order of the enum above */
const struct conf_key conf_sa_keys[] = {
	{"static_sas.direction", &conf_word, FIELD(sa.direction), .words = direction_words,
	 .help = "in: ESP from ue_port, clear to host_port; out: the reverse"},
	{"static_sas.spi", &conf_spi, FIELD(sa.spi),
	 .help = "in: no two may be equal modulo sa_sets (rounded up to a power of two)"},
	{"static_sas.remote", &conf_remote, FIELD(sa.remote),
	 .help = "selector: address of the peer; ours is that of access.addresses"},
	{"static_sas.local_port", &conf_number, FIELD(sa.local_port), 1, 65535,
	 .help = "selector: our port, UDP and TCP; one of the protected ports of access"},
	{"static_sas.remote_port", &conf_number, FIELD(sa.remote_port), 1, 65535,
	 .help = "selector: the peer's port"},
	{"static_sas.algorithm", &conf_algorithm, FIELD(sa.algorithm), .help = "alg/ealg"},
	{"static_sas.integ_key", &conf_hex, FIELD(integ_key),
	 .help = "20 octets for hmac-sha-1-96, 16 for hmac-md5-96"},
	{"static_sas.encr_key", &conf_hex, FIELD(encr_key),
	 .help = "16 octets for aes-cbc, 24 for des-ede3-cbc, not set for null"},
	{"static_sas.key_file", &conf_file, FIELD(key_file),
	 .help = "instead of both: a file, mode 0600, of lines \"integ HEX\" and \"encr HEX\""},
	{"static_sas.anti_replay", &conf_bool, FIELD(sa.anti_replay), .fallback = "true",
	 .help = "false: no anti-replay service (RFC 4303 3.4.3); packets may come again and "
		 "again"},
};
const size_t conf_n_sa_keys = sizeof(conf_sa_keys) / sizeof(conf_sa_keys[0]);

/* ---- one SA ------------------------------------------------------------------------------- */

static const char *short_name(const struct conf_key *k)
{
	return strchr(k->path, '.') + 1;
}

/* Index in the table, or -1. */
static int key_of(const config_setting_t *s)
{
	for (size_t i = 0; i < conf_n_sa_keys; i++)
		if (strcmp(short_name(&conf_sa_keys[i]), config_setting_name(s)) == 0)
			return (int)i;
	return -1;
}

/* Reads what stands in the group. Returns which keys did. */
static unsigned group_read(struct loader *l, config_setting_t *group, struct draft *d)
{
	unsigned has = 0;

	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		int at = key_of(s);
		const struct conf_key *k = at < 0 ? NULL : &conf_sa_keys[at];

		if (k) {
			k->type->read(l, k, s, (char *)d + k->field);
			has |= HAS(at);
		} else {
			conf_fault(l, line_of(s), "unknown key static_sas.%s (see --keys)",
				   config_setting_name(s));
		}
	}
	return has;
}

static void key_parse(struct loader *l, const struct draft *d, const char *text, const char *name,
		      uint8_t *key, unsigned len)
{
	if (!text && len)
		conf_fault(l, d->sa.line, "static_sas.%s is missing", name);
	else if (text && !len)
		conf_fault(l, d->sa.line, "static_sas.%s: the algorithm has no such key", name);
	else if (text && !parse_hex(sv_of(text), key, len))
		conf_fault(l, d->sa.line, "static_sas.%s: expected %u hexadecimal digits", name,
			   len * 2);
}

static void keys_read(struct loader *l, struct draft *d)
{
	const struct conf_algorithm *a = &d->sa.algorithm;
	char why[160];

	if (d->key_file && (d->integ_key || d->encr_key))
		conf_fault(l, d->sa.line,
			   "static_sas: expected either key_file, or integ_key and encr_key");
	else if (d->key_file && conf_key_file(d->key_file, a, &d->sa.keys, why, sizeof(why)))
		conf_fault(l, d->sa.line, "%s: %s", d->key_file, why);
	else if (!d->key_file) {
		key_parse(l, d, d->integ_key, "integ_key", d->sa.keys.integ,
			  conf_integ_key_len(a->integ));
		key_parse(l, d, d->encr_key, "encr_key", d->sa.keys.encr,
			  conf_encr_key_len(a->encr));
	}
}

static void string_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void sa_read(struct loader *l, config_setting_t *group, struct conf_sa *sa)
{
	struct draft d = {.sa = {.anti_replay = true, .line = line_of(group)}};
	unsigned before = l->faults, has;

	if (!config_setting_is_group(group)) {
		conf_fault(l, line_of(group), "static_sas: expected groups, ( { ... }, { ... } )");
		return;
	}
	has = group_read(l, group, &d);
	for (unsigned i = DIRECTION; i <= ALGORITHM; i++)
		if (!(has & HAS(i)))
			conf_fault(l, d.sa.line, "%s is missing: expected %s (%s)",
				   conf_sa_keys[i].path, conf_sa_keys[i].type->noun,
				   conf_sa_keys[i].help);
	if (l->faults == before)
		keys_read(l, &d);
	*sa = d.sa;
	string_wipe(d.integ_key);
	string_wipe(d.encr_key);
	free(d.key_file);
	explicit_bzero(&d, sizeof(d));
}

static void statics_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			 void *field)
{
	struct esp_conf *c = l->c;
	int n = config_setting_length(s);

	(void)field;
	if (!config_setting_is_list(s) || n == 0) {
		conf_fault(l, line_of(s), "%s: expected %s", k->path, k->type->noun);
		return;
	}
	c->static_sas = calloc((size_t)n + 1, sizeof(*c->static_sas));
	if (!c->static_sas) {
		conf_fault(l, 0, "out of memory");
		return;
	}
	c->n_static_sas = (unsigned)n;
	for (int i = 0; i < n; i++)
		sa_read(l, config_setting_get_elem(s, (unsigned)i), &c->static_sas[i]);
}

const struct conf_type conf_static_sas = {statics_read, "a list of groups, ( { ... }, { ... } )"};
