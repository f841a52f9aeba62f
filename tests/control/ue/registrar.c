#include "tests/control/ue/registrar.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

struct ue_conf registrar_conf(struct h *h)
{
	struct ue_conf c = h_conf(h);

	c.auth = UE_AUTH_DIGEST;
	c.security = UE_SECURITY_NONE;
	c.password = PASSWORD;
	c.n_choices = 0;
	return c;
}

struct h *registrar_start(void)
{
	struct h *h = h_alloc();
	struct ue_conf c = registrar_conf(h);

	h_start(h, &c);
	return h;
}

static void hash(bool sha256, char hex[65], const char *text)
{
	unsigned char md[32];
	unsigned n = 0;

	assert_int_equal(
		EVP_Digest(text, strlen(text), md, &n, sha256 ? EVP_sha256() : EVP_md5(), NULL), 1);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
}

void registrar_digest(char hex[65], const struct registrar_params *p, const char *method)
{
	char text[1024], ha1[65], ha2[65], body[65];

	hash(p->sha256, ha1, "user1_private@home1.net:home1.net:" PASSWORD);
	if (p->sess) {
		snprintf(text, sizeof(text), "%s:%s:%s", ha1, p->nonce, p->cnonce);
		hash(p->sha256, ha1, text);
	}
	hash(p->sha256, body, "");
	snprintf(text, sizeof(text), "%s:sip:home1.net%s%s", method,
		 p->qop && strcmp(p->qop, "auth-int") == 0 ? ":" : "",
		 p->qop && strcmp(p->qop, "auth-int") == 0 ? body : "");
	hash(p->sha256, ha2, text);
	if (p->qop)
		snprintf(text, sizeof(text), "%s:%s:%s:%s:%s:%s", ha1, p->nonce, p->nc, p->cnonce,
			 p->qop, ha2);
	else
		snprintf(text, sizeof(text), "%s:%s:%s", ha1, p->nonce, ha2);
	hash(p->sha256, hex, text);
}

void registrar_param(const char *field, const char *name, char *value, size_t cap)
{
	char key[32];
	const char *at;
	size_t n;

	snprintf(key, sizeof(key), "%s=", name);
	for (at = strstr(field, key); at && at[-1] != ' '; at = strstr(at + 1, key))
		;
	value[0] = '\0';
	if (!at)
		return;
	at += strlen(key);
	at += *at == '"';
	n = strcspn(at, "\",");
	assert_true(n < cap);
	memcpy(value, at, n);
	value[n] = '\0';
}

const char *registrar_field(struct h *h)
{
	return h_field(h_last(h)->text, "Authorization");
}

void registrar_read(struct h *h, struct registrar_params *p)
{
	char response[80], expected[65];

	registrar_param(registrar_field(h), "nonce", p->nonce, sizeof(p->nonce));
	registrar_param(registrar_field(h), "cnonce", p->cnonce, sizeof(p->cnonce));
	registrar_param(registrar_field(h), "nc", p->nc, sizeof(p->nc));
	registrar_param(registrar_field(h), "response", response, sizeof(response));
	registrar_digest(expected, p, "REGISTER");
	assert_string_equal(response, expected);
}

void registrar_ok(struct h *h, const char *fields)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "Contact: <sip:user1_public1@10.45.0.1:5060>;expires=600\r\n%s", fields);
	h_respond(h, h_last(h), 0, 200, text);
}

void registrar_prove(struct h *h, const struct registrar_params *p, const char *more)
{
	char field[512], rspauth[65];

	registrar_digest(rspauth, p, "");
	snprintf(field, sizeof(field), "Authentication-Info: rspauth=\"%s\"%s\r\n", rspauth, more);
	registrar_ok(h, field);
}

void registrar_challenge(struct h *h, const char *rest)
{
	char field[512];

	snprintf(field, sizeof(field), "WWW-Authenticate: Digest realm=\"home1.net\", %s\r\n",
		 rest);
	h_respond(h, h_last(h), 0, 401, field);
}

void registrar_register(struct h *h, struct registrar_params *p)
{
	*p = (struct registrar_params){.qop = "auth"};
	assert_int_equal(ue_register(h->ue, h->now), 0);
	registrar_challenge(h, "nonce=\"" NONCE "\", algorithm=MD5, qop=\"auth\"");
	registrar_read(h, p);
	registrar_prove(h, p, "");
	assert_true(ue_registered(h->ue));
}
