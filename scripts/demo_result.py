#!/usr/bin/env python3
"""Joins the results of one or more esplanade-ue with the gateway's counters: text, or one JSON line."""
import json
import sys


def last_object(path):
    with open(path, encoding="utf-8") as f:
        lines = [line for line in f if line.strip()]
    if not lines:
        sys.exit("demo: esplanade-ue printed no result")
    return json.loads(lines[-1])


def joined(results):
    """Numbers are added up, but the slowest registration is the slowest."""
    total = results[0]
    for result in results[1:]:
        for key, value in result.items():
            if key == "algorithms":
                for name, count in value.items():
                    total[key][name] = total[key].get(name, 0) + count
            elif key.endswith("_ms"):
                total[key] = max(total[key], value)
            else:
                total[key] = round(total[key] + value, 1)
    return total


def main():
    as_json = "--json" in sys.argv
    *load_paths, workers_path = [a for a in sys.argv[1:] if a != "--json"]
    result = joined([last_object(path) for path in load_paths])
    with open(workers_path, encoding="utf-8") as f:
        workers = json.load(f)["workers"]
    result["esp_protected"] = sum(w["esp_protected"] for w in workers)
    result["esp_checked"] = sum(w["esp_checked"] for w in workers)
    drops = {}
    for worker in workers:
        for reason, count in worker["drops"].items():
            if count:
                drops[reason] = drops.get(reason, 0) + count
    result["drops"] = drops
    if as_json:
        print(json.dumps(result))
        return
    total = result["registered"] + result["failed"]
    print(f"Registered      {result['registered']} of {total} phones")
    for name, count in sorted(result.get("algorithms", {}).items()):
        print(f"                {count:6} with {name}")
    print(f"SM1 to SM12     p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms")
    print(f"Messages        {result['messages_sent']} sent, {result['messages_delivered']} delivered,"
          f" phone to phone; {result['retransmissions']} retransmissions")
    if result.get("tls_handshakes"):
        print(f"TLS             {result['tls_handshakes']} handshakes")
    print(f"ESP packets     {result['esp_protected']} protected, {result['esp_checked']} checked"
          " by the gateway")
    print("Dropped         " + (", ".join(f"{r}: {c}" for r, c in sorted(drops.items())) or "none"))


main()
