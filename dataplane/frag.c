/* rte_ip_frag_table_del_expired_entries() is still marked experimental in DPDK 22.11. */
#define ALLOW_EXPERIMENTAL_API

#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>

#include "dataplane/frag.h"
#include "dataplane/ip_header.h"

#define BUCKET_ENTRIES	16
#define PREFETCH	3
#define IPV6_FRAG_HDR	sizeof(struct rte_ipv6_fragment_ext)
#define IPV4_OPT_COPIED 0x80
/*
 * Every link takes 68 octets of IPv4 (RFC 791 3.2), 48 of them payload after a plain header, so no
 * honest sender makes a smaller piece but the last. Holds for IPv6 (1280) all the more.
 */
#define MIN_PIECE 48
/*
 * Pieces of an honest datagram come together. In a crowd, those that have waited longer than this
 * make room: otherwise a few first pieces per second, of anybody, would stop all reassembly.
 */
#define CROWD_PATIENCE_MS 100

struct frag {
	struct rte_ip_frag_tbl *table;
	struct rte_mempool *large;
	uint32_t largest; /* datagram that fits a buffer of `large` */
	unsigned given_up;
	uint32_t waiting, crowd; /* pieces in the table; so many may fill it */
	uint64_t hurry;		 /* TSC: how much sooner the table's time-out is over in a crowd */
	struct rte_ip_frag_death_row dead;
};

/* What a fragment says about itself, in octets. */
struct piece {
	uint32_t header; /* IP header (and fragment header) */
	uint32_t offset, len;
	bool more;
};

int frag_alloc(struct frag **fp, const struct frag_conf *conf, int socket)
{
	uint32_t buckets = (conf->max_flows + BUCKET_ENTRIES - 1) / BUCKET_ENTRIES;
	uint64_t timeout = rte_get_tsc_hz() / MS_PER_S * conf->timeout_ms;
	uint32_t room = rte_pktmbuf_data_room_size(conf->large);
	struct frag *f;

	if (!conf->max_flows || !conf->timeout_ms || room <= RTE_PKTMBUF_HEADROOM)
		return -EINVAL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->large = conf->large;
	f->crowd = conf->max_flows;
	f->hurry = conf->timeout_ms > CROWD_PATIENCE_MS
			   ? timeout / conf->timeout_ms * (conf->timeout_ms - CROWD_PATIENCE_MS)
			   : 0;
	f->largest = RTE_MIN(room - RTE_PKTMBUF_HEADROOM, (uint32_t)UINT16_MAX);
	/* Twice the buckets: both hash choices of a flow rarely are full before max_flows. */
	f->table = rte_ip_frag_table_create(rte_align32pow2(buckets * 2), BUCKET_ENTRIES,
					    conf->max_flows, timeout, socket);
	if (!f->table) {
		free(f);
		return -ENOMEM;
	}
	*fp = f;
	return 0;
}

void frag_free(struct frag *f)
{
	if (!f)
		return;
	rte_ip_frag_free_death_row(&f->dead, PREFETCH);
	rte_ip_frag_table_destroy(f->table);
	free(f);
}

static unsigned ip_version(const struct rte_mbuf *packet)
{
	if (packet->data_len < 1)
		return 0;
	return *rte_pktmbuf_mtod(packet, const uint8_t *) >> 4;
}

bool frag_is_fragment(const struct rte_mbuf *packet)
{
	switch (ip_version(packet)) {
	case 4:
		return packet->data_len >= sizeof(struct rte_ipv4_hdr) &&
		       rte_ipv4_frag_pkt_is_fragmented(
			       rte_pktmbuf_mtod(packet, const struct rte_ipv4_hdr *));
	case 6:
		return packet->data_len >= sizeof(struct rte_ipv6_hdr) + IPV6_FRAG_HDR &&
		       rte_pktmbuf_mtod(packet, const struct rte_ipv6_hdr *)->proto ==
			       IPPROTO_FRAGMENT;
	default:
		return false;
	}
}

/* ---- reassembly --------------------------------------------------------------------------- */

static bool piece_of_ipv4(const struct rte_mbuf *packet, struct piece *p)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(packet, const struct rte_ipv4_hdr *);
	uint16_t field = rte_be_to_cpu_16(ip->fragment_offset);
	uint32_t total = rte_be_to_cpu_16(ip->total_length);

	p->header = rte_ipv4_hdr_len(ip);
	if (p->header < sizeof(*ip) || p->header > packet->data_len || total <= p->header ||
	    total > packet->pkt_len)
		return false;
	p->offset = (field & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS;
	p->more = field & RTE_IPV4_HDR_MF_FLAG;
	p->len = total - p->header;
	return true;
}

