#!/bin/bash
# A demo that is interrupted, or killed, leaves no process and no namespace once the next one has run.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

leftovers() { ip netns list | grep -c "^esplanade-[a-z]*-$1\b" || true; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for signal in INT TERM KILL; do
	setsid scripts/demo --keep --ues 10 >"$log" 2>&1 &
	demo=$!
	for _ in $(seq 200); do grep -q "Still running" "$log" && break; sleep 0.1; done
	grep -q "Still running" "$log" || { cat "$log"; exit 1; }
	kill -s "$signal" "$demo"
	wait "$demo" || true
	if [ "$signal" = KILL ]; then
		[ "$(leftovers "$demo")" = 2 ] || { echo "expected what a killed demo leaves"; exit 1; }
		scripts/demo --json --ues 10 >/dev/null
	fi
	[ "$(leftovers "$demo")" = 0 ] || { echo "SIG$signal left namespaces of $demo"; exit 1; }
done
