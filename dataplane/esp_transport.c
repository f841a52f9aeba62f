#include "dataplane/esp_transport.h"

#include <netinet/in.h>

#include "dataplane/esp_read.h"
#include "dataplane/esp_write.h"
#include "dataplane/ip_header.h"
#include "dataplane/ip_write.h"
#include "dataplane/sa_in.h"
#include "dataplane/sa_out.h"
#include "dataplane/udp_write.h"
#include "dataplane/worker.h"

#define TRAILER_LEN ESP_TRAILER_LEN

/*
 * Moves the n octets of headers that end at `from`, to end at `to`. Of the usual lengths 64 octets
 * are moved at once: what is before the headers is room of no meaning, if there is `room` of it.
 */
static inline void headers_move(uint8_t *to, const uint8_t *from, size_t n, size_t room)
{
	uint8_t all[64];

	if (unlikely(n > sizeof(all) || room + n < sizeof(all))) {
		memmove(to - n, from - n, n);
		return;
	}
	memcpy(all, from - sizeof(all), sizeof(all));
	memcpy(to - sizeof(all), all, sizeof(all));
}

/* ---- outbound ----------------------------------------------------------------------------- */

/* Moves Ethernet and IP header forward to make room for ESP. */
static int headers_part(struct pkt *p)
{
	uint8_t overhead = p->set->transform->overhead;
	uint8_t *old = rte_pktmbuf_mtod(p->m, uint8_t *);
	size_t headers = (size_t)(p->ip - old) + p->ip_len;
	uint8_t *start = (uint8_t *)rte_pktmbuf_prepend(p->m, overhead);

	if (!start)
		return DP_DROP_NO_BUFFER;
	headers_move(start + headers, old + headers, headers, rte_pktmbuf_headroom(p->m));
	p->ip -= overhead;
	return PKT_KEEP;
}

/* Any headers. */
static int packet_seal(struct worker *w, struct pkt *p)
{
	const struct sa_transform *t = p->set->transform;
	uint8_t pad = (uint8_t)(-(p->l4_len + TRAILER_LEN) & (t->block_len - 1));
	uint32_t len = t->overhead + p->l4_len + pad + (uint32_t)TRAILER_LEN;
	uint8_t *esp, *tail;
	int reason = sa_out_number(w, p);

	reason = PKT_THEN(reason, headers_part(p));
	if (unlikely(reason != PKT_KEEP))
		return reason;
	esp = p->ip + p->ip_len;
	if (p->ip_len + len + ESP_ICV_LEN > UINT16_MAX)
		return DP_DROP_TOO_BIG;
	tail = (uint8_t *)rte_pktmbuf_append(p->m, pad + TRAILER_LEN + ESP_ICV_LEN);
	if (!tail)
		return DP_DROP_TOO_BIG;
	esp_trailer_write(tail, pad, p->proto);
	esp_header_write(w, p, esp);
	ip_header_update(p, IPPROTO_ESP, len + ESP_ICV_LEN);
	p->job.key = sa_key_at(&w->env->sa, p->slot / SA_PAIRS);
	p->job.esp = esp;
	p->job.len = (uint16_t)len;
	p->job.inbound = false;
	sa_out_count(w, p);
	return PKT_KEEP;
}

/*
 * The same in one go for the frame of the host that nearly all are: Ethernet, IPv4 without options.
 * What changes in the IP header is taken from where it was: there nothing has just been stored.
 */
static int frame_seal(struct worker *w, struct pkt *p)
{
	const struct sa_transform *t = p->set->transform;
	struct rte_mbuf *m = p->m;
	const struct rte_ipv4_hdr *old = (const struct rte_ipv4_hdr *)p->ip;
	uint8_t pad = (uint8_t)(-(p->l4_len + TRAILER_LEN) & (t->block_len - 1u));
	uint32_t len = t->overhead + p->l4_len + pad + (uint32_t)TRAILER_LEN;
	rte_be16_t total = checksum_be16((uint16_t)(sizeof(*old) + len + (uint32_t)ESP_ICV_LEN));
	rte_be16_t was = old->total_length;
	uint16_t sum = old->hdr_checksum;
	struct rte_ipv4_hdr *ip;
	int reason = sa_out_number(w, p);

	reason = PKT_THEN(reason,
			  esp_room(m, t->overhead, pad + TRAILER_LEN + (uint32_t)ESP_ICV_LEN));
	if (unlikely(reason != PKT_KEEP))
		return reason;
	sum = checksum_replace16(sum, was, total);
	sum = checksum_replace16(sum, checksum_be16(p->proto), checksum_be16(IPPROTO_ESP));
	headers_move(p->l4 - t->overhead, p->l4, sizeof(struct rte_ether_hdr) + sizeof(*ip),
		     rte_pktmbuf_headroom(m));
	p->ip -= t->overhead;
	ip = (struct rte_ipv4_hdr *)p->ip;
	ip->total_length = total;
	ip->next_proto_id = IPPROTO_ESP;
	ip->hdr_checksum = sum;
	p->job.key = &sa_block_of(p->set)->key;
	p->job.esp = p->ip + sizeof(*ip);
	p->job.len = (uint16_t)len;
	p->job.inbound = false;
	esp_header_write(w, p, p->job.esp);
	esp_trailer_write(p->l4 + p->l4_len, pad, p->proto);
	sa_out_count(w, p);
	return PKT_KEEP;
}

