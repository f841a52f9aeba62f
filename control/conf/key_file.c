/* Keys in a file of their own, so that the configuration may be shown around. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/base/parse.h"
#include "control/conf/key.h"

#define MAX_KEY_FILE 1024

unsigned conf_integ_key_len(enum sa_integ integ)
{
	return integ == SA_INTEG_HMAC_SHA_1_96 ? 20 : 16;
}

unsigned conf_encr_key_len(enum sa_encr encr)
{
	return encr == SA_ENCR_NULL ? 0 : encr == SA_ENCR_AES_CBC ? 16 : 24;
}

/* Not through stdio, whose buffer would keep the keys. Octets read, or negative errno. */
static ssize_t file_octets(const char *path, char *text, size_t cap, mode_t *mode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = -EINVAL;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*mode = st.st_mode;
		n = read(fd, text, cap);
		if (n < 0)
			n = -errno;
	}
	close(fd);
	return n;
}

/* "word HEX": into key, once. */
static bool line_read(struct sv line, const char *word, uint8_t *key, unsigned len, bool *seen)
{
	size_t n = strlen(word);

	if (*seen || line.n <= n || memcmp(line.p, word, n) != 0)
		return false;
	*seen = parse_hex(sv_trim((struct sv){line.p + n, line.n - n}), key, len);
	return *seen;
}

static int lines_read(struct sv text, const struct conf_algorithm *a, struct sa_keys *keys,
		      char *why, size_t cap)
{
	unsigned integ_len = conf_integ_key_len(a->integ), encr_len = conf_encr_key_len(a->encr);
	bool integ = false, encr = false;

	for (unsigned number = 1; text.n; number++) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		struct sv line = sv_trim((struct sv){text.p, n});

		text.p += n + (end != NULL);
		text.n -= n + (end != NULL);
		if (line.n == 0 || line.p[0] == '#' ||
		    line_read(line, "integ ", keys->integ, integ_len, &integ) ||
		    (encr_len && line_read(line, "encr ", keys->encr, encr_len, &encr)))
			continue;
		snprintf(why, cap, "line %u: expected \"integ\" and %u hexadecimal digits%s",
			 number, integ_len * 2,
			 !encr_len	  ? ""
			 : encr_len == 16 ? ", or \"encr\" and 32"
					  : ", or \"encr\" and 48");
		return -EINVAL;
	}
	if (integ && (encr || !encr_len))
		return 0;
	snprintf(why, cap, "expected a line \"%s\"", integ ? "encr" : "integ");
	return -EINVAL;
}

int conf_key_file(const char *path, const struct conf_algorithm *a, struct sa_keys *keys, char *why,
		  size_t cap)
{
	char text[MAX_KEY_FILE + 1];
	mode_t mode = 0;
	ssize_t n = file_octets(path, text, sizeof(text), &mode);
	int err = -EINVAL;

	if (n < 0)
		snprintf(why, cap, "cannot be read: %s",
			 n == -EINVAL ? "not a file" : strerror((int)-n));
	else if (n > MAX_KEY_FILE)
		snprintf(why, cap, "expected %d octets or less", MAX_KEY_FILE);
	else if (mode & (S_IRWXG | S_IRWXO))
		snprintf(why, cap, "expected to be its owner's alone (chmod 600)");
	else
		err = lines_read((struct sv){text, (size_t)n}, a, keys, why, cap);
	explicit_bzero(text, sizeof(text));
	return err;
}
