#!/usr/bin/env python3
"""Hostile text and hostile files around people, grants and issues.

    test_hostile_issue.py BUILD

120 strings go through every field that is printed, to a pipe and to a terminal: no control byte
comes out, and nothing that reorders or hides text. 80 names go where files are named: everything
stays in its folder, and what was planted is neither followed nor overwritten. 301 payloads that a
browser or a spreadsheet would run are shown by `open` as the text that they are. Prints
tried/survived, and fails if it tried fewer.
"""

import base64
import contextlib
import itertools
import json
import os
import pty
import re
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import fake_time  # noqa: E402
from support.counts import Counts  # noqa: E402
from support.payloads import payloads  # noqa: E402
from support.tcp_server import Server  # noqa: E402
from support.world import World  # noqa: E402

BUILD = sys.argv.pop(1)
COUNTS = Counts({"hostile file names": 80, "hostile strings": 120, "payloads of markup": 200,
                 "payloads of formulas": 100, "runs": 1},
                {"hostile file names": "2.12", "hostile strings": "2.11",
                 "payloads of markup": "2.18", "payloads of formulas": "2.18"})

CORES = [
    b"\x1b[2J", b"\x1b[31mred\x1b[0m", b"\x1b]52;c;QUFBQQ==\x07", b"\x1b]0;title\x07",
    b"\x1b]8;;http://evil.example\x07x\x1b]8;;\x07", b"\x1bP$qm\x1b\\", b"\x1b[6n", b"\x1b[c",
    b"\x1bc", b"\x1b#8", b"\x1b(0", b"\x1b[?1049h", b"\x9b2J", b"\x9d52;c;QQ==\x9c", b"\x90q\x9c",
    b"\xc2\x9b2J", b"\xc2\x9d52;c;QQ==\xc2\x9c", b"\xc2\x85", b"\xc2\x90q\xc2\x9c", b"\r", b"\r\n",
    b"\n", b"\x08\x08\x08", b"\x07", b"\x0b", b"\x0c", b"\x0e", b"\x0f", b"\x7f", b"\t",
    "\u202e".encode(), "\u202a".encode(), "\u202d".encode(), "\u2066".encode(), "\u2067".encode(),
    "\u2068".encode(), "\u2069".encode(), "\u200b".encode(), "\u200d".encode(), "\u200e".encode(),
    "\u200f".encode(), "\ufeff".encode(), "\u2028".encode(), "\u2029".encode(), "\u00ad".encode(),
    "\u180e".encode(), "\U000e0041".encode(), "\u061c".encode(), b"\xff\xfe", b"\xc0\x80",
    b"\xe2\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xf0\x9f\x98\x80", b"%n%s%1$x",
    b"$(id)`id`", b"'; DROP TABLE x;--", b"<script>alert(1)</script>", b"x" * 4000,
]
# As they are, and in the middle of a word.
STRINGS = (CORES + [b"Ann" + core + b"e" for core in CORES])[:120]

NAMES = [
    "../x", "../../x", "/tmp/x", "//x", "./x", ".", "..", "...", "~", "~root", "-", "-x", "--help",
    "x/", "x/y", "x//y", "x/../y", "x\\y", "..\\x", "CON", "NUL", "aux", "com1", "x:y", "x ", " x",
    "x.", ".x", "x\ty", "x\ny", "x\ry", "x\x1b[2J", "x\x07", "x\x7f", "\u202ex", "x\u200by",
    "\u00e9", "e\u0301", "\u212b", "\uff0e\uff0e\uff0fx", "%2e%2e%2fx", "%00", "$(id)", "`id`",
    "x;id", "x|id", "x&id", "x>y", "x<y", "x*y", "x?y", "[x]", "{x}", "x'y", 'x"y', "x#y", "x@y",
    "x" * 65, "x" * 255, "x" * 256, "x" * 5000, "X", "JP", "jP", "x,y", "x=y", "x+y", "x%y",
    "\ufeffx", "\u2028x", "x\u2029", "\ud7ff", "\U0001f600", "\u0000x"[1:] + "\u0130", "\u017f",
    "\u0131", "\u2044etc", "../" * 30 + "etc/passwd", "x" * 200 + "/../y", "/dev/null",
    "/proc/self/fd/1", "_x", "__proto__",
][:80]


