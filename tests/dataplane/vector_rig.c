#include "tests/dataplane/vector_rig.h"

#include <string.h>

#include <sodium.h>

void octets_of(struct octets *o, const char *hex)
{
	assert_int_equal(sodium_hex2bin(o->p, sizeof(o->p), hex, strlen(hex), NULL, &o->n, NULL),
			 0);
}

void octets_read(struct octets *o, const json_t *v, const char *key)
{
	octets_of(o, vectors_text(v, key));
}

void vector_rig_open(struct rig *r, const char *name, enum esp_backend backend)
{
	struct dp_config conf = rig_config();

	conf.sip_port = 1000;
	conf.protected_min = 1001;
	conf.udp_enc_port = VECTOR_UDP_ENC;
	rig_open(r, name, &conf, true, backend);
}

static void set_fill(struct sa_set *set, const struct vectors_sa *sa)
{
	set->integ = sa->integ;
	set->encr = sa->encr;
	set->mode = sa->mode;
	set->keys = sa->keys;
}

/* Addresses: of a tunnel those outside, and the inner ones. */
static void ends_fill(struct sa_set *set, const struct vectors_sa *sa, bool sender)
{
	const struct ip_endpoint *local = sender ? &sa->src : &sa->dst;
	const struct ip_endpoint *remote = sender ? &sa->dst : &sa->src;

	set->local = local->addr;
	set->remote = remote->addr;
	if (sa->mode == SA_MODE_TRANSPORT)
		return;
	set->tunnel.inner_local = local->addr;
	set->tunnel.inner_remote[0] = remote->addr;
	set->tunnel.follow = !sender;
	local = sender ? &sa->tunnel_src : &sa->tunnel_dst;
	remote = sender ? &sa->tunnel_dst : &sa->tunnel_src;
	set->local = local->addr;
	set->remote = remote->addr;
	set->tunnel.remote_port = remote->port;
}

void vector_nat(const struct vectors_sa *sa, uint8_t *packet)
{
	size_t udp = (packet[0] & 15u) * 4;

	if (sa->mode != SA_MODE_UDP_ENC_TUN)
		return;
	assert_int_equal(sa->ip, 4);
	if ((packet[udp + 2] << 8 | packet[udp + 3]) != sa->tunnel_dst.port)
		return;
	packet[udp + 2] = VECTOR_UDP_ENC >> 8;
	packet[udp + 3] = VECTOR_UDP_ENC & 0xff;
}

enum sa_pair vector_install_in(struct rig *r, const struct vectors_sa *sa, struct sa_set *set)
{
	enum sa_pair pair;

	memset(set, 0, sizeof(*set));
	assert_int_equal(sa_table_reserve_spi(r->dp->sa, sa->spi, set), 0);
	pair = set->spi_in[SA_CLIENT] ? SA_CLIENT : SA_SERVER;
	set_fill(set, sa);
	ends_fill(set, sa, false);
	set->local_port[pair] = sa->dst.port;
	set->remote_port[pair] = sa->src.port;
	set->spi_out[pair] = SA_SPI_MIN;
	assert_int_equal(dp_sa_install(r->dp, set), 0);
	return pair;
}

enum sa_pair vector_install_out(struct rig *r, const struct vectors_sa *sa, uint32_t seq,
				struct sa_set *set)
{
	unsigned pair;

	memset(set, 0, sizeof(*set));
	assert_int_equal(dp_sa_reserve(r->dp, NULL, 0, set), 0);
	set_fill(set, sa);
	ends_fill(set, sa, true);
	for (pair = 0; pair < SA_PAIRS; pair++) {
		set->local_port[pair] = (uint16_t)(sa->src.port + (pair != SA_CLIENT));
		set->remote_port[pair] = sa->dst.port;
		set->spi_out[pair] = pair == SA_CLIENT ? sa->spi : SA_SPI_MIN;
	}
	assert_int_equal(dp_sa_install(r->dp, set), 0);
	sa_out_at(&r->dp->env.sa, sa_slot_of_id(&r->dp->env.sa, set->id, SA_CLIENT))->seq = seq - 1;
	return SA_CLIENT;
}

void vector_remove(struct rig *r, const struct sa_set *set)
{
	dp_sa_remove(r->dp, set->id);
	rig_poll(r->dp);
	sa_table_reclaim(r->dp->sa);
}

enum vector_outcome vector_outcome(struct rig *r, struct dp_packet *pkt, struct octets *got)
{
	struct rte_mbuf *m;

	rig_poll(r->dp);
	if (dp_recv(r->dp, pkt, 1) == 1) {
		got->n = pkt->len;
		memcpy(got->p, pkt->data, pkt->len);
		dp_release(r->dp, pkt, 1);
		return VECTOR_TO_CONTROL;
	}
	m = rig_ip_out(r, &r->host);
	if (!m)
		return VECTOR_NOTHING;
	got->n = rte_pktmbuf_data_len(m);
	memcpy(got->p, rte_pktmbuf_mtod(m, void *), got->n);
	rte_pktmbuf_free(m);
	return VECTOR_TO_HOST;
}

size_t vector_l4(const struct octets *plain)
{
	uint8_t next = plain->p[6];
	size_t at = 40;

	if (plain->p[0] >> 4 == 4)
		return (plain->p[0] & 15u) * 4;
	while ((next == 0 || next == 43 || next == 44 || next == 60) && at + 8 <= plain->n) {
		size_t len = next == 44 ? 8 : (plain->p[at + 1] + 1u) * 8;

		next = plain->p[at];
		at += len;
	}
	return at;
}
