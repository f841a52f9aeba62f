/* port_pc: one per SA set, unique only towards one UE, so that the range never limits the number of
 * UEs (F09). */
#include "control/pcscf/internal.h"
#include "crypto/secret.h"

static bool port_ok(struct pcscf *p, const struct pcscf_reg *r, uint16_t port)
{
	if (port == p->conf.port_ps || port == 5060 || port == 5061)
		return false;
	for (unsigned i = 0; i < r->n_sets; i++)
		if (r->sets[i]->sa.local_port[SA_CLIENT] == port)
			return false;
	return true;
}

uint16_t pcscf_port_choose(struct pcscf *p, const struct pcscf_reg *r, const struct ip_addr *ue,
			   uint16_t port_us)
{
	uint32_t first = p->conf.port_pc_min;
	uint32_t range = p->conf.port_pc_max - first + 1u, start;

	secret_random(&start, sizeof(start));
	for (uint32_t i = 0; i < range; i++) {
		uint16_t port = (uint16_t)(first + (start % range + i) % range);

		if (port_ok(p, r, port) && !pcscf_port_pc_taken(p, ue, port, port_us))
			return port;
	}
	return 0;
}
