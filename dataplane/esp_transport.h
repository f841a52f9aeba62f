/* ESP in transport mode (RFC 4303 3.1.1): the IP header stays, ESP goes between it and UDP or TCP.
 */
#pragma once

#include "dataplane/esp_write.h"
#include "dataplane/sa_transform.h"

/* Octets that it adds at most: ESP header with IV, padding, trailer, ICV. */
#define ESP_TRANSPORT_MOST (ESP_HEADER_LEN + ESP_MAX_IV + 15 + ESP_TRAILER_LEN + ESP_ICV_LEN)

/*
 * Outbound, before encryption, a packet of the host: makes room for ESP between the IP header and
 * p->l4, writes ESP header, IV and trailer, adapts the IP header, and sets up the job.
 */
sa_packet_fn esp_transport_seal;
/* The same for a UDP payload from control: all headers are written, none moved or adapted. */
sa_packet_fn esp_transport_datagram;
/* Inbound, after decryption: checks the trailer, sets proto, l4 and l4_len. */
sa_packet_fn esp_transport_open;

/* Takes ESP away: p->m becomes the frame with the plain packet. */
sa_packet_fn esp_transport_restore;
