#!/usr/bin/env python3
"""doctor: each fault of a list is really planted in a healthy vault, on its machine or in its
account, and must be found, by itself; and nothing is found where nothing was planted.

    test_doctor.py BUILD [NAME]
"""

import contextlib
import json
import os
import resource
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import fake_time, kills  # noqa: E402
from support.cases import Cases, Fd, describe, equal, exits, run, true  # noqa: E402
from support.world import World, keygen  # noqa: E402

PASSPHRASE = b"girouette-sabot-plumeau-58-cerise"
DOMAIN = World.DOMAIN
RULES = [("GET", "/me"), ("GET", "/auth/currentCredential"), ("GET", "/email/domain"),
         ("GET", f"/email/domain/{DOMAIN}"), ("GET", f"/email/domain/{DOMAIN}/*"),
         ("POST", f"/email/domain/{DOMAIN}/account"),
         ("POST", f"/email/domain/{DOMAIN}/account/*/changePassword")]


class Healthy:
    """A vault in which nothing is wrong, kept open by the agent, and the way back to it."""

    def __init__(self, world):
        self.world = world
        self.vault = os.path.join(world.home, "data", "passation", "vault.db")
        self.folder = os.path.dirname(self.vault)
        self.state = os.path.join(world.home, "state", "passation")
        self.config = os.path.join(world.home, ".config", "passation")
        self.run_dir = os.path.join(world.home, "run", "passation")
        self.recovery = os.path.join(world.dir, "recovery.txt")
        self.kept = os.path.join(world.dir, "healthy")

    def cli(self, *args, status=0, **kwargs):
        return exits(run(self.world, "--no-input", *args, key=False, **kwargs), status)

    def set_up(self):
        world = self.world
        os.mkdir(os.path.join(world.home, "run"), 0o700)
        os.makedirs(self.config, 0o700)
        world.control("POST", "/set", {"task_delay_ms": 0})
        world.control("POST", "/seed", {"domains": [{
            "domain": DOMAIN, "nic": world.ready["nic"],
            "accounts": [{"name": "box0", "password": "First-Pass-0-word"}]}]})
        world.allow(RULES)
        self.cli("init", "--passphrase-fd", Fd(PASSPHRASE), "--recovery-out", self.recovery)
        self.cli("unlock", "--passphrase-fd", Fd(PASSPHRASE))
        self.cli("client", "add", "essai", "--nic", world.ready["nic"], "--domain", DOMAIN,
                 "--endpoint", world.ready["endpoint"], "--imap", world.ready["imap"],
                 "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                 "--failed-logins", "16/1s")
        self.cli("ovh", "link", "essai", "--config", world.config)
        self.cli("role", "adopt", f"box0@{DOMAIN}")
        self.older = self.image()
        self.cli("backup", os.path.join(world.dir, "backup.db"))
        for name in ("data", "state"):
            shutil.copytree(os.path.join(world.home, name), os.path.join(self.kept, name))

    def image(self):
        """The vault as one file, its log moved into it."""
        db = sqlite3.connect(self.vault)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        with open(self.vault, "rb") as file:
            return file.read()

    def put(self, image):
        for tail in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.vault + tail)
        with open(self.vault, "wb") as file:
            file.write(image)

    def back(self):
        """Undoes whatever a fault has done to the files and to the key at OVH."""
        for name in ("data", "state"):
            shutil.rmtree(os.path.join(self.world.home, name))
            shutil.copytree(os.path.join(self.kept, name), os.path.join(self.world.home, name))
        shutil.rmtree(self.config)
        os.mkdir(self.config, 0o700)
        os.chmod(self.run_dir, 0o700)
        os.chmod(os.path.join(self.run_dir, "agent.sock"), 0o700)
        self.world.allow(RULES)
        self.world.control("POST", "/set", {"skew_s": 0})

    def doctor(self, *args, key=(), env=(), **kwargs):
        done = run(self.world, "--no-input", *key, "--json", "doctor", *args, key=False,
                   env=self.world.env(**dict(env)), **kwargs)
        true(done.returncode in (0, 12), describe(done))
        found = json.loads(done.stdout.splitlines()[0])
        equal(done.returncode, 12 if found["findings"] else 0, "exit status")
        return found

    def edit(self, *statements):
        self.put(self.image())
        db = sqlite3.connect(self.vault)
        for statement in statements:
            true(db.execute(statement).rowcount > 0, f"{statement} changes nothing")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


