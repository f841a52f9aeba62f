/* Inside of control/ue/: session descriptions of calls without media (RFC 8866, RFC 3264). */
#pragma once

#include "control/base/sbuf.h"
#include "ip.h"
#include "sv.h"

/* One audio stream. */
void ue_sdp_offer(struct sbuf *b, const struct ip_addr *local);
/* Takes the first audio stream with its first format and refuses the others. -EINVAL: there is
 * none, or it is no SDP. */
int ue_sdp_answer(struct sbuf *b, struct sv offer, const struct ip_addr *local);
