#include "control/ctl/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/parse.h"

#define WATCH_MAX 86400
#define SQN_MAX	  ((UINT64_C(1) << 48) - 1)

enum option_id {
	OPT_SOCKET = 256,
	OPT_JSON,
	OPT_HELP,
	OPT_VERSION,
	OPT_LIMIT,
	OPT_OFFSET,
	OPT_IMPI,
	OPT_IMPU,
	OPT_K,
	OPT_K_FILE,
	OPT_OP,
	OPT_OPC,
	OPT_AMF,
	OPT_SQN,
	OPT_FILE,
	OPT_DIGEST,
	OPT_PASSWORD_FILE,
	OPT_REALM,
	OPT_VARIANT,
	OPT_REJECT,
	OPT_EXPIRES,
	OPT_WATCH,
	OPT_CA,
	OPT_CRL,
	OPT_NAME,
	OPT_LEGACY,
	OPT_END,
};

static const struct option options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"offset", required_argument, NULL, OPT_OFFSET},
	{"impi", required_argument, NULL, OPT_IMPI},
	{"impu", required_argument, NULL, OPT_IMPU},
	{"k", required_argument, NULL, OPT_K},
	{"k-file", required_argument, NULL, OPT_K_FILE},
	{"op", required_argument, NULL, OPT_OP},
	{"opc", required_argument, NULL, OPT_OPC},
	{"amf", required_argument, NULL, OPT_AMF},
	{"sqn", required_argument, NULL, OPT_SQN},
	{"file", required_argument, NULL, OPT_FILE},
	{"digest", no_argument, NULL, OPT_DIGEST},
	{"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
	{"realm", required_argument, NULL, OPT_REALM},
	{"variant", required_argument, NULL, OPT_VARIANT},
	{"reject", no_argument, NULL, OPT_REJECT},
	{"expires", required_argument, NULL, OPT_EXPIRES},
	{"watch", required_argument, NULL, OPT_WATCH},
	{"ca", required_argument, NULL, OPT_CA},
	{"crl", required_argument, NULL, OPT_CRL},
	{"name", required_argument, NULL, OPT_NAME},
	{"legacy", no_argument, NULL, OPT_LEGACY},
	{NULL, 0, NULL, 0},
};

#define BIT(id)		 (1u << ((id)-OPT_SOCKET))
#define OPTIONS_ANY	 (BIT(OPT_SOCKET) | BIT(OPT_JSON))
#define OPTIONS_LIST	 (OPTIONS_ANY | BIT(OPT_LIMIT) | BIT(OPT_OFFSET))
#define OPTIONS_PASSWORD (BIT(OPT_PASSWORD_FILE) | BIT(OPT_REALM))
#define OPTIONS_CERT	 (BIT(OPT_CA) | BIT(OPT_CRL) | BIT(OPT_NAME) | BIT(OPT_LEGACY))
#define OPTIONS_ONE                                                                                \
	(BIT(OPT_IMPI) | BIT(OPT_IMPU) | BIT(OPT_K) | BIT(OPT_K_FILE) | BIT(OPT_OP) |              \
	 BIT(OPT_OPC) | BIT(OPT_AMF) | BIT(OPT_SQN) | BIT(OPT_DIGEST) | OPTIONS_PASSWORD |         \
	 BIT(OPT_VARIANT))

static const struct command {
	const char *words[2]; /* the second NULL: one word */
	enum args_verb verb;
	bool takes_impi;
	unsigned allowed;
} commands[] = {
	{{"show", "registrations"}, ARGS_SHOW_REGISTRATIONS, false, OPTIONS_LIST},
	{{"show", "sas"}, ARGS_SHOW_SAS, false, OPTIONS_LIST},
	{{"show", "workers"}, ARGS_SHOW_WORKERS, false, OPTIONS_ANY | BIT(OPT_WATCH)},
	{{"show", "drops"}, ARGS_SHOW_DROPS, false, OPTIONS_ANY},
	{{"show", "tcp"}, ARGS_SHOW_TCP, false, OPTIONS_ANY},
	{{"show", "status"}, ARGS_SHOW_STATUS, false, OPTIONS_ANY},
	{{"subscriber", "add"},
	 ARGS_SUBSCRIBER_ADD,
	 false,
	 OPTIONS_ANY | OPTIONS_ONE | BIT(OPT_FILE)},
	{{"subscriber", "password"},
	 ARGS_SUBSCRIBER_PASSWORD,
	 true,
	 OPTIONS_ANY | OPTIONS_PASSWORD},
	{{"subscriber", "list"}, ARGS_SUBSCRIBER_LIST, false, OPTIONS_LIST},
	{{"subscriber", "del"}, ARGS_SUBSCRIBER_DEL, true, OPTIONS_ANY},
	{{"deregister", NULL}, ARGS_DEREGISTER, true, OPTIONS_ANY | BIT(OPT_REJECT)},
	{{"reauth", NULL}, ARGS_REAUTH, true, OPTIONS_ANY | BIT(OPT_EXPIRES)},
	{{"check-cert", NULL}, ARGS_CHECK_CERT, false, BIT(OPT_JSON) | OPTIONS_CERT},
};

