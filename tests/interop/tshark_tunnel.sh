#!/bin/bash
# An outsider's view of our ESP in UDP: packets that the data plane made, without network or root, read by
# tshark with the keys. All pairs of IP versions, all algorithms, both directions, keepalives.
# covers: D-16, D-17, DP-02, DP-03, DP-15
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
command -v tshark >/dev/null || { echo "needs tshark"; exit 77; }
[ -x "$build/tests/dataplane/tunnel_pcap" ] || { echo "needs $build/tests/dataplane/tunnel_pcap"; exit 77; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
TUNNEL_PCAP=$dir/t.pcap TUNNEL_KEYS=$dir/esp_sa "$build/tests/dataplane/tunnel_pcap" >"$dir/log" 2>&1 ||
	{ cat "$dir/log"; exit 1; }

count() { # display filter: frames
	WIRESHARK_CONFIG_DIR=$dir tshark -n -r "$dir/t.pcap" -o esp.enable_encryption_decode:TRUE \
		-o esp.enable_authentication_check:TRUE -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-d udp.port==6100-7001,sip -Y "$1" 2>/dev/null | wc -l
}

expect() { # frames, display filter, what
	local n
	n=$(count "$2")
	[ "$n" = "$1" ] || { echo "$3: $n, expected $1"; exit 1; }
	echo "$3: $n"
}

# 24 = IP versions outside and inside (4) x integrity (2) x encryption (3)
expect 72 "udp.port == 4500" "datagrams of port 4500"
expect 48 "esp.icv_good == 1" "ESP authenticated"
expect 24 "esp && sip.Method == REGISTER" "REGISTER inside"
expect 24 "esp && sip.Status-Code == 200" "200 OK inside"
expect 24 "udpencap.nat_keepalive" "keepalives"
expect 0 "ip.checksum.status == 0 || udp.checksum.status == 0" "wrong checksums"
expect 36 "ip.version == 4 && !ipv6 && udp.checksum == 0 || ip.src == 10.0.0.0/8 && ipv6 && udp.checksum == 0" \
	"IPv4 outside: checksum 0"
