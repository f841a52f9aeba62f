#include "bench/bench_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define IP_UDP_LEN_V4 28
#define IP_UDP_LEN_V6 48

static const char *const dir_names[] = {"out", "in"};
static const char *const mode_names[SA_MODE_COUNT] = {
	[SA_MODE_TRANSPORT] = "transport",
	[SA_MODE_UDP_ENC_TUN] = "udp-enc-tun",
};
static const char *const integ_names[SA_INTEG_COUNT] = {
	[SA_INTEG_HMAC_SHA_1_96] = "hmac-sha-1-96",
	[SA_INTEG_HMAC_MD5_96] = "hmac-md5-96",
};
static const char *const encr_names[SA_ENCR_COUNT] = {
	[SA_ENCR_NULL] = "null",
	[SA_ENCR_AES_CBC] = "aes-cbc",
	[SA_ENCR_DES_EDE3_CBC] = "des-ede3-cbc",
};

const char *bench_integ_name(enum sa_integ integ)
{
	return integ_names[integ];
}

const char *bench_encr_name(enum sa_encr encr)
{
	return encr_names[encr];
}

const char *bench_mode_name(enum sa_mode mode)
{
	return mode_names[mode];
}

unsigned bench_plain_headers(uint8_t ip)
{
	return ip == 4 ? IP_UDP_LEN_V4 : IP_UDP_LEN_V6;
}

void bench_options_help(FILE *f)
{
	fputs("usage: esplanade-bench esp OPTIONS    the ESP pipeline against the bare crypto "
	      "library\n"
	      "       esplanade-bench churn OPTIONS  SA sets come and go while packets flow\n"
	      "       esplanade-bench signal OPTIONS UEs send SIP at a rate, over a wire that "
	      "loses,\n"
	      "                                      repeats and damages packets\n"
	      "       esplanade-bench tls OPTIONS    handshakes, idle and slow connections of the "
	      "P-CSCF's TLS\n"
	      "\n"
	      "  --dir out|in                         (out)\n"
	      "  --mode transport|udp-enc-tun         (transport)\n"
	      "  --ip 4|6                             (4)\n"
	      "  --integ hmac-sha-1-96|hmac-md5-96    (hmac-sha-1-96)\n"
	      "  --encr null|aes-cbc|des-ede3-cbc     (aes-cbc)\n"
	      "  --size N       octets of the plain IP packet, 64..1408 (512)\n"
	      "  --sas N        SAs of that direction, used at random (1)\n"
	      "  --seconds S    (3)\n"
	      "  --workers N    (1)\n"
	      "  --stages       esp: cycles by stage, too\n"
	      "  --json         one object on stdout\n"
	      "  --ues N        signal: UEs, each with an SA set (--sas 2N)\n"
	      "  --rate N       signal: messages per second (10000)\n"
	      "  --loss P, --replay P, --damage P\n"
	      "                 signal: percent of the packets that the wire does that to (0)\n"
	      "  --connections N\n"
	      "                 tls: idle connections that stand at once (1000)\n"
	      "  --slow N       tls: connections that never end their handshake, meanwhile (1000)\n"
	      "  --help, --version\n"
	      "\n"
	      "Exit status: 0 results were verified, 1 not so, 2 wrong usage.\n",
	      f);
}

/* Index of text among names; -1: none. */
static int name_find(const char *text, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	return -1;
}

static bool number_parse(const char *text, unsigned long min, unsigned long max, unsigned long *n)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*n = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *n >= min && *n <= max;
}

static bool real_parse(const char *text, double min, double max, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && *end == '\0' && *value >= min && *value <= max;
}

static const struct option long_options[] = {
	{"dir", required_argument, NULL, 'd'},	   {"mode", required_argument, NULL, 'm'},
	{"ip", required_argument, NULL, 'v'},	   {"integ", required_argument, NULL, 'i'},
	{"encr", required_argument, NULL, 'e'},	   {"size", required_argument, NULL, 's'},
	{"sas", required_argument, NULL, 'n'},	   {"seconds", required_argument, NULL, 't'},
	{"workers", required_argument, NULL, 'w'}, {"stages", no_argument, NULL, 'g'},
	{"json", no_argument, NULL, 'j'},	   {"help", no_argument, NULL, 'h'},
	{"ues", required_argument, NULL, 'u'},	   {"rate", required_argument, NULL, 'r'},
	{"loss", required_argument, NULL, 'L'},	   {"replay", required_argument, NULL, 'R'},
	{"damage", required_argument, NULL, 'D'},  {"connections", required_argument, NULL, 'C'},
	{"slow", required_argument, NULL, 'S'},	   {NULL, 0, NULL, 0},
};

