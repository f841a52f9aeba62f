/* esp.json: what the pipelines make of known packets, in and out, with both back ends. */
#include <string.h>

#include "tests/dataplane/vector_rig.h"

#define UDP_HEADER 8

struct esp_case {
	const json_t *v;
	struct vectors_sa sa;
	struct octets plain, prot;
	size_t esp_off;
	bool udp;
};

static void case_read(struct esp_case *c, const json_t *v)
{
	c->v = v;
	vectors_sa(&c->sa, vectors_member(v, "sa"));
	octets_read(&c->plain, v, "plain");
	octets_read(&c->prot, v, "prot");
	c->esp_off = vectors_number(v, "esp_off");
	c->udp = strcmp(vectors_text(v, "proto"), "udp") == 0;
}

static void octets_equal(const struct esp_case *c, const uint8_t *got, size_t got_len,
			 const uint8_t *want, size_t want_len)
{
	if (got_len != want_len || memcmp(got, want, want_len) != 0)
		fail_msg("%s: got %zu octets, want %zu", vectors_id(c->v), got_len, want_len);
}

static void each_case(void (*run)(const struct esp_case *c, enum esp_backend backend, struct rig *a,
				  struct rig *b))
{
	json_t *file = vectors_open("esp.json", "ims-esp"), *v;
	unsigned n = 0, backend;
	struct esp_case c;
	struct rig a, b;
	size_t i;

	for (backend = ESP_BACKEND_IPSEC_MB; backend <= ESP_BACKEND_OPENSSL; backend++) {
		vector_rig_open(&a, "a", backend);
		vector_rig_open(&b, "b", backend);
		json_array_foreach(vectors_list(file, "cases"), i, v)
		{
			case_read(&c, v);
			run(&c, backend, &a, &b);
			n++;
		}
		rig_close(&a);
		rig_close(&b);
	}
	assert_true(n >= 2 * 192);
	json_decref(file);
}

/* ---- inbound ------------------------------------------------------------------------------ */

/* The protected packet into r, where the SA is installed: the plain one must come out. */
static void opens_to_plain(const struct esp_case *c, struct rig *r, const uint8_t *prot, size_t len)
{
	size_t udp = vector_l4(&c->plain);
	struct dp_packet pkt;
	struct sa_set set;
	struct octets got;
	enum sa_pair pair = vector_install_in(r, &c->sa, &set);
	uint8_t wire[VECTOR_MAX];

	memcpy(wire, prot, len);
	vector_nat(&c->sa, wire);
	rig_ip_in(r, &r->ue, c->sa.ip, wire, len);
	if (c->udp) {
		if (vector_outcome(r, &pkt, &got) != VECTOR_TO_CONTROL) {
			rig_print(vectors_id(c->v), r->dp);
			fail_msg("%s: not opened", vectors_id(c->v));
		}
		octets_equal(c, got.p, got.n, c->plain.p + udp + UDP_HEADER,
			     c->plain.n - udp - UDP_HEADER);
		assert_int_equal(pkt.set, set.id);
		assert_int_equal(pkt.pair, pair);
		assert_true(ip_endpoint_eq(&pkt.remote, &c->sa.src));
		assert_true(ip_endpoint_eq(&pkt.local, &c->sa.dst));
	} else {
		assert_int_equal(vector_outcome(r, &pkt, &got), VECTOR_TO_HOST);
		octets_equal(c, got.p, got.n, c->plain.p, c->plain.n);
	}
	vector_remove(r, &set);
}

static void run_inbound(const struct esp_case *c, enum esp_backend backend, struct rig *a,
			struct rig *b)
{
	(void)backend;
	(void)b;
	opens_to_plain(c, a, c->prot.p, c->prot.n);
}

/* covers: ES-02, ES-04, DP-02, DP-03, DP-15, F11 */
static void test_esp_inbound(void **state)
{
	(void)state;
	each_case(run_inbound);
}

