/* Setting up: data plane, subscribers, UEs. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench/subscribers.h"
#include "bench/ue_load_internal.h"
#include "crypto/secret.h"

#define PROTECTED_MIN 10000
#define PROTECTED_MAX 59999
#define UDP_ENC_PORT  4500
#define BUFFERS	      16384
#define MEMORY_MB     192 /* without huge pages: buffers, rings; and 1 KiB for each SA set */

/* ---- data plane --------------------------------------------------------------------------- */

static uint32_t set_capacity(const struct load_options *o)
{
	return 2 * o->ues + 64; /* a current one, and a new or old one */
}

static bool is_pci_address(const char *port)
{
	return strncmp(port, "net_", 4) != 0 && strchr(port, ':') != NULL;
}

static int eal_start(struct load *l)
{
	const struct dp_eal_config eal = {
		.name = "esplanade-ue",
		.huge_pages = l->o.huge_pages,
		.memory_mb = MEMORY_MB + set_capacity(&l->o) / 512,
		.cores = l->o.cores,
		.workers = (uint16_t)l->o.workers,
		.pci_allow = is_pci_address(l->o.port) ? l->o.port : NULL,
	};
	int rc = dp_eal_init(&eal);

	if (rc < 0)
		fprintf(stderr, "esplanade-ue: cannot start DPDK: %s\n", strerror(-rc));
	else
		l->eal = true;
	return rc;
}

static int plane_start(struct load *l)
{
	struct dp_config c = {
		.ue_port = l->o.port,
		.host_port = l->o.host_port,
		.local[0] = l->o.local,
		.n_local = 1,
		.sip_port = 5060,
		.protected_min = PROTECTED_MIN,
		.protected_max = PROTECTED_MAX,
		.workers = (uint16_t)l->o.workers,
		.udp_enc_port = l->o.udp_enc_tun ? UDP_ENC_PORT : 0,
		.keepalive_s = (uint16_t)l->o.keepalive,
		.sa_sets = set_capacity(&l->o),
		.replay_window = 128,
		.mtu = (uint16_t)l->o.mtu,
		.idle_sleep_us = 100,
		.buffers = BUFFERS,
	};
	int rc;

	c.gateway[l->o.ip == 6] = l->o.gateway;
	if (l->o.router_local.version)
		c.local[c.n_local++] = (struct ip_prefix){.addr = l->o.router_local,
							  .len = l->o.ip == 4 ? 32 : 128};
	rc = dp_alloc(&l->dp, &c);
	if (rc < 0)
		fprintf(stderr, "esplanade-ue: cannot open port %s: %s\n", l->o.port,
			strerror(-rc));
	return rc;
}

/* ---- UEs ---------------------------------------------------------------------------------- */

static void choices_set(const struct load_options *o, uint32_t i, struct ue_conf *c)
{
	if (o->offer_all) {
		memcpy(c->choices, o->algorithms, sizeof(c->choices));
		c->n_choices = o->n_algorithms;
		return;
	}
	c->choices[0] = o->algorithms[i % o->n_algorithms];
	c->n_choices = 1;
}

static const char *realm_of(const char *impi)
{
	const char *at = strchr(impi, '@');

	return at ? at + 1 : impi;
}

static void access_set(const struct load *l, const struct subscriber *s, struct ue_conf *c)
{
	c->auth = l->o.auth;
	c->security = l->o.security;
	c->password = l->password ? l->password : s->password;
	c->rspauth_optional = l->o.rspauth_optional;
	c->sha256_only = l->o.sha256_only;
	c->tls_port = l->o.tls_port;
	c->access = l->o.access;
	c->protect_or_abort = !l->o.clear_optional;
}

static int ue_make(struct load *l, uint32_t i, const struct subscriber *s)
{
	struct load_ue *u = &l->ues[i];
	struct ue_env env = load_env;
	struct ue_conf c = {
		.impi = s->impi,
		.impu = s->impu,
		.realm = realm_of(s->impi),
		.key = s->key,
		.local.port = 5060,
		.pcscf = l->o.pcscf,
		.port_min = PROTECTED_MIN,
		.port_max = PROTECTED_MAX,
		.expires = l->o.expires,
		.await_auth = 240,
		.guard = 30,
		.patience = l->o.patience,
		.transport = l->o.transport,
		.reg_event =
			l->o.reg_event || (l->o.ues == 1 && l->o.security <= UE_SECURITY_TLS_FIRST),
		.udp_enc_tun = l->o.udp_enc_tun,
		.udp_enc_port = UDP_ENC_PORT,
		.heartbeat = 2 * l->o.keepalive,
	};
	int rc;

	u->load = l;
	env.ctx = u;
	if (l->o.listen.port)
		gateway_endpoint(&l->o, i, &c.behind);
	if (l->o.transport == UE_TRANSPORT_UDP && !load_uses_tls(&l->o))
		env.stream_send = NULL;
	load_ue_local(l, i, &c.local);
	choices_set(&l->o, i, &c);
	access_set(l, s, &c);
	u->impu = strdup(s->impu);
	rc = u->impu ? ue_alloc(&u->ue, &c, &env, l->timers) : -ENOMEM;
	secret_wipe(&c, sizeof(c));
	return rc;
}

