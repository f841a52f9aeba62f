#!/bin/bash
# SIP Digest over TLS on the wire: agreed by sec-agree and before SIP, and Digest alone; both IP versions; messages and calls. A handshake
# for each registration, none resumed; no ESP.
# covers: TS-02, TS-04, TS-05, DT-01, DN-11, DN-15, TL-03
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

check() { # UES HANDSHAKES JSON
	python3 - "$@" <<-'EOT'
	import json, sys
	ues, handshakes, r = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3].splitlines()[-1])
	assert r["registered"] == ues and r["failed"] == 0, r
	assert r["messages_sent"] == r["messages_delivered"] > 0, r
	assert r["calls_completed"] == r["calls_placed"] == 10, r
	assert r["tls_handshakes"] == handshakes and r["tls_resumed"] == 0, r
	assert r["esp_protected"] == r["esp_checked"] == 0, r
	print(json.dumps(r))
	EOT
}
for ip in 4 6; do
	check 40 40 "$(scripts/demo --json --ues 40 --calls 10 --access tls --ip $ip)"
	check 40 40 "$(scripts/demo --json --ues 40 --calls 10 --access tls-first --ip $ip --size 3000)"
	check 40 0 "$(scripts/demo --json --ues 40 --calls 10 --access digest --ip $ip)"
done
check 40 40 "$(scripts/demo --json --ues 40 --calls 10 --access tls --transport tcp)"
check 40 0 "$(scripts/demo --json --ues 40 --calls 10 --access digest --transport tcp)"
