/*
 * The boundary between control and data plane: all that control/ knows of dataplane/.
 *
 * One thread (control) calls everything here; the workers are inside. Nothing here waits for a
 * worker. Errors are negative errno values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "ip.h"
#include "sa.h"

struct dp;

#define DP_MAX_LOCAL   8
#define DP_MAX_WORKERS 32
#define DP_SPI_ROOM    4 /* one SPI rests while the next is in use */

/* The process's DPDK environment; once per process, before dp_alloc(). */
struct dp_eal_config {
	const char *name;      /* of the program, for messages and the file prefix */
	bool huge_pages;       /* false: --no-huge */
	uint32_t memory_mb;    /* without huge pages: what EAL may use */
	const char *cores;     /* EAL --lcores list, e.g. "0,1"; NULL: main floats on all CPUs, */
	uint16_t workers;      /* and so do this many workers */
	const char *pci_allow; /* "" or NULL: no PCI device is touched */
};

int dp_eal_init(const struct dp_eal_config *conf);
void dp_eal_cleanup(void);

/* Strings are read by dp_alloc() only. */
struct dp_config {
	const char *ue_port;   /* DPDK device: a PCI address, a vdev with arguments
				* ("net_af_packet0,iface=ue0") or the name of an existing port */
	const char *host_port; /* the same, towards the kernel ("net_tap0,iface=esp0"). NULL: stand
				* alone: we answer ARP, ND and echo for `local` ourselves and
				* resolve `gateway`, or each destination if there is none */
	struct ip_addr
		gateway[2]; /* stand-alone only: next hop for IPv4, IPv6; version 0: on link */
	struct ip_prefix local[DP_MAX_LOCAL]; /* our addresses: one host, or in a simulator many */
	unsigned n_local;
	uint16_t sip_port;		       /* clear SIP over UDP, usually 5060; 0: none */
	uint16_t protected_min, protected_max; /* our ports that take and send nothing in clear */
	uint16_t udp_enc_port; /* ours, of ESP inside UDP (RFC 3948): 4500; 0: none is taken */
	uint16_t keepalive_s;  /* tunnels with `keepalive` are not idle for longer; 0: 20 */
	uint16_t workers;      /* >= 1 and <= those of the EAL */
	uint32_t sa_sets;      /* capacity, rounded up (dp_sa_sets_round()), <= 4194304 */
	/* Our SPIs are of this range, which has room for at least DP_SPI_ROOM per SA; 0, 0: of
	 * all from SA_SPI_MIN on. Others on this machine can have the rest (TS 33.203 7.1). */
	uint32_t spi_min, spi_max;
	uint16_t replay_window; /* 32..1024, rounded up to a multiple of 32 */
	uint16_t mtu;		/* of the UE port, without Ethernet header */
	uint32_t idle_sleep_us; /* a worker without work sleeps at most this long; 0: spins */
	uint32_t buffers;	/* packet buffers in all */
};

/* What dp_config.sa_sets is rounded up to; 0 < sets <= 2^31. */
static inline uint32_t dp_sa_sets_round(uint32_t sets)
{
	uint32_t rounded = 1;

	while (rounded < sets)
		rounded *= 2;
	return rounded;
}

/* Opens the ports, allocates all memory, starts the workers. *dpp is set on success only. */
int dp_alloc(struct dp **dpp, const struct dp_config *conf);
/* In two steps, for SAs that are to be there before the first packet. */
int dp_prepare(struct dp **dpp, const struct dp_config *conf);
int dp_start(struct dp *dp);
/* Stops the workers, closes the ports, wipes keys. */
void dp_free(struct dp *dp);

/* ---- SA sets ------------------------------------------------------------------------------ */

/*
 * Takes a free set: fills id and spi_in[]. No SPI equals one in avoid[] (TS 33.203 7.2: ours
 * differ from the UE's). Until dp_sa_install() packets with these SPIs are unknown. -ENOSPC.
 */
int dp_sa_reserve(struct dp *dp, const uint32_t *avoid, unsigned n_avoid, struct sa_set *set);

