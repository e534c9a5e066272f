"""minisign and ssh-keygen accept what we sign, we accept what they sign, and each forgery
that a format allows is refused with a message of its own."""

import base64
import os
import sys
import time

from tool import Cases, Place, command, equal, exits, need, says, ssh_key, tool, true

ME = "tester@example.org"


def changed(content, at, bit=0):
    out = bytearray(content)
    out[at] ^= 1 << bit
    return bytes(out)


# ---- minisign ----

def minisign_key(place, name):
    command("minisign", "-G", "-W", "-p", place.path(name + ".pub"), "-s", place.path(name))


def ours(place, key, name, signature, comment="pour Marie"):
    return tool("minisign-sign", place.path(key), place.path(name), place.path(signature), comment)


def check(place, key, name, signature):
    return tool("minisign-verify", place.path(key + ".pub"), place.path(name),
                place.path(signature))


def minisign_both_ways(cases, place):
    for name in ("empty", "text", "large"):
        with cases.case(f"minisign accepts our signature: {name}"):
            exits(ours(place, "mini", name, "ours.sig"), 0)
            done = command("minisign", "-V", "-H", "-p", place.path("mini.pub"), "-m",
                           place.path(name), "-x", place.path("ours.sig"))
            true(b"pour Marie" in done.stdout, "the trusted comment is not shown")
        with cases.case(f"we accept minisign's, and our own: {name}"):
            equal(exits(check(place, "mini", name, "ours.sig"), 0).stdout,
                  b"trusted comment: pour Marie\n", "comment")
            command("minisign", "-S", "-s", place.path("mini"), "-m", place.path(name), "-x",
                    place.path("theirs.sig"))
            done = exits(check(place, "mini", name, "theirs.sig"), 0)
            true(done.stdout.startswith(b"trusted comment: timestamp:"), "comment")


