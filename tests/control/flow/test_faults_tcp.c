/*
 * The fault matrix over TCP: connections that end before or after a message, in the midst of it, or
 * are refused; messages that come late with all that follows them, and by two connections.
 */
#include "tests/control/flow/faults.h"

static bool on_access(unsigned message)
{
	return message == 1 || message == 6 || message == 7 || message == 12;
}

static void matrix(enum ue_transport transport)
{
	struct fault_trial t = {.transport = transport, .at = 400, .bits = 1};

	for (unsigned again = 0; again < 2; again++)
		for (t.message = 1; t.message <= 12; t.message++)
			for (unsigned f = 0; f <= NO_TCP; f++) {
				if (f >= ANYWHERE && !on_access(t.message))
					continue;
				t.again = again;
				t.fault = (enum fault)f;
				fault_trial_run(&t);
			}
}

/* covers: F07, F10, F15, LP-07 */
static void each_message_each_fault(void **state)
{
	(void)state;
	matrix(UE_TRANSPORT_TCP);
}

/* REGISTER over TCP, short messages over UDP on the same SAs. */
/* covers: F10, F15 */
static void beside_udp(void **state)
{
	(void)state;
	matrix(UE_TRANSPORT_MIXED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_each_fault),
		cmocka_unit_test(beside_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