int esp_transport_seal(struct worker *w, struct pkt *p)
{
	bool plain = p->version == 4 && p->l2_done && p->ip_len == sizeof(struct rte_ipv4_hdr);

	return likely(plain) ? frame_seal(w, p) : packet_seal(w, p);
}

/* For one IP version, so that its header's length and shape are constants. */
static __rte_always_inline int datagram_seal(struct worker *w, struct pkt *p, uint8_t version)
{
	struct sa_shared *set = p->set;
	const struct sa_transform *t = set->transform;
	unsigned pair = p->slot % SA_PAIRS;
	struct ip_new ip = {.src = &set->local, .dst = &set->remote, .proto = IPPROTO_ESP};
	struct udp_path path = {
		.local = &set->local,
		.remote = &set->remote,
		.local_port = set->local_port[pair],
		.remote_port = set->remote_port[pair],
		.version = version,
	};
	uint32_t l4_len = p->m->data_len + (uint32_t)sizeof(struct rte_udp_hdr);
	uint8_t pad = (uint8_t)(-(l4_len + TRAILER_LEN) & (t->block_len - 1u));
	uint32_t len = t->overhead + l4_len + pad + (uint32_t)TRAILER_LEN;
	uint32_t before = (uint32_t)sizeof(struct rte_ether_hdr) + ip_new_len(version) +
			  t->overhead + (uint32_t)sizeof(struct rte_udp_hdr);
	int reason = sa_out_number(w, p);
	uint8_t *esp, *l4;

	reason =
		PKT_THEN(reason, esp_room(p->m, before, pad + TRAILER_LEN + (uint32_t)ESP_ICV_LEN));
	if (unlikely(reason != PKT_KEEP))
		return reason;
	p->version = version;
	p->ip = rte_pktmbuf_mtod_offset(p->m, uint8_t *, sizeof(struct rte_ether_hdr));
	esp = p->ip + ip_new_len(version);
	l4 = esp + t->overhead;
	p->job.key = &sa_block_of(set)->key;
	p->job.esp = esp;
	p->job.len = (uint16_t)len;
	p->job.inbound = false;
	ip.len = len + (uint32_t)ESP_ICV_LEN;
	ip_write_as(version, p->ip, &ip, w->ip_id++);
	esp_header_write(w, p, esp);
	udp_write((struct rte_udp_hdr *)l4, &path, (uint16_t)l4_len, p->payload_sum);
	esp_trailer_write(l4 + l4_len, pad, IPPROTO_UDP);
	sa_out_count(w, p);
	sa_out_link(w, p, &set->remote);
	return PKT_KEEP;
}

int esp_transport_datagram(struct worker *w, struct pkt *p)
{
	return p->set->remote.version == 4 ? datagram_seal(w, p, 4) : datagram_seal(w, p, 6);
}

/* ---- inbound ------------------------------------------------------------------------------ */

int esp_transport_open(struct worker *w, struct pkt *p)
{
	int reason = sa_in_take(w, p);

	reason = PKT_THEN(reason, esp_trailer_open(p));
	if (unlikely(reason != PKT_KEEP))
		return reason;
	if (p->proto != IPPROTO_UDP && p->proto != IPPROTO_TCP)
		return DP_DROP_BAD_NEXT_HEADER;
	return sa_in_selectors(p);
}

/* Any headers. */
static void packet_restore(struct pkt *p)
{
	uint8_t *old = rte_pktmbuf_mtod(p->m, uint8_t *);
	size_t headers = (size_t)(p->ip - old) + p->ip_len;
	size_t overhead = (size_t)(p->l4 - (p->ip + p->ip_len));

	headers_move(old + overhead + headers, old + headers, headers, rte_pktmbuf_headroom(p->m));
	p->ip += overhead;
	rte_pktmbuf_adj(p->m, (uint16_t)overhead);
	rte_pktmbuf_trim(p->m, (uint16_t)(rte_pktmbuf_data_len(p->m) - headers - p->l4_len));
	ip_header_update(p, p->proto, p->l4_len);
}

/* The same in one go for Ethernet and IPv4 without options, as frame_seal(). */
static void frame_restore(struct pkt *p)
{
	const size_t headers = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr);
	const struct rte_ipv4_hdr *old = (const struct rte_ipv4_hdr *)p->ip;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(p->l4 - sizeof(*ip));
	rte_be16_t was = old->total_length;
	rte_be16_t total = checksum_be16((uint16_t)(sizeof(*ip) + p->l4_len));
	uint16_t sum = checksum_replace16(old->hdr_checksum, was, total);
	struct rte_mbuf *m = p->m;

	sum = checksum_replace16(sum, checksum_be16(IPPROTO_ESP), checksum_be16(p->proto));
	headers_move(p->l4, p->ip + sizeof(*ip), headers, rte_pktmbuf_headroom(m));
	m->data_off = (uint16_t)(m->data_off + (p->l4 - sizeof(*ip) - p->ip));
	m->data_len = (uint16_t)(headers + p->l4_len);
	m->pkt_len = m->data_len;
	p->ip = (uint8_t *)ip;
	ip->total_length = total;
	ip->next_proto_id = p->proto;
	ip->hdr_checksum = sum;
}

int esp_transport_restore(struct worker *w, struct pkt *p)
{
	(void)w;
	if (likely(p->version == 4 && p->ip_len == sizeof(struct rte_ipv4_hdr)))
		frame_restore(p);
	else
		packet_restore(p);
	p->l4 = p->ip + p->ip_len;
	return PKT_KEEP;
}
