#!/usr/bin/env python3
"""Servers with a sound certificate and bad manners, against src/net: each call ends
within its time-out, in little memory, with the right fate, and leaves at most once.

usage: test_net_bad.py NET_PROBE
"""

import base64
import concurrent.futures
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from pki import Pki  # noqa: E402
from record import record  # noqa: E402
from tcp_server import Server  # noqa: E402

PROBE = sys.argv[1]
TIMEOUT_MS = 1500
SLACK_S = 20.0  # on a machine that is busy; what never ends is killed by ctest
PARALLEL = 6
MEMORY_MAX_KB = 64 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'{"id":1}'
OK = HEAD + b"Content-Length: 8\r\n\r\n" + BODY
USER = "sav@acme.example"
PASSWORD = "Canary-2345-wxyz"
FAILURES = []


def check(name, holds, *facts):
    if not holds:
        FAILURES.append(name)
        print("FAILED", name, *facts)


def run(command, stdin, timeout):
    """The lines, the seconds and the peak memory of a probe."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        process.stdin.write(stdin)
        process.stdin.close()
        output = process.stdout.read().decode("utf-8", "replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    finally:
        process.stdout.close()
    seconds = time.monotonic() - start
    check("probe ends in time", seconds < timeout, command, seconds)
    check("probe ends well", status == 0, command, status, output)
    return [line.split("\t") for line in output.splitlines()], output, usage.ru_maxrss


def over_tls(context, script):
    """Does the handshake, then lets script(stream, server) act."""

    def behave(server, connection):
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.settimeout(3)
            script(stream, server)

    return behave


# HTTP


def read_request(stream, server):
    data = b""
    while b"\r\n\r\n" not in data:
        more = stream.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += stream.recv(65536)
    server.requests += 1
    server.app_bytes += data
    return data


def say(*parts, wait=0.0, drip=0, close=True):
    """Answers a request with parts; drip: so many bytes a piece, with a pause."""

    def script(stream, server):
        if not read_request(stream, server):
            return
        for part in parts:
            time.sleep(wait)
            if drip:
                for i in range(0, len(part), drip):
                    stream.sendall(part[i : i + drip])
                    time.sleep(0.2)
            else:
                stream.sendall(part)
        if not close:
            read_request(stream, server)

    return script


def for_ever(first, piece, pause=0.0):
    def script(stream, server):
        read_request(stream, server)
        stream.sendall(first)
        while True:
            stream.sendall(piece)
            time.sleep(pause)

    return script


def reset_after(data):
    def script(stream, server):
        read_request(stream, server)
        if data:
            stream.sendall(data)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.shutdown(socket.SHUT_WR) if data is None else None

    return script


def cut_without_notice(data):
    """The transport ends without TLS's own end: a truncation attack."""

    def script(stream, server):
        read_request(stream, server)
        stream.sendall(data)
        socket.socket(fileno=os.dup(stream.fileno())).shutdown(socket.SHUT_RDWR)

    return script


def silence(stream, server):
    read_request(stream, server)
    time.sleep(TIMEOUT_MS / 1000 + 0.3)


def deaf(stream, server):
    time.sleep(TIMEOUT_MS / 1000 + 0.3)


def early(stream, server):
    stream.sendall(OK)
    read_request(stream, server)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP_BOMB = bytes.fromhex("1f8b08000000000002ff")


