#include "bench/ue_options.h"

#include <errno.h>
#include <getopt.h>

#include "bench/mail.h"
#include "bench/pool.h"
#include "bench/ue_options_check.h"
#include "control/base/parse.h"

#define MAX_UES 4000000

/* ---- values ------------------------------------------------------------------------------- */

/* "10.44.0.1", "10.44.0.1:5070", "fd00::1", "[fd00::1]:5070"; without a port 5060. */
static int ue_endpoint_parse(struct ip_endpoint *e, const char *text)
{
	struct sv host = sv_of(text), port = {0};
	char addr[IP_ADDR_STRLEN];
	const char *colon;
	uint32_t n = 5060;

	memset(e, 0, sizeof(*e));
	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		host = (struct sv){text + 1, (size_t)(end - text - 1)};
		port = end[1] ? sv_of(end + 2) : port;
		colon = end[1] ? end + 1 : NULL;
	} else {
		colon = strchr(text, ':');
		if (colon && strchr(colon + 1, ':'))
			colon = NULL; /* IPv6 without a port */
		if (colon) {
			host.n = (size_t)(colon - text);
			port = sv_of(colon + 1);
		}
	}
	if (host.n >= sizeof(addr) || (colon && (!parse_u32(port, 65535, &n) || n == 0)))
		return -EINVAL;
	memcpy(addr, host.p, host.n);
	addr[host.n] = '\0';
	e->port = (uint16_t)n;
	return ip_addr_parse(&e->addr, addr);
}

static int integ_of(struct sv name)
{
	if (sv_eq(name, SV("sha1")))
		return SA_INTEG_HMAC_SHA_1_96;
	if (sv_eq(name, SV("md5")))
		return SA_INTEG_HMAC_MD5_96;
	return agree_alg_of(name);
}

static int encr_of(struct sv name)
{
	return sv_eq(name, SV("3des")) ? SA_ENCR_DES_EDE3_CBC : agree_ealg_of(name);
}

static void algorithms_all(struct load_options *o)
{
	o->n_algorithms = 0;
	for (unsigned i = 0; i < SA_INTEG_COUNT; i++)
		for (unsigned e = 0; e < SA_ENCR_COUNT; e++)
			o->algorithms[o->n_algorithms++] = (struct agree_choice){
				(enum sa_integ)i, (enum sa_encr)e, SA_MODE_TRANSPORT};
}

static int algorithm_add(struct load_options *o, struct sv pair)
{
	const char *slash = memchr(pair.p, '/', pair.n);
	int integ, encr;

	if (!slash || o->n_algorithms == UE_MAX_ALGORITHMS)
		return -EINVAL;
	integ = integ_of((struct sv){pair.p, (size_t)(slash - pair.p)});
	encr = encr_of((struct sv){slash + 1, pair.n - (size_t)(slash - pair.p) - 1});
	if (integ < 0 || encr < 0)
		return -EINVAL;
	o->algorithms[o->n_algorithms++] =
		(struct agree_choice){(enum sa_integ)integ, (enum sa_encr)encr, SA_MODE_TRANSPORT};
	return 0;
}

/* "sha1/aes-cbc,md5/null" or with the names of the header field; "all" */
static int ue_algorithms_parse(struct load_options *o, const char *text)
{
	o->n_algorithms = 0;
	o->offer_all = strcmp(text, "all") == 0;
	if (o->offer_all) {
		algorithms_all(o);
		return 0;
	}
	for (;;) {
		size_t n = strcspn(text, ",");

		if (algorithm_add(o, (struct sv){text, n}) < 0)
			return -EINVAL;
		if (text[n] == '\0')
			return 0;
		text += n + 1;
	}
}

/* ---- options ------------------------------------------------------------------------------ */

enum kind { NUMBER, TEXT, FLAG, LOCAL, ADDRESS, ENDPOINT, ALGORITHMS, WORD };

struct option_def {
	const char *name;
	enum kind kind;
	void *to;
	uint32_t min, max; /* NUMBER */
	const char *words; /* WORD: of 0, 1, ... */
};

/* Which of "a b c" it is. */
static int word_parse(uint32_t *to, const char *words, const char *text)
{
	size_t n = strlen(text);

	for (uint32_t i = 0; n > 0; i++) {
		size_t len = strcspn(words, " ");

		if (len == n && memcmp(words, text, n) == 0) {
			*to = i;
			return 0;
		}
		if (!words[len])
			break;
		words += len + 1;
	}
	return -EINVAL;
}

