#include "dataplane/udp.h"

#include <netinet/in.h>

#include "dataplane/ip_write.h"
#include "dataplane/udp_write.h"
#include "dataplane/worker.h"

static int udp_build(struct worker *w, struct pkt *p, const struct udp_path *path)
{
	struct ip_new ip = {.src = path->local, .dst = path->remote, .proto = IPPROTO_UDP};

	ip.len = (uint32_t)sizeof(struct rte_udp_hdr) + rte_pktmbuf_data_len(p->m);
	p->version = path->remote->version;
	p->proto = IPPROTO_UDP;
	p->ip_len = ip_new_len(p->version);
	if (p->ip_len + ip.len > UINT16_MAX)
		return DP_DROP_TOO_BIG;
	p->ip = (uint8_t *)rte_pktmbuf_prepend(p->m,
					       (uint16_t)(p->ip_len + sizeof(struct rte_udp_hdr)));
	if (!p->ip)
		return DP_DROP_NO_BUFFER;
	p->l4 = p->ip + p->ip_len;
	p->l4_len = (uint16_t)ip.len;
	ip_write(p->ip, &ip, w->ip_id++);
	udp_write((struct rte_udp_hdr *)p->l4, path, p->l4_len, p->payload_sum);
	return PKT_KEEP;
}

int udp_build_clear(struct worker *w, struct pkt *p, const struct ip_endpoint *local,
		    const struct ip_endpoint *remote)
{
	struct udp_path path = {
		.local = &local->addr,
		.remote = &remote->addr,
		.local_port = rte_cpu_to_be_16(local->port),
		.remote_port = rte_cpu_to_be_16(remote->port),
		.version = remote->addr.version,
	};

	return udp_build(w, p, &path);
}
