/*
 * access_networks: a list of groups, each with what holds for UEs there instead of what `ipsec`
 * says for all. What a group leaves out is taken from there, once all of the file is read.
 */
#include <string.h>
#include <strings.h>

#include "control/conf/key.h"

static unsigned line_of(const config_setting_t *s)
{
	return config_setting_source_line(s);
}

static void wrong(struct loader *l, const config_setting_t *s, const char *expected)
{
	conf_fault(l, line_of(s), "access_networks.%s: expected %s", config_setting_name(s),
		   expected);
}

/* Begins a header field's value: a token (RFC 3261 25.1) */
static void type_read(struct loader *l, config_setting_t *s, struct conf_network *n)
{
	const char *text = config_setting_get_string(s);

	if (!text || !*text || strlen(text) >= sizeof(n->type) || strpbrk(text, " ;,\"<>\r\n\t"))
		wrong(l, s, "how P-Access-Network-Info begins, like \"IEEE-802.11\"");
	else
		memcpy(n->type, text, strlen(text) + 1);
}

static void source_read(struct loader *l, config_setting_t *s, struct conf_network *n)
{
	const char *text = config_setting_get_string(s);

	if (!text || !conf_prefix_parse(&n->source, text))
		wrong(l, s,
		      "ADDRESS/LENGTH with at least four addresses and no bits set behind LENGTH");
}

static void policy_read(struct loader *l, config_setting_t *s, struct conf_network *n)
{
	const char *text = config_setting_get_string(s);

	n->has_policy = true;
	if (text && strcmp(text, "required") == 0)
		n->policy = CONF_IPSEC_REQUIRED;
	else if (text && strcmp(text, "optional") == 0)
		n->policy = CONF_IPSEC_OPTIONAL;
	else
		wrong(l, s, "\"required\" or \"optional\"");
}

static void bool_read(struct loader *l, config_setting_t *s, bool *has, bool *value)
{
	*has = true;
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		wrong(l, s, "true or false");
	else
		*value = config_setting_get_bool(s);
}

static bool stands_there(const struct conf_network *n, const struct conf_algorithm *a)
{
	for (unsigned i = 0; i < n->n_algorithms; i++)
		if (n->algorithms[i].integ == a->integ && n->algorithms[i].encr == a->encr)
			return true;
	return false;
}

static void algorithms_read(struct loader *l, config_setting_t *s, struct conf_network *n)
{
	int count = config_setting_length(s);

	if ((!config_setting_is_array(s) && !config_setting_is_list(s)) || count == 0)
		wrong(l, s, "a list of alg/ealg");
	for (int i = 0; i < count; i++) {
		const char *text = config_setting_get_string_elem(s, i);
		struct conf_algorithm a;

		if (!text || !conf_algorithm_parse(&a, text) || stands_there(n, &a))
			wrong(l, s, "alg/ealg as in ipsec.algorithms, each once");
		else
			n->algorithms[n->n_algorithms++] = a; /* never more than there are pairs */
	}
}

static void mechanisms_read(struct loader *l, config_setting_t *s, struct conf_network *n)
{
	int count = config_setting_length(s);

	if ((!config_setting_is_array(s) && !config_setting_is_list(s)) || count == 0)
		wrong(l, s, "a list of mechanisms");
	for (int i = 0; i < count; i++)
		if (!conf_mechanism_add(&n->mechanisms, config_setting_get_string_elem(s, i)))
			wrong(l, s, "\"ipsec-3gpp\", \"tls\", \"digest\", each once");
}

static void member_read(struct loader *l, config_setting_t *s, struct conf_network *n)
{
	const char *name = config_setting_name(s);

	if (strcmp(name, "type") == 0)
		type_read(l, s, n);
	else if (strcmp(name, "source") == 0)
		source_read(l, s, n);
	else if (strcmp(name, "mechanisms") == 0)
		mechanisms_read(l, s, n);
	else if (strcmp(name, "policy") == 0)
		policy_read(l, s, n);
	else if (strcmp(name, "algorithms") == 0)
		algorithms_read(l, s, n);
	else if (strcmp(name, "null_encryption") == 0)
		bool_read(l, s, &n->has_null, &n->null_encryption);
	else if (strcmp(name, "spi_ten_digits") == 0)
		bool_read(l, s, &n->has_digits, &n->spi_ten_digits);
	else
		conf_fault(l, line_of(s),
			   "unknown key access_networks.%s: expected one of type, source, "
			   "mechanisms, policy, algorithms, null_encryption, spi_ten_digits",
			   name);
}

