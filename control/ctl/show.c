#include "control/ctl/show.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "control/ctl/list.h"
#include "control/ctl/table.h"
#include "control/ctl/workers.h"

/* ---- cells of a row ----------------------------------------------------------------------- */

struct row {
	unsigned n;
	char text[TABLE_MAX_COLUMNS][320];
	const char *cells[TABLE_MAX_COLUMNS];
};

__attribute__((format(printf, 2, 3))) static void cell(struct row *r, const char *fmt, ...)
{
	va_list ap;

	if (r->n == TABLE_MAX_COLUMNS)
		return;
	va_start(ap, fmt);
	vsnprintf(r->text[r->n], sizeof(r->text[0]), fmt, ap);
	va_end(ap);
	r->cells[r->n] = r->text[r->n];
	r->n++;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static long long number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void cell_text(struct row *r, const json_t *o, const char *key)
{
	cell(r, "%s", text_of(o, key));
}

static void cell_number(struct row *r, const json_t *o, const char *key)
{
	cell(r, "%lld", number_of(o, key));
}

static void cell_strings(struct row *r, const json_t *array)
{
	char text[320] = "";
	size_t n = 0, i;
	json_t *e;

	json_array_foreach(array, i, e) if (n < sizeof(text) && json_is_string(e)) n +=
		(size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "",
				 json_string_value(e));
	cell(r, "%s", text);
}

/* ---- the rows of each list ---------------------------------------------------------------- */

static const json_t *current_set(const json_t *registration)
{
	json_t *sets = json_object_get(registration, "sets"), *s;
	size_t i;

	json_array_foreach(sets, i, s) if (strcmp(text_of(s, "role"), "current") == 0) return s;
	return json_array_get(sets, 0);
}

static int registration_rows(struct table *t, const json_t *item)
{
	const json_t *impus = json_object_get(item, "impus"), *set = current_set(item);
	const char *impu = json_string_value(json_array_get(impus, 0));
	struct row r = {0};

	cell_text(&r, item, "impi");
	cell(&r, "%s", impu ? impu : "");
	cell_text(&r, item, "ue");
	cell_text(&r, item, "state");
	cell_number(&r, item, "expires_s");
	cell(&r, "%zu", json_array_size(json_object_get(item, "sets")));
	if (json_object_get(set, "session"))
		cell(&r, "tls %s, session %lld", text_of(set, "flow"), number_of(set, "session"));
	else if (json_object_get(set, "flow"))
		cell(&r, "digest %s %s", text_of(set, "transport"), text_of(set, "flow"));
	else
		cell(&r, "%s%s%s", text_of(set, "integ"), set ? "/" : "", text_of(set, "encr"));
	return table_add(t, r.cells);
}

static int sa_row(struct table *t, const json_t *set, const json_t *sa)
{
	bool in = strcmp(text_of(sa, "direction"), "in") == 0;
	bool tunnel = json_object_get(set, "inner") != NULL;
	const char *ue = text_of(set, tunnel ? "inner" : "remote"), *us = text_of(set, "local");
	long long ue_port = number_of(sa, "remote_port"), our_port = number_of(sa, "local_port");
	struct row r = {0};

	cell_text(&r, set, "impi");
	cell_number(&r, set, "set");
	cell_text(&r, set, "role");
	cell_text(&r, sa, "direction");
	cell(&r, "%08llx", number_of(sa, "spi"));
	cell(&r, "%s %lld", in ? ue : us, in ? ue_port : our_port);
	cell(&r, "%s %lld", in ? us : ue, in ? our_port : ue_port);
	if (tunnel)
		cell(&r, "%s/%s in UDP, %s %lld", text_of(set, "integ"), text_of(set, "encr"),
		     text_of(set, "remote"), number_of(set, "udp_enc_port"));
	else
		cell(&r, "%s/%s", text_of(set, "integ"), text_of(set, "encr"));
	cell_number(&r, sa, "packets");
	cell_number(&r, sa, "bytes");
	cell_number(&r, sa, "seq");
	cell_number(&r, set, "expires_s");
	return table_add(t, r.cells);
}

static int sa_rows(struct table *t, const json_t *item)
{
	json_t *sa;
	size_t i;
	int err = 0;

	json_array_foreach(json_object_get(item, "sas"), i, sa) err |= sa_row(t, item, sa);
	return err ? -ENOMEM : 0;
}

static int subscriber_rows(struct table *t, const json_t *item)
{
	struct row r = {0};

	cell_text(&r, item, "impi");
	cell_text(&r, item, "state");
	cell_strings(&r, json_object_get(item, "schemes"));
	if (json_object_get(item, "sqn"))
		cell_number(&r, item, "sqn");
	else
		cell(&r, "-");
	cell(&r, "%s", json_object_get(item, "amf") ? text_of(item, "amf") : "-");
	cell_strings(&r, json_object_get(item, "impus"));
	return table_add(t, r.cells);
}

/* ---- views -------------------------------------------------------------------------------- */

struct view {
	enum args_verb verb;
	const char *path, *name;
	const char *head[TABLE_MAX_COLUMNS + 1];
	int (*rows)(struct table *t, const json_t *item);
};

static const struct view views[] = {
	{ARGS_SHOW_REGISTRATIONS,
	 "/v1/registrations",
	 "registrations",
	 {"IMPI", "IMPU", "UE", "STATE", "EXPIRES", "SETS", "ALGORITHMS"},
	 registration_rows},
	{ARGS_SHOW_SAS,
	 "/v1/sas",
	 "sas",
	 {"IMPI", "SET", "ROLE", "DIR", "SPI", "FROM", "TO", "ALGORITHMS", "PACKETS", "BYTES",
	  "SEQ", "EXPIRES"},
	 sa_rows},
	{ARGS_SUBSCRIBER_LIST,
	 "/v1/subscribers",
	 "subscribers",
	 {"IMPI", "STATE", "SCHEMES", "SQN", "AMF", "IMPUS"},
	 subscriber_rows},
};

struct output {
	const struct view *view;
	struct table *table; /* text */
	json_t *items;	     /* JSON: all of them */
};

static int part_print(void *arg, const json_t *items)
{
	struct output *o = arg;
	json_t *item;
	size_t i;
	int err = 0;

	if (o->items)
		return json_array_extend(o->items, (json_t *)items) ? -ENOMEM : 0;
	json_array_foreach(items, i, item) err = err ? err : o->view->rows(o->table, item);
	table_print(o->table, stdout);
	return err;
}

static int json_print(json_t *o)
{
	int err = o ? json_dumpf(o, stdout, JSON_COMPACT) : -1;

	puts("");
	json_decref(o);
	return err ? -ENOMEM : 0;
}

static int show_view(struct client *c, const struct args *a, const struct view *v)
{
	struct output o = {.view = v};
	int err = a->json ? 0 : table_alloc(&o.table, v->head);

	if (a->json)
		o.items = json_array();
	if (!err)
		err = list_fetch(c, a, v->path, v->name, part_print, &o);
	if (!err && a->json)
		err = json_print(json_pack("{s:O}", v->name, o.items));
	json_decref(o.items);
	table_free(o.table);
	return err;
}

/* ---- objects: name and value per line ----------------------------------------------------- */

static void value_print(const char *prefix, const char *key, const json_t *v, bool zeros)
{
	const char *k;
	json_t *e;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)v, k, e) value_print(key, k, e, zeros);
		return;
	}
	if (json_is_integer(v) && !json_integer_value(v) && !zeros)
		return;
	printf("%s%s%-*s ", prefix, *prefix ? "." : "", *prefix ? 28 - (int)strlen(prefix) : 29,
	       key);
	if (json_is_array(v))
		json_array_foreach(v, i, e) printf("%s%s", i ? " " : "", json_string_value(e));
	else if (json_is_string(v))
		printf("%s", json_string_value(v));
	else if (json_is_boolean(v))
		printf("%s", json_is_true(v) ? "yes" : "no");
	else
		printf("%lld", (long long)json_integer_value(v));
	puts("");
}

static int show_object(struct client *c, const struct args *a, const char *path, bool zeros)
{
	json_t *answer = NULL, *v;
	const char *key;
	int err = client_request(c, "GET", path, NULL, &answer);

	if (!err && a->json)
		return json_print(answer);
	if (!err)
		json_object_foreach(answer, key, v) value_print("", key, v, zeros);
	json_decref(answer);
	return err;
}

int show(struct client *c, const struct args *a)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (views[i].verb == a->verb)
			return show_view(c, a, &views[i]);
	if (a->verb == ARGS_SHOW_WORKERS)
		return workers_show(c, a);
	if (a->verb == ARGS_SHOW_DROPS)
		return show_object(c, a, "/v1/drops", false);
	if (a->verb == ARGS_SHOW_TCP)
		return show_object(c, a, "/v1/tcp", true);
	return show_object(c, a, "/v1/status", true);
}
