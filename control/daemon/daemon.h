/* Inside of daemon/: all that the process consists of. One struct, on the main thread. */
#pragma once

#include <uv.h>

#include "control/base/timer.h"
#include "control/conf/conf.h"
#include "control/daemon/log.h"
#include "control/hss/hss.h"
#include "control/icscf/icscf.h"
#include "control/mgmt/mgmt.h"
#include "control/mw/mw.h"
#include "control/pcscf/pcscf.h"
#include "control/scscf/scscf.h"
#include "control/stream/stream.h"
#include "control/tls/tls.h"
#include "dataplane.h"

#define DAEMON_WORKERS_MAX 32 /* as of dataplane.workers */

/* Counters of all workers at one time. */
struct daemon_sample {
	uint64_t clock; /* dp_clock(); 0: none yet */
	struct dp_counters workers[DAEMON_WORKERS_MAX];
};

struct daemon {
	struct esp_conf conf;
	struct log log;
	uint64_t started; /* ms */

	/* roles; NULL where the configuration has not the role */
	struct timers *timers;
	struct mw *mw;
	struct hss *hss;
	struct icscf *icscf;
	struct scscf *scscf;
	struct pcscf *pcscf;
	struct dp *dp;		/* with the P-CSCF or SAs keyed by hand */
	struct sa_set *statics; /* those, in the configuration's order, keys wiped */
	bool eal;
	uint64_t send_errors;

	/* event loop */
	bool loop_open;
	uv_loop_t loop;
	uv_prepare_t prepare;
	uv_idle_t idle;
	uv_poll_t poll;
	uv_timer_t timer, watch;
	uv_signal_t term, interrupt, hang_up;
	struct mgmt *mgmt;
	struct stream *stream;	       /* TCP; NULL without a host port */
	struct tls *tls;	       /* NULL: switched off */
	struct daemon_lookup *lookups; /* running */
	unsigned n_lookups;
	uint64_t drops_seen[DP_DROP_COUNT], refusals_seen[PCSCF_DROP_COUNT];
	struct daemon_sample samples[2]; /* 10 to 20 s old, and younger */
};

/* Everything from start to stop; 0, or negative errno with the reason in the log. */
int daemon_run(struct daemon *d);

uint64_t daemon_now(void); /* ms, monotonic: the clock of all timers */

/* roles.c */
int daemon_roles_start(struct daemon *d);
void daemon_roles_stop(struct daemon *d);
/* -ENOENT if nobody knows that IMPI. reject: the UE shall not come back at once. */
int daemon_deregister(struct daemon *d, const char *impi, bool reject);
/* expires: s that the registration has left; 0: as configured. -ENOENT; -ENOTSUP without S-CSCF */
int daemon_reauthenticate(struct daemon *d, const char *impi, uint32_t expires);

/* plane.c: the data plane, and the P-CSCF's way to it */
int daemon_eal_start(struct daemon *d);
int daemon_plane_start(struct daemon *d);
void daemon_plane_stop(struct daemon *d);
struct pcscf_env daemon_pcscf_env(struct daemon *d);
/* Takes what has come; true if there may be more. */
bool daemon_plane_take(struct daemon *d);

/* tcp.c */
int daemon_tcp_start(struct daemon *d);					     /* the loop is open */
void daemon_tcp_hang_up(void *ctx, const struct sip_flow *flow);	     /* env.hang_up() */
int daemon_tcp_send(void *ctx, const struct sip_flow *flow, struct sv text); /* env.stream_send() */
void daemon_tcp_end(struct daemon *d); /* the loop must run once more */
void daemon_tcp_free(struct daemon *d);

/* tls.c */
int daemon_tls_start(struct daemon *d); /* before the stream */
void daemon_tls_reload(struct daemon *d);
void daemon_tls_free(struct daemon *d); /* after the stream */

/* resolver.c: the P-CSCF's env.resolve() */
int daemon_resolve(void *ctx, const char *host, uint32_t id);
void daemon_resolver_end(struct daemon *d); /* the loop must run once more */

/* statics.c: SAs keyed by hand. Takes the keys out of the configuration. */
int daemon_statics_start(struct daemon *d);
void daemon_statics_stop(struct daemon *d);
/* One of them has used up its sequence numbers, or nearly; false: it is none of them. */
bool daemon_statics_exhausted(struct daemon *d, const struct dp_event *ev);

/* loop.c */
int daemon_loop_start(struct daemon *d);
void daemon_loop_run(struct daemon *d); /* until a signal ends it */
void daemon_loop_end(struct daemon *d); /* ends all handles; the loop must run once more */

/* watch.c: tells of drops, some seconds apart */
void daemon_watch(struct daemon *d);
/* Keeps the counters, so that rates can be told at once. */
void daemon_sample(struct daemon *d);
/* Sum over all workers. */
void daemon_counters(const struct daemon *d, struct dp_counters *sum);

/* resources.c */
int daemon_mgmt_start(struct daemon *d);
