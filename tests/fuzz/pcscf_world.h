/* What a P-CSCF lives in when it is fuzzed: SAs that are only entries, wires that end here. */
#pragma once

#include "control/pcscf/pcscf.h"

#define WORLD_SETS 32
#define WORLD_TEXT 65536
#define WORLD_IK   "0badc0de0badc0de0badc0de0badc0de"
#define WORLD_CORE "core.test"
#define WORLD_HOST "pcscf.test"

struct world {
	struct pcscf *p;
	struct timers *timers;
	struct mw *mw;
	uint64_t now; /* ms */
	struct {
		bool used, installed;
		struct sa_set set;
	} sas[WORLD_SETS];
	uint32_t next_id;
	bool no_keys; /* what goes to the UE now must not hold IK */
	void *told;   /* of the next two; the texts have been parsed */
	void (*to_ue)(void *told, const struct sip_flow *flow, const struct sip_msg *m);
	void (*to_core)(void *told, const struct sip_msg *m);
	char text[WORLD_TEXT]; /* on its way in */
};

void world_begin(struct world *w, bool digest, bool reg_event);
/* Lets all timers run out and asserts that nothing is left. */
void world_end(struct world *w);

/* The `k`th of the installed sets, counted from the oldest; false: there is none. */
bool world_flow_of_set(const struct world *w, unsigned k, struct sip_flow *f);
unsigned world_sets(const struct world *w);
struct sip_flow world_clear_flow(void);
struct sip_flow world_tls_flow(uint64_t session);

void world_ue_says(struct world *w, const struct sip_flow *f, struct sv text);
void world_core_says(struct world *w, struct sv text);
/* A response to `request` into w->text; empty if it is no message. */
struct sv world_answer(struct world *w, struct sv request, unsigned status, struct sv more);
void world_pass_time(struct world *w, uint64_t ms);
