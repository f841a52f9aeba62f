#!/usr/bin/python3
"""The same job for esplanade and DPDK's ipsec-secgw, in turn, several times: ESP in transport mode, one SA.

usage: scripts/bench --compare SECGW_BINARY [--build DIR] [--seconds S] [--runs N] [--cpu N] [--sizes N,N] [--dirs out,in]
                     [--jsonl FILE]

SECGW_BINARY is examples/ipsec-secgw of DPDK 22.11, which is not part of this project. As it stands it demands RX
checksum offload of its ports, which net_pcap and net_null have not: it must have been built without that demand. Both programs read the same pcap
(net_pcap, infinite_rx=1: copies from memory, over and over) at one port, and throw away what they send at the other
(net_null). Both have one thread on CPU --cpu for packets, ordinary memory (--no-huge) and the same number of
buffers. Rates are packets that left by the second port, by the program's own counters, once it has run for a while,
in a second of that thread's CPU time: on an idle machine that is a second, and on a busy one it does not count for
whom the CPU was busy. In a run both are there, and take turns of 100 ms (SIGSTOP, SIGCONT), so what else the machine
does meets both; each run starts them anew. Sizes are those of the clear IP packet.

ipsec-secgw is given (out; in has the two --vdev the other way round):

  SECGW_BINARY -l CPU --no-huge -m 1024 --no-pci --file-prefix=PREFIX --vdev=crypto_aesni_mb0 --log-level=*:error
    --vdev=net_null0,no-rx=1 --vdev=net_pcap0,rx_pcap=FILE,infinite_rx=1
    -- -p 0x3 -P -u 0x1 -l -s 32768 --config=(0,0,CPU),(1,0,CPU) -f CONFIG

with port 0 on the unprotected (UE) side. Nothing of it checks for replays, which an endless pcap would be; nor does
esplanade's SA (anti_replay = false).
"""
import argparse
import glob
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS, PEER = "192.0.2.1", "192.0.2.9"
PORT, PEER_PORT = 6101, 7000
SPI_OUT, SPI_IN = 4096, 8192
INTEG, ENCR = bytes(range(20)), bytes(range(100, 116))
PACKETS = 256  # in a pcap
BUFFERS = 32768
BARS = {64: 1.3, 512: 1.45, 1400: 1.3}
WARM_UP_S = 0.3
SLICE_S = 0.1
READINGS = 5


# ---- pcaps -----------------------------------------------------------------------------------------------------------

def clear_packet(size, src, dst, sport, dport):
    from scapy.layers.inet import IP, UDP
    return IP(src=src, dst=dst, ttl=64) / UDP(sport=sport, dport=dport) / bytes(i & 0xFF for i in range(size - 28))


def frames(direction, size):
    """Ethernet frames; to the broadcast address, which is everybody's port."""
    from scapy.layers.ipsec import ESP, SecurityAssociation
    from scapy.layers.l2 import Ether
    eth = Ether(src="02:00:00:00:00:09", dst="ff:ff:ff:ff:ff:ff", type=0x800)
    if direction == "out":
        yield from [bytes(eth / clear_packet(size, OURS, PEER, PORT, PEER_PORT))] * PACKETS
        return
    sa = SecurityAssociation(ESP, spi=SPI_IN, crypt_algo="AES-CBC", crypt_key=ENCR, auth_algo="HMAC-SHA1-96",
                             auth_key=INTEG)
    for seq in range(1, PACKETS + 1):
        yield bytes(eth / sa.encrypt(clear_packet(size, PEER, OURS, PEER_PORT, PORT), seq_num=seq))


def write_pcap(path, direction, size):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in frames(direction, size):
            f.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


# ---- the two programs ------------------------------------------------------------------------------------------------

