#!/bin/bash
# Two phones with the same private address behind two NATs register, send each other messages, call each other, and stay
# reachable after both NATs have forgotten their mappings: while the phones are idle, while messages are under way, and in the
# middle of a call, whose BYE and the next calls in both directions come through.
# covers: DP-02, NM-01, NM-03, NM-05, NM-11, NM-13, NM-14
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
NET_BUILD=${NET_BUILD:-$PWD/build}
# shellcheck source=scripts/net.sh
. scripts/net.sh
# shellcheck source=scripts/nat.sh
. scripts/nat.sh
nat_need
trap nat_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

only=$* # "6 tcp": that round alone
MESSAGES=20 DELAY=8 CALLS=2
nat_up
net_daemon etc/demo.conf
nat_routes
nat_subscribers 2
impu_a=$(cut -d, -f6 "$NET_DIR/subscribers-a.csv")
impu_b=$(cut -d, -f6 "$NET_DIR/subscribers-b.csv")

phone() { # a|b PEER IP TRANSPORT FIRST-CALL
	nat_load "$1" "$3" --ues 1 --peer "$2" --transport "$4" --alg sha1/aes-cbc --messages "$MESSAGES" \
		--delay "$DELAY" --interval 400 --calls "$CALLS" --call-delay "$5" --call-interval 12000 --talk 1500 \
		--keepalive 1 --seconds 120 --keep --json \
		>"$NET_DIR/$1.json" 2>"$NET_DIR/$1.err"
}

fail() {
	echo "nat.sh: $1" >&2
	cat "$NET_DIR"/[ab].err "$NET_DIR"/[ab].json "$NET_DIR/esplanade.log" >&2
	net_ctl show sas >&2
	exit 1
}

await() { # SECONDS COMMAND...
	local n=$(($1 * 10))
	shift
	until "$@"; do
		((n-- > 0)) || return 1
		sleep 0.1
	done
}

# tests/smoke/nat.py reads these
sas() { net_ctl show sas --json >"$NET_DIR/sas.json"; net_ctl show workers --json >"$NET_DIR/workers.json"; }
check() { sas && python3 tests/smoke/nat.py "$NET_DIR" "$@"; }
# Each phone has one dialog by its subscription; a call makes two.
in_call() { [ "$(net_ctl show status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["pcscf"]["dialogs"])')" -ge 4 ]; }
no_call() { ! in_call; }
gone() { [ "$(net_ctl show registrations --json | python3 -c 'import json, sys
print(sum(r["state"] == "registered" for r in json.load(sys.stdin)["registrations"]))')" = 0 ]; }

round() { # IP TRANSPORT FIRST-PORT
	local first=$3 pids=()
	rm -f "$NET_DIR"/[ab].json
	nat_rebind a "$first-$((first + 99))"
	nat_rebind b "$((first + 100))-$((first + 199))"
	phone a "$impu_b" "$1" "$2" 1 & pids+=($!)
	phone b "$impu_a" "$1" "$2" 7 & pids+=($!)
	await "$DELAY" check registered "$1" "$first" 2>/dev/null || fail "IPv$1 $2: not registered as it should be"
	# idle: the P-CSCF hears of the new mappings by the phones' heartbeats alone
	nat_rebind a "$((first + 200))-$((first + 299))"
	nat_rebind b "$((first + 300))-$((first + 399))"
	await 6 check registered "$1" $((first + 200)) 2>/dev/null || fail "IPv$1 $2: not followed"
	await 30 check busy "$1" $((first + 200)) 2>/dev/null || fail "IPv$1 $2: no messages"
	[ ! -s "$NET_DIR/a.json" ] || fail "IPv$1 $2: messages were over too early"
	nat_rebind a "$((first + 400))-$((first + 499))"
	nat_rebind b "$((first + 500))-$((first + 599))"
	await 60 in_call || fail "IPv$1 $2: a does not call"
	await 20 no_call || fail "IPv$1 $2: the first call does not end"
	await 20 in_call || fail "IPv$1 $2: b does not call"
	nat_rebind a "$((first + 600))-$((first + 699))"
	nat_rebind b "$((first + 700))-$((first + 799))"
	await 60 test -s "$NET_DIR/a.json" || fail "IPv$1 $2: a has no result"
	await 60 test -s "$NET_DIR/b.json" || fail "IPv$1 $2: b has no result"
	check over "$1" $((first + 600)) "$MESSAGES" "$CALLS" || fail "IPv$1 $2"
	for home in NAT_HOME_a NAT_HOME_b; do
		# shellcheck disable=SC2046
		kill -TERM $(ip netns pids "${!home}")
	done
	wait "${pids[@]}" || fail "IPv$1 $2: esplanade-ue"
	gone || fail "IPv$1 $2: registrations left"
	echo "IPv$1, $2: registered, $MESSAGES messages and $CALLS calls each way, moved three times"
}

wanted() { [ -z "$only" ] || [ "$only" = "$1 $2" ]; }

! wanted 4 udp || round 4 udp 20000
! wanted 6 udp || round 6 udp 30000
! wanted 4 tcp || round 4 tcp 40000
! wanted 6 tcp || round 6 tcp 50000

# The keys of both homes in one file, which nobody else may read, also if it was there before.
[ -z "$only" ] || exit 0
touch "$NET_DIR/keys"
chmod 644 "$NET_DIR/keys"
scripts/demo --nat --ues 4 --messages 1 --json --keys "$NET_DIR/keys" >"$NET_DIR/demo.json" || fail "demo: $(cat "$NET_DIR/demo.json")"
[ -s "$NET_DIR/keys" ] && [ "$(stat -c %a "$NET_DIR/keys")" = 600 ] || fail "keys: $(ls -l "$NET_DIR/keys")"
