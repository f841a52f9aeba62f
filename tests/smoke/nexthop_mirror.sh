#!/bin/bash
# Changes by `ip route`, `ip neigh`, `ip addr` and `ip link` reach the data plane's next hops, and the kernel
# resolves what is missing.
# covers: DP-15
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
probe=${BUILD:-build}/tests/dataplane/slow/mirror_probe
host=mirror-h$$ peer=mirror-p$$ dir=$(mktemp -d)

down() {
	[ -z "${probe_pid:-}" ] || { kill -CONT "$probe_pid"; kill "$probe_pid"; } 2>/dev/null || true
	ip netns del "$host" 2>/dev/null || true
	ip netns del "$peer" 2>/dev/null || true
	rm -rf "$dir"
}
trap down EXIT
on() { ip -n "$host" "$@"; }

ask() { # COMMAND ADDR: the probe's answer
	echo "$1 $2" >&"${PROBE[1]}"
	IFS= read -r -t 10 answer <&"${PROBE[0]}"
}
expect() { # ADDR WHAT: in at most 5 s
	for _ in $(seq 250); do
		ask lookup "$1"
		[ "$answer" != "$1 $2" ] || return 0
		sleep 0.02
	done
	echo "line ${BASH_LINENO[0]}: expected '$1 $2', got '$answer'"
	exit 1
}
expect_sent() { # ADDR WHAT
	ask send "$1"
	[ "$answer" = "$2" ] || { echo "line ${BASH_LINENO[0]}: send $1: expected '$2', got '$answer'"; exit 1; }
}

ip netns add "$host"
ip netns add "$peer"
on link add esp0 type veth peer name p0 netns "$peer"
on link add other0 type veth peer name other1
on link set other0 up && on link set other1 up
ip -n "$peer" link set p0 address 02:00:00:00:00:bb up
on link set esp0 up
coproc PROBE { exec ip netns exec "$host" "$probe" esp0 2>"$dir/probe.log"; }
probe_pid=$PROBE_PID

echo "addresses come later"
expect 192.0.2.77 unreachable
expect 2001:db8::77 unreachable
on addr add 192.0.2.1/24 dev esp0
on addr add 2001:db8::1/64 dev esp0 nodad
expect 192.0.2.77 unresolved
expect 2001:db8::77 unresolved
expect 203.0.113.1 unreachable

echo "neighbours: add, change, delete"
for a in 192.0.2.77 2001:db8::77; do
	on neigh add $a lladdr 02:00:00:00:00:01 dev esp0
	expect $a 02:00:00:00:00:01
	on neigh change $a lladdr 02:00:00:00:00:02 dev esp0 nud permanent
	expect $a 02:00:00:00:00:02
	on neigh del $a dev esp0
	expect $a unresolved
done

echo "the kernel resolves"
ip -n "$peer" addr add 192.0.2.2/24 dev p0
ip -n "$peer" addr add 2001:db8::2/64 dev p0 nodad
on route add default via 192.0.2.2
on -6 route add default via 2001:db8::2
# no solicitation leaves before duplicate address detection of the link-local address is done
while on -6 addr show dev esp0 | grep -q tentative; do sleep 0.02; done
expect 203.0.113.1 unresolved
expect_sent 203.0.113.1 "sent 02:00:00:00:00:bb"
expect 203.0.113.1 02:00:00:00:00:bb
expect 2001:db8:ffff::1 unresolved
expect_sent 2001:db8:ffff::1 "sent 02:00:00:00:00:bb"
expect 2001:db8:ffff::1 02:00:00:00:00:bb
expect_sent 192.0.2.99 lost

echo "a peer changes its MAC address and says so"
ip -n "$peer" link set p0 address 02:00:00:00:00:cc
on neigh flush dev esp0
expect_sent 203.0.113.1 "sent 02:00:00:00:00:cc"

echo "routes"
for i in 1 2 3; do
	on neigh replace 192.0.2.1$i lladdr 02:00:00:00:01:0$i dev esp0 nud permanent
	on neigh replace fe80::$i lladdr 02:00:00:00:06:0$i dev esp0 nud permanent
