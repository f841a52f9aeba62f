/* esp_bad.json: packets with one thing wrong, or oddly right: each with its verdict and reason. */
#include <string.h>

#include <rte_cycles.h>

#include "tests/dataplane/vector_rig.h"

#define UDP_HEADER 8
#define NO_REASON  DP_DROP_COUNT

/* A reason of the vectors, and what we call it. */
struct reason_name {
	const char *name;
	enum dp_drop drops[4];
};

static const struct reason_name reasons[] = {
	{"zero_length", {DP_DROP_TRUNCATED, DP_DROP_ESP_TOO_SHORT, NO_REASON}},
	{"truncated", {DP_DROP_TRUNCATED, NO_REASON}},
	{"bad_ip_header", {DP_DROP_BAD_IP, NO_REASON}},
	{"fragment", {DP_DROP_FRAGMENT, NO_REASON}},
	{"too_short", {DP_DROP_ESP_TOO_SHORT, NO_REASON}},
	{"unknown_spi", {DP_DROP_UNKNOWN_SPI, NO_REASON}},
	{"bad_udp_length", {DP_DROP_BAD_UDP, NO_REASON}},
	{"bad_udp_checksum", {DP_DROP_BAD_UDP, NO_REASON}},
	{"encap_mismatch", {DP_DROP_ENCAP, NO_REASON}},
	{"bad_block_length", {DP_DROP_BAD_LENGTH, NO_REASON}},
	{"replay", {DP_DROP_REPLAY, NO_REASON}},
	{"bad_icv", {DP_DROP_BAD_ICV, NO_REASON}},
	{"bad_pad_length", {DP_DROP_BAD_PADDING, NO_REASON}},
	{"bad_padding", {DP_DROP_BAD_PADDING, NO_REASON}},
	{"dummy_packet", {DP_DROP_DUMMY, NO_REASON}},
	{"bad_next_header", {DP_DROP_BAD_NEXT_HEADER, NO_REASON}},
	{"bad_inner", {DP_DROP_BAD_UDP, DP_DROP_TRUNCATED, DP_DROP_BAD_INNER, NO_REASON}},
	{"selector_mismatch", {DP_DROP_SELECTOR, NO_REASON}},
};

static bool reason_is(const char *name, enum dp_drop drop)
{
	size_t i, j;

	for (i = 0; i < N_OF(reasons); i++) {
		if (strcmp(reasons[i].name, name) != 0)
			continue;
		for (j = 0; reasons[i].drops[j] != NO_REASON; j++)
			if (reasons[i].drops[j] == drop)
				return true;
	}
	return false;
}

static bool reason_allowed(const json_t *v, enum dp_drop drop)
{
	const json_t *also = json_object_get(v, "also"), *name;
	size_t i;

	if (reason_is(vectors_text(v, "reason"), drop))
		return true;
	json_array_foreach(also, i, name) if (reason_is(json_string_value(name), drop)) return true;
	return false;
}

/* What the data plane did with one packet. */
struct result {
	enum vector_outcome outcome;
	struct octets got;
	uint64_t drops, keepalives;
	enum dp_drop reason;
};

static void drops_read(struct dp *dp, uint64_t drops[DP_DROP_COUNT])
{
	unsigned reason;

	for (reason = 0; reason < DP_DROP_COUNT; reason++)
		drops[reason] = rig_drops(dp, reason);
}

/* Fragments that wait for the rest are given up now, not in two seconds. */
static void fragments_expire(struct dp *dp)
{
	uint64_t late = rte_rdtsc() + 60 * rte_get_tsc_hz();
	struct worker *w = dp->workers[0];

	w->c.drops[DP_DROP_FRAGMENT] += frag_expire(w->frag, late);
	if (w->frag_inner)
		w->c.drops[DP_DROP_FRAGMENT] += frag_expire(w->frag_inner, late);
}

static void present(struct rig *r, int version, const struct octets *packet, struct result *res)
{
	uint64_t before[DP_DROP_COUNT], after[DP_DROP_COUNT];
	struct dp_packet pkt;
	unsigned reason;

	memset(res, 0, sizeof(*res));
	res->reason = NO_REASON;
	res->keepalives = r->dp->workers[0]->c.keepalives_in;
	drops_read(r->dp, before);
	rig_ip_in(r, &r->ue, version, packet->p, packet->n);
	res->outcome = vector_outcome(r, &pkt, &res->got);
	fragments_expire(r->dp);
	res->keepalives = r->dp->workers[0]->c.keepalives_in - res->keepalives;
	drops_read(r->dp, after);
	for (reason = 0; reason < DP_DROP_COUNT; reason++) {
		res->drops += after[reason] - before[reason];
		if (after[reason] != before[reason])
			res->reason = reason;
	}
}

