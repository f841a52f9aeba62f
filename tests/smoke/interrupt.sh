#!/bin/bash
# A demo that is interrupted, or killed, leaves no process, no namespace and no file once the next one has run; and
# that one takes away nothing that is somebody's.
set -euo pipefail
trap 'echo "line $LINENO: $BASH_COMMAND: status $?"' ERR
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

leftovers() { ip netns list | grep -c "^esplanade-[a-z]*-$1\b" || true; }

log=$(mktemp)
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$log" "$TMPDIR"' EXIT
# shellcheck source=scripts/net.sh
. scripts/net.sh
files() { ls "$TMPDIR"; }
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
		ls "$TMPDIR/esplanade.$demo".*/subscribers.csv >"$log" || { echo "expected its directory"; exit 1; }
		mine=esplanade.$$.$(net_started $$).aaaaaa   # of a process that lives
		other=esplanade.$demo.1.bbbbbb               # of another user
		mkdir "$TMPDIR/$mine" "$TMPDIR/$other" "$TMPDIR/esplanade.cccccc"
		mkdir "$TMPDIR/esplanade.$$.1.dddddd"        # our process id had been somebody else's before
		ln -s "$TMPDIR/esplanade.cccccc" "$TMPDIR/esplanade.$demo.1.eeeeee"
		touch "$TMPDIR/esplanade.cccccc/file"
		chown nobody "$TMPDIR/$other"
		scripts/demo --json --ues 10 >"$log" 2>&1 || { cat "$log"; echo "the next demo failed"; exit 1; }
		[ -e "$TMPDIR/esplanade.cccccc/file" ] || { echo "a link was followed"; exit 1; }
		for name in "$mine" "$other"; do rmdir "$TMPDIR/$name" || { echo "took $name away"; exit 1; }; done
		rm -r "$TMPDIR/esplanade.cccccc" "$TMPDIR/esplanade.$demo.1.eeeeee"
	fi
	[ -z "$(files)" ] || { echo "SIG$signal left $(files)"; exit 1; }
	[ "$(leftovers "$demo")" = 0 ] || { echo "SIG$signal left namespaces of $demo"; exit 1; }
done
