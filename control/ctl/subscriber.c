#include "control/ctl/subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/parse.h"
#include "control/ctl/csv.h"

#define PASSWORD_MAX 255 /* octets */
#define CHUNK	     500 /* subscribers per request: some 150 KB */

static FILE *input_open(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

	if (!f)
		fprintf(stderr, "esplanadectl: %s: %s\n", path, strerror(errno));
	return f;
}

static void input_close(FILE *f)
{
	if (f && f != stdin)
		fclose(f);
}

/* ---- one ---------------------------------------------------------------------------------- */

/* 33 octets of hex digits and NUL from a file. */
static int key_read(const char *path, char hex[33])
{
	FILE *f = input_open(path);
	char line[80] = "";
	struct sv text;
	uint8_t k[16];
	int err = -EINVAL;

	if (!f)
		return -EINVAL;
	setvbuf(f, NULL, _IONBF, 0); /* no copy of the key in a buffer */
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	text = sv_trim(sv_of(line));
	if (parse_hex(text, k, sizeof(k))) {
		memcpy(hex, text.p, 32);
		hex[32] = '\0';
		err = 0;
	} else {
		fprintf(stderr, "esplanadectl: %s: expected 32 hexadecimal digits\n", path);
	}
	explicit_bzero(line, sizeof(line));
	explicit_bzero(k, sizeof(k));
	input_close(f);
	return err;
}

/* The first line as it is, without its end: blanks may belong to a password. To be wiped. */
static int password_read(const char *path, char password[PASSWORD_MAX + 3])
{
	FILE *f = input_open(path);
	size_t n = 0;

	if (!f)
		return -EINVAL;
	setvbuf(f, NULL, _IONBF, 0);
	if (fgets(password, PASSWORD_MAX + 3, f))
		n = strcspn(password, "\r\n");
	password[n] = '\0';
	input_close(f);
	if (n >= 1 && n <= PASSWORD_MAX)
		return 0;
	fprintf(stderr, "esplanadectl: %s: expected a line of 1 to %d octets\n", path,
		PASSWORD_MAX);
	return -EINVAL;
}

static void argument_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
}

static int text_add(json_t *o, const char *name, const char *text)
{
	return text ? json_object_set_new(o, name, json_string(text)) : 0; /* -1: not UTF-8 */
}

static int password_add(const struct args *a, json_t *o)
{
	char password[PASSWORD_MAX + 3] = "";
	int err = password_read(a->password_file, password);

	if (!err && (text_add(o, "password", password) || text_add(o, "realm", a->realm) ||
		     text_add(o, "variant", a->variant))) {
		fprintf(stderr, "esplanadectl: expected UTF-8\n");
		err = -EINVAL;
	}
	explicit_bzero(password, sizeof(password));
	return err;
}

