#include "control/daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define LINES_PER_SECOND 20

/* May this line go out? Counts it. Errors always may: the process ends with them. */
static bool log_allowed(struct log *l, enum conf_level level)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	if ((uint64_t)ts.tv_sec != l->second) {
		if (l->held_back)
			fprintf(stderr, "esplanade: warning: %u lines held back\n", l->held_back);
		l->second = (uint64_t)ts.tv_sec;
		l->lines = l->held_back = 0;
	}
	if (level != CONF_LOG_ERROR && l->lines >= LINES_PER_SECOND) {
		l->held_back++;
		return false;
	}
	l->lines++;
	return true;
}

void log_line(struct log *l, enum conf_level level, const char *fmt, ...)
{
	static const char *const names[] = {[CONF_LOG_ERROR] = "error",
					    [CONF_LOG_WARNING] = "warning",
					    [CONF_LOG_INFO] = "info",
					    [CONF_LOG_DEBUG] = "debug"};
	char text[512];
	va_list ap;

	if (level > l->level || !log_allowed(l, level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++) /* names of UEs may be in it */
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	fprintf(stderr, "esplanade: %s: %s\n", names[level], text);
}
