#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/keyexp.h"
#include "tests/interop/esp_echo.h"

#define PATIENCE_S 20 /* of a connection: the VM is slow */

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	ip_addr_parse(&a, text);
	return a;
}

static struct ip_addr gateway_address(unsigned ip)
{
	return address(ip == 4 ? "10.44.0.1" : "fd00:44::1");
}

static struct ip_addr ue_address(unsigned ip)
{
	return address(ip == 4 ? "10.44.0.2" : "fd00:44::2");
}

static unsigned case_ip(unsigned number)
{
	return number / 6 % 2 ? 6 : 4;
}

static struct ip_addr inner_address(unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), case_ip(number) == 4 ? "10.45.1.%u" : "fd00:45::1:%x",
		 number + 1);
	return address(text);
}

static void case_keys(unsigned number, struct sa_set *set)
{
	uint8_t ik[16], ck[16];

	for (unsigned i = 0; i < 16; i++) {
		ik[i] = (uint8_t)(17 * number + 3 * i + 1);
		ck[i] = (uint8_t)(29 * number + 5 * i + 7);
	}
	keyexp_esp(&set->keys, set->integ, set->encr, ik, ck);
}

void echo_case(unsigned number, bool gateway, struct sa_set *set)
{
	unsigned ip = case_ip(number), own = gateway ? 30000 : 20000,
		 peer = gateway ? 20000 : 30000;
	struct ip_addr gw = gateway_address(ip), ue = ue_address(ip), inner = inner_address(number);

	memset(set, 0, sizeof(*set));
	set->mode = number / 12 ? SA_MODE_UDP_ENC_TUN : SA_MODE_TRANSPORT;
	set->integ = (enum sa_integ)(number % 6 / SA_ENCR_COUNT);
	set->encr = (enum sa_encr)(number % SA_ENCR_COUNT);
	set->local = gateway ? gw : ue;
	set->remote = gateway ? ue : gw;
	for (unsigned p = 0; p < SA_PAIRS; p++) { /* our server's port talks to their client's */
		set->local_port[p] = (uint16_t)(own + 1000 * p + number);
		set->remote_port[p] = (uint16_t)(peer + 1000 * !p + number);
	}
	if (set->mode == SA_MODE_UDP_ENC_TUN) {
		set->tunnel.remote_port = gateway ? 0 : 4500;
		set->tunnel.follow = gateway;
		set->tunnel.inner_local = gateway ? gw : inner;
		set->tunnel.inner_remote[0] = gateway ? inner : gw;
	}
	case_keys(number, set);
}

const char *echo_case_name(unsigned number)
{
	static const char *const names[ECHO_CASES] = {
		"transport IPv4 sha1/null",	      "transport IPv4 sha1/aes-cbc",
		"transport IPv4 sha1/des-ede3-cbc",   "transport IPv4 md5/null",
		"transport IPv4 md5/aes-cbc",	      "transport IPv4 md5/des-ede3-cbc",
		"transport IPv6 sha1/null",	      "transport IPv6 sha1/aes-cbc",
		"transport IPv6 sha1/des-ede3-cbc",   "transport IPv6 md5/null",
		"transport IPv6 md5/aes-cbc",	      "transport IPv6 md5/des-ede3-cbc",
		"udp-enc-tun IPv4 sha1/null",	      "udp-enc-tun IPv4 sha1/aes-cbc",
		"udp-enc-tun IPv4 sha1/des-ede3-cbc", "udp-enc-tun IPv4 md5/null",
		"udp-enc-tun IPv4 md5/aes-cbc",	      "udp-enc-tun IPv4 md5/des-ede3-cbc",
		"udp-enc-tun IPv6 sha1/null",	      "udp-enc-tun IPv6 sha1/aes-cbc",
		"udp-enc-tun IPv6 sha1/des-ede3-cbc", "udp-enc-tun IPv6 md5/null",
		"udp-enc-tun IPv6 md5/aes-cbc",	      "udp-enc-tun IPv6 md5/des-ede3-cbc"};

	return names[number];
}

struct dp_out echo_clear(unsigned ip, bool gateway)
{
	struct ip_endpoint gw = {gateway_address(ip), 5060}, ue = {ue_address(ip), 5060};

	return (struct dp_out){.local = gateway ? gw : ue, .remote = gateway ? ue : gw};
}

int echo_send_text(struct dp *dp, const struct dp_out *out, const char *text)
{
	const struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};

	return dp_send(dp, out, &iov, 1);
}

struct ip_endpoint echo_local(const struct sa_set *set, unsigned pair)
{
	bool tunnel = set->mode == SA_MODE_UDP_ENC_TUN;

	return (struct ip_endpoint){tunnel ? set->tunnel.inner_local : set->local,
				    set->local_port[pair]};
}

struct ip_endpoint echo_remote(const struct sa_set *set, unsigned pair)
{
	bool tunnel = set->mode == SA_MODE_UDP_ENC_TUN;

	return (struct ip_endpoint){tunnel ? set->tunnel.inner_remote[0] : set->remote,
				    set->remote_port[pair]};
}

/* ---- TCP ---------------------------------------------------------------------------------- */

static socklen_t to_sockaddr(const struct ip_endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (e->addr.version == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		memcpy(&v4->sin_addr, e->addr.b, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(e->port);
	memcpy(&v6->sin6_addr, e->addr.b, 16);
	return sizeof(*v6);
}

static int tcp_bind(const struct ip_endpoint *local)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_storage addr;
	socklen_t n = to_sockaddr(local, &addr);
	int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, n) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int echo_tcp_listen(const struct ip_endpoint *local)
{
	int fd = tcp_bind(local), rc;

	if (fd < 0 || listen(fd, 4) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int echo_tcp_connect(const struct ip_endpoint *local, const struct ip_endpoint *remote)
{
	struct sockaddr_storage addr;
	socklen_t n = to_sockaddr(remote, &addr);
	int fd = tcp_bind(local), rc;

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, n) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}
