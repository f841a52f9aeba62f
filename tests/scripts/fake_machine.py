"""A made-up tree of /sys and /proc, and a thread that does what the kernel does when drivers are bound."""
import os
import pathlib
import select
import shutil
import subprocess
import threading
import time


class FakeMachine:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.fifos, self.refusing = {}, set()
        self.interfaces = {}  # address -> name, folders of a card's interface
        self.renames = []  # when, from, to: what udev is about to do
        self.rename_after, self.renaming = 0.3, True
        self.stopping = False
        for name, text in {"proc/net/route": "Iface Destination ...\n", "proc/net/ipv6_route": "", "proc/net/tcp": "sl\n",
                           "proc/net/tcp6": "sl\n", "proc/mounts": "none /dev/hugepages hugetlbfs rw 0 0\n"}.items():
            self.put(name, text)
        self.bin = self.root / "bin"
        self.bin.mkdir()
        self.command("ip", 'case "$*" in "-j address"*) cat "$ESPLANADE_ROOT/addresses"; exit ;; esac\n'
                           'echo "ip $*" >> "$ESPLANADE_ROOT/commands"\n'
                           'case "$*" in *" dev "*) name=${*##* dev }; [ -e "$ESPLANADE_ROOT/sys/class/net/${name%% *}" ] || '
                           '{ echo "Cannot find device $name" >> "$ESPLANADE_ROOT/commands"; exit 1; } ;; esac')
        self.command("modprobe", 'echo "modprobe $*" >> "$ESPLANADE_ROOT/commands"\n'
                                 'case $1 in -r) rm -r "$ESPLANADE_ROOT/sys/bus/pci/drivers/$2" ;; '
                                 '*) echo "$1" > "$ESPLANADE_ROOT/load"; '
                                 'while [ ! -e "$ESPLANADE_ROOT/load.done" ]; do sleep 0.02; done ;; esac')
        self.put("addresses", '[{"addr_info": [{"local": "192.0.2.7", "prefixlen": 24, "scope": "global"}]}]')
        os.mkfifo(self.root / "load")
        self.watch(self.root / "load", self.load)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def get(self, name):
        return (self.root / name).read_text(encoding="utf-8").strip()

    def command(self, name, body):
        path = self.bin / name
        path.write_text("#!/bin/sh\n" + body + "\n", encoding="utf-8")
        path.chmod(0o755)

    def watch(self, path, effect):
        self.fifos[os.open(path, os.O_RDWR | os.O_NONBLOCK)] = effect

    def load(self, name):
        self.driver(name)
        (self.root / "load.done").touch()

    def driver(self, name):
        folder = self.root / "sys/bus/pci/drivers" / name
        folder.mkdir(parents=True)
        for file, effect in ("bind", self.bound), ("unbind", self.unbound):
            os.mkfifo(folder / file)
            self.watch(folder / file, lambda address, effect=effect: effect(name, address))

    def card(self, address, driver, interface=None, flags="0x1003", pci_class="0x020000", node="-1"):
        device = f"sys/bus/pci/devices/{address}"
        for file, text in {"class": pci_class, "vendor": "0x8086", "device": "0x1572", "numa_node": node,
                           "driver_override": "(null)"}.items():
            self.put(f"{device}/{file}", text + "\n")
        if interface:
            self.put(f"{device}/net/{interface}/flags", flags)
            self.put(f"sys/class/net/{interface}/flags", flags)
        if driver:
            self.bound(driver, address)

    def driver_of(self, address):
        link = self.root / f"sys/bus/pci/devices/{address}/driver"
        return os.path.basename(os.readlink(link)) if link.is_symlink() else None

    def bound(self, driver, address):
        device = self.root / f"sys/bus/pci/devices/{address}"
        override = (device / "driver_override").read_text(encoding="utf-8").strip()
        foreign = driver == "vfio-pci" and override != driver  # takes only what it is told to take
        if driver not in self.refusing and not foreign and not (device / "driver").is_symlink():
            self.interface_comes(driver, address)
            os.symlink(self.root / "sys/bus/pci/drivers" / driver, device / "driver")

    def unbound(self, driver, address):
        if self.driver_of(address) == driver:
            self.interface_goes(address)
            (self.root / f"sys/bus/pci/devices/{address}/driver").unlink()

    def places(self, address):
        return self.root / f"sys/bus/pci/devices/{address}/net", self.root / "sys/class/net"

    def interface_goes(self, address):
        """With its driver; what is above it is kept for when it comes back."""
        for place in self.places(address)[0].glob("*"):
            self.interfaces[address] = place.name
            kept = self.root.with_name(self.root.name + ".away") / address
            kept.mkdir(parents=True)
            for number, folder in enumerate(self.places(address)):
                (folder / place.name).rename(kept / str(number))

    def interface_comes(self, driver, address):
        """With the kernel's name; udev gives it the old one later."""
        if driver == "vfio-pci" or address not in self.interfaces:
            return
        kept = self.root.with_name(self.root.name + ".away") / address
        for number, folder in enumerate(self.places(address)):
            (kept / str(number)).rename(folder / f"eth{address[-1]}")
        kept.rmdir()
        if self.renaming:
            self.renames.append((time.monotonic() + self.rename_after, address))

    def rename(self):
        for when, address in [r for r in self.renames if r[0] <= time.monotonic()]:
            for folder in reversed(self.places(address)):
                (folder / f"eth{address[-1]}").rename(folder / self.interfaces[address])
            self.renames.remove((when, address))

    def serve(self):
        while not self.stopping:
            self.rename()
            ready, _, _ = select.select(list(self.fifos), [], [], 0.02)
            for fd in ready:
                for word in os.read(fd, 4096).decode().split():
                    self.fifos[fd](word)

    def run(self, *command, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith("SSH_")}
        env |= {"ESPLANADE_ROOT": str(self.root), "PATH": f"{self.bin}:{os.environ['PATH']}"} | environment
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    def snapshot(self):
        """Everything but the log of commands and what ip would do, once udev is done."""
        files = {}
        while self.renames:
            time.sleep(0.02)
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_symlink():
                files[name] = os.readlink(path)
            elif path.is_file() and name not in ("commands", "load.done"):
                files[name] = path.read_text(encoding="utf-8").strip().replace("(null)", "")
        return files

    def close(self):
        self.stopping = True
        self.thread.join()
        for fd in self.fifos:
            os.close(fd)
        shutil.rmtree(self.root.with_name(self.root.name + ".away"), ignore_errors=True)
