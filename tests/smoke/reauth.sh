#!/bin/bash
# The operator's reauth and deregister reach phones by the registration event package: they authenticate again, come
# back, or stay away, and their SAs follow, at real daemons.
# covers: AK-14, AK-15
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
NET_BUILD=${NET_BUILD:-$PWD/build}
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT

fail() { echo "$*"; tail -n 20 "$NET_DIR/load.log" "$NET_DIR/esplanade.log"; exit 1; }

# What Python says of the registration of $impi: r, or None; "current" is the id of its current set.
registration() { # EXPRESSION
	net_ctl show registrations --json | python3 -c '
import json, sys
of = [r for r in json.load(sys.stdin)["registrations"] if r["impi"] == sys.argv[1]]
r = of[0] if of else None
current = [s["set"] for s in r["sets"] if s["role"] == "current"] if r else []
print(eval(sys.argv[2]))' "$impi" "$1"
}

await() { # EXPRESSION
	for _ in $(seq 120); do
		[ "$(registration "$1")" != True ] || return 0
		sleep 0.25
	done
	fail "not so after 30 s: $1; but $(registration r)"
}

net_up
sed '$a timers = { sa_linger = 3; };' etc/demo.conf >"$NET_DIR/reauth.conf"
net_daemon "$NET_DIR/reauth.conf"
net_subscribers 3
net_load 4 --ues 3 --reg-event --messages 0 --keep >"$NET_DIR/load.json" 2>"$NET_DIR/load.log" &
impi=$(head -n 1 "$NET_DIR/subscribers.csv" | cut -d, -f1)
await 'r is not None and r["state"] == "registered" and len(current) == 1'
for _ in $(seq 40); do
	subscriptions=$(net_ctl show status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["scscf"]["subscriptions"])')
	[ "$subscriptions" != 6 ] || break
	sleep 0.25
done
[ "$subscriptions" = 6 ] || fail "$subscriptions subscriptions instead of 3 of phones and 3 of the P-CSCF"

first=$(registration 'current[0]')
[ "$(net_ctl reauth "$impi" --expires 4)" = "asked to authenticate again" ] || fail "reauth refused"
await 'r["expires_s"] <= 4'
await "r['expires_s'] > 1000 and current not in ([], [$first])"
grep -q "wants a new authentication" "$NET_DIR/load.log" || fail "the phone has not said so"

second=$(registration 'current[0]')
net_ctl deregister "$impi" >/dev/null
await "current not in ([], [$second])"
grep -q "de-registered by the network: deactivated" "$NET_DIR/load.log" || fail "the phone has not said so"

net_ctl deregister --reject "$impi" >/dev/null
await 'r is None'
grep -q "de-registered by the network: rejected" "$NET_DIR/load.log" || fail "the phone has not said so"
net_ctl show sas --json | python3 -c '
import json, sys
sas = json.load(sys.stdin)["sas"]
assert len(sas) == 2 and all(s["impi"] != sys.argv[1] for s in sas), sas' "$impi" || fail "SAs are left"
! net_ctl reauth "$impi" 2>/dev/null || fail "reauth of nobody"
echo "re-authenticated, de-registered and back, rejected"
