/* What tests of SA sets ask and look at, beside the rig. */
#pragma once

#include "tests/control/pcscf/rig.h"

/* A run up to SM6, with SM1 on that set; 0: in clear. */
void rig_new_run(struct rig *r, struct rig_ue *u, sa_set_id over);
/* And to its end: u->set is the current one. */
void rig_renewed(struct rig *r, struct rig_ue *u, sa_set_id over, unsigned expires);
/* A terminating MESSAGE; the set that it went out on. */
sa_set_id rig_terminate(struct rig *r);
/* That went to the core; NULL: none has. */
const struct rig_message *rig_last_register(struct rig *r);
/* The UE answers what came last with 200, on that set. */
void rig_answer_last(struct rig *r, struct rig_ue *u, sa_set_id set);
unsigned rig_role_count(struct rig *r, struct rig_ue *u, enum pcscf_set_role role);
/* ms that are left of the set in that role. */
uint64_t rig_lifetime(struct rig *r, struct rig_ue *u, enum pcscf_set_role role);
