#!/bin/bash
# The UE's IPsec is the Linux kernel's: a Debian kernel in QEMU holds the SAs that our signalling negotiated
# with a running esplanade; SIP goes through it over UDP and TCP, in transport mode and, behind a NAT, in
# UDP-encapsulated tunnel mode. Then a tunnel without NAT, datagrams and TCP both ways, by programs that install the
# sets themselves. All six pairs of algorithms, IPv4 and IPv6; the newest packets are sent again, to both sides.
# covers: ES-01, ES-02, ES-03, ES-04, ES-05, ES-08, ES-09, ES-15, SP-13, SP-16, DP-02, DP-03, DP-15, NM-01, NM-03
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
	cat <<-EOT
	usage: tests/interop/kernel_esp.sh [--quick] [--only PATTERN]

	At least 10,000 packets each way for each mode, transport, IP version and pair of algorithms; with --quick for
	each transport in all. --only: SIP in the runs that PATTERN fits, as in "tunnel tcp 4*", and nothing else.
	EOT
}

messages=5000 datagrams=10000 octets=4194304 few=500 quick="" only=""
while [ $# -gt 0 ]; do
	case "$1" in
	--quick) messages=213 datagrams=850 octets=131072 few=50 quick=1 ;;
	--only) only=${2:?}; shift ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
for program in qemu-system-x86_64 busybox cpio depmod dumpcap nft conntrack; do
	command -v "$program" >/dev/null || { echo "needs $program (scripts/setup --test)"; exit 77; }
done
NET_BUILD=${BUILD:-$PWD/build}
programs=$NET_BUILD/tests/interop
# shellcheck source=scripts/net.sh
. scripts/net.sh
# shellcheck source=scripts/nat.sh
. scripts/nat.sh
# shellcheck source=tests/interop/kernel_vm.bash
. tests/interop/kernel_vm.bash
CAPTURE_PID=
trap 'capture_stop; vm_stop; nat_down' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() { echo "kernel_esp: $*"; exit 1; }

# ---- what both parts need -----------------------------------------------------------------

capture_start() { # INTERFACE
	ip netns exec "$NET_UE" dumpcap -q -P -i "$1" -f "esp or udp port 4500" -w "$NET_DIR/capture" 2>"$NET_DIR/dumpcap.log" &
	CAPTURE_PID=$!
	for _ in $(seq 100); do
		grep -q '^File:' "$NET_DIR/dumpcap.log" && return
		sleep 0.1
	done
	fail "dumpcap did not start"
}

capture_stop() {
	[ -z "$CAPTURE_PID" ] || kill "$CAPTURE_PID" 2>/dev/null || true
	[ -z "$CAPTURE_PID" ] || wait "$CAPTURE_PID" 2>/dev/null || true
	CAPTURE_PID=
}

replay() { # GATEWAY_COMMAND MAC_TOWARDS_VM INTERFACE_TOWARDS_VM
	sleep 1 # the last acknowledgements of TCP
	capture_stop
	ip netns exec "$NET_UE" /usr/bin/python3 tests/interop/kernel_replay.py "$NET_DIR/capture" "$2" ue1 "$3" \
		"python3 tests/interop/kernel_run.py $VM_CTL $VM_CTL_PORT 30 'cat /proc/net/xfrm_stat'" "$1" ||
		fail "replayed packets"
}

# Waits for a line in a file of the VM, prints the file.
vm_expect() { # SECONDS FILE PATTERN
	local end=$((SECONDS + $1))
	until vm 60 "grep -q '$3' $2"; do
		((SECONDS < end)) || { vm 60 "cat $2"; fail "timed out: no $3"; }
		sleep 0.5
	done
	vm 60 "cat $2"
}

# The kernel found nothing wrong, but what was replayed to it; late packets of a removed SA are none.
kernel_content() {
	local bad
	bad=$(vm 60 "grep -vw -e 0 -e XfrmInStateSeqError -e XfrmInNoStates /proc/net/xfrm_stat" || true)
	[ -z "$(echo "$bad" | tr -d '[:space:]')" ] || fail "the kernel's counters: $bad"
}

# ---- SIP: the daemon's SAs ----------------------------------------------------------------

# After which runs the newest packets are sent again: with --quick each mode, transport and IP version twice.
replayed() { # as sip_run
	[ "$4" = "$messages" ] || return 1
	case "$quick $1 $2 $3" in
	"1 transport tcp 4" | "1 transport udp 6" | "1 tunnel udp 4" | "1 tunnel tcp 6") return 1 ;;
	esac
}

# What a failed run leaves for whom has to find out why.
sip_evidence() {
	cat "$NET_DIR/ue.json"
	vm 60 "tail -n 50 /tmp/ue.log; grep -vw 0 /proc/net/xfrm_stat; netstat -s | head -n 60"
	tail -n 50 "$NET_DIR/esplanade.log"
	net_ctl show drops
	net_ctl show sas
}

