/* IP addresses and transport end points as plain values. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Unused octets are zero, so two addresses are equal if their memory is. */
struct ip_addr {
	uint8_t version; /* 4 or 6; 0: no address */
	uint8_t zero[3];
	uint8_t b[16]; /* network byte order; IPv4 in b[0..3] */
};

struct ip_prefix {
	struct ip_addr addr;
	uint8_t len; /* leading bits that count: 0..32 or 0..128 */
};

struct ip_endpoint {
	struct ip_addr addr;
	uint16_t port; /* host byte order */
};

#define IP_ADDR_STRLEN INET6_ADDRSTRLEN
/* "[v6]:65535" and NUL */
#define IP_ENDPOINT_STRLEN (INET6_ADDRSTRLEN + 8)

static inline bool ip_addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool ip_endpoint_eq(const struct ip_endpoint *a, const struct ip_endpoint *b)
{
	return a->port == b->port && ip_addr_eq(&a->addr, &b->addr);
}

/* Text to address, without brackets. 0 or -EINVAL. */
static inline int ip_addr_parse(struct ip_addr *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, a->b) == 1)
		a->version = 4;
	else if (inet_pton(AF_INET6, text, a->b) == 1)
		a->version = 6;
	else
		return -EINVAL;
	return 0;
}

/* Address to text in buf[IP_ADDR_STRLEN]; returns buf. */
static inline const char *ip_addr_format(const struct ip_addr *a, char *buf)
{
	buf[0] = '\0';
	if (a->version)
		inet_ntop(a->version == 4 ? AF_INET : AF_INET6, a->b, buf, IP_ADDR_STRLEN);
	return buf;
}

/* "192.0.2.1:5060" or "[2001:db8::1]:5060" in buf[IP_ENDPOINT_STRLEN]; returns buf. */
static inline const char *ip_endpoint_format(const struct ip_endpoint *e, char *buf)
{
	char addr[IP_ADDR_STRLEN];

	ip_addr_format(&e->addr, addr);
	snprintf(buf, IP_ENDPOINT_STRLEN, e->addr.version == 6 ? "[%s]:%u" : "%s:%u", addr,
		 e->port);
	return buf;
}

static inline bool ip_prefix_holds(const struct ip_prefix *p, const struct ip_addr *a)
{
	unsigned whole = p->len / 8, rest = p->len % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	if (p->addr.version != a->version || memcmp(p->addr.b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((p->addr.b[whole] ^ a->b[whole]) & mask) == 0;
}
