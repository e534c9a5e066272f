"""A handover over the real binary, step by step, and what its artefacts say to stock programs."""

import base64
import json
import os
import pty
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

from support.world import World, keygen

NIC = "xy000000-ovh"      # the client's account
OURS = "ab12345-ovh"      # the webmaster's
OTHER = "zz99999-ovh"     # another client's account
WIDE = [{"method": method, "path": "/*"} for method in ("GET", "POST", "PUT", "DELETE")]
LIMITS = ("--rate", "0", "--settle", "1s", "--login-cache", "1s", "--failed-logins", "16/1s")


class Handing(World):
    """A world with what every test of handovers does."""

    def __enter__(self):
        super().__enter__()
        self.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})
        self.allow_all()
        self.out = self.folder("out")
        return self

    def folder(self, name):
        path = os.path.join(self.home, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def file(self, name, text=""):
        path = os.path.join(self.home, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return path

    # --- people and secrets ---

    def person(self, name, kind, *more):
        key = os.path.join(self.home, name + ".txt")
        keygen(key)
        self.run("person", "add", name, "--kind", kind, "--key", key + ".pub", *more, check=0)
        return key

    def secret(self, address, label, value, *more):
        self.run("secret", "add", address, label, "--secret-fd", "0", *more, stdin=value, check=0)

    def vault_says(self, globs=()):
        """(address, label): value of all that the vault has now."""
        found = {(row["address"], ""): self.json("show", row["address"], "--reveal")["password"]
                 for row in self.json("role", "ls", *globs)["roles"]}
        for row in self.json("secret", "ls", *globs)["secrets"]:
            found[row["address"], row["label"]] = self.json(
                "show", row["address"], row["label"], "--reveal")["value"]
        return found

    # --- the account ---

    def credential(self, number, nic, rules=None):
        """An application and a key of their own, as an ovh.conf."""
        self.control("POST", "/seed", {
            "applications": [{"nic": nic, "id": number, "key": f"AppKey{number}",
                              "secret": f"AppSecret{number}", "name": f"app{number}"}],
            "credentials": [{"application_key": f"AppKey{number}", "id": number + 1, "nic": nic,
                             "consumer_key": f"Consumer{number}", "status": "validated",
                             "expiration": 86400, "rules": rules or WIDE}]})
        return self.file(f"{number}.conf",
                         "[default]\nendpoint=own\n[own]\n"
                         f"endpoint={self.ready['endpoint']}\napplication_key=AppKey{number}\n"
                         f"application_secret=AppSecret{number}\nconsumer_key=Consumer{number}\n")

    def changes(self):
        """The changes of contacts that wait, as (service, task)."""
        tasks = self.control("GET", "/state")["contact_changes"].values()
        return {task["_service"]: task for task in tasks
                if task["state"] == "validatingByCustomers"}

    def decide(self, task, nic, answer):
        self.control("POST", "/contact", {"id": task["id"], "nic": nic, "answer": answer})

    def accept_ours(self, task, client="essai"):
        """Ours, by the program, with the token that OVH's mail has."""
        token = self.control("GET", "/state")["contact_changes"][str(task["id"])]["_tokens"][NIC]
        return self.run("handover", "contacts", client, "--accept", str(task["id"]),
                        "--token-fd", "0", stdin=token, check=0)

    # --- the handover ---

    def status(self, client="essai"):
        return self.json("handover", "status", client)

    def blocks(self, client="essai", stage=None):
        return [(row["block"], row["address"] or row["what"])
                for row in self.status(client)["blockers"] if stage in (None, row["stage"])]

    def settle_items(self, client="essai"):
        items = [row["item"] for row in self.status(client)["items"]
                 if row["mode"] == "open" and not row["by_machine"]]
        self.run("handover", "item", client, *items, "--none", check=0)

    def judge(self, client="essai"):
        done = self.run("--json", "sweep", client)
        ids = [row["id"] for row in json.loads(done.stdout)["findings"]
               if not row["own"] and row["state"] == "open" and row["kind"] != "contact"]
        if ids:
            self.run("sweep", client, *(word for one in ids for word in ("--keep", one)))

    def issue(self, client="essai", check=0):
        """The trousseau's folder and its code."""
        path = self.file("code")
        with open(path, "w") as code:
            done = self.run("--json", "handover", "issue", client, "-o", self.out, "--code-fd",
                            str(code.fileno()), pass_fds=(code.fileno(),), check=check)
        with open(path) as code:
            told = code.read()
        if check:
            return done, told
        return json.loads(done.stdout)["path"], told.split("\t")[1].strip()

    def prepare(self, to="martine", client="essai", jobs=()):
        """From the beginning to where the trousseau can be made."""
        self.run("handover", "start", client, "--to", to, *jobs, check=0)
        self.run("handover", "next", client, check=0)
        self.settle_items(client)
        self.judge(client)
        self.run("handover", "next", client, check=0)

    def opened(self, file, code, *more, env=None):
        done = subprocess.run([self.binary, "--no-input", "open", file, "--code-fd", "0",
                               "--issuer", self.json("key", "show")["fingerprint"], "--json",
                               *more], input=code, text=True, capture_output=True,
                              env=env or self.env(HOME="/nonexistent"))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    # --- traces ---

    def traces(self, needles, *folders):
        """Where any of these stands in a file, plain or in a form that anybody undoes."""
        forms = {form: needle for needle in needles for form in forms_of(needle)}
        found = []
        for folder in folders:
            for where, _, names in os.walk(folder):
                for name in names:
                    with open(os.path.join(where, name), "rb") as file:
                        content = file.read()
                    found += [(name, needle) for form, needle in forms.items()
                              if form in content]
        return found

    def data_folders(self):
        return [os.path.join(self.home, name) for name in ("data", "state", "run")]


def forms_of(text):
    """Plain, UTF-16 both ways, hex, and base64 at each of its three places."""
    raw = text.encode()
    yield raw
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for pad in range(3):
        whole = base64.b64encode(b"\0" * pad + raw)
        size = len(raw) + pad
        yield whole[(0, 2, 3)[pad]:len(whole) - (0, 3, 2)[size % 3]]


# --- stock programs ---

def age_with_code(path, code):
    """What Debian's age makes of a file when the code is typed on a terminal."""
    out = path + ".opened"
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("age", ["age", "-d", "-o", out, path])
    heard = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        heard += chunk
        if heard.rstrip(b" ").endswith(b":"):
            os.write(terminal, code.encode() + b"\n")
            heard = b""
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    if os.waitstatus_to_exitcode(status):
        raise AssertionError(heard.decode(errors="replace"))
    with open(out, "rb") as file:
        text = file.read()
    os.unlink(out)
    return text


def keepassxc(path, code):
    """(group, title): the strings of each entry, by KeePassXC's own export."""
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen",
               "LC_ALL": "C.UTF-8", "HOME": home}
        done = subprocess.run(["keepassxc-cli", "export", "-q", path], input=code + "\n",
                              text=True, capture_output=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    found = {}
    root = ElementTree.fromstring(done.stdout).find("Root/Group")
    for group in root.iter("Group"):
        for entry in group.findall("Entry"):
            strings = {one.findtext("Key"): one.findtext("Value") or ""
                       for one in entry.findall("String")}
            found[group.findtext("Name"), strings["Title"]] = strings
    return found


def verify_ssh(path, allowed, space="passation-file", signature=None):
    """ssh-keygen's exit status, under the line that `key show` prints."""
    with open(allowed) as file:
        who = file.read().split()[0]
    with open(path, "rb") as file:
        return subprocess.run(["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", who, "-n",
                               space, "-s", signature or path + ".sig"], stdin=file,
                              capture_output=True).returncode


def verify_minisign(path, key):
    return subprocess.run(["minisign", "-Vm", path, "-P", key, "-q"],
                          capture_output=True).returncode


def read_document(text):
    """The blocks of an issue's document, each a list of (field, value)."""
    blocks, lines = [[]], text.split("-----BEGIN SSH SIGNATURE-----")[0].split("\n")
    for line in lines:
        if line.startswith("| "):
            field, value = blocks[-1].pop()
            blocks[-1].append((field, line[2:] if value is None else value + "\n" + line[2:]))
        elif not line:
            blocks.append([])
        else:
            field, _, value = line.partition(":")
            blocks[-1].append((field, value[1:] if value else None))
    return [dict(block) for block in blocks if block]