sip_run() { # transport|tunnel udp|tcp|mixed 4|6 MESSAGES SIZE
	# shellcheck disable=SC2053 # a pattern
	[ -z "$only" ] || [[ $* == $only ]] || return 0
	local pool=net_pool$3 pcscf=net_pcscf$3 nat="" mac=$VM_MAC towards=vm0 start=$SECONDS
	if [ "$1" = tunnel ]; then
		pool=nat_pool$3 nat=--udp-enc-tun towards=nata
		mac=$(ip -n "$NAT_a" -j link show out | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["address"])')
	fi
	! replayed "$@" || capture_start ue1
	vm 60 "kernel_ue load --port none --host-port none $nat --transport $2 --ip $3 --local ${!pool} --pcscf ${!pcscf} \
		--subscribers /tmp/subscribers --ues 6 --messages $4 --size $5 --window 48 --rate 5 --seconds 900 \
		--patience 60 --keep --json >/tmp/ue.out 2>/tmp/ue.log & echo \$! >/tmp/ue.pid"
	vm_expect 900 /tmp/ue.out registered >"$NET_DIR/ue.json"
	/usr/bin/python3 - "$NET_DIR/ue.json" "$4" <<-'END' || { sip_evidence; fail "SIP, $*"; }
		import json, sys
		r = json.loads(open(sys.argv[1]).read().strip().splitlines()[-1])
		all = 6 * int(sys.argv[2])
		sys.exit(not (r["registered"] == 6 and len(r["algorithms"]) == 6 and r["messages_delivered"] == r["messages_sent"] == all))
	END
	[ "$(vm 60 'ip xfrm state' | grep -c "mode $1")" -ge 24 ] || fail "the kernel's SAs are not in $1 mode"
	if replayed "$@"; then
		replay "$NET_BUILD/esplanadectl --socket $NET_DIR/esplanade.sock --json show drops" "$mac" "$towards"
	fi
	vm 120 'kill $(cat /tmp/ue.pid); while kill -0 $(cat /tmp/ue.pid) 2>/dev/null; do sleep 0.2; done'
	[ "$(vm 60 "ip xfrm state; ip xfrm policy" | tr -d '[:space:]')" = "" ] || fail "SAs of the kernel outlive the registration"
	kernel_content
	echo "SIP, $1 mode, over $2, IPv$3: 6 UEs, $((6 * $4)) messages of $5 octets delivered ($((SECONDS - start)) s)"
}

gateway_content() { # FILE
	/usr/bin/python3 -c 'import json, sys
drops = {k: v for k, v in json.load(open(sys.argv[1]))["dataplane"].items() if v and k != "replay"}
print("drops of the gateway:", drops)
sys.exit(bool({"bad_icv", "bad_padding", "selector", "fragment", "bad_inner", "encap_mismatch"} & set(drops)))' "$1" ||
		fail "the gateway dropped packets"
}

sip_part() {
	local ip
	net_daemon
	nat_routes
	net_subscribers 6
	vm_wait 180
	vm_addresses
	vm_put "$NET_DIR/subscribers.csv" /tmp/subscribers
	for ip in 4 6; do
		sip_run transport udp "$ip" "$messages" 64
		sip_run transport tcp "$ip" "$messages" 64
		# REGISTER and long messages over TCP, answers and short ones over UDP, on the same SAs; and fragments
		sip_run transport mixed "$ip" "$few" 1600
		sip_run transport udp "$ip" "$few" 1800
	done
	vm_behind_nat
	for ip in 4 6; do
		sip_run tunnel udp "$ip" "$messages" 64
		sip_run tunnel tcp "$ip" "$messages" 64
	done
	net_ctl show drops --json >"$NET_DIR/drops.json"
	gateway_content "$NET_DIR/drops.json"
	kill "$NET_DAEMON"
	wait "$NET_DAEMON" || fail "the daemon's exit status"
	vm 60 "ip route del $net_pcscf4; ip -6 route del $net_pcscf6"
}

# ---- UDP-enc-tun: sets that the two programs agree on -------------------------------------

echo_gateway() {
	ip netns exec "$NET_GW" "$programs/esp_echo" net_af_packet0,iface=ue0,qdisc_bypass=0 net_tap0,iface=esp0 \
		"$NET_DIR/stats" >"$NET_DIR/echo.log" 2>&1 &
	for _ in $(seq 200); do
		grep -q ready "$NET_DIR/echo.log" && break
		sleep 0.1
	done
	grep -q ready "$NET_DIR/echo.log" || { cat "$NET_DIR/echo.log"; fail "esp_echo did not start"; }
	net_gw_host
}

tunnel_part() {
	local start=$SECONDS
	echo_gateway
	capture_start ue1
	vm 60 "kernel_echo 12 23 $datagrams $octets >/tmp/echo.out 2>&1 & echo \$! >/tmp/echo.pid"
	vm_expect 900 /tmp/echo.out '^done' | tee "$NET_DIR/echo.out"
	grep -q '^done: 12 of 12' "$NET_DIR/echo.out" || { cat "$NET_DIR/stats"; fail "UDP-enc-tun"; }
	replay "cat $NET_DIR/stats" "$VM_MAC" vm0
	kernel_content
	vm 60 'kill $(cat /tmp/echo.pid)'
	/usr/bin/python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))
drops = {k: v for k, v in s["dataplane"].items() if v and k != "replay"}
print("gateway:", s["esp_checked"], "ESP packets in,", s["esp_protected"], "out")
sys.exit(f"drops of the gateway: {drops}" if drops or s["failed"] else 0)' "$NET_DIR/stats" || fail "the gateway dropped packets"
	echo "UDP-enc-tun: 12 cases, $datagrams datagrams and 2 connections each ($((SECONDS - start)) s)"
}

cache=$NET_BUILD/kernel-esp
kernel=$(vm_kernel "$cache") || { echo "needs Debian's package linux-image-cloud-amd64 (apt-get download)"; exit 77; }
net_up
vm_initrd "$kernel" "$NET_DIR/initrd.gz" "$programs/kernel_ue" "$programs/kernel_echo"
vm_start "$kernel" "$NET_DIR/initrd.gz"
sip_part
[ -n "$only" ] || tunnel_part
