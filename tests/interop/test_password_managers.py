"""KeePassXC opens what we write, with all that is in it, and Bitwarden's JSON has the
documented form; what KeePassXC saves is refused by name."""

import base64
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import time
import xml.etree.ElementTree as ElementTree

from tool import Cases, Place, command, equal, exits, need, says, tool, true

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["LC_ALL"] = "C.UTF-8"

CODE = "abaisser-effacer-zoologie-été"
SEED = "jbsw y3dp-ehpk 3pxp"
URI = "otpauth://totp/Service:nadia?secret=JBSWY3DPEHPK3PXP&period=60&digits=8&algorithm=SHA256"
TEXTS = ["simple", "Nadia « Boulangerie » & fils", "<b>\"&amp;'</b>", "]]> <![CDATA[ --> <?x?>",
         "tab\tet\nlignes\n\nfin", "  blancs  ", "日本語 🔑 é", "a" * 5000, "\u0085\u00a0\u202e\u200b",
         "{REF:P@I:0} %s $HOME ;|`"]
RAW = [b"\x00", b"\xff\xfe\x00x", b"\x1b[31m", b"abc\x01", bytes(range(256)), b"\xed\xa0\x80"]


def entry(number, **more):
    made = {"id": bytes([number // 256 + 1, number % 256] + [7] * 14).hex(), **more}
    if isinstance(made.get("password"), str):
        made["password"] = made["password"].encode()
    if "password" in made:
        made["password"] = made["password"].hex()
    return made


def samples():
    made = []
    for text in TEXTS:
        made.append(entry(len(made), group="boîte " + text[:40].strip(), title=text, user=text,
                          password=text, url="https://example.org/?q=" + text, note=text,
                          type="ftp", changed_s=1790000000 + len(made), expires="2028-02-29",
                          fields=[["Serveur IMAP", text], ["é <" + text[:10] + ">", ""]]))
    for raw in RAW:
        made.append(entry(len(made), title=f"octets {len(made)}", password=raw, note="déjà"))
    made.append(entry(len(made), title="graine", user="xm1-ovh", type="totp", password=SEED))
    made.append(entry(len(made), title="adresse", type="totp", password=URI))
    made.append(entry(len(made), title="ni l’un ni l’autre", type="totp", password="0189"))
    made.append(entry(len(made), group="vide"))
    return made


def password_of(sample):
    return bytes.fromhex(sample.get("password", ""))


def is_text(raw):
    try:
        return not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", raw.decode())
    except UnicodeDecodeError:
        return False


# ---- KeePassXC ----

def keepassxc(place, *words, check=True):
    return command("keepassxc-cli", words[0], "-q", *words[1:], check=check,
                   stdin=(CODE + "\n").encode())


def time_of(text):
    seconds = struct.unpack("<q", base64.b64decode(text))[0] - 62135596800
    return time.strftime("%Y-%m-%d", time.gmtime(seconds)), seconds


def exported(place):
    """The entries in KeePassXC's own export, by UUID: group, strings, times."""
    root = ElementTree.fromstring(keepassxc(place, "export", place.path("ours.kdbx")).stdout)
    found = {}

    def walk(group, name):
        for one in group.findall("Entry"):
            strings = {s.findtext("Key"): s.findtext("Value") or "" for s in one.findall("String")}
            protected = {s.findtext("Key") for s in one.findall("String")
                         if s.find("Value").get("ProtectInMemory") == "True"}
            found[base64.b64decode(one.findtext("UUID")).hex()] = (
                name, strings, protected, {child.tag: child.text for child in one.find("Times")})
        for inner in group.findall("Group"):
            walk(inner, inner.findtext("Name"))

    walk(root.find("Root/Group"), "")
    equal(root.findtext("Meta/DatabaseName"), "Passation « Martin » & fils", "name")
    return found


def check_export(cases, place, given):
    found = exported(place)
    equal(len(found), len(given), "entries")
    for one in given:
        with cases.case(f"KeePassXC shows {one.get('title', '')[:20]!r}"):
            group, strings, protected, times = found[one["id"]]
            raw = password_of(one)
            equal(group, one.get("group", ""), "group")
            equal(strings.pop("Title"), one.get("title", ""), "title")
            equal(strings.pop("UserName"), one.get("user", ""), "user")
            equal(strings.pop("URL"), one.get("url", ""), "URL")
            equal(strings.pop("Notes"), one.get("note", ""), "note")
            equal(strings.pop("Password"), raw.decode() if is_text(raw) else "", "password")
            if not is_text(raw):
                equal(base64.b64decode(strings.pop("Password (Base64)")), raw, "bytes")
                true("Password (Base64)" in protected, "the bytes are not protected")
            equal(strings.pop("Type", ""), one.get("type", ""), "type")
            if strings.pop("otp", None) is not None:
                true("otp" in protected, "the seed is not protected")
            equal(strings, dict(one.get("fields", [])), "fields")
            true("Password" in protected, "the password is not protected")
            equal(times["Expires"], "True" if "expires" in one else "False", "expires")
            if "expires" in one:
                equal(time_of(times["ExpiryTime"])[0], one["expires"], "day")
            if "changed_s" in one:
                equal(time_of(times["LastModificationTime"])[1], one["changed_s"], "change")


def totp(seed, now, period=30, digits=6, digest="sha1"):
    key = base64.b32decode(seed)
    mac = hmac.new(key, struct.pack(">Q", now // period), getattr(hashlib, digest)).digest()
    at = mac[-1] & 15
    return str((struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff) % 10 ** digits).zfill(digits)


def check_codes(cases, place):
    for title, more in (("graine", {}), ("adresse", {"period": 60, "digits": 8,
                                                     "digest": "sha256"})):
        with cases.case(f"KeePassXC computes codes: {title}"):
            before = int(time.time())
            shown = keepassxc(place, "show", "-t", place.path("ours.kdbx"),
                              title).stdout.decode().strip()
            around = {totp("JBSWY3DPEHPK3PXP", now, **more)
                      for now in range(before, int(time.time()) + 2)}
            true(shown in around, f"{shown} is none of {around}")
    with cases.case("KeePassXC has no codes for what is no seed"):
        exits(keepassxc(place, "show", "-t", place.path("ours.kdbx"), "ni l’un ni l’autre",
                        check=False), 1)


def check_kind(cases, place):
    with cases.case("KeePassXC tells the kind of the file"):
        info = keepassxc(place, "db-info", place.path("ours.kdbx")).stdout.decode()
        true("ChaCha20 256-bit" in info and "Argon2id (3 rounds, 65536 KB)" in info, info)
    with cases.case("another passphrase does not open it there either"):
        done = command("keepassxc-cli", "ls", "-q", place.path("ours.kdbx"), check=False,
                       stdin=b"abaisser\n")
        true(done.returncode != 0, "it was opened")


def check_theirs(cases, place):
    with cases.case("what KeePassXC saved is refused, and the reason said"):
        place.write("theirs.kdbx", place.read("ours.kdbx"))
        keepassxc(place, "mkdir", place.path("theirs.kdbx"), "nouveau")
        keepassxc(place, "ls", place.path("theirs.kdbx"))
        says(tool("kdbx-read", place.path("code"), place.path("theirs.kdbx")), 2,
             "another program saved it")
    with cases.case("what KeePassXC made is refused, and the reason said"):
        command("keepassxc-cli", "db-create", "-q", "-p", place.path("new.kdbx"),
                stdin=(CODE + "\n" + CODE + "\n").encode())
        says(tool("kdbx-read", place.path("code"), place.path("new.kdbx")), 2, "is not read")


def read_back(cases, place, given):
    with cases.case("we read what we wrote, by group"):
        done = exits(tool("kdbx-read", place.path("code"), place.path("ours.kdbx")), 0)
        found = json.loads(done.stdout)
        empty = {"group": "", "title": "", "user": "", "password": "", "url": "", "note": "",
                 "expires": "", "type": "", "changed_s": 0, "fields": []}
        wanted = sorted(({**empty, **one} for one in given),
                        key=lambda one: one["group"].encode())
        equal(found, wanted, "entries")
        exits(tool("kdbx-verify", place.path("entries"), place.path("code"),
                   place.path("ours.kdbx")), 0)


# ---- Bitwarden ----

ITEM = {"passwordHistory", "revisionDate", "creationDate", "deletedDate", "id", "organizationId",
        "folderId", "type", "reprompt", "name", "notes", "favorite", "fields", "login",
        "collectionIds"}
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def field(name, value, kind=0):
    return {"name": name, "value": value, "type": kind}


def check_item(item, one, folders):
    raw = password_of(one)
    equal(set(item), ITEM, "names")
    true(UUID.fullmatch(item["id"]) and item["id"].replace("-", "") == one["id"], "id")
    equal(folders.get(item["folderId"], ""), one.get("group", ""), "folder")
    equal((item["type"], item["reprompt"], item["favorite"], item["organizationId"],
           item["collectionIds"], item["passwordHistory"], item["deletedDate"]),
          (1, 0, False, None, None, None, None), "the fixed ones")
    equal(item["name"], one.get("title", ""), "name")
    fields = [field("Type", one["type"])] if "type" in one else []
    fields += [field("Expires", one["expires"])] if "expires" in one else []
    fields += [field(name, value) for name, value in one.get("fields", [])]
    if raw and not is_text(raw):
        remark = next(it["value"] for it in item["fields"] if it["name"] == "passation")
        true("'Password (Base64)'" in remark, "remark")
        fields += [field("Password (Base64)", base64.b64encode(raw).decode(), 1),
                   field("passation", remark)]
    equal(item["notes"] or "", one.get("note", ""), "notes")
    equal(item["fields"], fields, "fields")
    login = item["login"]
    equal(set(login), {"uris", "username", "password", "totp"}, "names in login")
    equal(login["uris"], [{"match": None, "uri": one["url"]}] if "url" in one else [], "uris")
    equal(login["username"] or "", one.get("user", ""), "username")
    equal(login["password"], raw.decode() if raw and is_text(raw) else None, "password")
    changed = one.get("changed_s")
    equal(item["revisionDate"], changed and time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                          time.gmtime(changed)), "date")


def bitwarden(cases, place, given):
    exits(tool("bitwarden-write", place.path("entries"), place.path("b.json")), 0)
    text = place.read("b.json").decode()
    made = json.loads(text)
    with cases.case("Bitwarden's JSON: nothing in it moves or hides text"):
        true(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", text), "a hostile character")
        equal((set(made), made["encrypted"]), ({"encrypted", "folders", "items"}, False), "top")
        equal(sorted(one["name"] for one in made["folders"]),
              sorted({one["group"] for one in given if one.get("group")}), "folders")
    folders = {one["id"]: one["name"] for one in made["folders"]}
    equal(len(made["items"]), len(given), "items")
    for item, one in zip(made["items"], given):
        with cases.case(f"Bitwarden's JSON: {one.get('title', '')[:20]!r}"):
            check_item(item, one, folders)
    with cases.case("Bitwarden's JSON: seeds"):
        seeds = [item["login"]["totp"] for item in made["items"] if item["login"]["totp"]]
        equal(seeds, ["otpauth://totp/graine:xm1-ovh?secret=JBSWY3DPEHPK3PXP&period=30&digits=6"
                      "&issuer=graine", URI], "totp")
    with cases.case("Bitwarden's JSON: no entry at all"):
        place.write("none", "[]")
        exits(tool("bitwarden-write", place.path("none"), place.path("b.json")), 0)
        equal(json.loads(place.read("b.json")),
              {"encrypted": False, "folders": [], "items": []}, "empty")


def main():
    need("keepassxc-cli")
    cases = Cases()
    given = samples()
    with Place() as place:
        place.write("code", CODE)
        place.write("entries", json.dumps(given))
        exits(tool("kdbx-write", place.path("entries"), "Passation « Martin » & fils",
                   place.path("code"), place.path("ours.kdbx")), 0)
        read_back(cases, place, given)
        check_kind(cases, place)
        check_export(cases, place, given)
        check_codes(cases, place)
        check_theirs(cases, place)
        bitwarden(cases, place, given)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
