/* esplanadectl check-cert: what UEs would find wrong with a P-CSCF's certificate. */
#pragma once

#include "control/ctl/args.h"

/* 0: nothing; -EIO: something, and it is told; -EINVAL: files cannot be read. */
int cert_check(const struct args *a);
