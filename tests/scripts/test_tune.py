#!/usr/bin/env python3
"""scripts/tune on made-up machines: a good one, and one thing wrong at a time.

usage: test_tune.py SCRIPTS
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TUNE = str(pathlib.Path(sys.argv[1]) / "tune")
CPU, NODE = "sys/devices/system/cpu", "sys/devices/system/node"
NIC = "0000:03:00.0"
# Eight CPUs on two nodes, no SMT; workers on 2 and 3
GOOD = {
    f"{CPU}/online": "0-7", f"{CPU}/isolated": "2-3", f"{CPU}/nohz_full": "2-3",
    f"{NODE}/node0/cpulist": "0-3", f"{NODE}/node1/cpulist": "4-7",
    f"{NODE}/node0/hugepages/hugepages-2048kB/nr_hugepages": "512",
    f"{NODE}/node1/hugepages/hugepages-2048kB/nr_hugepages": "0",
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "512",
    "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "500",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    f"sys/bus/pci/devices/{NIC}/numa_node": "0",
    "proc/77/comm": "irqbalance", "proc/irq/9/effective_affinity_list": "0", "proc/irq/9/eth0/x": "",
} | {f"{CPU}/cpu{i}/cpufreq/scaling_governor": "performance" for i in range(8)} \
  | {f"{CPU}/cpu{i}/topology/thread_siblings_list": str(i) for i in range(8)}
CONF = 'dataplane = {{ # cores = "7"\n\tue_port = "{}";\n\t{}\n}};\n'
# what is wrong, the check that says so, words of its advice
BAD = (
    ({f"{CPU}/online": "0-2,4-7"}, "cores", "CPUs 3 are not online"),
    ({f"{CPU}/isolated": ""}, "isolcpus", "isolcpus=managed_irq,domain,2,3"),
    ({f"{CPU}/isolated": "2"}, "isolcpus", "other threads on CPUs 3:"),
    ({f"{CPU}/nohz_full": "(null)"}, "nohz_full", "nohz_full=2,3 rcu_nocbs=2,3"),
    ({f"{CPU}/cpu3/cpufreq/scaling_governor": "powersave"}, "governor", "cpupower -c 3 frequency-set -g performance"),
    ({f"sys/bus/pci/devices/{NIC}/numa_node": "1"}, "numa", "CPUs 2,3 are not: choose cores of 4-7"),
    ({f"{NODE}/node0/hugepages/hugepages-2048kB/nr_hugepages": "0"}, "hugepages", "none on node 0"),
    ({"sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0"}, "hugepages", "dpdk-bind hugepages --reserve"),
    ({"etc/default/irqbalance": "IRQBALANCE_BANNED_CPULIST=2\n"}, "irqbalance", 'BANNED_CPULIST="2,3"'),
    ({"proc/irq/9/effective_affinity_list": "2"}, "interrupts", "IRQs 9 come"),
    ({"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never"}, "thp", "echo madvise"),
    ({"sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]"}, "thp", "echo madvise"),
    ({f"{CPU}/cpu2/topology/thread_siblings_list": "2-3"}, "smt", "CPUs 2,3 are threads of the same cores"),
    ({f"{CPU}/cpu2/topology/thread_siblings_list": "2,6"}, "smt", "CPUs 2,6 are threads"),
)


class Tune(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="esplanade-test.")
        self.root = pathlib.Path(self.dir.name)
        self.put(GOOD)

    def tearDown(self):
        self.dir.cleanup()

    def put(self, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")

    def tune(self, *args, status):
        r = subprocess.run([TUNE, *args], env=os.environ | {"ESPLANADE_ROOT": str(self.root)}, capture_output=True,
                           text=True, timeout=60, check=False)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        return r.stdout

    def changes(self, *args):
        found = json.loads(self.tune("--json", *args, status=1))["findings"]
        return {f["check"]: f["text"] for f in found if f["change"]}

    def test_good(self):
        said = self.tune("--cores", "2-3", "--nic", NIC, status=0)
        self.assertNotIn("CHANGE", said)
        self.assertEqual(len(said.splitlines()), 10)

    def test_bad(self):
        for files, check, words in BAD:
            with self.subTest(check=check, files=files):
                self.put(files)
                changes = self.changes("--cores", "2,3", "--nic", NIC)
                self.assertIn(words, changes.get(check, ""), changes)
                if check not in ("isolcpus", "nohz_full"):  # irqbalance looks at those, too
                    self.assertEqual(list(changes), [check])
                for name in files:
                    (self.root / name).unlink()
                self.put(GOOD)

    def test_from_configuration(self):
        conf = self.root / "e.conf"
        for line, workers in ('cores = "0,2,3";', [2, 3]), ('cores = "1-3";', [2, 3]), ("", [1, 2, 3, 4, 5, 6, 7]):
            conf.write_text(CONF.format(NIC, line), encoding="utf-8")
            found = json.loads(self.tune("-c", str(conf), "--json", status=0 if line else 1))
            self.assertEqual((found["workers"], found["nic"]), (workers, NIC))
        conf.write_text(CONF.format("net_af_packet0,iface=eth1", ""), encoding="utf-8")
        self.assertIsNone(json.loads(self.tune("-c", str(conf), "--json", status=1))["nic"])

    def test_virtual_machine(self):
        """Without frequencies, nodes and irqbalance: no advice that nobody can follow."""
        bare = tempfile.TemporaryDirectory(prefix="esplanade-test.")
        self.root = pathlib.Path(bare.name)
        self.put({f"{CPU}/online": "0-1"})
        self.assertEqual(set(self.changes()), {"isolcpus", "nohz_full", "hugepages"})
        bare.cleanup()

    def test_changes_nothing(self):
        files = lambda: {p: p.stat().st_mtime_ns for p in self.root.rglob("*")}
        before = files()
        self.changes()
        self.assertEqual(files(), before)

    def test_wrong_use(self):
        for args in ["--cores", "x"], ["--nic", "eth0"], ["-c", "/nonexistent"], ["--bogus"]:
            self.tune(*args, status=2)
        self.assertIn("usage: scripts/tune", self.tune("--help", status=0))


unittest.main(argv=sys.argv[:1], verbosity=2)
