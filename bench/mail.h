/*
 * The messages that UEs send each other. Receiver and body follow from a secret seed, sender and
 * number, so that each body is unique, and a receiver can tell without any list whether exactly
 * this text was meant for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/base/sbuf.h"

#define MAIL_SEED_LEN 16
#define MAIL_MIN      64 /* shortest body */
#define MAIL_MAX      8192

struct mail {
	uint8_t seed[MAIL_SEED_LEN];
	uint32_t ues, per_ue; /* messages */
	uint32_t size;	      /* of the body, MAIL_MIN..MAIL_MAX */
	uint8_t *seen;	      /* a bit for each message */
	uint64_t delivered, wrong, twice;
};

int mail_init(struct mail *m, uint32_t ues, uint32_t per_ue, uint32_t size); /* -ENOMEM */
void mail_clear(struct mail *m);
/* Another UE than the sender, if there is one. */
uint32_t mail_receiver(const struct mail *m, uint32_t from, uint32_t number);
void mail_write(const struct mail *m, uint32_t from, uint32_t number, struct sbuf *b);
/* Counts a body that reached UE `to`: once under delivered; unless it is not as sent, or came
 * before. */
void mail_take(struct mail *m, uint32_t to, struct sv body);
