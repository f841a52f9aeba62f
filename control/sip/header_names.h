/* Header field names, long and compact (RFC 3261 7.3.3, 20). */
#pragma once

#include "control/sip/msg.h"

/* The id of a name (a token) of any letter case; SIP_HDR_OTHER if it is not one of ours. */
enum sip_hdr sip_header_id(struct sv name);
