/*
 * esplanade-bench tls: the P-CSCF's side of TLS (control/stream with control/tls) in this process,
 * UEs of bare OpenSSL in a child. Rates are per second of CPU time, so that a shared machine and
 * the UEs' share do not count.
 */
#pragma once

#include "bench/bench_options.h"

struct bench_tls_result {
	uint64_t handshakes;
	double seconds;		/* by the clock, of the handshakes */
	double per_core;	/* full handshakes per second of CPU time, ECDSA P-256, TLS 1.3 */
	double floor;		/* the same of bare OpenSSL, memory to memory, server's side only */
	unsigned idle;		/* connections that stood at once */
	double octets_per_idle; /* resident memory of each, without the kernel's */
	unsigned slow;		/* that never end their handshake */
	unsigned good, wanted;	/* messages answered meanwhile, each by a connection of its own */
	double worst_ms;	/* of these, from connect() to the answer */
	bool verified;
};

/* 0 or negative errno. */
int bench_tls(const struct bench_options *o, struct bench_tls_result *r);
void bench_tls_print(const struct bench_options *o, const struct bench_tls_result *r, FILE *f);

/* ---- bench_tls_ue.c: the child */

struct ues; /* a child process that does as it is told, one thing at a time */

struct ues_answer {
	unsigned done, failed;
	double worst_ms;
};

int ues_start(struct ues **up, uint16_t port);
/* Full handshakes one after the other for so long. */
int ues_shake(struct ues *u, double seconds);
/* So many connections from many addresses; they stand until the end. */
int ues_stand(struct ues *u, unsigned n);
/* The same, but they send half of a record's header and no more. */
int ues_dawdle(struct ues *u, unsigned n);
/* So many connections with a request each. */
int ues_ask(struct ues *u, unsigned n);
/* 1: it is through with what it was told; 0: not yet; negative: it has died. */
int ues_poll(struct ues *u, struct ues_answer *a);
void ues_end(struct ues *u);
