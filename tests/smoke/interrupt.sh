#!/bin/bash
# A demo that is interrupted, or killed, leaves no process and no namespace once the next one has run.
set -euo pipefail
trap 'echo "line $LINENO: $BASH_COMMAND: status $?"' ERR
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

leftovers() { ip netns list | grep -c "^esplanade-[a-z]*-$1\b" || true; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for signal in INT TERM KILL; do
	# a background job ignores SIGINT unless told otherwise
	setsid env --default-signal=INT scripts/demo --keep --ues 10 >"$log" 2>&1 &
	demo=$!
	for _ in $(seq 200); do grep -q "Still running" "$log" && break; sleep 0.1; done
	grep -q "Still running" "$log" || { cat "$log"; exit 1; }
	kill -s "$signal" "$demo"
	for _ in $(seq 100); do kill -0 "$demo" 2>/dev/null || break; sleep 0.1; done
	kill -0 "$demo" 2>/dev/null && { echo "SIG$signal did not end it"; kill -9 "$demo"; exit 1; }
	if [ "$signal" = KILL ]; then
		[ "$(leftovers "$demo")" = 2 ] || { echo "expected what a killed demo leaves"; exit 1; }
		scripts/demo --json --ues 10 >"$log" 2>&1 || { cat "$log"; echo "the next demo failed"; exit 1; }
	fi
	[ "$(leftovers "$demo")" = 0 ] || { echo "SIG$signal left namespaces of $demo"; exit 1; }
done
