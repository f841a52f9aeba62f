#include "dataplane/sa_transform.h"

#include <stddef.h>
#include <string.h>

#include "crypto/esp.h"
#include "dataplane/esp_transport.h"
#include "dataplane/esp_tunnel.h"

void sa_transforms_init(struct sa_transforms *t)
{
	enum sa_encr encr;

	memset(t, 0, sizeof(*t));
	for (encr = 0; encr < SA_ENCR_COUNT; encr++) {
		const struct esp_suite *suite = esp_suite(SA_INTEG_HMAC_SHA_1_96, encr);
		struct sa_transform *transport = &t->of[SA_MODE_TRANSPORT][encr];
		struct sa_transform *tunnel = &t->of[SA_MODE_UDP_ENC_TUN][encr];

		transport->seal = esp_transport_seal;
		transport->datagram = esp_transport_datagram;
		transport->open = esp_transport_open;
		transport->to_host = esp_transport_restore;
		transport->iv_len = suite->iv_len;
		transport->block_len = suite->block_len;
		transport->overhead = (uint8_t)(ESP_HEADER_LEN + suite->iv_len);
		transport->key_in = suite->key_in;
		transport->key_out = suite->key_out;
		*tunnel = *transport;
		tunnel->seal = esp_tunnel_seal;
		tunnel->datagram = esp_tunnel_datagram;
		tunnel->open = esp_tunnel_open;
		tunnel->from_host = esp_tunnel_from_host;
		tunnel->to_host = esp_tunnel_restore;
	}
}

const struct sa_transform *sa_transform_find(const struct sa_transforms *t, enum sa_mode mode,
					     enum sa_encr encr)
{
	if ((unsigned)mode >= SA_MODE_COUNT || (unsigned)encr >= SA_ENCR_COUNT)
		return NULL;
	return t->of[mode][encr].seal ? &t->of[mode][encr] : NULL;
}
