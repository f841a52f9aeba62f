#!/bin/bash
# The daemon with SAs keyed by hand and no SIP, between two pcaps; an outsider (scapy) made the ESP that it opens
# and opens the ESP that it made. No network, no root.
# covers: DP-02, DP-03, ES-08
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
/usr/bin/python3 -c 'import scapy.layers.ipsec, cryptography' 2>/dev/null || { echo "needs scapy"; exit 77; }
[ -x "$build/esplanade" ] || { echo "needs $build/esplanade"; exit 77; }

dir=$(mktemp -d)
pid=
finish() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT

sha1=000102030405060708090a0b0c0d0e0f10111213
aes=000102030405060708090a0b0c0d0e0f
md5=32333435363738393a3b3c3d3e3f4041
des=010204010204010204010204010204010204010204010204
(umask 077; printf 'integ %s\nencr %s\n' $sha1 $aes >"$dir/keys")
cat >"$dir/esplanade.conf" <<EOF
dataplane = {
	ue_port = "net_pcap0,rx_pcap=$dir/ue-in.pcap,tx_pcap=$dir/ue-out.pcap";
	host_port = "net_pcap1,rx_pcap=$dir/host-in.pcap,tx_pcap=$dir/host-out.pcap";
	huge_pages = false; memory_mb = 512; buffers = 4096; sa_sets = 64;
};
access = { addresses = ["192.0.2.1", "2001:db8::1"]; };
legacy = { des_ede3_cbc = true; };
static_sas = (
	{ direction = "out"; spi = 4096; remote = "192.0.2.9"; local_port = 6101; remote_port = 7000;
	  algorithm = "hmac-sha-1-96/aes-cbc"; key_file = "$dir/keys"; },
	{ direction = "out"; spi = 4097; remote = "192.0.2.9"; local_port = 6102; remote_port = 7000;
	  algorithm = "hmac-md5-96/des-ede3-cbc"; integ_key = "$md5"; encr_key = "$des"; },
	{ direction = "out"; spi = 4098; remote = "2001:db8::9"; local_port = 6103; remote_port = 7000;
	  algorithm = "hmac-sha-1-96/null"; integ_key = "$sha1"; },
	{ direction = "in"; spi = 8192; remote = "192.0.2.9"; local_port = 6101; remote_port = 7000;
	  algorithm = "hmac-sha-1-96/aes-cbc"; integ_key = "$sha1"; encr_key = "$aes"; },
	{ direction = "in"; spi = 8193; remote = "192.0.2.9"; local_port = 6102; remote_port = 7000;
	  algorithm = "hmac-md5-96/des-ede3-cbc"; integ_key = "$md5"; encr_key = "$des"; },
	{ direction = "in"; spi = 8194; remote = "2001:db8::9"; local_port = 6103; remote_port = 7000;
	  algorithm = "hmac-sha-1-96/null"; integ_key = "$sha1"; },
	{ direction = "in"; spi = 8195; remote = "192.0.2.9"; local_port = 6104; remote_port = 7000;
	  algorithm = "hmac-sha-1-96/aes-cbc"; integ_key = "$sha1"; encr_key = "$aes"; anti_replay = false; }
);
control = { socket = "$dir/control.sock"; };
EOF
"$build/esplanade" --check -c "$dir/esplanade.conf"
/usr/bin/python3 tests/interop/static_sas.py make "$dir"
"$build/esplanade" -c "$dir/esplanade.conf" 2>"$dir/log" &
pid=$!

drops() { # reason: how many
	curl -s --unix-socket "$dir/control.sock" http://localhost/v1/drops |
		/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["dataplane"][sys.argv[1]])' "$1"
}

for _ in $(seq 100); do # the last packet in the pcap is dropped for being clear
	kill -0 $pid 2>/dev/null || { cat "$dir/log"; exit 1; }
	[ -S "$dir/control.sock" ] && [ "$(drops clear_to_protected)" = 1 ] && break
	sleep 0.1
done
sleep 0.3
expect() { # reason, how many
	local n
	n=$(drops "$1")
	[ "$n" = "$2" ] || { echo "drops $1: $n, expected $2"; cat "$dir/log"; exit 1; }
	echo "drops $1: $n"
}
expect clear_from_protected 1
expect replay 120
expect bad_icv 1
"$build/esplanadectl" --socket "$dir/control.sock" show sas | sed -n 1,3p
grep -q "no anti-replay service" "$dir/log" || { echo "no warning"; cat "$dir/log"; exit 1; }
kill -TERM $pid
wait $pid || { echo "exit status $?"; cat "$dir/log"; exit 1; }
/usr/bin/python3 tests/interop/static_sas.py check "$dir"
