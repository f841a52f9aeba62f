#include <errno.h>

#include "control/agree/mech.h"
#include "control/agree/param.h"
#include "control/base/parse.h"

#define MAX_VALUE 65535

int agree_parse_value(struct agree_list *l, struct sv value)
{
	unsigned n = l->n;
	struct sv element;

	if (value.n > MAX_VALUE)
		return -E2BIG;
	while (agree_element_next(&value, &element)) {
		if (n == AGREE_MAX_MECHS)
			return -E2BIG;
		if (agree_mech_read(&l->m[n], element))
			return -EBADMSG;
		n++;
	}
	if (n == l->n)
		return -EBADMSG;
	l->n = n;
	return 0;
}

/* As agree_parse_value(), but elements that cannot be read are just not there (HX-03). */
static int parse_field(struct agree_list *l, struct sv value)
{
	struct sv element;

	while (agree_element_next(&value, &element)) {
		if (l->n == AGREE_MAX_MECHS)
			return -E2BIG;
		if (agree_mech_read(&l->m[l->n], element) == 0)
			l->n++;
	}
	return 0;
}

int agree_parse(struct agree_list *l, const struct sip_msg *m, enum sip_hdr id)
{
	const struct sip_header *h = sip_msg_find(m, id);
	int err;

	l->n = 0;
	if (!h)
		return -ENOENT;
	for (; h; h = sip_msg_next(m, h)) {
		err = parse_field(l, h->value);
		if (err)
			return err;
	}
	return l->n ? 0 : -EBADMSG;
}
