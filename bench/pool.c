#include "bench/pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include "control/base/parse.h"

/* Octets of the address that count: all of IPv4, the lower half of IPv6. */
static unsigned tail_at(const struct ip_addr *a)
{
	return a->version == 4 ? 0 : 8;
}

static unsigned tail_n(const struct ip_addr *a)
{
	return a->version == 4 ? 4 : 8;
}

static uint64_t tail_get(const struct ip_addr *a)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < tail_n(a); i++)
		v = v << 8 | a->b[tail_at(a) + i];
	return v;
}

static void tail_set(struct ip_addr *a, uint64_t v)
{
	for (unsigned i = tail_n(a); i-- > 0; v >>= 8)
		a->b[tail_at(a) + i] = (uint8_t)v;
}

int pool_prefix_parse(struct ip_prefix *p, const char *text)
{
	return parse_prefix(text, p) ? 0 : -EINVAL;
}

int pool_init(struct pool *p, const struct ip_prefix *prefix, uint32_t n)
{
	unsigned host = (prefix->addr.version == 4 ? 32u : 128u) - prefix->len;

	if (host < 63 && (UINT64_C(1) << host) - 1 < n)
		return -ENOSPC;
	p->prefix = *prefix;
	p->base = tail_get(&prefix->addr) + 1;
	p->n = n;
	return 0;
}

void pool_addr(const struct pool *p, uint32_t i, struct ip_addr *a)
{
	*a = p->prefix.addr;
	tail_set(a, p->base + i);
}

int64_t pool_index(const struct pool *p, const struct ip_addr *a)
{
	uint64_t i;

	if (!ip_prefix_holds(&p->prefix, a))
		return -ENOENT;
	i = tail_get(a) - p->base;
	return i < p->n ? (int64_t)i : -ENOENT;
}

int pool_own_address(const struct ip_endpoint *to, struct ip_addr *a)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(to->port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(to->port)};
	bool is6 = to->addr.version == 6;
	struct sockaddr *s = is6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t n = is6 ? sizeof(v6) : sizeof(v4);
	int fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	memcpy(&v6.sin6_addr, to->addr.b, sizeof(v6.sin6_addr));
	memcpy(&v4.sin_addr, to->addr.b, sizeof(v4.sin_addr));
	rc = connect(fd, s, n) == 0 && getsockname(fd, s, &n) == 0 ? 0 : -errno;
	close(fd);
	if (rc < 0)
		return rc;
	memset(a, 0, sizeof(*a));
	a->version = is6 ? 6 : 4;
	memcpy(a->b, is6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr, is6 ? 16 : 4);
	return 0;
}
