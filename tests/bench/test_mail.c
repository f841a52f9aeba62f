/* Message bodies: each counted once, and only at the UE it was for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/mail.h"

#define UES    50
#define PER_UE 4

static struct sv body_of(const struct mail *m, uint32_t from, uint32_t number, char *text,
			 size_t cap)
{
	struct sbuf b = sbuf_of(text, cap);

	mail_write(m, from, number, &b);
	assert_false(b.overflow);
	return sbuf_sv(&b);
}

static void all_arrive_once(void **state)
{
	char text[MAIL_MAX + 64];
	struct mail m;

	(void)state;
	assert_int_equal(mail_init(&m, UES, PER_UE, 100), 0);
	for (uint32_t from = 0; from < UES; from++)
		for (uint32_t number = 0; number < PER_UE; number++) {
			struct sv body = body_of(&m, from, number, text, sizeof(text));
			uint32_t to = mail_receiver(&m, from, number);

			assert_int_equal(body.n, 100);
			assert_true(to < UES && to != from);
			mail_take(&m, to, body);
			mail_take(&m, to, body);	     /* again */
			mail_take(&m, (to + 1) % UES, body); /* at the wrong UE */
		}
	assert_int_equal(m.delivered, UES * PER_UE);
	assert_int_equal(m.twice, UES * PER_UE);
	assert_int_equal(m.wrong, UES * PER_UE);
	mail_clear(&m);
}

static void damaged(void **state)
{
	char text[MAIL_MAX + 64];
	struct mail m, other;
	struct sv body;
	uint32_t to;

	(void)state;
	assert_int_equal(mail_init(&m, UES, PER_UE, 64), 0);
	assert_int_equal(mail_init(&other, UES, PER_UE, 64), 0);
	to = mail_receiver(&m, 3, 1);
	body = body_of(&m, 3, 1, text, sizeof(text));
	for (size_t i = 0; i < body.n; i++) {
		text[i] ^= 1;
		mail_take(&m, to, body);
		text[i] ^= 1;
	}
	mail_take(&m, to, (struct sv){text, body.n - 1});
	mail_take(&m, to, (struct sv){text, 0});
	mail_take(&m, to, SV("esplanade "));
	mail_take(&m, to, SV("esplanade 4294967295 4294967295 x"));
	assert_int_equal(m.delivered, 0);
	assert_int_equal(m.wrong, body.n + 4);
	mail_take(&m, to, body);
	assert_int_equal(m.delivered, 1);
	body = body_of(&other, 3, 1, text, sizeof(text)); /* of another run */
	mail_take(&m, mail_receiver(&m, 3, 1), body);
	assert_int_equal(m.delivered, 1);
	mail_clear(&m);
	mail_clear(&other);
}

static void one_ue_writes_to_itself(void **state)
{
	struct mail m;

	(void)state;
	assert_int_equal(mail_init(&m, 1, 1, 64), 0);
	assert_int_equal(mail_receiver(&m, 0, 0), 0);
	mail_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_arrive_once),
		cmocka_unit_test(damaged),
		cmocka_unit_test(one_ue_writes_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
