/* Values and checks of the group `digest`. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/conf/key.h"

static const char *const algorithm_words[CONF_MAX_DIGESTS] = {
	[CONF_SHA256] = "SHA-256",
	[CONF_SHA256_SESS] = "SHA-256-sess",
	[CONF_MD5] = "MD5",
	[CONF_MD5_SESS] = "MD5-sess",
};

static void algorithm_one(struct loader *l, const struct conf_key *k, unsigned line,
			  const char *text)
{
	struct esp_conf *c = l->c;
	unsigned found = 0;

	while (found < CONF_MAX_DIGESTS && strcasecmp(text, algorithm_words[found]) != 0)
		found++;
	if (found == CONF_MAX_DIGESTS) {
		conf_fault(l, line, "%s: expected %s, found \"%s\"", k->path, k->type->noun, text);
		return;
	}
	for (unsigned i = 0; i < c->n_digest_algorithms; i++)
		if (c->digest_algorithms[i] == (enum conf_digest)found) {
			conf_fault(l, line, "%s: \"%s\" stands there twice", k->path, text);
			return;
		}
	c->digest_algorithms[c->n_digest_algorithms++] =
		(enum conf_digest)found; /* no doubles: they fit */
}

static void algorithms_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			    void *field)
{
	(void)field;
	l->c->n_digest_algorithms = 0;
	conf_strings_each(l, k, s, algorithm_one);
}

/* Stands in quotes in header fields, and before a colon in H(A1). */
static bool text_valid(const char *text, const char *without)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] >= 0x7f || strchr(without, text[i]))
			return false;
	return n > 0 && n < 256;
}

static bool realm_take(struct loader *l, const struct conf_key *k, unsigned line, const char *text,
		       char **to)
{
	/* a domain is a URI and may have colons */
	if (!text_valid(text, strcmp(k->path, "digest.domain") == 0 ? "\"\\" : "\"\\:")) {
		conf_fault(l, line, "%s: expected %s, found \"%s\"", k->path, k->type->noun, text);
		return false;
	}
	*to = strdup(text);
	if (!*to)
		conf_fault(l, line, "out of memory");
	return *to;
}

static void realm_read(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field)
{
	const char *text = config_setting_get_string(s);
	char *copy;

	if (!text)
		conf_fault(l, config_setting_source_line(s), "%s: expected %s", k->path,
			   k->type->noun);
	else if (realm_take(l, k, config_setting_source_line(s), text, &copy)) {
		free(*(char **)field);
		*(char **)field = copy;
	}
}

static void realm_one(struct loader *l, const struct conf_key *k, unsigned line, const char *text)
{
	struct esp_conf *c = l->c;

	if (c->n_digest_hss_realms == CONF_MAX_REALMS)
		conf_fault(l, line, "%s: expected at most %d", k->path, CONF_MAX_REALMS);
	else if (realm_take(l, k, line, text, &c->digest_hss_realms[c->n_digest_hss_realms]))
		c->n_digest_hss_realms++;
}

static void realms_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			void *field)
{
	(void)field;
	conf_strings_each(l, k, s, realm_one);
}

static bool is_strong(enum conf_digest algorithm)
{
	return algorithm == CONF_SHA256 || algorithm == CONF_SHA256_SESS;
}

/* A client takes the first that it knows (RFC 8760 2.4): the weak ones must not come first. */
void conf_check_digest(struct loader *l)
{
	struct esp_conf *c = l->c;

	for (unsigned i = 1; i < c->n_digest_algorithms; i++)
		if (is_strong(c->digest_algorithms[i]) && !is_strong(c->digest_algorithms[i - 1]))
			conf_fault(l, conf_line(l, "digest.algorithms"),
				   "digest.algorithms: expected SHA-256 before MD5");
	if (!c->digest_realm && c->realm) {
		c->digest_realm = strdup(c->realm);
		if (!c->digest_realm)
			conf_fault(l, 0, "out of memory");
	}
}

const struct conf_type conf_digest_algorithms = {
	algorithms_read, "a list of SHA-256, SHA-256-sess, MD5 and MD5-sess"};
const struct conf_type conf_realm = {realm_read, "a realm of up to 255 characters"};
const struct conf_type conf_realms = {realms_read, "a list of realms"};
