#!/bin/bash
# SIP over TCP inside ESP: everything over TCP, mixed with UDP, long messages in many segments, both IP versions; then connections
# that either side resets or closes again and again in the middle: no registration and no message may be lost.
# covers: SP-16, SP-17, ES-04, HX-15, F10, F11, F12, F35
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

check() { # UES MESSAGES JSON
	python3 - "$@" <<-'EOT'
	import json, sys
	ues, messages, r = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3].splitlines()[-1])
	assert r["registered"] == ues and r["failed"] == 0, r
	assert r["messages_sent"] == r["messages_delivered"] == ues * messages, r
	print(json.dumps(r))
	EOT
}
check 30 5 "$(scripts/demo --json --ues 30 --transport tcp)"
check 30 5 "$(scripts/demo --json --ues 30 --transport tcp --ip 6 --size 4000)"
check 30 5 "$(scripts/demo --json --ues 30 --transport mixed --size 3000)"
check 30 5 "$(scripts/demo --json --ues 30 --transport mixed --ip 6)"

NET_BUILD=$PWD/build
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT

# Resets connections of one namespace, all there are at that moment, until the file is gone.
chop() { # NAMESPACE
	while [ -e "$NET_DIR/chop" ]; do
		ip netns exec "$1" ss -tK state established >/dev/null 2>&1 || true
		sleep 0.2
	done
}

for ip in 4 6; do
	net_up
	net_daemon
	net_subscribers 20
	: >"$NET_DIR/chop"
	chop "$NET_UE" &
	chop "$NET_GW" &
	# closed in good order, too: by the UEs after a second
	result=$(net_load "$ip" --ues 20 --rate 20 --messages 100 --window 8 --size 2000 --transport tcp --tcp-idle 1 --json)
	rm "$NET_DIR/chop"
	check 20 100 "$result"
	net_down
done
