"""Drives baresip and linphonec, which tests/interop/tls_clients.sh prepares everything for."""
import json
import os
import re
import socket
import subprocess
import sys
import time
import wave

NAMESPACE, DIR, CTL, REALM, PCSCF = sys.argv[1:6]
ALICE, BOB = f"sip:alice@{REALM}", f"sip:bob@{REALM}"
BARESIP_CONFIG = f"""
sip_listen		10.45.0.1:0
sip_cafile		{DIR}/certs/root.pem
sip_trans_def		tls
audio_player		aufile,{DIR}/out.wav
audio_source		aufile,{DIR}/in.wav
audio_alert		aufile,{DIR}/alert.wav
module_path		/usr/lib/baresip/modules
module			g711.so
module			aufile.so
module			uuid.so
module_app		account.so
module_app		menu.so
module_app		ctrl_tcp.so
ctrl_tcp_listen		10.45.0.1:4444
"""
BARESIP_ACCOUNT = (f"<{ALICE};transport=tls>;auth_user=alice@{REALM};auth_pass=secret-alice;"
                   f'outbound="sip:{PCSCF}:5061;transport=tls";regint=8;sipnat=outbound\n')
LINPHONE_CONFIG = f"""
[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
root_ca={DIR}/certs/root.pem
verify_server_certs=1
verify_server_cn=1
use_ipv6=0
register_only_when_network_is_up=0
bind_address=10.45.0.2
[proxy_0]
reg_proxy=<sip:pcscf.{REALM}:5061;transport=tls>
reg_route=<sip:pcscf.{REALM}:5061;transport=tls;lr>
reg_identity={BOB}
reg_expires=8
reg_sendregister=1
[auth_info_0]
username=bob
userid=bob@{REALM}
passwd=secret-bob
realm={REALM}
"""


def write(path, text):
    path = os.path.join(DIR, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def silence(path):
    with wave.open(os.path.join(DIR, path), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(8000)
        f.writeframes(bytes(2 * 8000 * 30))


def ctl(*arguments):
    return json.loads(subprocess.run([CTL, "--socket", f"{DIR}/esplanade.sock", *arguments, "--json"], check=True,
                                     capture_output=True, text=True).stdout)


def registrations():
    found = ctl("show", "registrations")
    return {r["impi"]: r for r in (found["registrations"] if isinstance(found, dict) else found)}


def counter(part, name):
    return ctl("show", "status")[part][name]


def until(what, condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            print("ok:", what, flush=True)
            return
        time.sleep(0.1)
    sys.exit(f"failed: {what}")


class Program:
    """A program in the phones' namespace, that reads commands."""

    def __init__(self, name, *command):
        self.name = os.path.join(DIR, name + ".out")
        home = os.path.join(DIR, name)
        os.makedirs(os.path.join(home, ".local/share/linphone"), exist_ok=True)
        with open(self.name, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(["ip", "netns", "exec", NAMESPACE, *command], stdin=subprocess.PIPE, stdout=out,
                                            stderr=subprocess.STDOUT, text=True, env={**os.environ, "HOME": home})

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def said(self, pattern):
        with open(self.name, encoding="utf-8", errors="replace") as f:
            return len(re.findall(pattern, f.read(), re.M))

    def end(self):
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def baresip(command, parameters=""):
    """One command by its control connection, as a netstring of JSON."""
    text = json.dumps({"command": command, "params": parameters})
    script = ("import socket, sys; s = socket.create_connection(('10.45.0.1', 4444), 2); s.settimeout(2); "
              "s.sendall(sys.argv[1].encode()); print(s.recv(65536).decode())")
    return subprocess.run(["ip", "netns", "exec", NAMESPACE, sys.executable, "-c", script, f"{len(text)}:{text},"],
                          capture_output=True, text=True, check=False).stdout


def main():
    write("baresip/config", BARESIP_CONFIG)
    write("baresip/accounts", BARESIP_ACCOUNT)
    write("baresip/contacts", "")
    silence("in.wav")
    alice = Program("alice", "baresip", "-s", "-f", os.path.join(DIR, "baresip"))
    bob = Program("bob", "linphonec", "-c", write("linphone/rc", LINPHONE_CONFIG), "-a", "-d", "6")
    try:
        run(alice, bob)
    finally:
        for p in (alice, bob):
            p.process.terminate()
            p.end()


def run(alice, bob):
    impis = {f"alice@{REALM}", f"bob@{REALM}"}
    until("both are registered", lambda: impis <= set(registrations()))
    print(json.dumps(registrations()), flush=True)
    bob.say("soundcard use files")
    before = counter("pcscf", "registrations") + counter("pcscf", "refreshes")
    baresip("dial", BOB)
    until("baresip calls linphone", lambda: alice.said(r"^SIP/2.0 200 OK(?s:.){0,1500}?CSeq: \d+ INVITE"))
    until("linphone has answered", lambda: bob.said(r"^ACK sip:"))
    time.sleep(1)
    baresip("hangup")
    until("baresip hangs up", lambda: bob.said(r"^BYE sip:"))
    answered = alice.said(r"^ACK sip:")
    bob.say(f"call {ALICE}")
    until("baresip rings", lambda: alice.said(r"^INVITE sip:alice"))
    baresip("accept")
    until("linphone calls baresip", lambda: alice.said(r"^ACK sip:") > answered)
    time.sleep(1)
    bob.say("terminate all")
    until("linphone hangs up", lambda: alice.said(r"^BYE sip:") >= 2)
    until("both register again", lambda: counter("pcscf", "registrations") + counter("pcscf", "refreshes") >= before + 2, 20)
    baresip("quit")
    bob.say("unregister")
    until("both are de-registered", lambda: not impis & set(registrations()))
    bob.say("quit")


main()
