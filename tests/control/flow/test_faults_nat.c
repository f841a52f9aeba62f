/* The fault matrix of UEs behind NATs, which bind anew at any message as well. */
#include "tests/control/flow/faults.h"

static bool on_access(unsigned message)
{
	return message == 1 || message == 6 || message == 7 || message == 12;
}

/* covers: F07, F20, NM-14 */
static void each_message_each_fault(void **state)
{
	struct fault_trial t = {.nat = true, .at = 400, .bits = 1};

	(void)state;
	for (unsigned again = 0; again < 2; again++)
		for (t.message = 1; t.message <= 12; t.message++)
			for (unsigned f = 0; f <= MOVED; f++) {
				bool nat = f == REBOUND || f == MOVED;

				if (f >= ANYWHERE && !(nat && on_access(t.message)))
					continue;
				t.again = again;
				t.fault = (enum fault)f;
				fault_trial_run(&t);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_each_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