def touch(path, text="", mode=0o600):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


# --- the faults: what plants each; what it returns goes to Healthy.doctor() ---

def mode(name, bits):
    return lambda at: os.chmod(getattr(at, name), bits)


def side_mode(at):
    os.chmod(touch(at.vault + ".lock"), 0o666)


def edited_row(table):
    return lambda at: at.edit("UPDATE record SET box = zeroblob(length(box)) WHERE key = "
                              f"(SELECT min(key) FROM record WHERE tab = {table}) "
                              f"AND tab = {table}")


def stray_row(at):
    at.edit("INSERT INTO record SELECT 15, key, revision, clear, box FROM record LIMIT 1")


def lost_entry(at):
    at.edit("DELETE FROM journal WHERE number = 3 AND chain = (SELECT chain FROM journal "
            "GROUP BY chain ORDER BY count(*) LIMIT 1)")


def damaged_page(at):
    image = bytearray(at.image())
    page = int.from_bytes(image[16:18], "big")
    image[-page:] = bytes(page)
    at.put(bytes(image))


def spoilt_head(at):
    at.edit("UPDATE root SET box = zeroblob(length(box))")


def older(at):
    at.put(at.older)


def second_name(at):
    os.link(at.vault, os.path.join(at.world.dir, "twin.db"))


def leftover(tail):
    return lambda at: touch(at.vault + tail, "half")


def kept_copy(at):
    shutil.copy(at.vault, os.path.join(at.folder, "copy.db"))


def newer_beside(at):
    """The one that a sync program or somebody else has put back is the older one."""
    kept_copy(at)
    at.put(at.older)


def copy_with_log(at):
    kept_copy(at)
    touch(os.path.join(at.folder, "copy.db-wal"), "a log")


def damaged_beside_copy(at):
    kept_copy(at)
    lost_entry(at)


def restored_older(at):
    """The vault goes on from an older state, and beyond what the kept one holds."""
    older = os.path.join(at.world.dir, "older.db")
    with open(older, "wb") as file:
        file.write(at.older)
    at.cli("-y", "restore", "--accept-older", older)
    for name in ("a", "b", "c", "d"):
        at.cli("person", "add", name, "--kind", "provider")
    at.cli("backup", os.path.join(at.world.dir, "restored.db"), "-f")


def identity_in(name):
    def plant(at):
        path = os.path.join(getattr(at, name), "key.txt")
        keygen(path)
        os.unlink(path + ".pub")
    return plant


def identity_in_use(at, bits=0o600):
    path = os.path.join(at.world.home, "other.txt")
    if not os.path.exists(path):
        keygen(path)
    os.chmod(path, 0o600)
    at.cli("slot", "add", "me", "--new-identity-file", path)
    os.chmod(path, bits)
    return {"key": ["--identity-file", path]}


def recovery_beside(at):
    shutil.copy(at.recovery, os.path.join(at.folder, "code.txt"))


def no_locked_memory(at):
    wrap = ["setpriv", "--bounding-set=-ipc_lock"] if os.geteuid() == 0 else []
    if wrap and not shutil.which("setpriv"):
        wrap = ["capsh", "--drop=cap_ipc_lock", "--"]
    return {"prefix": wrap, "preexec_fn": lambda: resource.setrlimit(
        resource.RLIMIT_MEMLOCK, (65536, 65536))}


def from_the_future(at):
    later = time.time() + 3 * 86400
    os.utime(at.vault, (later, later))


def ca_elsewhere(at):
    return {"args": ["--offline"], "env": {"PASSATION_CA_FILE": "/nonexistent/ca.pem"}}


def ca_writable(at):
    path = os.path.join(at.world.home, "ca.pem")
    shutil.copy(at.world.ready["ca"], path)
    os.chmod(path, 0o666)
    return {"env": {"PASSATION_CA_FILE": path}}


