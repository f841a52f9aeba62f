#!/usr/bin/env python3
"""Sends captured ESP again, in both directions, and compares the counters of both ends: each packet is a
replay there, and nothing else.

usage: kernel_replay.py CAPTURE MAC_TOWARDS_VM TO_GATEWAY TO_VM VM_COMMAND GATEWAY_COMMAND
The commands print /proc/net/xfrm_stat, and an object with the object `dataplane` of drops by reason.
"""
import collections
import json
import logging
import shlex
import subprocess
import sys
import time

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import RawPcapReader, conf  # noqa: E402

PER_SA = 4  # packets: the newest ones of each
PATIENCE = 30  # seconds


def esp_of(frame):
    """The SPI of a frame with a whole ESP packet, bare or in UDP; None for others."""
    kind, ip = frame[12:14], frame[14:]
    if kind == b"\x08\x00":
        if ip[6] & 0x3F or ip[7]:
            return None  # a fragment
        proto, rest = ip[9], ip[(ip[0] & 15) * 4:]
    elif kind == b"\x86\xdd":
        proto, rest = ip[6], ip[40:]
    else:
        return None
    if proto == 17 and (4500).to_bytes(2, "big") in (rest[0:2], rest[2:4]) and rest[4:6] > b"\0\x20":
        proto, rest = 50, rest[8:]  # longer than a keepalive
    spi = int.from_bytes(rest[:4], "big")
    return spi if proto == 50 and spi else None


def newest(path, vm_mac):
    """Frames to the VM (or its NAT) and frames from there."""
    towards = {True: collections.defaultdict(list), False: collections.defaultdict(list)}
    for frame, _ in RawPcapReader(path):
        spi = esp_of(frame)
        if spi:
            kept = towards[frame[0:6] == vm_mac][spi]
            kept.append(frame)
            del kept[:-PER_SA]
    return [[f for kept in towards[side].values() for f in kept] for side in (True, False)]


def output(command):
    return subprocess.run(shlex.split(command), check=True, capture_output=True, text=True).stdout


def vm_counters(command):
    rows = (line.split() for line in output(command).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def gateway_counters(command):
    return json.loads(output(command))["dataplane"]


def send(frames, interface):
    socket = conf.L2socket(iface=interface)
    for frame in frames:
        socket.send(frame)
        time.sleep(0.0005)
    socket.close()


def settled(read, name, before, count):
    """Counters that moved, once `name` has moved by `count`, or too much time has passed."""
    end = time.monotonic() + PATIENCE
    while True:
        now = read()
        if now[name] - before[name] >= count or time.monotonic() > end:
            return {k: v - before[k] for k, v in now.items() if v != before[k]}
        time.sleep(0.2)


def main():
    capture, mac, to_gateway, to_vm, vm_command, gateway_command = sys.argv[1:]
    inbound, outbound = newest(capture, bytes.fromhex(mac.replace(":", "")))
    sides = [("the kernel", lambda: vm_counters(vm_command), "XfrmInStateSeqError", inbound, to_vm),
             ("the gateway", lambda: gateway_counters(gateway_command), "replay", outbound, to_gateway)]
    failed = False
    for who, read, name, frames, interface in sides:
        before = read()
        send(frames, interface)
        moved = settled(read, name, before, len(frames))
        good = frames and moved == {name: len(frames)}
        failed |= not good
        print(f"{len(frames)} packets replayed to {who}: {moved}{'' if good else ' NOT AS EXPECTED'}")
    sys.exit(1 if failed else 0)


main()
