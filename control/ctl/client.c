#include "control/ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWER (16 * 1024 * 1024)

struct client {
	CURL *curl;
	struct curl_slist *headers;
	char *socket_path;
	char error[CURL_ERROR_SIZE];
};

struct answer {
	char *p;
	size_t n;
};

static size_t answer_add(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	size_t more = size * n;
	char *bigger = more <= MAX_ANSWER - a->n ? realloc(a->p, a->n + more + 1) : NULL;

	if (!bigger)
		return 0;
	memcpy(bigger + a->n, data, more);
	a->p = bigger;
	a->n += more;
	return more;
}

int client_alloc(struct client **cp, const char *socket_path)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	curl_global_init(CURL_GLOBAL_NOTHING);
	c->curl = curl_easy_init();
	c->headers = curl_slist_append(NULL, "Content-Type: application/json");
	c->socket_path = strdup(socket_path);
	if (!c->curl || !c->headers || !c->socket_path) {
		client_free(c);
		return -ENOMEM;
	}
	*cp = c;
	return 0;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	curl_slist_free_all(c->headers);
	curl_global_cleanup();
	free(c->socket_path);
	free(c);
}

static void request_prepare(struct client *c, const char *method, const char *url, const char *body,
			    struct answer *a)
{
	curl_easy_reset(c->curl);
	c->error[0] = '\0';
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket_path);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, 5L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, answer_add);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
	if (body) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
}

static void connect_complain(const struct client *c, CURLcode code)
{
	long os_error = 0;
	const char *reason = c->error[0] ? c->error : curl_easy_strerror(code);

	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &os_error);
	if (code != CURLE_COULDNT_CONNECT)
		fprintf(stderr, "esplanadectl: %s: %s\n", c->socket_path, reason);
	else
		fprintf(stderr, "esplanadectl: %s: cannot connect%s%s (%s)\n", c->socket_path,
			os_error ? ": " : "", os_error ? strerror((int)os_error) : "",
			os_error == EACCES ? "only the daemon's user and root may"
					   : "is esplanade running?");
}

static int perform(struct client *c, const struct answer *a, json_t **answer)
{
	CURLcode code = curl_easy_perform(c->curl);
	const char *text;
	long status = 0;

	if (code != CURLE_OK) {
		connect_complain(c, code);
		return -EIO;
	}
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	*answer = a->p ? json_loadb(a->p, a->n, 0, NULL) : NULL;
	if (status >= 200 && status < 300 && *answer)
		return 0;
	text = json_string_value(json_object_get(*answer, "error"));
	fprintf(stderr, "esplanadectl: refused (%ld): %s\n", status,
		text ? text : "no reason given");
	return -EIO;
}

int client_request(struct client *c, const char *method, const char *path, const json_t *body,
		   json_t **answer)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, *url = NULL;
	struct answer a = {NULL, 0};
	json_t *got = NULL;
	int err = -ENOMEM;

	if ((!body || text) && asprintf(&url, "http://esplanade%s", path) >= 0) {
		request_prepare(c, method, url, text, &a);
		err = perform(c, &a, &got);
	}
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	free(url);
	free(a.p);
	if (answer)
		*answer = got;
	else
		json_decref(got);
	return err;
}

int client_request_name(struct client *c, const char *method, const char *prefix, const char *name,
			const json_t *body, json_t **answer)
{
	char *escaped = curl_easy_escape(c->curl, name, 0), *path = NULL;
	int err = -ENOMEM;

	if (escaped && asprintf(&path, "%s/%s", prefix, escaped) >= 0)
		err = client_request(c, method, path, body, answer);
	free(path);
	curl_free(escaped);
	return err;
}
