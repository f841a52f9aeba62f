#!/usr/bin/env python3
"""esplanade and esplanadectl as processes, without P-CSCF: neither root nor ports are needed.

usage: programs.py ESPLANADE ESPLANADECTL
"""
import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import unittest

ESPLANADE, CTL = sys.argv[1:3]
K, OPC = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
CONF = """
roles = ["i-cscf", "s-cscf", "hss"];
realm = "r.example";
hss = { database = "h.db"; synchronous = false; };
control = { socket = "c.sock"; };
"""
# Ports that hand out empty frames as fast as they are asked, and swallow what is sent.
PLANE = CONF.replace('["', '["p-cscf", "').replace('control = { socket = "c.sock"; };', "") + """
dataplane = {
	ue_port = "net_null0"; host_port = "net_null1"; workers = 2; huge_pages = false; memory_mb = 192;
	buffers = 4096; sa_sets = 1024; idle_sleep_us = 200;
};
access = { addresses = ["192.0.2.1"]; };
control = { socket = "c.sock"; };
"""


def run(*args, stdin=None):
    return subprocess.run(args, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))


class Programs(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="esplanade-test.")
        self.conf = os.path.join(self.dir.name, "t.conf")
        self.run_dir = os.path.join(self.dir.name, "run")
        self.socket = os.path.join(self.run_dir, "c.sock")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF)
        self.daemon = None
        self.log = ""

    def tearDown(self):
        if self.daemon:
            self.stop()
        self.dir.cleanup()

    def start(self):
        self.daemon = subprocess.Popen([ESPLANADE, "-c", self.conf, "--run-dir", self.run_dir],
                                       stderr=subprocess.PIPE, text=True)
        for line in self.daemon.stderr:
            self.log += line
            if line.startswith("esplanade: ready"):
                return
        self.fail("esplanade did not start: " + self.log)

    def stop(self, number=signal.SIGTERM):
        self.daemon.send_signal(number)
        self.log += self.daemon.communicate(timeout=60)[1]
        code, self.daemon = self.daemon.returncode, None
        return code

    def ctl(self, *args, stdin=None):
        return run(CTL, "--socket", self.socket, *args, stdin=stdin)

    def test_usage(self):
        for program in ESPLANADE, CTL:
            self.assertEqual(run(program, "--help").returncode, 0)
            self.assertTrue(run(program, "--help").stdout.startswith("usage: "))
            self.assertIn("0.", run(program, "--version").stdout)
            self.assertEqual(run(program, "--bogus").returncode, 2)
            self.assertEqual(run(program).returncode, 2)
        self.assertIn("dataplane.ue_port", run(ESPLANADE, "--keys").stdout)

    def test_check(self):
        self.assertEqual(run(ESPLANADE, "--check", "-c", self.conf).returncode, 0)
        with open(self.conf, "a", encoding="utf-8") as f:
            f.write("log = {\n level = 7;\n bogus = 1; };\n")
        for args in (["--check"], []):
            r = run(ESPLANADE, *args, "-c", self.conf)
            self.assertEqual(r.returncode, 2)
            self.assertIn(f"{self.conf}:7: log.level: expected", r.stderr)
            self.assertIn(f"{self.conf}:8: unknown key log.bogus", r.stderr)
        self.assertEqual(run(ESPLANADE, "-c", self.dir.name + "/none").returncode, 2)

    def test_no_daemon(self):
        r = self.ctl("show", "status")
        self.assertEqual(r.returncode, 1)
        self.assertIn("is esplanade running?", r.stderr)

    def test_subscribers(self):
        self.start()
        for name in "h.db", "c.sock":
            mode = stat.S_IMODE(os.stat(os.path.join(self.run_dir, name)).st_mode)
            self.assertEqual(mode, 0o600, name)
        r = self.ctl("subscriber", "add", "--impi", "a@x", "--impu", "sip:a@x", "--k-file", "-",
                     "--opc", OPC, stdin=K + "\n")
        self.assertEqual((r.returncode, r.stdout), (0, "1 added\n"), r.stderr)
        r = self.ctl("subscriber", "add", "--impi", "a@x", "--impu", "sip:b@x", "--k", K, "--op", OPC)
        self.assertEqual(r.returncode, 1)
        self.assertIn("refused (409)", r.stderr)
        r = self.ctl("subscriber", "list", "--json")
        self.assertEqual(json.loads(r.stdout), {"subscribers": [
            {"impi": "a@x", "impus": ["sip:a@x"], "amf": "8000", "sqn": 0, "schemes": ["AKA"],
             "state": "not registered"}]})
        self.assertIn("a@x", self.ctl("subscriber", "list").stdout)
        self.assertEqual(self.ctl("subscriber", "del", "a@x").returncode, 0)
        r = self.ctl("subscriber", "del", "a@x")
        self.assertEqual(r.returncode, 1)
        self.assertIn("no subscriber a@x", r.stderr)
        self.assertEqual(self.stop(), 0)
        self.assertNotIn(K[:8], self.log)

    def test_digest(self):
        self.start()
        add = ["subscriber", "add", "--digest", "--password-file", "-"]
        r = self.ctl(*add, "--impi", "d@x", "--impu", "sip:d@x", stdin=" geheim \n")
        self.assertEqual((r.returncode, r.stdout), (0, "1 added\n"), r.stderr)
        r = self.ctl(*add, "--impi", "b@x", "--impu", "sip:b@x", "--k", K, "--opc", OPC, "--realm", "other.example",
                     "--variant", "hss", stdin="p\u00e4ss\n")
        self.assertEqual(r.returncode, 0, r.stderr)
        r = self.ctl(*add, "--impi", "c@x", "--impu", "sip:c@x", stdin="\n")
        self.assertEqual(r.returncode, 2)
        self.assertIn("expected a line of 1 to 255", r.stderr)
        lines = [f"u{i}@x,digest,,{hashlib.md5(f'u{i}@x:r.example:p{i}'.encode()).hexdigest()},,sip:u{i}@x"
                 for i in range(3)]
        r = self.ctl("subscriber", "add", "--file", "-", stdin="\n".join(lines))
        self.assertEqual((r.returncode, r.stdout), (0, "3 added\n"), r.stderr)
        every = {s["impi"]: s for s in
                 json.loads(self.ctl("subscriber", "list", "--json").stdout)["subscribers"]}
        self.assertEqual(every["d@x"], {"impi": "d@x", "impus": ["sip:d@x"], "state": "not registered",
                                        "schemes": ["Digest"], "realms": ["r.example"]})
        self.assertEqual(every["b@x"]["schemes"], ["AKA", "Digest"])
        self.assertEqual((every["b@x"]["realms"], every["b@x"]["variant"]), (["other.example"], "hss"))
        self.assertIn("AKA Digest", self.ctl("subscriber", "list").stdout)
        before = self.hashes()
        self.assertEqual(before["d@x"], hashlib.md5(b"d@x:r.example: geheim ").digest())
        self.assertEqual(before["b@x"], hashlib.md5("b@x:other.example:p\u00e4ss".encode()).digest())
        self.assertEqual(before["u2@x"], hashlib.md5(b"u2@x:r.example:p2").digest())
        r = self.ctl("subscriber", "password", "d@x", "--password-file", "-", stdin="neu")
        self.assertEqual((r.returncode, r.stdout), (0, "changed\n"), r.stderr)
        self.assertEqual(self.hashes() | {"d@x": before["d@x"]}, before)
        self.assertEqual(self.hashes()["d@x"], hashlib.md5(b"d@x:r.example:neu").digest())
        r = self.ctl("subscriber", "password", "nobody@x", "--password-file", "-", stdin="neu")
        self.assertEqual(r.returncode, 1)
        self.assertIn("no subscriber nobody@x", r.stderr)
        self.assertEqual(self.stop(), 0)
        self.assertNotIn("geheim", self.log)

    def hashes(self):
        db = sqlite3.connect(os.path.join(self.run_dir, "h.db"))
        with contextlib.closing(db):
            return dict(db.execute("SELECT s.impi, d.ha1 FROM digest d JOIN subscriber s ON s.id = d.subscriber"
                                   " WHERE d.hash = 0"))

    def test_csv(self):
        self.start()
        lines = ["# impi,k,opc,amf,sqn,impu"]
        lines += [f"u{i:04}@x,{K},{OPC},8000,{i},sip:u{i}@x,tel:+1{i}" for i in range(2345)]
        r = self.ctl("subscriber", "add", "--file", "-", stdin="\n".join(lines))
        self.assertEqual((r.returncode, r.stdout), (0, "2345 added\n"), r.stderr)
        every = json.loads(self.ctl("subscriber", "list", "--json").stdout)["subscribers"]
        self.assertEqual([s["sqn"] for s in every], list(range(2345)))
        some = json.loads(self.ctl("subscriber", "list", "--json", "--offset", "1000", "--limit", "1001").stdout)
        self.assertEqual(some["subscribers"], every[1000:2001])
        # those that exist are refused one by one, the new one is added
        r = self.ctl("subscriber", "add", "--file", "-",
                     stdin=f"{lines[1]}\nnew@x,{K},{OPC},8000,0,sip:new@x\n{lines[2]}\n")
        self.assertEqual((r.returncode, r.stdout), (1, "1 added\n"))
        self.assertIn("2 not added", r.stderr)
        for impi in "u0000@x", "u0001@x":
            self.assertIn(f"esplanadectl: {impi}: IMPI or IMPU exists already", r.stderr)
        r = self.ctl("subscriber", "add", "--file", "-", stdin=f"\nz@x,{K}0,{OPC},8000,0,sip:z@x\n")
        self.assertEqual(r.returncode, 2)
        self.assertIn("-:2: field 2, k", r.stderr)
        self.assertNotIn(K, r.stderr)

    def test_show(self):
        self.start()
        status = json.loads(self.ctl("show", "status", "--json").stdout)
        self.assertEqual(status["roles"], ["i-cscf", "s-cscf", "hss"])
        self.assertEqual(status["pid"], self.daemon.pid)
        self.assertEqual(status["scscf"], {"registered": 0, "pending": 0, "subscriptions": 0, "impossible": 0})
        self.assertEqual(json.loads(self.ctl("show", "workers", "--json").stdout), {"workers": []})
        drops = json.loads(self.ctl("show", "drops", "--json").stdout)
        self.assertIn("send_failed", drops["daemon"])
        self.assertEqual([drops[role]["dropped"] for role in ("icscf", "scscf")], [0, 0])
        self.assertIn("no P-CSCF runs here", self.ctl("show", "registrations").stderr)
        self.assertIn("not registered", self.ctl("deregister", "a@x").stderr)
        self.assertIn("not registered", self.ctl("deregister", "--reject", "a@x").stderr)
        r = self.ctl("reauth", "a@x", "--expires", "30")
        self.assertEqual(r.returncode, 1)
        self.assertIn("not registered", r.stderr)

    def test_show_workers_live(self):
        """Two workers, by one line of the configuration; both carry packets, and their rates fit their counters."""
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(PLANE)
        self.start()
        one, two = (json.loads(self.ctl("show", "workers", "--json").stdout)["workers"] for _ in "12")
        self.assertEqual([w["worker"] for w in two], [0, 1])
        for before, w in zip(one, two):
            rates, seconds = w["rates"], (w["clock"] - before["clock"]) / w["clock_hz"]
            got = {k: w[k] - before[k] for k in ("ue_rx", "polls", "busy_cycles")}
            self.assertGreater(got["ue_rx"], 0)
            self.assertGreater(rates["in_pps"], 0)
            self.assertGreaterEqual(rates["batch"], 1)
            self.assertGreater(rates["load"], 0)
            self.assertLess(got["busy_cycles"], seconds * w["clock_hz"] * 1.5)  # two clocks, and a machine that is busy
            self.assertGreater(rates["cycles_per_packet"], 0)
            self.assertGreater(sum(rates["drops"].values()), 0)
            self.assertLessEqual(set(rates["drops"]), set(w["drops"]))
        text = self.ctl("show", "workers").stdout
        for word in "UE RX", "BUSY %", "CYCLES/PKT", "LANE FILL", "worker 0 drops", "worker 1 drops":
            self.assertIn(word, text)
        watch = subprocess.Popen([CTL, "--socket", self.socket, "show", "workers", "--watch", "1", "--json"],
                                 stdout=subprocess.PIPE, text=True)
        seconds = [json.loads(watch.stdout.readline())["workers"][1]["rates"]["seconds"] for _ in range(3)]
        watch.terminate()
        watch.communicate(timeout=10)
        for s in seconds[1:]:  # the first line comes at once: its rates are over less than the second asked for
            self.assertTrue(0.9 < s < 10, s)

    def test_store_survives(self):
        """kill -9: the stale socket is replaced, the subscribers are there."""
        self.start()
        self.ctl("subscriber", "add", "--file", "-", stdin=f"a@x,{K},{OPC},8000,0,sip:a@x\n")
        self.assertEqual(self.stop(signal.SIGKILL), -9)
        self.assertTrue(os.path.exists(self.socket))
        self.start()
        self.assertIn("a@x", self.ctl("subscriber", "list").stdout)
        self.assertEqual(self.stop(signal.SIGINT), 0)
        self.assertFalse(os.path.exists(self.socket))

    def test_second_daemon(self):
        self.start()
        r = run(ESPLANADE, "-c", self.conf, "--run-dir", self.run_dir)
        self.assertEqual(r.returncode, 1)
        self.assertIn("another esplanade", r.stderr)
        self.assertEqual(self.ctl("show", "status").returncode, 0)

    def test_idle_sleeps(self):
        self.start()
        before = cpu_ticks(self.daemon.pid)
        time.sleep(1)
        self.assertLess(cpu_ticks(self.daemon.pid) - before, 10)  # of 100


unittest.main(argv=sys.argv[:1], verbosity=2)
