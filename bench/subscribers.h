/* Subscribers as text, one per line: "impi,k,opc,amf,sqn,impu[,impu...]", keys in hex; or
 * "impi,password,PASSWORD,impu[,impu...]" for SIP Digest, any password without a comma. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "crypto/milenage.h"
#include "sv.h"

#define SUBSCRIBER_IDENTITY 256
#define SUBSCRIBER_LINE	    4096

struct subscriber { /* wipe after use */
	char impi[SUBSCRIBER_IDENTITY];
	char impu[SUBSCRIBER_IDENTITY]; /* the first, default one */
	bool digest;
	char password[SUBSCRIBER_IDENTITY]; /* digest */
	struct milenage_key key;	    /* else */
	uint64_t sqn;
};

/* Writes `count` with random keys: IMSIs 00101 and ten digits from `first` on. -EIO */
int subscribers_write(FILE *f, uint32_t count, uint32_t first, const char *realm);

/*
 * The same with random passwords. hss, if not NULL, gets what an HSS may know of them:
 * "impi,digest,realm,ha1,ha1_sha256,impu[,impu...]".
 */
int subscribers_digest_write(FILE *f, FILE *hss, uint32_t count, uint32_t first, const char *realm);

/* One line without its end. NULL, or what is wrong. */
const char *subscriber_parse(struct subscriber *s, struct sv line);

/* The next subscriber of a file; empty lines and comments (#) are skipped. 1; 0 at the end; -EINVAL
 * with *why; -EIO. */
struct subscribers {
	FILE *file;
	unsigned line;
	const char *why;
};
int subscribers_read(struct subscribers *r, struct subscriber *s);
