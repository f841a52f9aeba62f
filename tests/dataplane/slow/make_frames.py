#!/usr/bin/python3
"""Writes packets as scapy makes them, so that the tests have an outsider's view.

Usage: make_frames.py responder > frames_responder.h; make_frames.py frag > frames_frag.h
       make_frames.py seeds DIR: the same as inputs of the fuzzers, in DIR/fuzz_responder, DIR/fuzz_frag
(Debian: python3-scapy)
"""
import contextlib
import pathlib
import random
import sys

from scapy.all import (ARP, ICMP, IP, IPv6, UDP, Ether, ICMPv6EchoReply, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                       ICMPv6NDOptMTU, IPOption, IPv6ExtHdrFragment, Raw, fragment, fragment6)

US, PEER, ALL = "02:00:00:00:00:aa", "02:00:00:00:00:bb", "ff:ff:ff:ff:ff:ff"
US4, PEER4, GATE4 = "10.1.0.5", "10.9.0.1", "10.1.0.1"
US6, PEER6 = "2001:db8:1::5", "2001:db8:9::1"
GROUP6, GROUP6_MAC = "ff02::1:ff00:5", "33:33:ff:00:00:05"


SEEDS = {}


def c_array(data):
    lines = [", ".join(f"0x{b:02x}" for b in data[i:i + 16]) for i in range(0, len(data), 16)]
    return ",\n\t".join(lines)


def emit(name, packet):
    data = packet if isinstance(packet, bytes) else bytes(packet)
    SEEDS[name] = data
    print(f"static const uint8_t {name}[] = {{\n\t{c_array(data)},\n}};\n")


def emit_list(name, packets):
    for i, p in enumerate(packets):
        emit(f"{name}_{i}", p)
    rows = ",\n\t".join(f"{{{name}_{i}, sizeof({name}_{i})}}" for i in range(len(packets)))
    print(f"static const struct bytes {name}[] = {{\n\t{rows},\n}};\n")


def arp(dst, src=PEER, **fields):
    return Ether(dst=dst, src=src) / ARP(**fields)


def arp_frames():
    emit("arp_request", arp(ALL, op=1, hwsrc=PEER, psrc=PEER4, pdst=US4))
    emit("arp_reply", arp(PEER, US, op=2, hwsrc=US, psrc=US4, hwdst=PEER, pdst=PEER4))
    emit("arp_probe", arp(ALL, op=1, hwsrc=PEER, psrc="0.0.0.0", pdst=US4))
    emit("arp_probe_reply", arp(PEER, US, op=2, hwsrc=US, psrc=US4, hwdst=PEER, pdst="0.0.0.0"))
    emit("arp_for_gateway", arp(ALL, op=1, hwsrc=PEER, psrc=PEER4, pdst=GATE4))
    emit("arp_as_us", arp(ALL, op=1, hwsrc=PEER, psrc=US4, pdst=US4))
    emit("arp_group_mac", arp(ALL, op=1, hwsrc="01:00:5e:00:00:01", psrc=PEER4, pdst=US4))
    emit("arp_token_ring", arp(ALL, op=1, hwtype=6, hwsrc=PEER, psrc=PEER4, pdst=US4))
    emit("arp_answer", arp(US, op=2, hwsrc=PEER, psrc=PEER4, hwdst=US, pdst=US4))
    emit("arp_gratuitous", arp(ALL, op=1, hwsrc=PEER, psrc=PEER4, pdst=PEER4))
    emit("arp_gratuitous_reply", arp(ALL, op=2, hwsrc=PEER, psrc=PEER4, pdst=PEER4))
    # our own questions; 10.1.0.1 is the gateway, 10.1.0.0/16 is local: its host that is not asked
    emit("arp_question", arp(ALL, US, op=1, hwsrc=US, psrc="10.1.0.2", pdst=GATE4))
    emit("arp_question_again", arp(PEER, US, op=1, hwsrc=US, psrc="10.1.0.2", pdst=GATE4))


def solicit(dst_mac, src, dst, target=US6, hlim=255, options=None, **fields):
    p = Ether(dst=dst_mac, src=PEER) / IPv6(src=src, dst=dst, hlim=hlim)
    p = p / ICMPv6ND_NS(tgt=target, **fields)
    return p / options if options is not None else p