static void networks_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			  void *field)
{
	int count = config_setting_length(s);

	(void)field;
	if (!config_setting_is_list(s) || count == 0 || count > CONF_MAX_NETWORKS) {
		conf_fault(l, line_of(s), "%s: expected %s", k->path, k->type->noun);
		return;
	}
	for (int i = 0; i < count; i++) {
		struct conf_network *n = &l->c->networks[l->c->n_networks++];
		config_setting_t *group = config_setting_get_elem(s, (unsigned)i);

		n->line = line_of(group);
		if (!config_setting_is_group(group))
			conf_fault(l, n->line, "%s: expected %s", k->path, k->type->noun);
		for (int j = 0; config_setting_is_group(group) && j < config_setting_length(group);
		     j++)
			member_read(l, config_setting_get_elem(group, (unsigned)j), n);
	}
}

const struct conf_type conf_access_networks = {networks_read,
					       "a list of 1 to 16 groups, ( { ... }, { ... } )"};

/* ---- as a whole --------------------------------------------------------------------------- */

/* Takes over what is left out; leaves what the switches forbid. */
static void network_complete(const struct esp_conf *c, struct conf_network *n)
{
	unsigned kept = 0;

	if (!n->mechanisms.n)
		n->mechanisms = c->mechanisms;
	if (!n->has_policy)
		n->policy = c->ipsec_policy;
	if (!n->has_null)
		n->null_encryption = c->null_encryption;
	if (!n->has_digits)
		n->spi_ten_digits = c->spi_ten_digits;
	if (!n->n_algorithms) {
		memcpy(n->algorithms, c->algorithms, sizeof(n->algorithms));
		n->n_algorithms = c->n_algorithms;
	}
	for (unsigned i = 0; i < n->n_algorithms; i++) {
		const struct conf_algorithm *a = &n->algorithms[i];

		if ((a->integ == SA_INTEG_HMAC_MD5_96 && !c->legacy_hmac_md5_96) ||
		    (a->encr == SA_ENCR_NULL && !n->null_encryption))
			continue;
		n->algorithms[kept++] = *a;
	}
	n->n_algorithms = kept;
}

static bool has_3des(const struct conf_network *n)
{
	for (unsigned i = 0; i < n->n_algorithms; i++)
		if (n->algorithms[i].encr == SA_ENCR_DES_EDE3_CBC)
			return true;
	return false;
}

/* The second could never count. */
static bool hides(const struct conf_network *a, const struct conf_network *b)
{
	return strcasecmp(a->type, b->type) == 0 && a->source.len == b->source.len &&
	       ip_addr_eq(&a->source.addr, &b->source.addr);
}

void conf_check_networks(struct loader *l)
{
	struct esp_conf *c = l->c;

	conf_mechanisms_default(c, &c->mechanisms);
	conf_mechanisms_check(l, conf_line(l, "access.mechanisms"), &c->mechanisms);
	for (unsigned i = 0; i < c->n_networks; i++) {
		struct conf_network *n = &c->networks[i];

		network_complete(c, n);
		conf_mechanisms_check(l, n->line, &n->mechanisms);
		if (!n->type[0] && !n->source.addr.version)
			conf_fault(l, n->line,
				   "access_networks: expected type, source or both in each group");
		for (unsigned j = 0; j < i; j++)
			if (hides(&c->networks[j], n))
				conf_fault(l, n->line,
					   "access_networks: same type and source as in line %u",
					   c->networks[j].line);
		if (has_3des(n) && !c->legacy_des_ede3_cbc)
			conf_fault(
				l, n->line,
				"access_networks: des-ede3-cbc needs legacy.des_ede3_cbc = true");
		if (!n->n_algorithms && c->n_algorithms)
			conf_fault(l, n->line,
				   "access_networks: no algorithm is left that null_encryption and "
				   "legacy.hmac_md5_96 allow");
	}
}
