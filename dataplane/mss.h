/* TCP's segment size (RFC 9293 3.7.1): what passes has room for ESP around it. */
#pragma once

#include "dataplane/packet.h"

struct worker;

/* Lowers the MSS option of a SYN, either way, to what the UE's path takes. Always PKT_KEEP. */
sa_packet_fn mss_clamp;