static bool piece_of_ipv6(const struct rte_mbuf *packet, struct piece *p)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(packet, const struct rte_ipv6_hdr *);
	const struct rte_ipv6_fragment_ext *ext = (const void *)(ip + 1);
	uint16_t field = rte_be_to_cpu_16(ext->frag_data);
	uint32_t payload = rte_be_to_cpu_16(ip->payload_len);

	p->header = sizeof(*ip) + IPV6_FRAG_HDR;
	/* A fragment in a fragment would have us begin anew each time (RFC 8200 4.1: at most once).
	 */
	if (payload <= IPV6_FRAG_HDR || sizeof(*ip) + payload > packet->pkt_len ||
	    ext->next_header == IPPROTO_FRAGMENT)
		return false;
	p->offset = field & RTE_IPV6_EHDR_FO_MASK;
	p->more = field & RTE_IPV6_EHDR_MF_MASK;
	p->len = payload - IPV6_FRAG_HDR;
	return true;
}

/* RFC 8200 4.5: all but the last are whole units of 8 octets. */
static bool piece_fits(const struct frag *f, const struct piece *p)
{
	if (p->more && (p->len % 8 != 0 || p->len < MIN_PIECE))
		return false;
	return p->header + p->offset + p->len <= f->largest;
}

/* Datagrams on the death row: rte_ip_frag puts the pieces of one side by side. */
static unsigned dead_datagrams(const struct rte_ip_frag_death_row *dead)
{
	const uint8_t *last = NULL;
	unsigned n = 0;

	for (uint32_t i = 0; i < dead->cnt; i++) {
		const uint8_t *ip = rte_pktmbuf_mtod(dead->row[i], const uint8_t *);
		bool v6 = ip[0] >> 4 == 6;
		/* addresses, and the identification in its own place */
		bool same = last && ip[0] >> 4 == last[0] >> 4 &&
			    (v6 ? memcmp(ip + 8, last + 8, 32) == 0 &&
					     memcmp(ip + 44, last + 44, 4) == 0
				: memcmp(ip + 12, last + 12, 8) == 0 &&
					     memcmp(ip + 4, last + 4, 2) == 0);
		n += !same;
		last = ip;
	}
	return n;
}

/* rte_ip_frag may have chained some of them already, when it finds a hole. */
static uint32_t dead_pieces(const struct rte_ip_frag_death_row *dead)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < dead->cnt; i++)
		n += dead->row[i]->nb_segs;
	return n;
}

static void bury(struct frag *f)
{
	if (f->dead.cnt == 0)
		return;
	f->given_up += dead_datagrams(&f->dead);
	f->waiting -= dead_pieces(&f->dead);
	rte_ip_frag_free_death_row(&f->dead, PREFETCH);
}

/* RFC 6946: a fragment that is the whole datagram waits for nothing, so it only loses its header.
 */
static void atomic_unwrap(struct rte_mbuf *packet)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(packet, struct rte_ipv6_hdr *);
	const struct rte_ipv6_fragment_ext *ext = (const void *)(ip + 1);

	ip->proto = ext->next_header;
	ip->payload_len = rte_cpu_to_be_16(rte_be_to_cpu_16(ip->payload_len) - IPV6_FRAG_HDR);
	memmove((uint8_t *)ip + IPV6_FRAG_HDR, ip, sizeof(*ip));
	rte_pktmbuf_adj(packet, IPV6_FRAG_HDR);
}

/* One contiguous copy of a chain, which is freed. */
static struct rte_mbuf *flatten(struct frag *f, struct rte_mbuf *chain)
{
	uint32_t len = chain->pkt_len;
	struct rte_mbuf *whole = NULL;
	uint8_t *to;

	if (len <= f->largest)
		whole = rte_pktmbuf_alloc(f->large);
	if (!whole) {
		f->given_up++;
		goto out;
	}
	to = (uint8_t *)rte_pktmbuf_append(whole, (uint16_t)len);
	for (const struct rte_mbuf *m = chain; m; m = m->next) {
		memcpy(to, rte_pktmbuf_mtod(m, const void *), m->data_len);
		to += m->data_len;
	}
	whole->port = chain->port;
out:
	rte_pktmbuf_free(chain);
	return whole;
}

/* One piece more. The table knows one time-out only: a later clock makes it a shorter one. */
static void table_enter(struct frag *f, uint64_t now)
{
	if (f->waiting >= f->crowd) {
		rte_ip_frag_table_del_expired_entries(f->table, &f->dead, now + f->hurry);
		bury(f);
	}
	f->waiting++;
}

