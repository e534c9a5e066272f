"""Runs a shell command on a terminal of its own and answers every question about a
passphrase with the line that comes on standard input."""

import os
import pty
import sys


def main():
    passphrase = sys.stdin.readline().rstrip("\n")
    child, terminal = pty.fork()
    if child == 0:
        os.execv("/bin/sh", ["sh", "-c", sys.argv[1]])
    heard = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        heard += chunk
        if b"passphrase" in heard.lower() and heard.rstrip(b" ").endswith(b":"):
            os.write(terminal, passphrase.encode() + b"\n")
            heard = b""
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        sys.stderr.write(heard.decode(errors="replace"))
    return code


if __name__ == "__main__":
    sys.exit(main())
