#include "crypto/milenage.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

#define BLOCK 16

/* One run under one key: TS 35.206 clause 4.1. */
struct milenage_run {
	EVP_CIPHER_CTX *aes;
	const uint8_t *opc;
	uint8_t temp[BLOCK]; /* E_K(RAND xor OPc) */
};

/* r_i in octets and c_i, for OUT1..OUT5 */
static const struct {
	uint8_t rotate, c;
} constants[5] = {{8, 0}, {0, 1}, {4, 2}, {8, 4}, {12, 8}};

/* There is no useful answer without AES, and all-zero output would be a key everybody knows. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

static void block_xor(uint8_t *out, const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i < BLOCK; i++)
		out[i] = a[i] ^ b[i];
}

static void blocks_encrypt(EVP_CIPHER_CTX *aes, uint8_t *blocks, unsigned n)
{
	int len;

	must(EVP_EncryptUpdate(aes, blocks, &len, blocks, (int)(n * BLOCK)));
}

static EVP_CIPHER_CTX *aes_open(const uint8_t k[16])
{
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();

	must(aes != NULL);
	must(EVP_EncryptInit_ex2(aes, EVP_aes_128_ecb(), k, NULL, NULL));
	must(EVP_CIPHER_CTX_set_padding(aes, 0));
	return aes;
}

static void run_start(struct milenage_run *run, const struct milenage_key *key,
		      const uint8_t rand[16])
{
	run->aes = aes_open(key->k);
	run->opc = key->opc;
	block_xor(run->temp, rand, key->opc);
	blocks_encrypt(run->aes, run->temp, 1);
}

static void run_end(struct milenage_run *run)
{
	EVP_CIPHER_CTX_free(run->aes); /* wipes its key schedule */
	secret_wipe(run, sizeof(*run));
}

/* out = rot(in, r_i) xor c_i: what goes into E_K for OUTi, but for TEMP in f1 */
static void block_rotate(uint8_t *out, const uint8_t *in, unsigned i)
{
	for (unsigned j = 0; j < BLOCK; j++)
		out[j] = in[(j + constants[i - 1].rotate) % BLOCK];
	out[BLOCK - 1] ^= constants[i - 1].c;
}

void milenage_opc(uint8_t opc[16], const uint8_t k[16], const uint8_t op[16])
{
	EVP_CIPHER_CTX *aes = aes_open(k);
	uint8_t out[BLOCK];

	memcpy(out, op, BLOCK);
	blocks_encrypt(aes, out, 1);
	block_xor(opc, out, op);
	EVP_CIPHER_CTX_free(aes);
	secret_wipe(out, sizeof(out));
}

void milenage_f1(const struct milenage_key *key, const uint8_t rand[16], const uint8_t sqn[6],
		 const uint8_t amf[2], uint8_t mac_a[8], uint8_t mac_s[8])
{
	struct milenage_run run;
	uint8_t in1[BLOCK], out[BLOCK];

	memcpy(in1, sqn, 6);
	memcpy(in1 + 6, amf, 2);
	memcpy(in1 + 8, in1, 8);

	run_start(&run, key, rand);
	block_xor(in1, in1, run.opc);
	block_rotate(out, in1, 1);
	block_xor(out, out, run.temp);
	blocks_encrypt(run.aes, out, 1);
	block_xor(out, out, run.opc);
	if (mac_a)
		memcpy(mac_a, out, 8);
	if (mac_s)
		memcpy(mac_s, out + 8, 8);
	secret_wipe(out, sizeof(out));
	run_end(&run);
}

void milenage_f2345(const struct milenage_key *key, const uint8_t rand[16], uint8_t res[8],
		    uint8_t ck[16], uint8_t ik[16], uint8_t ak[6], uint8_t ak_s[6])
{
	struct milenage_run run;
	uint8_t in[BLOCK], out[4][BLOCK]; /* OUT2..OUT5 */

	run_start(&run, key, rand);
	block_xor(in, run.temp, run.opc);
	for (unsigned i = 2; i <= 5; i++)
		block_rotate(out[i - 2], in, i);
	blocks_encrypt(run.aes, out[0], 4);
	for (unsigned i = 0; i < 4; i++)
		block_xor(out[i], out[i], run.opc);
	if (res)
		memcpy(res, out[0] + 8, 8);
	if (ak)
		memcpy(ak, out[0], 6);
	if (ck)
		memcpy(ck, out[1], 16);
	if (ik)
		memcpy(ik, out[2], 16);
	if (ak_s)
		memcpy(ak_s, out[3], 6);
	secret_wipe(in, sizeof(in));
	secret_wipe(out, sizeof(out));
	run_end(&run);
}
