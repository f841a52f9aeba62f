/* The command line of esplanadectl, taken apart and checked; nothing is done yet. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ARGS_MAX_IMPUS	    32
#define ARGS_DEFAULT_SOCKET "/run/esplanade/control.sock"

enum args_verb {
	ARGS_HELP,
	ARGS_VERSION,
	ARGS_SHOW_REGISTRATIONS,
	ARGS_SHOW_SAS,
	ARGS_SHOW_WORKERS,
	ARGS_SHOW_DROPS,
	ARGS_SHOW_TCP,
	ARGS_SHOW_STATUS,
	ARGS_SUBSCRIBER_ADD,
	ARGS_SUBSCRIBER_PASSWORD,
	ARGS_SUBSCRIBER_LIST,
	ARGS_SUBSCRIBER_DEL,
	ARGS_DEREGISTER,
	ARGS_REAUTH,
	ARGS_CHECK_CERT,
};

/* Strings are those of argv. */
struct args {
	enum args_verb verb;
	const char *socket;
	bool json;
	bool has_limit;
	uint32_t watch_s;	/* 0: once */
	uint32_t offset, limit; /* of a list; limit 0: all */
	const char *impi, *impus[ARGS_MAX_IMPUS];
	unsigned n_impus;
	char *k, *op, *opc; /* hex digits; wiped by who has used them */
	const char *k_file, *amf, *file;
	bool digest;
	const char *ca_file, *crl_file, *name; /* check-cert, of `file` */
	bool legacy;
	const char *password_file, *realm, *variant;
	uint64_t sqn;
	bool reject;
	uint32_t expires; /* s; 0: the daemon's */
};

/* 0; or -EINVAL with what is wrong written to err. May permute argv. */
int args_parse(struct args *a, int argc, char **argv, FILE *err);
void args_help(FILE *out);
