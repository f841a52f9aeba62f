/* Inside of ue_load*.c. setup: load_alloc.c; packets: load_io.c; what happens when: load_run.c. */
#pragma once

#include "bench/key_export.h"
#include "bench/mail.h"
#include "bench/pool.h"
#include "bench/ue_gateway.h"
#include "bench/ue_load.h"
#include "control/stream/stream.h"
#include "control/tls/tls.h"
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
	struct dp *dp; /* NULL: no IPsec, the host's sockets */
	bool eal;
	struct timers *timers;
	struct pool pool;
	struct load_ue *ues;
	struct mail mail;
	FILE *keys;
	bool loop_open;
	struct gateway *gateway; /* NULL: no programs behind the UEs */
	uv_loop_t loop;		 /* of the connections alone: load_turn() runs it */
	struct stream *stream;	 /* NULL: UDP only */
	struct tls *tls;	 /* NULL: none */
	struct load_udp *udp;	 /* NULL: by the data plane */
	/* takes the events instead of a load run; NULL: none */
	void (*observer)(struct load_ue *u, enum ue_event event, struct sv text);
	void *observer_arg;
	int input; /* a descriptor that is waited for, too; -1: none */
	bool input_ready;
	char *password; /* of all; NULL: in the file */
	int signals;	/* signalfd */
	bool interrupted;
	uint64_t now; /* ms, of the turn */
	uint64_t progress_at;

	uint32_t started, registered, failed; /* registrations */
	uint64_t first_us, last_us;
	uint32_t messages_open, calls_open; /* begun, without an end as yet */
	uint64_t sent, answered, refused;
	uint64_t received; /* from others, with --peer */
	uint64_t unsent;   /* datagrams that the data plane did not take */
	uint64_t calls_placed, calls_answered, calls_completed, calls_failed;
	uint32_t ending, ended;		/* de-registrations */
	uint32_t reauths, network_ends; /* that the network wished for */
	struct histogram register_us;
	uint32_t algorithms[SA_INTEG_COUNT][SA_ENCR_COUNT];
};

uint64_t load_clock_us(void);

static inline bool load_is_plain(const struct load *l)
{
	return l->o.security != UE_SECURITY_IPSEC;
}
/* The UE whose end of a flow that is; NULL: nobody's. */
struct load_ue *load_ue_at(struct load *l, const struct ip_endpoint *local);
void load_ue_local(const struct load *l, uint32_t i, struct ip_endpoint *local);

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

void load_tls_hang_up(void *ctx, struct ue *u, const struct sip_flow *flow);

/* load_udp.c: a UDP socket for each UE */
int load_udp_start(struct load *l);
void load_udp_send(struct load *l, const struct load_ue *u, const struct sip_flow *flow,
		   struct sv text);
uint64_t load_udp_events(const struct load *l); /* has something happened? */
void load_udp_close(struct load *l);		/* then the loop must run */
void load_udp_free(struct load *l);

/* load_calls.c */
void load_call_event(struct load_ue *u, enum ue_event event, struct sv text);
void load_calls_run(struct load *l, uint64_t deadline);

/* load_run.c */
void load_event(struct load_ue *u, enum ue_event event, struct sv text);
/* On stderr; text is from the network. */
void load_complain(const struct load_ue *u, const char *what, struct sv text);
