/*
 * A UE on simulated time with a P-CSCF that is nothing but text: the test says what it answers.
 * Nonces, keys and digests come from crypto/, which has vectors of its own.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/sip/msg.h"
#include "control/ue/ue.h"

#define H_SENT 128
#define H_SETS 16
#define H_TEXT 8192

#define H_SERVER_PORT 5105 /* the P-CSCF's port_ps */

struct h_sent {
	struct sip_flow flow;
	uint64_t at;
	char text[H_TEXT];
};

struct h_set {
	struct sa_set sa;
	bool reserved, installed, closed; /* closed: without its outbound SAs */
};

struct h {
	struct timers *timers;
	struct ue *ue;
	uint64_t now;
	struct milenage_key key;
	struct sqn_array sqn; /* the card's */
	uint64_t sqn_he;      /* the network's */
	uint8_t rand[16];
	struct aka_vector av; /* of the last challenge */
	struct h_sent sent[H_SENT];
	unsigned n_sent;
	struct h_set sets[H_SETS];
	uint32_t next_spi, next_id;
	unsigned removed, reserve_calls;
	bool ignore_avoid; /* sa_reserve returns next_spi whatever avoid says */
	int install_error;
	unsigned hung_up;
	struct sip_flow last_hung_up;
	int tls_result;		     /* of sending over TLS */
	int stream_result[SA_PAIRS]; /* of sending over TCP on a pair */
	uint16_t port_pc;
	uint32_t spi_p; /* the P-CSCF's next */
	unsigned events[UE_UNPROTECTED + 1];
	char text[256];	   /* of the last event */
	unsigned n_passed; /* to the program behind the UE */
	char passed[H_TEXT];
};

struct ue_conf h_conf(struct h *h); /* the defaults; change, then h_start() */
struct h *h_alloc(void);
void h_start(struct h *h, const struct ue_conf *conf);
int h_try(struct h *h, const struct ue_conf *conf); /* ue_alloc()'s result */
void h_free(struct h *h);

/* Time passes, timers fire. */
void h_advance(struct h *h, uint64_t ms);

struct h_sent *h_last(struct h *h);
/* Value of the first `name:` field in text, or "" (static buffer, four calls deep). */
const char *h_field(const char *text, const char *name);
/* Value of ;name= in a field value; decimal. */
unsigned long h_param(const char *value, const char *name);

struct h_set *h_set(struct h *h, sa_set_id id); /* NULL unless reserved or installed */
unsigned h_installed(const struct h *h);
unsigned h_reserved(const struct h *h);

/* The flow by which the peer's message comes: set 0 is clear. UDP arrives on port_us. */
struct sip_flow h_flow(struct h *h, sa_set_id set);

void h_response_text(char text[H_TEXT], const struct h_sent *to, unsigned status,
		     const char *fields);
/* A response to `to` by flow `set`: status and further fields ("Name: value\r\n"...). */
void h_respond(struct h *h, const struct h_sent *to, sa_set_id set, unsigned status,
	       const char *fields);
void h_input(struct h *h, const struct sip_flow *from, const char *text);
void h_request(struct h *h, sa_set_id set, const char *method, unsigned cseq, const char *branch);

enum h_autn { H_AUTN_GOOD, H_AUTN_BAD_MAC, H_AUTN_OLD };
/* The WWW-Authenticate field of a new vector, into buf; h->av keeps the vector. */
const char *h_challenge_field(struct h *h, enum h_autn autn, char buf[512]);
/* A Security-Server field for all six algorithm pairs, with new SPIs and port_pc. */
const char *h_server_field(struct h *h, char buf[2048]);
/* 401 with both of the above, by `set`. */
void h_challenge(struct h *h, sa_set_id set, enum h_autn autn);
void h_ok(struct h *h, sa_set_id set, unsigned expires); /* 200 to the last REGISTER */

/* SM1 to SM12; the id of the set that it made. */
sa_set_id h_register(struct h *h, unsigned expires);
/* A challenged refresh: SM1 on `old`, up to SM7 sent; the new set's id. */
sa_set_id h_refresh_to_sm7(struct h *h, sa_set_id old);
