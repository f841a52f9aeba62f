#!/bin/bash
# The README's demo: all phones, all algorithm pairs, every message, twice, both IP versions; nothing left behind.
# covers: AK-09, ES-09, DP-03, DP-15
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

check() { # UES JSON
	python3 - "$1" "$2" <<-'EOT'
	import json, sys
	ues, r = int(sys.argv[1]), json.loads(sys.argv[2].splitlines()[-1])
	pairs = {f"{i}/{e}" for i in ("hmac-sha-1-96", "hmac-md5-96") for e in ("null", "aes-cbc", "des-ede3-cbc")}
	keys = ("registrations_per_s", "p50_ms", "p99_ms", "retransmissions", "esp_protected", "esp_checked", "drops")
	assert all(k in r for k in keys), r
	assert r["registered"] == ues and r["failed"] == 0, r
	assert {p for p, n in r["algorithms"].items() if n} == pairs, r["algorithms"]
	assert r["messages_sent"] > 0 and r["messages_delivered"] == r["messages_sent"], r
	assert r["esp_protected"] >= 4 * ues and r["esp_checked"] >= 4 * ues, r
	print(json.dumps(r))
	EOT
}
check 100 "$(scripts/demo --json)"
check 100 "$(scripts/demo --json)"
check 2000 "$(scripts/demo --json --ues 2000 --ip 6)"
for ns in $(ip netns list | awk '/^esplanade-/ {print $1}'); do
	kill -0 "${ns##*-}" 2>/dev/null || { echo "$ns left behind"; exit 1; }
done
