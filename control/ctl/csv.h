/*
 * Subscribers from CSV lines: impi,k,opc,amf,sqn,impu[,impu...] or, for SIP Digest,
 * impi,digest,realm,ha1,ha1_sha256,impu[,impu...]
 */
#pragma once

#include <jansson.h>

#include "sv.h"

/*
 * One line, without its end, to the object that POST /v1/subscribers takes. *op is NULL for a blank
 * line or a comment. -EINVAL: *why says what was expected and where, without quoting the line.
 */
int csv_subscriber(json_t **op, struct sv line, const char **why);
