"""A simulator, a vault and the real binary, for tests that run them together.

    with World(build_dir) as world:
        world.setup_client(mailboxes=4)
        world.run("rotate", "box0@essai.example")
"""

import hashlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


def keygen(path):
    """An age key pair; the public one, which stands in PATH.pub, too."""
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    os.chmod(path, 0o600)
    public = subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True,
                            text=True).stdout.strip()
    with open(path + ".pub", "w") as file:
        file.write(public + "\n")
    return public


class World:
    def __init__(self, build, imap="responder", sim_args=(), language="C"):
        self.build = os.path.abspath(build)
        self.binary = os.path.join(self.build, "passation")
        self.imap_kind = imap
        self.sim_args = list(sim_args)
        self.dir = tempfile.mkdtemp(prefix="psn-world-")
        os.chmod(self.dir, 0o755)
        self.sim = None
        self.language = language

    def __enter__(self):
        self.start_sim()
        self.home = os.path.join(self.dir, "home")
        os.mkdir(self.home, 0o700)
        self.identity = os.path.join(self.home, "identity.txt")
        subprocess.run(["age-keygen", "-o", self.identity], check=True, capture_output=True)
        os.chmod(self.identity, 0o600)
        return self

    def __exit__(self, *_):
        self.stop_sim()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- the simulator ---

    def start_sim(self):
        folder = os.path.join(self.dir, "sim")
        os.makedirs(folder, exist_ok=True)
        args = [os.path.join(self.build, "passation-sim"), "--dir", folder, *self.sim_args]
        if self.imap_kind == "responder":
            args.append("--imap-responder")
        self.sim_log = open(os.path.join(self.dir, "sim.log"), "w")
        self.sim = subprocess.Popen(args, stdout=self.sim_log, stderr=self.sim_log,
                                    stdin=subprocess.DEVNULL)
        ready = os.path.join(folder, "ready.json")
        deadline = time.monotonic() + 60
        while not os.path.exists(ready):
            if self.sim.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the simulator did not start: " + open(self.sim_log.name).read())
            time.sleep(0.01)
        with open(ready) as file:
            self.ready = json.load(file)
        self.config = os.path.join(folder, "ovh.conf")

    def stop_sim(self):
        if self.sim and self.sim.poll() is None:
            self.sim.send_signal(signal.SIGTERM)
            try:
                self.sim.wait(60)
            except subprocess.TimeoutExpired:
                self.sim.kill()
                self.sim.wait()
        if self.sim:
            self.sim_log.close()

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.ready["control"] + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from error

    def in_force(self, address):
        """What opens the mailbox now, by the simulator's own state."""
        return self.control("GET", "/state?address=" + address)["password"]

    def call(self, path, body=None):
        """A GET, or a POST, as the owner does it with a key that is none of passation's."""
        key = "SimConsumerKey000000000000000002"
        method, text = ("POST", json.dumps(body)) if body else ("GET", "")
        url, now = self.ready["endpoint"] + path, str(int(time.time()))
        signed = "+".join(["SimAppSecret00000000000000000002", key, method, url, text, now])
        request = urllib.request.Request(url, text.encode() or None, method=method, headers={
            "X-Ovh-Application": "SimAppKey0000002", "X-Ovh-Consumer": key,
            "X-Ovh-Timestamp": now, "Content-Type": "application/json",
            "X-Ovh-Signature": "$1$" + hashlib.sha1(signed.encode()).hexdigest()})
        tls = ssl.create_default_context(cafile=self.ready["ca"])
        with urllib.request.urlopen(request, context=tls, timeout=60) as answer:
            return json.load(answer)

    def other_key(self, key):
        """A file with another consumer key of the same account, which may do everything."""
        names = ("endpoint", "application_key", "application_secret")
        self.control("POST", "/seed", {"credentials": [{
            "application_key": self.ready["application_key"], "consumer_key": key,
            "nic": self.ready["nic"], "status": "validated",
            "rules": [{"method": m, "path": "/*"} for m in ("GET", "POST", "PUT", "DELETE")]}]})
        path = os.path.join(self.home, key + ".conf")
        with open(path, "w") as file:
            os.chmod(path, 0o600)
            file.write("[default]\nendpoint=own\n[own]\n" + f"consumer_key={key}\n"
                       + "".join(f"{name}={self.ready[name]}\n" for name in names))
        return path

    # --- the binary ---

    def env(self, **more):
        env = {
            "HOME": self.home,
            "PATH": os.environ["PATH"],
            "LC_ALL": self.language,
            "XDG_DATA_HOME": os.path.join(self.home, "data"),
            "XDG_STATE_HOME": os.path.join(self.home, "state"),
            "XDG_RUNTIME_DIR": os.path.join(self.home, "run"),
            "PASSATION_CA_FILE": self.ready["ca"],
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(more)
        return env

    def command(self, *args):
        return [self.binary, "--no-input", "--identity-file", self.identity, *args]

    def run(self, *args, check=None, stdin=None, prefix=(), env=None, timeout=120, **kwargs):
        done = subprocess.run([*prefix, *self.command(*args)], env=env or self.env(),
                              capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL if stdin is None else None, input=stdin,
                              **kwargs)
        if check is not None and done.returncode != check:
            raise AssertionError(f"{args}: exit {done.returncode}, expected {check}\n"
                                 f"{done.stdout}\n{done.stderr}")
        return done

    def json(self, *args, check=0):
        return json.loads(self.run("--json", *args, check=check).stdout)

    def lines(self, *args, check=None):
        done = self.run("--json", *args, check=check)
        return [json.loads(line) for line in done.stdout.splitlines()]

    # --- a client to work on ---

    DOMAIN = "essai.example"

    def setup_client(self, mailboxes=1, adopt=True, client="essai"):
        self.run("init", check=0)
        accounts = {f"box{i}": {"password": f"First-Pass-{i}-word"} for i in range(mailboxes)}
        self.control("POST", "/seed", {"domains": [{
            "domain": self.DOMAIN,
            "nic": self.ready["nic"],
            "accounts": [{"name": name, **fields} for name, fields in accounts.items()],
        }]})
        self.run("client", "add", client, "--nic", self.ready["nic"], "--domain", self.DOMAIN,
                 "--endpoint", self.ready["endpoint"], "--imap", self.ready["imap"],
                 "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                 "--failed-logins", "16/1s", check=0)
        self.run("ovh", "link", client, "--config", self.config, "--accept-wide", check=0)
        if adopt:
            self.run("role", "adopt", *(f"{name}@{self.DOMAIN}" for name in accounts), check=0)
        return [f"{name}@{self.DOMAIN}" for name in accounts]

    # --- the newer back-ends ---

    def allow(self, rules):
        """The key may do these (method, path), and nothing else."""
        self.control("POST", "/set", {"credential": {
            "consumer_key": self.ready["consumer_key"], "status": "validated", "revoked": False,
            "rules": [{"method": method, "path": path} for method, path in rules]}})

    def allow_all(self):
        """The key may do everything: the default one knows /email/domain only."""
        self.allow([(method, "/*") for method in ("GET", "POST", "PUT", "DELETE")])

    def seed_service(self, family, domain, free_slots=3, mailboxes=("box",), **more):
        """A service of its own: mxplan-owa, mxplan-zimbra, pro, exchange or zimbra."""
        entry = {"family": family.split("-")[0], "nic": self.ready["nic"], "domains": [domain],
                 "free_slots": free_slots, **more,
                 "accounts": [{"name": name, "password": "First-Pass-0-word"} for name in mailboxes]}
        if family == "mxplan-zimbra":
            entry["zimbra"] = True
        return self.control("POST", "/seed", {"services": [entry]})["services"][0]

    def add_client(self, domains, client="essai", wide=True):
        """A linked client; what the link said of its key."""
        self.run("client", "add", client, "--nic", self.ready["nic"],
                 *(word for domain in domains for word in ("--domain", domain)),
                 "--endpoint", self.ready["endpoint"], "--imap", self.ready["imap"],
                 "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                 "--failed-logins", "16/1s", check=0)
        return self.json("ovh", "link", client, "--config", self.config,
                         *(["--accept-wide"] if wide else []))

    def mailbox(self, address):
        """What the simulator holds of it, or None."""
        try:
            return self.control("GET", "/state?address=" + address)
        except RuntimeError:
            return None

    def versions(self, address):
        """All that the vault holds of the mailbox's password, by state."""
        listed = self.json("show", address, "--versions", "--reveal")["versions"]
        return [(row["state"], row["password"]) for row in listed]

    def role(self, address):
        return self.json("role", "ls", address)["roles"][0]
