#!/bin/bash
# `openssl s_client` against the daemon: each version and suite, resumption, no CertificateRequest, no compression, new certificates by
# SIGHUP, what is refused by default and taken by switches.
# covers: TL-01, TL-04, TL-06, TL-08, TL-09, TL-11, TL-12, TL-14, DT-02, DT-04
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
NET_BUILD=${NET_BUILD:-$PWD/build}
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT
name=pcscf.ims.mnc001.mcc001.3gppnetwork.org

fail() {
	echo "FAIL: $*"
	[ ! -s "$NET_DIR/s_client.log" ] || tail -n 20 "$NET_DIR/s_client.log"
	grep TLS "$NET_DIR/esplanade.log" | tail -n 5
	exit 1
}

client() { # OPTION...
	ip netns exec "$NET_GW" timeout 10 openssl s_client -connect "$net_pcscf4:${port:-5061}" -CAfile "$NET_DIR/certs/root.pem" \
		-verify_return_error -verify_hostname "$name" "$@" </dev/null >"$NET_DIR/s_client.log" 2>&1
}
shakes() { client "$@" || fail "refused: $*"; }
refused() { ! client "$@" || fail "taken: $*"; }
shows() { grep -Eq "$1" "$NET_DIR/s_client.log" || fail "does not show $1"; }
hides() { ! grep -Eq "$1" "$NET_DIR/s_client.log" || fail "shows $1"; }

conf() { # LINE...: the demo's with these
	cat etc/demo.conf
	printf 'tls = { enabled = true; certificate = "certs/server.pem"; key = "certs/server.key"; %s };\n' "$*"
}

start() { net_daemon "$NET_DIR/tls.conf"; }
stop() {
	kill "$NET_DAEMON"
	wait "$NET_DAEMON" 2>/dev/null || true
}
step() { echo "ok: $*"; }

net_up
scripts/make-certs "$NET_DIR/certs" --name "$name"

# --- ECDSA
conf >"$NET_DIR/tls.conf"
start
shakes -tls1_3
shows 'TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384'
shows 'No client certificate CA names sent'
for suite in TLS_AES_128_GCM_SHA256 TLS_CHACHA20_POLY1305_SHA256; do
	shakes -tls1_3 -ciphersuites "$suite"
	shows "Cipher is $suite"
done
for suite in ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305; do
	shakes -tls1_2 -cipher "$suite"
	shows "TLSv1.2, Cipher is $suite"
done
shakes -tls1_2 -comp -msg
shows 'Compression: NONE'
hides CertificateRequest
shakes -tls1_3 -msg
hides CertificateRequest
refused -tls1 -cipher ALL:@SECLEVEL=0
refused -tls1_1 -cipher ALL:@SECLEVEL=0
refused -tls1_2 -cipher AES128-SHA
refused -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA
refused -tls1_2 -cipher NULL:@SECLEVEL=0
step "versions and suites"

for way in "-tls1_2" "-tls1_2 -no_ticket"; do
	# shellcheck disable=SC2086
	shakes $way -sess_out "$NET_DIR/session"
	shows '^New'
	# shellcheck disable=SC2086
	shakes $way -sess_in "$NET_DIR/session"
	shows '^Reused'
done
step "resumption"

port=5060 refused -tls1_3
step "no TLS on 5060"

before=$(openssl x509 -in "$NET_DIR/certs/server.crt" -noout -serial)
scripts/make-certs "$NET_DIR/certs" --name "$name"
after=$(openssl x509 -in "$NET_DIR/certs/server.crt" -noout -serial)
[ "$before" != "$after" ] || fail "the same certificate again"
served() { openssl x509 -in "$NET_DIR/s_client.log" -noout -serial; }
shakes -tls1_3
[ "$(served)" = "$before" ] || fail "a new certificate without SIGHUP"
kill -HUP "$NET_DAEMON"
sleep 0.5
shakes -tls1_3
[ "$(served)" = "$after" ] || fail "SIGHUP does not bring the new certificate"
scripts/make-certs "$NET_DIR/certs" --name "$name" --bad no-server-auth
kill -HUP "$NET_DAEMON"
sleep 0.5
shakes -tls1_3
[ "$(served)" = "$after" ] || fail "a bad certificate is taken"
grep -q 'serverAuth; the old certificate stays' "$NET_DIR/esplanade.log" || fail "nothing is said of the bad certificate"
step "new certificates"
stop

if start 2>"$NET_DIR/start.log"; then fail "starts with a bad certificate"; fi
grep -q 'not one for a P-CSCF.*serverAuth' "$NET_DIR/esplanade.log" || fail "does not say why it does not start"
step "no start with a bad certificate"

# --- RSA, and switches
scripts/make-certs "$NET_DIR/certs" --name "$name" --rsa 2048
sed 's/^legacy = {/&\n\ttls10 = true;/' etc/demo.conf >"$NET_DIR/tls.conf"
conf "upgrade_5060 = true; port = 16061;" | sed '1,/^tls =/{/^tls =/!d}' >>"$NET_DIR/tls.conf"
start
grep -q 'legacy.tls10' "$NET_DIR/esplanade.log" || fail "no warning of old versions"
port=16061
shakes -tls1 -cipher AES128-SHA:@SECLEVEL=0
shakes -tls1_1 -cipher AES128-SHA:@SECLEVEL=0
shakes -tls1_2 -cipher AES128-SHA
shakes -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256
shakes -tls1_3
step "old versions by switch, another port"
port=5060 shakes -tls1_3
step "TLS on 5060 by switch"
stop
