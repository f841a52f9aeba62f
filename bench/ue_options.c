#include "bench/ue_options.h"

#include <errno.h>
#include <getopt.h>

#include "bench/mail.h"
#include "bench/pool.h"
#include "control/base/parse.h"

#define MAX_UES 4000000

void ue_options_help(FILE *f)
{
	fputs("usage: esplanade-ue load OPTIONS       many UEs: register, send messages, "
	      "de-register\n"
	      "       esplanade-ue gateway OPTIONS    plain SIP programs (SIPp) use UEs as their "
	      "proxies\n"
	      "       esplanade-ue subscribers OPTIONS  subscribers with random keys, to stdout\n"
	      "\n"
	      "load: needed\n"
	      "  --port DEVICE           DPDK device with arguments (net_af_packet0,iface=ue1) or "
	      "PCI address\n"
	      "  --ues N                 number of UEs\n"
	      "  --local PREFIX          their addresses, one each (10.45.0.0/16, fd00:45::/64)\n"
	      "  --pcscf ADDR[:PORT]     where REGISTER goes in clear\n"
	      "  --subscribers FILE      at least N lines impi,k,opc,amf,sqn,impu[,impu...]\n"
	      "load: more\n"
	      "  --transport udp|tcp|mixed   of SIP; mixed: REGISTER and long messages over TCP "
	      "(udp)\n"
	      "  --host-port DEVICE      DPDK port to the host, whose stack has TCP and the UEs' "
	      "addresses;\n"
	      "                          needed for TCP (net_tap0,iface=esp1)\n"
	      "  --tcp-idle S            connections without a message are closed (600)\n"
	      "  --tcp-ping S            CRLF keepalives on idle connections; 0: none (0)\n"
	      "  --ip 4|6                must be the addresses' version\n"
	      "  --router-local ADDR     our own address on the link, for which we answer, too\n"
	      "  --gateway ADDR          next hop; default: all is on the link\n"
	      "  --rate R                registrations per second (100)\n"
	      "  --seconds S             limit for all of it but the de-registration (120)\n"
	      "  --messages M            that each UE sends to another one (1)\n"
	      "  --size N                octets of a message's body (64)\n"
	      "  --calls N               calls in all, between pairs of UEs (0)\n"
	      "  --call-delay S, --call-interval MS   before the first of them, and from one to "
	      "the next\n"
	      "                          with --peer (0, 0)\n"
	      "  --talk MS               until the caller hangs up (0)\n"
	      "  --window N              messages under way at once (128)\n"
	      "  --peer URI              all messages and calls go to this user of another "
	      "esplanade-ue\n"
	      "  --delay S               between registrations and messages (0)\n"
	      "  --interval MS           between the messages of one UE (0)\n"
	      "  --udp-enc-tun           the UEs offer ESP inside UDP, too, for NATs (no)\n"
	      "  --keepalive S           of NAT mappings; twice that until the P-CSCF knows a new "
	      "one (10)\n"
	      "  --expires S             registration period asked for (600000)\n"
	      "  --patience S            without an answer to a protected REGISTER, then start "
	      "again (16)\n"
	      "  --alg LIST              e.g. sha1/aes-cbc,md5/null: offered by the UEs in turn, "
	      "one each;\n"
	      "                          default: all six in turn; all: each UE offers all six\n"
	      "  --reg-event             UEs subscribe to their registration state; one UE always "
	      "does\n"
	      "  --no-deregister         leave the registrations\n"
	      "  --keep                  stay and answer until SIGINT or SIGTERM\n"
	      "  --json                  the result as one object, the last line of stdout\n"
	      "  --progress              a line per second on stderr\n"
	      "  --export-keys FILE      the ESP keys as a Wireshark esp_sa table: for tests only\n"
	      "  --workers N, --cores LIST, --huge-pages, --mtu N   of the data plane (1, any, no, "
	      "1500)\n"
	      "\n"
	      "gateway: the options of load, registers and stays; and\n"
	      "  --ues N                 1 unless given\n"
	      "  --listen ADDR[:PORT]    where the program of the first UE sends its requests, "
	      "over "
	      "UDP; the\n"
	      "                          next UEs have the next ports (127.0.0.1:5070)\n"
	      "  --deliver ADDR[:PORT]   where requests for the first UE go, likewise "
	      "(127.0.0.1:5080)\n"
	      "\n"
	      "subscribers\n"
	      "  --count N               how many\n"
	      "  --first N               number of the first (0)\n"
	      "  --realm DOMAIN          home domain (ims.mnc001.mcc001.3gppnetwork.org)\n"
	      "\n"
	      "Exit status: 0 all registered and all messages delivered, 1 not so, 2 wrong "
	      "usage.\n",
	      f);
}

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

