/* The AKA nonce: base64(RAND || AUTN || what the server likes) (RFC 3310 3.2). */
#include "control/auth/auth.h"
#include "control/base/parse.h"

#define AKA_OCTETS 32
#define AKA_CHARS  44 /* of 33 octets, or of 32 and one "=" */

/* All of it must be base64, though nobody reads what the server put behind AUTN. */
static bool is_base64(struct sv text)
{
	uint8_t octets[3];
	size_t n;

	for (; text.n >= 4; text = (struct sv){text.p + 4, text.n - 4}) {
		if (!parse_base64((struct sv){text.p, 4}, octets, sizeof(octets), &n))
			return false;
		if (n < 3 && text.n > 4)
			return false;
	}
	return text.n == 0;
}

bool auth_aka_nonce(struct sv nonce, uint8_t rand[16], uint8_t autn[16])
{
	uint8_t octets[AKA_OCTETS + 1];
	size_t n;

	if (nonce.n < AKA_CHARS || !is_base64(nonce) ||
	    !parse_base64((struct sv){nonce.p, AKA_CHARS}, octets, sizeof(octets), &n) ||
	    n < AKA_OCTETS)
		return false;
	memcpy(rand, octets, 16);
	memcpy(autn, octets + 16, 16);
	return true;
}

void auth_aka_nonce_write(char buf[45], const uint8_t rand[16], const uint8_t autn[16])
{
	uint8_t octets[AKA_OCTETS];

	memcpy(octets, rand, 16);
	memcpy(octets + 16, autn, 16);
	format_base64(buf, octets, sizeof(octets));
}