__attribute__((format(printf, 2, 3))) static int wrong(FILE *err, const char *fmt, ...)
{
	va_list ap;

	fputs("esplanadectl: ", err);
	va_start(ap, fmt);
	vfprintf(err, fmt, ap);
	va_end(ap);
	fputs(" (see esplanadectl --help)\n", err);
	return -EINVAL;
}

static int number_take(const char *name, const char *text, uint64_t max, uint64_t *value, FILE *err)
{
	if (parse_u64(sv_of(text), max, value))
		return 0;
	return wrong(err, "--%s: expected a number up to %llu", name, (unsigned long long)max);
}

static int hex_check(const char *name, const char *text, size_t octets, FILE *err)
{
	uint8_t out[16];
	bool fits = parse_hex(sv_of(text), out, octets);

	explicit_bzero(out, sizeof(out));
	if (fits)
		return 0;
	return wrong(err, "--%s: expected %zu hexadecimal digits", name, 2 * octets);
}

static int impu_take(struct args *a, const char *text, FILE *err)
{
	if (a->n_impus == ARGS_MAX_IMPUS)
		return wrong(err, "--impu: expected at most %d", ARGS_MAX_IMPUS);
	a->impus[a->n_impus++] = text;
	return 0;
}

static int list_option(struct args *a, int id, const char *text, FILE *err)
{
	uint64_t v;

	if (number_take(id == OPT_LIMIT ? "limit" : "offset", text, UINT32_MAX, &v, err))
		return -EINVAL;
	if (id == OPT_LIMIT) {
		a->limit = (uint32_t)v;
		a->has_limit = true;
	} else {
		a->offset = (uint32_t)v;
	}
	return 0;
}

static int digest_option(struct args *a, int id, const char *text, FILE *err)
{
	switch (id) {
	case OPT_DIGEST:
		a->digest = true;
		return 0;
	case OPT_PASSWORD_FILE:
		a->password_file = text;
		return 0;
	case OPT_REALM:
		a->realm = text;
		return 0;
	default:
		a->variant = text;
		if (strcmp(text, "s-cscf") == 0 || strcmp(text, "hss") == 0)
			return 0;
		return wrong(err, "--variant: expected s-cscf or hss");
	}
}

static int subscriber_option(struct args *a, int id, char *text, FILE *err)
{
	switch (id) {
	case OPT_IMPI:
		a->impi = text;
		return 0;
	case OPT_IMPU:
		return impu_take(a, text, err);
	case OPT_K:
		a->k = text;
		return hex_check("k", text, 16, err);
	case OPT_K_FILE:
		a->k_file = text;
		return 0;
	case OPT_OP:
		a->op = text;
		return hex_check("op", text, 16, err);
	case OPT_OPC:
		a->opc = text;
		return hex_check("opc", text, 16, err);
	case OPT_AMF:
		a->amf = text;
		return hex_check("amf", text, 2, err);
	case OPT_SQN:
		return number_take("sqn", text, SQN_MAX, &a->sqn, err);
	default:
		a->file = text;
		return 0;
	}
}

static int registration_option(struct args *a, int id, const char *text, FILE *err)
{
	uint64_t v;

	if (id == OPT_REJECT) {
		a->reject = true;
		return 0;
	}
	if (number_take("expires", text, UINT32_MAX, &v, err))
		return -EINVAL;
	a->expires = (uint32_t)v;
	return v ? 0 : wrong(err, "--expires: expected at least 1");
}

static int cert_option(struct args *a, int id, const char *text)
{
	if (id == OPT_CA)
		a->ca_file = text;
	else if (id == OPT_CRL)
		a->crl_file = text;
	else if (id == OPT_NAME)
		a->name = text;
	else
		a->legacy = true;
	return 0;
}

