#include "dataplane/natt.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/esp_tunnel.h"
#include "dataplane/ip_header.h"
#include "dataplane/worker.h"

#define KEEPALIVE 0xff

/* ---- what is it --------------------------------------------------------------------------- */

/*
 * No checksum is fine in IPv6 as well: ESP has its own, and RFC 6936 lets tunnels do so. But one
 * that is there must be right.
 */
static int udp_check(const struct pkt *p, const struct rte_udp_hdr *udp, uint32_t room)
{
	int reason = ip_udp_length_check(udp, room);

	if (reason != PKT_KEEP || udp->dgram_cksum == 0)
		return reason;
	return checksum_sum(p->ip, p->version, IPPROTO_UDP, udp,
			    rte_be_to_cpu_16(udp->dgram_len)) == 0xffff
		       ? PKT_KEEP
		       : DP_DROP_BAD_UDP;
}

/* IKE is not for us (TS 33.203 needs none); but the host may speak it. */
static void non_esp(struct worker *w, struct pkt *p)
{
	if (!w->env->has_host || worker_port_protected(w, w->env->udp_enc_port)) {
		pkt_drop(w, p, DP_DROP_NON_ESP);
		return;
	}
	tx_host_frame(w, p->m);
	pkt_put(w, p);
}

static void keepalive_ignore(struct worker *w, struct pkt *p)
{
	w->c.keepalives_in++;
	rte_pktmbuf_free(p->m);
	pkt_put(w, p);
}

bool natt_input(struct worker *w, struct pkt *p)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->ip + p->ip_len);
	const uint8_t *payload = (const uint8_t *)(udp + 1);
	uint32_t room = pkt_payload_len(p), len, marker;
	int reason = udp_check(p, udp, room);

	if (reason != PKT_KEEP) {
		pkt_drop(w, p, (enum dp_drop)reason);
		return false;
	}
	len = rte_be_to_cpu_16(udp->dgram_len) - (uint32_t)sizeof(*udp);
	if (len == 1 && payload[0] == KEEPALIVE) {
		keepalive_ignore(w, p);
		return false;
	}
	if (len < sizeof(marker)) {
		pkt_drop(w, p, DP_DROP_ESP_TOO_SHORT);
		return false;
	}
	memcpy(&marker, payload, sizeof(marker));
	if (marker == 0) {
		non_esp(w, p);
		return false;
	}
	rte_pktmbuf_trim(p->m, (uint16_t)(room - sizeof(*udp) - len));
	p->ip_len = (uint16_t)(p->ip_len + sizeof(*udp));
	p->udp_enc = true;
	return true;
}

/* ---- where is the peer -------------------------------------------------------------------- */

struct natt_source natt_source(const struct pkt *p)
{
	struct natt_source from = {.addr = ip_source_octets(p), .version = p->version};

	memcpy(&from.port, p->job.esp - sizeof(struct rte_udp_hdr), sizeof(from.port));
	return from;
}

/* The outer header is not authenticated: at least we send nothing to many, or to ourselves. */
static bool source_is_usable(const struct natt_source *from)
{
	static const uint8_t high[15];

	if (from->port == 0)
		return false;
	if (from->version == 4)
		return from->addr[0] != 0 && from->addr[0] != 127 && from->addr[0] < 224;
	return from->addr[0] != 0xff && memcmp(from->addr, high, sizeof(high)) != 0;
}

static bool peer_is(const struct tunnel *n, const struct natt_source *from)
{
	return from->port == n->peer_port && from->version == n->peer.version &&
	       ip_octets_are(from->addr, &n->peer);
}

/* What is known of the old path is worth nothing on the new one. */
static void peer_set(struct worker *w, const struct pkt *p, struct tunnel *n,
		     const struct natt_source *from)
{
	struct sa_out *out = sa_out_at(&w->env->sa, p->slot - p->slot % SA_PAIRS);
	unsigned pair;

	memset(&n->peer, 0, sizeof(n->peer));
	n->peer.version = from->version;
	memcpy(n->peer.b, from->addr, from->version == 4 ? 4 : 16);
	n->peer_port = from->port;
	for (pair = 0; pair < SA_PAIRS; pair++) {
		out[pair].hop = (struct next_hop_cache){0};
		out[pair].pmtu = 0;
	}
	n->flags |= TUNNEL_UNTOLD;
	if (n->flags & TUNNEL_HEARD)
		w->c.peers_moved++;
}

/* If control's ring is full, it is told with the next packet. */
static void peer_tell(struct worker *w, const struct pkt *p, struct tunnel *n)
{
	struct dp_event event = {
		.type = DP_EVENT_PEER_MOVED,
		.set = p->id,
		.pair = (uint8_t)(p->slot % SA_PAIRS),
		.peer = {.addr = n->peer, .port = rte_be_to_cpu_16(n->peer_port)},
		.inner_remote = n->inner_remote,
	};

	if (!control_ring_event(w, &event))
		return;
	n->flags &= (uint8_t)~TUNNEL_UNTOLD;
	n->flags |= TUNNEL_HEARD;
}

void natt_learn(struct worker *w, const struct pkt *p, const struct natt_source *from)
{
	struct tunnel *n = &w->env->sa.tunnels[p->slot / SA_PAIRS];

	/* An older packet that comes late must not bring the peer back (replay_update() came
	 * first). */
	if (p->seq != p->in->top)
		return;
	if (unlikely(!peer_is(n, from)) && source_is_usable(from) &&
	    from->version == p->set->local.version &&
	    ((n->flags & TUNNEL_FOLLOW) || n->peer_port == 0))
		peer_set(w, p, n, from);
	if (unlikely(n->flags & TUNNEL_UNTOLD))
		peer_tell(w, p, n);
}

/* ---- to the peer -------------------------------------------------------------------------- */

const struct ip_addr *natt_peer(const struct worker *w, const struct pkt *p)
{
	return &w->env->sa.tunnels[p->slot / SA_PAIRS].peer;
}

static void keepalive_send(struct worker *w, const struct sa_shared *set, const struct tunnel *n,
			   struct sa_out *out)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->env->pool);
	unsigned headers = esp_tunnel_header_len(n);
	uint8_t *ip = m ? (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(headers + 1)) : NULL;

	if (!ip) {
		w->c.drops[DP_DROP_NO_BUFFER]++;
		rte_pktmbuf_free(m);
		return;
	}
	esp_tunnel_header_write(w, ip, n, &set->local, 1, 0);
	ip[headers] = KEEPALIVE;
	if (n->peer.version == 6)
		esp_tunnel_checksum(ip);
	w->c.keepalives_out++;
	tx_ue_packet(w, m, &n->peer, &out->hop);
}

void natt_keepalive(struct worker *w, sa_set_id id)
{
	const struct sa_view *sa = &w->env->sa;
	uint32_t slot = sa_slot_of_id(sa, id, SA_SERVER), i = slot / SA_PAIRS;
	struct tunnel *n = &sa->tunnels[i];

	if (sa_live(sa_shared_at(sa, i)) != id || sa_shared_at(sa, i)->mode != SA_MODE_UDP_ENC_TUN)
		return;
	if (!n->sent && n->peer_port)
		keepalive_send(w, sa_shared_at(sa, i), n, sa_out_at(sa, slot));
	n->sent = 0;
}
