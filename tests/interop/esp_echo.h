/*
 * Datagrams and TCP connections through ESP and back, between two programs that agree on SA sets by
 * a line of text in clear. `esp_echo` has our data plane, `kernel_echo` the Linux kernel's ESP:
 * both see include/dataplane.h only. A case is a mode, an IP version and a pair of algorithms; its
 * addresses, ports and keys follow from its number.
 */
#pragma once

#include "dataplane.h"

#define ECHO_CASES	   24	/* mode, IP version, algorithms: 2 x 2 x 6 */
#define ECHO_MAX	   3000 /* octets of a datagram: in fragments on the wire */
#define ECHO_PROTECTED_MIN 10000
#define ECHO_PROTECTED_MAX 59999

/* The set of a case but for id and SPIs, as seen by the gateway or by the UE. */
void echo_case(unsigned number, bool gateway, struct sa_set *set);
const char *echo_case_name(unsigned number);
/* What is sent in clear, from and to: port 5060, outer addresses of the IP version. */
struct dp_out echo_clear(unsigned ip, bool gateway);

int echo_send_text(struct dp *dp, const struct dp_out *out, const char *text);
/* A set's own ends: in tunnel mode the inner addresses. */
struct ip_endpoint echo_local(const struct sa_set *set, unsigned pair);
struct ip_endpoint echo_remote(const struct sa_set *set, unsigned pair);

/* TCP by the host's stack. Descriptor or -errno; with `listening` for the first peer that connects.
 */
int echo_tcp_listen(const struct ip_endpoint *local);
int echo_tcp_connect(const struct ip_endpoint *local, const struct ip_endpoint *remote);
