/* Inside of ue_load*.c. setup: load_alloc.c; packets: load_io.c; what happens when: load_run.c. */
#pragma once

#include "bench/key_export.h"
#include "bench/mail.h"
#include "bench/pool.h"
#include "bench/ue_gateway.h"
#include "bench/ue_load.h"
#include "control/stream/stream.h"
#include "control/ue/ue.h"
#include "dataplane.h"

enum load_state {
	LOAD_IDLE,
	LOAD_REGISTERING,
	LOAD_REGISTERED,
	LOAD_FAILED,
	LOAD_ENDING,
	LOAD_ENDED,
};

struct load_ue {
	struct load *load;
	struct ue *ue;
	uint64_t started_us;
	uint8_t state; /* enum load_state */
	bool calling;
	uint64_t hang_up_at; /* ms; 0: not now */
	char *impu;
};

struct load {
	struct load_options o;
	struct dp *dp;
	bool eal;
	struct timers *timers;
	struct pool pool;
	struct load_ue *ues;
	struct mail mail;
	FILE *keys;
	bool loop_open;
	uv_loop_t loop;		 /* of the connections alone: load_turn() runs it */
	struct stream *stream;	 /* NULL: UDP only */
	int signals;		 /* signalfd */
	struct gateway *gateway; /* NULL: no programs behind the UEs */
	bool interrupted;
	uint64_t now; /* ms, of the turn */
	uint64_t progress_at;

	uint32_t started, registered, failed; /* registrations */
	uint64_t first_us, last_us;
	uint32_t under_way; /* messages, then de-registrations */
	uint64_t sent, answered, refused;
	uint64_t received; /* from others, with --peer */
	uint64_t unsent;   /* datagrams that the data plane did not take */
	uint64_t calls_placed, calls_answered, calls_completed, calls_failed;
	uint32_t ending, ended;
	uint32_t reauths, network_ends; /* that the network wished for */
	struct histogram register_us;
	uint32_t algorithms[SA_INTEG_COUNT][SA_ENCR_COUNT];
};

uint64_t load_clock_us(void);

/* load_io.c */
extern const struct ue_env load_env; /* with ctx = struct load_ue */
/* Packets, timers, progress once; then waits, but not past `until` (ms). */
void load_turn(struct load *l, uint64_t until);

/* load_tcp.c */
int load_tcp_start(struct load *l);
int load_tcp_wait(struct load *l);  /* until the host's side of the host port is set up */
bool load_tcp_turn(struct load *l); /* true: something has happened */
void load_tcp_end(struct load *l);
int load_tcp_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text);

/* load_calls.c */
void load_call_event(struct load_ue *u, enum ue_event event, struct sv text);
void load_calls_run(struct load *l, uint64_t deadline);

/* load_run.c */
void load_event(struct load_ue *u, enum ue_event event, struct sv text);
