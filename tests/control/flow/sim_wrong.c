/* Copies of messages over SAs that are wrong for them, and whose words the core hears. */
#include "tests/control/flow/sim.h"

static unsigned core_sends;

int __real_mw_send(struct mw *m, struct sv host, struct sv text);
int __wrap_mw_send(struct mw *m, struct sv host, struct sv text);

static bool begins(struct sv text, const char *with)
{
	return text.n >= strlen(with) && memcmp(text.p, with, strlen(with)) == 0;
}

/* May the P-CSCF pass on what came on `on`, though it was sent on `right`? Who may use several sets
 * may do so with any of them; but SM7 and responses are for one alone (LP-08, LP-12). */
static bool edge_may_take(const struct net_sa *right, const struct net_sa *on, struct sv text)
{
	bool answers = begins(text, "REGISTER ") && !sim_find(text, "response=\"\"");

	if (begins(text, "SIP/2.0") || !on || on->owner != right->owner)
		return false;
	return on->confirmed && !(answers && !right->confirmed);
}

static void copy_to_edge(struct sim *s, const struct net_sa *right, struct sv text)
{
	struct net_end *edge = &s->n->edge;
	const struct net_sa *on = NULL;
	unsigned sends = core_sends, at = sim_dice(s, edge->places);
	bool clear = sim_dice(s, 10) == 0 && !begins(text, "REGISTER ");

	for (unsigned i = 0; !clear && i < edge->places && !on; i++) {
		const struct net_sa *sa = &edge->sas[(at + i) % edge->places];

		/* mostly another set of the same UE, if there is one */
		if (sa->installed && sa != right && (sa->owner == right->owner || i > 500))
			on = sa;
	}
	if ((!on && !clear) || edge_may_take(right, on, text))
		return;
	s->c.wrong++;
	net_inject(s->n, edge, on, text);
	s->c.wrong_taken += core_sends != sends;
}

static unsigned events_of(const struct net_ue *x)
{
	unsigned n = 0;

	for (unsigned e = 0; e < N_OF(x->events); e++)
		n += x->events[e];
	return n;
}

static void copy_to_ue(struct sim *s, struct net_end *to, const struct net_sa *right,
		       struct sv text)
{
	const struct net_sa *on = NULL;
	struct net_ue *x = net_ue_of(to);
	unsigned events;

	for (unsigned i = 0; i < to->places; i++)
		if (to->sas[i].installed && &to->sas[i] != right)
			on = &to->sas[i];
	if (on && on->confirmed && !begins(text, "SIP/2.0"))
		return; /* may be asked on either */
	events = events_of(x);
	s->c.wrong++;
	net_inject(s->n, to, on, text);
	s->c.wrong_taken += events_of(x) != events;
}

void sim_copy_wrongly(struct sim *s, const struct net_packet *k)
{
	struct net_end *to = net_receiver(s->n, k);
	struct net_sa *right = to ? net_sa_of(to, k) : NULL;
	struct sv text = {k->text, k->n};

	if (!right || !right->installed)
		return;
	if (to == &s->n->edge)
		copy_to_edge(s, right, text);
	else
		copy_to_ue(s, to, right, text);
}

/* Between P-CSCF and S-CSCF the asserted identity is that of the UE that wrote the text. */
int __wrap_mw_send(struct mw *m, struct sv host, struct sv text)
{
	const char *who = NULL, *asserted = sim_find(text, "P-Asserted-Identity: <sip:u");
	unsigned from, is;

	core_sends++;
	if (begins(host, "scscf") && begins(text, "MESSAGE "))
		who = sim_find(text, "\r\n\r\nu");
	else if (begins(host, "scscf") && begins(text, "INVITE "))
		who = sim_find(text, "\r\nFrom: <sip:u");
	if (who) {
		assert_non_null(asserted);
		assert_int_equal(sscanf(strchr(who, 'u'), "u%u", &from), 1);
		assert_int_equal(sscanf(asserted, "P-Asserted-Identity: <sip:u%u@", &is), 1);
		assert_int_equal(from, is);
	}
	return __real_mw_send(m, host, text);
}
