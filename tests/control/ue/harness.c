#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* ---- what the UE asks for ----------------------------------------------------------------- */

static void on_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	struct h *h = ctx;
	struct h_sent *s;

	(void)u;
	if (h->n_sent == H_SENT) { /* forget the older half */
		h->n_sent /= 2;
		memmove(h->sent, h->sent + h->n_sent, h->n_sent * sizeof(*s));
	}
	s = &h->sent[h->n_sent++];
	assert_true(text.n < sizeof(s->text));
	s->flow = *flow;
	s->at = h->now;
	memcpy(s->text, text.p, text.n);
	s->text[text.n] = '\0';
	if (flow->set) {
		struct h_set *set = h_set(h, flow->set);

		assert_non_null(set);
		assert_true(set->installed);
		assert_int_equal(flow->local.port, set->sa.local_port[flow->pair]);
		assert_int_equal(flow->remote.port, set->sa.remote_port[flow->pair]);
	}
}

static bool spi_avoided(uint32_t spi, const uint32_t *avoid, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (avoid[i] == spi)
			return true;
	return false;
}

static int on_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *sa)
{
	struct h *h = ctx;
	unsigned i = 0;

	h->reserve_calls++;
	while (i < H_SETS && h->sets[i].reserved)
		i++;
	assert_true(i < H_SETS);
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		while (!h->ignore_avoid && spi_avoided(h->next_spi, avoid, n))
			h->next_spi++;
		sa->spi_in[p] = h->next_spi++;
	}
	sa->id = ++h->next_id;
	h->sets[i].sa = *sa;
	h->sets[i].reserved = true;
	return 0;
}

static int on_install(void *ctx, const struct sa_set *sa)
{
	struct h *h = ctx;
	struct h_set *set = h_set(h, sa->id);

	if (h->install_error)
		return h->install_error;
	assert_non_null(set);
	assert_false(set->installed);
	set->sa = *sa;
	set->installed = true;
	return 0;
}

static void on_remove(void *ctx, sa_set_id id)
{
	struct h *h = ctx;
	struct h_set *set = h_set(h, id);

	if (set)
		memset(set, 0, sizeof(*set));
	h->removed++;
}

static int on_stream_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	struct h *h = ctx;

	if (flow->transport == SIP_TRANSPORT_TLS) {
		assert_int_equal(flow->set, 0);
		if (h->tls_result)
			return h->tls_result;
		on_send(ctx, u, flow, text);
		return 0;
	}
	assert_int_equal(flow->transport, SIP_TRANSPORT_TCP);
	if (h->stream_result[flow->pair])
		return h->stream_result[flow->pair];
	on_send(ctx, u, flow, text);
	return 0;
}

static void on_hang_up(void *ctx, struct ue *u, const struct sip_flow *flow)
{
	struct h *h = ctx;

	(void)u;
	h->hung_up++;
	h->last_hung_up = *flow;
}

static void on_remove_outbound(void *ctx, sa_set_id id)
{
	struct h_set *set = h_set(ctx, id);

	assert_non_null(set);
	assert_true(set->installed && !set->closed);
	set->closed = true;
}

static void on_event(void *ctx, struct ue *u, enum ue_event event, struct sv text, uint64_t now)
{
	struct h *h = ctx;

	(void)u;
	(void)now;
	h->events[event]++;
	snprintf(h->text, sizeof(h->text), "%.*s", SV_ARG(text));
}

/* ---- set-up ------------------------------------------------------------------------------- */

struct ue_conf h_conf(struct h *h)
{
	struct ue_conf c = {
		.impi = "user1_private@home1.net",
		.impu = "sip:user1_public1@home1.net",
		.realm = "home1.net",
		.key = h->key,
		.sqn = &h->sqn,
		.local.port = 5060,
		.pcscf.port = 5060,
		.port_min = 20000,
		.port_max = 60000,
		.expires = 600000,
		.await_auth = 240,
		.guard = 30,
		.protect_or_abort = true,
	};

	ip_addr_parse(&c.local.addr, "10.45.0.1");
	ip_addr_parse(&c.pcscf.addr, "10.44.0.1");
	for (unsigned i = 0; i < SA_INTEG_COUNT; i++)
		for (unsigned e = 0; e < SA_ENCR_COUNT; e++)
			c.choices[c.n_choices++] = (struct agree_choice){
				(enum sa_integ)i, (enum sa_encr)e, SA_MODE_TRANSPORT};
	return c;
}

