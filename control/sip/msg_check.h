/* Inside sip/: the parts of sip_msg_parse(). */
#pragma once

#include "control/sip/msg.h"

int sip_start_line_read(struct sip_msg *m, struct sv line); /* without CRLF; 0 or -EBADMSG */
/* The mandatory header fields: reads and checks them (RFC 3261 8.1.1). 0 or -EBADMSG */
int sip_mandatory_read(struct sip_msg *m);
/* A scheme, a colon and something more, all of it characters that a URI may hold. */
bool sip_uri_is_absolute(struct sv text);
