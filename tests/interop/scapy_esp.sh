#!/bin/bash
# ESP made by scapy towards a running esplanade: each fault is counted under its reason and none delivered.
# covers: ES-02, ES-08, ES-13, SP-07, SP-08, SP-11, SP-20, DP-05, DP-08, DP-11
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
/usr/bin/python3 -c 'import scapy.layers.ipsec, cryptography' 2>/dev/null ||
	{ echo "needs scapy and cryptography"; exit 77; }
NET_BUILD=$PWD/build
# shellcheck source=scripts/net.sh
. scripts/net.sh
trap net_down EXIT

net_up
net_daemon
net_subscribers 6
net_load 4 --ues 6 --rate 50 --messages 0 --seconds 60 --no-deregister --json \
	--export-keys "$NET_DIR/esp_sa" >"$NET_DIR/load.json" 2>"$NET_DIR/load.log" ||
	{ cat "$NET_DIR/load.log"; exit 1; }
net_ctl show sas --json >"$NET_DIR/sas.json"
mac=$(ip -n "$NET_GW" -j link show ue0 | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["address"])')
ip netns exec "$NET_UE" /usr/bin/python3 tests/interop/scapy_esp.py ue1 "$mac" "$NET_DIR/sas.json" \
	"$NET_DIR/esp_sa" "$NET_DIR/esplanade.sock"
