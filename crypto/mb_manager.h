/* The library's state for one thread, in our own memory: locked, and wiped at the end. */
#pragma once

#include "crypto/mb_key.h"

/* 0, -ENOMEM, or -ENOTSUP for a processor that the library has nothing for. *memory is the
 * caller's, of imb_get_mb_mgr_size() octets; it may be set even on error. */
int mb_manager_alloc(IMB_MGR **mgr, void **memory);
