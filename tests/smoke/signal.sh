#!/bin/bash
# The traffic generator: rate, loss, replay drops, ICV failures and latency are reported; injected ones are found.
# covers: DP-13
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=${ESPLANADE_BUILD:-build}/esplanade-bench

for command in esp churn signal; do
	"$bench" "$command" --help | grep -q '^usage: esplanade-bench'
done
for ip in 4 6; do
	"$bench" signal --ues 200 --ip $ip --rate 5000 --seconds 1 --loss 5 --replay 3 --damage 2 --json | python3 -c '
import json, sys
r = json.loads(sys.stdin.read())
assert r["verified"] and r["ues"] == 200, r
assert r["sent"] - r["received"] == r["injected_lost"] + r["injected_damaged"], r
assert r["replay_drops"] == r["injected_replayed"] > 0, r
assert r["icv_failures"] == r["injected_damaged"] > 0 and r["other_drops"] == 0, r
assert 5 < r["loss_percent"] + 2 and r["rate"] > 0 and 0 < r["p50_us"] <= r["p99_us"], r
print(r)'
done
