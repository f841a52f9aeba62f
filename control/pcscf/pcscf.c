/* The P-CSCF as a whole: making it, ending it, orders from outside. */
#include <sodium.h>
#include <stdlib.h>
#include <utlist.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

static bool port_protected_ok(uint16_t port)
{
	return port != 0 && port != 5060 && port != 5061; /* SP-09 */
}

/* At least four addresses, and all host bits clear. */
static bool alias_ok(const struct ip_prefix *a, uint8_t version)
{
	unsigned bits = version == 4 ? 32 : 128;

	for (unsigned i = a->len; i < bits; i++)
		if (a->addr.b[i / 8] & (0x80 >> i % 8))
			return false;
	return a->addr.version == 0 || (a->addr.version == version && a->len <= bits - 2);
}

static bool conf_ok(const struct pcscf_conf *c)
{
	if (!c->host || !c->icscf_host || !pcscf_policies_ok(c))
		return false;
	if (!alias_ok(&c->alias[0], 4) || !alias_ok(&c->alias[1], 6))
		return false;
	return port_protected_ok(c->port_ps) && c->port_pc_min &&
	       c->port_pc_min <= c->port_pc_max && c->await_auth;
}

static int conf_copy(struct pcscf *p, const struct pcscf_conf *conf)
{
	p->conf = *conf;
	p->access_timers = conf->access_timers ? *conf->access_timers : SIP_TIMERS_ACCESS;
	p->conf.access_timers = &p->access_timers;
	if (!p->conf.changeover)
		p->conf.changeover = 240;
	if (!p->conf.max_emergency)
		p->conf.max_emergency = 1000;
	p->conf.host = sv_dup(sv_of(conf->host));
	p->conf.icscf_host = sv_dup(sv_of(conf->icscf_host));
	p->conf.visited_network =
		conf->visited_network ? sv_dup(sv_of(conf->visited_network)) : NULL;
	p->conf.ecscf_host = conf->ecscf_host ? sv_dup(sv_of(conf->ecscf_host)) : NULL;
	if (!p->conf.host || !p->conf.icscf_host || (conf->ecscf_host && !p->conf.ecscf_host) ||
	    (conf->visited_network && !p->conf.visited_network))
		return -ENOMEM;
	return pcscf_policies_copy(p, conf);
}

static int parts_alloc(struct pcscf *p)
{
	struct sip_txns_env access = {p, pcscf_access_send}, core = {p, pcscf_core_send};
	int rc;

	p->stamped = malloc(PCSCF_TEXT_MAX);
	p->out = malloc(PCSCF_TEXT_MAX);
	if (!p->stamped || !p->out)
		return -ENOMEM;
	rc = sip_txns_alloc(&p->access, p->timers, p->access_timers, &access);
	if (rc == 0)
		rc = sip_txns_alloc(&p->core, p->timers, SIP_TIMERS_CORE, &core);
	return rc;
}

static void parts_free(struct pcscf *p)
{
	sip_txns_free(p->access);
	sip_txns_free(p->core);
	pcscf_policies_free(p);
	free((char *)p->conf.host);
	free((char *)p->conf.icscf_host);
	free((char *)p->conf.visited_network);
	free((char *)p->conf.ecscf_host);
	free(p->stamped);
	free(p->out);
	free(p);
}

int pcscf_alloc(struct pcscf **pp, const struct pcscf_conf *conf, const struct pcscf_env *env,
		struct timers *timers, struct mw *mw)
{
	struct pcscf *p;
	int rc;

	if (!conf_ok(conf))
		return -EINVAL;
	if (sodium_init() < 0)
		return -EIO;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->env = *env;
	p->timers = timers;
	p->mw = mw;
	sip_token(p->tag, sizeof(p->tag));
	randombytes_buf(p->loop_key, sizeof(p->loop_key));
	rc = conf_copy(p, conf);
	if (rc == 0)
		rc = parts_alloc(p);
	if (rc == 0)
		rc = mw_attach(mw, sv_of(conf->host), pcscf_core_input, p);
	if (rc < 0) {
		parts_free(p);
		return rc;
	}
	*pp = p;
	return 0;
}

void pcscf_free(struct pcscf *p)
{
	struct pcscf_reg *r, *next;
	struct pcscf_relay *relay;

	if (!p)
		return;
	mw_detach(p->mw, sv_of(p->conf.host));
	pcscf_lookups_free(p);
	pcscf_callers_free(p);
	HASH_ITER(by_impi, p->by_impi, r, next)
	pcscf_reg_free(r);
	/* each relay has a transaction on both sides, and the sides go one after the other */
	DL_FOREACH(p->relays, relay)
	{
		if (relay->client)
			sip_client_cancel(relay->client);
		relay->client = NULL;
	}
	parts_free(p);
}

int pcscf_deregister(struct pcscf *p, struct sv impi, uint64_t now)
{
	struct pcscf_reg *r = pcscf_reg_find(p, impi);

	(void)now;
	if (!r)
		return -ENOENT;
	if (r->impus)
		p->counters.deregistrations++;
	pcscf_reg_free(r);
	return 0;
}

bool pcscf_has_registered(struct pcscf *p, struct sv impi)
{
	const struct pcscf_reg *r = pcscf_reg_find(p, impi);

	return r && pcscf_reg_registered(r);
}

/* Sequence numbers cannot wrap (RFC 4303 3.3.3), and only the UE can start a new authentication: so
 * the set gets the time of one registration, and a UE that hears nothing any more registers in
 * clear (LC-04). */
void pcscf_sa_exhausted(struct pcscf *p, sa_set_id id, uint64_t now)
{
	struct pcscf_set *s = pcscf_set_find(p, id);
	uint64_t end = now + p->conf.await_auth * UINT64_C(1000);

	if (s && s->expires_at > end)
		pcscf_set_lifetime(s, end);
}