def foreign_ca(at):
    """An authority that has not signed the server: as somebody in between looks."""
    path = os.path.join(at.world.home, "foreign.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=foreign", "-keyout", os.devnull, "-out", path],
                   check=True, capture_output=True)
    return {"env": {"PASSATION_CA_FILE": path}}


def at_ovh(**settings):
    return lambda at: at.world.control("POST", "/set", settings) and None


def credential(**changes):
    def plant(at):
        at.world.control("POST", "/set", {"credential": {
            "consumer_key": at.world.ready["consumer_key"], **changes}})
    return plant


def approve(at, duration_s):
    """The owner's answer once more: the key lives so long."""
    key = {"consumer_key": at.world.ready["consumer_key"]}
    at.world.control("POST", "/set", {"credential": {**key, "status": "pendingValidation"}})
    at.world.control("POST", "/credential/approve", {**key, "duration_s": duration_s})


def ends_in(seconds, wait_s=0):
    def plant(at):
        approve(at, seconds)
        at.cli("ovh", "inventory", "essai")
        time.sleep(wait_s)
    return plant


def without_rule(at):
    at.world.allow(RULES[:-1])


def wide(at):
    at.world.allow([*RULES, ("DELETE", "/*")])


def other_account(at):
    at.cli("client", "set", "essai", "--nic", "xy999999-ovh")


def own_domain_mail(at):
    nic_mail = "boulangerie-martin.fr"
    at.cli("client", "set", "essai", "--domain", DOMAIN, "--domain", nic_mail)
    at.world.allow(RULES + [(m, path.replace(DOMAIN, nic_mail)) for m, path in RULES
                            if DOMAIN in path])


def another_client(at):
    at.cli("client", "add", "autre", "--nic", at.world.ready["nic"], "--domain",
           "autre.example", "--endpoint", at.world.ready["endpoint"])


def waiting_key(at):
    another_client(at)
    pair = f"{at.world.ready['application_key']}:{at.world.ready['application_secret']}"
    at.cli("ovh", "link", "autre", "--secret-fd", Fd(pair.encode()), "--no-wait", status=10)


def no_backup(at):
    """As before the first one; the record of what was seen goes, too."""
    at.put(at.older)
    shutil.rmtree(at.state)
    at.cli("status")


def much_later(at):
    return {"args": ["--offline"], "prefix": fake_time.at("+40d")}


def open_handover(at):
    at.cli("person", "add", "martine", "--kind", "client")
    at.cli("handover", "start", "essai", "--to", "martine")


def grant_ran_out(at):
    at.cli("person", "add", "jp", "--kind", "provider")
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))
    at.cli("grant", "jp", f"box0@{DOMAIN}", "--until", tomorrow, "--code-fd", "1", "-o",
           at.world.dir, "--force")
    return {"args": ["--offline"], "prefix": fake_time.at("+3d")}


