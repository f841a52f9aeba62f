#!/usr/bin/env python3
"""Reads a capture of the demo with tshark and the exported ESP keys.

Every ESP packet must authenticate and decrypt; the inner and the clear SIP must be the flow of
TS 33.203 6.1 and nothing else; ik and ck must never be seen.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def tshark(capture, keys, display_filter, fields):
    with tempfile.TemporaryDirectory() as config:
        pathlib.Path(config, "esp_sa").write_text(pathlib.Path(keys).read_text(encoding="ascii"), encoding="ascii")
        command = ["tshark", "-n", "-r", capture, "-o", "esp.enable_encryption_decode:TRUE",
                   "-o", "esp.enable_authentication_check:TRUE", "-o", "ip.check_checksum:TRUE",
                   "-o", "udp.check_checksum:TRUE", "-d", "udp.port==1-65535,sip",
                   "-d", "tcp.port==1-65535,sip", "-o", "tcp.check_checksum:TRUE",
                   "-Y", display_filter, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
        for field in fields:
            command += ["-e", field]
        env = dict(os.environ, WIRESHARK_CONFIG_DIR=config)
        out = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def fail(text):
    sys.exit(f"tshark_check: {text}")


def check_esp(capture, keys):
    """A fragmented ESP packet is dissected in its last fragment; earlier fragments have no esp layer."""
    rows = tshark(capture, keys, "esp", ["frame.number", "esp.icv_good", "esp.icv_bad", "udp.length", "tcp.len", "esp.spi"])
    if not rows:
        fail("no ESP at all")
    bad = [r for r in rows if r[1] not in ("1", "True")]
    if bad:
        fail(f"{len(bad)} of {len(rows)} ESP packets do not authenticate, first {bad[0]}")
    blind = [r for r in rows if not r[3] and not r[4]]
    if blind:
        fail(f"{len(blind)} ESP packets do not hold UDP or TCP after decryption, first {blind[0]}")
    return len(rows)


def check_checksums(capture, keys):
    bad = tshark(capture, keys, "ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0", ["frame.number"])
    if bad:
        fail(f"wrong checksums in frames {bad[:5]}")


def flow(capture, keys, display_filter):
    counts = collections.Counter()
    for method, status, cseq in tshark(capture, keys, display_filter,
                                       ["sip.Method", "sip.Status-Code", "sip.CSeq.method"]):
        counts[method or f"{status} {cseq}"] += 1
    return counts


def check_tcp(capture, keys):
    """In clear TCP there are only connections to 5060, and none before or after its SM1 and SM6."""
    if tshark(capture, keys, "tcp && !esp && !(tcp.port == 5060)", ["frame.number"]):
        fail("clear TCP beside port 5060")
    inside = tshark(capture, keys, "tcp && esp", ["tcp.srcport", "tcp.dstport", "tcp.flags.syn", "tcp.flags.ack"])
    servers = collections.Counter(r[1] == "6100" for r in inside if r[2] in ("1", "True") and r[3] in ("0", "False"))
    if not servers[True] or not servers[False]:
        fail(f"connections inside ESP: to port_ps {servers[True]}, to port_us {servers[False]}")
    return len(inside)


def main():
    capture, keys, result_path = sys.argv[1:4]
    tcp = "tcp" in sys.argv[4:]
    result = json.loads(pathlib.Path(result_path).read_text(encoding="utf-8").splitlines()[-1])
    ues = result["registered"]
    packets = check_esp(capture, keys)
    check_checksums(capture, keys)

    clear = flow(capture, keys, "sip && !esp")
    if set(clear) != {"REGISTER", "401 REGISTER"}:
        fail(f"clear SIP other than SM1 and SM6: {dict(clear)}")
    inner = flow(capture, keys, "sip && esp")
    sent = result["messages_sent"]
    expected = {"REGISTER": 2 * ues, "200 REGISTER": 2 * ues, "MESSAGE": 2 * sent}
    for what, count in expected.items():
        if inner[what] < count:
            fail(f"{inner[what]} protected {what}, expected at least {count} (SM7 and de-registration; each MESSAGE twice)")
    strange = set(inner) - set(expected) - {"200 MESSAGE", "202 MESSAGE"}
    if strange:
        fail(f"unexpected protected SIP: {strange}")
    for needle in ("ik=", "ck="):
        if tshark(capture, keys, f'sip.WWW-Authenticate contains "{needle}"', ["frame.number"]):
            fail(f"{needle} was sent to a UE")
    if tshark(capture, keys, 'sip.Status-Code == 200 && sip.msg_hdr contains "Security-"', ["frame.number"]):
        fail("SM12 carries a Security-* field")
    if tshark(capture, keys, "udp.port == 500 && !sip", ["frame.number"]):
        fail("IKE on the wire")
    if tcp:
        if tshark(capture, keys, "udp && sip", ["frame.number"]):
            fail("SIP over UDP")
        print(f"{check_tcp(capture, keys)} TCP segments inside ESP")
    print(f"{packets} ESP packets authenticated and decrypted; clear {dict(clear)}; inside {dict(inner)}")


main()
