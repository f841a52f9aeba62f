#!/usr/bin/env python3
"""Sends good and bad ESP made by scapy to esplanade, one packet at a time, and compares its counters."""
import csv
import http.client
import json
import logging
import socket
import sys
import time

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import ICMP, IP, UDP, Ether, Raw, TCP, sendp  # noqa: E402
from scapy.layers.ipsec import ESP, SecurityAssociation  # noqa: E402

CRYPT = {"NULL": "NULL", "AES-CBC [RFC3602]": "AES-CBC", "TripleDES-CBC [RFC2451]": "3DES"}
AUTH = {"HMAC-SHA-1-96 [RFC2404]": "HMAC-SHA1-96", "HMAC-MD5-96 [RFC2403]": "HMAC-MD5-96"}


class Management(http.client.HTTPConnection):
    """The daemon's management socket itself: esplanadectl's "show workers" measures rates for a second."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Gateway:
    def __init__(self, management):
        self.management = management

    def get(self, what):
        connection = Management(self.management)
        connection.request("GET", f"/v1/{what}")
        answer = json.load(connection.getresponse())
        connection.close()
        return answer

    def counters(self):
        """All that one packet may move: data plane drops by reason, P-CSCF drops, deliveries."""
        workers, drops = self.get("workers")["workers"], self.get("drops")
        moved = {f"drop {k}": v for k, v in drops["dataplane"].items()}
        moved.update({f"pcscf {k}": v for k, v in drops["pcscf"].items()})
        for name in ("esp_checked", "to_control", "host_tx"):
            moved[name] = sum(w[name] for w in workers)
        return moved

    def settled(self, before):
        """Counters after a packet, once they have moved and are quiet."""
        for _ in range(40):
            time.sleep(0.05)
            if self.counters() != before:
                break
        time.sleep(0.05)
        return self.counters()


def associations(sas_path, keys_path):
    """The inbound SAs of the gateway at its server port: (sa, keys row)."""
    with open(keys_path, encoding="ascii") as f:
        rows = {int(r[3], 16): r for r in csv.reader(l for l in f if not l.startswith("#")) if len(r) == 8}
    with open(sas_path, encoding="utf-8") as f:
        sets = json.load(f)["sas"]
    for one in sets:
        sa = next(s for s in one["sas"] if s["direction"] == "in" and s["pair"] == "server")
        yield one, sa, rows[sa["spi"]]


class Phone:
    """One registered phone whose ESP scapy makes."""

    def __init__(self, one, sa, row):
        self.name = f"{one['integ']}/{one['encr']}"
        self.ue, self.gateway = one["remote"], one["local"]
        self.sport, self.dport, self.spi = sa["remote_port"], sa["local_port"], sa["spi"]
        self.seq = sa["seq"] + 10
        keys = {"crypt_algo": CRYPT[row[4]], "auth_algo": AUTH[row[6]], "auth_key": bytes.fromhex(row[7][2:])}
        if row[5]:
            keys["crypt_key"] = bytes.fromhex(row[5][2:])
        self.make = lambda spi: SecurityAssociation(ESP, spi=spi, **keys)

    def plain(self, **change):
        ports = {"sport": self.sport, "dport": self.dport}
        ports.update({k: v for k, v in change.items() if k in ports})
        source = change.get("src", self.ue)
        l4 = change.get("l4") or UDP(**ports) / Raw(b"OPTIONS sip:nobody SIP/2.0\r\n\r\n")
        return IP(src=source, dst=self.gateway) / l4

    def esp(self, spi=None, seq=None, **change):
        if seq is None:
            self.seq += 1
            seq = self.seq
        return self.make(spi or self.spi).encrypt(self.plain(**change), seq_num=seq)


def damaged(packet, at):
    octets = bytearray(bytes(packet))
    octets[at] ^= 1
    return IP(bytes(octets))


def with_spi(packet, spi):
    """After encryption: scapy makes no ESP of reserved SPIs."""
    octets = bytearray(bytes(packet))
    octets[20:24] = spi.to_bytes(4, "big")
    return IP(bytes(octets))


def truncated(packet, keep):
    octets = bytearray(bytes(packet)[:20 + keep])
    octets[2:4] = len(octets).to_bytes(2, "big")
    octets[10:12] = b"\0\0"
    shorter = IP(bytes(octets))
    del shorter.chksum
    return IP(bytes(shorter))


def cases(phone):
    """name, packet, counters that move (by one each), and no other."""
    good = phone.esp()
    delivered = {"esp_checked", "to_control", "pcscf malformed"}
    yield "good", good, delivered
    yield "replayed", good, {"drop replay"}
    yield "too old", phone.esp(seq=1), {"drop replay"}
    yield "sequence number 0", phone.esp(seq=0), {"drop replay"}
    yield "bad ICV", damaged(phone.esp(), -1), {"drop bad_icv"}
    yield "bad first octet of payload", damaged(phone.esp(), 20 + 8), {"drop bad_icv"}
    yield "forged high number", damaged(phone.esp(seq=0xfffffff0), -1), {"drop bad_icv"}
    yield "good after the forgery", phone.esp(), delivered
    yield "wrong SPI", phone.esp(spi=phone.spi ^ 0x80000000), {"drop unknown_spi"}
    yield "SPI 0", with_spi(phone.esp(), 0), {"drop unknown_spi"}
    yield "reserved SPI", with_spi(phone.esp(), 1), {"drop unknown_spi"}
    yield "wrong source address", phone.esp(src="10.45.200.200"), {"drop selector"}
    yield "wrong source port", phone.esp(sport=phone.sport ^ 1), {"esp_checked", "drop selector"}
    yield "wrong destination port", phone.esp(dport=5060), {"esp_checked", "drop selector"}
    yield "ICMP inside", phone.esp(l4=ICMP()), {"esp_checked", "drop bad_next_header"}
    yield "truncated to SPI", truncated(phone.esp(), 4), {"drop esp_too_short"}
    yield "truncated to header", truncated(phone.esp(), 8), {"drop esp_too_short"}
    yield "no ESP at all", truncated(phone.esp(), 0), {"drop esp_too_short"}
    yield "clear UDP to port_ps", phone.plain(), {"drop clear_to_protected"}
    yield "clear TCP SYN to port_ps", phone.plain(l4=TCP(sport=phone.sport, dport=phone.dport, flags="S")), \
        {"drop clear_to_protected"}
    yield "clear OPTIONS to 5060", phone.plain(dport=5060, sport=5060), {"to_control", "pcscf malformed"}
    yield "TCP inside", phone.esp(l4=TCP(sport=phone.sport, dport=phone.dport, flags="A")), {"esp_checked", "host_tx"}


def main():
    interface, mac, sas_path, keys_path, management = sys.argv[1:]
    gateway, failed, count = Gateway(management), 0, 0
    for one, sa, row in associations(sas_path, keys_path):
        phone = Phone(one, sa, row)
        for name, packet, expected in cases(phone):
            before = gateway.counters()
            sendp(Ether(dst=mac) / packet, iface=interface, verbose=False)
            after = gateway.settled(before)
            moved = {k: after[k] - before[k] for k in after if after[k] != before[k]}
            count += 1
            if moved != {k: 1 for k in expected}:
                failed += 1
                print(f"{phone.name}: {name}: moved {moved}, expected {sorted(expected)}")
    print(f"{count} packets, {failed} not as expected")
    sys.exit(1 if failed or not count else 0)


main()
