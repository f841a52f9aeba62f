/* Next hops (RFC 3261 16.6 step 6, 16.12, 18.2.2; all routers here are loose). */
#include "control/mw/mw.h"

#include <errno.h>

#include "control/sip/msg.h"

static struct sv uri_host(struct sv text)
{
	struct sip_uri u;

	return sip_uri_parse(&u, text) == 0 ? u.host : (struct sv){0};
}

struct sv mw_next_hop(const struct sip_msg *m)
{
	struct sip_list routes = {.msg = m, .id = SIP_HDR_ROUTE};
	struct sip_addr route;
	struct sip_via via;
	struct sv element;

	if (!m->request)
		return sip_via_top(&via, m) == 0 ? via.host : (struct sv){0};
	if (!sip_list_walk(&routes, &element))
		return uri_host(m->uri);
	return sip_addr_parse(&route, element) == 0 ? uri_host(route.uri) : (struct sv){0};
}

int mw_forward(struct mw *m, struct sv text)
{
	struct sip_msg msg;
	int err = sip_msg_parse(&msg, text);

	return err ? err : mw_send(m, mw_next_hop(&msg), text);
}
