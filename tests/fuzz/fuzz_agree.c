/* Reads any text as a Security-* value: what the strict reader takes, the rest of agree/ must
 * handle. */
#include <assert.h>
#include <stdint.h>

#include "control/agree/agree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct agree_choice choices[] = {
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
	{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_UDP_ENC_TUN},
	{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_DES_EDE3_CBC, SA_MODE_TRANSPORT},
};

static void check(const struct agree_list *l)
{
	const struct agree_mech *m = NULL;

	for (unsigned i = 0; i < l->n; i++) {
		m = &l->m[i];
		assert(m->q >= -1 && m->q <= 1000);
		if (m->usable)
			assert(m->spi_c >= SA_SPI_MIN && m->spi_s >= SA_SPI_MIN && m->port_c &&
			       m->port_s && m->alg < SA_INTEG_COUNT && m->ealg < SA_ENCR_COUNT);
	}
	if (agree_choose(l, choices, 3, &m) >= 0)
		assert(m->usable);
	if (agree_choose_server(l, choices, 3, &m) >= 0)
		assert(m->usable);
	assert(agree_equal(l, l));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct agree_list strict, lenient;
	static struct sip_msg msg;
	struct sv value = {(const char *)data, size};
	int err;

	strict.n = 0;
	err = agree_parse_value(&strict, value);
	assert((err == 0) == (strict.n > 0));
	check(&strict);

	/* the field reader takes at least what the strict one does */
	msg.n = 1;
	msg.h[0] = (struct sip_header){.id = SIP_HDR_SECURITY_CLIENT, .value = value};
	msg.first[SIP_HDR_SECURITY_CLIENT] = 1;
	if (agree_parse(&lenient, &msg, SIP_HDR_SECURITY_CLIENT) == 0)
		check(&lenient);
	else
		assert(err);
	if (!err)
		assert(agree_equal(&strict, &lenient));
	return 0;
}
