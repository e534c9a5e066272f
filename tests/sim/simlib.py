"""What the tests of the simulator share: start one, sign calls, log in. Standard library
only. The signature is computed here once more, apart from the simulator's own."""

import base64
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse

SIM = os.environ.get("PASSATION_SIM", "passation-sim")
DOMAIN = "boulangerie-martin.fr"
BOX = "/email/domain/" + DOMAIN + "/account/contact"


class Answer:
    def __init__(self, status, reason, headers, body):
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Sim:
    """One running simulator, ended and removed at the end of a with block."""

    def __init__(self, *options, prefix=()):
        self.dir = tempfile.mkdtemp(prefix="simtest-")
        self.seed_dir = None
        if "--seed" not in options:
            options = ("--seed", self.wide_seed(), *options)
        self.started = time.monotonic()
        self.process = subprocess.Popen([*prefix, SIM, "--dir", self.dir, *options])
        ready = os.path.join(self.dir, "ready.json")
        while not os.path.exists(ready):
            if self.process.poll() is not None:
                raise RuntimeError("the simulator ended with %d" % self.process.returncode)
            if time.monotonic() - self.started > 120:
                self.process.kill()
                raise RuntimeError("the simulator is not ready after 120 s")
            time.sleep(0.005)
        self.start_s = time.monotonic() - self.started
        with open(ready, encoding="utf-8") as file:
            self.ready = json.load(file)
        self.tls = ssl.create_default_context(cafile=self.ready["ca"])
        self.endpoint = self.ready["endpoint"]
        self.key = self.ready["application_key"]
        self.secret = self.ready["application_secret"]
        self.consumer = self.ready["consumer_key"]

    def wide_seed(self):
        """The default seed, whose key has the least rules, with a key that may call all."""
        default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "default-seed.json")
        with open(default, encoding="utf-8") as file:
            seed = json.load(file)
        methods = ("GET", "POST", "PUT", "DELETE")
        paths = ("/auth/*", "/me", "/me/*", "/email/*", "/domain*", "/hosting/web*", "/v2/*")
        seed["credentials"][0]["rules"] = [
            {"method": method, "path": path} for method in methods for path in paths
        ]
        self.seed_dir = tempfile.mkdtemp(prefix="simseed-")
        path = os.path.join(self.seed_dir, "seed.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(seed, file)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.seed_dir:
            shutil.rmtree(self.seed_dir, ignore_errors=True)
        return status

    # The API.

    def connect(self, timeout=60):
        parts = urllib.parse.urlsplit(self.endpoint)
        return http.client.HTTPSConnection(
            parts.hostname, parts.port or 443, context=self.tls, timeout=timeout
        )

    def endpoint_of(self, path):
        """Paths of the second version begin with /v2, all others lie behind /1.0."""
        return self.endpoint.rsplit("/", 1)[0] if path.startswith("/v2/") else self.endpoint

    def sign(self, method, url, body, stamp, secret=None, consumer=None):
        fields = [secret or self.secret, consumer or self.consumer, method, url, body, stamp]
        return "$1$" + hashlib.sha1("+".join(fields).encode()).hexdigest()

    def headers(self, method, path, text="", consumer=None, offset=0, **change):
        stamp = str(int(time.time()) + offset)
        consumer = consumer or self.consumer
        headers = {
            "X-Ovh-Application": self.key,
            "X-Ovh-Consumer": consumer,
            "X-Ovh-Timestamp": stamp,
            "X-Ovh-Signature": self.sign(
                method, self.endpoint_of(path) + path, text, stamp, consumer=consumer
            ),
        }
        if text:
            headers["Content-Type"] = "application/json"
        headers.update(change.get("headers", {}))
        return {name: value for name, value in headers.items() if value is not None}

    def call(self, method, path, body=None, connection=None, timeout=60, **change):
        """A signed call; body may be text (sent as it is) or what JSON can say."""
        text = ""
        if body is not None:
            text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        own = connection or self.connect(timeout)
        root = urllib.parse.urlsplit(self.endpoint_of(path)).path
        try:
            own.request(
                method,
                root + path,
                body=text.encode() if text else None,
                headers=self.headers(method, path, text, **change),
            )
            with own.getresponse() as got:
                return Answer(got.status, got.reason, got.headers, got.read())
        finally:
            if not connection:
                own.close()

    def get(self, path, **change):
        return self.call("GET", path, **change).json

    # The control port.

    def order(self, method, path, body=None, expect=200):
        parts = urllib.parse.urlsplit(self.ready["control"])
        link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        text = None if body is None else json.dumps(body).encode()
        link.request(method, path, body=text)
        got = link.getresponse()
        answer = json.loads(got.read())
        link.close()
        if got.status != expect:
            raise AssertionError("%s %s: %d %s" % (method, path, got.status, answer))
        return answer

    def reset(self, **settings):
        self.order("POST", "/reset")
        if settings:
            self.order("POST", "/set", settings)

    def fault(self, kind, **more):
        self.order("POST", "/faults", dict(kind=kind, **more))

    def mailbox(self, address="contact@" + DOMAIN):
        return self.order("GET", "/state?address=" + address)

    # Below HTTP: how a connection ends. Python's own TLS sockets do not tell a reset
    # from an end.

    def ending(self, url, text):
        """Sends text over TLS and reads to the end: (what came, notified|closed|reset)."""
        parts = urllib.parse.urlsplit(url)
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        link = self.tls.wrap_bio(inward, outward, server_hostname=parts.hostname)
        got = b""
        steps = [link.do_handshake, lambda: link.write(text)]
        with socket.create_connection((parts.hostname, parts.port), 10) as bare:
            while True:
                try:
                    if steps:
                        steps[0]()
                        steps.pop(0)
                    else:
                        data = link.read(65536)
                        got += data
                        if not data:
                            return got, "notified"
                except ssl.SSLWantReadError:
                    try:
                        bare.sendall(outward.read())
                        more = bare.recv(65536)
                    except ConnectionResetError:
                        return got, "reset"
                    if not more:
                        return got, "closed"
                    inward.write(more)

    def request_text(self, method, path, body=""):
        parts = urllib.parse.urlsplit(self.endpoint)
        headers = dict(self.headers(method, path, body), Host=parts.netloc)
        headers["Content-Length"] = str(len(body.encode()))
        lines = ["%s %s%s HTTP/1.1" % (method, parts.path, path)]
        lines += ["%s: %s" % pair for pair in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    # The mail server.

    def login(self, password, user="contact@" + DOMAIN, imap=None, initial=True, timeout=60):
        """True: accepted, False: refused as wrong; else the text of what came instead."""
        parts = urllib.parse.urlsplit(imap or self.ready["imap"])
        plain = base64.b64encode(b"\0" + user.encode() + b"\0" + password.encode())
        try:
            with socket.create_connection((parts.hostname, parts.port), timeout) as bare:
                with self.tls.wrap_socket(bare, server_hostname=parts.hostname) as link:
                    return self.dialogue(link, plain, initial)
        except (OSError, ssl.SSLError) as error:
            return type(error).__name__

    @staticmethod
    def dialogue(link, plain, initial):
        lines = link.makefile("rb")
        first = lines.readline()
        if not first.startswith(b"* OK"):
            return first.decode("latin-1").strip() or "closed"
        if initial:
            link.sendall(b"a AUTHENTICATE PLAIN " + plain + b"\r\n")
        else:
            link.sendall(b"a AUTHENTICATE PLAIN\r\n")
            if not lines.readline().startswith(b"+"):
                return "no continuation"
            link.sendall(plain + b"\r\n")
        for line in lines:
            if line.startswith(b"a OK"):
                link.sendall(b"b LOGOUT\r\n")
                return True
            if line.startswith(b"a NO [AUTHENTICATIONFAILED]"):
                return False
            if not line.startswith(b"* CAPABILITY"):
                return line.decode("latin-1").strip()
        return "closed"


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False