class Program:
    """One running program; packets() are those it has sent by its second port."""

    def __init__(self, args, log):
        self.log = log
        with open(log, "w") as out:
            self.process = subprocess.Popen(args, stdout=out, stderr=subprocess.STDOUT)

    def wait_ready(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if self.packets() > 0:
                    return
            except (OSError, ValueError, KeyError, TypeError):
                pass
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"{self.name} carries nothing:\n" + pathlib.Path(self.log).read_text()[-2000:])

    def cpu_ns(self):
        """What the busiest thread has had of its CPU."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return max(int(t.read_text().split()[0]) for t in tasks)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def port_args(direction, pcap):
    source, sink = f"rx_pcap={pcap},infinite_rx=1", "no-rx=1"
    return (f"net_null0,{sink}", f"net_pcap0,{source}") if direction == "out" else (f"net_pcap0,{source}",
                                                                                   f"net_null0,{sink}")


class Esplanade(Program):
    name = "esplanade"

    def __init__(self, a, work, direction, pcap):
        ue, host = port_args(direction, pcap)
        self.socket = f"{work}/control.sock"
        spi = SPI_OUT if direction == "out" else SPI_IN
        conf = f"""
dataplane = {{ ue_port = "{ue}"; host_port = "{host}"; huge_pages = false; memory_mb = 1024; buffers = {BUFFERS};
	sa_sets = 1024; idle_sleep_us = 0; cores = "{a.other_cpu},{a.cpu}"; }};
access = {{ addresses = ["{OURS}"]; }};
static_sas = ( {{ direction = "{direction}"; spi = {spi}; remote = "{PEER}"; local_port = {PORT};
	remote_port = {PEER_PORT}; algorithm = "hmac-sha-1-96/aes-cbc"; integ_key = "{INTEG.hex()}";
	encr_key = "{ENCR.hex()}"; anti_replay = false; }} );
control = {{ socket = "{self.socket}"; }};
"""
        path = f"{work}/esplanade.conf"
        pathlib.Path(path).write_text(conf)
        self.counter = "ue_tx" if direction == "out" else "host_tx"
        super().__init__([str(pathlib.Path(a.build) / "esplanade"), "-c", path], f"{work}/esplanade.log")

    def packets(self):
        connection = http.client.HTTPConnection("localhost", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(self.socket)
        try:
            connection.request("GET", "/v1/workers")
            return json.loads(connection.getresponse().read())["workers"][0][self.counter]
        finally:
            connection.close()


class Secgw(Program):
    name = "ipsec-secgw"

    def __init__(self, a, work, direction, pcap):
        self.prefix = f"compare{os.getpid()}"
        keys = " ".join(["cipher_algo aes-128-cbc cipher_key", ENCR.hex(":"), "auth_algo sha1-hmac auth_key",
                         INTEG.hex(":"), "mode transport"])
        conf = f"""sp ipv4 out esp protect {SPI_OUT} pri 1 dst {PEER}/32 sport 0:65535 dport 0:65535
sp ipv4 in esp protect {SPI_IN} pri 1 dst {OURS}/32 sport 0:65535 dport 0:65535
sa out {SPI_OUT} {keys}
sa in {SPI_IN} {keys}
rt ipv4 dst {PEER}/32 port 0
rt ipv4 dst {OURS}/32 port 1
neigh port 0 02:00:00:00:00:01
neigh port 1 02:00:00:00:00:02
"""
        path = f"{work}/secgw.cfg"
        pathlib.Path(path).write_text(conf)
        self.port = 0 if direction == "out" else 1
        null, pcap_port = ("--vdev=" + p for p in port_args(direction, pcap))
        super().__init__([a.secgw, "-l", str(a.cpu), "--no-huge", "-m", "1024", "--no-pci", f"--file-prefix={self.prefix}",
                          "--vdev=crypto_aesni_mb0", "--log-level=*:error", null, pcap_port, "--", "-p", "0x3", "-P",
                          "-u", "0x1", "-l", "-s", str(BUFFERS), "-f", path,
                          f"--config=(0,0,{a.cpu}),(1,0,{a.cpu})"],
                         f"{work}/secgw.log")

    def packets(self):
        path = glob.glob(f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2")[0:1] or ["/nowhere"]
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(5)
            s.connect(path[0])
            s.recv(4096)
            s.send(f"/ethdev/stats,{self.port}".encode())
            return json.loads(s.recv(65536))["/ethdev/stats"]["opackets"]

    def stop(self):
        super().stop()
        shutil.rmtree(f"/var/run/dpdk/{self.prefix}", ignore_errors=True)


class Turns:
    """Programs of which one runs at a time; the others are stopped."""

    def __init__(self):
        self.programs = []

    def add(self, make):
        for p in self.programs:
            p.process.send_signal(signal.SIGSTOP)
        self.programs.append(make())
        self.programs[-1].wait_ready()

    def run(self, program):
        for p in self.programs:
            p.process.send_signal(signal.SIGCONT if p is program else signal.SIGSTOP)

    def reading(self, program):
        """Packets and CPU time at one moment: of some readings the one that took least of the thread's time."""
        self.run(program)
        tries = []
        for _ in range(READINGS):
            before = program.cpu_ns()
            packets = program.packets()
            after = program.cpu_ns()
            tries.append((after - before, packets, (before + after) / 2))
        return min(tries)[1:]

    def stop(self):
        for p in self.programs:
            p.process.send_signal(signal.SIGCONT)
            p.stop()


