/* Attributes of rtnetlink messages. */
#pragma once

#include <linux/rtnetlink.h>

#include "ip.h"

/* Sorts the attributes of len octets by type into tb[max + 1]; unknown types are left out. */
static inline void rtattr_sort(struct rtattr **tb, unsigned max, struct rtattr *rta, int len)
{
	memset(tb, 0, (max + 1) * sizeof(tb[0]));
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if ((rta->rta_type & NLA_TYPE_MASK) <= max)
			tb[rta->rta_type & NLA_TYPE_MASK] = rta;
}

/* 0 if there is none. */
static inline uint32_t rtattr_u32(const struct rtattr *rta)
{
	uint32_t value = 0;

	if (rta && RTA_PAYLOAD(rta) >= sizeof(value))
		memcpy(&value, RTA_DATA(rta), sizeof(value));
	return value;
}

/* An address without its family; false: wrong length or no attribute. */
static inline bool rtattr_addr(const struct rtattr *rta, int family, struct ip_addr *a)
{
	size_t len = family == AF_INET ? 4 : 16;

	if (!rta || RTA_PAYLOAD(rta) != len)
		return false;
	*a = (struct ip_addr){.version = family == AF_INET ? 4 : 6};
	memcpy(a->b, RTA_DATA(rta), len);
	return true;
}
