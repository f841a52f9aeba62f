/*
 * A stream cut into pieces in two ways must give the same frames; and what the framer takes for a
 * message the parser reads with the same end.
 */
#include <assert.h>
#include <stdlib.h>

#include "control/sip/msg.h"
#include "control/stream/framer.h"

#define HEAD_MAX    2048
#define MESSAGE_MAX 4096
#define KINDS	    4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint8_t kind[KINDS];
	size_t length[KINDS];
	unsigned n;
};

static void note(struct seen *s, enum stream_frame frame, struct sv text)
{
	static struct sip_msg m;

	if (frame == STREAM_FRAME_MESSAGE) {
		assert(text.n <= MESSAGE_MAX);
		if (sip_msg_parse(&m, text) == 0)
			assert(m.raw.p + m.raw.n == text.p + text.n);
	} else {
		text.n = 0;
	}
	if (s->n < KINDS) {
		s->kind[s->n] = (uint8_t)frame;
		s->length[s->n++] = text.n;
	}
}

static void run(const uint8_t *data, size_t size, size_t first, size_t piece, bool pong,
		struct seen *s)
{
	struct stream_framer f;
	struct sv text = {0};

	s->n = 0;
	stream_framer_init(&f, HEAD_MAX, MESSAGE_MAX);
	f.pong_due = pong;
	for (size_t at = 0, n; at < size; at += n) {
		enum stream_frame frame;

		n = at ? piece : first;
		n = n < size - at ? n : size - at;
		assert(stream_framer_put(&f, data + at, n) == 0);
		while ((frame = stream_framer_next(&f, &text)) != STREAM_FRAME_MORE) {
			if (frame != STREAM_FRAME_BAD || !s->n ||
			    s->kind[s->n - 1] != STREAM_FRAME_BAD)
				note(s, frame, text);
			if (frame == STREAM_FRAME_BAD)
				break;
		}
		assert(f.n - f.at <= MESSAGE_MAX + n);
	}
	stream_framer_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen whole, cut;
	size_t first, piece;
	bool pong;

	if (size < 3)
		return 0;
	first = 1u + data[0];
	piece = 1u + data[1] % 64;
	pong = data[2] & 1;
	run(data + 3, size - 3, size, size, pong, &whole);
	run(data + 3, size - 3, first, piece, pong, &cut);
	assert(whole.n == cut.n);
	for (unsigned i = 0; i < whole.n; i++)
		assert(whole.kind[i] == cut.kind[i] && whole.length[i] == cut.length[i]);
	return 0;
}
