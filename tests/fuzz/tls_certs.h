/* A root and a P-CSCF's certificate that UEs take (TS 33.203 Annex O.5), made for one run. */
#pragma once

struct tls_certs {
	char root[128], server[128], key[128]; /* files, PEM */
};

/* In that directory; ends the program if it cannot. */
void tls_certs_make(struct tls_certs *files, const char *dir);
void tls_certs_remove(const struct tls_certs *files);
