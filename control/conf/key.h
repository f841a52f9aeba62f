/* Inside of conf/: the table of keys and what works on it. */
#pragma once

#include <libconfig.h>

#include "control/conf/conf.h"

struct loader;
struct conf_key;

/* A kind of value: stores a setting at `field`, or reports why not. */
struct conf_type {
	void (*read)(struct loader *l, const struct conf_key *k, config_setting_t *s, void *field);
	const char *noun; /* "a whole number" */
};

struct conf_word {
	const char *word;
	int value;
};

struct conf_key {
	const char *path; /* "group.key", or "key" at the top */
	const struct conf_type *type;
	size_t field;		       /* offset in struct esp_conf */
	int64_t min, max;	       /* numbers */
	const struct conf_word *words; /* enums, ended by a NULL word */
	unsigned needed_by;	       /* roles that cannot do without it; ALL_ROLES: nobody can */
	const char *fallback;	       /* in the file's syntax; NULL: none */
	const char *help;
};

#define CONF_ALL_ROLES 0xfu

extern const struct conf_type conf_number, conf_bool, conf_string, conf_host, conf_file, conf_word,
	conf_roles, conf_addresses, conf_prefixes, conf_algorithms, conf_static_sas,
	conf_access_networks;

extern const struct conf_type conf_mechanisms;
extern const struct conf_type conf_digest_algorithms, conf_realm, conf_realms;

extern const struct conf_key conf_keys[], conf_sa_keys[];
extern const size_t conf_n_keys, conf_n_sa_keys;

/* "hmac-sha-1-96/aes-cbc" */
bool conf_algorithm_parse(struct conf_algorithm *a, const char *text);
/* "10.0.0.0/8" */
bool conf_prefix_parse(struct ip_prefix *p, const char *text);
/* Not an address of many, nor none */
bool conf_address_usable(const struct ip_addr *a);

/* One reading of one file. */
struct loader {
	struct esp_conf *c;
	const char *file, *run_dir;
	conf_error_h *report;
	void *arg;
	unsigned faults;
	unsigned *lines; /* per key: where it is set, 0 if it is not */
	const config_t *config;
};

__attribute__((format(printf, 3, 4))) void conf_fault(struct loader *l, unsigned line,
						      const char *fmt, ...);
/* Line of a key by its path; if it is not set, that of its group; else 1. */
unsigned conf_line(const struct loader *l, const char *path);
bool conf_is_set(const struct loader *l, const char *path);

/* Each text of a list, with its line; faults for what is none. */
void conf_strings_each(struct loader *l, const struct conf_key *k, config_setting_t *s,
		       void (*one)(struct loader *l, const struct conf_key *k, unsigned line,
				   const char *text));
/* What libconfig lets pass in silence: see scan.c. */
void conf_scan(struct loader *l, const char *text, size_t n);
/*
 * The file of an SA's keys: "integ HEX" and "encr HEX" on lines of their own, nobody's but its
 * owner's to read. 0, or -EINVAL with the reason in why[cap].
 */
int conf_key_file(const char *path, const struct conf_algorithm *a, struct sa_keys *keys, char *why,
		  size_t cap);
unsigned conf_integ_key_len(enum sa_integ integ);
unsigned conf_encr_key_len(enum sa_encr encr);
/* SAs keyed by hand against each other and the rest */
void conf_check_statics(struct loader *l);
/* false: no mechanism, or it stands there already */
bool conf_mechanism_add(struct conf_mechanisms *m, const char *text);
void conf_mechanisms_default(const struct esp_conf *c, struct conf_mechanisms *m);
void conf_mechanisms_check(struct loader *l, unsigned line, const struct conf_mechanisms *m);
/* What holds in each access network: completed from `ipsec`, and checked */
void conf_check_networks(struct loader *l);
/* SIP Digest: the order of algorithms; the realm where nothing was said */
void conf_check_digest(struct loader *l);
/* Keys against each other; fills what follows from others. */
void conf_check(struct loader *l);