struct h *h_alloc(void)
{
	struct h *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	assert_true(sodium_init() >= 0);
	h->now = 1000000;
	h->next_spi = 4096;
	h->spi_p = 900000;
	h->port_pc = 40000;
	h->sqn_he = 32 * 100;
	for (unsigned i = 0; i < 16; i++) { /* D-08 */
		static const uint8_t k[16] = {0x46, 0x5b, 0x5c, 0xe8, 0xb1, 0x99, 0xb4, 0x9f,
					      0xaa, 0x5f, 0x0a, 0x2e, 0xe2, 0x38, 0xa6, 0xbc};
		static const uint8_t opc[16] = {0xcd, 0x63, 0xcb, 0x71, 0x95, 0x4a, 0x9f, 0x4e,
						0x48, 0xa5, 0x99, 0x4e, 0x37, 0xa0, 0x2b, 0xaf};
		h->key.k[i] = k[i];
		h->key.opc[i] = opc[i];
	}
	assert_int_equal(timers_alloc(&h->timers), 0);
	return h;
}

static void on_pass(void *ctx, struct ue *u, struct sv text)
{
	struct h *h = ctx;

	(void)u;
	h->n_passed++;
	assert_true(text.n < sizeof(h->passed));
	memcpy(h->passed, text.p, text.n);
	h->passed[text.n] = '\0';
}

int h_try(struct h *h, const struct ue_conf *conf)
{
	const struct ue_env env = {
		.ctx = h,
		.send = on_send,
		.sa_reserve = on_reserve,
		.sa_install = on_install,
		.sa_remove = on_remove,
		.event = on_event,
		.sa_remove_outbound = on_remove_outbound,
		.stream_send = on_stream_send,
		.hang_up = on_hang_up,
		.pass = on_pass,
	};

	return ue_alloc(&h->ue, conf, &env, h->timers);
}

void h_start(struct h *h, const struct ue_conf *conf)
{
	assert_int_equal(h_try(h, conf), 0);
}

void h_free(struct h *h)
{
	ue_free(h->ue);
	assert_int_equal(h_reserved(h), 0); /* F07 */
	assert_int_equal(timers_count(h->timers), 0);
	timers_free(h->timers);
	free(h);
}

void h_advance(struct h *h, uint64_t ms)
{
	uint64_t end = h->now + ms;

	for (;;) {
		uint64_t due = timers_run(h->timers, h->now);

		if (due > end)
			break;
		if (due > h->now)
			h->now = due;
	}
	h->now = end;
}

/* ---- looking ------------------------------------------------------------------------------ */

struct h_sent *h_last(struct h *h)
{
	assert_true(h->n_sent > 0);
	return &h->sent[h->n_sent - 1];
}

const char *h_field(const char *text, const char *name)
{
	static char bufs[4][4096];
	static unsigned turn;
	char *buf = bufs[turn++ % 4], key[64];
	const char *at;
	size_t n;

	snprintf(key, sizeof(key), "\r\n%s: ", name);
	buf[0] = '\0';
	at = strstr(text, key);
	if (!at)
		return buf;
	at += strlen(key);
	n = strcspn(at, "\r");
	assert_true(n < sizeof(bufs[0]));
	memcpy(buf, at, n);
	buf[n] = '\0';
	return buf;
}

unsigned long h_param(const char *value, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "%s=", name);
	at = strstr(value, key);
	assert_non_null(at);
	return strtoul(at + strlen(key), NULL, 10);
}

struct h_set *h_set(struct h *h, sa_set_id id)
{
	for (unsigned i = 0; id && i < H_SETS; i++)
		if (h->sets[i].reserved && h->sets[i].sa.id == id)
			return &h->sets[i];
	return NULL;
}

unsigned h_installed(const struct h *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < H_SETS; i++)
		n += h->sets[i].installed;
	return n;
}

unsigned h_reserved(const struct h *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < H_SETS; i++)
		n += h->sets[i].reserved;
	return n;
}

/* ---- the P-CSCF's text -------------------------------------------------------------------- */

struct sip_flow h_flow(struct h *h, sa_set_id id)
{
	struct sip_flow f = {.transport = SIP_TRANSPORT_UDP, .set = id, .pair = SA_SERVER};
	struct h_set *set = h_set(h, id);

	ip_addr_parse(&f.local.addr, "10.45.0.1");
	ip_addr_parse(&f.remote.addr, "10.44.0.1");
	f.local.port = f.remote.port = 5060;
	if (set) {
		f.local.port = set->sa.local_port[SA_SERVER];
		f.remote.port = set->sa.remote_port[SA_SERVER];
	}
	return f;
}

void h_input(struct h *h, const struct sip_flow *from, const char *text)
{
	ue_input(h->ue, from, sv_of(text), h->now);
}

void h_response_text(char text[H_TEXT], const struct h_sent *to, unsigned status,
		     const char *fields)
{
	char via[1024], head[1024];

	snprintf(via, sizeof(via), "%s", h_field(to->text, "Via"));
	snprintf(head, sizeof(head), "From: %s\r\nTo: %s;tag=pcscf1\r\n", h_field(to->text, "From"),
		 h_field(to->text, "To"));
	snprintf(text, H_TEXT,
		 "SIP/2.0 %u Text\r\nVia: %s\r\n%sCall-ID: %s\r\nCSeq: %s\r\n%s"
		 "Content-Length: 0\r\n\r\n",
		 status, via, head, h_field(to->text, "Call-ID"), h_field(to->text, "CSeq"),
		 fields);
}