static json_t *subscriber_object(const struct args *a, const char *k)
{
	json_t *impus = json_array(), *o;

	for (unsigned i = 0; i < a->n_impus; i++)
		json_array_append_new(impus, json_string(a->impus[i]));
	o = json_pack("{s:s, s:o}", "impi", a->impi, "impus", impus);
	if (o && k &&
	    (text_add(o, "k", k) || text_add(o, "op", a->op) || text_add(o, "opc", a->opc) ||
	     text_add(o, "amf", a->amf) ||
	     json_object_set_new(o, "sqn", json_integer((json_int_t)a->sqn)))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int added_print(const struct args *a, long long added)
{
	if (a->json)
		printf("{\"added\":%lld}\n", added);
	else
		printf("%lld added\n", added);
	return 0;
}

static int add_one(struct client *c, const struct args *a)
{
	char k[33] = "";
	json_t *o = NULL;
	int err = a->k_file ? key_read(a->k_file, k) : 0;

	if (!err)
		o = subscriber_object(a, a->k_file ? k : a->k);
	if (o && a->digest)
		err = password_add(a, o);
	explicit_bzero(k, sizeof(k));
	argument_wipe(a->k);
	argument_wipe(a->op);
	argument_wipe(a->opc);
	if (!err && !o) {
		fprintf(stderr, "esplanadectl: expected UTF-8\n");
		err = -EINVAL;
	}
	if (!err)
		err = client_request(c, "POST", "/v1/subscribers", o, NULL);
	json_decref(o);
	return err ? err : added_print(a, 1);
}

/* ---- many --------------------------------------------------------------------------------- */

struct upload {
	struct client *c;
	const char *path;
	json_t *chunk;
	unsigned line, refused;
	long long added;
};

static void refusals_print(struct upload *u, const json_t *answer)
{
	json_t *e;
	size_t i;

	json_array_foreach(json_object_get(answer, "errors"), i, e)
	{
		const char *impi = json_string_value(json_object_get(e, "impi"));
		const char *why = json_string_value(json_object_get(e, "error"));

		u->refused++;
		fprintf(stderr, "esplanadectl: %s: %s\n", impi ? impi : "?", why ? why : "refused");
	}
}

static int chunk_send(struct upload *u)
{
	json_t *answer = NULL;
	int err;

	if (json_array_size(u->chunk) == 0)
		return 0;
	err = client_request(u->c, "POST", "/v1/subscribers", u->chunk, &answer);
	u->added += json_integer_value(json_object_get(answer, "added"));
	refusals_print(u, answer);
	json_array_clear(u->chunk);
	/* Single ones refused: go on with the rest, and say so at the end. */
	if (err && json_object_get(answer, "errors"))
		err = 0;
	json_decref(answer);
	return err;
}

static int line_take(struct upload *u, struct sv line)
{
	const char *why = NULL;
	json_t *o;

	u->line++;
	if (csv_subscriber(&o, line, &why)) {
		fprintf(stderr, "esplanadectl: %s:%u: %s\n", u->path, u->line, why);
		return -EINVAL;
	}
	if (o && json_array_append_new(u->chunk, o))
		return -ENOMEM;
	return json_array_size(u->chunk) < CHUNK ? 0 : chunk_send(u);
}

static int upload_run(struct upload *u, FILE *f)
{
	static const size_t cap = 16384; /* 32 IMPUs of 255, and the rest */
	char *line = malloc(cap), *io = malloc(cap);
	int err = line && io ? 0 : -ENOMEM;

	if (!err)
		setvbuf(f, io, _IOFBF, cap); /* ours, to be wiped */
	while (!err && fgets(line, (int)cap, f)) {
		size_t n = strlen(line);

		if (n + 1 == cap && line[n - 1] != '\n') {
			fprintf(stderr, "esplanadectl: %s:%u: line too long\n", u->path,
				u->line + 1);
			err = -EINVAL;
		} else {
			err = line_take(u, (struct sv){line, n});
		}
	}
	if (!err)
		err = chunk_send(u);
	if (io) {
		setvbuf(f, NULL, _IONBF, 0);
		explicit_bzero(io, cap);
	}
	if (line)
		explicit_bzero(line, cap);
	free(io);
	free(line);
	return err;
}

static int add_many(struct client *c, const struct args *a)
{
	struct upload u = {.c = c, .path = a->file, .chunk = json_array()};
	FILE *f = input_open(a->file);
	int err = f && u.chunk ? upload_run(&u, f) : -EINVAL;

	input_close(f);
	json_decref(u.chunk);
	added_print(a, u.added);
	return !err && u.refused ? -EIO : err;
}

int subscriber_password(struct client *c, const struct args *a)
{
	json_t *o = json_object();
	int err = o ? password_add(a, o) : -ENOMEM;

	if (!err)
		err = client_request_name(c, "PUT", "/v1/subscribers", a->impi, o, NULL);
	json_decref(o);
	if (!err)
		puts(a->json ? "{\"changed\":1}" : "changed");
	return err;
}

int subscriber_add(struct client *c, const struct args *a)
{
	return a->file ? add_many(c, a) : add_one(c, a);
}
