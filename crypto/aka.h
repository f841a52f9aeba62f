/*
 * UMTS AKA (TS 33.102 clause 6.3) on MILENAGE: vectors in the network, the card's side in the UE,
 * and resynchronisation. SQN is a number of 48 bits.
 */
#pragma once

#include <stdint.h>

#include "crypto/milenage.h"
#include "crypto/sqn.h"

#define AKA_RES_LEN 8

/* Wipe after use: ck, ik and xres are secret. */
struct aka_vector {
	uint8_t rand[16];
	uint8_t autn[16]; /* (SQN xor AK) || AMF || MAC-A */
	uint8_t xres[AKA_RES_LEN];
	uint8_t ck[16];
	uint8_t ik[16];
};

void aka_vector_make(struct aka_vector *av, const struct milenage_key *key, const uint8_t amf[2],
		     uint64_t sqn, const uint8_t rand[16]);

enum aka_result {
	AKA_OK,
	AKA_MAC_FAILURE,  /* AUTN is not from our home network */
	AKA_SYNC_FAILURE, /* SQN not fresh: auts[] is set */
};

struct aka_answer {
	uint8_t res[AKA_RES_LEN];
	uint8_t ck[16];
	uint8_t ik[16];
	uint8_t auts[14]; /* (SQN_MS xor AK*) || MAC-S */
};

/*
 * The USIM's or ISIM's answer to a challenge. The MAC is checked first, then SQN against *sqn
 * (crypto/sqn.h), which AKA_OK advances. On failure res, ck and ik are zero.
 */
enum aka_result aka_card_answer(struct aka_answer *a, const struct milenage_key *key,
				struct sqn_array *sqn, const uint8_t rand[16],
				const uint8_t autn[16]);

/* The network's side of AUTS: AKA_OK and the card's SQN_MS, or AKA_MAC_FAILURE. */
enum aka_result aka_auts_check(uint64_t *sqn_ms, const struct milenage_key *key,
			       const uint8_t rand[16], const uint8_t auts[14]);
