#!/usr/bin/env python3
"""What tests/smoke/nat.sh expects: nat.py DIRECTORY registered|busy|over IP FIRST-PORT [MESSAGES CALLS]"""
import ipaddress
import json
import sys

directory, what, ip, first = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def load(name):
    with open(f"{directory}/{name}", encoding="utf-8") as f:
        return json.load(f)


def current_sets():
    return sorted((s for s in load("sas.json")["sas"] if s["role"] == "current"), key=lambda s: s["impi"])


def check_sets():
    public = {"4": ["10.44.0.11", "10.44.0.12"], "6": ["fd00:44::11", "fd00:44::12"]}[ip]
    private = {"4": "192.168.77.1", "6": "fd00:77::1"}[ip]
    aliases = ipaddress.ip_network({"4": "198.18.0.0/15", "6": "fd00:e5::/104"}[ip])
    sets = current_sets()
    assert len(sets) == 2, sets
    assert [s["remote"] for s in sets] == public, sets
    for i, s in enumerate(sets):
        assert s["mode"] == "udp-enc-tun" and s["inner"] == private, s
        assert ipaddress.ip_address(s["alias"]) in aliases, s
        assert first + 100 * i <= s["udp_enc_port"] < first + 100 * (i + 1), (first, i, s["udp_enc_port"])
    assert sets[0]["alias"] != sets[1]["alias"], sets


def check_over(count, calls):
    for name in ("a", "b"):
        r = load(f"{name}.json")
        assert r["registered"] == 1 and r["failed"] == 0, r
        assert r["messages_sent"] == r["messages_delivered"] == count, (name, r)
        # one of the other's calls may come when this one's are over
        assert r["calls_placed"] == r["calls_completed"] == calls, (name, r)
        assert r["calls_answered"] >= calls - 1, (name, r)
    workers = load("workers.json")["workers"]
    assert sum(w["peers_moved"] for w in workers) >= 6, workers
    assert sum(w["keepalives_in"] for w in workers) >= 2, workers
    for reason in ("bad_icv", "replay", "selector", "unknown_spi", "encap", "clear_to_protected"):
        assert sum(w["drops"].get(reason, 0) for w in workers) == 0, (reason, workers)


def check_busy():
    """What goes to a phone are answers and messages: some have gone."""
    for s in current_sets():
        assert sum(sa["packets"] for sa in s["sas"] if sa["direction"] == "out") >= 16, s


check_sets()
if what == "busy":
    check_busy()
if what == "over":
    check_over(int(sys.argv[5]), int(sys.argv[6]))
