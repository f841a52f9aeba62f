#include "bench/phone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/ue_load.h"
#include "bench/ue_load_internal.h"
#include "control/base/parse.h"
#include "control/ctl/printable.h"

#define LINE_MAX_LEN 4096
#define WAIT_S	     30
#define END_MS	     10000 /* for the de-registration at the end */

struct phone {
	struct load *l;
	struct ue *ue;
	char text[LINE_MAX_LEN]; /* of stdin, not yet done */
	size_t n;
	bool eof, quit, failed;
	bool skipping; /* what is left of a line that was too long */
	bool waiting, sleeping;
	enum ue_event wait;
	uint64_t until;			   /* ms, with waiting or sleeping */
	unsigned seen[UE_UNPROTECTED + 1]; /* events that nobody has waited for yet */
};

/* ---- events ------------------------------------------------------------------------------- */

static const struct {
	const char *word; /* of `wait`; NULL: none */
	const char *text;
} events[] = {
	[UE_REGISTERED] = {"registered", "registered"},
	[UE_FAILED] = {"failed", "failed"},
	[UE_DEREGISTERED] = {"deregistered", "deregistered"},
	[UE_SHORTENED] = {NULL, "the network wants a new authentication"},
	[UE_MESSAGE_SENT_OK] = {"sent", "message sent"},
	[UE_MESSAGE_FAILED] = {"unsent", "message failed"},
	[UE_MESSAGE_RECEIVED] = {"message", "message"},
	[UE_CALL_INCOMING] = {"incoming", "incoming call"},
	[UE_CALL_RINGING] = {"ringing", "ringing"},
	[UE_CALL_ANSWERED] = {"answered", "answered"},
	[UE_CALL_ENDED] = {"ended", "call ended"},
	[UE_UNPROTECTED] = {NULL, "warning: not protected"},
};

static void on_event(struct load_ue *u, enum ue_event event, struct sv text)
{
	struct phone *p = u->load->observer_arg;

	p->seen[event]++;
	fputs(events[event].text, stdout);
	if (text.n) {
		fputs(": ", stdout);
		printable_write(stdout, text.p, text.n);
	}
	if (event == UE_REGISTERED)
		printf(" (%llu ms)", (unsigned long long)ue_register_ms(p->ue));
	putchar('\n');
	fflush(stdout);
}

/* ---- commands ----------------------------------------------------------------------------- */

static struct sv word_take(struct sv *rest)
{
	struct sv word = {rest->p, 0};

	while (word.n < rest->n && rest->p[word.n] != ' ')
		word.n++;
	*rest = sv_trim((struct sv){rest->p + word.n, rest->n - word.n});
	return word;
}

static int do_register(struct phone *p, struct sv args, uint64_t now)
{
	(void)args;
	return ue_register(p->ue, now);
}

static int do_deregister(struct phone *p, struct sv args, uint64_t now)
{
	(void)args;
	return ue_deregister(p->ue, now);
}

static int do_message(struct phone *p, struct sv args, uint64_t now)
{
	struct sv to = word_take(&args);

	return args.n ? ue_message(p->ue, to, args, now) : -EINVAL;
}

static int do_call(struct phone *p, struct sv args, uint64_t now)
{
	return ue_call(p->ue, args, now);
}

static int do_answer(struct phone *p, struct sv args, uint64_t now)
{
	(void)args;
	return ue_call_accept(p->ue, now);
}

static int do_hangup(struct phone *p, struct sv args, uint64_t now)
{
	(void)args;
	return ue_call_end(p->ue, now);
}

static int do_status(struct phone *p, struct sv args, uint64_t now)
{
	static const char *const calls[] = {"no call", "calling", "a call rings", "talking",
					    "hanging up"};

	(void)args;
	(void)now;
	printf("%s, %s\n", ue_registered(p->ue) ? "registered" : "not registered",
	       calls[ue_call_state(p->ue)]);
	fflush(stdout);
	return 0;
}

static int do_wait(struct phone *p, struct sv args, uint64_t now)
{
	struct sv word = word_take(&args);
	uint32_t seconds = WAIT_S;

	if (args.n && !parse_u32(args, 1000000, &seconds))
		return -EINVAL;
	for (unsigned e = 0; e < sizeof(events) / sizeof(events[0]); e++) {
		if (!events[e].word || !sv_eq(word, sv_of(events[e].word)))
			continue;
		p->wait = (enum ue_event)e;
		p->waiting = true;
		p->until = now + seconds * UINT64_C(1000);
		return 0;
	}
	return -EINVAL;
}

static int do_sleep(struct phone *p, struct sv args, uint64_t now)
{
	uint32_t seconds;

	if (!parse_u32(args, 1000000, &seconds))
		return -EINVAL;
	p->sleeping = true;
	p->until = now + seconds * UINT64_C(1000);
	return 0;
}

static int do_quit(struct phone *p, struct sv args, uint64_t now)
{
	(void)args;
	(void)now;
	p->quit = true;
	return 0;
}

static int do_help(struct phone *p, struct sv args, uint64_t now);

