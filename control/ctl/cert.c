#include "control/ctl/cert.h"

#include <errno.h>
#include <jansson.h>

#include "control/tls/tls.h"

static void fault_print(void *arg, const char *what)
{
	const struct args *a = arg;

	printf("%s: %s\n", a->file, what);
}

static void fault_keep(void *arg, const char *what)
{
	json_array_append_new(arg, json_string(what));
}

static int check_json(const struct tls_check *what, char *why)
{
	json_t *faults = json_array();
	int n = tls_certificate_check(what, fault_keep, faults, why);

	if (n >= 0) {
		json_t *o = json_pack("{s:s, s:O}", "file", what->certificate, "faults", faults);

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	}
	json_decref(faults);
	return n;
}

int cert_check(const struct args *a)
{
	const struct tls_check what = {.certificate = a->file,
				       .ca = a->ca_file,
				       .crl = a->crl_file,
				       .name = a->name,
				       .legacy = a->legacy};
	char why[TLS_WHY];
	int n = a->json ? check_json(&what, why)
			: tls_certificate_check(&what, fault_print, (void *)a, why);

	if (n < 0)
		fprintf(stderr, "esplanadectl: %s\n", why);
	else if (n == 0 && !a->json)
		printf("%s: good%s\n", a->file,
		       a->ca_file ? "" : " (its path to a root was not looked at: --ca)");
	return n < 0 ? -EINVAL : n ? -EIO : 0;
}
