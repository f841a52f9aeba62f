/* Reads any text as a configuration: faults are reported with a line, or all values are in range.
 */
#include <assert.h>
#include <stdint.h>

#include "control/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a string that it had read when a syntax error follows. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
}

static void count(void *arg, const char *file, unsigned line, const char *text)
{
	assert(file && line >= 1 && text[0]);
	++*(unsigned *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned reported = 0, faults;
	struct esp_conf c;

	faults = conf_load_text(&c, (const char *)data, size, "fuzz", "/run", count, &reported);
	assert(faults == reported);
	if (faults == 0) {
		assert(c.roles && c.realm && c.workers >= 1 && c.port_ps >= 1024);
		assert(c.n_algorithms >= 1 && c.n_algorithms <= CONF_MAX_ALGORITHMS);
		assert(!(c.roles & CONF_PCSCF) || c.ue_port);
	} else {
		assert(!c.realm && !c.ue_port);
	}
	conf_free(&c);
	return 0;
}
