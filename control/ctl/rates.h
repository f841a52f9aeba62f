/* What a worker did between two readings of its counters. */
#pragma once

#include <jansson.h>

/*
 * Of two objects as GET /v1/workers has them, the older first: an object of
 *   seconds, load (part of the time that found packets, 0 to 1),
 *   in_pps, out_pps, esp_in_pps, esp_out_pps, to_control_pps, from_control_pps, sleeps_per_s,
 *   cycles_per_packet, batch (packets per turn that found some),
 *   lane_fill (jobs in the crypto engine when it is called), crypto_batch (of it new),
 *   flushed (part of the jobs that did not leave by full lanes),
 *   drops (object: reason -> per second, only those that are not 0).
 * A quotient of nothing is 0. NULL if the readings do not belong together: the daemon has been
 * started anew, or no time has passed.
 */
json_t *rates_between(const json_t *before, const json_t *now);