enum kind { NUMBER, TEXT, FLAG, PREFIX, ADDRESS, ENDPOINT, ALGORITHMS, TRANSPORT };

struct option_def {
	const char *name;
	enum kind kind;
	void *to;
	uint32_t min, max; /* NUMBER */
};

static int transport_parse(enum ue_transport *t, const char *text)
{
	static const char *const names[] = {"udp", "tcp", "mixed"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			*t = (enum ue_transport)i;
			return 0;
		}
	return -EINVAL;
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
	case PREFIX:
		return pool_prefix_parse(d->to, value);
	case ADDRESS:
		return ip_addr_parse(d->to, value);
	case ENDPOINT:
		return ue_endpoint_parse(d->to, value);
	case TRANSPORT:
		return transport_parse(d->to, value);
	case ALGORITHMS:
		return ue_algorithms_parse(load, value);
	}
	return -EINVAL;
}

#define MAX_DEFS 48

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

static const char *load_complete(struct load_options *o, uint32_t ip)
{
	uint8_t version = o->pcscf.addr.version;

	if (!o->port)
		return "--port is needed";
	if (!o->ues)
		return "--ues is needed";
	if (!o->local.addr.version)
		return "--local is needed";
	if (!version)
		return "--pcscf is needed";
	if (!o->subscribers)
		return "--subscribers is needed";
	if (o->transport != UE_TRANSPORT_UDP && !o->host_port)
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
	if (o->listen.addr.version != o->deliver.addr.version)
		return "--listen and --deliver are not of one IP version";
	if (o->listen.port + o->ues > 65536 || o->deliver.port + o->ues > 65536)
		return "--listen or --deliver has too few ports above it for the UEs";
	return NULL;
}

static int load_parse(struct load_options *o, bool gateway, int argc, char *const *argv, char *why,
		      size_t cap)
{
	struct ip_endpoint listen = {0}, deliver = {0};
	uint32_t ip = 0;
	const struct option_def defs[] = {
		{"port", TEXT, &o->port, 0, 0},
		{"ues", NUMBER, &o->ues, 1, MAX_UES},
		{"local", PREFIX, &o->local, 0, 0},
		{"pcscf", ENDPOINT, &o->pcscf, 0, 0},
		{"listen", ENDPOINT, &listen, 0, 0},
		{"deliver", ENDPOINT, &deliver, 0, 0},
		{"subscribers", TEXT, &o->subscribers, 0, 0},
		{"ip", NUMBER, &ip, 4, 6},
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
		{"transport", TRANSPORT, &o->transport, 0, 0},
		{"host-port", TEXT, &o->host_port, 0, 0},
		{"tcp-idle", NUMBER, &o->tcp_idle, 1, 86400},
		{"tcp-ping", NUMBER, &o->tcp_ping, 0, 86400},
		{"mtu", NUMBER, &o->mtu, 576, 9216},
	};
	const char *missing;

	*o = (struct load_options){.ues = gateway,
				   .rate = 100,
				   .seconds = 120,
				   .messages = 1,
				   .size = MAIL_MIN,
				   .window = 128,
				   .expires = 600000,
				   .patience = 16,
				   .workers = 1,
				   .tcp_idle = 600,
				   .keepalive = 10,
				   .mtu = 1500};
	algorithms_all(o);
	if (options_read(defs, sizeof(defs) / sizeof(defs[0]), o, argc, argv, why, cap) < 0)
		return -EINVAL;
	missing = load_complete(o, ip);
	if (!missing)
		missing = gateway_complete(o, gateway, &listen, &deliver);
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

static int subscribers_options_parse(struct subscribers_options *o, int argc, char *const *argv,
				     char *why, size_t cap)
{
	const struct option_def defs[] = {
		{"count", NUMBER, &o->count, 1, 100000000},
		{"first", NUMBER, &o->first, 0, 1000000000},
		{"realm", TEXT, &o->realm, 0, 0},
	};

	*o = (struct subscribers_options){.realm = "ims.mnc001.mcc001.3gppnetwork.org"};
	if (options_read(defs, sizeof(defs) / sizeof(defs[0]), NULL, argc, argv, why, cap) < 0)
		return -EINVAL;
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
	if (strcmp(command, "subscribers") == 0) {
		o->command = UE_COMMAND_SUBSCRIBERS;
		return subscribers_options_parse(&o->subscribers, argc - 1, argv + 1, why, why_cap);
	}
	snprintf(why, why_cap, argc > 1 ? "unknown command '%s'" : "a command is needed%s",
		 command);
	return -EINVAL;
}
