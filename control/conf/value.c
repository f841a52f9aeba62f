/* Readers of single values: one per type of the table. */
#include <stdlib.h>
#include <string.h>

#include "control/base/parse.h"
#include "control/conf/key.h"

#define MAX_STRING 255

static const char *setting_noun(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a whole number";
	case CONFIG_TYPE_FLOAT:
		return "a fraction";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_GROUP:
		return "a group";
	default:
		return "a list";
	}
}

static void wrong_type(struct loader *l, const struct conf_key *k, const config_setting_t *s)
{
	conf_fault(l, config_setting_source_line(s), "%s: expected %s, found %s", k->path,
		   k->type->noun, setting_noun(s));
}

static void number_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			void *field)
{
	int type = config_setting_type(s);
	long long v = config_setting_get_int64(s);

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		wrong_type(l, k, s);
	else if (v < k->min || v > k->max)
		conf_fault(l, config_setting_source_line(s),
			   "%s: expected %lld to %lld, found %lld", k->path, (long long)k->min,
			   (long long)k->max, v);
	else
		*(uint32_t *)field = (uint32_t)v;
}

static void bool_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		wrong_type(l, k, s);
	else
		*(bool *)field = config_setting_get_bool(s);
}

/* The text of a string setting, or NULL with the fault reported. */
static const char *string_of(struct loader *l, const struct conf_key *k, const config_setting_t *s)
{
	const char *text = config_setting_get_string(s);

	if (!text)
		wrong_type(l, k, s);
	else if (!*text || strlen(text) > MAX_STRING)
		conf_fault(l, config_setting_source_line(s), "%s: expected 1 to %d characters",
			   k->path, MAX_STRING);
	else
		return text;
	return NULL;
}

static void string_store(struct loader *l, char **field, char *text)
{
	if (!text)
		conf_fault(l, 0, "out of memory");
	free(*field);
	*field = text;
}

static void string_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			void *field)
{
	const char *text = string_of(l, k, s);

	if (text)
		string_store(l, field, strdup(text));
}

/* Letters, digits, '-' and '.', in labels that neither are empty nor end in '-' (RFC 1123 2.1). */
static bool host_valid(const char *text)
{
	char before = '.';

	for (; *text; before = *text++) {
		bool alnum = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9');

		if (!alnum && (*text != '-' || before == '.') &&
		    (*text != '.' || before == '.' || before == '-'))
			return false;
	}
	return before != '.' && before != '-';
}

static void host_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	const char *text = string_of(l, k, s);

	if (text && !host_valid(text))
		conf_fault(l, config_setting_source_line(s), "%s: expected %s, found \"%s\"",
			   k->path, k->type->noun, text);
	else if (text)
		string_store(l, field, strdup(text));
}

static void file_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	const char *text = string_of(l, k, s);
	char *path = NULL;

	if (!text)
		return;
	if (!l->run_dir || text[0] == '/' || strcmp(text, ":memory:") == 0)
		path = strdup(text);
	else if (asprintf(&path, "%s/%s", l->run_dir, text) < 0)
		path = NULL;
	string_store(l, field, path);
}

static void words_fault(struct loader *l, const struct conf_key *k, unsigned line,
			const struct conf_word *words, const char *found)
{
	char list[160] = "";
	size_t n = 0;

	for (; words->word && n < sizeof(list); words++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s\"%s\"", n ? ", " : "",
				      words->word);
	conf_fault(l, line, "%s: expected one of %s, found \"%s\"", k->path, list, found);
}

static const struct conf_word *word_find(const struct conf_word *words, const char *text)
{
	for (; words->word; words++)
		if (strcmp(words->word, text) == 0)
			return words;
	return NULL;
}

static void word_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	const char *text = string_of(l, k, s);
	const struct conf_word *w = text ? word_find(k->words, text) : NULL;

	if (w)
		*(int *)field = w->value;
	else if (text)
		words_fault(l, k, config_setting_source_line(s), k->words, text);
}

/* Calls one() for each string of an array or list. */
void conf_strings_each(struct loader *l, const struct conf_key *k, config_setting_t *s,
		       void (*one)(struct loader *l, const struct conf_key *k, unsigned line,
				   const char *text))
{
	int n = config_setting_length(s);

	if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
		wrong_type(l, k, s);
		return;
	}
	if (n == 0)
		conf_fault(l, config_setting_source_line(s), "%s: expected %s, found an empty list",
			   k->path, k->type->noun);
	for (int i = 0; i < n; i++) {
		config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		const char *text = string_of(l, k, e);

		if (text)
			one(l, k, config_setting_source_line(e), text);
	}
}

static void role_one(struct loader *l, const struct conf_key *k, unsigned line, const char *text)
{
	static const struct conf_word words[] = {{"p-cscf", CONF_PCSCF},
						 {"i-cscf", CONF_ICSCF},
						 {"s-cscf", CONF_SCSCF},
						 {"hss", CONF_HSS},
						 {NULL, 0}};
	const struct conf_word *w = word_find(words, text);

	if (!w)
		words_fault(l, k, line, words, text);
	else
		l->c->roles |= (unsigned)w->value;
}

static void roles_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	(void)field;
	conf_strings_each(l, k, s, role_one);
}

