/* What UEs may protect their signalling by, the preferred first (TS 33.203 clause 7, Annexes N, O).
 */
#include <string.h>

#include "control/conf/key.h"

static const char *const names[CONF_MECHANISMS] = {
	[CONF_MECHANISM_IPSEC] = "ipsec-3gpp",
	[CONF_MECHANISM_TLS] = "tls",
	[CONF_MECHANISM_DIGEST] = "digest",
};

bool conf_mechanism_add(struct conf_mechanisms *m, const char *text)
{
	unsigned i = 0;

	while (i < CONF_MECHANISMS && (!text || strcmp(text, names[i]) != 0))
		i++;
	if (i == CONF_MECHANISMS || conf_mechanism_stands(m, (enum conf_mechanism)i))
		return false;
	m->list[m->n++] = (uint8_t)i; /* no doubles: never more than there are */
	return true;
}

bool conf_mechanism_stands(const struct conf_mechanisms *m, enum conf_mechanism which)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->list[i] == which)
			return true;
	return false;
}

static void one(struct loader *l, const struct conf_key *k, unsigned line, const char *text)
{
	if (!conf_mechanism_add(&l->c->mechanisms, text))
		conf_fault(l, line,
			   "%s: expected \"ipsec-3gpp\", \"tls\" or \"digest\", each once, found "
			   "\"%s\"",
			   k->path, text);
}

static void mechanisms_read(struct loader *l, const struct conf_key *k, config_setting_t *s,
			    void *field)
{
	(void)field;
	l->c->mechanisms.n = 0;
	conf_strings_each(l, k, s, one);
}

const struct conf_type conf_mechanisms = {mechanisms_read, "a list of mechanisms"};

/* Where nothing was said: IPsec, and TLS if there is any. */
void conf_mechanisms_default(const struct esp_conf *c, struct conf_mechanisms *m)
{
	if (m->n)
		return;
	m->list[m->n++] = CONF_MECHANISM_IPSEC;
	if (c->tls_enabled)
		m->list[m->n++] = CONF_MECHANISM_TLS;
}

void conf_mechanisms_check(struct loader *l, unsigned line, const struct conf_mechanisms *m)
{
	if (conf_mechanism_stands(m, CONF_MECHANISM_TLS) && !l->c->tls_enabled)
		conf_fault(l, line, "mechanisms: tls needs tls.enabled = true");
}
