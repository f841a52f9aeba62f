#include "dataplane.h"

static const char *const drop_names[] = {
	[DP_DROP_TRUNCATED] = "truncated",
	[DP_DROP_BAD_IP] = "bad_ip",
	[DP_DROP_BAD_UDP] = "bad_udp",
	[DP_DROP_ESP_TOO_SHORT] = "esp_too_short",
	[DP_DROP_UNKNOWN_SPI] = "unknown_spi",
	[DP_DROP_BAD_LENGTH] = "bad_length",
	[DP_DROP_REPLAY] = "replay",
	[DP_DROP_BAD_ICV] = "bad_icv",
	[DP_DROP_BAD_PADDING] = "bad_padding",
	[DP_DROP_DUMMY] = "dummy",
	[DP_DROP_BAD_NEXT_HEADER] = "bad_next_header",
	[DP_DROP_SELECTOR] = "selector",
	[DP_DROP_CLEAR_TO_PROTECTED] = "clear_to_protected",
	[DP_DROP_CLEAR_FROM_PROTECTED] = "clear_from_protected",
	[DP_DROP_FRAGMENT] = "fragment",
	[DP_DROP_TOO_BIG] = "too_big",
	[DP_DROP_SN_EXHAUSTED] = "sn_exhausted",
	[DP_DROP_STALE_SA] = "stale_sa",
	[DP_DROP_NO_NEXT_HOP] = "no_next_hop",
	[DP_DROP_NO_BUFFER] = "no_buffer",
	[DP_DROP_CONTROL_FULL] = "control_full",
	[DP_DROP_RING_FULL] = "ring_full",
	[DP_DROP_TX_FULL] = "tx_full",
	[DP_DROP_NOT_FOR_US] = "not_for_us",
	[DP_DROP_ENCAP] = "encap_mismatch",
	[DP_DROP_NON_ESP] = "non_esp_marker",
	[DP_DROP_BAD_INNER] = "bad_inner",
	[DP_DROP_NO_PEER] = "no_peer",
};

_Static_assert(sizeof(drop_names) / sizeof(drop_names[0]) == DP_DROP_COUNT, "a name for each");

const char *dp_drop_name(enum dp_drop reason)
{
	return (unsigned)reason < DP_DROP_COUNT ? drop_names[reason] : "unknown";
}