/* ---- outbound ----------------------------------------------------------------------------- */

static void send_plain(const struct esp_case *c, struct rig *r, const struct sa_set *set)
{
	size_t udp = vector_l4(&c->plain) + UDP_HEADER;

	if (c->udp)
		assert_int_equal(
			rig_send(r->dp, set->id, SA_CLIENT, c->plain.p + udp, c->plain.n - udp), 0);
	else
		rig_ip_in(r, &r->host, c->sa.inner_ip, c->plain.p, c->plain.n);
}

/* TS 33.203 Annex M, RFC 3948 2.1 */
static void outer_check(const struct esp_case *c, const uint8_t *p)
{
	const uint8_t *udp = p + 20;

	assert_int_equal(p[0], 0x45);
	assert_int_equal(p[6] & 0x40, 0); /* DF */
	assert_int_equal(p[9], 17);
	assert_memory_equal(p + 12, c->sa.tunnel_src.addr.b, 4);
	assert_memory_equal(p + 16, c->sa.tunnel_dst.addr.b, 4);
	assert_int_equal(udp[0] << 8 | udp[1], VECTOR_UDP_ENC);
	assert_int_equal(udp[2] << 8 | udp[3], c->sa.tunnel_dst.port);
	assert_int_equal(udp[4] << 8 | udp[5], (int)c->prot.n - 20);
	assert_int_equal(udp[6] << 8 | udp[7], 0); /* checksum */
}

/* From which octet on the packet is the vector's: what is before it we choose ourselves. */
static size_t first_same(const struct esp_case *c)
{
	/* the kernel's IP header stays; for UDP we make one, with TTL and identification of ours */
	if (c->sa.mode == SA_MODE_TRANSPORT)
		return c->udp ? c->esp_off : 0;
	return c->esp_off;
}

/* Without a cipher; in a tunnel our own inner IP header shows, and its ICV differs. */
static void null_check(const struct esp_case *c, const uint8_t *p)
{
	size_t same = first_same(c), end = c->prot.n;

	if (c->sa.mode == SA_MODE_UDP_ENC_TUN && c->udp) {
		same = c->esp_off + 8 + vector_l4(&c->plain);
		end -= 12;
	}
	octets_equal(c, p + same, end - same, c->prot.p + same, end - same);
}

/*
 * Sent by a, opened by b. What the data plane does not choose itself must be as in the vector: the
 * whole packet without a cipher, else all but IV and what depends on it.
 */
static void run_outbound(const struct esp_case *c, enum esp_backend backend, struct rig *a,
			 struct rig *b)
{
	size_t same = first_same(c);
	struct sa_set set;
	struct rte_mbuf *m;
	const uint8_t *p;

	(void)backend;
	vector_install_out(a, &c->sa, (uint32_t)vectors_number(c->v, "seq"), &set);
	send_plain(c, a, &set);
	m = rig_ip_wait(a, &a->ue);
	assert_non_null(m);
	p = rte_pktmbuf_mtod(m, const uint8_t *);
	assert_int_equal(rte_pktmbuf_data_len(m), c->prot.n);
	octets_equal(c, p + same, c->esp_off + 8 - same, c->prot.p + same, c->esp_off + 8 - same);
	if (c->sa.mode == SA_MODE_UDP_ENC_TUN)
		outer_check(c, p);
	if (c->sa.encr == SA_ENCR_NULL)
		null_check(c, p);
	opens_to_plain(c, b, p, c->prot.n);
	rte_pktmbuf_free(m);
	vector_remove(a, &set);
}

/* covers: ES-02, ES-04, DP-02, DP-03, DP-15, F11 */
static void test_esp_outbound(void **state)
{
	(void)state;
	each_case(run_outbound);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_esp_inbound),
		cmocka_unit_test(test_esp_outbound),
	};

	return cmocka_run_group_tests_name("dataplane.esp", tests, rig_start, rig_stop);
}