FAULTS = [
    ("others may read the vault", mode("vault", 0o644), {"vault_mode"}),
    ("the vault may not be written", mode("vault", 0o400), {"vault_read_only"}),
    ("others may write the lock", side_mode, {"side_mode"}),
    ("others may write in the vault's folder", mode("folder", 0o777), {"folder_writable"}),
    ("others may look into the vault's folder", mode("folder", 0o755), {"folder_readable"}),
    ("others may enter the folder of the rollback record", mode("state", 0o755),
     {"state_mode"}),
    ("the vault has a second name", second_name, {"vault_linked"}),
    ("a restore was interrupted", leftover(".restoring"), {"leftover"}),
    ("a rekey was interrupted", leftover(".rekeying"), {"leftover"}),
    ("a file was written by half", leftover(".0123456789abcdef"), {"leftover"}),
    ("a copy lies beside the vault", kept_copy, {"kept_copy"}),
    ("what a restore of an older copy has kept is not to go", restored_older, {"kept_unsure"}),
    ("the newer vault lies beside an older one", newer_beside,
     {"vault_older", "backup_none", "kept_unsure"}),
    ("a copy has a log of its own", copy_with_log, {"kept_unsure"}),
    ("the vault is damaged and a copy is there", damaged_beside_copy,
     {"journal_broken", "kept_unsure"}),
    ("an identity lies in the vault's folder", identity_in("folder"), {"identity_beside"}),
    ("an identity lies among the settings", identity_in("config"), {"identity_on_disk"}),
    ("the identity in use lies on the vault's disk", identity_in_use, {"identity_on_disk"}),
    ("others can read the identity in use", lambda at: identity_in_use(at, 0o644),
     {"identity_on_disk", "key_file_mode"}),
    ("the recovery code lies beside the vault", recovery_beside, {"recovery_beside"}),
    ("an ovh.conf lies among the settings",
     lambda at: touch(os.path.join(at.config, "ovh.conf")) and None, {"ovh_config"}),
    ("a key for OVH is in the environment",
     lambda at: {"env": {"OVH_CONSUMER_KEY": "not-shown"}}, {"ovh_environment"}),
    ("memory cannot be locked", no_locked_memory, {"memory_unlocked"}),
    ("the clock is behind the vault", from_the_future, {"clock_behind"}),
    ("the clock is not OVH's", at_ovh(skew_s=180), {"clock_off"}),
    ("the extra authority is not there", ca_elsewhere, {"ca_missing"}),
    ("others can write the extra authority", ca_writable, {"ca_writable"}),
    ("the server's certificate does not verify", foreign_ca, {"tls"}),
    ("a page of the file is damaged", damaged_page, None),
    ("a client's row was edited", edited_row(3), {"rows_damaged", "unopenable"}),
    ("a password's row was edited", edited_row(8), {"rows_damaged", "unopenable"}),
    ("a row was added", stray_row, None),
    ("an entry of a journal was deleted", lost_entry, {"journal_broken"}),
    ("the sealed state was edited", spoilt_head, None),
    ("the vault is an older copy", older, {"vault_older", "backup_none"}),
    ("the OVH key was revoked", credential(revoked=True), {"key_refused"}),
    ("the OVH key lacks a rule", without_rule, {"rules_missing"}),
    ("the OVH key may do more than is needed", wide, {"key_wide"}),
    ("the OVH key opens another account", other_account, {"key_account"}),
    ("the account's mail is on its own domain", own_domain_mail, {"account_mail"}),
    ("a client is not linked", another_client, {"client_unlinked"}),
    ("a key waits for its owner", waiting_key, {"key_waiting"}),
    ("there is no backup", no_backup, {"backup_none"}),
    ("the last backup is old", much_later, {"backup_old"}),
    ("a handover is open", open_handover, {"handover_open"}),
    ("a grant has run out", grant_ran_out, {"due"}),
    # Last, since nothing gives a key its life back.
    ("the OVH key ends soon", ends_in(86400), {"key_expiring"}),
    ("the OVH key has ended", ends_in(2, 2.5), {"key_expired"}),
]


def check_fault(at, cases, name, plant, expected):
    with cases.case(f"found: {name}"):
        at.back()
        more = plant(at) or {}
        if not isinstance(more, dict):
            more = {}
        found = at.doctor(*more.pop("args", ()), **more)
        codes = {row["code"] for row in found["findings"]}
        if expected is None:
            true(any(row["severity"] == "damage" for row in found["findings"]), found)
        else:
            equal(codes, expected, json.dumps(found, indent=1)[:3000])
        for row in found["findings"]:
            true(row["text"] and row["remedy"] and "{" not in row["text"] + row["remedy"], row)


def check_agent(at, cases):
    for name, path, code in (("others may enter the agent's folder", at.run_dir, "agent_folder"),
                             ("others may talk to the agent",
                              os.path.join(at.run_dir, "agent.sock"), "agent_socket")):
        with cases.case(f"found: {name}"):
            at.back()
            os.chmod(path, 0o777)
            found = at.doctor("--offline", key=["--passphrase-fd", Fd(PASSPHRASE)])
            equal({row["code"] for row in found["findings"]}, {code}, found)


