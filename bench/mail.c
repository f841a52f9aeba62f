#include "bench/mail.h"

#include <errno.h>
#include <stdlib.h>

#include <sodium.h>

#include "control/base/parse.h"

int mail_init(struct mail *m, uint32_t ues, uint32_t per_ue, uint32_t size)
{
	memset(m, 0, sizeof(*m));
	m->ues = ues;
	m->per_ue = per_ue;
	m->size = size < MAIL_MIN ? MAIL_MIN : size > MAIL_MAX ? MAIL_MAX : size;
	randombytes_buf(m->seed, sizeof(m->seed));
	m->seen = calloc(((uint64_t)ues * per_ue + 7) / 8 + 1, 1);
	return m->seen ? 0 : -ENOMEM;
}

void mail_clear(struct mail *m)
{
	free(m->seen);
	m->seen = NULL;
}

static uint64_t mark(const struct mail *m, uint32_t from, uint32_t number)
{
	const uint32_t in[2] = {from, number};
	uint64_t out;

	_Static_assert(crypto_shorthash_KEYBYTES == MAIL_SEED_LEN, "SipHash key");
	_Static_assert(crypto_shorthash_BYTES == sizeof(out), "SipHash value");
	crypto_shorthash((uint8_t *)&out, (const uint8_t *)in, sizeof(in), m->seed);
	return out;
}

uint32_t mail_receiver(const struct mail *m, uint32_t from, uint32_t number)
{
	if (m->ues < 2)
		return from;
	return (uint32_t)((from + 1 + mark(m, from, number) % (m->ues - 1)) % m->ues);
}

void mail_write(const struct mail *m, uint32_t from, uint32_t number, struct sbuf *b)
{
	static const char filler[] = "abcdefghijklmnopqrstuvwxyz";
	size_t start = b->n;

	sbuf_printf(b, "esplanade %u %u %016llx ", from, number,
		    (unsigned long long)mark(m, from, number));
	while (b->n - start < m->size && !b->overflow)
		sbuf_put(b, (struct sv){&filler[(b->n - start) % 26], 1});
}

static bool number_take(struct sv *rest, uint32_t *value)
{
	const char *blank = memchr(rest->p, ' ', rest->n);
	size_t n = blank ? (size_t)(blank - rest->p) : rest->n;
	bool ok = n > 0 && parse_u32((struct sv){rest->p, n}, UINT32_MAX, value);

	n += blank != NULL;
	rest->p += n;
	rest->n -= n;
	return ok;
}

static bool body_is_genuine(const struct mail *m, uint32_t to, struct sv body, uint64_t *place)
{
	char text[MAIL_MAX + 64];
	struct sbuf expected = sbuf_of(text, sizeof(text));
	struct sv rest = body;
	uint32_t from, number;

	if (!sv_has_prefix(body, SV("esplanade ")))
		return false;
	rest.p += 10;
	rest.n -= 10;
	if (!number_take(&rest, &from) || !number_take(&rest, &number) || from >= m->ues ||
	    number >= m->per_ue || mail_receiver(m, from, number) != to)
		return false;
	mail_write(m, from, number, &expected);
	*place = (uint64_t)from * m->per_ue + number;
	return sv_eq(sbuf_sv(&expected), body);
}

void mail_take(struct mail *m, uint32_t to, struct sv body)
{
	uint64_t place;
	uint8_t bit;

	if (!body_is_genuine(m, to, body, &place)) {
		m->wrong++;
		return;
	}
	bit = (uint8_t)(1u << place % 8);
	if (m->seen[place / 8] & bit) {
		m->twice++;
		return;
	}
	m->seen[place / 8] |= bit;
	m->delivered++;
}
