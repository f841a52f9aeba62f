#include "tests/control/hss/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void h_dir_make(struct h_dir *d)
{
	snprintf(d->path, sizeof(d->path), "/tmp/test-hss-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	snprintf(d->file, sizeof(d->file), "%s/hss.db", d->path);
}

void h_dir_free(struct h_dir *d)
{
	DIR *dir = opendir(d->path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(dir), e->d_name, 0), 0);
	closedir(dir);
	assert_int_equal(rmdir(d->path), 0);
}

struct hss *h_open(const char *path, uint32_t block)
{
	const struct hss_conf conf = {.path = path, .sqn_block = block};
	struct hss *h = NULL;

	assert_int_equal(hss_alloc(&h, &conf), 0);
	return h;
}

void h_key(struct milenage_key *key, unsigned n)
{
	struct test_random r = {.state = 77 + n};

	test_random_fill(&r, key, sizeof(*key));
}

static void impi_of(char *impi, size_t cap, unsigned n)
{
	if (n == 0)
		snprintf(impi, cap, "%s", H_IMPI);
	else
		snprintf(impi, cap, "name%u@home.net", n);
}

void h_subscriber(struct hss_subscriber *s, unsigned n)
{
	struct milenage_key key;
	char impi[64];

	memset(s, 0, sizeof(*s));
	h_key(&key, n);
	impi_of(impi, sizeof(impi), n);
	snprintf(s->impi, sizeof(s->impi), "%s", impi);
	snprintf(s->impus[0], sizeof(s->impus[0]), "sip:%s", impi);
	snprintf(s->impus[1], sizeof(s->impus[1]), "tel:+49170%u", n + 1);
	s->n_impus = 2;
	memcpy(s->k, key.k, sizeof(s->k));
	memcpy(s->opc, key.opc, sizeof(s->opc));
	s->amf[0] = 0x80;
	s->amf[1] = 0x5a;
}

void h_add(struct hss *h, unsigned n)
{
	struct hss_subscriber s;

	h_subscriber(&s, n);
	assert_int_equal(hss_subscriber_add(h, &s), 0);
}

static void copy(char *out, size_t cap, struct sv text)
{
	snprintf(out, cap, "%.*s", SV_ARG(text));
}

static void keep(void *arg, const struct cx_answer *a, uint64_t now)
{
	struct h_answer *out = arg;

	assert_int_equal(now, out->now);
	out->n++;
	out->result = a->result;
	out->flag = a->flag;
	copy(out->scscf, sizeof(out->scscf), a->scscf);
	copy(out->impi, sizeof(out->impi), a->impi);
	out->n_impus = a->n_impus;
	for (unsigned i = 0; i < a->n_impus; i++)
		copy(out->impus[i], sizeof(out->impus[i]), a->impus[i]);
	out->n_vectors = a->n_vectors;
	memcpy(out->vectors, a->vectors, sizeof(out->vectors));
	out->scheme = a->scheme;
	out->digest = a->digest;
	copy(out->realm, sizeof(out->realm), a->digest.realm);
	copy(out->domain, sizeof(out->domain), a->digest.domain);
	memcpy(out->rspauth, a->rspauth, sizeof(out->rspauth));
	copy(out->nc, sizeof(out->nc), a->nc);
	copy(out->cnonce, sizeof(out->cnonce), a->cnonce);
	out->qop = a->qop;
}

void h_ask(struct hss *h, const struct cx_request *r, struct h_answer *a)
{
	h_ask_at(h, r, a, 4711);
}

void h_ask_at(struct hss *h, const struct cx_request *r, struct h_answer *a, uint64_t now)
{
	struct cx cx = hss_cx(h);

	memset(a, 0, sizeof(*a));
	a->now = now;
	cx.request(cx.ctx, r, keep, a, now);
	assert_int_equal(a->n, 1);
}

static void ids(struct cx_request *r, char impi[64], char impu[80], unsigned n)
{
	impi_of(impi, 64, n);
	snprintf(impu, 80, "sip:%s", impi);
	r->impi = sv_of(impi);
	r->impu = sv_of(impu);
}

void h_mar(struct hss *h, unsigned n, unsigned n_vectors, struct h_answer *a)
{
	struct cx_request r = {.command = CX_MAR, .scscf = H_SCSCF, .n_vectors = n_vectors};
	char impi[64], impu[80];

	ids(&r, impi, impu, n);
	h_ask(h, &r, a);
}

enum cx_registration h_flag(struct hss *h, unsigned n)
{
	struct cx_request r = {.command = CX_UAR};
	struct h_answer a;
	char impi[64], impu[80];

	ids(&r, impi, impu, n);
	h_ask(h, &r, &a);
	assert_int_equal(a.result, CX_SUCCESS);
	return a.flag;
}

uint64_t h_sqn(const struct aka_vector *av, unsigned n)
{
	struct milenage_key key;
	uint8_t ak[6];
	uint64_t sqn = 0;

	h_key(&key, n);
	milenage_f2345(&key, av->rand, NULL, NULL, NULL, ak, NULL);
	for (unsigned i = 0; i < 6; i++)
		sqn = sqn << 8 | (av->autn[i] ^ ak[i]);
	return sqn;
}
