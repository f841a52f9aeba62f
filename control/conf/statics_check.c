/* SAs keyed by hand against each other, and against the rest of the configuration. */
#include <string.h>

#include "control/conf/key.h"
#include "dataplane.h"

static const struct ip_addr *local_of(const struct esp_conf *c, const struct conf_sa *sa)
{
	return &c->addresses[sa->remote.version == 6];
}

static void check_addresses(struct loader *l, const struct conf_sa *sa)
{
	const struct ip_addr *local = local_of(l->c, sa);

	if (local->version == 0)
		conf_fault(l, sa->line,
			   "static_sas.remote: IPv%u, but access.addresses has no such address",
			   sa->remote.version);
	else if (ip_addr_eq(local, &sa->remote))
		conf_fault(l, sa->line, "static_sas.remote: expected the peer's address, not ours");
}

/* Only a protected port takes and sends nothing in clear (TS 33.203 7.1). */
static void check_port(struct loader *l, const struct conf_sa *sa)
{
	uint16_t min, max;

	conf_protected_ports(l->c, &min, &max);
	if (sa->local_port < min || sa->local_port > max)
		conf_fault(l, sa->line,
			   "static_sas.local_port: expected a protected port (access.port_ps, "
			   "port_pc_min to port_pc_max: %u to %u), found %u",
			   min, max, sa->local_port);
}

static void check_algorithm(struct loader *l, const struct conf_sa *sa)
{
	if (sa->algorithm.encr == SA_ENCR_DES_EDE3_CBC && !l->c->legacy_des_ede3_cbc)
		conf_fault(l, sa->line,
			   "static_sas.algorithm: des-ede3-cbc needs legacy.des_ede3_cbc = true");
	if (sa->algorithm.integ == SA_INTEG_HMAC_MD5_96 && !l->c->legacy_hmac_md5_96)
		conf_fault(l, sa->line,
			   "static_sas.algorithm: hmac-md5-96 is withdrawn by legacy.hmac_md5_96");
}

/* Low bits of an SPI that are the place of its SA (dp_sa_reserve_manual()) */
static uint32_t place_mask(const struct esp_conf *c)
{
	return dp_sa_sets_round(c->sa_sets) - 1;
}

static void check_pair_in(struct loader *l, const struct conf_sa *a, const struct conf_sa *b)
{
	uint32_t mask = place_mask(l->c);

	if (((a->spi ^ b->spi) & mask) == 0)
		conf_fault(
			l, b->line,
			"static_sas.spi: 0x%x has the place of 0x%x in line %u: expected inbound "
			"SPIs that differ modulo sa_sets (%u)",
			b->spi, a->spi, a->line, mask + 1);
}

static void check_pair_out(struct loader *l, const struct conf_sa *a, const struct conf_sa *b)
{
	if (!ip_addr_eq(&a->remote, &b->remote))
		return;
	if (a->local_port == b->local_port && a->remote_port == b->remote_port)
		conf_fault(l, b->line,
			   "static_sas: the SA in line %u has these ports and address already",
			   a->line);
	else if (a->spi == b->spi)
		conf_fault(l, b->line,
			   "static_sas.spi: the SA in line %u to the same peer has it already",
			   a->line);
}

static void check_pair(struct loader *l, const struct conf_sa *a, const struct conf_sa *b)
{
	if (a->direction != b->direction)
		return;
	if (a->direction == CONF_IN)
		check_pair_in(l, a, b);
	else
		check_pair_out(l, a, b);
}

static void check_plane(struct loader *l)
{
	unsigned line = conf_line(l, "static_sas");

	if (!l->c->ue_port && !(l->c->roles & CONF_PCSCF))
		conf_fault(l, line, "static_sas: expected dataplane.ue_port to be set, too");
	if (!l->c->host_port)
		conf_fault(l, line,
			   "static_sas: expected dataplane.host_port to be set: what they carry "
			   "comes from there and goes there");
	if (l->c->n_static_sas > l->c->sa_sets)
		conf_fault(l, line, "static_sas: %u are more than dataplane.sa_sets (%u)",
			   l->c->n_static_sas, l->c->sa_sets);
}

void conf_check_statics(struct loader *l)
{
	const struct esp_conf *c = l->c;

	if (l->faults || c->n_static_sas == 0) /* of an SA that is not whole nothing can be said */
		return;
	check_plane(l);
	for (unsigned i = 0; i < c->n_static_sas; i++) {
		check_addresses(l, &c->static_sas[i]);
		check_port(l, &c->static_sas[i]);
		check_algorithm(l, &c->static_sas[i]);
		for (unsigned j = 0; j < i; j++)
			check_pair(l, &c->static_sas[j], &c->static_sas[i]);
	}
}
