#include "tests/interop/kernel_sa.h"

#include <stdlib.h>
#include <sys/wait.h>

struct ends {
	const struct ip_addr *local, *remote;
};

static struct ends outer(const struct sa_set *set)
{
	return (struct ends){&set->local, &set->remote};
}

static struct ends inner(const struct sa_set *set)
{
	if (set->mode == SA_MODE_TRANSPORT)
		return outer(set);
	return (struct ends){&set->tunnel.inner_local, &set->tunnel.inner_remote[0]};
}

static void key_print(FILE *f, const uint8_t *key, size_t n)
{
	fputs(n ? " 0x" : " \"\"", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%02x", key[i]);
}

static void transform_print(FILE *f, const struct sa_set *set)
{
	static const char *const integ[SA_INTEG_COUNT] = {"hmac(sha1)", "hmac(md5)"};
	static const size_t integ_key[SA_INTEG_COUNT] = {20, 16};
	static const char *const encr[SA_ENCR_COUNT] = {"ecb(cipher_null)", "cbc(aes)",
							"cbc(des3_ede)"};
	static const size_t encr_key[SA_ENCR_COUNT] = {0, 16, 24};

	fprintf(f, " auth-trunc %s", integ[set->integ]);
	key_print(f, set->keys.integ, integ_key[set->integ]);
	fprintf(f, " 96 enc %s", encr[set->encr]);
	key_print(f, set->keys.encr, encr_key[set->encr]);
}

static void address_print(FILE *f, const char *word, const struct ip_addr *a, bool prefix)
{
	char text[IP_ADDR_STRLEN];

	fprintf(f, " %s %s", word, ip_addr_format(a, text));
	if (prefix)
		fprintf(f, "/%d", a->version == 4 ? 32 : 128);
}

/* Selector of one direction of a pair; the protocol is left open, UDP and TCP share the SA. */
static void selector_print(FILE *f, const struct sa_set *set, unsigned pair, bool in)
{
	struct ends e = inner(set);
	unsigned local = set->local_port[pair], remote = set->remote_port[pair];

	address_print(f, "src", in ? e.remote : e.local, true);
	address_print(f, "dst", in ? e.local : e.remote, true);
	fprintf(f, " sport %u dport %u", in ? remote : local, in ? local : remote);
}

static void state_id_print(FILE *f, const struct sa_set *set, unsigned pair, bool in)
{
	struct ends e = outer(set);

	address_print(f, "src", in ? e.remote : e.local, false);
	address_print(f, "dst", in ? e.local : e.remote, false);
	fprintf(f, " proto esp spi 0x%08x", in ? set->spi_in[pair] : set->spi_out[pair]);
}

static const char *mode_name(const struct sa_set *set)
{
	return set->mode == SA_MODE_TRANSPORT ? "transport" : "tunnel";
}

static unsigned request_id(const struct sa_set *set, unsigned pair)
{
	return set->id * SA_PAIRS + pair;
}

static void state_add(FILE *f, const struct sa_set *set, unsigned pair, bool in, uint16_t enc_port)
{
	fputs("xfrm state add", f);
	state_id_print(f, set, pair, in);
	fprintf(f, " reqid %u mode %s replay-window 32", request_id(set, pair), mode_name(set));
	transform_print(f, set);
	if (set->mode == SA_MODE_UDP_ENC_TUN)
		fprintf(f, " encap espinudp %u %u %s", in ? set->tunnel.remote_port : enc_port,
			in ? enc_port : set->tunnel.remote_port,
			set->local.version == 4 ? "0.0.0.0" : "::");
	fputs(" sel", f);
	selector_print(f, set, pair, in);
	fputc('\n', f);
}

static void policy_add(FILE *f, const struct sa_set *set, unsigned pair, bool in)
{
	struct ends e = outer(set);

	fputs("xfrm policy add", f);
	selector_print(f, set, pair, in);
	fprintf(f, " dir %s tmpl", in ? "in" : "out");
	address_print(f, "src", in ? e.remote : e.local, false);
	address_print(f, "dst", in ? e.local : e.remote, false);
	fprintf(f, " proto esp reqid %u mode %s\n", request_id(set, pair), mode_name(set));
}

static void direction_remove(FILE *f, const struct sa_set *set, bool in)
{
	for (unsigned pair = 0; pair < SA_PAIRS; pair++) {
		fputs("xfrm policy delete", f);
		selector_print(f, set, pair, in);
		fprintf(f, " dir %s\nxfrm state delete", in ? "in" : "out");
		state_id_print(f, set, pair, in);
		fputc('\n', f);
	}
}

static int batch_open(FILE **f)
{
	*f = popen("/usr/bin/ip -batch -", "w");
	return *f ? 0 : -errno;
}

static int batch_close(FILE *f)
{
	int status = pclose(f);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int kernel_sa_install(const struct sa_set *set, uint16_t udp_enc_port)
{
	FILE *f;
	int rc = batch_open(&f);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < 2 * SA_PAIRS; i++) {
		state_add(f, set, i / 2, i % 2, udp_enc_port);
		policy_add(f, set, i / 2, i % 2);
	}
	return batch_close(f);
}

int kernel_sa_remove(const struct sa_set *set, bool inbound, bool outbound)
{
	FILE *f;
	int rc = batch_open(&f);

	if (rc < 0)
		return rc;
	if (inbound)
		direction_remove(f, set, true);
	if (outbound)
		direction_remove(f, set, false);
	return batch_close(f);
}
