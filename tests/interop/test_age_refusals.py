"""A small age file, changed in one byte or cut: refused every time, with nothing released.
And bombs: large, deep or costly files are refused at once and in little memory."""

import os
import sys

from tool import Cases, Place, age_key, command, equal, exits, need, tool, true


def refused(place, identity, content):
    done = tool("age-decrypt", "-i", identity, place.write("changed.age", content))
    true(20 <= done.returncode <= 24, f"exit {done.returncode}")
    equal(done.stdout, b"", "plain text released")
    return done.returncode


def every_byte(cases, place, identity, name, free):
    """Which refusals there were; free: bytes at the end that the format lets be blank."""
    whole = place.read(name)
    seen = set()
    with cases.case(f"{name}: every changed byte is refused"):
        for at in range(len(whole) - free):
            for bit in (at % 7, 7):
                changed = bytearray(whole)
                changed[at] ^= 1 << bit
                seen.add(refused(place, identity, bytes(changed)))
    with cases.case(f"{name}: every cut is refused"):
        for size in range(len(whole) - free):
            seen.add(refused(place, identity, whole[:size]))
    with cases.case(f"{name}: a byte more is refused"):
        refused(place, identity, whole + b"x")
        for at in range(0, len(whole), 7):
            refused(place, identity, whole[:at] + b"A" + whole[at:])
    return seen


def bombs():
    stanza = b"-> grease x\n\n"
    yield "a header of 32 MiB of empty stanzas", b"age-encryption.org/v1\n" + \
        stanza * ((32 << 20) // len(stanza))
    yield "one line of 32 MiB", b"age-encryption.org/v1\n-> " + b"x" * (32 << 20)
    yield "32 MiB without a line", b"A" * (32 << 20)
    yield "32 MiB of blanks before the armor", b" \n" * (16 << 20) + b"-----BEGIN AGE"
    yield "an armored line of 32 MiB", b"-----BEGIN AGE ENCRYPTED FILE-----\n" + b"A" * (32 << 20)
    yield "32 MiB of blanks behind the armor", b"-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n" \
        b"-----END AGE ENCRYPTED FILE-----\n" + b" \n" * (16 << 20)
    yield "65536 arguments", b"age-encryption.org/v1\n->" + b" x" * 65536 + b"\n\n--- "
    share = b"TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc"
    one = b"-> X25519 " + share + b"\n" + share + b"\n"
    yield "500 recipients, none of them us", b"age-encryption.org/v1\n" + one * 500 + \
        b"--- " + share + b"\n"
    for work in (23, 31, 32, 63, 64, 99, 4294967296, 10 ** 100):
        yield f"a work factor of 2^{work}"[:40], (
            "age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ " + str(work)
        ).encode() + b"\n" + share + b"\n--- " + share + b"\n"


def refused_bomb(cases, place, identity, name, content):
    path = place.write("bomb.age", content)
    key = ["--passphrase-file", place.write("phrase", "x")] if "work" in name else ["-i", identity]
    with cases.case(f"a bomb is refused in a second and 64 MiB: {name}"):
        done = command("/usr/bin/env", "python3", "-c", MEASURE, sys.argv[1], "age-decrypt", *key,
                       path, check=False)
        peak, spent_ms, status = map(int, done.stdout.split())
        true(20 <= status <= 24, f"exit {status}")
        true(peak < 64 * 1024, f"{peak} KiB")
        true(spent_ms < 1000, f"{spent_ms} ms")


# Prints the child's largest memory in KiB, its processor time in ms and its exit status.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
assert done.stdout == b""
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, round((used.ru_utime + used.ru_stime) * 1000), done.returncode)
"""


def main():
    need("age", "age-keygen")
    cases = Cases()
    with Place() as place:
        identity, _, recipient = age_key(place)
        place.write("plain", "mot de passe : Rouge-42\n")
        for name, flags in (("binary", []), ("armored", ["-a"])):
            exits(tool("age-encrypt", "-r", recipient, *flags, "-o", place.path(name),
                       place.path("plain")), 0)
        seen = every_byte(cases, place, identity, "binary", 0)
        with cases.case("each kind of failure was seen"):
            equal(seen, {20, 21, 22, 23}, "kinds")
        seen = every_byte(cases, place, identity, "armored", 1)
        with cases.case("armor failures were seen"):
            true(24 in seen, "none")
        for name, content in bombs():
            refused_bomb(cases, place, identity, name, content)
    return cases.finish("2.15", "age files")


if __name__ == "__main__":
    sys.exit(main())
