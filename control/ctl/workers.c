#include "control/ctl/workers.h"

#include <errno.h>
#include <unistd.h>

#include "control/ctl/rates.h"
#include "control/ctl/table.h"

#define CELL_ROOM 32

struct row {
	unsigned n;
	char text[TABLE_MAX_COLUMNS][CELL_ROOM];
	const char *cells[TABLE_MAX_COLUMNS];
};

static char *row_cell(struct row *r)
{
	r->cells[r->n] = r->text[r->n];
	return r->text[r->n++];
}

static long long counter(const json_t *worker, const char *key)
{
	return json_integer_value(json_object_get(worker, key));
}

static long long drops_sum(const json_t *worker)
{
	const char *reason;
	long long sum = 0;
	json_t *v;

	json_object_foreach(json_object_get(worker, "drops"), reason, v) sum +=
		json_integer_value(v);
	return sum;
}

/* ---- tables ------------------------------------------------------------------------------- */

static int total_row(struct table *t, const json_t *worker)
{
	static const char *const keys[] = {
		"worker",      "ue_rx",		"ue_tx",      "host_rx",      "host_tx",
		"esp_checked", "esp_protected", "to_control", "from_control", "sleeps"};
	struct row r = {0};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		snprintf(row_cell(&r), CELL_ROOM, "%lld", counter(worker, keys[i]));
	snprintf(row_cell(&r), CELL_ROOM, "%lld", drops_sum(worker));
	return table_add(t, r.cells);
}

static double drops_rate(const json_t *rates)
{
	const char *reason;
	double sum = 0;
	json_t *v;

	json_object_foreach(json_object_get(rates, "drops"), reason, v) sum += json_real_value(v);
	return sum;
}

/* Rates that do not exist (yet) are shown as "-". */
static int rate_row(struct table *t, const json_t *worker)
{
	static const struct {
		const char *key;
		double scale;
		int digits;
	} columns[] = {
		{"load", 100, 1},     {"in_pps", 1, 0},	     {"out_pps", 1, 0},
		{"esp_in_pps", 1, 0}, {"esp_out_pps", 1, 0}, {"cycles_per_packet", 1, 0},
		{"batch", 1, 1},      {"lane_fill", 1, 1},   {"flushed", 100, 1},
	};
	const json_t *rates = json_object_get(worker, "rates");
	struct row r = {0};

	snprintf(row_cell(&r), CELL_ROOM, "%lld", counter(worker, "worker"));
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		char *cell = row_cell(&r);

		if (rates)
			snprintf(cell, CELL_ROOM, "%.*f", columns[i].digits,
				 columns[i].scale *
					 json_real_value(json_object_get(rates, columns[i].key)));
		else
			snprintf(cell, CELL_ROOM, "-");
	}
	if (rates)
		snprintf(row_cell(&r), CELL_ROOM, "%.1f", drops_rate(rates));
	else
		snprintf(row_cell(&r), CELL_ROOM, "-");
	return table_add(t, r.cells);
}

static int table_of(const char *const *head, int (*row)(struct table *t, const json_t *worker),
		    const json_t *workers)
{
	struct table *t = NULL;
	int err = table_alloc(&t, head);
	json_t *worker;
	size_t i;

	json_array_foreach(workers, i, worker) err = err ? err : row(t, worker);
	if (!err)
		table_print(t, stdout);
	table_free(t);
	return err;
}

static void drops_print(const json_t *worker)
{
	const json_t *rates = json_object_get(worker, "rates");
	const char *reason;
	json_t *v;

	json_object_foreach(json_object_get(rates, "drops"), reason, v) printf(
		"worker %lld drops %-20s %10.1f/s of %lld in all\n", counter(worker, "worker"),
		reason, json_real_value(v), counter(json_object_get(worker, "drops"), reason));
}

/* ---- readings ----------------------------------------------------------------------------- */

static int totals_print(const json_t *workers)
{
	static const char *const head[] = {"WORKER",   "UE RX",	 "UE TX",   "HOST RX",
					   "HOST TX",  "ESP IN", "ESP OUT", "TO CTL",
					   "FROM CTL", "SLEEPS", "DROPS",   NULL};

	return table_of(head, total_row, workers);
}

static int rates_print(const json_t *workers)
{
	static const char *const head[] = {"WORKER",	"BUSY %",    "IN/S",	   "OUT/S",
					   "ESP IN/S",	"ESP OUT/S", "CYCLES/PKT", "BATCH",
					   "LANE FILL", "FLUSHED %", "DROPS/S",	   NULL};
	int err = table_of(head, rate_row, workers);
	json_t *worker;
	size_t i;

	json_array_foreach(workers, i, worker) drops_print(worker);
	return err;
}

static int workers_read(struct client *c, json_t **workers)
{
	json_t *answer = NULL;
	int err = client_request(c, "GET", "/v1/workers", NULL, &answer);

	if (!err) {
		*workers = json_incref(json_object_get(answer, "workers"));
		err = json_is_array(*workers) ? 0 : -EPROTO;
	}
	json_decref(answer);
	return err;
}

/* The daemon keeps a reading of some seconds ago: rates come without waiting. before: NULL
 * if it is not wanted. */
static void earlier_take(json_t *workers, json_t *before)
{
	json_t *worker;
	size_t i;

	json_array_foreach(workers, i, worker)
	{
		json_t *earlier = json_object_get(worker, "earlier");

		if (before)
			json_array_append_new(before, earlier ? json_incref(earlier) : json_null());
		json_object_del(worker, "earlier");
	}
}

static void rates_add(const json_t *before, json_t *workers)
{
	json_t *worker, *rates;
	size_t i;

	json_array_foreach(workers, i, worker)
	{
		rates = rates_between(json_array_get(before, i), worker);
		if (rates)
			json_object_set_new(worker, "rates", rates);
	}
}

static int reading_print(const struct args *a, json_t *workers)
{
	int err;

	if (a->json) {
		json_t *o = json_pack("{s:O}", "workers", workers);

		err = o ? json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) : -1;
		json_decref(o);
		err = err ? -ENOMEM : 0;
	} else {
		err = a->watch_s ? 0 : totals_print(workers);
		if (!a->watch_s)
			puts("");
		if (!err)
			err = rates_print(workers);
	}
	if (a->json || a->watch_s)
		puts("");
	return !err && fflush(stdout) ? -EIO : err;
}

int workers_show(struct client *c, const struct args *a)
{
	json_t *before = json_array(), *now = NULL;
	int err = workers_read(c, &now);

	if (!err)
		earlier_take(now, before);
	while (!err) {
		rates_add(before, now);
		err = reading_print(a, now);
		/* no data plane: nothing will change */
		if (err || !a->watch_s || json_array_size(now) == 0)
			break;
		json_decref(before);
		before = now;
		now = NULL;
		sleep(a->watch_s);
		err = workers_read(c, &now);
		if (!err)
			earlier_take(now, NULL);
	}
	json_decref(before);
	json_decref(now);
	return err;
}
