#!/usr/bin/python3
"""Packets for tests/interop/static_sas.sh, and what must have become of them, by scapy.

usage: static_sas.py make DIR | check DIR
"""
import sys

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap, wrpcap

OURS, PEER, OURS6, PEER6 = "192.0.2.1", "192.0.2.9", "2001:db8::1", "2001:db8::9"
INTEG, ENCR, MD5, DES = bytes(range(20)), bytes(range(16)), bytes(range(50, 66)), bytes.fromhex("010204" * 8)
N = 40
ETH = Ether(src="02:00:00:00:00:09", dst="ff:ff:ff:ff:ff:ff")


def sa(spi, crypt="AES-CBC", key=ENCR, auth="HMAC-SHA1-96", auth_key=INTEG):
    return SecurityAssociation(ESP, spi=spi, crypt_algo=crypt, crypt_key=key, auth_algo=auth, auth_key=auth_key)


# As in static_sas.sh: SPI, protocol header, version
OUT = [(sa(4096), 6101, UDP, 4), (sa(4097, "3DES", DES, "HMAC-MD5-96", MD5), 6102, TCP, 4),
       (sa(4098, "NULL", None), 6103, UDP, 6)]
IN = [(sa(8192), 6101, UDP, 4), (sa(8193, "3DES", DES, "HMAC-MD5-96", MD5), 6102, TCP, 4),
      (sa(8194, "NULL", None), 6103, UDP, 6), (sa(8195), 6104, UDP, 4)]


def clear(i, port, l4, version, outbound):
    ours, peer = (OURS, PEER) if version == 4 else (OURS6, PEER6)
    src, dst = (ours, peer) if outbound else (peer, ours)
    sport, dport = (port, 7000) if outbound else (7000, port)
    ip = IP(src=src, dst=dst) if version == 4 else IPv6(src=src, dst=dst)
    packet = ip / l4(sport=sport, dport=dport) / bytes((i + j) & 0xFF for j in range(30 * i))
    return packet.__class__(bytes(packet))


def inside(direction):
    return [(s, clear(i, port, l4, version, direction == OUT)) for i in range(N) for s, port, l4, version in direction]


def make(folder):
    plain = [ETH / p for _, p in inside(OUT)]
    plain.append(ETH / clear(1, 6105, UDP, 4, True))  # a protected port without an SA: must not get out
    wrpcap(f"{folder}/host-in.pcap", plain)
    esp = [ETH / s.encrypt(p, seq_num=i // len(IN) + 1) for i, (s, p) in enumerate(inside(IN))]
    bad = bytearray(bytes(ETH / IN[0][0].encrypt(clear(1, 6101, UDP, 4, False), seq_num=N + 1)))
    bad[-1] ^= 1
    wrpcap(f"{folder}/ue-in.pcap", esp + esp + [Ether(bytes(bad)), ETH / clear(1, 6101, UDP, 4, False)])


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, expected {wanted}")
    print(f"{what}: {found}")


def check(folder):
    sent = [p[Ether].payload for p in rdpcap(f"{folder}/ue-out.pcap")]
    by_spi = {s.spi: s for s, *_ in OUT}
    expect("clear packets that left", sum(ESP not in p for p in sent), 0)
    got, seqs, ivs = [], {}, set()
    for p in sent:
        esp = p[ESP]
        seqs.setdefault(esp.spi, []).append(esp.seq)
        if esp.spi != 4098:
            ivs.add(bytes(esp.data)[:8])
        got.append(bytes(by_spi[esp.spi].decrypt(p)))
    expect("outbound, as it went in", sorted(got) == sorted(bytes(p) for _, p in inside(OUT)), True)
    expect("sequence numbers", all(s == list(range(1, N + 1)) for s in seqs.values()), True)
    expect("different IVs", len(ivs), 2 * N)
    received = sorted(bytes(p[Ether].payload) for p in rdpcap(f"{folder}/host-out.pcap"))
    once = [bytes(p) for _, p in inside(IN)]
    again = [bytes(p) for s, p in inside(IN) if s.spi == 8195]  # without anti-replay
    expect("inbound, as it went in", received == sorted(once + again), True)


{"make": make, "check": check}[sys.argv[1]](sys.argv[2])
