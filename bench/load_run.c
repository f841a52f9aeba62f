/* What a load run does: registrations at a rate, messages in a window, de-registrations. */
#include <errno.h>

#include "bench/ue_load_internal.h"
#include "control/ctl/printable.h"

#define TURN_STARTS	64    /* registrations begun before packets are looked at again */
#define END_WINDOW	256   /* de-registrations under way at once */
#define END_LIMIT_MS	40000 /* for all of them */
#define REASONS_PRINTED 5

void load_complain(const struct load_ue *u, const char *what, struct sv text)
{
	fprintf(stderr, "esplanade-ue: %s: %s", u->impu, what);
	printable_write(stderr, text.p, text.n);
	fputc('\n', stderr);
}

/* ---- events ------------------------------------------------------------------------------- */

static void on_registered(struct load *l, struct load_ue *u)
{
	const struct sa_set *set = ue_current_set(u->ue);

	if (u->state == LOAD_ENDED) /* the network had ended it, and let it come again */
		u->state = LOAD_REGISTERED;
	if (u->state != LOAD_REGISTERING)
		return; /* a refresh */
	u->state = LOAD_REGISTERED;
	l->registered++;
	l->last_us = load_clock_us();
	histogram_add(&l->register_us, l->last_us - u->started_us);
	if (set)
		l->algorithms[set->integ][set->encr]++;
}

static void on_failed(struct load *l, struct load_ue *u, struct sv reason)
{
	if (u->state == LOAD_REGISTERING) {
		l->failed++;
		u->state = LOAD_FAILED;
	} else if (u->state == LOAD_ENDING) {
		l->ended++;
		u->state = LOAD_FAILED;
	}
	if (l->failed <= REASONS_PRINTED)
		load_complain(u, "", reason);
}

static void on_message_end(struct load *l, struct load_ue *u, bool good, struct sv reason)
{
	l->messages_open--;
	if (good) {
		l->answered++;
		return;
	}
	if (++l->refused <= REASONS_PRINTED)
		load_complain(u, "message: ", reason);
}

static void on_deregistered(struct load *l, struct load_ue *u, struct sv reason)
{
	if (reason.n && l->network_ends++ < REASONS_PRINTED)
		load_complain(u, "de-registered by the network: ", reason);
	if (u->state == LOAD_ENDING)
		l->ended++;
	u->state = LOAD_ENDED;
}

void load_event(struct load_ue *u, enum ue_event event, struct sv text)
{
	struct load *l = u->load;

	switch (event) {
	case UE_REGISTERED:
		on_registered(l, u);
		break;
	case UE_FAILED:
		on_failed(l, u, text);
		break;
	case UE_DEREGISTERED:
		on_deregistered(l, u, text);
		break;
	case UE_MESSAGE_SENT_OK:
	case UE_MESSAGE_FAILED:
		on_message_end(l, u, event == UE_MESSAGE_SENT_OK, text);
		break;
	case UE_MESSAGE_RECEIVED:
		if (l->o.peer)
			l->received++;
		else
			mail_take(&l->mail, (uint32_t)(u - l->ues), text);
		break;
	case UE_SHORTENED:
		if (l->reauths++ < REASONS_PRINTED)
			fprintf(stderr,
				"esplanade-ue: %s: the network wants a new authentication\n",
				u->impu);
		break;
	case UE_CALL_INCOMING:
	case UE_CALL_RINGING:
	case UE_CALL_ANSWERED:
	case UE_CALL_ENDED:
		load_call_event(u, event, text);
		break;
	case UE_UNPROTECTED:
		load_complain(u, "warning: not protected: ", text);
		break;
	}
}

/* ---- registrations ------------------------------------------------------------------------ */

static void registration_start(struct load *l, struct load_ue *u)
{
	int rc;

	l->started++;
	u->state = LOAD_REGISTERING;
	u->started_us = load_clock_us();
	rc = ue_register(u->ue, u->started_us / 1000);
	if (rc < 0)
		on_failed(l, u, sv_of(strerror(-rc)));
}

/* How many should have begun by now. */
static uint64_t registrations_due(const struct load *l, uint64_t now_us)
{
	uint64_t due = (now_us - l->first_us) * l->o.rate / 1000000 + 1;

	return due < l->o.ues ? due : l->o.ues;
}

static void registrations_run(struct load *l, uint64_t deadline)
{
	l->first_us = l->last_us = load_clock_us();
	while (l->registered + l->failed < l->o.ues && l->now < deadline && !l->interrupted) {
		uint64_t due = registrations_due(l, load_clock_us());

		for (unsigned i = 0; i < TURN_STARTS && l->started < due; i++)
			registration_start(l, &l->ues[l->started]);
		load_turn(l, l->started < due ? 0 : l->started < l->o.ues ? l->now + 1 : deadline);
	}
}

/* ---- messages ----------------------------------------------------------------------------- */

static void message_send(struct load *l, uint32_t from, uint32_t number)
{
	const char *to = l->o.peer ? l->o.peer : l->ues[mail_receiver(&l->mail, from, number)].impu;
	char text[MAIL_MAX + 64];
	struct sbuf b = sbuf_of(text, sizeof(text));
	int rc;

	mail_write(&l->mail, from, number, &b);
	rc = ue_message(l->ues[from].ue, sv_of(to), sbuf_sv(&b), load_clock_us() / 1000);
	if (rc == 0) {
		l->sent++;
		l->messages_open++;
	} else if (++l->refused <= REASONS_PRINTED) {
		fprintf(stderr, "esplanade-ue: %s: message: %s\n", l->ues[from].impu,
			strerror(-rc));
	}
}

static uint64_t message_due(const struct load *l, uint64_t begin, uint64_t next)
{
	return begin + next / l->o.ues * l->o.interval;
}

