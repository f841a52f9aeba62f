/* Inside sip/: hostport of RFC 3261 25.1, in URIs and Via. */
#pragma once

#include <stdint.h>

#include "sv.h"

/*
 * Takes host [":" port] off the front of *rest. host: without brackets; port: 0 if absent. `lws`:
 * white space may stand around the colon (Via). -EBADMSG
 */
int sip_hostport_read(struct sv *rest, bool lws, struct sv *host, uint16_t *port);
