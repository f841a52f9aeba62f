#include "tests/control/states/machines.h"

#include "control/pcscf/states.h"
#include "control/scscf/states.h"
#include "control/ue/states.h"

const struct machine *const all_machines[] = {
	&ue_run_machine,    &ue_registration_machine, &ue_set_machine,
	&pcscf_run_machine, &pcscf_set_machine,	      &user_machine,
	&reauth_machine,
};
const unsigned n_all_machines = sizeof(all_machines) / sizeof(all_machines[0]);