/* A prefix, each UE's address from it; or one address of all. */
static int local_parse(struct load_options *o, const char *text)
{
	struct ip_endpoint e;

	if (strchr(text, '/'))
		return pool_prefix_parse(&o->local, text);
	if (ue_endpoint_parse(&e, text) < 0)
		return -EINVAL;
	o->local = (struct ip_prefix){e.addr, e.addr.version == 4 ? 32 : 128};
	o->local_port = e.port;
	o->one_address = true;
	return 0;
}

static int value_set(const struct option_def *d, const char *value, struct load_options *load)
{
	uint32_t n;

	switch (d->kind) {
	case NUMBER:
		if (!parse_u32(sv_of(value), d->max, &n) || n < d->min)
			return -EINVAL;
		*(uint32_t *)d->to = n;
		return 0;
	case TEXT:
		*(const char **)d->to = value;
		return value[0] ? 0 : -EINVAL;
	case FLAG:
		*(bool *)d->to = true;
		return 0;
	case LOCAL:
		return local_parse(load, value);
	case ADDRESS:
		return ip_addr_parse(d->to, value);
	case ENDPOINT:
		return ue_endpoint_parse(d->to, value);
	case WORD:
		return word_parse(d->to, d->words, value);
	case ALGORITHMS:
		return ue_algorithms_parse(load, value);
	}
	return -EINVAL;
}

#define MAX_DEFS 80

static int options_read(const struct option_def *defs, unsigned n, struct load_options *load,
			int argc, char *const *argv, char *why, size_t cap)
{
	struct option options[MAX_DEFS + 1];
	int at;

	memset(options, 0, sizeof(options));
	for (unsigned i = 0; i < n && i < MAX_DEFS; i++)
		options[i] = (struct option){defs[i].name,
					     defs[i].kind == FLAG ? no_argument : required_argument,
					     NULL, 0};
	optind = 0; /* glibc: start anew */
	opterr = 0;
	for (;;) {
		int c = getopt_long(argc, argv, ":", options, &at);

		if (c == -1)
			break;
		if (c != 0) {
			snprintf(why, cap, c == ':' ? "%s needs a value" : "unknown option %s",
				 argv[optind - 1]);
			return -EINVAL;
		}
		if (value_set(&defs[at], optarg, load) < 0) {
			snprintf(why, cap, "--%s does not take '%s'", defs[at].name, optarg);
			return -EINVAL;
		}
	}
	if (optind == argc)
		return 0;
	snprintf(why, cap, "unexpected argument '%s'", argv[optind]);
	return -EINVAL;
}

/* ---- load --------------------------------------------------------------------------------- */

static const char *gateway_complete(struct load_options *o, bool gateway,
				    const struct ip_endpoint *listen,
				    const struct ip_endpoint *deliver)
{
	if (!gateway)
		return listen->port || deliver->port ? "--listen and --deliver are gateway's"
						     : NULL;
	(void)ue_endpoint_parse(&o->listen, "127.0.0.1:5070");
	(void)ue_endpoint_parse(&o->deliver, "127.0.0.1:5080");
	if (listen->port)
		o->listen = *listen;
	if (deliver->port)
		o->deliver = *deliver;
	o->messages = o->calls = 0;
	if (o->security == UE_SECURITY_NONE)
		return "--security none is not for a gateway, which sends nothing in clear";
	if (o->clear_optional)
		return "--allow-unprotected is not for a gateway, which sends nothing in clear";
	if (o->listen.addr.version != o->deliver.addr.version)
		return "--listen and --deliver are not of one IP version";
	if (o->listen.port + o->ues > 65536 || o->deliver.port + o->ues > 65536)
		return "--listen or --deliver has too few ports above it for the UEs";
	return NULL;
}

/* What is not of load_options' own types, or has a default that depends on others. */
struct load_raw {
	struct ip_endpoint listen, deliver;
	uint32_t ip, transport, auth, security, tls_port;
};

