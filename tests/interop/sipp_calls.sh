#!/bin/bash
# SIPp, which knows no IMS, calls through UEs of ours: SIPp - gateway - ESP - esplanade - ESP - gateway - SIPp. Every call
# succeeds by SIPp's own statistics, and the daemon's counters say that it all went through ESP.
#
# usage: tests/interop/sipp_calls.sh [CALLS [RATE]]     (150, 50 per second)
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v sipp >/dev/null || { echo "needs sipp (package sip-tester)"; exit 77; }
NET_BUILD=${NET_BUILD:-$PWD/build}
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT
calls=${1:-150} rate=${2:-50}
scenarios=$PWD/tests/interop

fail() {
	echo "$*"
	head -c 1500 "$NET_DIR"/*/*errors.log /dev/null
	for log in "$NET_DIR"/*.log; do echo "== $log"; grep -v "^ *$\|tap_\|qdisc" "$log" | tail -n 8; done
	exit 1
}

counter() { # PART NAME
	net_ctl show status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]][sys.argv[2]])' "$1" "$2"
}

# SIPp in its own folder, where it leaves its statistics.
sipp_run() { # NAME SECONDS OPTION...
	local name=$1 limit=$2
	shift 2
	mkdir -p "$NET_DIR/$name"
	(cd "$NET_DIR/$name" && exec ip netns exec "$NET_UE" timeout "$limit" sipp "$@" -m "$calls" -nostdin -trace_err \
		-trace_stat -fd 1 -stf statistics.csv >"$NET_DIR/$name.log" 2>&1)
}

# Values of the last line of SIPp's statistics.
statistics() { # NAME COLUMN...
	python3 -c '
import csv, sys
last = list(csv.DictReader(open(sys.argv[1]), delimiter=";"))[-1]
print(*(last[c] for c in sys.argv[2:]))' "$NET_DIR/$1/statistics.csv" "${@:2}"
}

# Two UEs register; SIPp behind the first calls SIPp behind the second.
round() { # NAME 4|6 CALLER_OPTION CALLEE_OPTION GATEWAY_OPTION...
	local name=$1 ip=$2 caller=$3 callee=$4 gateway callee_pid out in packets status=0
	shift 4
	net_load "$ip" --ues 2 "$@" >"$NET_DIR/$name.json" 2>"$NET_DIR/$name.log" &
	gateway=$!
	for _ in $(seq 150); do
		grep -q "gateway ready" "$NET_DIR/$name.log" && break
		kill -0 "$gateway" 2>/dev/null || fail "$name: no gateway"
		sleep 0.1
	done
	out=$(counter dataplane esp_protected) in=$(counter dataplane esp_checked)
	# shellcheck disable=SC2086
	sipp_run "$name-uas" 40 $callee -i 127.0.0.1 -p 5081 127.0.0.1:5071 &
	callee_pid=$!
	sleep 0.3
	# -l: the P-CSCF knows 32 dialogs of a UE at a time
	# shellcheck disable=SC2086
	sipp_run "$name-uac" 35 $caller -i 127.0.0.1 -p 5061 -r "$rate" -l 25 -d 200 -s "$user" 127.0.0.1:5070 || fail "$name: the caller failed"
	wait "$callee_pid" || fail "$name: the callee failed"
	[ "$(statistics "$name-uac" 'SuccessfulCall(C)' 'FailedCall(C)')" = "$calls 0" ] || fail "$name: not all calls succeeded"
	[ "$(statistics "$name-uas" 'SuccessfulCall(C)' 'FailedCall(C)')" = "$calls 0" ] || fail "$name: not all calls succeeded"
	out=$(($(counter dataplane esp_protected) - out)) in=$(($(counter dataplane esp_checked) - in))
	# of each call INVITE, ACK, BYE from one UE, 180, 200, 200 from the other, and all of them towards the other one
	packets=$((6 * calls))
	((out >= packets && in >= packets)) || fail "$name: $in packets checked and $out protected, not $packets each"
	kill -INT "$(pgrep -P "$gateway" esplanade-ue || echo "$gateway")"
	wait "$gateway" || status=$?
	[ "$status" = 0 ] || fail "$name: the gateway ended with $status"
	grep -q '"refused": 0' "$NET_DIR/$name.json" || fail "$name: the gateway refused messages: $(cat "$NET_DIR/$name.json")"
	echo "$name: $calls calls, 0 failed; $in packets checked, $out protected; $(tail -n 1 "$NET_DIR/$name.json")"
}

net_up
sed '$a registrar = { expires_min = 4; challenge_protected = true; };' etc/demo.conf >"$NET_DIR/sipp.conf"
net_daemon "$NET_DIR/sipp.conf"
net_subscribers 2
user=$(sed -n 2p "$NET_DIR/subscribers.csv" | cut -d, -f6 | sed 's/^sip://; s/@.*//')

net_command=gateway
round udp 4 "-sf $scenarios/sipp_uac.xml" "-sf $scenarios/sipp_uas.xml"
round tcp 6 "-sf $scenarios/sipp_uac.xml" "-sf $scenarios/sipp_uas.xml" --transport tcp
round builtin 4 "-sn uac" "-sn uas" --alg md5/3des
# calls go on while each UE authenticates anew every four seconds
before=$(counter pcscf registrations)
rate=15
round rereg 4 "-sf $scenarios/sipp_uac.xml" "-sf $scenarios/sipp_uas.xml" --expires 8
again=$(($(counter pcscf registrations) - before - 2))
((again >= 2)) || fail "$again registrations: none while calls were made"
echo "rereg: $again new sets of SAs meanwhile"
for part in pcscf scscf; do
	[ "$(counter $part impossible)" = 0 ] || fail "$part: an event that its states do not know"
done

net_ctl show drops --json >"$NET_DIR/drops.json"
python3 - "$NET_DIR/drops.json" <<'EOT'
import json, sys
drops = json.load(open(sys.argv[1]))
bad = {k: v for k, v in drops["dataplane"].items() if v and k in ("bad_icv", "replay", "unknown_spi", "selector")}
assert not bad, bad
print("drops:", {k: v for part in ("dataplane", "pcscf") for k, v in drops[part].items() if v})
EOT
