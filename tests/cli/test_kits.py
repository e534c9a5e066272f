#!/usr/bin/env python3
"""What sets a mailbox up in a mail program, the sheet after a change, and the second factor, over
the real binary: settings are read by the parsers of others, the QR code by a decoder, codes are
those of oathtool, and recovery codes are given out once, whatever is killed.

    test_kits.py BUILD
"""

import concurrent.futures
import json
import os
import plistlib
import random
import re
import shutil
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import chromium, fake_time  # noqa: E402
from support.world import World, keygen  # noqa: E402

BUILD = sys.argv.pop(1)
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
OWN = ("imap.mail.ovh.net", 993, "SSL/TLS"), ("smtp.mail.ovh.net", 465, "SSL/TLS")
FAMILIES = {  # family: domain, the servers that its mailboxes have
    "mxplan-owa": ("owa.example", OWN),
    "mxplan-zimbra": ("mxz.example", OWN),
    "zimbra": ("zimbra.example", OWN),
    "pro": ("pro.example", None),  # the service's own
    "exchange": ("exchange.example", None),
}
DOMAINS = ["essai.example"] + [domain for domain, _ in FAMILIES.values()]
OVH_LIMITS = ("--rate", "60/min", "--settle", "10m", "--login-cache", "61m", "--failed-logins",
              "3/5m")


