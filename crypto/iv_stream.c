#include "crypto/iv_stream.h"

#include <sodium.h>

_Static_assert(IV_STREAM_KEY_LEN == crypto_stream_chacha20_KEYBYTES, "key of ChaCha20");

void iv_stream_refill(struct iv_stream *s)
{
	/* One key makes one block of output, so the nonce may stay zero. */
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	uint8_t key[IV_STREAM_KEY_LEN];

	memcpy(key, s->block, sizeof(key));
	crypto_stream_chacha20(s->block, sizeof(s->block), nonce, key);
	sodium_memzero(key, sizeof(key));
	s->used = IV_STREAM_KEY_LEN;
}

void iv_stream_init(struct iv_stream *s)
{
	randombytes_buf(s->block, IV_STREAM_KEY_LEN);
	iv_stream_refill(s);
}