def minisign_sizes(cases, place):
    """At the edges of BLAKE2b's blocks and of what is read at once, and at sizes nobody chose."""
    sizes = [1, 63, 64, 65, 127, 128, 129, 255, 256, 257, 65535, 65536, 65537]
    for size in sizes + [int.from_bytes(os.urandom(3), "big") % 300000 for _ in range(6)]:
        place.write("sized", os.urandom(size))
        with cases.case(f"minisign: {size} bytes, signed by either, hold for both"):
            exits(ours(place, "mini", "sized", "ours.sig"), 0)
            command("minisign", "-S", "-s", place.path("mini"), "-m", place.path("sized"), "-x",
                    place.path("theirs.sig"))
            for signature in ("ours.sig", "theirs.sig"):
                command("minisign", "-V", "-H", "-p", place.path("mini.pub"), "-m",
                        place.path("sized"), "-x", place.path(signature))
                exits(check(place, "mini", "sized", signature), 0)
            content = bytearray(place.read("sized"))
            content[size // 2] ^= 1
            place.write("sized", bytes(content))
            for signature in ("ours.sig", "theirs.sig"):
                says(check(place, "mini", "sized", signature), 6, "not of this content")
                done = command("minisign", "-V", "-H", "-p", place.path("mini.pub"), "-m",
                               place.path("sized"), "-x", place.path(signature), check=False)
                true(done.returncode != 0, "minisign accepts another content")


def minisign_lines(place, signature):
    return place.read(signature).decode("latin-1").splitlines(keepends=True)


def minisign_forgeries(cases, place):
    ours(place, "mini", "text", "ours.sig")
    ours(place, "mini", "text", "other.sig", "pour Jean")
    ours(place, "mini2", "text", "stranger.sig")
    lines = minisign_lines(place, "ours.sig")
    other = minisign_lines(place, "other.sig")
    blob = bytearray(base64.b64decode(lines[1]))

    def relabelled(head, of=blob):
        return base64.b64encode(head + bytes(of[2:])).decode() + "\n"

    command("minisign", "-S", "-l", "-s", place.path("mini"), "-m", place.path("text"), "-x",
            place.path("legacy.sig"))
    # A legacy signature of 64 bytes, relabelled: valid for whatever has that hash.
    digest = command("b2sum", place.path("text")).stdout.split()[0]
    place.write("hash", bytes.fromhex(digest.decode()))
    command("minisign", "-S", "-l", "-s", place.path("mini"), "-m", place.path("hash"), "-x",
            place.path("hash.sig"))
    forged = {
        "a legacy signature": (minisign_lines(place, "legacy.sig"), "legacy form"),
        "a prehashed signature relabelled as legacy":
            ([lines[0], relabelled(b"Ed"), *lines[2:]], "legacy form"),
        "another kind": ([lines[0], relabelled(b"XX"), *lines[2:]], "unknown kind"),
        "a comment without its signature": ([*lines[:2], other[2], lines[3]], "trusted comment is"),
        "a signature without its comment": ([*lines[:3], other[3]], "trusted comment is"),
        "another key's signature": (minisign_lines(place, "stranger.sig"), "another key"),
        "another key's under our id": (
            [lines[0], relabelled(bytes(blob[:2]) + bytes(blob[2:10]),
                                  b"xx" + base64.b64decode(
                                      minisign_lines(place, "stranger.sig")[1])[10:]),
             *lines[2:]], "not of this content"),
        "no trusted comment": (lines[:2], "no trusted comment"),
        "no signature of the comment": (lines[:3], "comment is malformed"),
        "text behind the end": ([*lines, "and more\n"], "behind its end"),
        "a second signature behind it": ([*lines, *lines], "behind its end"),
        "no untrusted comment": (lines[1:], "not a minisign signature"),
        "base64 that is not canonical":
            ([lines[0], lines[1].rstrip()[:-2] + "F=\n", *lines[2:]], "malformed"),
        "an empty file": ([], "not a minisign signature"),
    }
    for name, (text, words) in forged.items():
        with cases.case(f"minisign: {name} is refused"):
            place.write("forged.sig", "".join(text).encode("latin-1"))
            says(check(place, "mini", "text", "forged.sig"), 6, words)
    with cases.case("minisign: prehash confusion, the other way"):
        legacy = minisign_lines(place, "hash.sig")
        legacy_blob = base64.b64decode(legacy[1])
        place.write("forged.sig", "".join(
            [legacy[0], relabelled(b"ED", legacy_blob), *legacy[2:]]).encode("latin-1"))
        # The bytes are a true signature of that hash: no reader of the format can tell. What
        # keeps it away is that nothing of ours ever makes a legacy signature.
        exits(check(place, "mini", "text", "forged.sig"), 0)
        says(check(place, "mini", "hash", "hash.sig"), 6, "legacy form")
    with cases.case("minisign: another content is refused"):
        says(check(place, "mini", "large", "ours.sig"), 6, "not of this content")


def minisign_hostile(cases, place):
    hostile = [b"\x1b[2J\x1b[31mok", b"\x07bell", b"\xc2\x9b31m", b"a\tb", b"\xe2\x80\xaegnp.exe",
               b"\xff\xfe", b"\x1b]52;c;aGFjaw==\x07", b"x" * 500]
    for comment in hostile:
        with cases.case(f"minisign: the comment {comment[:12]!r} is shown escaped"):
            command("minisign", "-S", "-s", place.path("mini"), "-m", place.path("text"), "-x",
                    place.path("hostile.sig"), "-t", comment)
            done = check(place, "mini", "text", "hostile.sig")
            exits(done, 0)
            true(all(byte >= 0x20 or byte == 0x0a for byte in done.stdout), "a raw control byte")
            done.stdout.decode()
            true(b"\xc2\x9b" not in done.stdout and b"\xe2\x80\xae" not in done.stdout, "raw")
    for comment in ("", "two\nlines", "x" * 8192, "\x1b[2J"):
        with cases.case(f"minisign: we do not sign the comment {comment[:12]!r}"):
            says(ours(place, "mini", "text", "never.sig", comment), 2, "trusted comment")
            true(not os.path.exists(place.path("never.sig")), "a file was left")
    with cases.case("minisign: every changed byte of a signature is refused"):
        ours(place, "mini", "text", "ours.sig")
        whole = place.read("ours.sig")
        untrusted = whole.index(b"\n")
        for at in range(len(whole) - 1):
            if 19 <= at < untrusted:  # the untrusted comment is just that
                continue
            for bit in (at % 7, 7):
                place.write("forged.sig", changed(whole, at, bit))
                done = check(place, "mini", "text", "forged.sig")
                true(done.returncode == 6 and not done.stdout, f"byte {at}: {done}")
    with cases.case("minisign: an encrypted key is refused with advice"):
        content = base64.b64decode(place.read("mini").splitlines()[1])
        locked = content[:2] + b"Sc" + content[4:]
        place.write("locked", b"untrusted comment: x\n" + base64.b64encode(locked) + b"\n")
        says(ours(place, "locked", "text", "never.sig"), 5, "encrypted with a password")
    with cases.case("minisign: a damaged key is refused"):
        for at in (60, 62, 70, 100, 125, 127, 157):
            place.write("bad", b"untrusted comment: x\n"
                        + base64.b64encode(changed(content, at)) + b"\n")
            done = ours(place, "bad", "text", "never.sig")
            # Bytes 54 to 61 are the id, which only the check could tell; it is empty here.
            true(done.returncode == (0 if at < 62 else 2), f"byte {at}: {done.returncode}")


# ---- SSHSIG ----

def verify(place, allowed, name, signature, identity=ME, space="passation-file"):
    return tool("sshsig-verify", place.path(allowed), identity, space, place.path(name),
                place.path(signature))


def keygen_verify(place, allowed, name, signature, identity=ME, space="passation-file"):
    return command("ssh-keygen", "-Y", "verify", "-f", place.path(allowed), "-I", identity, "-n",
                   space, "-s", place.path(signature), stdin=place.read(name), check=False)


def sshsig_both_ways(cases, place):
    for name in ("empty", "text", "large"):
        with cases.case(f"ssh-keygen accepts our signature: {name}"):
            exits(tool("sshsig-sign", place.path("ssh"), "passation-file", place.path(name),
                       place.path("ours")), 0)
            exits(keygen_verify(place, "allowed", name, "ours"), 0)
            exits(verify(place, "allowed", name, "ours"), 0)
        with cases.case(f"we accept ssh-keygen's: {name}"):
            if os.path.exists(place.path(name + ".sig")):
                os.unlink(place.path(name + ".sig"))
            command("ssh-keygen", "-q", "-Y", "sign", "-f", place.path("ssh"), "-n",
                    "passation-file", place.path(name))
            exits(verify(place, "allowed", name, name + ".sig"), 0)
            equal(place.read("ours"), place.read(name + ".sig"), "the two spellings")


def armor(blob):
    text = base64.b64encode(blob).decode()
    body = "\n".join(text[at:at + 70] for at in range(0, len(text), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n"


def sshsig_forgeries(cases, place):
    tool("sshsig-sign", place.path("ssh"), "passation-file", place.path("text"),
         place.path("ours"))
    tool("sshsig-sign", place.path("ssh"), "passation-issue", place.path("text"),
         place.path("space"))
    tool("sshsig-sign", place.path("ssh2"), "passation-file", place.path("text"),
         place.path("stranger"))
    text = place.read("ours").decode()
    blob = base64.b64decode("".join(text.splitlines()[1:-1]))
    at_space = blob.index(b"passation-file")
    reserved = at_space + len("passation-file")
    command("ssh-keygen", "-q", "-Y", "sign", "-O", "hashalg=sha256", "-f", place.path("ssh"),
            "-n", "passation-file", place.path("sha256"))
    forged = {
        "for another namespace": (place.read("space").decode(), 6, "for the namespace"),
        "by somebody not listed": (place.read("stranger").decode(), 5, "not in the list"),
        "another version": (armor(blob[:6] + b"\0\0\0\x02" + blob[10:]), 13, "another version"),
        "another magic": (armor(b"SSHSIX" + blob[6:]), 6, "not an SSH signature"),
        "a reserved field": (armor(blob[:reserved] + b"\0\0\0\x01x" + blob[reserved + 4:]), 6,
                             "reserved field"),
        "an empty namespace": (armor(blob[:at_space - 4] + b"\0\0\0\0" + blob[reserved:]), 6,
                               "impossible namespace"),
        "the namespace replaced": (armor(blob.replace(b"passation-file", b"passation-issu")), 6,
                                   "for the namespace"),
        "another hash": (place.read("sha256.sig").decode(), 6, "another hash"),
        "bytes behind the blob": (armor(blob + b"x"), 6, "behind its end"),
        "cut off": (armor(blob[:-1]), 6, "cut off"),
        "a length that runs over": (armor(blob[:10] + b"\xff\xff\xff\xff" + blob[14:]), 6,
                                    "cut off"),
        "another signature type": (
            armor(blob.replace(b"ssh-ed25519\0\0\0\x40", b"ssh-ed25518\0\0\0\x40")), 6,
            "not an Ed25519 one"),
        "another key type": (
            armor(blob.replace(b"ssh-ed25519\0\0\0\x20", b"ssh-ed25518\0\0\0\x20")), 6,
            "not made with an ssh-ed25519 key"),
        "text before it": ("hello\n" + text, 6, "text form"),
        "text behind it": (text + "hello\n", 6, "text form"),
        "without an end": (text[:-20], 6, "text form"),
        "an empty file": ("", 6, "text form"),
    }
    for name, (content, status, words) in forged.items():
        with cases.case(f"SSHSIG: {name} is refused"):
            place.write("forged", content)
            says(verify(place, "allowed", "text", "forged"), status, words)
    with cases.case("SSHSIG: another content is refused"):
        says(verify(place, "allowed", "large", "ours"), 6, "not of this content")
    with cases.case("SSHSIG: every changed byte is refused"):
        for at in range(len(blob)):
            place.write("forged", armor(changed(blob, at, at % 8)))
            done = verify(place, "allowed", "text", "forged")
            true(done.returncode in (5, 6, 13) and not done.stdout, f"byte {at}: {done}")
    with cases.case("SSHSIG: every byte above 127 in the text is refused"):
        whole = place.read("ours")
        for at in range(len(whole) - 1):
            place.write("forged", changed(whole, at, 7))
            says(verify(place, "allowed", "text", "forged"), 6, "text form")
    for space in ("", "x" * 256, "a\nb"):
        with cases.case(f"SSHSIG: we do not sign in the namespace {space[:8]!r}"):
            says(tool("sshsig-sign", place.path("ssh"), space, place.path("text"),
                      place.path("never")), 2, "namespace has")
            true(not os.path.exists(place.path("never")), "a file was left")


def day(offset):
    return time.strftime("%Y%m%d", time.gmtime(time.time() + offset * 86400))


def allowed_signers(cases, place, key, other):
    """Each list is also given to ssh-keygen, which must come to the same end."""
    tool("sshsig-sign", place.path("ssh"), "passation-file", place.path("text"),
         place.path("ours"))
    key_only = " ".join(key.split()[:2])
    lists = [
        (f"{ME} {key}", 0, ""),
        (f"# comment\n\n{ME} {key}\n", 0, ""),
        (f"{ME} {key_only}\r\n", 0, ""),
        (f"*@example.org {key}", 0, ""),
        (f"*@example.???,x {key}", 0, ""),
        (f'"{ME}" {key}', 0, ""),
        (f"!{ME},*@example.org {key}", 5, "not allowed for"),
        (f"*@example.org,!{ME} {key}", 5, "not allowed for"),
        (f"tester@example.com {key}", 5, "not allowed for"),
        (f"{ME} {other}", 5, "not in the list"),
        ("", 5, "not in the list"),
        (f"#{ME} {key}", 5, "not in the list"),
        (f"{ME} {other}\n{ME} {key}", 0, ""),
        (f'{ME} namespaces="passation-file" {key}', 0, ""),
        (f'{ME} NAMESPACES="passation-*" {key}', 0, ""),
        (f'{ME} namespaces="git,file" {key}', 5, "in the namespace"),
        (f'{ME} namespaces="!passation-file,*" {key}', 5, "in the namespace"),
        (f'{ME} namespaces="" {key}', 5, "in the namespace"),
        (f'{ME} namespaces="git" {key}\n{ME} {key}', 0, ""),
        (f'{ME} valid-after="{day(-2)}" {key}', 0, ""),
        (f'{ME} valid-after="{day(2)}Z" {key}', 5, "not valid yet"),
        (f'{ME} valid-before="{day(2)}1200" {key}', 0, ""),
        (f'{ME} valid-before="{day(-2)}120000Z" {key}', 5, "not valid any more"),
        (f'{ME} valid-after="{day(-2)}",valid-before="{day(2)}",namespaces="*" {key}', 0, ""),
        (f'{ME} valid-after="{day(-1)}",valid-before="{day(-2)}" {key}', 5, "not understood"),
        (f'{ME} valid-after="yesterday" {key}', 5, "not understood"),
        (f'{ME} valid-after="20260231x" {key}', 5, "not understood"),
        (f"{ME} cert-authority {key}", 5, "certificates"),
        (f"{ME} no-touch-required {key}", 5, "not understood"),
        (f'{ME} namespaces="*",unknown {key}', 5, "not understood"),
        (f'{ME} namespaces="a",namespaces="*" {key}', 5, "not understood"),
        (f'{ME} namespaces=* {key}', 5, "not understood"),
        (f'{ME} namespaces="* {key}', 5, "not in the list"),
        (f"{ME} ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQ==\n{ME} {key}", 0, ""),
        (f"{ME}", 5, "not in the list"),
        (f"{key}", 5, "not in the list"),
    ]
    for content, status, words in lists:
        shown = content.replace(key, "KEY").replace(key_only, "KEY").replace(other, "OTHER")
        with cases.case(f"allowed signers: {shown!r}"):
            place.write("list", content + "\n")
            says(verify(place, "list", "text", "ours"), status, words)
            theirs = keygen_verify(place, "list", "text", "ours").returncode
            equal(theirs == 0, status == 0, "ssh-keygen accepts")


def main():
    need("minisign", "ssh-keygen", "b2sum")
    cases = Cases()
    with Place() as place:
        place.write("empty", b"")
        place.write("text", "le mot de passe change demain\n")
        place.write("sha256", "le mot de passe change demain\n")
        place.write("large", os.urandom(3 << 20))
        minisign_key(place, "mini")
        minisign_key(place, "mini2")
        _, key = ssh_key(place)
        _, other = ssh_key(place, "ssh2")
        place.write("allowed", f"{ME} {key}\n")
        minisign_both_ways(cases, place)
        minisign_sizes(cases, place)
        minisign_forgeries(cases, place)
        minisign_hostile(cases, place)
        sshsig_both_ways(cases, place)
        sshsig_forgeries(cases, place)
        allowed_signers(cases, place, key, other)
    return cases.finish("2.7", "signatures")


if __name__ == "__main__":
    sys.exit(main())
