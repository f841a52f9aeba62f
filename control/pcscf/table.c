/* The SA_table (TS 33.203 7.1): registrations and SA sets with their look-ups. */
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

struct pcscf_reg *pcscf_reg_find(struct pcscf *p, struct sv impi)
{
	struct pcscf_reg *r;

	HASH_FIND(by_impi, p->by_impi, impi.p, impi.n, r);
	return r;
}

struct pcscf_reg *pcscf_reg_find_token(struct pcscf *p, struct sv token)
{
	struct pcscf_reg *r = NULL;

	if (token.n == PCSCF_TOKEN_LEN - 1)
		HASH_FIND(by_token, p->by_token, token.p, token.n, r);
	return r;
}

int pcscf_reg_create(struct pcscf *p, struct sv impi, struct pcscf_reg **rp)
{
	struct pcscf_reg *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->p = p;
	r->impi = sv_dup(impi);
	sip_token(r->token, sizeof(r->token));
	if (!r->impi)
		goto fail;
	HASH_ADD_KEYPTR(by_impi, p->by_impi, r->impi, impi.n, r);
	if (!r->by_impi.tbl)
		goto fail;
	HASH_ADD(by_token, p->by_token, token, PCSCF_TOKEN_LEN - 1, r);
	if (!r->by_token.tbl)
		goto fail_hashed;
	*rp = r;
	return 0;
fail_hashed:
	HASH_DELETE(by_impi, p->by_impi, r);
fail:
	free(r->impi);
	free(r);
	return -ENOMEM;
}

bool pcscf_reg_registered(const struct pcscf_reg *r)
{
	return r->impus != NULL;
}

void pcscf_reg_free(struct pcscf_reg *r)
{
	struct pcscf *p = r->p;

	if (r->run)
		pcscf_run_end(r->run, PCSCF_ON_REMOVAL, false, 0);
	for (unsigned i = 0; i < PCSCF_MAX_CLEAR; i++)
		if (r->clear[i])
			r->clear[i]->place = NULL;
	while (r->n_sets)
		pcscf_set_remove(r->sets[0]);
	pcscf_impus_clear(r);
	pcscf_dialogs_end(r);
	pcscf_subscription_free(r->subscription);
	timer_stop(p->timers, &r->timer);
	HASH_DELETE(by_impi, p->by_impi, r);
	HASH_DELETE(by_token, p->by_token, r);
	pcscf_alias_free(r);
	free(r->impi);
	free(r->service_route);
	free(r->contact);
	free(r);
}

void pcscf_reg_reap(struct pcscf_reg *r)
{
	if (!r->run && !r->n_sets && !r->impus)
		pcscf_reg_free(r);
}

struct pcscf_set *pcscf_set_find(struct pcscf *p, sa_set_id id)
{
	struct pcscf_set *s;

	HASH_FIND(by_id, p->by_id, &id, sizeof(id), s);
	return s;
}

struct pcscf_set *pcscf_set_of_flow(struct pcscf *p, const struct sip_flow *f)
{
	struct pcscf_set *s;

	if (!f->set)
		return pcscf_assoc_of_flow(p, f);
	s = pcscf_set_find(p, f->set);
	if (!s || f->pair >= SA_PAIRS || f->local.port != s->sa.local_port[f->pair] ||
	    f->remote.port != s->sa.remote_port[f->pair] || !pcscf_set_is_from(s, f))
		return NULL;
	return s;
}

struct pcscf_set *pcscf_set_of_port_uc(struct pcscf *p, const struct ip_addr *ue, uint16_t port_uc)
{
	struct pcscf_port_key key = {*ue, port_uc, 0};
	struct pcscf_set *s;

	HASH_FIND(by_uc, p->by_uc, &key, sizeof(key), s);
	return s;
}

struct pcscf_set *pcscf_set_of_port_us(struct pcscf *p, const struct ip_addr *nat, uint16_t port_us)
{
	struct pcscf_port_key key = {*nat, port_us, 0};
	struct pcscf_set *s;

