/* The UEs' addresses: one each, counted up from the second address of a prefix. */
#pragma once

#include "ip.h"

struct pool {
	struct ip_prefix prefix;
	uint64_t base; /* low bits of the prefix's address, as a number */
	uint32_t n;
};

/* -EINVAL: the text is not ADDRESS/LENGTH or has bits set after LENGTH. */
int pool_prefix_parse(struct ip_prefix *p, const char *text);
/* -ENOSPC: the prefix has not n addresses beside its first. */
int pool_init(struct pool *p, const struct ip_prefix *prefix, uint32_t n);
void pool_addr(const struct pool *p, uint32_t i, struct ip_addr *a);
/* The address that the host uses towards `to`. Negative errno. */
int pool_own_address(const struct ip_endpoint *to, struct ip_addr *a);
/* 0..n-1, or -ENOENT. */
int64_t pool_index(const struct pool *p, const struct ip_addr *a);