def is_clean(text, terminal):
    """Why the output is not fit for a terminal, or None."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        return str(error)
    if terminal:
        decoded = decoded.replace("\r\n", "\n")
    for char in decoded:
        code = ord(char)
        if (code < 32 and char != "\n") or 127 <= code < 160:
            return f"control {code:#x}"
        if code in (0xad, 0x61c, 0x180e, 0xfeff) or 0x200b <= code <= 0x200f or \
                0x2028 <= code <= 0x202e or 0x2060 <= code <= 0x206f or 0xe0000 <= code <= 0xe0fff:
            return f"invisible {code:#x}"
    return None


def is_fit(secret):
    """A terminal shows it: beside plain text, a secret may hold tabs."""
    return is_clean(secret.replace(b"\t", b""), False) is None


def block_of(name, value):
    """The one way in which a document carries these bytes."""
    if is_clean(value, False):
        return name + b"-Base64: " + base64.b64encode(value)
    if value and b"\n" not in value and value == value.strip(b" "):
        return name + b": " + value
    return name + b":\n" + b"\n".join(b"| " + line for line in value.split(b"\n"))


class Forger:
    """An issuer who writes what he likes; made with stock tools."""

    def __init__(self, folder):
        self.key = os.path.join(folder, "mallory")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        done = subprocess.run(["ssh-keygen", "-l", "-f", self.key + ".pub"], check=True,
                              capture_output=True, text=True)
        self.fingerprint = done.stdout.split()[1]
        self.identity = os.path.join(folder, "reader.txt")
        subprocess.run(["age-keygen", "-o", self.identity], check=True, capture_output=True)
        os.chmod(self.identity, 0o600)
        self.public = subprocess.run(["age-keygen", "-y", self.identity], check=True,
                                     capture_output=True, text=True).stdout.strip()

    def issue(self, path, text, *fields):
        words = {name: b"x" for name in ("Issued-By", "Reply-To", "Name", "Client-Name", "Reason",
                                         "User", "Secret", "Note")}
        words |= {"Reply-To": b"x@y.example", "Type": b"other"} | dict.fromkeys(fields, text)
        body = b"\n".join([
            b"Passation-Issue: 1", b"Serial: 1795892400000", b"Issued: 2026-11-28T15:00:00Z",
            b"Issuer: " + self.fingerprint.encode(), b"Issued-By: " + words["Issued-By"],
            b"Reply-To: " + words["Reply-To"], b"Vault: " + b"0" * 32, b"Person: jp",
            b"Name: " + words["Name"], b"Recipient: " + self.public.encode(), b"Client: martin",
            b"Client-Name: " + words["Client-Name"], b"Right: read", b"From: 2026-11-28T15:00:00Z",
            b"Until: none", b"Reason: " + words["Reason"], b"Receipt: 00000-00000-0", b"",
            b"Mailbox: a@b.example", b"Version: 1", b"User: " + words["User"], b"Password: x", b"",
            b"Secret: " + words["Secret"], b"Of: a@b.example", b"Type: " + words["Type"],
            b"Version: 1", b"Note: " + words["Note"], b"Value: x", b"", b"Means:", b"| x", b"| y",
            b"End: passation-issue 1", b""])
        self.seal(path, body)

    def issue_of(self, path, head, secrets):
        """head: fields of the header. secrets: of each, (fields, value)."""
        words = {"Issued-By": b"x", "Name": b"x", "Client-Name": b"x", "Reason": b"x"} | head
        lines = [
            b"Passation-Issue: 1", b"Serial: 1795892400000", b"Issued: 2026-11-28T15:00:00Z",
            b"Issuer: " + self.fingerprint.encode(), b"Issued-By: " + words["Issued-By"],
            b"Vault: " + b"0" * 32, b"Person: jp", b"Name: " + words["Name"],
            b"Recipient: " + self.public.encode(), b"Client: martin",
            b"Client-Name: " + words["Client-Name"], b"Right: read", b"From: 2026-11-28T15:00:00Z",
            b"Until: none", b"Reason: " + words["Reason"], b"Receipt: 00000-00000-0", b"",
            b"Mailbox: a@b.example", b"Version: 1", b"User: x", b"Password: x", b""]
        for index, (fields, value) in enumerate(secrets):
            lines += [b"Secret: s%d" % index, b"Of: a@b.example", b"Type: other", b"Version: 1"]
            lines += [name + b": " + text for name, text in fields]
            lines += [block_of(b"Value", value), b""]
        self.seal(path, b"\n".join([*lines, b"Means:", b"| x", b"| y", b"End: passation-issue 1",
                                    b""]))

    def seal(self, path, body):
        signature = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", self.key, "-n",
                                    "passation-issue"], input=body, check=True,
                                   capture_output=True).stdout
        sealed = subprocess.run(["age", "-r", self.public], input=body + signature, check=True,
                                capture_output=True).stdout
        with open(path, "wb") as file:
            file.write(sealed)


class Hostile(unittest.TestCase):
    runs = itertools.count()

    @classmethod
    def setUpClass(cls):
        cls.world = World(BUILD).__enter__()
        cls.box = cls.world.setup_client(mailboxes=1)[0]
        cls.dir = os.path.join(cls.world.home, "work")
        os.mkdir(cls.dir, 0o700)
        cls.forger = Forger(cls.dir)
        cls.world.run("person", "add", "jp", "--kind", "provider", "--key", "-",
                      stdin=cls.forger.public + "\n", check=0)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__()

    # --- running ---

    def words(self, *args):
        """What brings its own identity is no business of our vault."""
        own = "--identity-file" in args
        command = [self.world.binary, "--no-input", *args] if own else self.world.command(*args)
        return [os.fsencode(word) for word in command]

    def piped(self, *args, codes):
        done = subprocess.run(self.words(*args), env=self.world.env(), capture_output=True,
                              stdin=subprocess.DEVNULL, cwd=self.dir, timeout=60)
        self.judge(args, done.returncode, done.stdout + done.stderr, codes, False)
        return done

    def on_terminal(self, *args, codes, tabs=False):
        ours, theirs = pty.openpty()
        said = []

        def drain():
            while True:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:
                    chunk = b""
                if not chunk:
                    return
                said.append(chunk)

        reader = threading.Thread(target=drain)
        reader.start()
        done = subprocess.run(self.words(*args), env=self.world.env(TERM="xterm"), stdout=theirs,
                              stderr=theirs, stdin=subprocess.DEVNULL, cwd=self.dir, timeout=60)
        os.close(theirs)
        reader.join()
        os.close(ours)
        output = b"".join(said)
        self.judge(args, done.returncode, output.replace(b"\t", b"") if tabs else output, codes,
                   True)

    def judge(self, args, code, output, codes, terminal):
        with COUNTS.case("runs", next(self.runs)):
            self.assertIn(code, codes, (args, output))
            self.assertIsNone(is_clean(output, terminal), (args, output))

    def both(self, *args, codes):
        done = self.piped(*args, codes=codes)
        self.on_terminal(*args, codes=codes)
        return done

    # --- text ---

    def test_no_field_of_ours_carries_a_control_byte_to_the_output(self):
        fields = [
            lambda text: ("person", "set", "jp", "--name", text),
            lambda text: ("person", "set", "jp", "--email",
                          text.replace(b" ", b"") + b"@boite.example"),
            lambda text: ("person", "set", "jp", "--device", text),
            lambda text: ("person", "set", "jp", "--group", text),
            lambda text: ("grant", "jp", self.box, "--until", "2031-01-01", "--reason", text,
                          "-o", self.dir),
            lambda text: ("client", "set", "essai", "--name", text),
        ]
        questions = itertools.cycle([("person", "show", "jp"), ("person", "ls"), ("grant", "ls"),
                                     ("who", "jp"), ("outbox", "--all"), ("due",), ("log",)])
        for index, text in enumerate(STRINGS):
            with COUNTS.case("hostile strings", text):
                for turn in range(2):
                    field = fields[(index + turn * 3) % len(fields)]
                    run = self.on_terminal if index % 4 == turn else self.piped
                    run(*field(text), codes=(0, 2))
                self.piped(*next(questions), codes=(0, 12))
        for question in itertools.islice(questions, 7):
            self.both(*question, codes=(0, 12))

    def test_what_is_asked_for_by_a_hostile_name_is_refused_in_clean_words(self):
        commands = [
            lambda text: ("who", text), lambda text: ("grant", "ls", text),
            lambda text: ("outbox", text, "-o", self.dir), lambda text: ("revoke", text),
            lambda text: ("person", "show", text), lambda text: ("person", "key", "jp", "--rm", text),
            lambda text: ("receipt", "check", text), lambda text: ("grant", text, self.box),
            lambda text: ("grant", "jp", text), lambda text: ("grant", "jp", self.box, "--with", text),
            lambda text: ("grant", "jp", self.box, "--until", text),
            lambda text: ("grant", "jp", self.box, "--format", text),
            lambda text: ("open", text), lambda text: ("open", "x", "--issuer", text),
        ]
        for index, text in enumerate(STRINGS):
            with COUNTS.case("hostile strings", text):
                for turn in range(2):
                    command = commands[(index + turn * 7) % len(commands)]
                    run = self.on_terminal if index % 3 == turn else self.piped
                    run(*command(text), codes=(0, 1, 2, 4, 12, 13))

    def test_what_another_issuer_wrote_is_shown_harmless(self):
        fields = ["Issued-By", "Name", "Client-Name", "Reason", "User", "Secret", "Type", "Note",
                  "Reply-To"]
        free = fields[:6] + ["Note"]
        plain = [text for text in STRINGS
                 if is_clean(text, False) is None and b"\n" not in text and len(text) <= 64]
        path = os.path.join(self.dir, "forged.age")
        args = ["--vault", os.path.join(self.dir, "none"), "open", path, "--identity-file",
                self.forger.identity, "--issuer", self.forger.fingerprint]
        for index, text in enumerate(STRINGS):
            self.forger.issue(path, text, fields[index % len(fields)])
            with COUNTS.case("hostile strings", text):
                for run in (self.piped, self.on_terminal) if index % 3 == 0 else (self.piped,):
                    run(*args, codes=(0, 6))
        # What is plain text is shown, wherever it stands.
        self.assertGreaterEqual(len(plain), 10)
        for text in plain:
            self.forger.issue(path, text, *free)
            self.piped(*args, codes=(0,))

    # --- markup and formulas ---

    def shown_as_text(self, path, group):
        """An issue whose every field is one of the group's texts, as `open` shows it."""
        texts = [text.encode() for text in group]
        free = [text for text in texts if is_clean(text, False) is None and b"\n" not in text and
                text == text.strip(b" ") and len(text) <= 256]
        head = dict(zip(("Issued-By", "Name", "Client-Name", "Reason"), free))
        fields = [[(b"User", text), (b"URL", text), (b"Note", text)] if text in free else []
                  for text in texts]
        self.forger.issue_of(path, head, list(zip(fields, texts)))
        args = ["--vault", os.path.join(self.dir, "none"), "open", path, "--identity-file",
                self.forger.identity, "--issuer", self.forger.fingerprint]
        fit = all(is_fit(text) for text in texts)
        before = self.listing(self.dir)
        said = json.loads(self.piped("--json", *args, "--reveal", codes=(0,)).stdout)
        self.on_terminal(*args, codes=(0,))
        self.on_terminal(*args, "--reveal", codes=(0,) if fit else (13,), tabs=True)
        masked = self.piped(*args, codes=(0,)).stdout
        # Into a file a secret goes as it is, whatever it is; a terminal gets none that it obeys.
        whole = subprocess.run(self.words(*args, "--reveal"), env=self.world.env(), cwd=self.dir,
                               capture_output=True, stdin=subprocess.DEVNULL).stdout
        self.assertEqual(self.listing(self.dir), before)
        secrets = {row["label"]: row for row in said["secrets"]}
        for index, text in enumerate(texts):
            row = secrets[f"s{index}"]
            self.assertEqual(row["value"].encode(), text)
            self.assertIn(b"s%d:\n%s\n" % (index, text), whole)
            if text in free:
                self.assertEqual([row[name].encode() for name in ("username", "url", "note")],
                                 [text] * 3)
                self.assertEqual(masked.count(text) >= 3, True, (text, masked))

    def test_what_a_browser_or_a_spreadsheet_would_run_is_shown_as_the_text_it_is(self):
        path = os.path.join(self.dir, "payloads.age")
        ran = os.path.join(self.dir, "ran")
        called = Server(lambda server, connection: None)
        found = payloads("window.ran++", f"http://127.0.0.1:{called.port}/", ran)
        for kind, texts in zip(("payloads of markup", "payloads of formulas"), found):
            # What no terminal takes stands with its like: the others are shown on one.
            texts = sorted(texts, key=lambda text: not is_fit(text.encode()))
            for start in range(0, len(texts), 12):
                group = texts[start:start + 12]
                with contextlib.ExitStack() as stack:
                    for text in group:
                        stack.enter_context(COUNTS.case(kind, text))
                    self.shown_as_text(path, group)
                    self.assertFalse(os.path.lexists(ran))
                    self.assertEqual(called.connections, 0)
        called.stop()

    # --- names of files ---

    def listing(self, folder):
        return {os.path.relpath(os.path.join(where, name), folder): os.lstat(
            os.path.join(where, name)).st_mtime_ns
            for where, folders, files in os.walk(folder) for name in [*folders, *files]}

    def test_ids_that_could_leave_the_folder_are_no_ids(self):
        around = os.path.join(self.dir, "ids")
        os.mkdir(around, 0o700)
        inside = os.path.join(around, "out")
        os.mkdir(inside, 0o700)
        before = self.listing(around)
        for name in NAMES:
            good = re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name)
            code = (0, 7) if good else (2,)
            with COUNTS.case("hostile file names", name):
                self.piped("person", "add", "--kind", "team", "--", name, codes=code)
                self.piped("client", "add", "--nic", "ab1-ovh", "--domain",
                           "never.example", "--", name, codes=(0, 2, 4, 7))
                self.piped("grant", "-o", inside, "--", name, self.box, codes=(2, 4))
                self.assertEqual(self.listing(around), before)

    def test_a_folder_of_any_name_gets_its_files_and_no_other_does(self):
        around = os.path.join(self.dir, "folders")
        os.mkdir(around, 0o700)
        for name in NAMES:
            folder = os.path.join(around, name.replace("/", "_"))
            try:
                os.mkdir(folder, 0o700)
            except OSError:
                pass
            before = self.listing(self.dir)
            inside = os.path.relpath(folder, self.dir)
            with COUNTS.case("hostile file names", name):
                there = os.path.isdir(folder)
                self.piped("grant", "jp", self.box, "--until", "2031-01-01", "-o", folder,
                           codes=(0,) if there else (1, 2, 4, 10))
                after = self.listing(self.dir)
                new = sorted(path for path in after if path not in before)
                self.assertEqual([os.path.dirname(path) or "." for path in new],
                                 [inside] * 2 if there else [])
                for path, ending in zip(new, (".age", ".age.sig")):
                    self.assertTrue(path.endswith(ending), path)
                self.assertLessEqual({path for path in before if before[path] != after[path]},
                                     {inside})

    def test_a_file_of_any_name_is_opened_or_refused(self):
        around = os.path.join(self.dir, "files")
        os.mkdir(around, 0o700)
        source = os.path.join(around, "genuine")
        self.forger.issue(source, b"x", "Name")
        with open(source, "rb") as file:
            sealed = file.read()
        args = ["--identity-file", self.forger.identity, "--issuer", self.forger.fingerprint]
        for name in NAMES:
            path = os.path.join(around, name.replace("/", "_"))
            try:
                with open(path, "xb") as file:
                    file.write(sealed)
                codes = (0,)
            except OSError:
                codes = (1, 2, 3, 4, 10)
            before = self.listing(around)
            with COUNTS.case("hostile file names", name):
                self.both("--vault", os.path.join(self.dir, "none"), "open", *args, "--", path,
                          codes=codes)
                self.assertEqual(self.listing(around), before)

    # --- what was planted ---

    def test_nothing_planted_beside_a_file_is_followed_and_nothing_waits(self):
        around = os.path.join(self.dir, "planted")
        os.mkdir(around, 0o700)
        target = os.path.join(around, "target")
        path = os.path.join(around, "issue.age")
        self.forger.issue(path, b"x", "Name")
        with open(target, "w") as file:
            file.write("never read")
        args = ["--vault", os.path.join(self.dir, "none"), "open", "--identity-file",
                self.forger.identity, "--issuer", self.forger.fingerprint]

        def link(where):
            os.symlink(target, where)

        def dangling(where):
            os.symlink(os.path.join(around, "nothing"), where)

        def device(where):
            os.symlink("/dev/zero", where)

        for plant in (link, dangling, device, os.mkfifo, os.mkdir):
            plant(path + ".sig")
            self.both(*args, path, codes=(1, 6, 10, 11))
            os.rmdir(path + ".sig") if plant is os.mkdir else os.unlink(path + ".sig")
            other = os.path.join(around, "other.age")
            plant(other)
            self.both(*args, other, codes=(1, 6, 10, 11))
            os.rmdir(other) if plant is os.mkdir else os.unlink(other)
        self.piped(*args, path, codes=(0,))

    def test_what_stands_where_an_issue_goes_is_neither_followed_nor_replaced(self):
        around = os.path.join(self.dir, "outputs")
        os.mkdir(around, 0o700)
        target = os.path.join(around, "target")
        with open(target, "w") as file:
            file.write("mine")
        last = json.loads(self.world.run("--json", "grant", "jp", self.box, "--until",
                                         "2040-01-01", "-o", around, check=0,
                                         prefix=fake_time.at("@2035-01-01 00:00:00")).stdout)
        serial = last["issues"][0]["serial"]

        def file(where):
            with open(where, "w") as out:
                out.write("mine")

        plants = {"file": file, "link": lambda where: os.symlink(target, where),
                  "dangling": lambda where: os.symlink(os.path.join(around, "nothing"), where),
                  "fifo": os.mkfifo, "folder": os.mkdir}
        # The serials now run ahead of the clock: the next one is the last one and one.
        for (kind, plant), ending in itertools.product(plants.items(), (".age", ".age.sig")):
            out = os.path.join(around, kind + ending)
            os.mkdir(out, 0o700)
            serial += 1
            planted = os.path.join(out, f"jp-essai-{serial}{ending}")
            plant(planted)
            before = os.lstat(planted)
            self.piped("grant", "jp", self.box, "--until", "2040-01-01", "-o", out,
                       codes=(1, 7, 10))
            after = os.lstat(planted)
            self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino,
                                                                   after.st_mtime_ns))
            self.assertEqual(os.listdir(out), [os.path.basename(planted)], (kind, ending))
            os.rmdir(planted) if kind == "folder" else os.unlink(planted)
            serial += 1
            again = os.path.join(out, f"jp-essai-{serial}.age")
            plant(again)
            keeps = kind in ("fifo", "folder")  # --force replaces files, and links to them
            self.piped("outbox", "jp", "-o", out, "--force",
                       codes=(1, 2, 7, 10) if keeps else (0,))
            if not keeps:
                self.assertTrue(os.path.isfile(again) and not os.path.islink(again))
            else:
                serial += 1
                self.piped("outbox", "jp", "-o", out, codes=(0,))
            with open(target) as mine:
                self.assertEqual(mine.read(), "mine")
            self.assertFalse(os.path.lexists(os.path.join(around, "nothing")))

    def test_neither_a_secret_nor_a_code_is_on_a_command_line_or_in_the_environment(self):
        self.world.run("person", "add", "emma", "--kind", "client", check=0)
        trace = os.path.join(self.dir, "trace")
        read, write = os.pipe()
        done = subprocess.run(["strace", "-f", "-s", "4096", "-v", "-o", trace, "-e",
                               "trace=execve,openat,creat", *self.world.command(
                                   "grant", "emma", self.box, "--until", "2031-01-01", "-o",
                                   self.dir, "--code-fd", str(write))],
                              env=self.world.env(), pass_fds=[write], capture_output=True,
                              stdin=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            code = pipe.read().split(b"\t")[1].strip()
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(trace, "rb") as file:
            calls = file.read()
        secret = self.world.in_force(self.box).encode()
        self.assertGreater(calls.count(b"openat"), 3)
        for canary in (code, secret):
            self.assertNotIn(canary, calls)
            self.assertNotIn(canary, done.stdout + done.stderr)


if __name__ == "__main__":
    some = len(sys.argv) > 1
    result = unittest.main(verbosity=2, exit=False).result
    counted = COUNTS.finish()
    sys.exit(not result.wasSuccessful() or (counted and not some))