def advert(dst_mac, dst, solicited, target=US6, src=None, mac=US, option=True, frm=US):
    p = Ether(dst=dst_mac, src=frm) / IPv6(src=src or target, dst=dst, hlim=255)
    p = p / ICMPv6ND_NA(tgt=target, R=0, S=solicited, O=1)
    return p / ICMPv6NDOptDstLLAddr(lladdr=mac) if option else p


def nd_frames():
    slla = ICMPv6NDOptSrcLLAddr(lladdr=PEER)
    emit("ns_group", solicit(GROUP6_MAC, PEER6, GROUP6, options=slla))
    emit("ns_unicast", solicit(US, PEER6, US6))
    emit("ns_two_options", solicit(US, PEER6, US6, options=ICMPv6NDOptMTU(mtu=1500) / slla))
    emit("na", advert(PEER, PEER6, 1))
    emit("ns_dad", solicit(GROUP6_MAC, "::", GROUP6))
    emit("na_dad", advert("33:33:00:00:00:01", "ff02::1", 0))
    emit("ns_hop_limit", solicit(US, PEER6, US6, hlim=254))
    emit("ns_checksum", solicit(US, PEER6, US6, cksum=0x1234))
    emit("ns_code", solicit(US, PEER6, US6, code=1))
    emit("ns_empty_option", solicit(US, PEER6, US6, options=Raw(b"\x01\0" + b"\2" * 6)))
    emit("ns_long_option", solicit(US, PEER6, US6, options=Raw(b"\x01\2" + b"\2" * 6)))
    emit("ns_dad_with_option", solicit(GROUP6_MAC, "::", GROUP6, options=slla))
    emit("ns_dad_unicast", solicit(US, "::", US6))
    emit("ns_not_ours", solicit(GROUP6_MAC, PEER6, GROUP6, target="2001:db8:3::5"))
    emit("ns_other_group", solicit("33:33:ff:00:00:06", PEER6, "ff02::1:ff00:6"))
    emit("na_answer", advert(US, US6, 1, target=PEER6, mac=PEER, frm=PEER))
    emit("na_answer_bare", advert(US, US6, 1, target=PEER6, option=False, frm=PEER))
    emit("na_unsolicited", advert("33:33:00:00:00:01", "ff02::1", 0, target=PEER6, mac=PEER,
                                  frm=PEER))
    emit("na_solicited_group", advert("33:33:00:00:00:01", "ff02::1", 1, target=PEER6, mac=PEER,
                                      frm=PEER))
    ask = Ether(src=US, dst="33:33:ff:00:00:01") / IPv6(src="2001:db8:1::1", dst="ff02::1:ff00:1",
                                                        hlim=255)
    ask /= ICMPv6ND_NS(tgt=PEER6) / ICMPv6NDOptSrcLLAddr(lladdr=US)
    emit("ns_question", ask)
    ask = Ether(src=US, dst=PEER) / IPv6(src="2001:db8:1::1", dst=PEER6, hlim=255)
    ask /= ICMPv6ND_NS(tgt=PEER6) / ICMPv6NDOptSrcLLAddr(lladdr=US)
    emit("ns_question_again", ask)


