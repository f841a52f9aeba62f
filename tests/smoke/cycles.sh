#!/bin/bash
# 10,000 registrations and de-registrations end with no SA, no transaction, no timer, and no growth of memory.
# covers: F07, F21, LC-05
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
NET_BUILD=$PWD/build
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT

rounds=${1:-10} ues=1000
resident() { awk '/^VmRSS/ {print $2}' "/proc/$NET_PID/status"; }

# Waits until what lingers after a de-registration, for repeats of its 200, has gone.
drained() {
	for _ in $(seq 120); do
		net_ctl show status --json >"$NET_DIR/status.json"
		python3 tests/smoke/drained.py "$NET_DIR/status.json" && return
		sleep 1
	done
	cat "$NET_DIR/status.json"
	return 1
}

net_up
# Timers of a tenth, so that what lingers for repeats does so for seconds, not minutes.
cat etc/demo.conf - >"$NET_DIR/quick.conf" <<-EOT
	timers = { t1_ms = 200; t2_ms = 1600; t4_ms = 1700; sa_linger = 15; };
EOT
net_daemon "$NET_DIR/quick.conf"
NET_PID=$(ip netns pids "$NET_GW" | head -n 1)
net_subscribers "$ues"
first=
for round in $(seq "$rounds"); do
	net_load 4 --ues "$ues" --rate 1000 --messages 0 --seconds 60 --json >"$NET_DIR/load.json" 2>"$NET_DIR/load.log" ||
		{ cat "$NET_DIR/load.log" "$NET_DIR/load.json"; exit 1; }
	# the first rounds bring pools and caches to their size
	[ "$round" != 4 ] || first=$(resident)
done
drained
last=$(resident)
echo "$((rounds * ues)) cycles: 0 SA sets, 0 transactions; resident $first kB after $((4 * ues)), $last kB at the end"
[ $((last - first)) -lt 2048 ]
