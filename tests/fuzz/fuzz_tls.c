/*
 * What strangers send to a TLS port, and what becomes of records between two ends that have shaken
 * hands, with the framer behind: a plain octet comes out only where the other end put it in, in
 * order, and never from a record that was touched.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/stream/framer.h"
#include "control/tls/tls.h"
#include "tests/fuzz/tls_certs.h"

#define WIRE_MAX 65536
#define SENT_MAX 65536

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One end, in place of the stream's own connection. */
struct stream_conn {
	struct tls *tls;
	void *state;
	struct stream_conn *peer;
	struct sip_flow flow;
	struct stream_framer framer;
	bool ready, ended, framer_bad;
	bool touched; /* what comes to it from here on was changed on its way */
	bool shaken;  /* the same, of its handshake: some octets of it mean nothing */
	unsigned messages;
	size_t n_wire, n_last, n_sent, n_got;
	char wire[WIRE_MAX]; /* from it, not delivered yet */
	char last[WIRE_MAX]; /* the last that was delivered to it */
	char sent[SENT_MAX]; /* to it, in records that were left alone */
};

#define TAG 16 /* octets that make a record right, at its end */

struct input {
	const uint8_t *p;
	size_t n;
};

static struct tls *server, *client;
static struct stream_conn net, ue;

static unsigned octet(struct input *in)
{
	if (!in->n)
		return 0;
	in->n--;
	return *in->p++;
}

static struct sv octets(struct input *in, size_t n)
{
	struct sv s = {(const char *)in->p, n < in->n ? n : in->n};

	in->p += s.n;
	in->n -= s.n;
	return s;
}

/* ---- the stream's side of the filter ------------------------------------------------------- */

int stream_filter_plain(struct stream_conn *c, struct sv plain)
{
	enum stream_frame frame;
	struct sv text;

	assert(c->ready && !c->ended);
	assert(plain.n <= c->n_sent - c->n_got);
	assert(memcmp(plain.p, c->sent + c->n_got, plain.n) == 0);
	c->n_got += plain.n;
	assert(stream_framer_put(&c->framer, plain.p, plain.n) == 0);
	while ((frame = stream_framer_next(&c->framer, &text)) != STREAM_FRAME_MORE) {
		c->messages += frame == STREAM_FRAME_MESSAGE;
		if (frame == STREAM_FRAME_BAD) {
			c->framer_bad = true;
			return -EBADMSG;
		}
	}
	return 0;
}

int stream_filter_wire(struct stream_conn *c, struct sv wire)
{
	if (wire.n > WIRE_MAX - c->n_wire)
		return -ENOBUFS;
	memcpy(c->wire + c->n_wire, wire.p, wire.n);
	c->n_wire += wire.n;
	return 0;
}

void stream_filter_ready(struct stream_conn *c)
{
	assert(!c->ready && !c->ended);
	c->ready = true;
}

struct sip_flow *stream_filter_flow(struct stream_conn *c)
{
	return &c->flow;
}

/* ---- connections --------------------------------------------------------------------------- */

static void begin(struct stream_conn *c, struct tls *t, struct stream_conn *peer, bool opens)
{
	size_t keep = offsetof(struct stream_conn, wire);

	memset(c, 0, keep);
	c->tls = t;
	c->peer = peer;
	stream_framer_init(&c->framer, 2048, 4096);
	if (tls_filter.open(t, c, opens, &c->state) < 0)
		c->ended = true;
	assert(c->state && tls_counters(t)->open == 1);
	assert(c->flow.transport == SIP_TRANSPORT_TLS);
}

static void end(struct stream_conn *c, bool words)
{
	uint64_t failed = tls_failed(c->tls);

	if (words)
		tls_filter.closing(c->state);
	tls_filter.free(c->state);
	assert(tls_counters(c->tls)->open == 0);
	assert(tls_failed(c->tls) == failed + !c->ready);
	stream_framer_free(&c->framer);
}

/* In pieces, each in memory of its own, so that reading beyond shows. */
static void feed(struct stream_conn *c, struct sv wire, size_t piece)
{
	while (wire.n && !c->ended) {
		size_t n = wire.n < piece ? wire.n : piece;
		uint64_t broken = tls_counters(c->tls)->broken;
		char *copy = malloc(n);

		memcpy(copy, wire.p, n);
		c->ended = tls_filter.input(c->state, (struct sv){copy, n}) < 0;
		free(copy);
		broken = tls_counters(c->tls)->broken - broken;
		assert(broken <= (c->ended && c->ready && (c->touched || c->shaken)));
		wire = (struct sv){wire.p + n, wire.n - n};
	}
}

static struct sv wire_of(struct stream_conn *c)
{
	struct sv wire = {c->wire, c->n_wire};

	c->n_wire = 0;
	return wire;
}

