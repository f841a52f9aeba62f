/* The queue in memory. */
#include "control/mw/mw.h"

#include <errno.h>
#include <stdlib.h>

#include <sodium.h>

struct mw_host { /* never moves or dies before the queue: messages point to it */
	struct mw_host *next;
	mw_input_h *input; /* NULL: detached */
	void *arg;
	struct sv name;
	char text[];
};

struct mw_item {
	struct mw_item *next;
	struct mw_host *host;
	size_t n;
	char text[];
};

struct mw {
	struct mw_host *hosts; /* a handful, so a list */
	struct mw_item *head, **tail;
	mw_tap_h *tap;
	void *tap_arg;
	uint64_t lost;
	bool running;
};

int mw_alloc(struct mw **mp)
{
	struct mw *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->tail = &m->head;
	*mp = m;
	return 0;
}

/* Challenges carry IK and CK on Mw, so no message leaves its text behind. */
static void item_free(struct mw_item *item)
{
	sodium_memzero(item->text, item->n);
	free(item);
}

static struct mw_item *item_take(struct mw *m)
{
	struct mw_item *item = m->head;

	if (item) {
		m->head = item->next;
		if (!m->head)
			m->tail = &m->head;
	}
	return item;
}

void mw_free(struct mw *m)
{
	struct mw_item *item;
	struct mw_host *h;

	if (!m)
		return;
	while ((item = item_take(m)))
		item_free(item);
	while ((h = m->hosts)) {
		m->hosts = h->next;
		free(h);
	}
	free(m);
}

static struct mw_host *host_find(const struct mw *m, struct sv name)
{
	for (struct mw_host *h = m->hosts; h; h = h->next)
		if (sv_caseeq(h->name, name))
			return h;
	return NULL;
}

int mw_attach(struct mw *m, struct sv host, mw_input_h *input, void *arg)
{
	struct mw_host *h = host_find(m, host);

	if (h && h->input)
		return -EEXIST;
	if (!h) {
		h = calloc(1, sizeof(*h) + host.n);
		if (!h)
			return -ENOMEM;
		if (host.n)
			memcpy(h->text, host.p, host.n);
		h->name = (struct sv){h->text, host.n};
		h->next = m->hosts;
		m->hosts = h;
	}
	h->input = input;
	h->arg = arg;
	return 0;
}

void mw_detach(struct mw *m, struct sv host)
{
	struct mw_host *h = host_find(m, host);

	if (h)
		h->input = NULL;
}

int mw_send(struct mw *m, struct sv host, struct sv text)
{
	struct mw_host *h = host_find(m, host);
	struct mw_item *item;

	if (!h || !h->input) {
		m->lost++;
		return -ENOENT;
	}
	item = malloc(sizeof(*item) + text.n);
	if (!item)
		return -ENOMEM;
	item->next = NULL;
	item->host = h;
	item->n = text.n;
	if (text.n)
		memcpy(item->text, text.p, text.n);
	*m->tail = item;
	m->tail = &item->next;
	return 0;
}

static void item_deliver(struct mw *m, const struct mw_item *item, uint64_t now)
{
	struct sv text = {item->text, item->n};

	if (!item->host->input) { /* detached since */
		m->lost++;
		return;
	}
	if (m->tap)
		m->tap(m->tap_arg, item->host->name, text);
	item->host->input(item->host->arg, text, now);
}

unsigned mw_run(struct mw *m, uint64_t now)
{
	struct mw_item *item;
	unsigned n = 0;

	if (m->running) /* called by an input: the outer call goes on */
		return 0;
	m->running = true;
	while ((item = item_take(m))) {
		item_deliver(m, item, now);
		item_free(item);
		n++;
	}
	m->running = false;
	return n;
}

void mw_tap(struct mw *m, mw_tap_h *tap, void *arg)
{
	m->tap = tap;
	m->tap_arg = arg;
}

uint64_t mw_lost(const struct mw *m)
{
	return m->lost;
}
