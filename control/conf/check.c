/* What single values cannot show: keys that do not fit each other, and what follows from others. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "control/conf/key.h"
#include "dataplane.h"

static void check_needed(struct loader *l)
{
	bool statics_alone = conf_is_set(l, "static_sas") && !conf_is_set(l, "roles");

	for (size_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];

		/* SAs keyed by hand need no SIP. */
		if (statics_alone && k->needed_by == CONF_ALL_ROLES)
			continue;
		if (!l->lines[i] &&
		    (k->needed_by == CONF_ALL_ROLES || (k->needed_by & l->c->roles)))
			conf_fault(l, conf_line(l, k->path), "%s is missing: expected %s (%s)",
				   k->path, k->type->noun, k->help);
	}
}

/* Mw and Cx pass in memory so far: a role needs its neighbours beside it. */
static void check_roles(struct loader *l)
{
	static const struct {
		unsigned role, needs;
		const char *text;
	} rules[] = {
		{CONF_PCSCF, CONF_ICSCF, "\"p-cscf\" needs \"i-cscf\" in the same process"},
		{CONF_ICSCF, CONF_SCSCF, "\"i-cscf\" needs \"s-cscf\" in the same process"},
		{CONF_SCSCF, CONF_HSS, "\"s-cscf\" needs \"hss\" in the same process"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((l->c->roles & rules[i].role) && !(l->c->roles & rules[i].needs))
			conf_fault(l, conf_line(l, "roles"), "roles: %s", rules[i].text);
}

static void name_default(struct loader *l, char **name, const char *prefix)
{
	if (*name || !l->c->realm)
		return;
	if (asprintf(name, "%s%s", prefix, l->c->realm) < 0) {
		*name = NULL;
		conf_fault(l, 0, "out of memory");
	}
}

static void check_names(struct loader *l)
{
	struct esp_conf *c = l->c;

	name_default(l, &c->pcscf_host, "pcscf.");
	name_default(l, &c->icscf_host, "icscf.");
	name_default(l, &c->scscf_host, "scscf.");
	name_default(l, &c->visited_network, "");
	if (!c->pcscf_host || !c->icscf_host || !c->scscf_host)
		return;
	if (strcasecmp(c->icscf_host, c->scscf_host) == 0 ||
	    strcasecmp(c->pcscf_host, c->icscf_host) == 0)
		conf_fault(l, conf_line(l, "names.icscf"),
			   "names.icscf: expected a name of its own, found \"%s\" again",
			   c->icscf_host);
	if (c->ecscf_host && strcasecmp(c->pcscf_host, c->ecscf_host) == 0)
		conf_fault(l, conf_line(l, "names.ecscf"),
			   "names.ecscf: expected another name than names.pcscf's");
	if (strcasecmp(c->pcscf_host, c->scscf_host) == 0)
		conf_fault(l, conf_line(l, "names.scscf"),
			   "names.scscf: expected a name of its own, found \"%s\" again",
			   c->scscf_host);
}

/* TS 33.203 7.1: protected ports are neither 5060 nor 5061; and nothing in clear uses them. */
static bool port_clear(const struct esp_conf *c, uint32_t port)
{
	return port == 5060 || port == 5061 || port == c->sip_port ||
	       (c->tls_enabled && port == c->tls_port);
}

static void check_ports(struct loader *l)
{
	struct esp_conf *c = l->c;
	unsigned line = conf_line(l, "access.port_ps");
	uint16_t min, max;

	if (c->port_pc_min > c->port_pc_max) {
		conf_fault(l, conf_line(l, "access.port_pc_max"),
			   "access.port_pc_max: expected port_pc_min (%u) or more, found %u",
			   c->port_pc_min, c->port_pc_max);
		return;
	}
	if (port_clear(c, c->port_ps)) {
		conf_fault(l, line,
			   "access.port_ps: expected neither 5060, 5061 nor sip_port, found %u",
			   c->port_ps);
		return;
	}
	if (c->port_ps >= c->port_pc_min && c->port_ps <= c->port_pc_max) {
		conf_fault(l, line,
			   "access.port_ps: expected a port outside port_pc_min to port_pc_max "
			   "(%u to %u), found %u",
			   c->port_pc_min, c->port_pc_max, c->port_ps);
		return;
	}
	conf_protected_ports(c, &min, &max);
	for (uint32_t port = min; port <= max; port++)
		if (port_clear(c, port)) {
			conf_fault(
				l, conf_line(l, "access.port_pc_min"),
				"access: port_ps, port_pc_min to port_pc_max and what lies between "
				"(%u to %u) must not hold %u",
				min, max, port);
			return;
		}
}

static void check_tls(struct loader *l)
{
	struct esp_conf *c = l->c;

	if (!c->tls_enabled)
		return;
	if (!c->tls_certificate || !c->tls_key)
		conf_fault(l, conf_line(l, "tls.enabled"),
			   "tls.enabled: expected tls.certificate and tls.key as well");
	if (!c->host_port)
		conf_fault(l, conf_line(l, "tls.enabled"),
			   "tls.enabled: expected dataplane.host_port, the way of TCP");
	if (c->tls_port == c->sip_port)
		conf_fault(l, conf_line(l, "tls.port"),
			   "tls.port: expected another port than access.sip_port");
}

/* A few ports per UE do, but each authentication takes one that is not in use (LC-02). */
static void check_port_count(struct loader *l)
{
	struct esp_conf *c = l->c;

	if (c->port_pc_max >= c->port_pc_min && c->port_pc_max - c->port_pc_min < 3)
		conf_fault(l, conf_line(l, "access.port_pc_max"),
			   "access.port_pc_max: expected 4 ports or more from port_pc_min on");
}

static bool algorithm_allowed(const struct esp_conf *c, const struct conf_algorithm *a)
{
	return (c->legacy_hmac_md5_96 || a->integ != SA_INTEG_HMAC_MD5_96) &&
	       (c->null_encryption || a->encr != SA_ENCR_NULL);
}

static void check_algorithms(struct loader *l)
{
	struct esp_conf *c = l->c;
	unsigned line = conf_line(l, "ipsec.algorithms"), n = 0;
	bool des = false;

	for (unsigned i = 0; i < c->n_algorithms; i++) {
		des |= c->algorithms[i].encr == SA_ENCR_DES_EDE3_CBC;
		if (algorithm_allowed(c, &c->algorithms[i]))
			c->algorithms[n++] = c->algorithms[i];
	}
	if (des && !c->legacy_des_ede3_cbc)
		conf_fault(l, line,
			   "ipsec.algorithms: des-ede3-cbc needs legacy.des_ede3_cbc = true");
	if (n == 0 && c->n_algorithms)
		conf_fault(l, line,
			   "ipsec.algorithms: nothing is left that legacy.hmac_md5_96 and "
			   "ipsec.null_encryption allow");
	c->n_algorithms = n;
}

static void check_order(struct loader *l, const char *path, uint32_t least, uint32_t value,
			const char *other)
{
	if (value < least)
		conf_fault(l, conf_line(l, path), "%s: expected %s (%u) or more, found %u", path,
			   other, least, value);
}

static void check_times(struct loader *l)
{
	struct esp_conf *c = l->c;

	check_order(l, "registrar.expires_default", c->expires_min, c->expires_default,
		    "expires_min");
	check_order(l, "registrar.expires_max", c->expires_default, c->expires_max,
		    "expires_default");
	check_order(l, "timers.t2_ms", c->t1_ms, c->t2_ms, "t1_ms");
}

static void check_dataplane(struct loader *l)
{
	struct esp_conf *c = l->c;

	if (c->host_port && conf_is_set(l, "dataplane.gateways"))
		conf_fault(
			l, conf_line(l, "dataplane.gateways"),
			"dataplane.gateways: expected only without host_port, whose routes count");
	if (c->host_port && c->ue_port && strcmp(c->host_port, c->ue_port) == 0)
		conf_fault(l, conf_line(l, "dataplane.host_port"),
			   "dataplane.host_port: expected another port than ue_port");
	if (c->cores && strspn(c->cores, "0123456789,-@()") != strlen(c->cores))
		conf_fault(l, conf_line(l, "dataplane.cores"),
			   "dataplane.cores: expected numbers, ',', '-', '@', '(' and ')', found "
			   "\"%s\"",
			   c->cores);
	if (c->max_pending > c->sa_sets && conf_is_set(l, "limits.pending_registrations"))
		conf_fault(l, conf_line(l, "limits.pending_registrations"),
			   "limits.pending_registrations: expected dataplane.sa_sets (%u) or less, "
			   "found %u",
			   c->sa_sets, c->max_pending);
	else if (c->max_pending > c->sa_sets)
		c->max_pending = c->sa_sets;
}

/* TS 33.203 7.1: SPIs of a range of our own, where others use IPsec too. */
static void check_spis(struct loader *l)
{
	const struct esp_conf *c = l->c;
	uint64_t room = (uint64_t)dp_sa_sets_round(c->sa_sets) * SA_PAIRS * DP_SPI_ROOM;

	if (c->spi_min + room - 1 > c->spi_max)
		conf_fault(
			l, conf_line(l, "dataplane.spi_max"),
			"dataplane.spi_max: expected %llu SPIs or more from spi_min (%u) on, for "
			"%u sa_sets, found %u",
			(unsigned long long)room, c->spi_min, c->sa_sets, c->spi_max);
}

static void check_socket(struct loader *l)
{
	size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (l->c->socket_path && strlen(l->c->socket_path) > room)
		conf_fault(l, conf_line(l, "control.socket"),
			   "control.socket: expected a path of %zu octets or less, found \"%s\"",
			   room, l->c->socket_path);
}

static void check_nat(struct loader *l)
{
	struct esp_conf *c = l->c;
	const unsigned port = CONF_UDP_ENC_PORT;
	uint16_t min, max;

	for (unsigned v = 0; v < 2; v++)
		if (ip_prefix_holds(&c->aliases[v], &c->addresses[v]) && c->addresses[v].version)
			conf_fault(l, conf_line(l, "nat.aliases"),
				   "nat.aliases: expected a prefix without our access.addresses");
	conf_protected_ports(c, &min, &max);
	if (c->udp_enc_tun && (c->sip_port == port || (min <= port && port <= max)))
		conf_fault(l, conf_line(l, "nat.udp_enc_tun"),
			   "nat.udp_enc_tun: expected false, or port %u free of sip_port and the "
			   "protected ports",
			   port);
}

void conf_check(struct loader *l)
{
	check_needed(l);
	check_roles(l);
	check_names(l);
	check_ports(l);
	check_port_count(l);
	check_tls(l);
	conf_check_networks(l); /* from what all may have, before that is sorted out */
	check_algorithms(l);
	check_times(l);
	check_nat(l);
	check_dataplane(l);
	check_spis(l);
	check_socket(l);
	conf_check_digest(l);
	conf_check_statics(l);
}