def http_cases(elsewhere):
    """(name, script, fate, status or None, content or None)"""
    big = b"[" + b"0," * (512 * 1024 - 1) + b"0"
    full = big[: 1024 * 1024]
    redirect = (b"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://localhost:%d/x\r\n"
                b"Content-Length: 0\r\n\r\n" % elsewhere)
    long_line = b"X-Long: " + b"x" * 4000
    return [
        ("good", say(OK), "answered", 200, '{"id":1}'),
        ("good, chunked", say(CHUNKED + chunk(BODY) + b"0\r\n\r\n"), "answered", 200, '{"id":1}'),
        ("good, late", say(OK, wait=0.8), "answered", 200, '{"id":1}'),
        ("no body", say(b"HTTP/1.1 204 No Content\r\n\r\n"), "answered", 204, ""),
        ("refusal", say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}"),
         "answered", 403, "{}"),
        ("asks for another login", say(b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=x\r\n"
                                       b"Content-Length: 0\r\n\r\n"), "answered", 401, ""),
        ("asks for a proxy login", say(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM\r\n"
                                       b"Content-Length: 0\r\n\r\n"), "answered", 407, ""),
        ("redirect", say(redirect), "answered", 307, ""),
        ("one 100-continue", say(b"HTTP/1.1 100 Continue\r\n\r\n" + OK), "answered", 200, None),
        ("body of just the maximum", say(HEAD + b"Content-Length: 1048576\r\n\r\n" + full),
         "answered", 200, None),
        ("two answers", say(OK + OK), "answered", 200, '{"id":1}'),
        ("answer before the request", early, "answered", 200, None),
        ("Content-Encoding nobody asked for",
         say(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" + GZIP_BOMB),
         "answered", 200, None),
        ("Content-Length too small", say(HEAD + b"Content-Length: 4\r\n\r\n" + BODY),
         "answered", 200, '{"id'),
        ("silence", silence, "unknown", None, None),
        ("deaf and dumb", deaf, "unknown", None, None),
        ("slow head", say(OK, drip=1), "unknown", None, None),
        ("slow body", say(HEAD + b"Content-Length: 100\r\n\r\n", b" " * 100, drip=5),
         "unknown", None, None),
        ("closed without an answer", say(), "unknown", None, None),
        ("reset without an answer", reset_after(b""), "unknown", None, None),
        ("reset in the head", reset_after(b"HTTP/1.1 200 OK\r\nCont"), "unknown", None, None),
        ("reset in the body", reset_after(HEAD + b"Content-Length: 100\r\n\r\n{"), "unknown",
         None, None),
        ("cut in the head", say(b"HTTP/1.1 200 O"), "unknown", None, None),
        ("cut in the body", say(HEAD + b"Content-Length: 100\r\n\r\n{}"), "unknown", None, None),
        ("cut in a chunk", say(CHUNKED + b"64\r\n{"), "unknown", None, None),
        ("cut before the last chunk", say(CHUNKED + chunk(BODY)), "unknown", None, None),
        ("cut without notice", cut_without_notice(HEAD + b"\r\n" + BODY), "unknown", None, None),
        ("endless headers", for_ever(HEAD, b"X-More: and more\r\n"), "unknown", None, None),
        ("one endless header", for_ever(HEAD + b"X-Long: ", b"x" * 1000), "unknown", None, None),
        ("70 KiB of headers", say(HEAD + (long_line + b"\r\n") * 18 + b"Content-Length: 8\r\n\r\n"
                                  + BODY), "unknown", None, None),
        ("endless body", for_ever(HEAD + b"\r\n", b" " * 65536), "unknown", None, None),
        ("endless chunks", for_ever(CHUNKED, chunk(b" " * 65536)), "unknown", None, None),
        ("endless tiny chunks", for_ever(CHUNKED, chunk(b" ") * 4096), "unknown", None, None),
        ("one byte too much", say(HEAD + b"Content-Length: 1048577\r\n\r\n" + full + b"]"),
         "unknown", None, None),
        ("chunk of 2^64", say(CHUNKED + b"FFFFFFFFFFFFFFFF\r\n{}"), "unknown", None, None),
        ("chunk of -1", say(CHUNKED + b"-1\r\n{}"), "unknown", None, None),
        ("chunk of nonsense", say(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"), "unknown", None, None),
        ("endless chunk extension", for_ever(CHUNKED + b"5;", b"x" * 1000), "unknown", None,
         None),
        ("endless trailer", for_ever(CHUNKED + b"0\r\n", b"X-More: and more\r\n"), "unknown",
         None, None),
        ("Content-Length 2^63", say(HEAD + b"Content-Length: 9223372036854775808\r\n\r\n{}"),
         "unknown", None, None),
        ("Content-Length -1", say(HEAD + b"Content-Length: -1\r\n\r\n{}"), "unknown", None, None),
        ("HTTP/0.9", say(BODY), "unknown", None, None),
        ("another protocol", say(b"220 mail.example ESMTP\r\n"), "unknown", None, None),
        ("status of nonsense", say(b"HTTP/1.1 abc OK\r\n\r\n"), "unknown", None, None),
        ("status 99", say(b"HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"), "unknown", None, None),
        ("version 7", say(b"HTTP/7.0 200 OK\r\nContent-Length: 0\r\n\r\n"), "unknown", None, None),
        ("storm of 100-continue", for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
         "unknown", None, None),
        ("slow storm of 103", for_ever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.1),
         "unknown", None, None),
        ("switching protocols", say(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", close=False),
         "unknown", None, None),
        ("NUL in the head", say(b"HTTP/1.1 200 OK\r\nX-A: \0\r\nContent-Length: 2\r\n\r\n{}"),
         None, None, None),
        ("two lengths", say(HEAD + b"Content-Length: 2\r\nContent-Length: 8\r\n\r\n" + BODY),
         None, None, None),
    ]


def probe_http(port, ca, method="POST", count=1, body=b'{"password":"canary"}', share=()):
    command = [PROBE, "http", method, f"https://localhost:{port}/1.0/x", ca, str(TIMEOUT_MS),
               str(count), *share]
    return run(command, body, (TIMEOUT_MS / 1000 + SLACK_S) * count)


def each(cases, attack):
    """Runs attack on every case, a few at a time; the number of cases."""
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        return len(list(pool.map(attack, cases)))


def test_http(context, ca):
    elsewhere = Server(over_tls(context, say(OK)))

    def attack(case):
        name, script, fate, status, content = case
        server = Server(over_tls(context, script))
        lines, output, memory = probe_http(server.port, ca)
        server.stop()
        check(name, len(lines) == 1, output)
        check(name, fate is None or lines[0][0] == fate, output)
        check(name, status is None or lines[0][1] == str(status), output)
        check(name, content is None or lines[0][3] == content, output)
        check(name, lines[0][5] == ("0" if lines[0][0] == "answered" else "9"), output)
        check(name, server.requests <= 1, server.requests)
        check(name, "canary" not in output, output)
        check(name, memory < MEMORY_MAX_KB, memory)

    tried = each(http_cases(elsewhere.port), attack)
    check("a redirect is not followed", elsewhere.connections == 0)
    elsewhere.stop()
    return tried


def stray(stream, server):
    """After the first answer a second one, which nobody asked for, a moment later."""
    read_request(stream, server)
    stream.sendall(OK)
    time.sleep(0.05)
    stream.sendall(HEAD + b"Content-Length: 5\r\n\r\nstray")
    read_request(stream, server)
    stream.sendall(OK)


def dies_between(stream, server):
    """Answers one request on each connection; takes the next and closes."""
    read_request(stream, server)
    stream.sendall(OK)
    read_request(stream, server)


def goes_away(stream, server):
    """Answers one request on each connection, and says soon that it was the last."""
    read_request(stream, server)
    stream.sendall(OK)
    time.sleep(0.05)


def keeps(stream, server):
    while read_request(stream, server):
        stream.sendall(OK)


def test_shared_changes(context, ca):
    """Changes that may go over a connection that is kept: they still leave once."""
    for name, script, pause_ms, fates, connections in (
            ("a change that may shares a connection", keeps, 0, "answered answered", 1),
            ("not one that was idle for long", keeps, 1300, "answered answered", 2),
            ("not one that the server has closed", goes_away, 200, "answered answered", 2),
            ("not one with an answer to nothing", stray, 200, "answered answered", 2),
            ("one that dies takes the change with it", dies_between, 0, "answered unknown", 2)):
        server = Server(over_tls(context, script))
        lines, output, _ = probe_http(server.port, ca, "POST", 2, share=[str(pause_ms)])
        server.stop()
        check(name, " ".join(line[0] for line in lines) == fates, output)
        check(name, server.requests == 2, server.requests, output)
        check(name, server.connections == connections, server.connections, output)
        check(name, "stray" not in output, output)
    return 5


def test_connections(context, ca):
    """What happens to a connection that is kept."""
    server = Server(over_tls(context, keeps))
    lines, output, _ = probe_http(server.port, ca, "GET", 3, b"")
    server.stop()
    check("reads share a connection", server.connections == 1 and server.requests == 3,
          server.connections, server.requests, output)
    server = Server(over_tls(context, keeps))
    lines, output, _ = probe_http(server.port, ca, "POST", 2)
    check("changes get their own", [line[0] for line in lines] == ["answered"] * 2, output)
    server.stop()
    check("changes get their own", server.connections == 2, server.connections)
    server = Server(over_tls(context, stray))
    lines, output, _ = probe_http(server.port, ca, "GET", 2, b"")
    server.stop()
    check("a stray answer is taken for none", "stray" not in output, output)
    server = Server(over_tls(context, dies_between))
    lines, output, _ = probe_http(server.port, ca, "POST", 2)
    server.stop()
    check("a change leaves once", server.requests == 2, server.requests, output)
    check("headers", b"Expect" not in server.app_bytes and
          b"Accept-Encoding" not in server.app_bytes and
          b"Content-Type: application/json" in server.app_bytes, server.app_bytes)
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    lines, output, _ = probe_http(port, ca)
    check("nobody there", lines[0][0] == "not_sent", output)
    command = [PROBE, "http", "POST", "https://no-such-host.invalid/1.0/x", ca, "3000", "1"]
    lines, output, _ = run(command, b"{}", 4)
    check("no such name", lines[0][0] == "not_sent" and "no-such-host.invalid" in output, output)
    for url in ("http://localhost/", "ftp://localhost/", "file:///etc/passwd", "https://a b/",
                "https://localhost/\r\nX: y"):
        lines, output, _ = run([PROBE, "http", "GET", url, ca, "500", "1"], b"", 2)
        check("not https: " + repr(url), lines[0][0] == "not_sent" and lines[0][5] == "2", output)
    return 12


# IMAP

SASL = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
FULL = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"
BARE = b"* OK ready\r\n"


def read_line(stream, server):
    line = b""
    while not line.endswith(b"\r\n"):
        more = stream.recv(1)
        if not more:
            break
        line += more
    server.app_bytes += line
    return line


def imap(*answers, greeting=FULL):
    """Greets, then gives the n-th answer to the n-th line."""

    def script(stream, server):
        stream.sendall(greeting)
        for answer in answers:
            if not read_line(stream, server):
                return
            stream.sendall(answer)
        read_line(stream, server)

    return script


def imap_for_ever(first, piece, pause=0.0):
    def script(stream, server):
        stream.sendall(first)
        while True:
            stream.sendall(piece)
            time.sleep(pause)

    return script


def imap_reset(stream, server):
    stream.sendall(FULL)
    read_line(stream, server)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def imap_silent(stream, server):
    time.sleep(TIMEOUT_MS / 1000 + 0.3)


def capability(words):
    return b"* CAPABILITY IMAP4rev1 " + words + b"\r\na1 OK done\r\n"


def imap_cases():
    """(name, script, verdict, password, does the password leave?)"""
    accepted, refused, unknown = "accepted", "refused", "no_answer"
    usual = PASSWORD
    echo = b"a2 NO [X-ECHO " + SASL + b"] wrong: " + PASSWORD.encode() + b"\r\n"
    return [
        ("accepted", imap(b"a2 OK in\r\n"), accepted, usual, True),
        ("accepted with capabilities", imap(b"* CAPABILITY x\r\na2 OK [CAPABILITY x] in\r\n"),
         accepted, usual, True),
        ("refused", imap(b"a2 NO [AUTHENTICATIONFAILED] no\r\n"), refused, usual, True),
        ("refused without a code", imap(b"a2 NO login failed\r\n"), refused, usual, True),
        ("unavailable", imap(b"a2 NO [UNAVAILABLE] later\r\n"), unknown, usual, True),
        ("in use", imap(b"a2 NO [INUSE] busy\r\n"), unknown, usual, True),
        ("BAD", imap(b"a2 BAD what\r\n"), unknown, usual, True),
        ("BYE to the login", imap(b"* BYE too many\r\n"), unknown, usual, True),
        ("BYE before the verdict", imap(b"* BYE x\r\na2 OK in\r\n"), unknown, usual, True),
        ("another tag", imap(b"a9 OK in\r\n"), unknown, usual, True),
        ("no status", imap(b"a2\r\n"), unknown, usual, True),
        ("untagged OK only", imap(b"* OK in\r\n"), unknown, usual, True),
        ("asks to go on though it has all", imap(b"+ \r\n"), unknown, usual, True),
        ("the password sent back", imap(echo), unknown, usual, True),
        ("NUL in the verdict", imap(b"a2 OK\0 in\r\n"), unknown, usual, True),
        ("reset at the login", imap_reset, unknown, usual, True),
        ("closed at the login", imap(b""), unknown, usual, True),
        ("endless untagged lines after the login",
         imap(b"* 1 EXISTS\r\n" * 30000), unknown, usual, True),
        ("verdict given beforehand", imap(greeting=FULL + b"a2 OK in\r\n"), unknown, usual, False),
        ("BYE for a greeting", imap(greeting=b"* BYE full\r\n"), unknown, usual, False),
        ("PREAUTH", imap(greeting=b"* PREAUTH welcome\r\n"), unknown, usual, False),
        ("another protocol", imap(greeting=b"220 mail ESMTP\r\n"), unknown, usual, False),
        ("silence", imap_silent, unknown, usual, False),
        ("slow greeting", imap_for_ever(b"* OK ", b"x", 0.1), unknown, usual, False),
        ("endless greeting", imap_for_ever(b"* OK ", b"x" * 4096), unknown, usual, False),
        ("closed after the greeting", imap(b"", greeting=BARE), unknown, usual, False),
        ("endless capabilities", imap(b"* CAPABILITY " + b"A " * 40000 + b"\r\n", greeting=BARE),
         unknown, usual, False),
        ("capability refused", imap(b"a1 BAD no\r\n", greeting=BARE), unknown, usual, False),
        ("no login by password", imap(capability(b"LOGINDISABLED STARTTLS"), greeting=BARE),
         unknown, usual, False),
        ("refused before it has heard the password",
         imap(capability(b"AUTH=PLAIN"), b"a2 NO no\r\n", greeting=BARE), unknown, usual, False),
        ("two steps", imap(capability(b"AUTH=PLAIN"), b"+ \r\n", b"a2 OK in\r\n", greeting=BARE),
         accepted, usual, True),
        ("LOGIN, quoted", imap(capability(b"IDLE"), b"a2 OK in\r\n", greeting=BARE), accepted,
         'Can"ary\\x 1', True),
        ("LOGIN, literal", imap(capability(b"IDLE"), b"+ go\r\n", b"a2 OK in\r\n", greeting=BARE),
         accepted, "Canary-été-12", True),
        ("LOGIN, literal refused", imap(capability(b"IDLE"), b"a2 BAD no\r\n", greeting=BARE),
         unknown, "Canary-été-12", False),
    ]


def traces(password):
    plain = base64.b64encode(f"\0{USER}\0{password}".encode())
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    return [plain, quoted.encode()]


def test_imap(context, ca):
    def attack(case):
        name, script, verdict, password, leaves = case
        server = Server(over_tls(context, script))
        command = [PROBE, "imap", f"imaps://localhost:{server.port}", ca, USER, str(TIMEOUT_MS)]
        lines, output, memory = run(command, password.encode(), TIMEOUT_MS / 1000 + SLACK_S)
        server.stop()
        check(name, len(lines) == 1 and lines[0][0] == verdict, output)
        check(name, (lines[0][1] == "9") == (verdict == "no_answer"), output)
        heard = any(trace in server.app_bytes for trace in traces(password))
        check(name, heard == leaves, server.app_bytes)
        check(name, not any(t.decode() in output for t in traces(password)), output)
        check(name, memory < MEMORY_MAX_KB, memory)

    tried = each(imap_cases(), attack)
    for url in ("imap://localhost", "imaps://", "imaps://localhost:0", "imaps://localhost:99999",
                "imaps://a@localhost", "imaps://localhost/x", "https://localhost"):
        lines, output, _ = run([PROBE, "imap", url, ca, USER, "500"], b"secret-word", 2)
        check(url, lines[0][0] == "no_answer" and lines[0][1] == "2", output)
        tried += 1
    for user, password in (("a\r\nb", b"x"), ("", b"x"), (USER, b""), (USER, b"a\0b")):
        lines, output, _ = run([PROBE, "imap", "imaps://localhost", ca, user, "500"], password, 2)
        check("login that no server can take", lines[0][0] == "no_answer", output)
        tried += 1
    return tried


def main():
    with tempfile.TemporaryDirectory() as name:
        p = Pki(pathlib.Path(name) / "pki")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(p.bundle(p.leaf()))
        ca = str(p.root.path)
        tried = (test_http(context, ca) + test_connections(context, ca)
                 + test_shared_changes(context, ca) + test_imap(context, ca))
    failed = len(set(FAILURES))
    print(f"bad network: {tried} tried, {tried - failed} survived")
    record("5.6", "bad networks", tried, tried - failed)
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