done
on route add 198.51.100.0/24 via 192.0.2.11
expect 198.51.100.1 02:00:00:00:01:01
on route replace 198.51.100.0/24 via 192.0.2.12
expect 198.51.100.1 02:00:00:00:01:02
on route add 198.51.100.128/25 via 192.0.2.13
expect 198.51.100.129 02:00:00:00:01:03
expect 198.51.100.1 02:00:00:00:01:02
on route add 198.51.100.0/24 via 192.0.2.13 metric 5
on route del 198.51.100.0/24 via 192.0.2.12
expect 198.51.100.1 02:00:00:00:01:03
on route add blackhole 198.51.100.64/26
expect 198.51.100.65 unreachable
on route del blackhole 198.51.100.64/26
expect 198.51.100.65 02:00:00:00:01:03
on route add 100.64.0.0/16 dev other0
on route add 100.64.1.0/24 nexthop dev other0 nexthop via 192.0.2.11 nexthop via 192.0.2.12
expect 100.64.1.1 02:00:00:00:01:01
on route add 100.65.0.0/16 via inet6 fe80::1 dev esp0
expect 100.65.1.1 02:00:00:00:06:01
on -6 route add 2001:db8:5::/48 via fe80::2 dev esp0
expect 2001:db8:5::1 02:00:00:00:06:02
on nexthop add id 5 via 192.0.2.11 dev esp0
on route add 100.66.0.0/16 nhid 5
expect 100.66.0.1 02:00:00:00:01:01
on nexthop replace id 5 via 192.0.2.12 dev esp0
expect 100.66.0.1 02:00:00:00:01:02
on route add 100.67.0.0/16 via 192.0.2.11 table 99
on route add 100.68.0.0/16 via 192.0.2.13
expect 100.68.0.1 02:00:00:00:01:03 # so both have been seen
expect 100.67.0.1 02:00:00:00:00:cc

echo "the interface goes down and comes up"
on link set esp0 down
expect 198.51.100.1 unreachable
expect 192.0.2.77 unreachable
expect 2001:db8:5::1 unreachable
on link set esp0 up
expect 192.0.2.77 unresolved
expect 198.51.100.1 unreachable
on route add default via 192.0.2.2
until on link show esp0 | grep -q 'state UP'; do sleep 0.02; done # no frame leaves before
expect 203.0.113.1 unresolved
expect_sent 203.0.113.1 "sent 02:00:00:00:00:cc"
on addr del 192.0.2.1/24 dev esp0
expect 192.0.2.77 unreachable
on addr add 192.0.2.1/24 dev esp0
expect 192.0.2.77 unresolved

echo "without IPv6 the kernel drops routes and says nothing of them"
ip netns exec "$host" sysctl -qw net.ipv6.conf.esp0.disable_ipv6=1
expect 2001:db8::77 unreachable
on route add 198.51.100.0/24 via 192.0.2.12
expect 198.51.100.1 unresolved
sleep 0.3
on link set esp0 down
expect 198.51.100.1 unreachable
on link set esp0 up
expect 192.0.2.77 unresolved

echo "more changes than the kernel can queue"
# fewer than gc_thresh3 neighbours at a time, changed often
for round in $(seq 20); do
	for i in $(seq 2 251); do
		for net in 0 1; do
			printf 'neigh replace 10.0.%d.%d lladdr 02:00:00:%02x:%02x:%02x dev esp0 nud permanent\n' \
				$net $i $round $net $i
		done
	done
done >"$dir/batch"
printf 'neigh del 10.0.0.%d dev esp0\n' $(seq 2 2 251) >>"$dir/batch"
printf 'route add 10.0.0.0/8 dev esp0\nroute add 203.0.113.0/24 via 10.0.1.3\n' >>"$dir/batch"
kill -STOP "$probe_pid"
on -batch "$dir/batch"
lost=$(ip netns exec "$host" awk 'NR > 1 {n += $9} END {print n + 0}' /proc/net/netlink)
kill -CONT "$probe_pid"
[ "$lost" -gt 0 ] || { echo "no message was lost: nothing tried"; exit 1; }
expect 10.0.1.250 02:00:00:14:01:fa
expect 10.0.0.251 02:00:00:14:00:fb
expect 10.0.0.250 unresolved
expect 10.0.0.2 unresolved
expect 203.0.113.1 02:00:00:14:01:03

exec {PROBE[1]}>&-
wait "$probe_pid" || { cat "$dir/probe.log"; exit 1; }
probe_pid=
echo "passed ($lost messages lost and made up for)"