static int ues_read(struct load *l, FILE *f)
{
	struct subscribers reader = {.file = f};
	struct subscriber s;
	uint32_t i = 0;
	int rc = 0;

	while (i < l->o.ues && (rc = subscribers_read(&reader, &s)) == 1) {
		rc = ue_make(l, i, &s);
		if (rc < 0) {
			reader.why = strerror(-rc);
			break;
		}
		i++;
	}
	secret_wipe(&s, sizeof(s));
	if (i == l->o.ues)
		return 0;
	if (rc == -EINVAL && reader.why == strerror(EINVAL))
		reader.why =
			"esplanade-ue cannot use this subscriber like that: see --auth, --access";
	if (rc == 0)
		fprintf(stderr, "esplanade-ue: %s holds %u subscribers, %u are needed\n",
			l->o.subscribers, i, l->o.ues);
	else
		fprintf(stderr, "esplanade-ue: %s:%u: %s\n", l->o.subscribers, reader.line,
			reader.why ? reader.why : strerror(-rc));
	return -EINVAL;
}

static int password_read(struct load *l)
{
	char text[256];
	FILE *f;
	bool ok;

	if (!l->o.password_file)
		return 0;
	f = strcmp(l->o.password_file, "-") == 0 ? stdin : fopen(l->o.password_file, "re");
	ok = f && fgets(text, sizeof(text), f) && strlen(text) < sizeof(text) - 1;
	if (f && f != stdin)
		fclose(f);
	if (ok) {
		text[strcspn(text, "\r\n")] = '\0';
		l->password = strdup(text);
	} else {
		fprintf(stderr, "esplanade-ue: %s: no password of up to 254 characters\n",
			l->o.password_file);
	}
	secret_wipe(text, sizeof(text));
	return l->password ? 0 : -EINVAL;
}

/* The only UE, from the command line. */
static int ue_named(struct load *l)
{
	struct subscriber s = {.digest = true};
	int rc;

	if (strlen(l->o.impi) >= sizeof(s.impi) || strlen(l->o.impu) >= sizeof(s.impu))
		return -EINVAL;
	strncpy(s.impi, l->o.impi, sizeof(s.impi) - 1);
	strncpy(s.impu, l->o.impu, sizeof(s.impu) - 1);
	rc = ue_make(l, 0, &s);
	if (rc < 0)
		fprintf(stderr, "esplanade-ue: --impi, --impu or --access: %s\n", strerror(-rc));
	return rc;
}

static int ues_make(struct load *l)
{
	FILE *f;
	int rc = password_read(l);

	if (rc < 0)
		return rc;
	if (!l->o.one_address && pool_init(&l->pool, &l->o.local, l->o.ues) < 0) {
		fprintf(stderr, "esplanade-ue: --local has fewer addresses than UEs\n");
		return -EINVAL;
	}
	l->ues = calloc(l->o.ues, sizeof(*l->ues));
	if (!l->ues)
		return -ENOMEM;
	if (l->o.impi)
		return ue_named(l);
	f = fopen(l->o.subscribers, "re");
	if (!f) {
		rc = -errno;
		fprintf(stderr, "esplanade-ue: %s: %s\n", l->o.subscribers, strerror(errno));
		return rc;
	}
	rc = ues_read(l, f);
	fclose(f);
	return rc;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static int keys_open(struct load *l)
{
	if (!l->o.export_keys)
		return 0;
	l->keys = key_export_open(l->o.export_keys);
	if (!l->keys) {
		int rc = -errno;

		fprintf(stderr, "esplanade-ue: %s: %s\n", l->o.export_keys, strerror(errno));
		return rc;
	}
	fprintf(stderr,
		"esplanade-ue: warning: writing the keys of all SAs to %s; whoever reads it can "
		"read the traffic\n",
		l->o.export_keys);
	return 0;
}

/* Before any thread starts: they all leave these signals to the loop. */
static int signals_open(struct load *l)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	l->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return l->signals < 0 ? -errno : 0;
}

int load_alloc(struct load **lp, const struct load_options *o)
{
	struct load *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->o = *o;
	l->signals = l->input = -1;
	rc = signals_open(l);
	if (rc == 0)
		rc = timers_alloc(&l->timers);
	if (rc == 0)
		rc = mail_init(&l->mail, o->ues, o->messages, o->size);
	if (rc == 0)
		rc = ues_make(l);
	if (rc == 0 && o->listen.port)
		rc = gateway_alloc(&l->gateway, l);
	if (rc == 0)
		rc = keys_open(l);
	if (rc == 0 && !load_is_plain(l))
		rc = eal_start(l);
	if (rc == 0 && !load_is_plain(l))
		rc = plane_start(l);
	if (rc == 0)
		rc = load_tcp_start(l);
	if (rc == 0)
		rc = load_tcp_wait(l);
	if (rc < 0) {
		load_free(l);
		return rc;
	}
	*lp = l;
	return 0;
}

void load_free(struct load *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; l->ues && i < l->o.ues; i++) {
		ue_free(l->ues[i].ue);
		free(l->ues[i].impu);
	}
	free(l->ues);
	load_tcp_end(l);
	gateway_free(l->gateway);
	if (l->dp)
		dp_free(l->dp);
	if (l->eal)
		dp_eal_cleanup();
	if (l->timers)
		timers_free(l->timers);
	if (l->keys && fclose(l->keys) != 0)
		fprintf(stderr, "esplanade-ue: %s: not written completely\n", l->o.export_keys);
	if (l->signals >= 0)
		close(l->signals);
	if (l->password)
		secret_wipe(l->password, strlen(l->password));
	free(l->password);
	mail_clear(&l->mail);
	free(l);
}
