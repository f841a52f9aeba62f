/* What tests of UEs with TLS share. */
#pragma once

#include "tests/control/pcscf/rig.h"

/* Adds to the configuration: ipsec-3gpp, then tls. */
void tls_last(struct pcscf_conf *c);
/* SM7 with the answer to the challenge, on this connection; 0: in clear. */
void tls_sm7(struct rig *r, struct rig_ue *u, uint64_t session);
uint64_t rig_dropped(const struct rig *r, enum pcscf_drop reason);
