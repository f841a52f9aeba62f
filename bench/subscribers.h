/* Subscribers as text: "impi,k,opc,amf,sqn,impu[,impu...]" per line, keys in hex. */
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
	struct milenage_key key;
	uint64_t sqn;
};

/* Writes `count` with random keys: IMSIs 00101 and ten digits from `first` on. -EIO */
int subscribers_write(FILE *f, uint32_t count, uint32_t first, const char *realm);

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