def rates(a, work, direction, pcap):
    """Packets per second of CPU time, of both."""
    turns = Turns()
    try:
        turns.add(lambda: Esplanade(a, work, direction, pcap))
        turns.add(lambda: Secgw(a, work, direction, pcap))
        for p in turns.programs:
            turns.run(p)
            time.sleep(WARM_UP_S)
        first = [turns.reading(p) for p in turns.programs]
        for _ in range(round(a.seconds / SLICE_S)):
            for p in turns.programs:
                turns.run(p)
                time.sleep(SLICE_S)
        last = [turns.reading(p) for p in turns.programs]
        return [(l[0] - f[0]) / (l[1] - f[1]) * 1e9 for f, l in zip(first, last)]
    finally:
        turns.stop()


# ---- the comparison --------------------------------------------------------------------------------------------------

def compare(a, work, direction, size):
    pcap = f"{work}/{direction}-{size}.pcap"
    write_pcap(pcap, direction, size)
    ours, theirs = zip(*[rates(a, work, direction, pcap) for _ in range(a.runs)])
    ratios = [x / y for x, y in zip(ours, theirs)]
    return {"bench": "compare", "dir": direction, "size": size, "runs": a.runs, "seconds": a.seconds,
            "esplanade_mpps": round(statistics.median(ours) / 1e6, 3),
            "secgw_mpps": round(statistics.median(theirs) / 1e6, 3), "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(r, 3) for r in ratios], "load": round(os.getloadavg()[0], 1)}


def other_cpu(cpu):
    cpus = sorted(os.sched_getaffinity(0) | {int(p.name[3:]) for p in pathlib.Path("/sys/devices/system/cpu").glob(
        "cpu[0-9]*")})
    return next((c for c in cpus if c != cpu), cpu)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("secgw", metavar="SECGW_BINARY")
    p.add_argument("--build", default=str(ROOT / "build"))
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--cpu", type=int, default=1, help="of the thread that carries packets")
    p.add_argument("--sizes", default="64,512,1400")
    p.add_argument("--dirs", default="out,in")
    p.add_argument("--jsonl", help="write each result here")
    a = p.parse_args()
    a.other_cpu = other_cpu(a.cpu)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="esplanade-compare") as work:
        log = open(a.jsonl, "w") if a.jsonl else None
        for direction in a.dirs.split(","):
            for size in map(int, a.sizes.split(",")):
                r = compare(a, work, direction, size)
                bar = BARS.get(size)
                missed += bar is not None and r["ratio"] < bar
                print(f"{direction:3} {size:5} B  esplanade {r['esplanade_mpps']:6.2f} Mpps  ipsec-secgw "
                      f"{r['secgw_mpps']:6.2f} Mpps  ratio {r['ratio']:.2f} ({min(r['ratios']):.2f} to "
                      f"{max(r['ratios']):.2f})" + (f", bar {bar}" if bar else ""), flush=True)
                if log:
                    print(json.dumps(r), file=log, flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
