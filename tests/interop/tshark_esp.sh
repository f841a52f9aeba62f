#!/bin/bash
# An outsider's view of our ESP: the demo's packets, captured on the wire, decrypted and authenticated by
# tshark with the exported keys; then the inner SIP flow is checked.
# covers: SP-11, SP-16, SP-17, ES-01, ES-02, ES-05, ES-14, ES-15, AK-05, SU-08, SU-14, SU-15, DP-15, F32
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v tshark dumpcap >/dev/null || { echo "needs tshark"; exit 77; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for ip in 4 6; do
	for transport in udp tcp; do
		capture=$dir/demo$ip$transport
		scripts/demo --json --ues 24 --messages 3 --ip "$ip" --transport "$transport" --capture "$capture.pcapng" \
			--keys "$dir/esp_sa" >"$capture.json"
		python3 tests/interop/tshark_check.py "$capture.pcapng" "$dir/esp_sa" "$capture.json" "$transport"
	done
done
