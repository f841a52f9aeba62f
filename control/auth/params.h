/* Inside auth/: "scheme name=value, name=value, ..." of all the authentication header fields (RFC
 * 2617 1.2). */
#pragma once

#include "control/base/sbuf.h"

struct auth_param {
	struct sv name;
	struct sv value; /* without quotes; escapes inside stay as they are */
	struct sv text;	 /* all of it as written */
};

/* Takes the scheme off *rest. false: there is none. */
bool auth_scheme_read(struct sv *rest, struct sv *scheme);
/* Takes the next parameter off *rest. 1: taken, 0: at the end, -EBADMSG */
int auth_param_read(struct sv *rest, struct auth_param *p);

struct auth_field {
	const char *name;
	struct sv *value; /* value->p stays NULL if the parameter is absent */
};

/*
 * Reads a Digest value into fields[]; others are read over. -EBADMSG: another scheme, bad grammar,
 * or one of fields[] twice (the next reader might take the other one).
 */
int auth_fields_read(struct sv value, const struct auth_field *fields, unsigned n);
/* The same for a value without scheme (Authentication-Info). */
int auth_params_read(struct sv value, const struct auth_field *fields, unsigned n);

/* Appends `, name="value"`, without the comma if it is the first. */
void auth_field_write(struct sbuf *b, bool first, struct sv name, struct sv value);
/* Appends `, name=value`. */
void auth_token_write(struct sbuf *b, struct sv name, struct sv value);