static bool name_take(struct bench_options *o, int option, const char *text)
{
	int i;

	switch (option) {
	case 'd':
		i = name_find(text, dir_names, 2);
		o->inbound = i == 1;
		break;
	case 'm':
		i = name_find(text, mode_names, SA_MODE_COUNT);
		o->mode = (enum sa_mode)i;
		break;
	case 'i':
		i = name_find(text, integ_names, SA_INTEG_COUNT);
		o->integ = (enum sa_integ)i;
		break;
	default:
		i = name_find(text, encr_names, SA_ENCR_COUNT);
		o->encr = (enum sa_encr)i;
	}
	return i >= 0;
}

static bool number_take(struct bench_options *o, int option, const char *text)
{
	unsigned long n = 0;
	bool ok;

	switch (option) {
	case 'v':
		ok = number_parse(text, 4, 6, &n) && n != 5;
		o->ip = (uint8_t)n;
		break;
	case 's':
		ok = number_parse(text, 64, BENCH_MAX_SIZE, &n);
		o->size = (uint16_t)n;
		break;
	case 'n':
		ok = number_parse(text, 1, BENCH_MAX_SAS, &n);
		o->sas = (uint32_t)n;
		break;
	case 'w':
		ok = number_parse(text, 1, BENCH_MAX_WORKERS, &n);
		o->workers = (uint16_t)n;
		break;
	default:
		ok = real_parse(text, 0.05, 86400, &o->seconds);
	}
	return ok;
}

static bool signal_take(struct bench_options *o, int option, const char *text)
{
	unsigned long n;

	if (o->command != BENCH_COMMAND_SIGNAL)
		return false;
	switch (option) {
	case 'u':
		if (!number_parse(text, 1, BENCH_MAX_SAS / SA_PAIRS, &n))
			return false;
		o->sas = (uint32_t)n * SA_PAIRS;
		return true;
	case 'r':
		return real_parse(text, 0.1, 1e8, &o->rate);
	case 'L':
		return real_parse(text, 0, 100, &o->loss);
	case 'R':
		return real_parse(text, 0, 100, &o->replay);
	default:
		return real_parse(text, 0, 100, &o->damage);
	}
}

static bool tls_take(struct bench_options *o, int option, const char *text)
{
	unsigned long n;

	if (o->command != BENCH_COMMAND_TLS || !number_parse(text, 0, 1000000, &n))
		return false;
	*(option == 'C' ? &o->connections : &o->slow) = (unsigned)n;
	return true;
}

static bool option_take(struct bench_options *o, int option, const char *text)
{
	switch (option) {
	case 'g':
		o->stages = true;
		return true;
	case 'j':
		o->json = true;
		return true;
	case 'd':
	case 'm':
	case 'i':
	case 'e':
		return name_take(o, option, text);
	case 'C':
	case 'S':
		return tls_take(o, option, text);
	case 'u':
	case 'r':
	case 'L':
	case 'R':
	case 'D':
		return signal_take(o, option, text);
	default:
		return number_take(o, option, text);
	}
}

static int options_take(struct bench_options *o, int argc, char **argv, char *why, size_t room)
{
	int option, at = 0;

	opterr = 0;
	optind = 0; /* glibc: begin anew, so that tests may parse many lines */
	while ((option = getopt_long(argc, argv, "h", long_options, &at)) != -1) {
		if (option == '?') {
			snprintf(why, room, "unknown option, or no value: %s", argv[optind - 1]);
			return -EINVAL;
		}
		if (option == 'h') {
			o->command = BENCH_COMMAND_HELP;
			return 0;
		}
		if (!option_take(o, option, optarg)) {
			snprintf(why, room, "bad value of --%s: %s", long_options[at].name, optarg);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		snprintf(why, room, "unexpected argument: %s", argv[optind]);
		return -EINVAL;
	}
	if (o->command == BENCH_COMMAND_SIGNAL && o->size < BENCH_SIGNAL_MIN_SIZE) {
		snprintf(why, room, "signal: --size of at least %d", BENCH_SIGNAL_MIN_SIZE);
		return -EINVAL;
	}
	return 0;
}

int bench_options_parse(struct bench_options *o, int argc, char **argv, char *why, size_t room)
{
	static const char *const commands[] = {"help", "version", "esp", "churn", "signal", "tls"};
	const char *name = argc > 1 ? argv[1] : "help";
	int command;

	*o = (struct bench_options){
		.ip = 4,
		.encr = SA_ENCR_AES_CBC,
		.size = 512,
		.sas = 1,
		.seconds = 3,
		.workers = 1,
		.rate = 10000,
		.connections = 1000,
		.slow = 1000,
	};
	if (strncmp(name, "--", 2) == 0)
		name += 2;
	if (strcmp(name, "-h") == 0)
		name = "help";
	command = name_find(name, commands, sizeof(commands) / sizeof(commands[0]));
	if (command < 0) {
		snprintf(why, room, "unknown command: %s", argv[1]);
		return -EINVAL;
	}
	o->command = (enum bench_command)command;
	o->inbound = o->command == BENCH_COMMAND_SIGNAL;
	return argc > 1 ? options_take(o, argc - 1, argv + 1, why, room) : 0;
}
