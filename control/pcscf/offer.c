/* Security mechanism agreement as the P-CSCF plays it (RFC 3329, TS 33.203 7.2 and Annex H). */
#include <stdlib.h>

#include "control/pcscf/internal.h"

static int choose(const struct pcscf_policy *policy, const struct agree_list *list,
		  const struct pcscf_terms *terms, struct pcscf_offer *o)
{
	struct agree_choice choices[PCSCF_MAX_CHOICES];
	unsigned n = pcscf_choices(policy, terms, choices);
	const struct agree_mech *mech;
	int rc = agree_choose(list, choices, n, &mech);

	if (rc < 0)
		return -EPROTO;
	o->present = true;
	o->choice = choices[rc];
	o->ue = (struct agree_params){mech->spi_c, mech->spi_s, mech->port_c, mech->port_s};
	return 0;
}

int pcscf_offer_read(const struct pcscf_policy *policy, const struct sip_msg *m,
		     const struct pcscf_terms *terms, struct pcscf_offer *o)
{
	struct agree_list list;
	int rc;

	memset(o, 0, sizeof(*o));
	rc = agree_parse(&list, m, SIP_HDR_SECURITY_CLIENT);
	if (rc == -EBADMSG)
		return -EPROTO; /* nothing of it can be read: as good as nothing acceptable (HX-03)
				 */
	if (rc < 0)
		return rc == -ENOENT ? rc : -EBADMSG;
	return choose(policy, &list, terms, o);
}

char *pcscf_offer_keep(const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_SECURITY_CLIENT};
	char *text = malloc(PCSCF_LIST_MAX), *fitted;
	struct sbuf b;
	struct sv element;

	if (!text)
		return NULL;
	b = sbuf_of(text, PCSCF_LIST_MAX - 1);
	while (sip_list_walk(&l, &element))
		sbuf_printf(&b, "%s%.*s", b.n ? ", " : "", SV_ARG(element));
	if (b.overflow) {
		free(text);
		return NULL;
	}
	text[b.n] = '\0';
	fitted = realloc(text, b.n + 1);
	return fitted ? fitted : text;
}

/* A list on its own as if it stood in a message, so that both sides are read by the same rules
 * (HX-03). */
static int list_read(struct agree_list *l, enum sip_hdr id, struct sv value)
{
	struct sip_msg *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->n = 1;
	m->h[0] = (struct sip_header){.id = (uint8_t)id, .value = value, .line = value};
	m->first[id] = 1;
	rc = agree_parse(l, m, id);
	free(m);
	return rc;
}

/* The usual case, a copy to the octet, without reading either. */
static bool field_same(const struct sip_msg *m, enum sip_hdr id, struct sv expected)
{
	const struct sip_header *h = sip_msg_find(m, id);

	return h && !sip_msg_next(m, h) && sv_eq(h->value, expected);
}

static bool lists_same(const struct sip_msg *m, enum sip_hdr id, struct sv expected)
{
	struct agree_list came, ours;

	if (field_same(m, id, expected))
		return true;
	return agree_parse(&came, m, id) == 0 && list_read(&ours, id, expected) == 0 &&
	       agree_equal(&came, &ours);
}

bool pcscf_offer_same(const char *kept, const struct sip_msg *m)
{
	return lists_same(m, SIP_HDR_SECURITY_CLIENT, sv_of(kept));
}

int pcscf_offer_again(const struct pcscf_policy *policy, const char *kept,
		      const struct pcscf_terms *terms, struct pcscf_offer *o)
{
	struct agree_list list;

	memset(o, 0, sizeof(*o));
	if (!*kept || list_read(&list, SIP_HDR_SECURITY_CLIENT, sv_of(kept)) < 0)
		return -ENOENT;
	return choose(policy, &list, terms, o);
}

/* Without SAs there are no SPIs, and ipsec-3gpp cannot be written as SM6 needs it. */
void pcscf_server_list(const struct pcscf_run *run, struct sbuf *b)
{
	struct agree_params ours = {.ten_digits = run->policy->spi_ten_digits};
	struct agree_choice choices[PCSCF_MAX_CHOICES];
	struct pcscf_terms terms = run->terms;

	if (run->kind == PCSCF_IPSEC) {
		ours.spi_c = run->set->sa.spi_in[SA_CLIENT];
		ours.spi_s = run->set->sa.spi_in[SA_SERVER];
		ours.port_c = run->set->sa.local_port[SA_CLIENT];
		ours.port_s = run->set->sa.local_port[SA_SERVER];
	} else {
		terms.ipsec = false;
	}
	agree_write(b, choices, pcscf_choices(run->policy, &terms, choices), &ours, true);
}

bool pcscf_verify_same(const struct pcscf_run *run, const struct sip_msg *m)
{
	char text[PCSCF_LIST_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));

	pcscf_server_list(run, &b);
	return !b.overflow && lists_same(m, SIP_HDR_SECURITY_VERIFY, sbuf_sv(&b));
}

void pcscf_server_offer(const struct pcscf_policy *policy, const struct pcscf_terms *terms,
			struct sbuf *b)
{
	struct agree_choice choices[PCSCF_MAX_CHOICES];
	unsigned n = pcscf_choices(policy, terms, choices);

	agree_write(b, choices, n, NULL, true);
}
