/*
 * Unpredictable octets for CBC IVs (RFC 3602 clause 3: not a counter, not the last block of the
 * packet before): AES-128 in counter mode, keyed once by the kernel. Each refill takes its own next
 * key from the stream and forgets the last ("fast key erasure"), so a later look at the memory does
 * not show what was given out before.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define IV_STREAM_KEY_LEN 16
#define IV_STREAM_LEN	  2048 /* key included; small enough to stay in the first-level cache */

struct IMB_MGR;

struct iv_stream {
	unsigned used;
	struct IMB_MGR *mgr; /* ipsec-mb's counter mode has the wide kernels */
	void *mgr_memory;
	_Alignas(64) uint8_t block[IV_STREAM_LEN]; /* the next key, then octets to give out */
};

/* 0 or as mb_manager_alloc(). A stream of zeros may be freed without. */
int iv_stream_init(struct iv_stream *s);
void iv_stream_free(struct iv_stream *s);
void iv_stream_refill(struct iv_stream *s);

/* len <= IV_STREAM_LEN - IV_STREAM_KEY_LEN */
static inline void iv_stream_take(struct iv_stream *s, uint8_t *out, unsigned len)
{
	const uint8_t *from;

	if (len > sizeof(s->block) - s->used)
		iv_stream_refill(s);
	from = s->block + s->used;
	s->used += len;
	if (len == 16) /* AES-CBC: two moves rather than a call */
		memcpy(out, from, 16);
	else
		memcpy(out, from, len);
}
