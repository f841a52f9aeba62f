#include "control/ctl/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/printable.h"

struct table {
	const char *const *head;
	unsigned columns;
	int width[TABLE_MAX_COLUMNS];
	char **cells; /* rows * columns */
	size_t rows, cap;
	bool head_printed;
};

int table_alloc(struct table **tp, const char *const *head)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->head = head;
	while (t->columns < TABLE_MAX_COLUMNS && head[t->columns]) {
		t->width[t->columns] = (int)strlen(head[t->columns]);
		t->columns++;
	}
	*tp = t;
	return 0;
}

static void rows_free(struct table *t)
{
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	t->rows = 0;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	rows_free(t);
	free(t->cells);
	free(t);
}

static char *cell_copy(const char *text)
{
	char *copy = strdup(*text ? text : "-");

	for (char *p = copy; p && *p; p++)
		*p = printable(*p);
	return copy;
}

static bool room_make(struct table *t)
{
	size_t cap = t->cap ? 2 * t->cap : 64;
	char **cells;

	if (t->rows < t->cap)
		return true;
	cells = reallocarray(t->cells, cap, t->columns * sizeof(*cells));
	if (!cells)
		return false;
	t->cells = cells;
	t->cap = cap;
	return true;
}

int table_add(struct table *t, const char *const *cells)
{
	char **row;

	if (!room_make(t))
		return -ENOMEM;
	row = t->cells + t->rows * t->columns;
	t->rows++;
	for (unsigned i = 0; i < t->columns; i++) {
		row[i] = cell_copy(cells[i]);
		if (row[i] && (int)strlen(row[i]) > t->width[i])
			t->width[i] = (int)strlen(row[i]);
	}
	return 0;
}

static void row_print(const struct table *t, const char *const *cells, FILE *out)
{
	for (unsigned i = 0; i < t->columns; i++) {
		const char *text = cells[i] ? cells[i] : "?";

		if (i + 1 < t->columns)
			fprintf(out, "%-*s  ", t->width[i], text);
		else
			fprintf(out, "%s\n", text);
	}
}

void table_print(struct table *t, FILE *out)
{
	if (!t->head_printed)
		row_print(t, t->head, out);
	t->head_printed = true;
	for (size_t i = 0; i < t->rows; i++)
		row_print(t, (const char *const *)t->cells + i * t->columns, out);
	rows_free(t);
}
