#!/bin/bash
# SIPp, which knows no IMS, as phones with passwords: registers by SIP Digest over UDP, TCP and TLS, is seen by the
# daemon, and de-registers; a wrong password is refused. SIPp counts no failure. Debian's SIPp has no TLS: there
# tls_relay.py makes one TLS connection of each of its TCP connections.
# covers: DN-01, TL-12
#
# usage: tests/interop/sipp_digest.sh [USERS]     (8)
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v sipp >/dev/null || { echo "needs sipp (package sip-tester)"; exit 77; }
NET_BUILD=${NET_BUILD:-$PWD/build}
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT
users=${1:-8} host=10.45.0.1 realm=ims.mnc001.mcc001.3gppnetwork.org
scenario=$PWD/tests/interop/sipp_digest.xml

fail() {
	echo "$*"
	for log in "$NET_DIR"/*.out "$NET_DIR"/*/*errors.log; do [ ! -f "$log" ] || { echo "== $log"; grep -v "^ *$" "$log" | head -c 2500 || true; }; done
	tail -n 25 "$NET_DIR/esplanade.log"
	net_ctl show drops || true
	exit 1
}

# What is de-registered lingers as "ending", for repeats of the last answer.
registered() { net_ctl show registrations --json | { grep -o '"state": *"registered"' || true; } | wc -l; }

# SIPp in its own folder: its statistics must say that many calls succeeded and failed.
sipp_run() { # NAME SUCCEEDED FAILED OPTION...
	local name=$1 want="$2 $3" got
	shift 3
	mkdir -p "$NET_DIR/$name"
	(cd "$NET_DIR/$name" && exec ip netns exec "$NET_UE" timeout 15 sipp -sf "$scenario" -inf ../users.csv -auth_uri "$realm" -i "$host" -m "$users" \
		-r 20 -nostdin -max_socket 500 -trace_err -trace_stat -fd 1 -stf statistics.csv "$@" >"$NET_DIR/$name.out" 2>&1) || true
	[ -s "$NET_DIR/$name/statistics.csv" ] || { cat "$NET_DIR/$name.out"; fail "$name: SIPp did not run"; }
	got=$(python3 -c '
import csv, sys
last = list(csv.DictReader(open(sys.argv[1]), delimiter=";"))[-1]
print(last["SuccessfulCall(C)"], last["FailedCall(C)"])' "$NET_DIR/$name/statistics.csv")
	[ "$got" = "$want" ] || fail "$name: SIPp has $got calls succeeded and failed, not $want"
}

# SEQUENTIAL, then in CSV: user;authentication;realm
users_csv() { # PASSWORD_PREFIX
	echo SEQUENTIAL
	for i in $(seq "$users"); do
		echo "u$i;[authentication username=u$i@$realm password=$1$i];$realm"
	done
}

round() { # NAME OPTION...
	local name=$1 most=0 now pid
	shift
	users_csv secret >"$NET_DIR/users.csv"
	sipp_run "$name" "$users" 0 "$@" &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		now=$(registered)
		((now <= most)) || most=$now
		sleep 0.1
	done
	wait "$pid" || exit 1
	[ "$most" = "$users" ] || fail "$name: $most users registered at a time, not $users"
	[ "$(registered)" = 0 ] || fail "$name: $(registered) users are left"
	users_csv wrong >"$NET_DIR/users.csv"
	sipp_run "$name-wrong" 0 "$users" "$@"
	grep -q "SIP/2.0 403" "$NET_DIR/$name-wrong"/*errors.log || fail "$name: no 403 for a wrong password"
	[ "$(registered)" = 0 ] || fail "$name: a wrong password has registered"
	echo "$name: $users users registered and de-registered, 0 failed; $users with wrong passwords refused"
}

net_up
scripts/make-certs "$NET_DIR/certs" --name "pcscf.$realm" --address "$net_pcscf4" >/dev/null 2>&1
cat etc/demo.conf - >"$NET_DIR/sipp.conf" <<-EOF
	tls = { enabled = true; certificate = "certs/server.pem"; key = "certs/server.key"; };
	access_networks = ( { source = "10.44.0.0/15"; mechanisms = ["tls", "digest"]; policy = "optional"; } );
EOF
net_daemon "$NET_DIR/sipp.conf"
for i in $(seq "$users"); do
	echo "secret$i" | net_ctl subscriber add --impi "u$i@$realm" --impu "sip:u$i@$realm" --digest --password-file - >/dev/null
done
net_ue_plain 4
ip netns exec "$NET_UE" /usr/bin/python3 tests/interop/tls_relay.py "$host:5090" "$net_pcscf4:5061" "$NET_DIR/certs/root.pem" \
	"pcscf.$realm" >"$NET_DIR/relay.out" 2>&1 &

round udp -t un "$net_pcscf4:5060"
round tcp -t tn "$net_pcscf4:5060"
round tls -t tn "$host:5090"