static struct rte_mbuf *reassemble_ipv4(struct frag *f, struct rte_mbuf *packet, uint64_t now)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(packet, struct rte_ipv4_hdr *);

	table_enter(f, now);
	packet = rte_ipv4_frag_reassemble_packet(f->table, &f->dead, packet, now, ip);
	if (!packet)
		return NULL;
	f->waiting -= packet->nb_segs;
	packet = flatten(f, packet);
	if (!packet)
		return NULL;
	ip = rte_pktmbuf_mtod(packet, struct rte_ipv4_hdr *);
	ip->fragment_offset = 0;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return packet;
}

static struct rte_mbuf *reassemble_ipv6(struct frag *f, struct rte_mbuf *packet,
					const struct piece *p, uint64_t now)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(packet, struct rte_ipv6_hdr *);

	if (p->offset == 0 && !p->more) {
		atomic_unwrap(packet);
		return flatten(f, packet);
	}
	table_enter(f, now);
	packet = rte_ipv6_frag_reassemble_packet(f->table, &f->dead, packet, now, ip,
						 (struct rte_ipv6_fragment_ext *)(ip + 1));
	if (!packet)
		return NULL;
	f->waiting -= packet->nb_segs;
	return flatten(f, packet);
}

struct rte_mbuf *frag_reassemble(struct frag *f, struct rte_mbuf *packet, uint64_t now_tsc)
{
	bool v6 = ip_version(packet) == 6;
	struct piece p;

	/* What follows the datagram is Ethernet padding. */
	if (!frag_is_fragment(packet) ||
	    !(v6 ? piece_of_ipv6(packet, &p) : piece_of_ipv4(packet, &p)) || !piece_fits(f, &p) ||
	    rte_pktmbuf_trim(packet, (uint16_t)(packet->pkt_len - p.header - p.len)) != 0) {
		f->given_up++;
		rte_pktmbuf_free(packet);
		return NULL;
	}
	packet->l2_len = 0;
	packet->l3_len = p.header;
	packet = v6 ? reassemble_ipv6(f, packet, &p, now_tsc) : reassemble_ipv4(f, packet, now_tsc);
	bury(f);
	return packet;
}

unsigned frag_expire(struct frag *f, uint64_t now_tsc)
{
	unsigned n;

	do { /* as many as the death row holds */
		bury(f);
		rte_ip_frag_table_del_expired_entries(f->table, &f->dead, now_tsc);
	} while (f->dead.cnt);
	n = f->given_up;
	f->given_up = 0;
	return n;
}

/* ---- fragmentation ------------------------------------------------------------------------ */

/* How a packet is cut. Lengths in octets. */
struct cut {
	const uint8_t *ip;	/* the whole packet */
	uint32_t first_header;	/* of the whole packet: where the payload begins */
	uint32_t header;	/* before the payload of each piece, the first one's if larger */
	uint32_t payload, step; /* in all; in each piece but the last */
};

static unsigned cut_pieces(const struct cut *c)
{
	return (c->payload + c->step - 1) / c->step;
}

/* All pieces from pool, or none; each filled up to its payload, which is copied here. */
static bool cut_copy(const struct cut *c, struct rte_mempool *pool, struct rte_mbuf **out,
		     unsigned n)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool);

	if (room < RTE_PKTMBUF_HEADROOM + c->header + c->step ||
	    rte_pktmbuf_alloc_bulk(pool, out, n) != 0)
		return false;
	for (unsigned i = 0; i < n; i++) {
		uint32_t offset = i * c->step, len = RTE_MIN(c->step, c->payload - offset);
		char *to = rte_pktmbuf_append(out[i], (uint16_t)(c->header + len));

		memcpy(to + c->header, c->ip + c->first_header + offset, len);
	}
	return true;
}

/*
 * The header of the pieces after the first has only the options that say so (RFC 791 3.1, copied
 * flag), padded with end-of-list. Returns its length, 0 if the options are malformed.
 */
static uint32_t ipv4_later_header(const struct rte_ipv4_hdr *ip, uint8_t *to)
{
	const uint8_t *opt = (const uint8_t *)(ip + 1), *end = (const uint8_t *)ip;
	uint32_t len = sizeof(*ip);

	end += rte_ipv4_hdr_len(ip);
	memcpy(to, ip, sizeof(*ip));
	memset(to + sizeof(*ip), 0, RTE_IPV4_HDR_IHL_MASK * 4 - sizeof(*ip));
	while (opt < end && opt[0] != 0) {
		uint32_t n = opt[0] == 1 ? 1 : end - opt < 2 ? 0 : opt[1];

		if (n == 0 || n > end - opt || (opt[0] != 1 && n < 2))
			return 0;
		if (opt[0] & IPV4_OPT_COPIED) {
			memcpy(to + len, opt, n);
			len += n;
		}
		opt += n;
	}
	len = RTE_ALIGN_CEIL(len, 4);
	to[0] = (uint8_t)(RTE_IPV4_VHL_DEF & 0xf0) | (uint8_t)(len / 4);
	return len;
}

