#include "crypto/iv_stream.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

/* One key makes one block of output, so counter and nonce may stay zero. */
static const uint8_t start[16];

/* Cannot fail once the context knows its cipher; an IV that is no IV must never get out. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void iv_stream_refill(struct iv_stream *s)
{
	int len;

	must(EVP_EncryptInit_ex(s->chacha20, NULL, NULL, s->block, start));
	sodium_memzero(s->block, sizeof(s->block));
	must(EVP_EncryptUpdate(s->chacha20, s->block, &len, s->block, sizeof(s->block)));
	s->used = IV_STREAM_KEY_LEN;
}

int iv_stream_init(struct iv_stream *s)
{
	s->chacha20 = EVP_CIPHER_CTX_new();
	if (!s->chacha20 ||
	    EVP_EncryptInit_ex(s->chacha20, EVP_chacha20(), NULL, NULL, NULL) != 1) {
		iv_stream_free(s);
		return -ENOMEM;
	}
	randombytes_buf(s->block, IV_STREAM_KEY_LEN);
	iv_stream_refill(s);
	return 0;
}

void iv_stream_free(struct iv_stream *s)
{
	EVP_CIPHER_CTX_free(s->chacha20);
	s->chacha20 = NULL;
}
