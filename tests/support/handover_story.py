"""One handover from its beginning to its end, step by step; each can begin as often as wanted.

    story = Story(build)
    story.fresh("issue")        # all is as it was before that step
    story.run("issue")          # once more what a person would type
    story.check_between()       # what holds at every moment
    story.check_after("issue")  # what holds when the step has ended
    story.finish("issue")       # the steps after it, up to the end

essai is handed over to martine: two mailboxes, a secret that hangs on one of them, an envelope from
before, a backup. essai-2, of another account's key, stays.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from support import kills
from support.campaign import Wrong, hold
from support.world import World

DOMAIN, OTHER_DOMAIN = World.DOMAIN, "autre.example"
BOXES = [f"box{number}@{DOMAIN}" for number in range(2)]
OTHER_BOX = f"box0@{OTHER_DOMAIN}"
SECRET = (BOXES[0], "Stripe")
OTHER_NIC = "ab12345-ovh"
OTHERS = ".trousseau-essai-2-1"  # as if one for the other client was being made
CHANGED = [f"{kind}/{DOMAIN}" for kind in ("domain", "mail", "zone")]
CUT_KEY = "SimConsumerKeyForCuts00000000001"
OUR_APPLICATION, FOREIGN_APPLICATION = (105668, 1), (90211, 2)
ITEMS = ("account second-factor domain hosting databases cms payment analytics social licences "
         "source backups services subscriptions papers").split()
PATIENCE_S = 60
# The client's --settle of support/world.py is 1 s: what was sent before is not on its way any more.
SETTLED_S = 1.2
RUNS_MAX = 4
NOT_FOUND, EXISTS = 4, 7

# In the order of a handover; and those that stand beside it, with the step that they begin at.
ORDER = ["start", "item", "next", "issue", "confirm", "close", "import"]
ASIDE = {"create": "start", "update": "start", "contacts": "close", "abandon": "close"}
STEPS = [*ORDER, *ASIDE]


class Story:
    def __init__(self, build):
        self.world = world = World(build)
        self.seed_path = os.path.join(world.dir, "seed.json")
        with open(self.seed_path, "w") as file:
            json.dump(self.seed(), file)
        world.sim_args = ["--seed", self.seed_path]
        world.__enter__()
        try:
            self.set_up()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.world.__exit__()

    # --- the world ---

    def seed(self):
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "..", "sim", "default-seed.json")) as file:
            base = json.load(file)
        nic = base["nics"][0]["nichandle"]
        rules = [{"method": verb, "path": "/*"} for verb in ("GET", "POST", "PUT", "DELETE")]
        domains = [{"domain": domain, "nic": nic,
                    "accounts": [{"name": f"box{number}", "password": f"First-Pass-{number}-word"}
                                 for number in range(count)]}
                   for domain, count in ((DOMAIN, 2), (OTHER_DOMAIN, 1))]
        keys = [{**row, "rules": rules} for row in base["credentials"]]
        cut = {**keys[0], "id": 498601350, "consumer_key": CUT_KEY}
        return {**base, "nics": base["nics"] + [{"nichandle": OTHER_NIC}], "domains": domains,
                "credentials": [*keys, cut]}

    def set_up(self):
        world = self.world
        self.templates, self.passwords_at, self.facts_at = {}, {}, {}
        self.codes, self.receipt, self.sheets = {}, None, []
        self.is_closed, self.pages, self.publics = False, {}, {}
        self.out = os.path.join(world.home, "out")
        self.backup = os.path.join(world.home, "vault.backup")
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})
        world.run("init", check=0)
        self.fingerprint = world.json("key", "show")["fingerprint"]
        os.makedirs(os.path.join(self.out, OTHERS), 0o700)
        world.add_client([DOMAIN])
        self.link("essai-2", self.conf(FOREIGN_APPLICATION, "SimConsumerKey000000000000000002"),
                  "--accept-wide", add=OTHER_DOMAIN)
        self.link("essai", self.conf(OUR_APPLICATION, CUT_KEY), "--for", "cut", "--accept-wide")
        world.run("role", "adopt", *BOXES, OTHER_BOX, check=0)
        world.run("person", "add", "martine", "--kind", "client", "--email",
                  "martine@perso.example", check=0)
        world.run("secret", "add", *SECRET, "--type", "stripe", "--generate", check=0)
        self.secret = self.first_secret = world.json("show", *SECRET, "--reveal")["value"]
        self.run("create", check=True)
        world.run("backup", self.backup, check=0)
        self.other_password = world.in_force(OTHER_BOX)
        time.sleep(1.1)  # a password that was set in this second is none from before
        for step in ORDER:
            self.keep(step)
            if step != ORDER[-1]:
                self.run(step, check=True)
                self.after(step)

    def conf(self, application, key):
        number, path = application[1], os.path.join(self.world.home, key + ".conf")
        with open(path, "w") as file:
            os.chmod(path, 0o600)
            file.write(f"[default]\nendpoint=own\n[own]\nconsumer_key={key}\n"
                       f"endpoint={self.world.ready['endpoint']}\n"
                       f"application_key=SimAppKey{number:07}\n"
                       f"application_secret=SimAppSecret{number:020}\n")
        return path

    def link(self, client, conf, *more, add=None):
        world = self.world
        if add:
            world.run("client", "add", client, "--nic", world.ready["nic"], "--domain", add,
                      "--endpoint", world.ready["endpoint"], "--imap", world.ready["imap"],
                      "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                      "--failed-logins", "16/1s", check=0)
        world.run("ovh", "link", client, "--config", conf, *more, check=0)

    def keep(self, step):
        self.templates[step] = os.path.join(self.world.dir, "before-" + step)
        shutil.copytree(self.world.home, self.templates[step])
        self.passwords_at[step] = self.in_force()
        self.facts_at[step] = (dict(self.codes), self.receipt, list(self.sheets))

    def fresh(self, step):
        """Everything as before that step."""
        begin, world = ASIDE.get(step, step), self.world
        shutil.rmtree(world.home)
        shutil.copytree(self.templates[begin], world.home)
        codes, self.receipt, sheets = self.facts_at[begin]
        self.codes, self.sheets = dict(codes), list(sheets)
        world.control("POST", "/reset", {})
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})
        for box, password in self.passwords_at[begin].items():
            world.control("POST", "/password", {"address": box, "password": password})
        self.is_closed = begin == "import"  # and OVH is as it was
        self.secret = self.first_secret
        if step == "update":
            world.run("secret", "set", *SECRET, "--generate", check=0)
            self.secret = world.json("show", *SECRET, "--reveal")["value"]
        world.control("DELETE", "/log")

    def mend(self):
        """OVH is well again."""
        world = self.world
        world.control("DELETE", "/faults")
        world.control("POST", "/set", {"skew_s": 0, "domain": {
            "domain": DOMAIN, "expired": False, "suspended": False}})
        world.control("POST", "/task/release", {"fail": False})

    # --- what is typed ---

    def words(self, step):
        """The command of the step; what has to be read from a descriptor is not in it."""
        if step == "import":
            return ("client", "import", self.page(), "--issuer", self.fingerprint, "--endpoint",
                    self.world.ready["endpoint"], "--imap", self.world.ready["imap"])
        return {
            "start": ("handover", "start", "essai", "--to", "martine", "--contract", "2024-17"),
            "item": ("handover", "item", "essai", *ITEMS, "--none"),
            "next": ("handover", "next", "essai"),
            "issue": ("handover", "issue", "essai", "-o", self.out),
            "confirm": ("handover", "confirm", "essai", self.receipt or ""),
            "close": ("handover", "close", "essai", "--confirm", "essai", "-o", self.out,
                      "--unchanged", "--backup", self.backup),
            "create": ("envelope", "create", "essai", "--to", "martine", "-o", self.out),
            "update": ("envelope", "update", "essai"),
            "contacts": ("handover", "contacts", "essai", "--tech", OTHER_NIC),
            "abandon": ("handover", "abandon", "essai", "-y"),
        }[step]

    @contextlib.contextmanager
    def typed(self, step):
        """Words and descriptors of a run; what it told when it has ended is kept."""
        words, fds = list(self.words(step)), []
        told = reading = None
        if step == "issue":
            told, writing = os.pipe()
            words, fds = [*words, "--code-fd", str(writing)], [writing]
        elif step == "import":
            reading, writing = os.pipe()
            os.write(writing, self.code_of(self.folder()).encode())
            os.close(writing)
            words, fds = [*words, "--code-fd", str(reading)], [reading]
        try:
            yield words, fds
        finally:
            for fd in fds:
                os.close(fd)
            if told is not None:
                with os.fdopen(told) as pipe:
                    for line in pipe.read().splitlines():
                        serial, _, code = line.partition("\t")
                        self.codes[int(serial)] = code
            self.take_sheet()

    def run(self, step, check=False):
        """Exit status and stderr."""
        with self.typed(step) as (words, fds):
            code, stderr = kills.run(self.world, words, [], PATIENCE_S, fds)
        hold(not check or code == 0, f"{step}: exit {code}: {stderr.strip()}")
        return code, stderr

    def after(self, step):
        """What a person does between this step and the next."""
        if step == "next":
            self.keep_accesses()
        elif step == "issue":
            folder = self.folder()
            self.receipt = self.opened(folder, self.code_of(folder))["receipt"]

    # --- what there is ---

    def in_force(self):
        return {box: self.world.in_force(box) for box in [*BOXES, OTHER_BOX]}

    def handover(self):
        """What `handover status` tells, or None: none is open."""
        done = self.world.run("--json", "handover", "status", "essai")
        hold(done.returncode in (0, NOT_FOUND), f"status: {done.returncode}: {done.stderr}")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def has_client(self):
        rows = self.world.json("client", "ls")["clients"]
        return "essai" in [row["id"] for row in rows]

    def folders(self):
        return sorted(os.path.join(self.out, name) for name in os.listdir(self.out)
                      if name.startswith("trousseau-"))

    def folder(self):
        """The one that the vault knows; after the end, the last one."""
        handover = self.handover()
        if handover and handover["trousseau"]:
            return handover["trousseau"]["path"]
        known = [path for path in self.folders() if self.code_of(path)]
        return known[-1] if known else None

    def page(self):
        return os.path.join(self.folder() or "", "trousseau.html")

    def code_of(self, folder):
        return self.codes.get(int(folder.rpartition("-")[2]))

    def opened(self, folder, code):
        """A trousseau as the client opens it: with the code, and without any vault. The same bytes
        and the same code are not opened twice."""
        with open(os.path.join(folder, "trousseau.html"), "rb") as file:
            which = hashlib.sha256(file.read()).hexdigest(), code
        if which not in self.pages:
            self.pages[which] = self.open_page(folder, code)
        return self.pages[which]

    def open_page(self, folder, code):
        done = subprocess.run(
            [self.world.binary, "--no-input", "open", os.path.join(folder, "trousseau.html"),
             "--code-fd", "0", "--issuer", self.fingerprint, "--json", "--reveal"], input=code,
            text=True, capture_output=True, env=self.world.env(HOME="/nonexistent"), timeout=60)
        hold(done.returncode == 0, f"{folder}: {done.stderr}")
        return json.loads(done.stdout)

    def take_sheet(self):
        path = os.path.join(self.out, "enveloppe-essai-cle.html")
        if not os.path.exists(path):
            return
        with open(path) as file:
            text = re.sub(r"<[^>]*>|\s", "", file.read())
        found = re.search(r"AGE-SECRET-KEY-1[A-Z0-9]{58}", text)
        hold(found, "the sheet has no key")
        if found[0] not in self.sheets:
            self.sheets.append(found[0])

    # --- what holds at every moment ---

    def secrets(self):
        """What the client needs: {(address, label): value}, as OVH and the world have it."""
        found = {(box, ""): self.world.in_force(box) for box in BOXES}
        return {**found, SECRET: self.secret}

    def in_vault(self, *states):
        """{(address, label): every value that the vault holds, of a mailbox in these states}"""
        world = self.world
        found = {(box, ""): [password for state, password in world.versions(box)
                             if not states or state in states] for box in BOXES}
        return {**found, SECRET: [world.json("show", *SECRET, "--reveal")["value"]]}

    def in_folder(self, folder):
        rows = self.opened(folder, self.code_of(folder))["secrets"]
        return {(row["address"], row.get("label") or ""): [row.get("password") or row.get("value")]
                for row in rows}

    def check_between(self):
        world = self.world
        world.run("log", "--verify", check=0)
        handover = self.handover()
        self.check_folders(handover)
        there = self.has_client()
        held = self.in_vault() if there else self.in_folder(self.folder())
        for what, value in self.secrets().items():
            hold(value in held.get(what, []), f"{what} is lost; destroyed: {not there}")
        self.check_other()
        if handover and handover["own_keys_gone_at"]:
            hold(not self.our_keys(), "the vault says that our keys are gone")
        if not there:
            hold(not self.our_keys(), "destroyed, and our keys are at OVH")
            self.check_statement("proces-verbal")
            self.check_told()
        self.check_envelope(there)
        return handover

    def check_folders(self, handover):
        for folder in self.folders():
            done = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder,
                                  capture_output=True, text=True)
            hold(done.returncode == 0, f"half a trousseau: {folder}: {done.stderr}")
            if self.code_of(folder):
                self.opened(folder, self.code_of(folder))
        issued = handover and handover["trousseau"]
        if issued and issued["serial"]:
            hold(issued["path"] in self.folders(), f"the vault has a trousseau: {issued['path']}")
            hold(self.code_of(issued["path"]), "nobody heard the code of the trousseau")

    def check_told(self):
        """Either the closing statement is there, or `due` and `handover status` ask for it."""
        due = json.loads(self.world.run("--json", "due").stdout)["due"]
        told = [row for row in due if row["kind"] == "handover" and row["client"] == "essai"]
        said = self.world.run("handover", "status", "essai").stderr
        hold(bool(told) == ("handover close essai" in said), f"due: {told}, status: {said}")
        if not told:
            self.check_statement("cloture")

    def check_other(self):
        """essai-2 is as it was."""
        world = self.world
        hold(world.in_force(OTHER_BOX) == self.other_password, "another client's password changed")
        hold([password for state, password in world.versions(OTHER_BOX) if state == "current"] ==
             [self.other_password], "another client's password is lost")
        world.call("/me")

    def our_keys(self):
        """Those of essai that are at OVH."""
        if self.is_closed:
            return []
        state, number = self.world.control("GET", "/state"), OUR_APPLICATION[0]
        found = [key for key, row in state["credentials"].items()
                 if row["applicationId"] == number and row["status"] == "validated"
                 and not row.get("_revoked")]
        return found + [key for key in state["applications"] if key == str(number)]

    def check_statement(self, name):
        base = os.path.join(self.out, f"essai-{name}")
        for extension in ("html", "json"):
            with open(f"{base}.{extension}", "rb") as file:
                done = subprocess.run(["ssh-keygen", "-Y", "check-novalidate", "-n",
                                       "passation-file", "-s", f"{base}.{extension}.sig"],
                                      stdin=file, capture_output=True, text=True)
            hold(done.returncode == 0, f"{base}.{extension}: {done.stderr}")
        self.world.run("log", "--verify", base + ".txt", check=0)

    # --- the envelope ---

    def envelope_opens(self, key):
        """What that key opens of the file that lies in the folder, or None."""
        path = os.path.join(self.world.dir, "key.txt")
        with open(path, "w") as file:
            file.write(key + "\n")
        done = subprocess.run(["age", "-d", "-i", path,
                               os.path.join(self.out, "enveloppe-essai.age")],
                              capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def envelope(self):
        rows = [row for row in self.world.json("envelope", "ls")["envelopes"]
                if row["client"] == "essai"]
        return rows[0] if rows else None

    def public(self, key):
        if key not in self.publics:
            self.publics[key] = self.derive(key)
        return self.publics[key]

    def derive(self, key):
        path = os.path.join(self.world.dir, "key.txt")
        with open(path, "w") as file:
            file.write(key + "\n")
        return subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True,
                              text=True).stdout.strip()

    def check_envelope(self, there):
        """Whom the vault says the envelope is for, has its key, and opens all that is current;
        or it is due."""
        row = self.envelope() if there else None
        if not row:
            return
        keys = [key for key in self.sheets if self.public(key) == row["recipient"]]
        hold(keys, "the vault knows an envelope whose sheet was not printed")
        if row["due"]:
            due = self.world.json("due", check=12)["due"]
            hold([one for one in due if one["kind"].startswith("envelope")], "due does not tell of it")
            return
        text = self.envelope_opens(keys[0])
        hold(text is not None, "nothing is due, and the sheet's key opens nothing")
        for what, values in self.in_vault("current").items():
            hold(all(f": {value}\n" in text for value in values), f"the envelope lacks {what}")

    # --- the end of a step ---

    def again(self, step):
        """The same until it is done, as the person at the keyboard does; how often."""
        for attempt in range(RUNS_MAX):
            if attempt:
                time.sleep(SETTLED_S)
            code, stderr = self.run(step)
            if code == 0 or self.is_done(step, code):
                return attempt + 1
        raise Wrong(f"{step}: exit {code} after {RUNS_MAX} runs: {stderr.strip()}")

    def is_done(self, step, code):
        """What was done before, says so."""
        if step == "import":
            return code == EXISTS and self.has_client()
        if step == "abandon":
            return code == NOT_FOUND and self.handover() is None
        return False

    def check_after(self, step):
        handover = self.check_between()
        check = getattr(self, "check_" + step, None)
        if check:
            check(handover)
        names = [name for name in os.listdir(self.out) if name.startswith(".")]
        hold(step != "issue" or names == [OTHERS], f"left over, but for another's: {names}")

    def check_start(self, handover):
        hold(handover["to"] == "martine", "it is not to her")

    def check_item(self, handover):
        modes = {row["item"]: row["mode"] for row in handover["items"]}
        hold(all(modes[item] == "none" for item in ITEMS), f"items: {modes}")

    def check_next(self, handover):
        blocks = {row["block"] for row in handover["blockers"]}
        hold(not blocks & {"not_looked", "old", "unfinished", "known"}, f"after next: {blocks}")
        for box in BOXES:
            current = [password for state, password in self.world.versions(box)
                       if state == "current"]
            hold(current == [self.world.in_force(box)], f"{box}: not the current one")
            hold(current != [self.passwords_at["next"][box]], f"{box}: not a new one")

    def check_issue(self, handover):
        held = self.in_folder(handover["trousseau"]["path"])
        for what, value in self.secrets().items():
            hold(held.get(what) == [value], f"the trousseau lacks {what}")

    def check_confirm(self, handover):
        hold(handover["trousseau"]["confirmed_at"], "not confirmed")

    def check_close(self, handover):
        hold(handover is None and not self.has_client(), "the client is here")
        for name in ("proces-verbal", "cloture"):
            self.check_statement(name)
        with open(os.path.join(self.out, "essai-proces-verbal.txt"), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        with open(os.path.join(self.out, "essai-cloture.txt")) as file:
            hold(digest in file.read(), "the closing statement is not of the last one")
        hold(self.clients_of(self.backup) == ["essai-2"], "the backup has the client")
        self.check_issue({"trousseau": {"path": self.folder()}})

    def clients_of(self, backup):
        """As on a computer that has seen no newer one."""
        with tempfile.TemporaryDirectory(dir=self.world.dir) as folder:
            copy = shutil.copy(backup, folder)
            done = self.world.run("--json", "--vault", copy, "client", "ls", check=0,
                                  env=self.world.env(XDG_STATE_HOME=folder))
        return [row["id"] for row in json.loads(done.stdout)["clients"]]

    def check_import(self, _):
        hold(self.has_client(), "the client is not here")

    def check_abandon(self, handover):
        hold(handover is None, "it is still open")

    def check_create(self, _):
        row = self.envelope()
        hold(not row["due"], "the envelope is due")
        hold(self.public(self.sheets[-1]) == row["recipient"], "not the last sheet's")

    check_update = check_create

    def check_contacts(self, _):
        changes = self.world.control("GET", "/state")["contact_changes"].values()
        hold(sorted(row["_service"] for row in changes) == CHANGED, f"asked at OVH: {changes}")

    def settle_contacts(self):
        """Both sides agree; OVH carries it out; passation sees it."""
        world = self.world
        state = world.control("GET", "/state")["contact_changes"]
        for number, row in state.items():
            for nic in row["_tokens"]:
                world.control("POST", "/contact", {"id": int(number), "nic": nic,
                                                   "answer": "accept"})
        world.control("POST", "/task/run", {})
        world.run("handover", "contacts", "essai", check=0)
        self.keep_accesses()

    def keep_accesses(self):
        """Whatever somebody else has there is his by right."""
        rows = json.loads(self.world.run("--json", "sweep", "essai").stdout)["findings"]
        keep = [word for row in rows if not row["own"] and row["state"] == "open"
                for word in ("--keep", row["id"])]
        if keep:
            self.world.run("sweep", "essai", *keep, check=0)

    def finish(self, step):
        """From after the step to the end."""
        if step == "abandon":
            self.run("start", check=True)
            step = "start"
        if step == "contacts":
            self.settle_contacts()
        self.after(step)
        at = ASIDE.get(step)
        rest = ORDER[ORDER.index(at):] if at else ORDER[ORDER.index(step) + 1:]
        for one in rest[:-1] if rest and rest[-1] == "import" else rest:
            self.again(one)
            self.after(one)
            if one in ("issue", "close"):
                self.check_after(one)