/*
 * The same for one SA keyed by hand. Inbound, its SPI is not ours to choose: the set whose place
 * that SPI names is taken, and spi_in[] of one pair is it. spi 0: an outbound SA, any place, to be
 * made of pair SA_SERVER. Sets `manual`. -EINVAL: SPI below 256; -EBUSY: the place, which all SPIs
 * share that are equal modulo sa_sets (rounded up), is taken; -ENOSPC.
 */
int dp_sa_reserve_manual(struct dp *dp, uint32_t spi, struct sa_set *set);

/*
 * Makes the four SAs of a reserved set usable, as a whole: when it returns, a worker that reads a
 * packet of this set finds it. Keys are copied; the caller wipes its own. -EINVAL, -EEXIST if
 * another set already has these addresses and ports (in tunnel mode the inner ones, as the host
 * sees them: give one of the two a host_alias), -ESTALE if the id is not reserved, -ENOTSUP for
 * tunnel mode without udp_enc_port.
 */
int dp_sa_install(struct dp *dp, const struct sa_set *set);

/*
 * Removes a set, reserved or installed. When it returns no packet that arrives later finds it; its
 * keys are wiped and its place reused once every worker has passed a quiescent state. Stale ids
 * are ignored.
 */
void dp_sa_remove(struct dp *dp, sa_set_id id);

/*
 * Removes the two outbound SAs of an installed set (TS 33.203 7.4.1a): when it returns, dp_send()
 * by it is -ESTALE, and its ports are free for another set's TCP connections; datagrams that a
 * worker had before still leave. The inbound SAs live on until dp_sa_remove(). Stale ids are
 * ignored.
 */
void dp_sa_remove_outbound(struct dp *dp, sa_set_id id);

struct dp_sa_counters {
	uint64_t packets, bytes;
	uint32_t seq; /* last sent, or highest accepted */
};

/* Counters of one SA. -ENOENT for a stale id, or an outbound SA that has been removed. */
int dp_sa_counters(struct dp *dp, sa_set_id id, enum sa_pair pair, bool inbound,
		   struct dp_sa_counters *c);

unsigned dp_sa_sets_in_use(struct dp *dp); /* reserved or installed; for leak checks */

/* ---- SIP over UDP ------------------------------------------------------------------------- */

/* A datagram from the wire, in the buffer it came in. */
struct dp_packet {
	const char *data; /* UDP payload */
	uint32_t len;
	uint8_t pair;  /* enum sa_pair, if set != 0 */
	sa_set_id set; /* SA set whose inbound SA protected it; 0: it came in clear */
	struct ip_endpoint local, remote; /* in tunnel mode the inner ones */
	void *buf;			  /* the data plane's own */
};

/* Up to n datagrams; each is the caller's until dp_release(). */
unsigned dp_recv(struct dp *dp, struct dp_packet *pkts, unsigned n);
void dp_release(struct dp *dp, struct dp_packet *pkts, unsigned n);

struct dp_out {
	sa_set_id set;			  /* 0: in clear, from local to remote */
	uint8_t pair;			  /* with a set: addresses and ports are the SA's own */
	struct ip_endpoint local, remote; /* clear only */
};

/*
 * Sends one datagram gathered from iov (copied once, into its packet buffer). 0 when a worker has
 * it; -ESTALE (no such set), -EPERM (clear, from a protected port), -EMSGSIZE, -ENOBUFS.
 */
int dp_send(struct dp *dp, const struct dp_out *out, const struct iovec *iov, unsigned n_iov);

/* ---- events and waiting ------------------------------------------------------------------- */

enum dp_event_type {
	DP_EVENT_SN_NEAR_END, /* an outbound SA has used 15/16 of its sequence numbers */
	DP_EVENT_SN_END,      /* it has used all and sends no more (RFC 4303 3.3.3) */
	DP_EVENT_PEER_MOVED,  /* a tunnel's peer was heard for the first time, or from elsewhere */
};

struct dp_event {
	enum dp_event_type type;
	sa_set_id set;
	uint8_t pair;
	struct ip_endpoint peer;     /* DP_EVENT_PEER_MOVED: where the peer is now (outer), and */
	struct ip_addr inner_remote; /* its inner address, fixed with its first packet */
};

unsigned dp_events(struct dp *dp, struct dp_event *ev, unsigned n);

