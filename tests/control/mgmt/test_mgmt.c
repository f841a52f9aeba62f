/* A real socket, real requests by libcurl; the loop runs in a thread beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/mgmt/mgmt.h"

#define MAX_BODY 4096

static void list_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	unsigned total = *(unsigned *)ctx;
	json_t *items = json_array();

	for (unsigned i = q->offset; i < total && i - q->offset < q->limit; i++)
		json_array_append_new(items, json_integer(i));
	r->body = mgmt_page(q, "things", items, total);
}

static void thing_post(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	(void)ctx;
	r->status = 201;
	r->body = json_pack("{s:O}", "got", q->body);
}

static void thing_delete(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	(void)ctx;
	if (strcmp(q->name, "none") == 0)
		mgmt_fail(r, 404, "no thing %s", q->name);
	else
		r->body = json_pack("{s:s}", "deleted", q->name);
}

static const struct mgmt_route routes[] = {
	{"GET", "/v1/things", list_get, false},
	{"POST", "/v1/things", thing_post, true},
	{"DELETE", "/v1/things/{}", thing_delete, false},
};

struct server {
	char dir[64], path[96];
	unsigned things;
	uv_loop_t loop;
	uv_async_t stop;
	struct mgmt *mgmt;
	pthread_t thread;
};

static void stop_wanted(uv_async_t *a)
{
	struct server *s = a->data;

	mgmt_free(s->mgmt);
	uv_close((uv_handle_t *)a, NULL);
}

static void *loop_run(void *arg)
{
	uv_run(&((struct server *)arg)->loop, UV_RUN_DEFAULT);
	return NULL;
}

static struct mgmt_conf conf_of(struct server *s)
{
	return (struct mgmt_conf){.socket_path = s->path,
				  .routes = routes,
				  .n_routes = 3,
				  .ctx = &s->things,
				  .max_body = MAX_BODY};
}

static int setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	struct mgmt_conf conf = conf_of(s);

	snprintf(s->dir, sizeof(s->dir), "/tmp/esplanade-mgmt.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
	s->things = 2500;
	assert_int_equal(uv_loop_init(&s->loop), 0);
	s->stop.data = s;
	uv_async_init(&s->loop, &s->stop, stop_wanted);
	assert_int_equal(mgmt_alloc(&s->mgmt, &s->loop, &conf), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, loop_run, s), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct server *s = *state;

	uv_async_send(&s->stop);
	pthread_join(s->thread, NULL);
	assert_int_equal(uv_loop_close(&s->loop), 0); /* every handle was closed */
	assert_int_equal(access(s->path, F_OK), -1);
	assert_int_equal(rmdir(s->dir), 0);
	free(s);
	return 0;
}

struct text {
	char p[65536];
	size_t n;
};

static size_t collect(char *data, size_t size, size_t n, void *arg)
{
	struct text *t = arg;

	assert_true(t->n + size * n < sizeof(t->p));
	memcpy(t->p + t->n, data, size * n);
	t->n += size * n;
	return size * n;
}

