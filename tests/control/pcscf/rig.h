/*
 * A P-CSCF on simulated time between a UE and a core that the test plays by hand, text by text. The
 * data plane is a table: it remembers what is installed and fails the test when something is sent
 * on a set that is not.
 */
#pragma once

#include "control/pcscf/pcscf.h"
#include "control/sip/edit.h"
#include "tests/support/test.h"

#define RIG_MESSAGES 64
#define RIG_SETS     64
#define RIG_TEXT     16384
#define RIG_PATH     256

#define RIG_HOST  "pcscf.visited.test"
#define RIG_ICSCF "icscf.home.test"
#define RIG_SCSCF "scscf.home.test"

struct rig_message {
	struct sip_flow flow; /* to the UE only */
	struct sv host;	      /* to the core only */
	struct sip_msg m;
	char text[RIG_TEXT];
};

struct rig_box {
	struct rig_message *messages;
	unsigned n;
};

struct rig_sa {
	bool reserved, installed;
	struct sa_set set;
};

struct rig {
	struct pcscf *p;
	struct pcscf_conf conf;
	struct timers *timers;
	struct mw *mw;
	uint64_t now;
	struct rig_sa sas[RIG_SETS];
	uint32_t next_id, next_spi;
	int install_result;
	unsigned installs, removes;
	struct rig_box ue, core; /* what they got, in order */
	char text[RIG_TEXT];
	unsigned serial;
	char resolve_host[256];
	uint32_t resolve_id;
	unsigned resolves;
	int resolve_result;
	int clear_stream_result;     /* of sending over TCP in clear */
	int stream_result[SA_PAIRS]; /* of sending over TCP on a pair of a set */
	int tls_result;		     /* of sending over TLS */
	uint64_t hung_up;	     /* session of the last TLS connection that the P-CSCF ended */
	unsigned hang_ups;
};

void rig_init(struct rig *r, void (*tweak)(struct pcscf_conf *conf));
/* The same; resolver: the P-CSCF can ask for names. */
void rig_init_resolver(struct rig *r, void (*tweak)(struct pcscf_conf *conf), bool resolver);
void rig_end(struct rig *r);
void rig_run(struct rig *r, uint64_t ms);
unsigned rig_installed(const struct rig *r);
const struct sa_set *rig_sa(const struct rig *r, sa_set_id id);
struct pcscf_counters rig_counters(const struct rig *r);

/* The last message on each side; fails if there is none. */
const struct rig_message *rig_last_ue(const struct rig *r);
const struct rig_message *rig_last_core(const struct rig *r);
void rig_forget(struct rig *r); /* empties both boxes */
bool rig_holds(const struct rig_message *m, const char *text);
/* Value of the first such field as a string of the rig; NULL if there is none. */
const char *rig_field(struct rig *r, const struct rig_message *m, enum sip_hdr id);

/* ---- the UE */
struct rig_ue {
	const char *impi, *impu;
	struct ip_addr addr;
	struct ip_addr nat; /* that clear packets seem to come from; version 0: no NAT */
	uint16_t nat_port;
	bool tunnel; /* offers UDP-enc-tun, too: for rig_ue_fresh() */
	struct agree_params ours;
	const char *call_id;
	unsigned cseq;
	sa_set_id set; /* of the last challenge */
	char client[1024], verify[2048];
};

void rig_ue_init(struct rig_ue *u, const char *name, const char *addr);
void rig_ue_behind(struct rig_ue *u, const char *nat); /* a NAT, and offers UDP-enc-tun */
void rig_ue_fresh(
	struct rig_ue *u); /* new port_uc and SPIs, same port_us; Security-Client accordingly */
/* A TLS connection of that UE; each session has a port of its own. */
struct sip_flow rig_tls(const struct rig *r, const struct rig_ue *u, uint64_t session);
struct sip_flow rig_flow(const struct rig *r, const struct rig_ue *u, sa_set_id set);
__attribute__((format(printf, 3, 4))) void rig_from_ue(struct rig *r, const struct sip_flow *from,
						       const char *fmt, ...);
struct rig_register {
	sa_set_id over;		   /* 0: clear */
	const char *client;	   /* Security-Client; NULL: none */
	const char *verify;	   /* Security-Verify; NULL: none */
	const char *authorization; /* parameters behind realm; NULL: empty nonce and response; "":
				      no such field */
	const char *contact;	   /* NULL: the UE's with expires */
	const char *via_host;	   /* NULL: the UE's address */
	const char *branch;	   /* NULL: a new one */
	const char *extra;	   /* more fields with CRLF */
	const char *impi;	   /* NULL: the UE's */
	const char *to;		   /* NULL: the UE's IMPU */
	unsigned expires;
	uint16_t source_port; /* clear only; 0: 5060 */
	uint64_t session;     /* over this TLS connection; 0: not */
	bool tcp;	      /* clear, over TCP */
};
void rig_register(struct rig *r, struct rig_ue *u, const struct rig_register *g);
/* Any other request on that flow; from: the identity, NULL: the UE's. */
void rig_request_on(struct rig *r, struct rig_ue *u, const struct sip_flow *flow,
		    const char *method, const char *from);
/* Any other request on `set`. */
void rig_request(struct rig *r, struct rig_ue *u, sa_set_id set, const char *method,
		 const char *extra);

/* ---- the core: answers to the request it got last, and requests */
#define RIG_NONCE "bm9uY2Ugb2YgMzIgb2N0ZXRzLCBzbyBpdCBpcyB0aGlz"
#define RIG_IK	  "00112233445566778899aabbccddeeff"
#define RIG_CK	  "ffeeddccbbaa99887766554433221100"
__attribute__((format(printf, 3, 4))) void rig_answer(struct rig *r, unsigned status,
						      const char *fmt, ...);
void rig_answer_to(struct rig *r, const struct rig_message *request, unsigned status,
		   const char *fields);
void rig_challenge(struct rig *r, struct rig_ue *u); /* and keeps Security-Server for SM7 */
/* The same with a challenge of Digest; `more`: parameters. */
#define RIG_DIGEST "b3duIG5vbmNlIG9mIERpZ2VzdA"
void rig_challenge_digest(struct rig *r, struct rig_ue *u, const char *more);
#define RIG_ANSWER                                                                                 \
	"nonce=\"" RIG_DIGEST "\", response=\"0123456789abcdef0123456789abcdef\", qop=auth, "      \
	"nc=00000001, cnonce=\"c\""
void rig_ok(struct rig *r, const struct rig_ue *u, unsigned expires);
__attribute__((format(printf, 2, 3))) void rig_from_core(struct rig *r, const char *fmt, ...);

/* ---- flows */
void rig_sm1(struct rig *r, struct rig_ue *u, sa_set_id over);
void rig_sm7(struct rig *r, struct rig_ue *u);
/* SM1 to SM12; over 0: in clear */
void rig_registered(struct rig *r, struct rig_ue *u, sa_set_id over, unsigned expires);
/* A P-CSCF with alice registered from 2001:db8::77; the Path that the core got. */
void rig_start(struct rig *r, struct rig_ue *u, char path[RIG_PATH], unsigned expires);
/* By Digest: SM1 in clear, SM7 over that TLS connection; session 0: in clear, too. */
void rig_registered_digest(struct rig *r, struct rig_ue *u, uint64_t session, unsigned expires);
/* The registration of a UE; false if there is none. */
bool rig_registration(const struct rig *r, const struct rig_ue *u, struct pcscf_registration *out);
/* Its set in that role, or NULL; of the registration that rig_registration() gave. */
const struct pcscf_set_info *rig_set(const struct pcscf_registration *g, enum pcscf_set_role role);
