#include "control/conf/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/base/parse.h"
#include "control/conf/key.h"

#define MAX_FILE 65535 /* octets, and so lines: libconfig counts those in 16 bits */

void conf_fault(struct loader *l, unsigned line, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->faults++;
	if (l->report)
		l->report(l->arg, l->file, line ? line : 1, text);
}

static const struct conf_key *key_find(const char *path, size_t *index)
{
	for (size_t i = 0; i < conf_n_keys; i++)
		if (strcmp(conf_keys[i].path, path) == 0) {
			*index = i;
			return &conf_keys[i];
		}
	return NULL;
}

bool conf_is_set(const struct loader *l, const char *path)
{
	size_t i;

	return key_find(path, &i) && l->lines[i];
}

unsigned conf_line(const struct loader *l, const char *path)
{
	const config_setting_t *s = NULL;
	const char *dot = strchr(path, '.');
	char group[64];
	size_t i;

	if (key_find(path, &i) && l->lines[i])
		return l->lines[i];
	if (dot) {
		snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
		s = config_lookup(l->config, group);
	}
	return s ? config_setting_source_line(s) : 1;
}

/* Names of the keys (or groups) that may stand where `group` ("" or "name.") says. */
static void known_list(const char *group, char *list, size_t cap)
{
	size_t prefix = strlen(group), n = 0;
	struct sv last = {NULL, 0};

	list[0] = '\0';
	for (size_t i = 0; i < conf_n_keys && n < cap; i++) {
		const char *path = conf_keys[i].path;
		struct sv name;

		if (strncmp(path, group, prefix) != 0)
			continue;
		name = (struct sv){path + prefix, strcspn(path + prefix, ".")};
		if (!sv_eq(name, last))
			n += (size_t)snprintf(list + n, cap - n, "%s%.*s", n ? ", " : "",
					      SV_ARG(name));
		last = name;
	}
}

static bool group_known(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < conf_n_keys; i++)
		if (strncmp(conf_keys[i].path, name, n) == 0 && conf_keys[i].path[n] == '.')
			return true;
	return false;
}

static void unknown_key(struct loader *l, const config_setting_t *s, const char *group)
{
	char list[512];

	known_list(group, list, sizeof(list));
	conf_fault(l, config_setting_source_line(s), "unknown key %s%s: expected one of %s", group,
		   config_setting_name(s), list);
}

static void *field_of(struct loader *l, const struct conf_key *k)
{
	return (char *)l->c + k->field;
}

static void load_key(struct loader *l, config_setting_t *s, const char *group)
{
	const struct conf_key *k;
	char path[128];
	size_t i;

	snprintf(path, sizeof(path), "%s%s", group, config_setting_name(s));
	k = key_find(path, &i);
	if (!k) {
		unknown_key(l, s, group);
		return;
	}
	l->lines[i] = config_setting_source_line(s);
	k->type->read(l, k, s, field_of(l, k));
}

static void load_group(struct loader *l, config_setting_t *s)
{
	char prefix[128];

	if (!config_setting_is_group(s)) {
		conf_fault(l, config_setting_source_line(s), "%s: expected a group, { ... }",
			   config_setting_name(s));
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s.", config_setting_name(s));
	for (int i = 0; i < config_setting_length(s); i++)
		load_key(l, config_setting_get_elem(s, (unsigned)i), prefix);
}

static void load_settings(struct loader *l, const config_t *config)
{
	config_setting_t *root = config_root_setting(config);

	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *s = config_setting_get_elem(root, (unsigned)i);

		if (group_known(config_setting_name(s)))
			load_group(l, s);
		else
			load_key(l, s, "");
	}
}

/* The table's defaults pass through the same readers as the file, and come first: so a faulty
 * setting leaves its default, and makes no further faults below. */
static void load_default(struct loader *l, const struct conf_key *k)
{
	char text[256];
	config_t config;

	config_init(&config);
	snprintf(text, sizeof(text), "default = %s;", k->fallback);
	if (config_read_string(&config, text))
		k->type->read(l, k, config_lookup(&config, "default"), field_of(l, k));
	else
		conf_fault(l, 0, "%s: default unreadable", k->path);
	config_destroy(&config);
}

static void load_defaults(struct loader *l)
{
	for (size_t i = 0; i < conf_n_keys; i++)
		if (conf_keys[i].fallback)
			load_default(l, &conf_keys[i]);
}