static const struct command {
	const char *name, *args, *what;
	int (*run)(struct phone *p, struct sv args, uint64_t now);
} commands[] = {
	{"register", "", "registers, or registers again", do_register},
	{"deregister", "", "", do_deregister},
	{"message", "URI TEXT", "sends a text message", do_message},
	{"call", "URI", "calls somebody (signalling only)", do_call},
	{"answer", "", "takes the call that rings", do_answer},
	{"hangup", "", "ends the call, or refuses or gives up one that rings", do_hangup},
	{"status", "", "registered? in a call?", do_status},
	{"wait", "EVENT [S]",
	 "until it has happened: registered, failed, deregistered, sent, unsent, message, "
	 "incoming, "
	 "ringing,\n"
	 "                        answered, ended; the phone ends with status 1 if it does not "
	 "within S seconds (30)",
	 do_wait},
	{"sleep", "S", "", do_sleep},
	{"help", "", "", do_help},
	{"quit", "", "de-registers and ends; so does the end of stdin", do_quit},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int do_help(struct phone *p, struct sv args, uint64_t now)
{
	(void)p;
	(void)args;
	(void)now;
	for (unsigned i = 0; i < COMMANDS; i++)
		printf("  %-10s %-10s %s\n", commands[i].name, commands[i].args, commands[i].what);
	puts("The first letters of a command are enough.");
	fflush(stdout);
	return 0;
}

static const char *why_of(int rc)
{
	switch (rc) {
	case -ENOTCONN:
		return "not now: not registered, or there is no such call";
	case -EBUSY:
		return "busy: one is under way";
	case -EINVAL:
		return "wrong arguments, see help";
	default:
		return strerror(-rc);
	}
}

static void command_run(struct phone *p, struct sv line, uint64_t now)
{
	struct sv word = word_take(&line);
	int rc = -ENOENT;

	if (word.n == 0 || word.p[0] == '#')
		return;
	for (unsigned i = 0; i < COMMANDS; i++)
		if (word.n <= strlen(commands[i].name) &&
		    memcmp(word.p, commands[i].name, word.n) == 0) {
			rc = commands[i].run(p, line, now);
			break;
		}
	if (rc == -ENOENT)
		printf("unknown command '%.*s', see help\n", SV_ARG(word));
	else if (rc < 0)
		printf("%.*s: %s\n", SV_ARG(word), why_of(rc));
	p->failed |= rc < 0;
	fflush(stdout);
}

/* ---- stdin -------------------------------------------------------------------------------- */

static void text_drop(struct phone *p, size_t n)
{
	memmove(p->text, p->text + n, p->n - n);
	p->n -= n;
}

/* No part of a line that is too long is a command. */
static void long_line_skip(struct phone *p)
{
	const char *end = memchr(p->text, '\n', p->n);

	if (!p->skipping && !end && p->n == sizeof(p->text)) {
		printf("a line has at most %d characters\n", LINE_MAX_LEN - 1);
		fflush(stdout);
		p->skipping = p->failed = true;
	}
	if (!p->skipping)
		return;
	text_drop(p, end ? (size_t)(end - p->text) + 1 : p->n);
	p->skipping = !end;
}

static void input_read(struct phone *p)
{
	ssize_t n = read(STDIN_FILENO, p->text + p->n, sizeof(p->text) - p->n);

	if (n > 0)
		p->n += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		p->eof = true;
	if (p->eof)
		p->l->input = -1;
	long_line_skip(p);
}

/* true: one was there and is done */
static bool line_run(struct phone *p, uint64_t now)
{
	const char *end = memchr(p->text, '\n', p->n);
	size_t n = end ? (size_t)(end - p->text) : p->n;

	if (p->waiting || p->sleeping || p->quit || (!end && !(p->eof && p->n)))
		return false;
	command_run(p, sv_trim((struct sv){p->text, n}), now);
	text_drop(p, n + (end != NULL));
	return true;
}

/* ---- the run ------------------------------------------------------------------------------ */

static void patience(struct phone *p, uint64_t now)
{
	if (p->waiting && p->seen[p->wait]) {
		p->seen[p->wait]--;
		p->waiting = false;
	} else if (p->waiting && now >= p->until) {
		printf("waited in vain: %s\n", events[p->wait].word);
		p->failed = p->quit = true;
	} else if (p->sleeping && now >= p->until) {
		p->sleeping = false;
	}
	fflush(stdout);
}

static void phone_end(struct phone *p)
{
	uint64_t end = load_clock_us() / 1000 + END_MS;

	p->l->interrupted = false;
	p->l->input = -1;
	if (p->l->o.no_deregister || ue_deregister(p->ue, load_clock_us() / 1000) < 0)
		return;
	while (ue_registered(p->ue) && p->l->now < end && !p->l->interrupted)
		load_turn(p->l, end);
}

static void phone_run(struct phone *p)
{
	p->l->now = load_clock_us() / 1000;
	if (ue_register(p->ue, p->l->now) < 0)
		p->failed = p->quit = true;
	while (!p->quit && !p->l->interrupted) {
		bool holds = p->waiting || p->sleeping;

		p->l->input = holds || p->eof ? -1 : STDIN_FILENO;
		load_turn(p->l, holds ? p->until : p->l->now + 1000);
		if (p->l->input_ready)
			input_read(p);
		p->l->input_ready = false;
		patience(p, p->l->now);
		while (line_run(p, load_clock_us() / 1000))
			patience(p, p->l->now);
		if (p->eof && p->n == 0 && !p->waiting && !p->sleeping)
			p->quit = true;
	}
	phone_end(p);
}

int phone_main(const struct load_options *o)
{
	struct phone *p = calloc(1, sizeof(*p));
	int status = 1;

	if (!p || load_alloc(&p->l, o) < 0)
		goto out;
	p->ue = p->l->ues[0].ue;
	p->l->observer = on_event;
	p->l->observer_arg = p;
	if (isatty(STDIN_FILENO))
		puts("help shows the commands");
	fflush(stdout);
	phone_run(p);
	status = p->failed;
out:
	if (p)
		load_free(p->l);
	free(p);
	return status;
}
