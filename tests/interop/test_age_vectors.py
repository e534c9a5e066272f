"""All of age's test vectors: the right bytes, or the right kind of failure and no byte.
Those for post-quantum recipients are refused by name."""

import collections
import hashlib
import os
import sys
import zlib

from tool import NODE_DIR, STATUS, Cases, Place, command, equal, exits, need_npm, says, tool, true

# An identity for vectors that name none: nothing is to be opened with it.
SOME_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
HYBRID = "AGE-SECRET-KEY-PQ-"


def load(place):
    os.mkdir(place.path("vectors"))
    command("node", os.path.join(NODE_DIR, "vectors.mjs"), place.path("vectors"))
    for name in sorted(os.listdir(place.path("vectors"))):
        head, body = place.read(f"vectors/{name}").split(b"\n\n", 1)
        fields = collections.defaultdict(list)
        for line in head.decode().splitlines():
            key, value = line.split(": ", 1)
            fields[key].append(value)
        if fields["compressed"]:
            body = zlib.decompress(body)
        yield name, fields, body


def arguments(place, fields):
    words = []
    for number, passphrase in enumerate(fields["passphrase"]):
        words += ["--passphrase-file", place.write(f"passphrase-{number}", passphrase)]
    if not words:
        identities = fields["identity"] or [SOME_IDENTITY]
        words = ["-i", place.write("identity", "\n".join(identities) + "\n")]
    return words


def check(place, fields, body):
    done = tool("age-decrypt", *arguments(place, fields), place.write("file.age", body))
    expect = fields["expect"][0]
    exits(done, STATUS[expect])
    if expect == "success":
        equal(hashlib.sha256(done.stdout).hexdigest(), fields["payload"][0], "payload")
    else:
        equal(done.stdout, b"", "plain text released")
        true(done.stderr.startswith(b"passation-interop: "), "no reason is given")


def check_hybrid(place, fields, body):
    """Malformed ones as such; what would open with the identity, as not supported."""
    done = tool("age-decrypt", *arguments(place, fields), place.write("file.age", body))
    equal(done.stdout, b"", "plain text released")
    if fields["expect"][0] == "success":
        says(done, STATUS["no match"], "post-quantum")
    else:
        true(done.returncode in (20, 21), f"exit {done.returncode}")


def main():
    need_npm("cctv-age")
    cases = Cases()
    plain = hybrid = 0
    with Place() as place:
        for name, fields, body in load(place):
            is_hybrid = any(text.startswith(HYBRID) for text in fields["identity"])
            with cases.case(name):
                if is_hybrid:
                    hybrid += 1
                    check_hybrid(place, fields, body)
                else:
                    plain += 1
                    check(place, fields, body)
    with cases.case("none is missing"):
        equal((plain, hybrid), (124, 19), "vectors")
    return cases.finish("age", "vectors")


if __name__ == "__main__":
    sys.exit(main())