static int load_read(struct load_options *o, struct load_raw *raw, int argc, char *const *argv,
		     char *why, size_t cap)
{
	const struct option_def defs[] = {
		{"port", TEXT, &o->port, 0, 0},
		{"ues", NUMBER, &o->ues, 1, MAX_UES},
		{"local", LOCAL, NULL, 0, 0},
		{"pcscf", ENDPOINT, &o->pcscf, 0, 0},
		{"listen", ENDPOINT, &raw->listen, 0, 0},
		{"deliver", ENDPOINT, &raw->deliver, 0, 0},
		{"subscribers", TEXT, &o->subscribers, 0, 0},
		{"ip", NUMBER, &raw->ip, 4, 6},
		{"router-local", ADDRESS, &o->router_local, 0, 0},
		{"gateway", ADDRESS, &o->gateway, 0, 0},
		{"rate", NUMBER, &o->rate, 1, 10000000},
		{"seconds", NUMBER, &o->seconds, 1, 10000000},
		{"messages", NUMBER, &o->messages, 0, 1000000},
		{"calls", NUMBER, &o->calls, 0, 10000000},
		{"call-delay", NUMBER, &o->call_delay, 0, 3600},
		{"call-interval", NUMBER, &o->call_interval, 0, 3600000},
		{"talk", NUMBER, &o->talk, 0, 3600000},
		{"size", NUMBER, &o->size, MAIL_MIN, MAIL_MAX},
		{"window", NUMBER, &o->window, 1, 1000000},
		{"peer", TEXT, &o->peer, 0, 0},
		{"delay", NUMBER, &o->delay, 0, 3600},
		{"interval", NUMBER, &o->interval, 0, 3600000},
		{"udp-enc-tun", FLAG, &o->udp_enc_tun, 0, 0},
		{"keepalive", NUMBER, &o->keepalive, 1, 3600},
		{"expires", NUMBER, &o->expires, 2, 10000000},
		{"patience", NUMBER, &o->patience, 1, 128},
		{"alg", ALGORITHMS, NULL, 0, 0},
		{"reg-event", FLAG, &o->reg_event, 0, 0},
		{"no-deregister", FLAG, &o->no_deregister, 0, 0},
		{"keep", FLAG, &o->keep, 0, 0},
		{"json", FLAG, &o->json, 0, 0},
		{"progress", FLAG, &o->progress, 0, 0},
		{"export-keys", TEXT, &o->export_keys, 0, 0},
		{"workers", NUMBER, &o->workers, 1, 32},
		{"cores", TEXT, &o->cores, 0, 0},
		{"huge-pages", FLAG, &o->huge_pages, 0, 0},
		{"transport", WORD, &raw->transport, 0, 0, "udp tcp mixed"},
		{"auth", WORD, &raw->auth, 0, 0, "aka digest none"},
		{"security", WORD, &raw->security, 0, 0, "ipsec tls tls-first tls-plain none"},
		{"password-file", TEXT, &o->password_file, 0, 0},
		{"impi", TEXT, &o->impi, 0, 0},
		{"impu", TEXT, &o->impu, 0, 0},
		{"ca", TEXT, &o->ca, 0, 0},
		{"crl", TEXT, &o->crl, 0, 0},
		{"server-name", TEXT, &o->server_name, 0, 0},
		{"tls-port", NUMBER, &raw->tls_port, 1, 65535},
		{"access", TEXT, &o->access, 0, 0},
		{"sha256", FLAG, &o->sha256_only, 0, 0},
		{"rspauth-optional", FLAG, &o->rspauth_optional, 0, 0},
		{"allow-unprotected", FLAG, &o->clear_optional, 0, 0},
		{"host-port", TEXT, &o->host_port, 0, 0},
		{"tcp-idle", NUMBER, &o->tcp_idle, 1, 86400},
		{"tcp-ping", NUMBER, &o->tcp_ping, 0, 86400},
		{"mtu", NUMBER, &o->mtu, 576, 9216},
	};

	return options_read(defs, sizeof(defs) / sizeof(defs[0]), o, argc, argv, why, cap);
}

static void load_defaults(struct load_options *o, struct load_raw *raw, bool one_ue)
{
	*raw = (struct load_raw){.transport = UE_TRANSPORT_UDP,
				 .auth = UE_AUTH_AKA,
				 .security = UE_SECURITY_IPSEC,
				 .tls_port = 5061};
	*o = (struct load_options){.ues = one_ue,
				   .rate = 100,
				   .seconds = 120,
				   .messages = 1,
				   .size = MAIL_MIN,
				   .window = 128,
				   .expires = 600000,
				   .patience = 16,
				   .workers = 1,
				   .tcp_idle = 600,
				   .tcp_ping = UINT32_MAX,
				   .local_port = 5060,
				   .keepalive = 10,
				   .mtu = 1500};
	algorithms_all(o);
}

