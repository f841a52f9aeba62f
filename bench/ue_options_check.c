/* What belongs together on the command line. */
#include "bench/ue_options_check.h"

#include "bench/pool.h"

static const char *access_complete(const struct load_options *o)
{
	if ((o->auth == UE_AUTH_AKA) != (o->security == UE_SECURITY_IPSEC))
		return "--auth aka goes with --security ipsec, and with nothing else";
	if (o->auth == UE_AUTH_NONE && o->security != UE_SECURITY_NONE)
		return "--auth none needs --security none";
	if (load_uses_tls(o) && !o->ca)
		return "--ca is needed for TLS";
	if (!o->impi != !o->impu)
		return "--impi and --impu are needed together";
	if (o->impi && o->ues != 1)
		return "--impi is for one UE";
	if (o->impi && o->auth == UE_AUTH_AKA)
		return "--impi is not for AKA: keys are in the subscribers file";
	if (o->impi && o->auth == UE_AUTH_DIGEST && !o->password_file)
		return "--password-file is needed with --impi";
	if (!o->impi && !o->subscribers)
		return "--subscribers is needed";
	return NULL;
}

/* The host's sockets: if nobody says so, the address that it uses for the P-CSCF. */
static const char *local_complete(struct load_options *o)
{
	if (o->security == UE_SECURITY_IPSEC)
		return !o->local.addr.version || o->one_address ? "--local PREFIX is needed" : NULL;
	if (!o->local.addr.version) {
		if (pool_own_address(&o->pcscf, &o->local.addr) < 0)
			return "--local is needed: the host has no route to the P-CSCF";
		o->local.len = o->local.addr.version == 4 ? 32 : 128;
		o->one_address = true;
	}
	return NULL;
}

const char *ue_options_complete(struct load_options *o, uint32_t ip)
{
	uint8_t version = o->pcscf.addr.version;
	const char *missing;

	if (o->security == UE_SECURITY_IPSEC && !o->port)
		return "--port is needed";
	if (!o->ues)
		return "--ues is needed";
	if (!version)
		return "--pcscf is needed";
	missing = access_complete(o);
	if (!missing)
		missing = local_complete(o);
	if (missing)
		return missing;
	if (o->one_address && o->local_port + o->ues > 65536)
		return "--local has too few ports for the UEs";
	if (o->security == UE_SECURITY_IPSEC && o->transport != UE_TRANSPORT_UDP && !o->host_port)
		return "--host-port is needed for TCP";
	if (ip && ip != 4 && ip != 6)
		return "--ip takes 4 or 6";
	if ((ip && ip != version) || o->local.addr.version != version ||
	    (o->gateway.version && o->gateway.version != version) ||
	    (o->router_local.version && o->router_local.version != version))
		return "--ip and the addresses are not of one IP version";
	o->ip = version;
	return NULL;
}