static int watch_option(struct args *a, const char *text, FILE *err)
{
	uint32_t seconds;

	if (!parse_u32(sv_of(text), WATCH_MAX, &seconds) || seconds == 0)
		return wrong(err, "--watch: expected seconds, 1 to %d", WATCH_MAX);
	a->watch_s = seconds;
	return 0;
}

static int option_take(struct args *a, int id, char *text, FILE *err)
{
	switch (id) {
	case OPT_SOCKET:
		a->socket = text;
		return 0;
	case OPT_JSON:
		a->json = true;
		return 0;
	case OPT_WATCH:
		return watch_option(a, text, err);
	case OPT_CA:
	case OPT_CRL:
	case OPT_NAME:
	case OPT_LEGACY:
		return cert_option(a, id, text);
	case OPT_LIMIT:
	case OPT_OFFSET:
		return list_option(a, id, text, err);
	case OPT_DIGEST:
	case OPT_PASSWORD_FILE:
	case OPT_REALM:
	case OPT_VARIANT:
		return digest_option(a, id, text, err);
	case OPT_REJECT:
	case OPT_EXPIRES:
		return registration_option(a, id, text, err);
	default:
		return subscriber_option(a, id, text, err);
	}
}

static int command_find(const struct command **cp, char **words, int n, FILE *err)
{
	if (n == 0)
		return wrong(err, "expected a command");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (strcmp(words[0], c->words[0]) == 0 &&
		    (!c->words[1] || (n > 1 && strcmp(words[1], c->words[1]) == 0))) {
			*cp = c;
			return 0;
		}
	}
	return wrong(err, "unknown command: %s%s%s", words[0], n > 1 ? " " : "",
		     n > 1 ? words[1] : "");
}

static int add_check(const struct args *a, unsigned seen, FILE *err)
{
	if (a->file)
		return seen & OPTIONS_ONE ? wrong(err, "--file: expected alone") : 0;
	if (!a->impi || !a->n_impus)
		return wrong(err, "expected --impi and --impu, or --file");
	if (a->digest != !!a->password_file)
		return wrong(err, "expected --digest and --password-file together");
	if (!a->digest && (a->realm || a->variant))
		return wrong(err, "--realm, --variant: expected with --digest");
	if (a->digest && !a->k && !a->k_file && !a->op && !a->opc) /* and no AKA */
		return 0;
	if (a->k_file && a->password_file && strcmp(a->k_file, "-") == 0 &&
	    strcmp(a->password_file, "-") == 0)
		return wrong(err,
			     "--k-file, --password-file: expected only one of them from stdin");
	if (!a->k == !a->k_file)
		return wrong(err, "expected one of --k-file and --k");
	if (!a->op == !a->opc)
		return wrong(err, "expected one of --opc and --op");
	return 0;
}

static int command_check(struct args *a, const struct command *c, char **words, int n,
			 unsigned seen, FILE *err)
{
	int used = c->words[1] ? 2 : 1;

	a->verb = c->verb;
	if (c->takes_impi && n > used)
		a->impi = words[used++];
	else if (c->takes_impi)
		return wrong(err, "expected an IMPI");
	if (c->verb == ARGS_CHECK_CERT) {
		if (n == used)
			return wrong(err, "expected a file");
		a->file = words[used++];
		if (a->crl_file && !a->ca_file)
			return wrong(err, "--crl: expected --ca as well");
	}
	if (n > used)
		return wrong(err, "unexpected: %s", words[used]);
	for (int id = OPT_SOCKET; id < OPT_END; id++)
		if ((seen & BIT(id)) && !(c->allowed & BIT(id)))
			return wrong(err, "--%s: not with this command",
				     options[id - OPT_SOCKET].name);
	if (c->verb == ARGS_SUBSCRIBER_PASSWORD && !a->password_file)
		return wrong(err, "expected --password-file");
	return c->verb == ARGS_SUBSCRIBER_ADD ? add_check(a, seen, err) : 0;
}

int args_parse(struct args *a, int argc, char **argv, FILE *err)
{
	const char *socket = getenv("ESPLANADE_SOCKET");
	const struct command *c = NULL;
	unsigned seen = 0;
	int id;

	*a = (struct args){.socket = socket ? socket : ARGS_DEFAULT_SOCKET, .amf = "8000"};
	optind = 0; /* from the start, also in a second call */
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (id == OPT_HELP || id == 'h' || id == OPT_VERSION) {
			a->verb = id == OPT_VERSION ? ARGS_VERSION : ARGS_HELP;
			return 0;
		}
		if (id == '?' || id == ':')
			return wrong(err, "%s: %s", argv[optind - 1],
				     id == ':' ? "expected a value" : "unknown option");
		seen |= BIT(id);
		if (option_take(a, id, optarg, err))
			return -EINVAL;
	}
	if (command_find(&c, argv + optind, argc - optind, err))
		return -EINVAL;
	return command_check(a, c, argv + optind, argc - optind, seen, err);
}