def check_healthy(at, cases):
    with cases.case("nothing is found on a healthy vault, and all was looked at"):
        at.back()
        equal(at.doctor(), {"findings": [], "unlooked": []})
    with cases.case("its report for people says so in one line"):
        equal(at.cli("doctor").stdout.strip(), "Nothing is wrong.")
    with cases.case("what is left out is said"):
        found = at.doctor("--offline")
        equal([row["part"] for row in found["unlooked"]], ["ovh", "mail"])
    with cases.case("a rule that was accepted is no remark, and one beyond it is"):
        wide(at)
        at.cli("ovh", "link", "essai", "--config", at.world.config, "--accept-wide")
        equal(at.doctor(), {"findings": [], "unlooked": []})
        at.world.allow([*RULES, ("DELETE", "/*"), ("PUT", "*")])
        equal([row["code"] for row in at.doctor()["findings"]], ["key_wide"])


@contextlib.contextmanager
def impostor(folder):
    """A mail server whose certificate nobody has signed; its URL. Nothing is said to it."""
    key, certificate = os.path.join(folder, "impostor.key"), os.path.join(folder, "impostor.crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    heard = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                plain = listener.accept()[0]
                with contextlib.suppress(OSError), contextlib.closing(plain):
                    plain.settimeout(10)
                    with context.wrap_socket(plain, server_side=True) as secured:
                        heard.append(secured.recv(1))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"imaps://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    equal(b"".join(heard), b"", "it was spoken to")


def check_mail(at, cases):
    with cases.case("a mail server that cannot prove who it is, is found"):
        at.back()
        with impostor(at.world.dir) as url:
            at.cli("client", "set", "essai", "--imap", url)
            found = at.doctor()
        equal([(row["code"], row["client"], row["subject"]) for row in found["findings"]],
              [("tls", "essai", url)])
    with cases.case("a mail server that does not answer is not called good"):
        at.back()
        at.cli("client", "set", "essai", "--imap", "imaps://127.0.0.1:1")
        done = at.cli("--json", "doctor", status=9)
        found = json.loads(done.stdout.splitlines()[0])
        equal((found["findings"], [row["part"] for row in found["unlooked"]]), ([], ["mail"]))
        exits(run(at.world, "--no-input", "doctor", "--offline", key=False), 0)


def backup_calls(at, copy):
    """The calls of a backup that change files, in their order."""
    log = os.path.join(at.world.dir, "calls")
    names = "trace=pwrite64,fdatasync,fsync,rename,link,linkat,unlink"
    at.cli("backup", copy, prefix=["strace", "-f", "-qq", "-ttt", "-o", log, "-e", names])
    with open(log, encoding="latin-1") as file:
        return [(0, found[2]) for found in map(kills.LINE.match, file) if found]


def is_whole(at, copy):
    """As another machine sees it, which has not seen the vault."""
    elsewhere = os.path.join(at.world.home, "elsewhere")
    shutil.rmtree(elsewhere, ignore_errors=True)
    fresh = at.world.env(XDG_STATE_HOME=elsewhere)
    return run(at.world, "--no-input", "--vault", copy, "log", "--verify", key=False,
               env=fresh).returncode == 0


def check_killed_backup(at, cases, kills_count=12):
    copy = os.path.join(at.world.dir, "killed.db")

    def begin():
        at.back()
        no_backup(at)
        for tail in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(copy + tail)

    with cases.case("a backup that was killed counts only where its copy is whole"):
        begin()
        calls = backup_calls(at, copy)
        counted = 0
        for n in range(kills_count):
            name, number = kills.point(calls, n * (len(calls) - 1) // (kills_count - 1))
            begin()
            done = run(at.world, "--no-input", "backup", copy, key=False,
                       prefix=["strace", "-f", "-qq", "-o", os.devnull, "-e",
                               f"inject={name}:signal=SIGKILL:when={number}"])
            true(done.returncode in (-9, 137, 0), describe(done))
            codes = {row["code"] for row in at.doctor("--offline")["findings"]}
            if "backup_none" not in codes:
                true(os.path.exists(copy) and is_whole(at, copy), f"killed at {name} {number}")
                counted += 1
        true(0 < counted < kills_count, f"{counted} of {kills_count} count")
    with cases.case("a backup that is just made is not older than the vault"):
        begin()
        at.cli("backup", copy)
        at.cli("-y", "restore", copy)
        equal({row["code"] for row in at.doctor("--offline")["findings"]}, {"kept_copy"})


def check_locked(at, cases):
    locked = at.world.env(XDG_RUNTIME_DIR=os.path.join(at.world.home, "none"))
    with cases.case("nothing wrong is no success where the vault stayed locked"):
        at.back()
        done = exits(run(at.world, "--no-input", "--json", "doctor", "--offline", key=False,
                         env=locked), 5)
        equal(json.loads(done.stdout.splitlines()[0])["findings"], [])
    with cases.case("a locked vault is looked at from outside, and the rest is listed"):
        at.back()
        os.chmod(at.vault, 0o644)
        done = exits(run(at.world, "--no-input", "--json", "doctor", "--offline", key=False,
                         env=locked), 12)
        found = json.loads(done.stdout.splitlines()[0])
        equal({row["code"] for row in found["findings"]}, {"vault_mode"})
        equal({row["part"] for row in found["unlooked"]},
              {"content", "rollback", "backups", "work", "accounts", "ovh", "mail"})
    with cases.case("beside a locked vault no copy is called the older one"):
        at.back()
        kept_copy(at)
        before = sorted(os.listdir(at.folder))
        done = exits(run(at.world, "--no-input", "--json", "doctor", "--offline", key=False,
                         env=locked), 12)
        row, = json.loads(done.stdout.splitlines()[0])["findings"]
        equal(row["code"], "kept_unsure")
        true("shred" not in row["remedy"], row)
        at.doctor("--offline")
        equal(sorted(os.listdir(at.folder)), before, "looking has left something")
        os.chmod(at.vault, 0o644)
        os.unlink(os.path.join(at.folder, "copy.db"))
    with cases.case("a wrong passphrase is no finding, and takes none away"):
        done = exits(run(at.world, "--no-input", "--json", "doctor", "--offline",
                         "--passphrase-fd", Fd(b"wrong"), key=False, env=locked), 5)
        found = json.loads(done.stdout.splitlines()[0])
        equal({row["code"] for row in found["findings"]}, {"vault_mode"})
        true("passphrase" in done.stderr, describe(done))
    # Last, since the agent's key is of no use afterwards.
    with cases.case("a copy from before a rekey is still known"):
        at.back()
        key = ["--passphrase-fd", Fd(PASSPHRASE)]
        kept_copy(at)
        at.cli("rekey", *key, "--recovery-out", os.path.join(at.world.dir, "after.txt"))
        at.cli("backup", *key, os.path.join(at.world.dir, "rekeyed.db"))
        equal([row["code"] for row in at.doctor("--offline", key=key)["findings"]],
              ["kept_copy"])


def check_several(at, cases):
    with cases.case("the worst comes first, and every damage is told"):
        at.back()
        edited_row(8)(at)
        lost_entry(at)
        os.chmod(at.folder, 0o755)
        found = at.doctor()["findings"]
        ranks = [["damage", "danger", "advice"].index(row["severity"]) for row in found]
        equal(ranks, sorted(ranks))
        codes = {row["code"] for row in found}
        true({"rows_damaged", "unopenable", "journal_broken", "folder_readable"} <= codes, found)
        true(any(row["subject"] == f"box0@{DOMAIN}" for row in found), found)
    with cases.case("the page to make a key by hand has every rule that is asked for"):
        at.back()
        without_rule(at)
        done = at.cli("doctor", status=12)
        page = f"{at.world.ready['endpoint'].rsplit('/', 1)[0]}/createToken/?"
        true(page in done.stdout, describe(done))
        true(all(f"{m}={path}" in done.stdout for m, path in RULES), describe(done))
    with cases.case("nothing is changed by looking"):
        at.back()
        older(at)
        before = at.image()
        at.doctor()
        true(before == at.image(), "the vault has changed")
        exits(run(at.world, "--no-input", "status", key=False), 6)


def main():
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    cases = Cases()
    with World(sys.argv[1]) as world:
        at = Healthy(world)
        at.set_up()
        try:
            check_healthy(at, cases)
            if not only:
                check_several(at, cases)
                check_mail(at, cases)
                check_killed_backup(at, cases)
            for name, plant, expected in FAULTS:
                if only in name:
                    check_fault(at, cases, name, plant, expected)
            if not only:
                check_agent(at, cases)
                check_locked(at, cases)
        finally:
            run(world, "lock", key=False)
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
