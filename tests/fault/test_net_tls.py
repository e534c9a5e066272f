#!/usr/bin/env python3
"""Bad TLS servers against src/net, for HTTP and for IMAP: not one byte of a request or a
login may reach any of them.

usage: test_net_tls.py NET_PROBE
"""

import itertools
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import types
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from pki import CA_EXT, GOOD_NAMES, LEAF_EXT, Pki  # noqa: E402
from record import record  # noqa: E402
from system_ca import SYSTEM, SystemCa  # noqa: E402
from tcp_server import Server  # noqa: E402

warnings.simplefilter("ignore", DeprecationWarning)

PROBE = sys.argv[1]
TIMEOUT_MS = 2000
SLACK_S = 20.0  # on a machine that is busy
GREETING = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"


def tls(bundle, **options):
    """A behaviour: handshake, greet as an IMAP server would, and listen."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(options.get("ciphers", "DEFAULT:@SECLEVEL=0"))
    if "versions" in options:
        context.minimum_version, context.maximum_version = options["versions"]
    if bundle:
        context.load_cert_chain(bundle)

    def behave(server, connection):
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.settimeout(1)
            server.resumed += stream.session_reused
            if server.is_imap:
                stream.sendall(GREETING)
            data = stream.recv(65536)
            server.app_bytes += data
            if data and not server.is_imap:
                stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            elif data:
                stream.sendall(b"a2 OK done\r\n")

    return behave


def plain(data, wait=0.0, linger=True):
    """A behaviour without TLS: says data, then what was read counts if it looks clear."""

    def behave(server, connection):
        if wait:
            connection.recv(65536)
        connection.sendall(data)
        try:
            read = connection.recv(65536)
        except OSError:
            read = b""
        if b"X-Ovh" in read or b"AUTHENTICATE" in read or b"canary" in read:
            server.app_bytes += read
        if linger:
            time.sleep(0.1)

    return behave


def reset(server, connection):
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def silence(server, connection):
    connection.recv(65536)
    time.sleep(TIMEOUT_MS / 1000 + 0.3)


def alert_then_data(server, connection):
    connection.recv(65536)
    connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28" + GREETING)
    time.sleep(0.1)


def changing(good, bad):
    """The certificate changes after the first connection, of which nothing is counted."""
    numbers = itertools.count()

    def behave(server, connection):
        if next(numbers) > 0:
            bad(server, connection)
        else:
            good(types.SimpleNamespace(is_imap=server.is_imap, app_bytes=b"", resumed=0),
                 connection)

    return behave


def bad_servers(p):
    """(name, behaviour, host): every one of them has to be refused."""
    other = Pki(p.dir / "other")
    cases = []

    def add(name, cert, host="localhost", chain=(), **options):
        cases.append((name, tls(p.bundle(cert, chain), **options), host))

    add("another name", p.leaf("subjectAltName=DNS:other.example\n"))
    add("address only, asked by name", p.leaf("subjectAltName=IP:127.0.0.1\n"))
    add("name only, asked by address", p.leaf("subjectAltName=DNS:localhost\n"), "127.0.0.1")
    add("address as a DNS name", p.leaf("subjectAltName=DNS:127.0.0.1\n", subject="127.0.0.1"),
        "127.0.0.1")
    add("expired", p.leaf(start=-7200, end=-3600))
    add("not valid yet", p.leaf(start=3600))
    add("signed by itself", p.make("localhost", ext=LEAF_EXT + GOOD_NAMES))
    add("unknown CA", other.leaf())
    add("unknown CA of the same name, sent along", other.leaf(), chain=[other.root])
    no_ca = p.intermediate(ext="basicConstraints=critical,CA:FALSE\n")
    add("issuer without the CA flag", p.leaf(issuer=no_ca), chain=[no_ca])
    no_sign = p.intermediate(
        ext="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\n")
    add("issuer may not sign certificates", p.leaf(issuer=no_sign), chain=[no_sign])
    short = p.intermediate(ext=CA_EXT.replace("CA:TRUE", "CA:TRUE,pathlen:0"))
    below = p.intermediate("Below", issuer=short)
    add("path too long", p.leaf(issuer=below), chain=[below, short])
    bound = p.intermediate(
        ext=CA_EXT + "nameConstraints=critical,permitted;DNS:example.org\n")
    add("name constraint broken", p.leaf(issuer=bound), chain=[bound])
    old = p.intermediate(start=-7200, end=-3600)
    add("issuer expired", p.leaf(issuer=old), chain=[old])
    mail_only = p.intermediate(ext=CA_EXT + "extendedKeyUsage=emailProtection\n")
    add("issuer for mail only", p.leaf(issuer=mail_only), chain=[mail_only])
    add("certificate for clients", p.leaf(ext=LEAF_EXT.replace("serverAuth", "clientAuth")))
    add("certificate for code", p.leaf(ext=LEAF_EXT.replace("serverAuth", "codeSigning")))
    add("common name without alternative names", p.leaf(""))
    add("version 1", p.make("localhost", issuer=p.root))
    add("wildcard alone", p.leaf("subjectAltName=DNS:*\n"))
    add("wildcard in the middle", p.leaf("subjectAltName=DNS:l*host\n"))
    add("wildcard at the end", p.leaf("subjectAltName=DNS:local*\n"))
    add("wildcard for an address", p.leaf("subjectAltName=DNS:*.0.0.1\n"), "127.0.0.1")
    nul_name = "localhost\0.example.org".encode()
    der = bytes([0x82, len(nul_name)]) + nul_name
    der = bytes([0x30, len(der)]) + der
    add("NUL in the name", p.leaf("subjectAltName=DER:" + der.hex(":") + "\n"))
    add("unknown critical extension", p.leaf(GOOD_NAMES + "1.2.3.4.5=critical,ASN1:NULL\n"))
    middle = p.intermediate()
    add("incomplete chain", p.leaf(issuer=middle))
    weak = p.key("weak", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    add("weak key", p.leaf(key=weak))
    small = p.key("small", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-192")
    add("small curve", p.leaf(key=small))
    add("SHA-1", p.leaf(md="sha1"))
    filler = [p.leaf() for _ in range(4)] * 60
    add("huge chain", p.leaf(), chain=filler)
    good = p.leaf()
    v = ssl.TLSVersion
    add("TLS 1.0", good, versions=(v.TLSv1, v.TLSv1))
    add("TLS 1.1", good, versions=(v.TLSv1_1, v.TLSv1_1))
    rsa = p.key("rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    add("no encryption", p.leaf(key=rsa), ciphers="NULL-SHA256:@SECLEVEL=0",
        versions=(v.TLSv1_2, v.TLSv1_2))
    cases.append(("no certificate", tls(None, ciphers="AECDH:ADH:@SECLEVEL=0",
                                        versions=(v.TLSv1_2, v.TLSv1_2)), "localhost"))
    for name, behave in [
        ("plain HTTP on the port", plain(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
        ("plain IMAP on the port", plain(GREETING)),
        ("garbage for a handshake", plain(bytes(range(256)) * 20, wait=1)),
        ("closed at once", lambda server, connection: None),
        ("closed in the handshake", plain(b"\x16\x03\x03\x40\x00\x02", wait=1, linger=False)),
        ("reset in the handshake", reset),
        ("silence in the handshake", silence),
        ("alert, then data", alert_then_data),
    ]:
        cases.append((name, behave, "localhost"))
    return cases, good


def probe(is_imap, host, port, ca, env=None, count=1, stdin="canary-password"):
    """ca: a file, "-" for none, or a SystemCa."""
    before = ca.words() if isinstance(ca, SystemCa) else []
    ca = "-" if before else ca
    if is_imap:
        command = [PROBE, "imap", f"imaps://{host}:{port}", ca, "sav@acme.example",
                   str(TIMEOUT_MS), str(count)]
    else:
        command = [PROBE, "http", "POST", f"https://{host}:{port}/1.0/x", ca,
                   str(TIMEOUT_MS), str(count)]
    start = time.monotonic()
    done = subprocess.run(before + command, input=stdin, capture_output=True, text=True, env=env,
                          timeout=TIMEOUT_MS / 1000 * count + 5)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return lines, time.monotonic() - start, done


FAILURES = []


def check(name, holds, *facts):
    if not holds:
        FAILURES.append(name)
        print("FAILED", name, *facts)


def attack(name, behave, host, is_imap, ca, count=1, env=None):
    server = Server(behave, is_imap)
    what = f"{name} ({'imap' if is_imap else 'http'})"
    lines, seconds, done = probe(is_imap, host, server.port, ca, env, count)
    server.stop()
    expected = "no_answer" if is_imap else "not_sent"
    check(what, len(lines) == count and lines[-1][0] == expected and lines[-1][-2] == "9",
          lines, done.stderr)
    check(what, server.app_bytes == b"", server.app_bytes)
    check(what, seconds < TIMEOUT_MS / 1000 * count + SLACK_S, seconds)
    check(what, "canary" not in done.stdout + done.stderr, done.stdout)
    return lines


def check_good(p, good, ca):
    """The control: with a sound server the same calls go through."""
    middle = p.intermediate("Sound intermediate")
    for name, bundle, host in [
        ("good", p.bundle(good), "localhost"),
        ("good, by address", p.bundle(good), "127.0.0.1"),
        ("good, with a chain", p.bundle(p.leaf(issuer=middle), [middle]), "localhost"),
    ]:
        for is_imap in (False, True):
            server = Server(tls(bundle), is_imap)
            lines, _, _ = probe(is_imap, host, server.port, ca)
            server.stop()
            check(name, lines[0][0] == ("accepted" if is_imap else "answered"), lines)
            check(name, server.app_bytes != b"", lines)


def check_system(p, good, cases, folder):
    """The same servers with the CA among the system's certificates, as OVH's is."""
    if not SystemCa.can_be():
        print("the system's certificates cannot be replaced here: not tried")
        return 0
    system = SystemCa.with_more(folder / "system.pem", p.root.path)
    check_good(p, good, system)
    for case, behave, host in cases:
        for is_imap in (False, True):
            attack(case + ", CA of the system", behave, host, is_imap, system)
    (folder / "empty.pem").write_text("")
    for is_imap in (False, True):
        attack("no certificates on the system", tls(p.bundle(good)), "localhost", is_imap,
               SystemCa(folder / "empty.pem"))
    return 2 * len(cases) + 2


def check_read_once(p, good, folder):
    """To read the system's certificates takes longer than a handshake, so all connections of
    a process share them."""
    if not shutil.which("strace") or not os.path.exists(SYSTEM):
        print("no strace, or no certificates of the system: not tried")
        return
    server = Server(tls(p.bundle(good)), False)
    path = folder / "opened"
    done = subprocess.run(["strace", "-f", "-o", path, "-e", "trace=openat", PROBE, "http", "GET",
                           f"https://localhost:{server.port}/", "-", str(TIMEOUT_MS), "4"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    server.stop()
    check("four connections", done.stdout.count("not_sent") == 4, done.stdout, done.stderr)
    check("the system's certificates are read once", path.read_text().count(SYSTEM) == 1,
          path.read_text())


def check_resumed(p, good, ca):
    """Logins resume sessions of TLS 1.3, and of servers that are the same only."""
    v = ssl.TLSVersion
    for name, versions, resumed in (("TLS 1.3", (v.TLSv1_3, v.TLSv1_3), 2),
                                    ("TLS 1.2", (v.TLSv1_2, v.TLSv1_2), 0)):
        for is_imap in (True, False):
            server = Server(tls(p.bundle(good), versions=versions), is_imap)
            lines, _, _ = probe(is_imap, "localhost", server.port, ca, count=3)
            server.stop()
            check(f"three {name} connections", [line[0] for line in lines]
                  == ["accepted" if is_imap else "answered"] * 3, lines)
            check(f"resumed of {name}", server.resumed == (resumed if is_imap else 0),
                  server.resumed)


def check_not_resumed(p, good, ca, folder):
    """A session is of one name, one port and those who are trusted: two servers with one memory
    of sessions, and two logins that differ in one of these."""
    other = str(Pki(folder / "apart").root.path)
    behave = tls(p.bundle(good))
    for name, url, cas, second in (
            ("another CA", "imaps://localhost:{0}", f"{ca},{other}", "no_answer"),
            ("another CA before", "imaps://localhost:{0}", f"{other},{ca}", "accepted"),
            ("the system's CAs", "imaps://localhost:{0}", f"{ca},-", "no_answer"),
            ("another name", "imaps://localhost:{0},imaps://127.0.0.1:{0}", ca, "accepted"),
            ("another port", "imaps://localhost:{0},imaps://localhost:{1}", ca, "accepted")):
        servers = [Server(behave, True), Server(behave, True)]
        done = subprocess.run([PROBE, "imap", url.format(servers[0].port, servers[1].port), cas,
                               "sav@acme.example", str(TIMEOUT_MS), "2"],
                              input="canary-password", capture_output=True, text=True)
        for server in servers:
            server.stop()
        logins = [line.split("\t")[0] for line in done.stdout.splitlines()]
        first = "no_answer" if name == "another CA before" else "accepted"
        check(f"{name}: logins", logins == [first, second], done.stdout, done.stderr)
        check(f"{name}: not resumed", sum(server.resumed for server in servers) == 0)
        answered = sum(server.app_bytes.count(b"LOGIN") +
                       server.app_bytes.count(b"AUTHENTICATE") for server in servers)
        check(f"{name}: passwords sent", answered == logins.count("accepted"), answered)


def check_environment(p, good, ca, folder):
    """Nothing of the environment weakens or redirects a connection."""
    other = Pki(folder / "evil")
    key_log = folder / "keys.log"
    proxy = Server(plain(b""))
    (folder / ".netrc").write_text("machine localhost login canary password canary\n")
    (folder / "weak.cnf").write_text(
        "openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\n"
        "MinProtocol=TLSv1\nCipherString=DEFAULT:@SECLEVEL=0\n")
    env = dict(os.environ, SSLKEYLOGFILE=str(key_log), HOME=str(folder),
               CURL_CA_BUNDLE=str(other.root.path), SSL_CERT_FILE=str(other.root.path),
               OPENSSL_CONF=str(folder / "weak.cnf"))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        env[name] = f"http://127.0.0.1:{proxy.port}"
    tried = 0
    weak = p.key("weak2", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    for is_imap in (False, True):
        attack("CA from the environment", tls(other.bundle(other.leaf())), "localhost",
               is_imap, ca, env=env)
        attack("CA from the environment, none given", tls(other.bundle(other.leaf())),
               "localhost", is_imap, "-", env=env)
        attack("weak key allowed by the environment", tls(p.bundle(p.leaf(key=weak))),
               "localhost", is_imap, ca, env=env)
        attack("TLS 1.1 allowed by the environment",
               tls(p.bundle(good), versions=(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)),
               "localhost", is_imap, ca, env=env)
        server = Server(tls(p.bundle(good)), is_imap)
        lines, _, _ = probe(is_imap, "localhost", server.port, ca, env)
        server.stop()
        check("hostile environment, good server",
              lines[0][0] == ("accepted" if is_imap else "answered"), lines)
        check(".netrc is not read", b"Authorization" not in server.app_bytes)
        tried += 5
    check("no session keys are written", not key_log.exists())
    check("no proxy is used", proxy.connections == 0)
    proxy.stop()
    return tried


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        p = Pki(folder / "pki")
        ca = str(p.root.path)
        cases, good = bad_servers(p)
        check_good(p, good, ca)
        tried = 0
        for case, behave, host in cases:
            for is_imap in (False, True):
                attack(case, behave, host, is_imap, ca)
                tried += 1
        expired = tls(p.bundle(p.leaf(start=-7200, end=-3600)))
        for is_imap in (False, True):
            attack("certificate change between two calls",
                   changing(tls(p.bundle(good)), expired), "localhost", is_imap, ca, count=2)
            tried += 1
        check_resumed(p, good, ca)
        check_not_resumed(p, good, ca, folder)
        for bad_ca in (str(folder / "absent.pem"), str(p.leaf_key)):
            for is_imap in (False, True):
                attack("CA file that cannot be used", tls(p.bundle(good)), "localhost",
                       is_imap, bad_ca)
                tried += 1
        tried += check_environment(p, good, ca, folder)
        tried += check_system(p, good, cases, folder)
        check_read_once(p, good, folder)
    print(f"bad TLS: {len(cases)} kinds of server, {tried} tried, "
          f"{tried - len(FAILURES)} survived")
    record("2.10", "bad TLS", tried, tried - len(FAILURES))
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
