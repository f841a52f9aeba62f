/* Command line of esplanade-bench. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sa.h"

enum bench_command {
	BENCH_COMMAND_HELP,
	BENCH_COMMAND_VERSION,
	BENCH_COMMAND_ESP,
	BENCH_COMMAND_CHURN,
	BENCH_COMMAND_SIGNAL,
	BENCH_COMMAND_TLS,
};

#define BENCH_MAX_WORKERS 16
#define BENCH_MAX_SIZE	  1408	  /* with ESP in UDP in IPv6 still below an MTU of 1500 */
#define BENCH_MAX_SAS	  8388608 /* of one direction: as many as a table holds */

#define BENCH_SIGNAL_MIN_SIZE 144

struct bench_options {
	enum bench_command command;
	bool inbound;
	enum sa_mode mode;
	uint8_t ip; /* 4 or 6 */
	enum sa_integ integ;
	enum sa_encr encr;
	uint16_t size; /* octets of the plain IP packet */
	uint32_t sas;  /* of the direction measured */
	double seconds;
	uint16_t workers;
	bool json;
	bool stages; /* cycles by stage as well */
	/* signal: messages per second, and percent of the packets that the wire loses and so on */
	double rate, loss, replay, damage;
	unsigned connections, slow; /* tls: idle ones, and those that never shake hands */
};

/* 0, or -EINVAL and the reason in why. */
int bench_options_parse(struct bench_options *o, int argc, char **argv, char *why, size_t room);
void bench_options_help(FILE *f);

/* Names as in the Security headers (RFC 3329, TS 33.203 Annex H). */
const char *bench_integ_name(enum sa_integ integ);
const char *bench_encr_name(enum sa_encr encr);
const char *bench_mode_name(enum sa_mode mode);

/* Octets of the headers before the payload of a plain packet: IP and UDP. */
unsigned bench_plain_headers(uint8_t ip);
