/* The command line of esplanade-ue. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "control/agree/agree.h"
#include "control/ue/ue.h"
#include "ip.h"

enum ue_command {
	UE_COMMAND_HELP,
	UE_COMMAND_VERSION,
	UE_COMMAND_LOAD,
	UE_COMMAND_GATEWAY, /* with o.load */
	UE_COMMAND_PHONE,   /* with o.load: one UE */
	UE_COMMAND_SUBSCRIBERS,
};

#define UE_MAX_ALGORITHMS 6

struct load_options { /* strings are argv's */
	const char *port, *host_port, *subscribers, *export_keys, *cores;
	uint32_t ues, rate, seconds, messages, calls, size, window, expires, patience;
	uint32_t workers, mtu, tcp_idle, tcp_ping;
	uint32_t call_delay, call_interval, talk; /* s; ms; ms */
	const char *peer;	  /* URI that all messages and calls go to; NULL: to each other */
	uint32_t delay, interval; /* s before the first message; ms between those of one UE */
	bool udp_enc_tun;	  /* for UEs behind NATs */
	uint32_t keepalive;	  /* s, of their NATs' mappings */
	enum ue_transport transport;
	enum ue_auth auth;
	enum ue_security security; /* without IPsec: the host's sockets, no DPDK */
	const char *password_file; /* of all UEs; NULL: in the subscribers file */
	const char *impi, *impu;   /* of the only UE; NULL: in the subscribers file */
	const char *ca, *crl, *server_name, *access;
	uint16_t tls_port;
	bool rspauth_optional, sha256_only, clear_optional;
	struct ip_prefix local;
	uint16_t local_port; /* one address for all UEs: of the first, the next have the next */
	bool one_address;
	struct ip_addr router_local, gateway;
	struct ip_endpoint pcscf;
	struct ip_endpoint listen,
		deliver; /* gateway: of the first UE; the next have the next ports */
	uint8_t ip;
	struct agree_choice algorithms[UE_MAX_ALGORITHMS];
	unsigned n_algorithms;
	bool offer_all; /* each UE offers all of them; else one, in turn */
	bool reg_event; /* also if there is but one UE */
	bool json, progress, keep, no_deregister, huge_pages;
};

static inline bool load_uses_tls(const struct load_options *o)
{
	return o->security != UE_SECURITY_IPSEC && o->security != UE_SECURITY_NONE;
}

struct subscribers_options {
	uint32_t count, first;
	const char *realm;
	bool digest;	 /* passwords, not keys */
	const char *hss; /* digest: file for the HSS's side, with H(A1) */
};

struct ue_options {
	enum ue_command command;
	struct load_options load;
	struct subscribers_options subscribers;
};

/* 0, or -EINVAL with what is wrong in why[]. */
int ue_options_parse(struct ue_options *o, int argc, char *const *argv, char *why, size_t why_cap);
void ue_options_help(FILE *f);
