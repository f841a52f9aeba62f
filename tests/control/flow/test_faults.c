/* The fault matrix over UDP. */
#include <stdlib.h>

#include "tests/control/flow/faults.h"

/* covers: F07, F20, LP-07 */
static void each_message_each_fault(void **state)
{
	struct fault_trial t = {.at = 400, .bits = 1};

	(void)state;
	for (unsigned again = 0; again < 2; again++)
		for (t.message = 1; t.message <= 12; t.message++)
			for (unsigned f = 0; f < ANYWHERE; f++) {
				t.again = again;
				t.fault = (enum fault)f;
				fault_trial_run(&t);
			}
}

/* Any octet of a message that nothing protects. FAULTS_STEP=1 takes them all. */
static void damage_anywhere(void **state)
{
	static const unsigned open[] = {1, 6, 2, 3, 4, 5, 8, 9, 10, 11};
	const char *env = getenv("FAULTS_STEP");
	unsigned step = env ? (unsigned)strtoul(env, NULL, 10) : 23, at = 0;

	(void)state;
	for (unsigned i = 0; i < N_OF(open); i++)
		for (at %= step; at < 1600; at += step) {
			struct fault_trial t = {.message = open[i],
						.fault = DAMAGED,
						.again = i > 1 && at % 2,
						.at = at,
						.bits = at % 3 ? 1 : 0x10};

			fault_trial_run(&t);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_each_fault),
		cmocka_unit_test(damage_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