/* One of each UE, then the second of each, ...: no UE is busy while others idle. */
static void messages_run(struct load *l, uint64_t deadline)
{
	uint64_t all = (uint64_t)l->o.ues * l->o.messages, next = 0;
	uint64_t begin = l->now + l->o.delay * UINT64_C(1000), due;

	while ((next < all || l->messages_open) && l->now < deadline && !l->interrupted) {
		for (; next < all && l->messages_open < l->o.window; next++) {
			if (message_due(l, begin, next) > l->now)
				break;
			uint32_t from = (uint32_t)(next % l->o.ues);

			if (l->ues[from].state == LOAD_REGISTERED)
				message_send(l, from, (uint32_t)(next / l->o.ues));
		}
		due = next < all ? message_due(l, begin, next) : deadline;
		load_turn(l, due > l->now && due < deadline ? due : deadline);
	}
}

/* ---- the end ------------------------------------------------------------------------------ */

static void deregistration_start(struct load *l, struct load_ue *u)
{
	u->state = LOAD_ENDING;
	l->ending++;
	if (ue_deregister(u->ue, load_clock_us() / 1000) < 0 && u->state == LOAD_ENDING) {
		u->state = LOAD_FAILED;
		l->ended++;
	}
}

/* Counted for themselves: answers to messages and calls still come meanwhile. */
static uint32_t deregistrations_open(const struct load *l)
{
	return l->ending - l->ended;
}

void load_end(struct load *l)
{
	uint64_t deadline = load_clock_us() / 1000 + END_LIMIT_MS;
	uint32_t next = 0;

	if (l->o.no_deregister)
		return;
	l->interrupted = false;
	while ((next < l->o.ues || deregistrations_open(l)) && l->now < deadline &&
	       !l->interrupted) {
		for (; next < l->o.ues && deregistrations_open(l) < END_WINDOW; next++)
			if (l->ues[next].state == LOAD_REGISTERED)
				deregistration_start(l, &l->ues[next]);
		load_turn(l, deadline);
	}
	if (deregistrations_open(l))
		fprintf(stderr, "esplanade-ue: %u of %u de-registrations without an answer\n",
			deregistrations_open(l), l->ending);
}

void load_keep(struct load *l)
{
	fprintf(stderr, "esplanade-ue: staying until SIGINT or SIGTERM\n");
	while (!l->interrupted)
		load_turn(l, UINT64_MAX);
}

/* ---- result ------------------------------------------------------------------------------- */

static void result_fill(const struct load *l, struct ue_result *r)
{
	*r = (struct ue_result){
		.ues = l->o.ues,
		.registered = l->registered,
		.failed = l->o.ues - l->registered,
		.registering_us = l->last_us - l->first_us,
		.register_us = l->register_us,
		.messages_wanted = (uint64_t)l->o.ues * l->o.messages,
		.messages_sent = l->sent,
		.calls_wanted = l->o.calls,
		.calls_placed = l->calls_placed,
		.calls_answered = l->calls_answered,
		.calls_elsewhere = l->o.peer != NULL,
		.calls_completed = l->calls_completed,
		/* to somebody else: as the answers say */
		.messages_delivered = l->o.peer ? l->answered : l->mail.delivered,
	};
	memcpy(r->algorithms, l->algorithms, sizeof(r->algorithms));
	if (l->tls) {
		r->tls_handshakes = tls_counters(l->tls)->handshakes;
		r->tls_resumed = tls_counters(l->tls)->resumed;
	}
	for (uint32_t i = 0; i < l->o.ues; i++)
		r->retransmissions += ue_retransmissions(l->ues[i].ue);
}

static void complaints_print(const struct load *l)
{
	static const char *const names[UE_DROP_COUNT] = {"malformed", "in clear", "on the wrong SA",
							 "stray", "impossible"};
	uint64_t drops[UE_DROP_COUNT] = {0};

	for (uint32_t i = 0; i < l->o.ues; i++)
		for (unsigned d = 0; d < UE_DROP_COUNT; d++)
			drops[d] += ue_drops(l->ues[i].ue, (enum ue_drop)d);
	for (unsigned d = 0; d < UE_DROP_COUNT; d++)
		if (drops[d])
			fprintf(stderr, "esplanade-ue: %llu messages discarded: %s\n",
				(unsigned long long)drops[d], names[d]);
	if (l->o.peer)
		fprintf(stderr, "esplanade-ue: %llu messages came\n",
			(unsigned long long)l->received);
	if (l->mail.wrong || l->mail.twice)
		fprintf(stderr, "esplanade-ue: messages received damaged: %llu, twice: %llu\n",
			(unsigned long long)l->mail.wrong, (unsigned long long)l->mail.twice);
	if (l->unsent)
		fprintf(stderr, "esplanade-ue: %llu datagrams not taken by the data plane\n",
			(unsigned long long)l->unsent);
	for (unsigned w = 0; l->dp && w < dp_workers(l->dp); w++) {
		struct dp_counters c;

		dp_worker_counters(l->dp, w, &c);
		for (unsigned d = 0; d < DP_DROP_COUNT; d++)
			if (c.drops[d])
				fprintf(stderr,
					"esplanade-ue: worker %u dropped %llu packets: %s\n", w,
					(unsigned long long)c.drops[d],
					dp_drop_name((enum dp_drop)d));
	}
}

int load_run(struct load *l, struct ue_result *r)
{
	uint64_t deadline;

	l->now = load_clock_us() / 1000;
	deadline = l->now + (uint64_t)l->o.seconds * 1000;
	registrations_run(l, deadline);
	messages_run(l, deadline);
	load_calls_run(l, deadline);
	result_fill(l, r);
	complaints_print(l);
	return l->interrupted ? -EINTR : 0;
}
