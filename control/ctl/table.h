/* Text tables with aligned columns, printed in parts as they come. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define TABLE_MAX_COLUMNS 12

struct table;

/* The head's cells, NULL after the last; they must outlive the table. */
int table_alloc(struct table **tp, const char *const *head);
void table_free(struct table *t);

/* One more row, as many cells as the head has; copied, unprintable characters replaced. */
int table_add(struct table *t, const char *const *cells);
/* Prints what has been added since the last time, below the head the first time. */
void table_print(struct table *t, FILE *out);
