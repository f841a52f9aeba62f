/* The resources of the management interface: one handler per route; ctx is the struct daemon. */
#pragma once

#include "control/daemon/daemon.h"

mgmt_handler_h resource_registrations_get, resource_registration_delete,
	resource_registrations_post, resource_sas_get, resource_workers_get, resource_drops_get,
	resource_tcp_get, resource_status_get, resource_subscribers_get, resource_subscribers_post,
	resource_subscriber_put, resource_subscriber_delete;

/* Text that came from outside: JSON is UTF-8, other octets become '?'. */
json_t *resource_text(struct sv text);
/* An array of them. */
json_t *resource_texts(const struct sv *texts, unsigned n);

/* Which of the items that pass belong to the wanted part of a list. */
struct resource_part {
	uint64_t offset, limit, seen;
	json_t *items;
};
struct resource_part resource_part_of(const struct mgmt_request *q);
/* Counts an item; true if it is wanted. */
bool resource_part_wants(struct resource_part *p);
bool resource_part_full(const struct resource_part *p);
