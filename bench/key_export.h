/*
 * The keys of ESP as lines of Wireshark's table esp_sa, so that captures of a test can be read. For
 * tests: whoever has the file reads all that those SAs carried.
 */
#pragma once

#include <stdio.h>

#include "control/base/sbuf.h"
#include "sa.h"

/* Makes the file anew, for its owner only. NULL with errno. */
FILE *key_export_open(const char *path);
/* All four SAs of the set, a line each. -EIO */
int key_export_set(FILE *f, const struct sa_set *set);
#define KEY_EXPORT_TEXT 2048
void key_export_write(struct sbuf *b, const struct sa_set *set);