class Kits(World):
    """One vault with a mailbox on each platform; its client is OVH's own once all are known."""

    def settle_in(self):
        self.run("init", check=0)
        self.allow_all()
        self.control("POST", "/seed", {"domains": [{
            "domain": "essai.example", "nic": self.ready["nic"], "accounts": [
                {"name": "contact", "password": "First-Pass-0-word"},
                {"name": "technique", "password": "First-Pass-1-word"}]}]})
        for family, (domain, _) in FAMILIES.items():
            self.seed_service(family, domain)
        self.add_client(DOMAINS)
        self.boxes = ["contact@essai.example", "technique@essai.example"] + [
            "box@" + domain for domain, _ in FAMILIES.values()]
        self.run("role", "adopt", *self.boxes, check=0)
        self.out = os.path.join(self.home, "out")
        os.mkdir(self.out, 0o700)
        for who, kind, *more in (
                ("martine", "client", "--name", "Martine Martin", "--device", "iPhone",
                 "--device", "Outlook <accueil>"),
                ("ana", "team", "--name", "Ana Silva"),
                ("jp", "provider", "--device", "Thunderbird"), ("kim", "team")):
            keygen(os.path.join(self.home, who))
            self.run("person", "add", who, "--kind", kind, *more, "--key",
                     os.path.join(self.home, who + ".pub"), check=0)
        for who in ("martine", "ana", "jp"):
            self.run("grant", who, self.boxes[0], "--until", "2031-03-31", "-o", self.out, check=0)
        self.run("revoke", "jp", "--no-rotate", check=12)
        self.run("rotate", self.boxes[0], check=0)
        self.passwords = [self.in_force(address) for address in self.boxes]
        self.run("client", "set", "essai", "--name", "Boulangerie <Essai>", "--endpoint", "ovh-eu",
                 "--imap", "", *OVH_LIMITS, check=0)

    def secret(self, address, label, kind, value):
        return self.run("secret", "add", address, label, "--type", kind, "--secret-fd", "0",
                        stdin=value)


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Kits(BUILD).__enter__()
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.settle_in()

    def events(self, address):
        return [(row["event"], row["label"], row["text"])
                for row in self.world.json("log", "--client", "essai")["log"]
                if row["subject"] == address]

    def refused(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Profiles(Story):
    def servers(self, address):
        """As the platform has them: Pro and Exchange name a server of their own."""
        domain = address.split("@")[1]
        expected = dict(FAMILIES.values()).get(domain, OWN)
        if expected is None:
            host = {"pro.example": "pro", "exchange.example": "ex"}[domain]
            own = self.world.json("show", address)["imap"]["host"]
            self.assertRegex(own, rf"^{host}[0-9]+\.mail\.ovh\.net$")
            return (own, 993, "SSL/TLS"), (own, 587, "STARTTLS")
        return expected

    def written(self, address, kind, *more):
        done = self.world.run("profile", address, "--format", kind, *more, check=0)
        for password in self.world.passwords:
            self.assertNotIn(password, done.stdout + done.stderr)
        return done

    def test_an_apple_profile_has_the_servers_of_each_platform_and_no_password(self):
        for address in self.world.boxes:
            imap, smtp = self.servers(address)
            profile = plistlib.loads(self.written(address, "mobileconfig").stdout.encode())
            self.assertEqual(profile["PayloadOrganization"], "Boulangerie <Essai>")
            (mail,) = profile["PayloadContent"]
            self.assertEqual(mail["EmailAddress"], address)
            for way, (host, port, _) in (("Incoming", imap), ("Outgoing", smtp)):
                self.assertEqual(mail[way + "MailServerHostName"], host)
                self.assertEqual(mail[way + "MailServerPortNumber"], port)
                self.assertEqual(mail[way + "MailServerUsername"], address)
                self.assertIs(mail[way + "MailServerUseSSL"], True)
            self.assertFalse([key for key in mail if key.endswith("Password") and
                              key != "OutgoingPasswordSameAsIncomingPassword"])

    def test_thunderbirds_autoconfig_has_the_servers_of_each_platform(self):
        for address in self.world.boxes:
            done = self.written(address, "thunderbird")
            provider = ET.fromstring(done.stdout).find("emailProvider")
            self.assertEqual(provider.get("id"), address.split("@")[1])
            for tag, (host, port, security) in zip(("incomingServer", "outgoingServer"),
                                                   self.servers(address)):
                server = provider.find(tag)
                self.assertEqual(server.findtext("hostname"), host)
                self.assertEqual(server.findtext("port"), str(port))
                self.assertEqual(server.findtext("socketType"),
                                 "STARTTLS" if security == "STARTTLS" else "SSL")
                self.assertEqual(server.findtext("username"), "%EMAILADDRESS%")

    def test_the_older_name_is_explained_where_it_is_the_older_name(self):
        for address in self.world.boxes:
            is_own = self.servers(address)[0][0] != "imap.mail.ovh.net"
            for kind in ("mobileconfig", "outlook", "sheet"):
                done = self.written(address, kind)
                self.assertEqual("ssl0.ovh.net" in done.stdout + done.stderr, not is_own, address)
            self.assertNotIn("ssl0.ovh.net", self.written(address, "mobileconfig").stdout)

    def decoded(self, svg):
        """The drawing as a picture of eight pixels a module, read by zbarimg."""
        size = int(re.search(r'viewBox="0 0 (\d+) ', svg).group(1))
        dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
        rows = [bytes(0 if (x // 8, y // 8) in dark else 255 for x in range(8 * size))
                for y in range(8 * size)]
        path = os.path.join(self.world.home, "qr.pgm")
        with open(path, "wb") as file:
            file.write(b"P5\n%d %d\n255\n" % (8 * size, 8 * size) + b"".join(rows))
        return subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path],
                              capture_output=True, text=True, check=True).stdout.rstrip("\n")

    @unittest.skipUnless(shutil.which("zbarimg"), "zbar-tools is not installed")
    def test_the_qr_code_is_thunderbirds_export_for_telephones(self):
        for address in (self.world.boxes[0], "box@pro.example"):
            svg = self.written(address, "qr").stdout
            ET.fromstring(svg)
            text = self.decoded(svg)
            (imap, imap_port, _), (smtp, smtp_port, security) = self.servers(address)
            tls = 2 if security == "STARTTLS" else 3
            # JSON without blanks, as the page writes it (src/page/profile.ts).
            self.assertEqual(text, json.dumps(
                [1, [1, 1], [0, imap, imap_port, 3, 1, address],
                 [[[0, smtp, smtp_port, tls, 1, address], [address, address]]]],
                separators=(",", ":")))

    def test_a_file_is_named_by_the_address_and_not_replaced_by_itself(self):
        folder = os.path.join(self.world.home, "kit")
        os.mkdir(folder)
        address = self.world.boxes[1]
        for kind, end in (("mobileconfig", ".mobileconfig"), ("thunderbird", "-thunderbird.xml"),
                          ("qr", "-qr.svg"), ("outlook", "-outlook.html"),
                          ("sheet", "-sheet.html")):
            path = os.path.join(folder, address + end)
            self.assertEqual(self.written(address, kind, "-o", folder).stdout, path + "\n")
            self.refused(self.world.run("profile", address, "--format", kind, "-o", folder), 7,
                         "File exists")
            told = self.world.json("profile", address, "--format", kind, "-o", path, "-f")
            self.assertEqual((told["path"], told["content"]), (path, None))
            with open(path) as file:
                content = file.read()
            for password in self.world.passwords:
                self.assertNotIn(password, content)
        self.assertFalse([event for event in self.events(address) if event[0] == "secret.revealed"])

    def test_what_cannot_be_written_says_why(self):
        address = self.world.boxes[0]
        self.refused(self.world.run("profile", address), 2, "--format")
        self.refused(self.world.run("profile", address, "--format", "eudora"), 2, "eudora")
        self.refused(self.world.run("profile", "no@essai.example", "--format", "qr"), 4)


class Sheet(Story):
    def test_the_sheet_names_who_has_to_type_it_on_which_device(self):
        told = self.world.json("profile", self.world.boxes[0], "--format", "sheet")
        people = {row["person"]: row for row in told["people"]}
        self.assertEqual(told["version"], 2)
        self.assertEqual(list(people), ["ana", "martine", "jp"])  # who must not have it, last
        self.assertEqual(people["martine"]["devices"], ["iPhone", "Outlook <accueil>"])
        self.assertEqual({who: row["by"] for who, row in people.items()},
                         {"ana": "due", "martine": "due", "jp": "none"})
        text = told["content"]
        for word in ("Martine Martin", "iPhone", "☐ telephone", "passation outbox",
                     "takes the account off", "printer or scanner", "contact form"):
            self.assertIn(word, text)
        self.assertNotIn("kim", text)
        self.assertTrue(max(map(len, text.splitlines())) <= 88)

    def test_who_looked_at_it_in_the_vault_and_whose_it_is_are_on_the_sheet(self):
        world, address = self.world, self.world.boxes[1]

        def people():
            return {row["person"]: row["by"] for row in
                    world.json("profile", address, "--format", "sheet")["people"]}

        self.assertEqual(people(), {})
        world.run("show", address, "--reveal", check=0)
        self.assertEqual(people(), {"me": "vault"})

    @unittest.skipUnless(chromium.FOUND, "chromium is not installed")
    def test_the_sheet_is_one_page_of_paper_and_escapes_what_it_is_given(self):
        for language in ("C", "fr_FR.UTF-8"):
            path = os.path.join(self.world.home, "sheet.html")
            self.world.run("profile", self.world.boxes[0], "--format", "sheet", "-f", "-o", path,
                           env=self.world.env(LC_ALL=language), check=0)
            with open(path) as file:
                page = file.read()
            self.assertIn("Outlook &lt;accueil&gt;", page)
            self.assertNotIn("<script", page)
            self.assertEqual(chromium.sheets_of_paper(path), 1, language)


class Codes(Story):
    ADDRESS = "technique@essai.example"

    def oathtool(self, at, seed=SEED, mode="sha1", digits=6, period=30):
        return subprocess.run(["oathtool", f"--totp={mode}", "-b", seed, "-d", str(digits), "-s",
                               f"{period}s", "--now", at.replace("T", " ").replace("Z", " UTC")],
                              capture_output=True, text=True, check=True).stdout.strip()

    @unittest.skipUnless(shutil.which("oathtool"), "oathtool is not installed")
    def test_the_codes_are_those_of_oathtool(self):
        kinds = [(mode, digits, period) for mode in ("sha1", "sha256", "sha512")
                 for digits, period in ((6, 30), (8, 60), (7, 45))]
        for number, (mode, digits, period) in enumerate(kinds):
            label = f"account {number}"
            self.assertEqual(self.world.secret(
                self.ADDRESS, label, "totp",
                f"otpauth://totp/Shop:me?secret={SEED}&issuer=Shop&algorithm={mode.upper()}"
                f"&digits={digits}&period={period}\n").returncode, 0)
            told = self.world.json("otp", self.ADDRESS, label)
            self.assertEqual((told["digits"], told["period"], told["algorithm"]),
                             (digits, period, mode.upper()))
            self.assertTrue(0 < told["seconds_left"] <= period)
            for name, at in (("code", "valid_from"), ("next", "valid_until")):
                self.assertEqual(told[name], self.oathtool(told[at], mode=mode, digits=digits,
                                                           period=period))

    def test_a_code_stands_alone_on_the_first_line_and_is_journalled(self):
        self.world.secret("box@owa.example", "ovh", "totp", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
        done = self.world.run("otp", "box@owa.example", check=0)  # the only one of its type
        self.assertRegex(done.stdout, r"^\d{6}\nvalid for \d+ more seconds?\n(then: \d{6}\n)?$")
        self.assertIn(("secret.revealed", "ovh", "one-time code, shown"),
                      self.events("box@owa.example"))
        seen = self.world.json("who", "me")["seen"]
        self.assertIn(("box@owa.example", "ovh", "shown"),
                      [(row["address"], row["label"], row["how"]) for row in seen])

    def test_near_its_end_the_next_code_is_shown_too(self):
        address = "box@mxz.example"
        self.world.secret(address, "ovh", "totp", SEED)
        for moment, has_next in (("2026-11-29 10:00:19", False), ("2026-11-29 10:00:21", True)):
            if not fake_time.library():
                self.skipTest("faketime is not installed")
            done = self.world.run("otp", address, "ovh", prefix=fake_time.at("@" + moment))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("then: " in done.stdout, has_next, done.stdout)

    def test_what_is_no_seed_is_neither_stored_nor_repeated_nor_counted_as_seen(self):
        for value in ("Hello-World-189", "otpauth://hotp/x?secret=" + SEED + "&counter=1",
                      "otpauth://totp/x?digits=6"):
            done = self.world.secret("box@pro.example", "bad", "totp", value)
            self.refused(done, 2)
            self.assertNotIn(SEED, done.stderr)
            self.assertNotIn("Hello", done.stderr)
        self.world.secret("box@pro.example", "plain", "ftp", "Hello-World-189")
        self.refused(self.world.run("otp", "box@pro.example", "plain"), 2, "seed")
        self.assertNotIn(("secret.revealed", "plain"),
                         [row[:2] for row in self.events("box@pro.example")])
        self.refused(self.world.run("otp", "box@pro.example"), 4, "totp")


class Recovery(Story):
    def make(self, address, codes, label="codes"):
        done = self.world.secret(address, label, "recovery", "\n".join(codes))
        self.assertEqual(done.returncode, 0, done.stderr)

    def left(self, address):
        return [row["codes"] for row in self.world.json("secret", "ls", address)["secrets"]
                if row["label"] == "codes"][0]

    def take(self, address, *more, label="codes", **kwargs):
        return self.world.run("otp", address, label, "--recovery", *more, **kwargs)

    def test_codes_are_given_out_in_order_once_and_marks_can_be_taken_off(self):
        address = "contact@essai.example"
        self.world.secret(address, "codes", "recovery", "1111 2222, aaaa-bbbb\r\n\n 3333 4444  x;\n")
        self.assertEqual(self.left(address), {"count": 4, "left": 4})
        self.assertEqual(self.take(address, check=0).stdout.splitlines()[0], "1111 2222")
        told = json.loads(self.take(address, "--json", check=0).stdout)
        self.assertEqual((told["code"], told["number"], told["left"]), ("aaaa-bbbb", 2, 2))
        self.assertIn("2/4 left", self.world.run("secret", "ls", address).stdout)
        self.assertIn("used: 1, 2", self.world.run("show", address, "codes").stdout)
        self.take(address, "--unused", "1", check=0)
        self.refused(self.take(address, "--unused", "1"), 7)
        self.take(address, "--used", "3", check=0)
        self.assertEqual(self.take(address, check=0).stdout.splitlines()[0], "1111 2222")
        done = self.take(address, check=0)
        self.assertEqual(done.stdout.splitlines()[0], "x")
        self.assertIn("the last recovery code", done.stderr)
        self.refused(self.take(address), 4, "all 4 recovery codes are used")
        self.refused(self.take(address, "--used", "5"), 4)
        listed = json.loads(self.take(address, "--list", "--json", check=0).stdout)
        self.assertTrue(all(row["used_at"] for row in listed["codes"]))
        self.assertIn(("secret.code.used", "codes", "recovery code 3 of 4"), self.events(address))
        self.assertIn(("secret.revealed", "codes", "recovery code 2 of 4, shown"),
                      self.events(address))
        self.world.run("secret", "set", address, "codes", "--secret-fd", "0", stdin="new-1\nnew-2",
                       check=0)
        self.assertEqual(self.left(address), {"count": 2, "left": 2})

    def test_a_number_that_no_code_has_shows_none(self):
        address = "contact@essai.example"
        self.make(address, ["aaaa-1111", "bbbb-2222"], label="few")
        for option in ("--used", "--unused"):
            for number in ("0", "-1", "x", "", "101"):
                done = self.take(address, option, number, label="few")
                self.assertEqual((done.returncode, done.stdout), (2, ""), (option, number))
        self.assertIn("aaaa-1111", self.take(address, label="few").stdout)

    def test_who_is_given_the_list_is_told_which_codes_are_used(self):
        world, address = self.world, "technique@essai.example"
        self.make(address, ["one", "two", "three"])
        world.run("secret", "set", address, "codes", "--note", "in the safe", check=0)
        self.take(address, check=0)
        self.take(address, "--used", "3", check=0)
        (issue,) = world.json("grant", "kim", address, "--until", "2031-03-31", "--with", "codes",
                              "-o", world.out)["issues"]
        done = subprocess.run(
            [world.binary, "--no-input", "--json", "open", issue["path"], "--identity-file",
             os.path.join(world.home, "kim"), "--issuer", world.json("key", "show")["fingerprint"]],
            env=world.env(HOME="/nonexistent"), capture_output=True, text=True)
        notes = [row["note"] for row in json.loads(done.stdout)["secrets"]
                 if row["label"] == "codes"]
        self.assertEqual(notes, ["in the safe\nCodes that are used already, as counted from the "
                                 "top: 1, 3"])

    def test_marks_outlive_a_rekey(self):
        address = "box@exchange.example"
        self.make(address, ["one", "two", "three"])
        self.take(address, check=0)
        self.world.run("rekey", "-y", check=0)
        self.assertEqual(self.left(address), {"count": 3, "left": 2})
        self.assertEqual(self.take(address, check=0).stdout.splitlines()[0], "two")

    def test_two_at_once_never_get_the_same_code(self):
        address, codes = "box@zimbra.example", [f"code-{i}" for i in range(8)]
        self.make(address, codes)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            got = [done.stdout.splitlines()[0] for done in
                   pool.map(lambda _: self.take(address, check=0), codes)]
        self.assertEqual(sorted(got), codes)

    def test_a_kill_loses_a_code_at_most_and_gives_none_out_twice(self):
        address, codes = "box@owa.example", [f"code-{i:02}" for i in range(40)]
        self.make(address, codes)
        chance, seen = random.Random(5), []
        began = time.monotonic()
        self.take(address, "--list", check=0)
        usual = time.monotonic() - began
        for _ in range(30):
            process = subprocess.Popen(self.world.command("otp", address, "codes", "--recovery"),
                                       env=self.world.env(), stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.2, 1.3) * usual)
            process.kill()
            text = process.communicate()[0].decode()
            seen += re.findall(r"^code-\d\d$", text, re.M)
        self.assertEqual(len(seen), len(set(seen)))
        listed = json.loads(self.take(address, "--list", "--json", check=0).stdout)["codes"]
        marked = {codes[row["number"] - 1] for row in listed if row["used_at"]}
        self.assertLessEqual(set(seen), marked)
        self.assertTrue(seen, "no code was seen: the kills came too early to prove anything")
        # Each mark has its entry in the journal.
        self.assertEqual(len(marked), sum(row[0] == "secret.revealed" and row[1] == "codes"
                                          for row in self.events(address)))

    def test_a_code_that_could_not_be_printed_says_how_to_take_its_mark_off(self):
        address = "box@pro.example"
        self.make(address, ["one", "two"])
        with open("/dev/full", "w") as full:
            done = subprocess.run(self.world.command("otp", address, "codes", "--recovery"),
                                  env=self.world.env(), stdout=full, stderr=subprocess.PIPE,
                                  text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nobody saw it", done.stderr)
        self.assertIn("--recovery --unused 1", done.stderr)
        self.assertEqual(self.left(address), {"count": 2, "left": 1})

    def test_a_secret_without_codes_is_refused(self):
        address = "box@mxz.example"
        self.refused(self.world.secret(address, "none", "recovery", " ,\n; "), 2, "no code")
        self.refused(self.world.secret(address, "many", "recovery", "x\n" * 101), 2)
        self.refused(self.world.run("otp", address, "--list"), 2, "--recovery")


if __name__ == "__main__":
    unittest.main()
