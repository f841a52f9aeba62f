#!/usr/bin/env python3
"""Runs a line of shell in the VM of kernel_vm.bash: prints its output, ends with its exit status.

usage: kernel_run.py ADDRESS PORT SECONDS COMMAND
"""
import socket
import sys

STATUS = b"\nvm-exit-status "


def main():
    address, port, seconds, command = sys.argv[1:]
    with socket.create_connection((address, int(port)), timeout=float(seconds)) as s:
        s.sendall(f"ip() {{ /usr/bin/ip \"$@\"; }}; ( {command}\n) </dev/null 2>&1; s=$?; echo; echo vm-exit-status $s; exit\n".encode())
        out = b""
        while STATUS not in out or not out.endswith(b"\n"):
            part = s.recv(65536)
            if not part:
                sys.exit("kernel_run.py: the VM closed the connection")
            out += part
    text, _, status = out.rpartition(STATUS)
    sys.stdout.buffer.write(text)
    sys.exit(int(status))


main()
