#include "crypto/aka.h"

#include <string.h>

#include "crypto/secret.h"

/* Resynchronisation computes MAC-S over an AMF of zeros (TS 33.102 6.3.3). */
static const uint8_t amf_resync[2];

static void sqn_store(uint8_t out[6], uint64_t sqn)
{
	for (unsigned i = 0; i < 6; i++)
		out[i] = (uint8_t)(sqn >> (40 - 8 * i));
}

static uint64_t sqn_load(const uint8_t in[6])
{
	uint64_t sqn = 0;

	for (unsigned i = 0; i < 6; i++)
		sqn = sqn << 8 | in[i];
	return sqn;
}

static void sqn_conceal(uint8_t out[6], const uint8_t sqn[6], const uint8_t ak[6])
{
	for (unsigned i = 0; i < 6; i++)
		out[i] = sqn[i] ^ ak[i];
}

void aka_vector_make(struct aka_vector *av, const struct milenage_key *key, const uint8_t amf[2],
		     uint64_t sqn, const uint8_t rand[16])
{
	uint8_t sqn_octets[6], ak[6];

	sqn_store(sqn_octets, sqn);
	memcpy(av->rand, rand, sizeof(av->rand));
	milenage_f2345(key, rand, av->xres, av->ck, av->ik, ak, NULL);
	sqn_conceal(av->autn, sqn_octets, ak);
	memcpy(av->autn + 6, amf, 2);
	milenage_f1(key, rand, sqn_octets, amf, av->autn + 8, NULL);
	secret_wipe(ak, sizeof(ak));
}

/* AUTS is for everybody's eyes, SQN_MS is not: hence AK* (TS 33.102 6.3.3). */
static void auts_make(uint8_t auts[14], const struct milenage_key *key, uint64_t sqn_ms,
		      const uint8_t rand[16], const uint8_t ak_s[6])
{
	uint8_t sqn_octets[6];

	sqn_store(sqn_octets, sqn_ms);
	sqn_conceal(auts, sqn_octets, ak_s);
	milenage_f1(key, rand, sqn_octets, amf_resync, NULL, auts + 6);
}

enum aka_result aka_card_answer(struct aka_answer *a, const struct milenage_key *key,
				struct sqn_array *sqn, const uint8_t rand[16],
				const uint8_t autn[16])
{
	struct aka_answer good = {0};
	uint8_t sqn_octets[6], ak[6], ak_s[6], mac[8];
	enum aka_result result;

	memset(a, 0, sizeof(*a));
	milenage_f2345(key, rand, good.res, good.ck, good.ik, ak, ak_s);
	sqn_conceal(sqn_octets, autn, ak);
	milenage_f1(key, rand, sqn_octets, autn + 6, mac, NULL);
	if (!secret_eq(mac, autn + 8, sizeof(mac))) {
		result = AKA_MAC_FAILURE;
	} else if (!sqn_accept(sqn, sqn_load(sqn_octets))) {
		auts_make(a->auts, key, sqn_highest(sqn), rand, ak_s);
		result = AKA_SYNC_FAILURE;
	} else {
		*a = good;
		result = AKA_OK;
	}
	secret_wipe(&good, sizeof(good));
	secret_wipe(ak, sizeof(ak));
	secret_wipe(ak_s, sizeof(ak_s));
	secret_wipe(mac, sizeof(mac));
	return result;
}

enum aka_result aka_auts_check(uint64_t *sqn_ms, const struct milenage_key *key,
			       const uint8_t rand[16], const uint8_t auts[14])
{
	uint8_t sqn_octets[6], ak_s[6], mac[8];
	enum aka_result result = AKA_MAC_FAILURE;

	milenage_f2345(key, rand, NULL, NULL, NULL, NULL, ak_s);
	sqn_conceal(sqn_octets, auts, ak_s);
	milenage_f1(key, rand, sqn_octets, amf_resync, NULL, mac);
	if (secret_eq(mac, auts + 6, sizeof(mac))) {
		*sqn_ms = sqn_load(sqn_octets);
		result = AKA_OK;
	}
	secret_wipe(ak_s, sizeof(ak_s));
	secret_wipe(mac, sizeof(mac));
	return result;
}
