#include "dataplane/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_log.h>

#define PORT_RX_DESC 1024
#define PORT_TX_DESC 1024

static int port_log(const char *device, const char *what, int rc)
{
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "port %s: %s: %s\n", device, what, strerror(-rc));
	return rc;
}

/* "net_tap0" of "net_tap0,iface=esp0" */
static int port_device_name(char name[RTE_ETH_NAME_MAX_LEN], const char *device)
{
	size_t n = strcspn(device, ",");

	if (n == 0 || n >= RTE_ETH_NAME_MAX_LEN)
		return -EINVAL;
	memcpy(name, device, n);
	name[n] = '\0';
	return 0;
}

bool port_defragments(const char *device)
{
	/* Its sockets are a fanout group with PACKET_FANOUT_FLAG_DEFRAG (IPv4 only). */
	return strncmp(device, "net_af_packet", strlen("net_af_packet")) == 0;
}

/* Probes a device; makes room for whole datagrams where the configuration does not say. */
static int port_probe(const char *device)
{
	char args[512];
	int len;

	if (!port_defragments(device) || strstr(device, "framesz="))
		return rte_dev_probe(device);
	len = snprintf(args, sizeof(args), "%s,framesz=%u,blocksz=%u", device, PORT_LARGE_FRAME,
		       PORT_LARGE_FRAME * 4);
	return len < 0 || (size_t)len >= sizeof(args) ? -E2BIG : rte_dev_probe(args);
}

static int port_find(struct port *port, const char *device)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	int rc = port_device_name(name, device);

	if (rc < 0)
		return port_log(device, "bad name", rc);
	if (rte_eth_dev_get_port_by_name(name, &port->id) == 0)
		return 0;
	rc = port_probe(device);
	if (rc == -EFAULT) /* what EAL says of a name that no bus knows */
		rc = -ENODEV;
	if (rc < 0)
		return port_log(device, "cannot be opened", rc);
	port->made = true;
	rc = rte_eth_dev_get_port_by_name(name, &port->id);
	return rc < 0 ? port_log(device, "is no Ethernet port", rc) : 0;
}

static int port_queues_setup(const struct port *port, struct rte_mempool *pool)
{
	uint16_t rx_desc = PORT_RX_DESC, tx_desc = PORT_TX_DESC, q;
	int socket = rte_eth_dev_socket_id(port->id);
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx_desc, &tx_desc);

	for (q = 0; rc == 0 && q < port->queues; q++) {
		rc = rte_eth_rx_queue_setup(port->id, q, rx_desc, socket, NULL, pool);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(port->id, q, tx_desc, socket, NULL);
	}
	return rc;
}

/*
 * No offloads: we need every checksum as it is on the wire. RSS by address alone, since the ports
 * of ESP cannot be seen.
 */
static int port_configure(struct port *port, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf eth = {.rxmode.mtu = port->mtu};
	uint64_t rss = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;

	if (port->queues > 1 && (info->flow_type_rss_offloads & rss)) {
		eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		eth.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & rss;
	}
	return rte_eth_dev_configure(port->id, port->queues, port->queues, &eth);
}

static uint16_t port_min(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

static int port_mac(struct port *port, const struct rte_ether_addr *take)
{
	int rc = rte_eth_macaddr_get(port->id, &port->mac);

	if (rc < 0)
		return rc;
	if (take)
		port->mac = *take;
	else if (rte_is_zero_ether_addr(&port->mac))
		rte_eth_random_addr(port->mac.addr_bytes); /* rings and the like have none */
	else
		return 0;
	rc = rte_eth_dev_default_mac_addr_set(port->id, &port->mac);
	return rc == -ENOTSUP ? 0 : rc;
}

static int port_start(struct port *port, const struct port_conf *conf)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port->id, &info);

	if (rc < 0)
		return port_log(conf->device, "no information", rc);
	port->host_if = info.if_index;
	port->mtu = conf->mtu;
	port->queues = port_min(conf->queues, port_min(info.max_rx_queues, info.max_tx_queues));
	rc = port_configure(port, &info);
	if (rc == 0)
		rc = port_queues_setup(port, conf->pool);
	if (rc < 0)
		return port_log(conf->device, "cannot be configured", rc);
	rc = rte_eth_dev_set_mtu(port->id, port->mtu);
	if (rc < 0 && rc != -ENOTSUP)
		return port_log(conf->device, "does not take the MTU", rc);
	rc = port_mac(port, conf->mac);
	if (rc == 0)
		rc = rte_eth_dev_start(port->id);
	if (rc < 0)
		return port_log(conf->device, "does not start", rc);
	(void)rte_eth_allmulticast_enable(port->id); /* neighbour discovery; most have it anyway */
	return 0;
}

/*
 * Does it read a file? A kernel or virtual machine behind anything else, net_pcap's own interfaces
 * (iface=, rx_iface=) among them, may leave checksums to hardware that is not there.
 */
static bool device_sums_whole(const char *device)
{
	return strncmp(device, "net_pcap", strlen("net_pcap")) == 0 &&
	       strstr(device, ",rx_pcap=") && !strstr(device, ",iface=");
}

int port_open(struct port *port, const struct port_conf *conf)
{
	int rc;

	memset(port, 0, sizeof(*port));
	port->sums_whole = device_sums_whole(conf->device);
	rc = port_find(port, conf->device);
	port->open = rc == 0;
	if (rc == 0)
		rc = port_start(port, conf);
	if (rc < 0)
		port_close(port);
	return rc;
}

void port_close(struct port *port)
{
	struct rte_eth_dev_info info;
	int rc;

	if (!port->open)
		return;
	port->open = false;
	(void)rte_eth_dev_stop(port->id);
	if (!port->made)
		return;
	rc = rte_eth_dev_info_get(port->id, &info);
	(void)rte_eth_dev_close(port->id);
	if (rc == 0)
		(void)rte_dev_remove(info.device);
}
