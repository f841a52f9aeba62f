/*
 * Not a test: writes our tunnel packets, all pairs of IP versions and all algorithms, for somebody
 * else to read (tests/interop/tshark_tunnel.sh): into $TUNNEL_PCAP, the keys into $TUNNEL_KEYS.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dataplane/tunnel_rig.h"
#include "tests/support/test.h"

struct out {
	FILE *pcap, *keys;
};

static const char *const integs[] = {"HMAC-SHA-1-96 [RFC2404]", "HMAC-MD5-96 [RFC2403]"};
static const char *const encrs[] = {"NULL", "AES-CBC [RFC3602]", "TripleDES-CBC [RFC2451]"};
static const unsigned integ_len[] = {20, 16}, encr_len[] = {0, 16, 24};

static void pcap_head(FILE *f)
{
	static const uint32_t head[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 65535, 1};

	fwrite(head, sizeof(head), 1, f);
}

static void pcap_write(FILE *f, const struct rte_mbuf *m)
{
	uint32_t n = rte_pktmbuf_data_len(m), head[4] = {0, 0, n, n};

	fwrite(head, sizeof(head), 1, f);
	fwrite(rte_pktmbuf_mtod(m, const void *), n, 1, f);
}

static void hex(FILE *f, const uint8_t *p, unsigned n)
{
	unsigned i;

	if (n)
		fputs("0x", f);
	for (i = 0; i < n; i++)
		fprintf(f, "%02x", p[i]);
}

/* One line of tshark's table, for what leaves by `set` towards `to`. */
static void key_write(FILE *f, const struct sa_set *set, enum sa_pair pair,
		      const struct ip_addr *from, const struct ip_addr *to)
{
	char src[IP_ADDR_STRLEN], dst[IP_ADDR_STRLEN];

	fprintf(f, "\"IPv%d\",\"%s\",\"%s\",\"0x%08" PRIx32 "\",\"%s\",\"", from->version,
		ip_addr_format(from, src), ip_addr_format(to, dst), set->spi_out[pair],
		encrs[set->encr]);
	hex(f, set->keys.encr, encr_len[set->encr]);
	fprintf(f, "\",\"%s\",\"", integs[set->integ]);
	hex(f, set->keys.integ, integ_len[set->integ]);
	fputs("\"\n", f);
}

/* A REGISTER through the NAT, an answer before it, and a keepalive. */
static void one(struct out *o, int outer, int inner, enum sa_integ integ, enum sa_encr encr)
{
	static const char reg[] = "REGISTER sip:ims.example SIP/2.0\r\nCSeq: 1 REGISTER\r\n"
				  "Call-ID: a\r\nContent-Length: 0\r\n\r\n",
			  ok[] = "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nCall-ID: a\r\n"
				 "Content-Length: 0\r\n\r\n";
	struct tunnel_rig t;
	struct tunnel_ue ue;
	struct rte_mbuf *m;

	tunnel_open(&t, outer, inner, 1);
	tunnel_ue_make(&t, &ue, 7);
	ue.phone.integ = ue.pcscf.integ = integ;
	ue.phone.encr = ue.pcscf.encr = encr;
	tunnel_install(&t, &ue);
	key_write(o->keys, &ue.phone, SA_CLIENT, &t.nat.addr, &t.pair.pcscf.addr);
	key_write(o->keys, &ue.pcscf, SA_CLIENT, &t.pair.pcscf.addr, &t.nat.addr);
	assert_int_equal(rig_send(t.pair.phone.dp, ue.phone.id, SA_CLIENT, reg, strlen(reg)), 0);
	m = tunnel_up(&t);
	assert_non_null(m);
	pcap_write(o->pcap, m);
	tunnel_put(&t, m);
	assert_int_equal(rig_send(t.pair.pcscf.dp, ue.pcscf.id, SA_CLIENT, ok, strlen(ok)), 0);
	m = tunnel_down(&t);
	assert_non_null(m);
	pcap_write(o->pcap, m);
	rte_pktmbuf_free(m);
	dp_keepalive(t.pair.phone.dp, 1);
	dp_keepalive(t.pair.phone.dp, 10001);
	dp_keepalive(t.pair.phone.dp, 20001);
	m = tunnel_up(&t);
	assert_non_null(m);
	pcap_write(o->pcap, m);
	rte_pktmbuf_free(m);
	tunnel_close(&t);
}

static void write_all(void **state)
{
	static const int versions[] = {4, 6};
	struct out o = {.pcap = fopen(getenv("TUNNEL_PCAP"), "wb"),
			.keys = fopen(getenv("TUNNEL_KEYS"), "w")};
	unsigned i, integ, encr;

	(void)state;
	assert_non_null(o.pcap);
	assert_non_null(o.keys);
	pcap_head(o.pcap);
	for (i = 0; i < 4; i++)
		for (integ = 0; integ < SA_INTEG_COUNT; integ++)
			for (encr = 0; encr < SA_ENCR_COUNT; encr++)
				one(&o, versions[i / 2], versions[i % 2], integ, encr);
	fclose(o.pcap);
	fclose(o.keys);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_all),
	};

	if (!getenv("TUNNEL_PCAP") || !getenv("TUNNEL_KEYS"))
		return 2;
	return cmocka_run_group_tests_name("tunnel_pcap", tests, rig_start, rig_stop);
}