/* Length and fragment fields of one piece; a packet may have been a fragment itself. */
static void ipv4_piece_finish(struct rte_mbuf *m, const struct cut *c, unsigned i, unsigned n)
{
	const struct rte_ipv4_hdr *whole = (const void *)c->ip;
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	uint16_t field = rte_be_to_cpu_16(whole->fragment_offset);

	field += (uint16_t)(i * c->step / RTE_IPV4_HDR_OFFSET_UNITS);
	if (i + 1 < n)
		field |= RTE_IPV4_HDR_MF_FLAG;
	ip->fragment_offset = rte_cpu_to_be_16(field);
	ip->total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static unsigned split_ipv4(struct rte_mbuf *packet, uint16_t mtu, struct rte_mempool *pool,
			   struct rte_mbuf **out, unsigned max_out)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(packet, const struct rte_ipv4_hdr *);
	uint32_t header = packet->data_len < sizeof(*ip) ? 0 : rte_ipv4_hdr_len(ip);
	uint8_t later[RTE_IPV4_HDR_IHL_MASK * 4];
	uint32_t later_len, offset;
	struct cut c = {.ip = (const uint8_t *)ip, .first_header = header, .header = header};
	unsigned n;

	if (header < sizeof(*ip) || packet->data_len <= header || mtu < header + 8u ||
	    (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)))
		return 0;
	later_len = ipv4_later_header(ip, later);
	c.payload = packet->data_len - header;
	c.step = (mtu - header) & ~7u;
	offset = (rte_be_to_cpu_16(ip->fragment_offset) & RTE_IPV4_HDR_OFFSET_MASK) * 8u;
	n = cut_pieces(&c);
	if (!later_len || n > max_out || offset + c.payload > UINT16_MAX ||
	    !cut_copy(&c, pool, out, n))
		return 0;
	for (unsigned i = 0; i < n; i++) {
		/* Room was left for the first header, the longest. */
		if (i > 0)
			rte_pktmbuf_adj(out[i], (uint16_t)(header - later_len));
		memcpy(rte_pktmbuf_mtod(out[i], void *), i ? later : c.ip, i ? later_len : header);
		ipv4_piece_finish(out[i], &c, i, n);
	}
	return n;
}

static unsigned split_ipv6(struct rte_mbuf *packet, uint16_t mtu, uint32_t id,
			   struct rte_mempool *pool, struct rte_mbuf **out, unsigned max_out)
{
	const struct rte_ipv6_hdr *whole = rte_pktmbuf_mtod(packet, const struct rte_ipv6_hdr *);
	struct cut c = {.ip = (const uint8_t *)whole,
			.first_header = sizeof(*whole),
			.header = sizeof(*whole) + IPV6_FRAG_HDR};
	unsigned n;

	/* Extension headers would have to stay in front of the fragment header (RFC 8200 4.5). */
	if (packet->data_len <= sizeof(*whole) || mtu < c.header + 8u ||
	    ip6_is_extension_or_fragment(whole->proto))
		return 0;
	c.payload = packet->data_len - sizeof(*whole);
	c.step = (mtu - c.header) & ~7u;
	n = cut_pieces(&c);
	if (n > max_out || c.payload > UINT16_MAX || !cut_copy(&c, pool, out, n))
		return 0;
	for (unsigned i = 0; i < n; i++) {
		struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(out[i], struct rte_ipv6_hdr *);
		struct rte_ipv6_fragment_ext *ext = (void *)(ip + 1);

		*ip = *whole;
		ip->proto = IPPROTO_FRAGMENT;
		ip->payload_len = rte_cpu_to_be_16((uint16_t)(out[i]->pkt_len - sizeof(*ip)));
		ext->next_header = whole->proto;
		ext->reserved = 0;
		ext->frag_data = rte_cpu_to_be_16((uint16_t)(i * c.step) | (i + 1 < n));
		ext->id = rte_cpu_to_be_32(id);
	}
	return n;
}

unsigned frag_split(struct rte_mbuf *packet, uint16_t mtu, uint32_t id, struct rte_mempool *pool,
		    struct rte_mbuf **out, unsigned max_out)
{
	unsigned n = 0;

	if (packet->nb_segs != 1 || packet->pkt_len <= mtu)
		return 0;
	switch (ip_version(packet)) {
	case 4:
		n = split_ipv4(packet, mtu, pool, out, max_out);
		break;
	case 6:
		n = split_ipv6(packet, mtu, id, pool, out, max_out);
		break;
	}
	if (n)
		rte_pktmbuf_free(packet);
	return n;
}