bool conf_address_usable(const struct ip_addr *a)
{
	static const uint8_t zero[16];
	bool multicast = a->version == 4 ? a->b[0] >= 224 : a->b[0] == 0xff;

	return !multicast && memcmp(a->b, zero, sizeof(zero)) != 0;
}

static void address_one(struct loader *l, const struct conf_key *k, unsigned line, const char *text)
{
	struct ip_addr *pair = (struct ip_addr *)(void *)((char *)l->c + k->field), a;

	if (ip_addr_parse(&a, text) || !conf_address_usable(&a)) {
		conf_fault(l, line, "%s: expected the address of a host, found \"%s\"", k->path,
			   text);
		return;
	}
	if (pair[a.version == 6].version)
		conf_fault(l, line, "%s: \"%s\" is a second IPv%d address, expected at most one",
			   k->path, text, a.version);
	pair[a.version == 6] = a;
}

static void addresses_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			   void *field)
{
	(void)field;
	conf_strings_each(l, k, s, address_one);
}

/* ADDRESS/LENGTH with at least four addresses. */
bool conf_prefix_parse(struct ip_prefix *p, const char *text)
{
	return parse_prefix(text, p) && conf_address_usable(&p->addr) &&
	       p->len <= (p->addr.version == 4 ? 30 : 126);
}

static void prefix_one(struct loader *l, const struct conf_key *k, unsigned line, const char *text)
{
	struct ip_prefix *pair = (struct ip_prefix *)(void *)((char *)l->c + k->field), p;

	if (!conf_prefix_parse(&p, text)) {
		conf_fault(l, line,
			   "%s: expected ADDRESS/LENGTH with at least four addresses and no bits "
			   "set behind LENGTH, found \"%s\"",
			   k->path, text);
		return;
	}
	if (pair[p.addr.version == 6].addr.version)
		conf_fault(l, line, "%s: \"%s\" is a second IPv%d prefix, expected at most one",
			   k->path, text, p.addr.version);
	pair[p.addr.version == 6] = p;
}

static void prefixes_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			  void *field)
{
	memset(field, 0, 2 * sizeof(struct ip_prefix)); /* the default goes as a whole */
	conf_strings_each(l, k, s, prefix_one);
}

static int name_index(const char *const *names, int n, struct sv name)
{
	for (int i = 0; i < n; i++)
		if (sv_eq(name, sv_of(names[i])))
			return i;
	return -1;
}

bool conf_algorithm_parse(struct conf_algorithm *a, const char *text)
{
	static const char *const integ[SA_INTEG_COUNT] = {
		[SA_INTEG_HMAC_SHA_1_96] = "hmac-sha-1-96",
		[SA_INTEG_HMAC_MD5_96] = "hmac-md5-96",
	};
	static const char *const encr[SA_ENCR_COUNT] = {
		[SA_ENCR_NULL] = "null",
		[SA_ENCR_AES_CBC] = "aes-cbc",
		[SA_ENCR_DES_EDE3_CBC] = "des-ede3-cbc",
	};
	const char *slash = strchr(text, '/');
	int i, e;

	if (!slash)
		return false;
	i = name_index(integ, SA_INTEG_COUNT, (struct sv){text, (size_t)(slash - text)});
	e = name_index(encr, SA_ENCR_COUNT, sv_of(slash + 1));
	if (i < 0 || e < 0)
		return false;
	*a = (struct conf_algorithm){(enum sa_integ)i, (enum sa_encr)e};
	return true;
}

static void algorithm_one(struct loader *l, const struct conf_key *k, unsigned line,
			  const char *text)
{
	struct esp_conf *c = l->c;
	struct conf_algorithm a;

	if (!conf_algorithm_parse(&a, text)) {
		conf_fault(l, line,
			   "%s: expected hmac-sha-1-96 or hmac-md5-96, '/', and null, aes-cbc or "
			   "des-ede3-cbc, found \"%s\"",
			   k->path, text);
		return;
	}
	for (unsigned i = 0; i < c->n_algorithms; i++)
		if (c->algorithms[i].integ == a.integ && c->algorithms[i].encr == a.encr) {
			conf_fault(l, line, "%s: \"%s\" stands there twice", k->path, text);
			return;
		}
	c->algorithms[c->n_algorithms++] = a; /* no doubles: never more than there are pairs */
}

static void algorithms_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			    void *field)
{
	(void)field;
	l->c->n_algorithms = 0;
	conf_strings_each(l, k, s, algorithm_one);
}

const struct conf_type conf_number = {number_read, "a whole number"};
const struct conf_type conf_bool = {bool_read, "true or false"};
const struct conf_type conf_string = {string_read, "a string"};
const struct conf_type conf_host = {host_read, "a host name"};
const struct conf_type conf_file = {file_read, "a file name"};
const struct conf_type conf_word = {word_read, "one of some words"};
const struct conf_type conf_roles = {roles_read, "a list of roles"};
const struct conf_type conf_addresses = {addresses_read, "a list of IP addresses"};
const struct conf_type conf_prefixes = {prefixes_read, "a list of IP prefixes"};
const struct conf_type conf_algorithms = {algorithms_read, "a list of alg/ealg"};
