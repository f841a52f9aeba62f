/* SA sets as states and policies of the Linux kernel, put there by `ip -batch`. */
#pragma once

#include "sa.h"

/*
 * Four states and, for each pair, a policy out and a policy in (TS 33.203 7.1: selectors are
 * addresses and ports, for UDP and TCP alike). `udp_enc_port` is ours in SA_MODE_UDP_ENC_TUN.
 * 0, -errno, or -EIO if `ip` refused.
 */
int kernel_sa_install(const struct sa_set *set, uint16_t udp_enc_port);
int kernel_sa_remove(const struct sa_set *set, bool inbound, bool outbound);
