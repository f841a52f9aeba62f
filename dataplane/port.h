/* A DPDK port: any device, with one queue pair per worker as far as it has them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mempool.h>

#define PORT_LARGE_FRAME 10240 /* octets that a port which defragments takes at most */

struct port_conf {
	const char *device; /* name of an existing port, or devargs of one to make */
	uint16_t queues;    /* wanted; a port may have fewer */
	uint16_t mtu;
	struct rte_mempool *pool;	  /* for what it receives */
	const struct rte_ether_addr *mac; /* to take over; NULL: its own */
};

struct port {
	uint16_t id;
	uint16_t queues;
	uint16_t mtu;
	unsigned host_if; /* the kernel's interface behind it; 0: none */
	struct rte_ether_addr mac;
	bool sums_whole; /* checksums of what it receives are as they were on a wire */
	bool made;	 /* by us */
	bool open;
};

/* Opens and starts. 0 or negative errno; EAL's log has the details. */
int port_open(struct port *port, const struct port_conf *conf);
/* Does this device hand out whole datagrams, however many fragments they came in? */
bool port_defragments(const char *device);
/* Stops the port, and removes it if port_open() made it. */
void port_close(struct port *port);