/* Status of the answer, its JSON in *answer. */
static long ask(struct server *s, const char *method, const char *path, const char *body, size_t n,
		json_t **answer)
{
	struct text *t = calloc(1, sizeof(*t));
	CURL *c = curl_easy_init();
	char url[256];
	long status = 0;

	snprintf(url, sizeof(url), "http://x%s", path);
	curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, s->path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	if (body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	assert_int_equal(curl_easy_perform(c), CURLE_OK);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	*answer = json_loadb(t->p, t->n, 0, NULL);
	assert_non_null(*answer);
	free(t);
	return status;
}

static void test_mgmt_socket_is_private(void **state)
{
	struct server *s = *state;
	struct stat st;

	assert_int_equal(stat(s->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_mgmt_pages(void **state)
{
	static const struct {
		const char *path;
		size_t n;
		json_int_t first;
	} rows[] = {
		{"/v1/things", MGMT_LIMIT_DEFAULT, 0},
		{"/v1/things?limit=1000", 1000, 0},
		{"/v1/things?offset=2400&limit=1000", 100, 2400},
		{"/v1/things?offset=2500", 0, 0},
		{"/v1/things?limit=0", 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *a, *items;

		assert_int_equal(ask(*state, "GET", rows[i].path, NULL, 0, &a), 200);
		items = json_object_get(a, "things");
		assert_int_equal(json_array_size(items), rows[i].n);
		if (rows[i].n)
			assert_int_equal(json_integer_value(json_array_get(items, 0)),
					 rows[i].first);
		assert_int_equal(json_integer_value(json_object_get(a, "total")), 2500);
		json_decref(a);
	}
}

static void test_mgmt_refusals(void **state)
{
	static const struct {
		const char *method, *path, *body, *says;
		long status;
	} rows[] = {
		{"GET", "/v1/none", NULL, "no such resource", 404},
		{"GET", "/v1/things/", NULL, "no such resource", 404},
		{"PUT", "/v1/things", NULL, "PUT cannot be done here", 405},
		{"DELETE", "/v1/things/none", NULL, "no thing none", 404},
		{"GET", "/v1/things?limit=1001", NULL, "limit: expected a number up to 1000", 400},
		{"GET", "/v1/things?limit=-1", NULL, "limit: expected a number", 400},
		{"GET", "/v1/things?offset=x", NULL, "offset: expected a number", 400},
		{"GET", "/v1/things?page=1", NULL, "expected offset or limit", 400},
		{"GET", "/v1/things", "{}", "expected no body", 400},
		{"POST", "/v1/things", NULL, "expected JSON", 400},
		{"POST", "/v1/things", "{\"k\":\"00112233\n\"}", "not JSON at line", 400},
		{"POST", "/v1/things", "{\"a\":1,\"a\":2}", "not JSON", 400},
		{"POST", "/v1/things", "nonsense", "not JSON at line 1", 400},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *body = rows[i].body, *error;
		json_t *a;

		assert_int_equal(ask(*state, rows[i].method, rows[i].path, body,
				     body ? strlen(body) : 0, &a),
				 rows[i].status);
		error = json_string_value(json_object_get(a, "error"));
		assert_non_null(error);
		if (!strstr(error, rows[i].says))
			print_error("%s\n", error);
		assert_non_null(strstr(error, rows[i].says));
		assert_null(strstr(error, "00112233"));
		json_decref(a);
	}
}

static void test_mgmt_body_is_bounded(void **state)
{
	size_t sizes[] = {MAX_BODY, MAX_BODY + 1, 10 * 1024 * 1024};
	char *body = malloc(sizes[2]);

	memset(body, ' ', sizes[2]);
	memcpy(body, "[1]", 3);
	for (unsigned i = 0; i < 3; i++) {
		json_t *a;

		assert_int_equal(ask(*state, "POST", "/v1/things", body, sizes[i], &a),
				 i == 0 ? 201 : 413);
		json_decref(a);
	}
	free(body);
}

static void test_mgmt_names_are_decoded(void **state)
{
	json_t *a;

	assert_int_equal(ask(*state, "DELETE", "/v1/things/a%40b%2Fc%20d", NULL, 0, &a), 200);
	assert_string_equal(json_string_value(json_object_get(a, "deleted")), "a@b/c d");
	json_decref(a);
}

/* Bytes that are no HTTP, and a connection that says nothing, disturb nobody. */
static void test_mgmt_survives_rubbish(void **state)
{
	struct server *s = *state;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	json_t *a;
	int fd[2];

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", s->path);
	for (unsigned i = 0; i < 2; i++) {
		fd[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(fd[i], (struct sockaddr *)&sa, sizeof(sa)), 0);
	}
	assert_true(write(fd[0], "\0\xff\r\n\r\nPOST / HTTP/9\r\n\r\n", 24) == 24);
	assert_int_equal(ask(s, "GET", "/v1/things?limit=1", NULL, 0, &a), 200);
	json_decref(a);
	close(fd[0]);
	close(fd[1]);
}

static void test_mgmt_second_server_refused(void **state)
{
	struct server *s = *state, other = {0};
	struct mgmt_conf conf = conf_of(s);
	struct mgmt *m = NULL;

	assert_int_equal(uv_loop_init(&other.loop), 0);
	assert_int_equal(mgmt_alloc(&m, &other.loop, &conf), -EADDRINUSE);
	assert_null(m);
	assert_int_equal(uv_loop_close(&other.loop), 0);
}

/* The socket file of a process that died is replaced; any other file is left alone. */
static void test_mgmt_stale_socket(void **state)
{
	struct server s = {.path = "/tmp/esplanade-mgmt-stale"};
	struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "/tmp/esplanade-mgmt-stale"};
	struct mgmt_conf conf = conf_of(&s);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	unlink(s.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd); /* without unlink, as kill -9 does */
	assert_int_equal(uv_loop_init(&s.loop), 0);
	assert_int_equal(mgmt_alloc(&s.mgmt, &s.loop, &conf), 0);
	mgmt_free(s.mgmt);
	uv_run(&s.loop, UV_RUN_DEFAULT);

	fclose(fopen(s.path, "w"));
	assert_int_equal(mgmt_alloc(&s.mgmt, &s.loop, &conf), -EEXIST);
	assert_int_equal(access(s.path, F_OK), 0);
	unlink(s.path);
	assert_int_equal(uv_loop_close(&s.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mgmt_socket_is_private),
		cmocka_unit_test(test_mgmt_pages),
		cmocka_unit_test(test_mgmt_refusals),
		cmocka_unit_test(test_mgmt_body_is_bounded),
		cmocka_unit_test(test_mgmt_names_are_decoded),
		cmocka_unit_test(test_mgmt_survives_rubbish),
		cmocka_unit_test(test_mgmt_second_server_refused),
		cmocka_unit_test(test_mgmt_stale_socket),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