void args_help(FILE *out)
{
	fputs("usage: esplanadectl [--socket PATH] [--json] COMMAND\n"
	      "\n"
	      "Looks into a running esplanade and changes it, by HTTP and JSON over a unix "
	      "socket.\n"
	      "\n"
	      "commands\n"
	      "  show registrations [--offset N] [--limit N]   who is registered, and how\n"
	      "  show sas [--offset N] [--limit N]             security associations with "
	      "counters;\n"
	      "                                                N counts SA sets\n"
	      "  show workers [--watch SECONDS]                packets per worker, and what they\n"
	      "                                                do: rates of the last 10 to 20 s;\n"
	      "                                                with --watch again and again, of\n"
	      "                                                each SECONDS\n"
	      "  show drops                                    what was dropped, by reason\n"
	      "  show tcp                                      connections and messages over TCP\n"
	      "  show status                                   the daemon as a whole\n"
	      "  subscriber add --impi IMPI --impu IMPU... --k-file FILE --opc HEX|--op HEX\n"
	      "                 [--amf HEX] [--sqn N]          one subscriber; the first IMPU is\n"
	      "                                                the default one\n"
	      "  subscriber add --impi IMPI --impu IMPU... --digest --password-file FILE\n"
	      "                 [--realm REALM] [--variant s-cscf|hss]\n"
	      "                                                one with a password for SIP "
	      "Digest;\n"
	      "                                                with --k-file and --opc for AKA, "
	      "too\n"
	      "  subscriber add --file CSV                     many: lines of\n"
	      "                                                impi,k,opc,amf,sqn,impu[,impu...], "
	      "or\n"
	      "                                                "
	      "impi,digest,realm,ha1,ha1_sha256,impu...\n"
	      "  subscriber password IMPI --password-file FILE [--realm REALM]\n"
	      "                                                a new one; the old one ends with "
	      "the\n"
	      "                                                next challenge (reauth IMPI)\n"
	      "  subscriber list [--offset N] [--limit N]      without keys\n"
	      "  subscriber del IMPI                           ends its registration too\n"
	      "  deregister IMPI [--reject]                    ends a registration and tells the "
	      "UE, "
	      "which\n"
	      "                                                comes back at once; not so with "
	      "--reject\n"
	      "  reauth IMPI [--expires S]                     the UE shall authenticate again, in "
	      "S "
	      "seconds\n"
	      "                                                at most (the daemon's "
	      "registrar.reauth_expires)\n"
	      "  check-cert FILE [--ca FILE [--crl FILE]] [--name FQDN] [--legacy]\n"
	      "                                                what UEs would find wrong with a "
	      "P-CSCF's\n"
	      "                                                certificate (PEM, its CAs after "
	      "it)\n"
	      "\n"
	      "options\n"
	      "  --socket PATH   default: $ESPLANADE_SOCKET, else " ARGS_DEFAULT_SOCKET "\n"
	      "  --json          one JSON object on stdout instead of text\n"
	      "  --limit N       at most N items; default: all\n"
	      "  --offset N      leaves out the first N\n"
	      "  --k-file FILE   holds K as 32 hexadecimal digits; - is stdin\n"
	      "  --k HEX         K on the command line: other users see it in ps until it has "
	      "been\n"
	      "                  read, and the shell's history keeps it. Prefer --k-file or "
	      "--file\n"
	      "  --op HEX, --opc HEX   operator's constant, or OPc made from it\n"
	      "  --password-file FILE  holds the password as its first line; - is stdin\n"
	      "  --realm REALM   of the password; default: the daemon's digest.realm\n"
	      "  --variant V     who checks responses; default: the daemon's digest.variant\n"
	      "  --amf HEX       4 digits, default 8000\n"
	      "  --sqn N         sequence number to go on from, default 0\n"
	      "  --file CSV      - is stdin; blank lines and lines that start with # are left out\n"
	      "  --help, --version\n"
	      "\n"
	      "exit status: 0 done; 1 the daemon refused or cannot be reached; 2 wrong usage or "
	      "input\n",
	      out);
}
