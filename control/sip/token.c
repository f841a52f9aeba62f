#include <sodium.h>

#include "control/sip/txn.h"

#define COOKIE "z9hG4bK"

void sip_token(char *buf, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t octets[16];

	for (size_t i = 0; i + 1 < n; i++) {
		size_t at = i % (2 * sizeof(octets));

		if (at == 0)
			randombytes_buf(octets, sizeof(octets));
		buf[i] = digits[at % 2 ? octets[at / 2] & 15 : octets[at / 2] >> 4];
	}
	if (n)
		buf[n - 1] = '\0';
}

void sip_branch(char branch[SIP_BRANCH_LEN])
{
	memcpy(branch, COOKIE, sizeof(COOKIE));
	sip_token(branch + sizeof(COOKIE) - 1, SIP_BRANCH_LEN - sizeof(COOKIE) + 1);
}
