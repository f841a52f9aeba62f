#include "crypto/mb_manager.h"

#include <errno.h>

int mb_manager_alloc(IMB_MGR **mgr, void **memory)
{
	IMB_ARCH arch = IMB_ARCH_NONE;

	*memory = esp_engine_memory_alloc(imb_get_mb_mgr_size());
	if (!*memory)
		return -ENOMEM;
	*mgr = imb_set_pointers_mb_mgr(*memory, 0, 1);
	init_mb_mgr_auto(*mgr, &arch);
	if (imb_get_errno(*mgr) != 0 || arch == IMB_ARCH_NONE || arch == IMB_ARCH_NOAESNI)
		return -ENOTSUP;
	return 0;
}
