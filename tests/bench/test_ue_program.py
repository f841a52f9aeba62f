#!/usr/bin/env python3
"""esplanade-ue against a registrar that answers as no good one does: late, and with what drives a terminal.

usage: test_ue_program.py ESPLANADE_UE
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = sys.argv[1]
ESCAPES = b"No\x1b[2J \xc2\x9b2J\x7f\tat all"  # as octets that a terminal may act upon, in UTF-8, too
SAFE = "No?[2J ??2J??at all"


class Registrar(threading.Thread):
    """Gives requests to `on_request`, on a port of the loopback interface."""

    def __init__(self, on_request):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.port, self.on_request, self.stopping = self.socket.getsockname()[1], on_request, False
        self.seen = []
        self.start()

    def run(self):
        while not self.stopping:
            try:
                text, whence = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            if b"\r\n" in text and not text.startswith(b"SIP/2.0"):
                self.seen.append(text.decode())
                self.on_request(self, text.decode(), whence)

    def answer(self, request, whence, status, reason=b"OK", more=""):
        kept = re.findall(r"(?im)^(?:Via|From|To|Call-ID|CSeq): .*\r\n", request)
        lines = "".join(h.replace("\r\n", ";tag=b\r\n") if h.startswith("To:") else h for h in kept)
        self.socket.sendto(b"SIP/2.0 %d %b\r\n" % (status, reason) + (lines + more).encode() + b"Content-Length: 0\r\n\r\n", whence)

    def accept(self, request, whence):
        contact = re.search(r"(?im)^Contact: <[^>]*>", request)
        expires = 0 if ends(request) else 600
        self.answer(request, whence, 200, more=f"{contact.group()};expires={expires}\r\n" if expires else "")

    def close(self):
        self.stopping = True
        self.join()
        self.socket.close()


def ends(request):
    """a de-registration"""
    return request.startswith("REGISTER") and re.search(r"(?i)expires[:=] *0\b", request) is not None


def refuses(registrar, request, whence):
    registrar.answer(request, whence, 403, ESCAPES)


def accepts(registrar, request, whence):
    if request.startswith("REGISTER"):
        registrar.accept(request, whence)
    else:
        refuses(registrar, request, whence)


class Late:
    """Messages are refused when de-registrations have begun, and these are answered last."""

    def __init__(self, ues):
        self.ues, self.messages, self.ends = ues, [], {}

    def __call__(self, registrar, request, whence):
        if request.startswith("MESSAGE"):
            self.messages.append((request, whence))
        elif not ends(request):
            registrar.accept(request, whence)
        else:
            self.ends[whence] = request
            if len(self.ends) == self.ues and self.messages:
                for message in self.messages:
                    registrar.answer(*message, 480, b"Gone")
                self.messages = []
                time.sleep(0.3)
                for at, end in self.ends.items():
                    registrar.accept(end, at)


class Program(unittest.TestCase):
    def run_ue(self, command, on_request, *options, stdin=b""):
        registrar = Registrar(on_request)
        pid = os.getpid()
        here = f"127.{16 + (pid >> 16) % 200}.{pid >> 8 & 255}.{pid & 255 | 1}"
        try:
            return registrar, subprocess.run(
                [PROGRAM, command, "--auth", "none", "--security", "none", "--pcscf", f"127.0.0.1:{registrar.port}",
                 "--local", f"{here}:5060", *options], input=stdin, capture_output=True, timeout=30, check=False)
        finally:
            registrar.close()

    def load(self, on_request, ues, *options):
        with tempfile.NamedTemporaryFile("w") as f:
            f.writelines(f"user{i}@example.org,password,x,sip:user{i}@example.org\n" for i in range(ues))
            f.flush()
            return self.run_ue("load", on_request, "--ues", str(ues), "--subscribers", f.name, *options)

    def phone(self, on_request, *commands):
        return self.run_ue("phone", on_request, "--impi", "a@example.org", "--impu", "sip:a@example.org", "--rspauth-optional",
                           stdin="".join(c + "\n" for c in commands).encode())

    def is_safe(self, text):
        self.assertRegex(text, rb"\A[\n -~]*\Z")
        self.assertIn(SAFE, text.decode())

    def test_deregistrations_beside_late_answers(self):
        """What comes of messages while the UEs de-register does not count for de-registrations."""
        start = time.monotonic()
        registrar, done = self.load(Late(3), 3, "--messages", "1", "--seconds", "1")
        said = done.stderr.decode()
        self.assertEqual(len({r.split("Call-ID: ")[1].split("\r")[0] for r in registrar.seen if ends(r)}), 3, said)
        self.assertIn("message: 480 Gone", said)
        self.assertNotIn("without an answer", said)
        self.assertLess(time.monotonic() - start, 10)

    def test_reason_of_a_registration(self):
        for run in self.load(refuses, 1), self.phone(refuses, "wait failed"):
            self.is_safe(run[1].stderr if run[1].stderr else run[1].stdout)

    def test_reason_of_a_message(self):
        _, done = self.load(accepts, 2, "--messages", "1")
        self.is_safe(done.stderr)
        _, done = self.phone(accepts, "wait registered", "message sip:b@example.org x", "wait unsent")
        self.is_safe(done.stdout)

    def test_reason_of_a_call(self):
        _, done = self.load(accepts, 2, "--messages", "0", "--calls", "1")
        self.is_safe(done.stderr)

    def test_long_line(self):
        """A line that is too long is not run, no part of it, and is a command that failed."""
        for n, status in (4095, 0), (4096, 1), (4097, 1), (20000, 1):
            _, done = self.phone(accepts, "wait registered", "#".ljust(n, "x"), "status")
            said = done.stdout.decode()
            self.assertEqual((n, done.returncode, said.count("at most 4095")), (n, status, status), said)
            self.assertIn("registered, no call", said)
        _, done = self.phone(accepts, "wait registered", "x" * 4096 + "status")
        self.assertNotIn("registered, no call", done.stdout.decode())
        _, done = self.phone(accepts, "wait registered", "x" * 5000 + "\0", "nonsense")
        self.assertIn("unknown command 'nonsense'", done.stdout.decode())

    def test_long_line_without_end(self):
        for n in 4096, 5000, 8192:
            _, done = self.phone(accepts, "x" * (n - 1))
            self.assertEqual((n, done.returncode, done.stdout.count(b"at most 4095")), (n, 1, 0 if n == 4096 else 1))


unittest.main(argv=sys.argv[:1], verbosity=2)
