/* Via: the UE's against its packet, and our own. */
#include <ctype.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

static int host_addr(struct sv host, struct ip_addr *a)
{
	char text[IP_ADDR_STRLEN];

	if (sv_empty(host) || host.n >= sizeof(text))
		return -EINVAL;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return ip_addr_parse(a, text);
}

static bool host_is(struct sv host, const struct ip_addr *source)
{
	struct ip_addr a;

	return host_addr(host, &a) == 0 && ip_addr_eq(&a, source);
}

int pcscf_via_addr(const struct sip_msg *m, struct ip_addr *a)
{
	struct sip_via v;

	return sip_via_top(&v, m) < 0 ? -EINVAL : host_addr(v.host, a);
}

bool pcscf_via_fits(const struct sip_msg *m, const struct ip_addr *source)
{
	struct sip_via v;

	return sip_via_top(&v, m) == 0 && host_is(v.host, source);
}

/* The name of an empty rport parameter, where its value is to stand. */
static struct sv rport_place(const struct sip_via *v)
{
	struct sv rest = v->params, name, value;

	while (sip_param_next(&rest, &name, &value))
		if (sv_caseeq(name, SV("rport")) && sv_empty(value))
			return name;
	return (struct sv){0};
}

bool pcscf_via_stamp(struct pcscf *p, struct sip_msg *m, const struct sip_flow *from,
		     const struct pcscf_set *s)
{
	const struct ip_addr *source = s ? pcscf_set_ue(s) : &from->remote.addr;
	char addr[IP_ADDR_STRLEN];
	struct sip_edit e;
	struct sip_via v;
	struct sv rport, text;

	if (sip_via_top(&v, m) < 0)
		return false;
	rport = rport_place(&v);
	if (sv_empty(rport) && host_is(v.host, source))
		return true;
	ip_addr_format(source, addr);
	sip_edit_init(&e, m);
	if (!sv_empty(rport))
		sip_edit_replace(&e, rport, "rport=%u;received=%s", from->remote.port, addr);
	else
		sip_edit_replace(&e, (struct sv){v.element.p + v.element.n, 0}, ";received=%s",
				 addr);
	text = sip_edit_text(&e, p->stamped, PCSCF_TEXT_MAX);
	return !sv_empty(text) && sip_msg_parse(m, text) == 0;
}

#define BRANCH_COOKIE_LEN 7 /* "z9hG4bK" */

void pcscf_branch(char branch[SIP_BRANCH_LEN], sa_set_id set)
{
	char id[9];

	sip_branch(branch);
	snprintf(id, sizeof(id), "%08x", set);
	memcpy(branch + BRANCH_COOKIE_LEN, id, 8);
}

bool pcscf_branch_set(struct sv branch, sa_set_id *set)
{
	uint8_t id[4];

	if (branch.n != SIP_BRANCH_LEN - 1 ||
	    !parse_hex((struct sv){branch.p + BRANCH_COOKIE_LEN, 8}, id, sizeof(id)))
		return false;
	*set = (sa_set_id)id[0] << 24 | (sa_set_id)id[1] << 16 | (sa_set_id)id[2] << 8 | id[3];
	return true;
}

void pcscf_via_host(const struct ip_endpoint *e, char *buf)
{
	ip_endpoint_format(e, buf);
}

bool pcscf_via_below(const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_VIA};
	struct sv element;

	return sip_list_walk(&l, &element) && sip_list_walk(&l, &element);
}
