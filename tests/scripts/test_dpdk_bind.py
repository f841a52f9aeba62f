#!/usr/bin/env python3
"""scripts/dpdk-bind on a made-up machine: what it says, does, undoes and refuses. covers: DP-14

usage: test_dpdk_bind.py SCRIPTS
"""
import json
import pathlib
import sys
import tempfile
import unittest

from fake_machine import FakeMachine

BIND = str(pathlib.Path(sys.argv[1]) / "dpdk-bind")
ONE, TWO, DISK = "0000:03:00.0", "0000:03:00.1", "0000:04:00.0"
STATE = "run/esplanade/dpdk-bind.json"
HUGE = "sys/kernel/mm/hugepages/hugepages-2048kB"
# Destination, flags and mask of /proc/net/route
ROUTE = "{} {} 00000000 {} 0 0 0 {} 0 0 0\n"
# sl, local, remote, state of /proc/net/tcp: 192.0.2.7:22 with 192.0.2.99, as x86 writes it
SSH = "0: 070200C0:0016 630200C0:C350 01 0 0\n"


class Bind(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="esplanade-test.")
        self.m = FakeMachine(self.dir.name)
        for driver in "i40e", "nvme":
            self.m.driver(driver)
        self.m.put("sys/class/iommu/dmar0/x", "")
        self.m.card(ONE, "i40e", "ens3f0")
        self.m.card(TWO, "i40e", "ens3f1", flags="0x1002", node="1")
        self.m.card(DISK, "nvme", pci_class="0x010802")
        for file in "nr_hugepages", "free_hugepages":
            self.m.put(f"{HUGE}/{file}", "8\n")

    def tearDown(self):
        self.m.close()
        self.dir.cleanup()

    def bind(self, *args, status=0, **environment):
        r = self.m.run(BIND, *args, **environment)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        return r.stdout + r.stderr

    def default_route(self, interface):
        self.m.put("proc/net/route", "Iface ...\n" + ROUTE.format(interface, "00000000", "0003", "00000000"))

    def test_list(self):
        self.default_route("ens3f0")
        listed = {c["pci"]: c for c in json.loads(self.bind("list", "--json"))["cards"]}
        self.assertEqual(list(listed), [ONE, TWO])
        self.assertEqual(listed[ONE]["driver"], "i40e")
        self.assertEqual(listed[ONE]["interfaces"], ["ens3f0"])
        self.assertEqual(listed[ONE]["in_use"], "ens3f0: default route")
        self.assertEqual((listed[TWO]["in_use"], listed[TWO]["numa"]), ("", 1))
        self.assertIn("ens3f1", self.bind("--list"))

    def test_dry_run_changes_nothing(self):
        before = self.m.snapshot()
        said = self.bind("bind", ONE, "ens3f1", "--dry-run")
        for words in ("modprobe vfio-pci", f"{ONE}: i40e -> vfio-pci", f"{TWO}: i40e -> vfio-pci",
                      f"write '{ONE}' to ", "write 'vfio-pci' to "):
            self.assertIn(words, said)
        self.bind("hugepages", "--reserve", "64", "--dry-run")
        self.assertEqual(self.m.snapshot(), before)
        self.assertFalse((self.m.root / "commands").exists())

    def test_bind_and_restore(self):
        before = self.m.snapshot()
        self.bind("hugepages", "--reserve", "64")
        self.assertEqual(self.m.get(f"{HUGE}/nr_hugepages"), "64")
        self.bind("bind", "ens3f0")
        self.bind("bind", "03:00.1")
        self.assertEqual([self.m.driver_of(a) for a in (ONE, TWO, DISK)], ["vfio-pci", "vfio-pci", "nvme"])
        self.assertIn("DPDK", self.bind("list"))
        self.assertIn("already", self.bind("bind", ONE))
        self.assertIn("i40e", self.bind("--restore", "--dry-run"))
        self.assertEqual(self.m.driver_of(ONE), "vfio-pci")
        self.bind("--restore")
        self.assertEqual(self.m.snapshot(), before)
        self.assertEqual(self.m.get("commands").splitlines(), [
            "modprobe vfio-pci", "ip link set dev ens3f0 up", "ip address replace 192.0.2.7/24 dev ens3f0",
            "modprobe -r vfio-pci"])
        self.assertIn("nothing to undo", self.bind("--restore"))

    def test_interface_that_does_not_come_back(self):
        """Nothing is lost: the step stays, and the next --restore does it."""
        before = self.m.snapshot()
        self.bind("bind", ONE)
        self.m.renaming = False
        self.assertIn("ens3f0 does not come (there is eth0)", self.bind("--restore", status=1))
        self.assertIn("192.0.2.7/24", self.m.get(STATE))
        self.assertNotIn("ip ", self.m.get("commands"))
        self.m.renames.append((0, ONE))
        self.bind("--restore")
        self.assertEqual(self.m.snapshot(), before)
        self.assertIn("ip address replace 192.0.2.7/24 dev ens3f0", self.m.get("commands"))
        self.assertNotIn("Cannot find", self.m.get("commands"))

    def test_card_without_driver(self):
        self.m.driver("vfio-pci")
        self.m.card("0000:05:00.0", None)
        self.bind("bind", "0000:05:00.0")
        self.assertEqual(self.m.driver_of("0000:05:00.0"), "vfio-pci")
        self.bind("--restore")
        self.assertIsNone(self.m.driver_of("0000:05:00.0"))
        self.assertFalse((self.m.root / "commands").exists())

    def test_failure_is_undone(self):
        self.m.driver("vfio-pci")
        self.m.refusing.add("vfio-pci")
        before = self.m.snapshot()
        self.assertIn("vfio-pci does not take it", self.bind("bind", TWO, ONE, status=1))
        self.assertEqual(self.m.snapshot(), before)

    def needed(self, why):
        before = self.m.snapshot()
        self.assertIn(why, self.bind("bind", ONE, status=1))
        self.assertEqual(self.m.snapshot(), before)
        self.assertIn("vfio-pci", self.bind("bind", ONE, "--force", "--dry-run"))

    def test_default_route_is_kept(self):
        self.default_route("ens3f0")
        self.needed("ens3f0: default route")

    def test_default_route_of_ipv6_is_kept(self):
        zeros = "0" * 32
        self.m.put("proc/net/ipv6_route", f"{zeros} 00 {zeros} 00 {'fe8' + '0' * 28 + '1'} 400 1 0 00000003 ens3f0\n"
                                          f"{zeros} 00 {zeros} 00 {zeros} ffffffff 1 0 00200200 lo\n")
        self.needed("ens3f0: default route")

    def test_bond_over_it_is_kept(self):
        self.m.put("sys/class/net/ens3f0/upper_bond0/x", "")
        self.m.put("sys/class/net/bond0/upper_bond0.7/x", "")
        self.default_route("bond0.7")
        self.needed("default route (by bond0.7)")

    def test_ssh_is_kept(self):
        """Found among the sockets, so that sudo does not hide it; its own network's card, not the default route's."""
        self.m.put("proc/net/route", "Iface ...\n" + ROUTE.format("ens3f1", "00000000", "0003", "00000000")
                   + ROUTE.format("ens3f0", "000200C0", "0001", "00FFFFFF"))
        self.m.put("proc/net/tcp", "sl ...\n" + SSH)
        self.needed("ens3f0: ssh with 192.0.2.99")
        self.m.put("proc/net/tcp", "sl ...\n" + SSH.replace(" 01 ", " 06 "))
        self.bind("bind", ONE, "--dry-run")
        said = self.bind("bind", ONE, "--dry-run", status=1, SSH_CONNECTION="192.0.2.98 50000 192.0.2.7 22")
        self.assertIn("ssh with 192.0.2.98", said)

    def test_iommu(self):
        (self.m.root / "sys/class/iommu/dmar0/x").unlink()
        (self.m.root / "sys/class/iommu/dmar0").rmdir()
        self.m.driver("vfio-pci")
        unsafe = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
        self.m.put(unsafe, "N\n")
        before = self.m.snapshot()
        self.assertIn("needs an IOMMU", self.bind("bind", TWO, status=1))
        self.assertEqual(self.m.snapshot(), before)
        self.bind("bind", TWO, "--no-iommu")
        self.assertEqual(self.m.get(unsafe), "Y")
        self.bind("--restore")
        self.assertEqual(self.m.snapshot(), before)

    def test_iommu_group(self):
        group = self.m.root / f"sys/bus/pci/devices/{TWO}/iommu_group/devices"
        for address in TWO, DISK:
            (group / address).mkdir(parents=True)
        self.assertIn(f"shares its IOMMU group with {DISK} (nvme)", self.bind("bind", TWO, status=1))

    def test_wrong_use(self):
        for args, why in (["bind", "ens9"], "no interface"), (["bind", "0000:99:00.0"], "no such PCI device"), \
                (["bind", DISK], "not a network card"), (["hugepages", "--reserve", "4", "--size", "1G"], "no huge pages"):
            self.assertIn(why, self.bind(*args, status=1))
        for args in [], ["bind"], ["bind", ONE, "--driver", "e1000"], ["bogus"]:
            self.bind(*args, status=2)
        self.assertIn("--restore", self.bind("--help"))
        self.assertFalse((self.m.root / STATE).exists())


unittest.main(argv=sys.argv[:1], verbosity=2)
