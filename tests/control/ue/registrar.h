/*
 * Any registrar with SIP Digest, played towards a UE without protection. Its digests are OpenSSL's,
 * not those of our own crypto/.
 */
#pragma once

#include "tests/control/ue/harness.h"

#define NONCE	 "dcd98b7102dd2f0e8b11d0f600bfb0c093"
#define PASSWORD "geheim"

struct ue_conf registrar_conf(struct h *h);
struct h *registrar_start(void);

struct registrar_params {
	bool sha256, sess;
	const char *qop; /* NULL: none */
	char nonce[64], cnonce[64], nc[16];
};

/* method "": rspauth */
void registrar_digest(char hex[65], const struct registrar_params *p, const char *method);
/* name=value or name="value" of a field; "" if it is not there */
void registrar_param(const char *field, const char *name, char *value, size_t cap);
/* Authorization of the last message. */
const char *registrar_field(struct h *h);
/* What the last REGISTER says, and whether its response is right. */
void registrar_read(struct h *h, struct registrar_params *p);

void registrar_challenge(struct h *h, const char *rest);
void registrar_ok(struct h *h, const char *fields);
/* The same with the right rspauth. */
void registrar_prove(struct h *h, const struct registrar_params *p, const char *more);
/* SM1 to SM12 with MD5 and qop=auth. */
void registrar_register(struct h *h, struct registrar_params *p);
