/* Identities as I-CSCF and S-CSCF read them off requests. */
#pragma once

#include "sv.h"

#define MW_MAX_IDENTITY 256

/* IMPI that a UE without credentials in its REGISTER has: the IMPU without scheme (TS 23.003 13.3).
 * Empty for tel. */
struct sv mw_derived_impi(struct sv impu);

/* "tel:..." of a SIP URI with user=phone (TS 24.229 5.3.2.1), canonical, to buf; empty if it is
 * none. */
struct sv mw_phone_alias(struct sv uri, char *buf, size_t cap);
