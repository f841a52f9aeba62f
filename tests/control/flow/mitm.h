/*
 * A man in the middle of the access: he alters one header field of what goes in clear, and TLS and
 * ESP he cannot touch. For net.alter, with net.fate_arg.
 */
#pragma once

#include "tests/control/flow/net.h"

enum mitm_how {
	MITM_ALL,    /* each `from` in the field's lines becomes `to` */
	MITM_FIRST,  /* only the first */
	MITM_FRONT,  /* `to` goes before the value */
	MITM_BACK,   /* and behind it */
	MITM_GONE,   /* the line */
	MITM_TWICE,  /* the line */
	MITM_SWAP,   /* the first entry and the others change places */
	MITM_BEHEAD, /* the first entry goes */
	MITM_LAST,   /* all but the last entry go */
};

struct mitm_attack {
	bool up;
	const char *field;
	enum mitm_how how;
	const char *from, *to;
};

struct mitm {
	const struct mitm_attack *up, *down; /* NULL: none */
	unsigned hits[2];		     /* down, up */
	char text[NET_TEXT];
};

struct sv mitm_alter(struct net *n, const struct net_packet *k, void *arg);