/* `text` ends with a NUL. */
static void load_config(struct loader *l, const char *text)
{
	config_t config;

	config_init(&config);
	l->config = &config;
	if (!config_read_string(&config, text)) {
		conf_fault(l, (unsigned)config_error_line(&config), "%s",
			   config_error_text(&config));
	} else {
		load_defaults(l);
		load_settings(l, &config);
		conf_check(l);
	}
	config_destroy(&config);
}

unsigned conf_load_text(struct esp_conf *c, const char *text, size_t n, const char *name,
			const char *run_dir, conf_error_h *report, void *arg)
{
	struct loader l = {.c = c, .file = name, .run_dir = run_dir, .report = report, .arg = arg};
	char *copy;

	memset(c, 0, sizeof(*c));
	if (n > MAX_FILE) {
		conf_fault(&l, 1, "expected %d octets or less", MAX_FILE);
		return l.faults;
	}
	copy = sv_dup((struct sv){text, n});
	l.lines = calloc(conf_n_keys, sizeof(*l.lines));
	if (copy && l.lines) {
		conf_scan(&l, copy, n);
		if (l.faults == 0)
			load_config(&l, copy);
	} else {
		conf_fault(&l, 1, "out of memory");
	}
	if (l.faults)
		conf_free(c);
	free(l.lines);
	if (copy) /* keys may stand in it */
		explicit_bzero(copy, n);
	free(copy);
	return l.faults;
}

/* Reads at most cap octets; how many, or negative errno. */
static long file_read_all(const char *path, char *buf, size_t cap)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	long n;

	if (!f)
		return -errno;
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		n = -EISDIR;
	else
		n = (long)fread(buf, 1, cap, f);
	if (ferror(f))
		n = -EIO;
	fclose(f);
	return n;
}

unsigned conf_load(struct esp_conf *c, const char *path, const char *run_dir, conf_error_h *report,
		   void *arg)
{
	struct loader l = {.file = path, .report = report, .arg = arg};
	char *text = malloc(MAX_FILE + 1);
	long n = text ? file_read_all(path, text, MAX_FILE + 1) : -ENOMEM;

	memset(c, 0, sizeof(*c));
	if (n < 0)
		conf_fault(&l, 1, "cannot be read: %s", strerror((int)-n));
	else
		l.faults = conf_load_text(c, text, (size_t)n, path, run_dir, report, arg);
	if (text)
		explicit_bzero(text, MAX_FILE + 1);
	free(text);
	return l.faults;
}

void conf_free(struct esp_conf *c)
{
	free(c->ue_port);
	free(c->host_port);
	free(c->cores);
	free(c->pci_allow);
	free(c->realm);
	free(c->pcscf_host);
	free(c->icscf_host);
	free(c->scscf_host);
	free(c->ecscf_host);
	free(c->visited_network);
	free(c->hss_path);
	free(c->digest_realm);
	free(c->digest_domain);
	for (unsigned i = 0; i < c->n_digest_hss_realms; i++)
		free(c->digest_hss_realms[i]);
	free(c->socket_path);
	free(c->tls_certificate);
	free(c->tls_key);
	free(c->tls_suites);
	if (c->static_sas)
		explicit_bzero(c->static_sas, c->n_static_sas * sizeof(*c->static_sas));
	free(c->static_sas);
	memset(c, 0, sizeof(*c));
}

static void key_print(FILE *out, const struct conf_key *k)
{
	fprintf(out, "%s: %s", k->path, k->type->noun);
	if (k->type == &conf_number)
		fprintf(out, ", %lld to %lld", (long long)k->min, (long long)k->max);
	for (const struct conf_word *w = k->words; w && w->word; w++)
		fprintf(out, "%s \"%s\"", w == k->words ? ":" : ",", w->word);
	fprintf(out, "\n\t%s\n", k->help);
	if (k->fallback)
		fprintf(out, "\tdefault: %s\n", k->fallback);
	else if (k->needed_by)
		fprintf(out, "\tmust be set%s\n",
			k->needed_by == CONF_PCSCF ? " for the role \"p-cscf\""
			: k->needed_by == CONF_HSS ? " for the role \"hss\""
						   : "");
}

void conf_keys_print(FILE *out)
{
	for (size_t i = 0; i < conf_n_keys; i++)
		key_print(out, &conf_keys[i]);
	for (size_t i = 0; i < conf_n_sa_keys; i++)
		key_print(out, &conf_sa_keys[i]);
}

void conf_protected_ports(const struct esp_conf *c, uint16_t *min, uint16_t *max)
{
	*min = (uint16_t)(c->port_ps < c->port_pc_min ? c->port_ps : c->port_pc_min);
	*max = (uint16_t)(c->port_ps > c->port_pc_max ? c->port_ps : c->port_pc_max);
}