/* ---- before a handshake is done ------------------------------------------------------------ */

static void strange(struct input *in)
{
	size_t piece = 1 + octet(in) * 4;
	uint64_t done = tls_counters(server)->handshakes;

	begin(&net, server, &ue, false);
	feed(&net, octets(in, in->n), piece);
	assert(!net.ready && !net.n_got && !net.messages);
	assert(tls_counters(server)->handshakes == done);
	end(&net, octet(in) & 1);
}

/* One flight, with a bit changed if `at` is inside. */
static bool flight(struct stream_conn *to, size_t *at, unsigned bit, size_t piece)
{
	struct sv wire = wire_of(to->peer);

	if (!wire.n || to->ended)
		return false;
	if (*at < wire.n) {
		to->peer->wire[*at] ^= (char)(1u << bit);
		to->shaken = to->peer->shaken = true;
	}
	*at = *at < wire.n || *at == SIZE_MAX ? SIZE_MAX : *at - wire.n;
	feed(to, wire, piece);
	return true;
}

static void shake_hands(struct input *in, bool change)
{
	unsigned high = change ? octet(in) : 0, low = change ? octet(in) : 0;
	size_t at = change ? high << 5 | low >> 3 : SIZE_MAX, piece = 1 + octet(in) * 16;
	bool more = true;

	begin(&net, server, &ue, false);
	begin(&ue, client, &net, true);
	while (more) {
		more = flight(&net, &at, low & 7, piece);
		more = flight(&ue, &at, low & 7, piece) || more;
	}
	if (!change)
		assert(net.ready && ue.ready && !net.ended && !ue.ended);
}

/* ---- records ------------------------------------------------------------------------------- */

/* A record with these octets, as it leaves the other end; n_last: its size. */
static bool record(struct stream_conn *to, struct sv plain)
{
	struct stream_conn *from = to->peer;

	if (!plain.n || plain.n > SENT_MAX - to->n_sent)
		return false;
	from->n_wire = 0;
	assert(tls_filter.output(from->state, plain) == 0);
	assert(from->n_wire > plain.n);
	memcpy(to->last, from->wire, from->n_wire);
	to->n_last = from->n_wire;
	from->n_wire = 0;
	if (!to->touched) {
		memcpy(to->sent + to->n_sent, plain.p, plain.n);
		to->n_sent += plain.n;
	}
	return true;
}

enum step { PLAIN, PLAIN_LONG, FLIP, CUT, DROP, TWICE, RAW, STEPS };

static void step(struct stream_conn *to, struct input *in)
{
	enum step what = octet(in) % STEPS;
	size_t n = octet(in), where = octet(in), piece = 1 + octet(in) * 8;
	struct sv plain = octets(in, what == PLAIN_LONG ? n * 16 : n), wire;

	if (what == TWICE && !to->n_last)
		return;
	to->touched = to->touched || (what > PLAIN_LONG && plain.n);
	if (what != RAW && what != TWICE && !record(to, plain))
		return;
	wire = (struct sv){to->last, to->n_last};
	if (what == FLIP)
		to->last[where * 8 % wire.n] ^= (char)(1u << (piece >> 3 & 7));
	else if (what == CUT) /* so much that what follows is not by chance what is missing */
		wire.n = where % (wire.n - TAG + 1);
	else if (what == DROP)
		wire.n = 0;
	else if (what == RAW)
		wire = plain;
	else if (what == TWICE && !plain.n)
		wire.n = 0;
	if (what == CUT || what == DROP)
		to->n_last = 0; /* or TWICE would deliver it late, but whole */
	feed(to, wire, piece);
	if (!to->touched && !to->shaken)
		assert(to->framer_bad || to->n_got == to->n_sent);
}

static void talk(struct input *in, bool change)
{
	shake_hands(in, change);
	while (in->n && net.ready && ue.ready && !net.ended && !ue.ended)
		step(octet(in) & 1 ? &ue : &net, in);
	end(&net, octet(in) & 1);
	end(&ue, octet(in) & 1);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char dir[] = "/tmp/esplanade-fuzz-tls-XXXXXX", why[TLS_WHY];
	struct tls_certs files;
	struct tls_server_conf s = {.session_seconds = 60};
	struct tls_client_conf c = {.name = "pcscf.test"};

	(void)argc;
	(void)argv;
	assert(mkdtemp(dir));
	tls_certs_make(&files, dir);
	s.certificate = files.server;
	s.key = files.key;
	c.ca = files.root;
	assert(tls_server_alloc(&server, &s, why) == 0);
	assert(tls_client_alloc(&client, &c, why) == 0);
	tls_certs_remove(&files);
	rmdir(dir);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	unsigned how = octet(&in) % 4;

	if (size > 32768)
		return 0;
	if (how == 0)
		strange(&in);
	else
		talk(&in, how == 1);
	return 0;
}
