#include "bench/bench_verify.h"

#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

int verify_init(struct verify *v, const struct world *w)
{
	v->world = w;
	return esp_engine_alloc(&v->engine, ESP_BACKEND_OPENSSL);
}

void verify_fini(struct verify *v)
{
	esp_engine_free(v->engine);
	v->engine = NULL;
}

/* Where ESP begins in a frame, by the world's IP version and mode. */
static uint32_t esp_at(const struct world *w)
{
	uint32_t at = sizeof(struct rte_ether_hdr);

	at += w->ip == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	if (w->mode == SA_MODE_UDP_ENC_TUN)
		at += sizeof(struct rte_udp_hdr);
	return at;
}

static bool frame_open(struct verify *v, uint8_t *esp, uint32_t len)
{
	struct esp_key *key = aligned_alloc(_Alignof(struct esp_key), sizeof(*key));
	struct esp_job job = {.key = key, .esp = esp, .len = (uint16_t)len, .inbound = true};
	struct esp_job *jobs[] = {&job}, *done[1 + ESP_MAX_FLIGHT];
	struct sa_keys keys;
	bool ok;

	if (!key)
		return false;
	world_keys(v->number, &keys);
	ok = esp_key_expand(key, ESP_BACKEND_OPENSSL, v->world->integ, v->world->encr, &keys) == 0;
	ok = ok && esp_engine_submit(v->engine, jobs, 1, done) == 1 && job.status == ESP_OK;
	free(key);
	return ok;
}

/* Opens a copy of the frame; what is inside must end with `payload`, as UDP. */
static bool frame_holds(struct verify *v, const uint8_t *frame, uint32_t len,
			const uint8_t *payload, uint32_t payload_len)
{
	uint8_t copy[VERIFY_ROOM];
	uint32_t at = esp_at(v->world), end, pad;
	uint8_t inner = v->world->mode == SA_MODE_TRANSPORT ? IPPROTO_UDP
			: v->world->ip == 4		    ? IPPROTO_IPIP
							    : IPPROTO_IPV6;

	if (len > sizeof(copy) || len < at + ESP_ICV_LEN + ESP_HEADER_LEN + 2)
		return false;
	memcpy(copy, frame, len);
	if (!frame_open(v, copy + at, len - at - ESP_ICV_LEN))
		return false;
	end = len - ESP_ICV_LEN - 2;
	pad = copy[end];
	if (copy[end + 1] != inner || end < at + pad + payload_len)
		return false;
	return memcmp(copy + end - pad - payload_len, payload, payload_len) == 0;
}

static void verify_count(struct verify *v, bool right)
{
	v->checked++;
	v->wrong += !right;
	v->watched = NULL;
}

void verify_watch_payload(struct verify *v, struct rte_mbuf *m, uint32_t number)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	if (v->watched || rte_pktmbuf_data_len(m) > sizeof(v->payload))
		return;
	v->watched = m;
	v->number = number;
	v->payload_len = rte_pktmbuf_data_len(m);
	memcpy(v->payload, data, v->payload_len);
}

void verify_frame(struct verify *v, const struct rte_mbuf *frame)
{
	verify_count(v, frame_holds(v, rte_pktmbuf_mtod(frame, const uint8_t *),
				    rte_pktmbuf_data_len(frame), v->payload, v->payload_len));
}

void verify_watch_frame(struct verify *v, struct rte_mbuf *frame, uint32_t number)
{
	if (v->watched || rte_pktmbuf_data_len(frame) > sizeof(v->frame))
		return;
	v->watched = frame;
	v->number = number;
	v->frame_len = rte_pktmbuf_data_len(frame);
	memcpy(v->frame, rte_pktmbuf_mtod(frame, void *), v->frame_len);
}

void verify_payload(struct verify *v, const void *payload, uint32_t len)
{
	verify_count(v, frame_holds(v, v->frame, v->frame_len, payload, len));
}
