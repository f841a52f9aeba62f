/*
 * Mirrors the interface named on the command line, as the daemon does, and answers on stdout what
 * it would do with packets. Commands on stdin, one a line:
 *
 *   lookup ADDR     -> "ADDR MAC", "ADDR unresolved" or "ADDR unreachable"
 *   send ADDR       holds a packet until ADDR's next hop is resolved -> "sent MAC" or "lost"
 */
#include <net/if.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>

#include "dataplane/slowpath.h"

struct probe {
	struct slowpath *s;
	struct rte_mempool *pool;
};

static void mac_print(const struct rte_ether_addr *mac)
{
	char text[RTE_ETHER_ADDR_FMT_SIZE];

	rte_ether_format_addr(text, sizeof(text), mac);
	for (char *c = text; *c; c++)
		*c |= 0x20; /* as ip prints it; digits and colons have the bit already */
	printf("%s\n", text);
}

static void lookup(const struct probe *p, const char *text, const struct ip_addr *dst)
{
	struct next_hop_cache cache = {0};
	struct rte_ether_addr mac;
	int rc = slowpath_next_hop(p->s, dst, &cache, &mac);

	printf("%s ", text);
	if (rc == 0)
		mac_print(&mac);
	else
		printf("%s\n", rc == -EAGAIN ? "unresolved" : "unreachable");
}

static struct rte_mbuf *packet_to(const struct probe *p, const struct ip_addr *dst)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(p->pool);
	size_t n = dst->version == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint8_t *ip = m ? (uint8_t *)rte_pktmbuf_append(m, (uint16_t)n) : NULL;

	if (!ip)
		return m;
	memset(ip, 0, n);
	ip[0] = dst->version == 4 ? RTE_IPV4_VHL_DEF : 0x60;
	memcpy(ip + n - (dst->version == 4 ? 4 : 16), dst->b, dst->version == 4 ? 4 : 16);
	return m;
}

static void send_held(const struct probe *p, const struct ip_addr *dst)
{
	uint64_t lost = slowpath_unresolved_drops(p->s);
	struct rte_mbuf *m = packet_to(p, dst);

	if (!m || !slowpath_hold(p->s, m)) {
		rte_pktmbuf_free(m);
		printf("refused\n");
		return;
	}
	while (slowpath_unresolved_drops(p->s) == lost) {
		if (slowpath_frames(p->s, &m, 1) == 1) {
			printf("sent ");
			mac_print(&rte_pktmbuf_mtod(m, struct rte_ether_hdr *)->dst_addr);
			rte_pktmbuf_free(m);
			return;
		}
		usleep(1000);
	}
	printf("lost\n");
}

static void commands_read(const struct probe *p)
{
	char line[128], text[64], what[16];
	struct ip_addr dst;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %63s", what, text) != 2 || ip_addr_parse(&dst, text) != 0)
			printf("what?\n");
		else if (strcmp(what, "lookup") == 0)
			lookup(p, text, &dst);
		else
			send_held(p, &dst);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *args[] = {argv[0], "--no-huge",   "--no-pci", "--no-shconf",
			      "-m64",  "--log-level", "error",	  "--no-telemetry"};
	struct slowpath_conf conf = {.mac = {{2, 0, 0, 0, 0, 1}}};
	struct probe p = {NULL};
	int rc = EXIT_FAILURE;

	if (argc != 2 || (conf.host_if = if_nametoindex(argv[1])) == 0) {
		fprintf(stderr, "usage: mirror_probe INTERFACE\n");
		return rc;
	}
	if (rte_eal_init(RTE_DIM(args), (char **)(uintptr_t)args) < 0)
		return rc;
	p.pool = rte_pktmbuf_pool_create("probe", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	conf.pool = p.pool;
	conf.qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, rte_rcu_qsbr_get_memsize(1));
	if (conf.pool && conf.qsbr && rte_rcu_qsbr_init(conf.qsbr, 1) == 0 &&
	    slowpath_alloc(&p.s, &conf) == 0) {
		commands_read(&p);
		rc = EXIT_SUCCESS;
	}
	slowpath_free(p.s);
	free(conf.qsbr);
	rte_mempool_free(p.pool);
	rte_eal_cleanup();
	return rc;
}
