/* Two data planes joined by rings: a phone's and a P-CSCF's. */
#include <string.h>

#include "tests/dataplane/rig.h"

static void test_clear_datagram(void **state)
{
	struct rig_pair r;
	struct dp_packet pkt;
	struct dp_out out = {0};
	char text[] = "REGISTER";
	struct iovec iov[2] = {{.iov_base = text, .iov_len = 4},
			       {.iov_base = text + 4, .iov_len = 4}};

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	out.local = (struct ip_endpoint){.addr = r.phone.addr, .port = 5060};
	out.remote = (struct ip_endpoint){.addr = r.pcscf.addr, .port = 5060};
	assert_int_equal(dp_send(r.phone.dp, &out, iov, 2), 0);
	assert_true(rig_pair_recv(&r, &r.pcscf, &pkt));
	assert_int_equal(pkt.len, 8);
	assert_memory_equal(pkt.data, "REGISTER", 8);
	assert_int_equal(pkt.set, 0);
	assert_true(ip_endpoint_eq(&pkt.local, &out.remote));
	assert_true(ip_endpoint_eq(&pkt.remote, &out.local));
	dp_release(r.pcscf.dp, &pkt, 1);
	rig_pair_close(&r);
}

static void test_protected_datagram(void **state)
{
	struct rig_pair r;
	struct dp_packet pkt;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "MESSAGE", 7), 0);
	assert_true(rig_pair_recv(&r, &r.pcscf, &pkt));
	assert_int_equal(pkt.len, 7);
	assert_memory_equal(pkt.data, "MESSAGE", 7);
	assert_int_equal(pkt.set, r.pcscf.set.id);
	assert_int_equal(pkt.pair, SA_SERVER);
	dp_release(r.pcscf.dp, &pkt, 1);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clear_datagram),
		cmocka_unit_test(test_protected_datagram),
	};

	return cmocka_run_group_tests_name("dataplane.pair", tests, rig_start, rig_stop);
}