void h_respond(struct h *h, const struct h_sent *to, sa_set_id set, unsigned status,
	       const char *fields)
{
	struct sip_flow from = h_flow(h, set);
	char text[H_TEXT];

	h_response_text(text, to, status, fields);
	h_input(h, &from, text);
}

void h_request(struct h *h, sa_set_id set, const char *method, unsigned cseq, const char *branch)
{
	struct sip_flow from = h_flow(h, set);
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s sip:user1_public1@10.45.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 10.44.0.1:%u;branch=%s\r\nMax-Forwards: 69\r\n"
		 "From: <sip:b@home1.net>;tag=b1\r\nTo: <sip:user1_public1@home1.net>\r\n"
		 "Call-ID: c%u%s\r\nCSeq: %u %s\r\nContent-Type: text/plain\r\n"
		 "Content-Length: 5\r\n\r\nhello",
		 method, H_SERVER_PORT, branch, cseq, method, cseq, method);
	h_input(h, &from, text);
}

const char *h_challenge_field(struct h *h, enum h_autn autn, char buf[512])
{
	static const uint8_t amf[2] = {0x80, 0x00};
	uint8_t nonce[32];
	char text[sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)];

	if (autn != H_AUTN_OLD)
		h->sqn_he = sqn_next(h->sqn_he);
	randombytes_buf(h->rand, sizeof(h->rand));
	aka_vector_make(&h->av, &h->key, amf, h->sqn_he, h->rand);
	memcpy(nonce, h->av.rand, 16);
	memcpy(nonce + 16, h->av.autn, 16);
	if (autn == H_AUTN_BAD_MAC)
		nonce[31] ^= 1;
	sodium_bin2base64(text, sizeof(text), nonce, sizeof(nonce), sodium_base64_VARIANT_ORIGINAL);
	snprintf(buf, 512,
		 "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"%s\", algorithm=AKAv1-MD5, "
		 "qop=\"auth\"\r\n",
		 text);
	return buf;
}

const char *h_server_field(struct h *h, char buf[2048])
{
	static const char *const alg[] = {"hmac-sha-1-96", "hmac-md5-96"};
	static const char *const ealg[] = {"null", "aes-cbc", "des-ede3-cbc"};
	size_t n = (size_t)snprintf(buf, 2048, "Security-Server: ");

	h->spi_p += 2;
	h->port_pc++;
	for (unsigned i = 0; i < 6; i++)
		n += (size_t)snprintf(buf + n, 2048 - n,
				      "%sipsec-3gpp;q=0.%u;alg=%s;ealg=%s;prot=esp;mod=trans;"
				      "spi-c=%u;spi-s=%u;port-c=%u;port-s=%u",
				      i ? ", " : "", 9 - i, alg[i / 3], ealg[i % 3], h->spi_p,
				      h->spi_p + 1, h->port_pc, H_SERVER_PORT);
	snprintf(buf + n, 2048 - n, "\r\n");
	return buf;
}

void h_challenge(struct h *h, sa_set_id set, enum h_autn autn)
{
	char fields[4096], auth[512], server[2048];

	snprintf(fields, sizeof(fields), "%s%s", h_challenge_field(h, autn, auth),
		 h_server_field(h, server));
	h_respond(h, h_last(h), set, 401, fields);
}

void h_ok(struct h *h, sa_set_id set, unsigned expires)
{
	char fields[1024];

	snprintf(fields, sizeof(fields),
		 "Contact: <sip:user1_public1@10.45.0.1:%u>;expires=%u\r\n"
		 "Service-Route: <sip:orig@scscf1.home1.net;lr>\r\n"
		 "P-Associated-URI: <sip:user1_public1@home1.net>\r\n",
		 h_flow(h, set).local.port, expires);
	h_respond(h, h_last(h), set, 200, fields);
}

sa_set_id h_register(struct h *h, unsigned expires)
{
	sa_set_id id;

	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_challenge(h, 0, H_AUTN_GOOD);
	id = h_last(h)->flow.set;
	assert_int_not_equal(id, 0);
	h_ok(h, id, expires);
	assert_true(ue_registered(h->ue));
	return id;
}

sa_set_id h_refresh_to_sm7(struct h *h, sa_set_id old)
{
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_int_equal(h_last(h)->flow.set, old);
	h_challenge(h, old, H_AUTN_GOOD);
	assert_int_not_equal(h_last(h)->flow.set, old);
	return h_last(h)->flow.set;
}