static bool got_plain(const json_t *v, const struct result *res)
{
	const json_t *hex;
	struct octets plain;
	size_t i, skip;

	json_array_foreach(json_object_get(v, "plains"), i, hex)
	{
		octets_of(&plain, json_string_value(hex));
		skip = res->outcome == VECTOR_TO_CONTROL ? vector_l4(&plain) + UDP_HEADER : 0;
		if (plain.n >= skip && plain.n - skip == res->got.n &&
		    memcmp(plain.p + skip, res->got.p, res->got.n) == 0)
			return true;
	}
	return false;
}

static bool verdict_holds(const json_t *v, const struct octets *packet, const struct result *res)
{
	const char *verdict = vectors_text(v, "verdict");
	bool dropped = res->outcome == VECTOR_NOTHING && res->drops == 1;
	bool opened = res->outcome != VECTOR_NOTHING && res->drops == 0 && got_plain(v, res);

	if (strcmp(verdict, "accept") == 0)
		return opened;
	if (strcmp(verdict, "drop") == 0)
		return dropped && reason_allowed(v, res->reason);
	if (strcmp(verdict, "policy") == 0)
		return opened || (dropped && reason_allowed(v, res->reason));
	if (strcmp(verdict, "keepalive") == 0)
		return res->outcome == VECTOR_NOTHING && res->drops == 0 && res->keepalives == 1;
	if (strcmp(verdict, "non_esp_marker") == 0)
		return dropped && res->reason == DP_DROP_NON_ESP;
	/* not_esp: refused in clear at a protected port, or untouched to the host */
	if (strcmp(verdict, "not_esp") == 0)
		return (dropped && res->reason == DP_DROP_CLEAR_TO_PROTECTED) ||
		       (res->outcome == VECTOR_TO_HOST && res->got.n == packet->n &&
			memcmp(res->got.p, packet->p, packet->n) == 0);
	return false;
}

static bool run_case(struct rig *r, const json_t *v, const struct vectors_sa *sa)
{
	struct octets packet;
	struct result res;
	struct sa_set set;
	bool good;

	vector_install_in(r, sa, &set);
	octets_read(&packet, v, "packet");
	/* What is no ESP may be the inner packet, as it is. */
	present(r, strcmp(vectors_text(v, "verdict"), "not_esp") ? sa->ip : packet.p[0] >> 4,
		&packet, &res);
	good = verdict_holds(v, &packet, &res);
	if (!good)
		print_error("%s: want %s; got outcome %d, %lu drops, %s\n", vectors_id(v),
			    vectors_text(v, "verdict"), res.outcome, res.drops,
			    dp_drop_name(res.reason));
	vector_remove(r, &set);
	return good;
}

static const json_t *sa_of(const json_t *file, const char *id)
{
	const json_t *sa;
	size_t i;

	json_array_foreach(vectors_list(file, "sas"), i,
			   sa) if (strcmp(vectors_id(sa), id) == 0) return sa;
	fail_msg("no SA %s", id);
	return NULL;
}

static unsigned run_all(const json_t *file, enum esp_backend backend)
{
	struct vectors_sa sa;
	struct rig r;
	json_t *v;
	unsigned n = 0, bad = 0;
	size_t i;

	vector_rig_open(&r, "bad", backend);
	json_array_foreach(vectors_list(file, "cases"), i, v)
	{
		vectors_sa(&sa, sa_of(file, vectors_text(v, "sa")));
		bad += !run_case(&r, v, &sa);
		n++;
	}
	rig_close(&r);
	assert_int_equal(bad, 0);
	return n;
}

/* covers: ES-13, SP-08, SP-11, DP-08, DP-11 */
static void test_esp_bad(void **state)
{
	json_t *file = vectors_open("esp_bad.json", "ims-esp-bad");

	(void)state;
	assert_true(run_all(file, ESP_BACKEND_IPSEC_MB) >= 200);
	assert_true(run_all(file, ESP_BACKEND_OPENSSL) >= 200);
	json_decref(file);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_esp_bad),
	};

	return cmocka_run_group_tests_name("dataplane.esp_bad", tests, rig_start, rig_stop);
}
