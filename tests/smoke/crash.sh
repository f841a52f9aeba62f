#!/bin/bash
# kill -9 of the daemon in the middle of registrations: after a restart no SQN is used again and all phones
# register without an operator.
# covers: AK-04, LC-04
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
NET_BUILD=$PWD/build
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT

net_up
net_daemon
net_subscribers 400
highest() { # FILE: SQN by IMPI as the HSS gave it out last
	net_ctl subscriber list --json | python3 -c '
import json, sys
for s in json.load(sys.stdin)["subscribers"]:
    print(s["impi"], s["sqn"])' | sort >"$1"
}
net_load 4 --ues 400 --rate 200 --messages 0 --seconds 60 --json >"$NET_DIR/first.json" 2>"$NET_DIR/first.log" &
load=$!
sleep 1
highest "$NET_DIR/before"
kill -9 "$NET_DAEMON"
wait "$NET_DAEMON" 2>/dev/null || true
net_daemon
highest "$NET_DIR/after"
# what the store holds after the crash is at least what had been given out before it
join "$NET_DIR/before" "$NET_DIR/after" | awk '$3 < $2 {print "SQN went back:", $0; bad = 1} END {exit bad}'
wait "$load" || true
cat "$NET_DIR/first.json"
python3 - "$NET_DIR/first.json" <<'EOT'
import json, sys
r = json.loads(open(sys.argv[1]).read().splitlines()[-1])
assert r["registered"] == 400, r
EOT
