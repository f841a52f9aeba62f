/* MILENAGE (3GPP TS 35.206). All values are octet strings, most significant octet first. */
#pragma once

#include <stdint.h>

struct milenage_key {
	uint8_t k[16];
	uint8_t opc[16];
};

/* OPc = OP xor E_K(OP) */
void milenage_opc(uint8_t opc[16], const uint8_t k[16], const uint8_t op[16]);

/* mac_a: f1, mac_s: f1*; either may be NULL */
void milenage_f1(const struct milenage_key *key, const uint8_t rand[16], const uint8_t sqn[6],
		 const uint8_t amf[2], uint8_t mac_a[8], uint8_t mac_s[8]);

/* res: f2, ck: f3, ik: f4, ak: f5, ak_s: f5*; any may be NULL */
void milenage_f2345(const struct milenage_key *key, const uint8_t rand[16], uint8_t res[8],
		    uint8_t ck[16], uint8_t ik[16], uint8_t ak[6], uint8_t ak_s[6]);