static int load_parse(struct load_options *o, bool gateway, int argc, char *const *argv, char *why,
		      size_t cap)
{
	const char *missing;
	struct load_raw raw;

	load_defaults(o, &raw, gateway || strcmp(argv[0], "phone") == 0);
	if (load_read(o, &raw, argc, argv, why, cap) < 0)
		return -EINVAL;
	o->transport = (enum ue_transport)raw.transport;
	o->auth = (enum ue_auth)raw.auth;
	o->security = (enum ue_security)raw.security;
	o->tls_port = (uint16_t)raw.tls_port;
	if (o->tcp_ping == UINT32_MAX) /* RFC 5626 4.4.1 */
		o->tcp_ping = o->security == UE_SECURITY_IPSEC ? 0 : 100;
	missing = ue_options_complete(o, raw.ip);
	if (!missing)
		missing = gateway_complete(o, gateway, &raw.listen, &raw.deliver);
	if (missing)
		snprintf(why, cap, "%s", missing);
	return missing ? -EINVAL : 0;
}

/* ---- subscribers -------------------------------------------------------------------------- */

/* It goes into CSV lines and SIP URIs. */
static bool realm_is_good(const char *realm)
{
	size_t n = strlen(realm);

	return n > 0 && n < 200 &&
	       strspn(realm, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
		       n;
}

static int phone_parse(struct load_options *o, int argc, char *const *argv, char *why, size_t cap)
{
	int rc = load_parse(o, false, argc, argv, why, cap);

	if (rc == 0 && o->ues != 1) {
		snprintf(why, cap, "a phone is one UE");
		rc = -EINVAL;
	}
	return rc;
}

static int subscribers_options_parse(struct subscribers_options *o, int argc, char *const *argv,
				     char *why, size_t cap)
{
	const struct option_def defs[] = {
		{"count", NUMBER, &o->count, 1, 100000000},
		{"first", NUMBER, &o->first, 0, 1000000000},
		{"realm", TEXT, &o->realm, 0, 0},
		{"digest", FLAG, &o->digest, 0, 0},
		{"hss", TEXT, &o->hss, 0, 0},
	};

	*o = (struct subscribers_options){.realm = "ims.mnc001.mcc001.3gppnetwork.org"};
	if (options_read(defs, sizeof(defs) / sizeof(defs[0]), NULL, argc, argv, why, cap) < 0)
		return -EINVAL;
	if (o->hss && !o->digest) {
		snprintf(why, cap, "--hss is for --digest");
		return -EINVAL;
	}
	if (o->count && realm_is_good(o->realm))
		return 0;
	snprintf(why, cap, "%s", o->count ? "--realm is not a domain name" : "--count is needed");
	return -EINVAL;
}

int ue_options_parse(struct ue_options *o, int argc, char *const *argv, char *why, size_t why_cap)
{
	const char *command = argc > 1 ? argv[1] : "";

	memset(o, 0, sizeof(*o));
	if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
		return 0;
	if (strcmp(command, "--version") == 0) {
		o->command = UE_COMMAND_VERSION;
		return 0;
	}
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0)
			return 0;
	if (strcmp(command, "load") == 0) {
		o->command = UE_COMMAND_LOAD;
		return load_parse(&o->load, false, argc - 1, argv + 1, why, why_cap);
	}
	if (strcmp(command, "gateway") == 0) {
		o->command = UE_COMMAND_GATEWAY;
		return load_parse(&o->load, true, argc - 1, argv + 1, why, why_cap);
	}
	if (strcmp(command, "phone") == 0) {
		o->command = UE_COMMAND_PHONE;
		return phone_parse(&o->load, argc - 1, argv + 1, why, why_cap);
	}
	if (strcmp(command, "subscribers") == 0) {
		o->command = UE_COMMAND_SUBSCRIBERS;
		return subscribers_options_parse(&o->subscribers, argc - 1, argv + 1, why, why_cap);
	}
	snprintf(why, why_cap, argc > 1 ? "unknown command '%s'" : "a command is needed%s",
		 command);
	return -EINVAL;
}
