/* A registration under way: from SM1 until SM12, a failure, or a newer SM1. */
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

static void run_free(struct pcscf_run *run)
{
	timer_stop(run->reg->p->timers, &run->timer);
	free(run->client);
	free(run->impu);
	free(run->call_id);
	free(run->nonce);
	free(run);
}

int pcscf_run_create(struct pcscf_reg *r, const struct sip_flow *from,
		     const struct pcscf_path *path, struct pcscf_set *s, const struct sip_msg *m,
		     struct sv impu, char *inherited, struct pcscf_run **rp)
{
	struct pcscf_run *run = calloc(1, sizeof(*run));

	if (!run) {
		free(inherited);
		return -ENOMEM;
	}
	run->reg = r;
	run->reply = pcscf_reply_flow(s, from);
	run->local = from->local.addr;
	run->path = *path;
	run->over = s;
	run->was_protected = s != NULL;
	run->client = inherited ? inherited : pcscf_offer_keep(m);
	run->impu = sv_dup(impu);
	run->call_id = sv_dup(m->call_id);
	if (!run->client || !run->impu || !run->call_id || !pcscf_run_step(run, PCSCF_ON_SM1)) {
		run_free(run);
		return -ENOMEM;
	}
	r->run = run;
	r->p->runs++;
	*rp = run;
	return 0;
}

static void too_late(struct timer *t, void *arg, uint64_t now)
{
	struct pcscf_run *run = arg;
	struct pcscf_reg *r = run->reg;

	(void)t;
	r->p->counters.timeouts++;
	pcscf_run_end(run, PCSCF_ON_LIFETIME, false, now);
	pcscf_reg_reap(r);
}

int pcscf_run_wait(struct pcscf_run *run, uint64_t now)
{
	struct pcscf *p = run->reg->p;

	return timer_start(p->timers, &run->timer, now + p->conf.await_auth * UINT64_C(1000),
			   too_late, run);
}

/* What was in use before the run lives on (DF-02); but not a TLS session that carried a wrong
 * response (TM-05). */
static bool set_outlives(const struct pcscf_run *run)
{
	return run->set->role != PCSCF_SET_NEW && !(run->rejected && run->set->kind == PCSCF_TLS);
}

void pcscf_run_end(struct pcscf_run *run, enum pcscf_run_event why, bool linger, uint64_t now)
{
	struct pcscf_set *s = run->set, *over = run->over;
	struct pcscf_reg *r = run->reg;
	bool ends = s && !set_outlives(run);

	(void)pcscf_run_step(run, why); /* it ends in any case */
	if (run->relay)
		run->relay->run = NULL;
	if (run->sm1)
		run->sm1->sm1_of = NULL;
	r->run = NULL;
	r->p->runs--;
	run_free(run);
	if (ends && linger)
		pcscf_set_end(s, now);
	else if (ends)
		pcscf_set_remove(s);
	else if (s && s != over)
		pcscf_set_settle(s, now);
	if (over && !(ends && over == s))
		pcscf_set_settle(over, now);
}

void pcscf_run_abandon(struct pcscf_set *s, uint64_t now)
{
	struct pcscf_run *run = s->reg->run;

	if (run->over == s)
		run->over = NULL;
	run->set = NULL;
	pcscf_run_end(run, PCSCF_ON_LIFETIME, false, now);
}