/*
 * Has keepalives (RFC 3948 2.3) sent by the sets that are due and idle. Call about once a second
 * with a monotonic clock, if there are sets with `keepalive`.
 */
void dp_keepalive(struct dp *dp, uint64_t now_ms);

/*
 * For an event loop: when dp_arm() returns true nothing is waiting, and dp_fd() turns readable with
 * the next datagram or event. dp_disarm() clears it again.
 */
int dp_fd(struct dp *dp);
bool dp_arm(struct dp *dp);
void dp_disarm(struct dp *dp);

/* ---- counters ----------------------------------------------------------------------------- */

enum dp_drop {
	DP_DROP_TRUNCATED,     /* shorter than its own length fields say */
	DP_DROP_BAD_IP,	       /* header malformed, bad checksum or extension headers */
	DP_DROP_BAD_UDP,       /* length or checksum wrong */
	DP_DROP_ESP_TOO_SHORT, /* no room for SPI, sequence number, IV, trailer, ICV */
	DP_DROP_UNKNOWN_SPI,
	DP_DROP_BAD_LENGTH, /* not whole cipher blocks */
	DP_DROP_REPLAY,
	DP_DROP_BAD_ICV,
	DP_DROP_BAD_PADDING,
	DP_DROP_DUMMY, /* next header 59 (RFC 4303 2.6) */
	DP_DROP_BAD_NEXT_HEADER,
	DP_DROP_SELECTOR,	      /* addresses, ports or protocol are not the SA's */
	DP_DROP_CLEAR_TO_PROTECTED,   /* unprotected packet to a protected port */
	DP_DROP_CLEAR_FROM_PROTECTED, /* own packet from a protected port without an SA */
	DP_DROP_FRAGMENT,	      /* reassembly failed, timed out or was refused */
	DP_DROP_TOO_BIG,
	DP_DROP_SN_EXHAUSTED,
	DP_DROP_STALE_SA, /* SA removed between control and worker */
	DP_DROP_NO_NEXT_HOP,
	DP_DROP_NO_BUFFER,
	DP_DROP_CONTROL_FULL, /* ring to control full */
	DP_DROP_RING_FULL,    /* ring between workers full */
	DP_DROP_TX_FULL,      /* port did not take it */
	DP_DROP_NOT_FOR_US,
	DP_DROP_ENCAP,	   /* ESP in UDP by an SA in transport mode, or the reverse */
	DP_DROP_NON_ESP,   /* UDP 4500, but IKE (RFC 3948 2.2), and no host to take it */
	DP_DROP_BAD_INNER, /* the packet in a tunnel does not hold together */
	DP_DROP_NO_PEER,   /* the peer's outer port is not known yet */
	DP_DROP_COUNT,
};

/* "bad_icv": the name in every output. */
const char *dp_drop_name(enum dp_drop reason);

struct dp_counters {
	uint64_t ue_rx, ue_tx, host_rx, host_tx; /* packets at the ports */
	uint64_t esp_protected, esp_checked;	 /* ESP packets sent; received with a good ICV */
	uint64_t to_control, from_control;
	uint64_t polls, empty_polls, sleeps;
	uint64_t keepalives_in, keepalives_out;
	uint64_t peers_moved;  /* DP_EVENT_PEER_MOVED, but the first of each set */
	uint64_t pmtu_lowered; /* by ICMP about packets we had sent */
	uint64_t mss_clamped;  /* TCP SYNs */
	uint64_t too_big_told; /* ICMP to the host: its packet does not fit */
	uint64_t joined;       /* packets that came in several buffers */
	uint64_t handover_in;  /* packets from other workers */
	uint64_t busy_cycles;  /* of dp_clock(), in turns that found packets */
	/* The crypto engine: calls, their jobs, and jobs in it per call, those of before included.
	 * Flushed ones left because they had waited, not because the lanes were full. */
	uint64_t crypto_calls, crypto_jobs, crypto_together, crypto_flushed;
	uint64_t drops[DP_DROP_COUNT];
};

unsigned dp_workers(struct dp *dp);
void dp_worker_counters(struct dp *dp, unsigned worker, struct dp_counters *c);
/* The clock that busy_cycles are of: now, and its ticks per second. */
uint64_t dp_clock(uint64_t *hz);