	HASH_FIND(by_us, p->by_us, &key, sizeof(key), s);
	return s;
}

bool pcscf_port_pc_taken(struct pcscf *p, const struct ip_addr *ue, uint16_t port_pc,
			 uint16_t port_us)
{
	struct pcscf_port_key key = {*ue, port_pc, port_us};
	struct pcscf_set *s;

	HASH_FIND(by_pc, p->by_pc, &key, sizeof(key), s);
	return s != NULL;
}

static void keys_make(struct pcscf_set *s, const struct ip_addr *ue)
{
	const struct sa_set *sa = &s->sa;

	s->key_uc = (struct pcscf_port_key){*ue, sa->remote_port[SA_SERVER], 0};
	s->key_pc =
		(struct pcscf_port_key){*ue, sa->local_port[SA_CLIENT], sa->remote_port[SA_CLIENT]};
	s->key_us = (struct pcscf_port_key){*ue, sa->remote_port[SA_CLIENT], 0};
}

/* Is (UE address, port_us) that of another UE behind the same NAT (D-17)? */
static bool port_us_taken(struct pcscf *p, const struct pcscf_set *s, const struct ip_addr *ue)
{
	const struct pcscf_set *other;

	if (s->sa.mode != SA_MODE_UDP_ENC_TUN)
		return false;
	other = pcscf_set_of_port_us(p, ue, s->sa.remote_port[SA_CLIENT]);
	return other && other->reg != s->reg;
}

/* false: without memory; what is in, is in. */
static bool keys_enter(struct pcscf *p, struct pcscf_set *s)
{
	HASH_ADD(by_uc, p->by_uc, key_uc, sizeof(s->key_uc), s);
	if (s->by_uc.tbl)
		HASH_ADD(by_pc, p->by_pc, key_pc, sizeof(s->key_pc), s);
	if (s->by_pc.tbl && s->sa.mode == SA_MODE_UDP_ENC_TUN)
		HASH_ADD(by_us, p->by_us, key_us, sizeof(s->key_us), s);
	return s->by_pc.tbl && (s->by_us.tbl || s->sa.mode != SA_MODE_UDP_ENC_TUN);
}

static void keys_leave(struct pcscf *p, struct pcscf_set *s)
{
	if (s->by_us.tbl)
		HASH_DELETE(by_us, p->by_us, s);
	if (s->by_pc.tbl)
		HASH_DELETE(by_pc, p->by_pc, s);
	if (s->by_uc.tbl)
		HASH_DELETE(by_uc, p->by_uc, s);
	s->by_us.tbl = s->by_pc.tbl = s->by_uc.tbl = NULL;
}

int pcscf_set_insert(struct pcscf *p, struct pcscf_set *s)
{
	const struct sa_set *sa = &s->sa;

	keys_make(s, &sa->remote);
	if (pcscf_set_of_port_uc(p, &sa->remote, s->key_uc.port) || pcscf_set_find(p, sa->id) ||
	    port_us_taken(p, s, &sa->remote))
		return -EEXIST;
	HASH_ADD(by_id, p->by_id, sa.id, sizeof(sa->id), s);
	if (s->by_id.tbl && keys_enter(p, s))
		return 0;
	pcscf_set_delete(p, s);
	return -ENOMEM;
}

void pcscf_set_delete(struct pcscf *p, struct pcscf_set *s)
{
	keys_leave(p, s);
	if (s->by_id.tbl)
		HASH_DELETE(by_id, p->by_id, s);
}

/* Without memory the set is in no table of ports: then only its ports are not known as taken. */
void pcscf_set_rekey(struct pcscf *p, struct pcscf_set *s, const struct ip_addr *ue)
{
	const struct sa_set *sa = &s->sa;

	if (pcscf_set_of_port_uc(p, ue, s->key_uc.port) || port_us_taken(p, s, ue) ||
	    pcscf_port_pc_taken(p, ue, sa->local_port[SA_CLIENT], sa->remote_port[SA_CLIENT]))
		return;
	keys_leave(p, s);
	keys_make(s, ue);
	(void)keys_enter(p, s);
}