def echo_frames():
    data = Raw(bytes(range(33)))
    to, back = Ether(dst=US, src=PEER), Ether(dst=PEER, src=US)
    echo = IP(src=PEER4, dst=US4, id=7, ttl=9, flags="DF")
    emit("echo", to / echo / ICMP(type=8, id=3, seq=4) / data)
    emit("echo_padded", bytes(to / echo / ICMP(type=8, id=3, seq=4) / data) + bytes(5))
    emit("echo_reply", back / IP(src=US4, dst=PEER4, id=7, ttl=64, flags="DF") /
         ICMP(type=0, id=3, seq=4) / data)
    emit("echo_checksum", to / echo / ICMP(type=8, chksum=1) / data)
    emit("echo_ip_checksum", to / IP(src=PEER4, dst=US4, chksum=1) / ICMP(type=8) / data)
    emit("echo_fragment", to / IP(src=PEER4, dst=US4, flags="MF") / ICMP(type=8) / data)
    emit("echo_not_ours", to / IP(src=PEER4, dst="10.2.0.1") / ICMP(type=8) / data)
    emit("echo_from_group", to / IP(src="224.0.0.1", dst=US4) / ICMP(type=8) / data)
    emit("echo_broadcast", Ether(dst=ALL, src=PEER) / IP(src=PEER4, dst=US4) / ICMP(type=8))
    emit("echo_too_long", to / IP(src=PEER4, dst=US4, len=1000) / ICMP(type=8) / data)
    emit("udp", to / IP(src=PEER4, dst=US4) / UDP(sport=1, dport=2) / data)
    emit("echo6", to / IPv6(src=PEER6, dst=US6, hlim=9) / ICMPv6EchoRequest(id=3, seq=4, data=data))
    emit("echo6_reply", back / IPv6(src=US6, dst=PEER6, hlim=64) /
         ICMPv6EchoReply(id=3, seq=4, data=data))
    emit("echo6_checksum", to / IPv6(src=PEER6, dst=US6) / ICMPv6EchoRequest(cksum=1, data=data))
    emit("echo6_group", Ether(dst="33:33:00:00:00:01", src=PEER) /
         IPv6(src=PEER6, dst="ff02::1") / ICMPv6EchoRequest(data=data))


def fragments():
    random.seed(1)
    data = Raw(random.randbytes(800))
    # as an ESP packet is fragmented: header, then octets that say nothing
    whole = IP(src=PEER4, dst=US4, proto=50, id=0x1234) / data
    emit("whole4", whole)
    emit_list("pieces4", fragment(whole, fragsize=(328 - 20) // 8 * 8))
    options = IPOption(b"\x44\x04\x05\x00") / IPOption(b"\x82\x0b" + bytes(9))
    whole = IP(src=PEER4, dst=US4, proto=50, id=0x1235, options=options) / data
    emit("whole4_options", whole)
    # Scapy copies all options; only the security option (0x82) has the copied flag.
    pieces = fragment(whole, fragsize=(328 - 36) // 8 * 8)
    for p in pieces[1:]:
        p[IP].options = [IPOption(b"\x82\x0b" + bytes(9))]
        del p[IP].ihl, p[IP].len, p[IP].chksum
    emit_list("pieces4_options", [IP(bytes(p)) for p in pieces])
    whole = IPv6(src=PEER6, dst=US6, nh=50, tc=5, fl=77) / data
    emit("whole6", whole)
    head = IPv6(src=PEER6, dst=US6, tc=5, fl=77)
    frag = IPv6ExtHdrFragment(id=0xdeadbeef, nh=50)
    emit_list("pieces6", fragment6(head / frag / data, 400))
    emit("atomic6", head / IPv6ExtHdrFragment(id=5, nh=50) / data)


def write_responder_seeds(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(bytes([0x20]) + data)


def write_frag_seeds(folder):
    """As tests/fuzz/fuzz_frag.c reads them: all pieces of a packet, and packets to be cut."""
    folder.mkdir(parents=True, exist_ok=True)
    for whole, pieces in (("whole4", "pieces4"), ("whole4_options", "pieces4_options"), ("whole6", "pieces6")):
        parts = [data for name, data in SEEDS.items() if name.startswith(pieces + "_") and name[-1].isdigit()]
        (folder / pieces).write_bytes(b"\1" + b"".join(len(p).to_bytes(2, "big") + p for p in parts))
        (folder / whole).write_bytes(b"\0" + (400).to_bytes(2, "big") + SEEDS[whole])


PARTS = {"responder": (arp_frames, nd_frames, echo_frames), "frag": (fragments,)}

if sys.argv[1] == "seeds":
    target = pathlib.Path(sys.argv[2])
    with contextlib.redirect_stdout(None):
        for kind, write in (("responder", write_responder_seeds), ("frag", write_frag_seeds)):
            SEEDS.clear()
            for part in PARTS[kind]:
                part()
            write(target / f"fuzz_{kind}")
else:
    print("/* Made by make_frames.py. */\n/* clang-format off */\n#include \"tests/dataplane/slow/rig.h\"\n")
    for part in PARTS[sys.argv[1]]:
        part()
