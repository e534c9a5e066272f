"""Files go both ways between passation-interop, Debian's age and npm's age-encryption, at
every edge of a chunk, binary and armored, for each kind of recipient."""

import json
import os
import random
import sys

from tool import (NODE_DIR, Cases, Place, age_key, command, equal, exits, need, need_npm, says,
                  ssh_key, tool, true)

CHUNK = 64 * 1024
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 4 * CHUNK - 1, 4 * CHUNK, 4 * CHUNK + 1,
         8 * CHUNK, 9 * CHUNK + 77)
FORMS = {"binary": [], "armored": ["-a"]}
# Others each time: AGE_SEED repeats those of a run that failed.
SEED = os.environ.get("AGE_SEED") or str(random.SystemRandom().getrandbits(32))


def plain_files(place):
    content = os.urandom(max(SIZES))
    for size in SIZES:
        place.write(f"plain-{size}", content[:size])


def ours_with_age(cases, place, kind, identity, recipient):
    for size in SIZES:
        for form, flags in FORMS.items():
            plain = place.read(f"plain-{size}")
            with cases.case(f"ours, {kind}, {form}, {size} bytes: age opens it, and we do"):
                path = place.path("ours.age")
                exits(tool("age-encrypt", "-r", recipient, *flags, "-o", path,
                           place.path(f"plain-{size}")), 0)
                equal(command("age", "-d", "-i", identity, path).stdout, plain, "age's")
                equal(tool("age-decrypt", "-i", identity, path).stdout, plain, "ours")
            with cases.case(f"age's, {kind}, {form}, {size} bytes: we open it"):
                command("age", "-r", recipient, *flags, "-o", path,
                        place.path(f"plain-{size}"))
                done = exits(tool("age-decrypt", "-i", identity, path), 0)
                equal(done.stdout, plain, "ours")


def random_sizes(cases, place, identity, recipient):
    """Sizes that nobody chose, small ones and those near an edge more often than others."""
    draw = random.Random(SEED)
    for number in range(16):
        size = draw.choice([draw.randrange(300), draw.randrange(8 * CHUNK),
                            max(0, draw.randrange(8) * CHUNK + draw.randrange(-40, 40))])
        plain = draw.randbytes(size)
        place.write("plain", plain)
        flags = draw.choice(list(FORMS.values()))
        with cases.case(f"seed {SEED}, {number}: {size} bytes go both ways"):
            path = place.path("random.age")
            exits(tool("age-encrypt", "-r", recipient, *flags, "-o", path, place.path("plain")), 0)
            equal(command("age", "-d", "-i", identity, path).stdout == plain, True, "age's")
            command("age", "-r", recipient, *flags, "-o", path, place.path("plain"))
            done = exits(tool("age-decrypt", "-i", identity, path), 0)
            equal(done.stdout == plain, True, "ours")


def with_npm(cases, place, secret, identity, recipient):
    """One run of node for all of them."""
    phrase = place.write("passphrase", "un-mot-de-passe\n")
    keys = {"key": ({"identity": secret}, {"recipient": recipient}, ["-r", recipient],
                    ["-i", identity]),
            "passphrase": ({"passphrase": "un-mot-de-passe"},) * 2
            + (["--passphrase-file", phrase],) * 2}
    jobs = []
    for size in SIZES:
        for kind, (opens, seals, words, _) in keys.items():
            armor = size % 2 == 0
            name = f"{kind}-{size}"
            exits(tool("age-encrypt", *words, *(["-a"] if armor else []), "-o",
                       place.path("to-npm-" + name), place.path(f"plain-{size}")), 0)
            jobs.append({"do": "decrypt", "armor": armor, "in": place.path("to-npm-" + name),
                         "out": place.path("by-npm-" + name), **opens})
            jobs.append({"do": "encrypt", "armor": armor, "in": place.path(f"plain-{size}"),
                         "out": place.path("of-npm-" + name), **seals})
    command("node", os.path.join(NODE_DIR, "age.mjs"), stdin=json.dumps(jobs).encode())
    for size in SIZES:
        plain = place.read(f"plain-{size}")
        for kind, (_, _, _, words) in keys.items():
            name = f"{kind}-{size}"
            with cases.case(f"age-encryption opens ours: {name}"):
                equal(place.read("by-npm-" + name), plain, "npm's")
            with cases.case(f"we open age-encryption's: {name}"):
                done = exits(tool("age-decrypt", *words, place.path("of-npm-" + name)), 0)
                equal(done.stdout, plain, "ours")


def many(cases, place, identity, recipient):
    """Many chunks, several recipients, and memory that does not grow with the file."""
    size = 40 * 1024 * 1024
    plain = os.urandom(1024 * 1024) * (size >> 20)
    place.write("large", plain)
    other, _, other_recipient = age_key(place, "other")
    ssh, ssh_public = ssh_key(place)
    with cases.case("40 MiB for three recipients open for each, within 64 MiB of memory"):
        limit = ["prlimit", f"--as={256 << 20}"]
        command(*limit, sys.argv[1], "age-encrypt", "-r", recipient, "-r", other_recipient,
                "-r", ssh_public, "-o", place.path("large.age"), place.path("large"))
        for key in (identity, other, ssh):
            equal(command("age", "-d", "-i", key, place.path("large.age")).stdout == plain,
                  True, "age's")
            done = command(*limit, sys.argv[1], "age-decrypt", "-i", key,
                           place.path("large.age"))
            equal(done.stdout == plain, True, "ours")
    with cases.case("an identity file may hold several keys and comments"):
        both = place.write("both", place.read("other") + b"\n# and\r\n" + place.read("identity"))
        exits(tool("age-encrypt", "-r", recipient, "-o", place.path("f.age"),
                   place.path("plain-1")), 0)
        equal(tool("age-decrypt", "-i", both, place.path("f.age")).stdout,
              place.read("plain-1"), "ours")


def refusals(cases, place, identity):
    plain = place.path("plain-1")
    out = place.path("never.age")
    wrong = {
        "age1pq1qqqqqqqq": (13, "post-quantum"),
        "age1tag1qqqqqqqq": (13, "post-quantum"),
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq": (2, "mistyped"),
        "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ": (2, "recipient is"),
        "ssh-rsa AAAAB3NzaC1yc2E=": (2, "ssh-ed25519"),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA": (2, "mistyped"),
        "somebody": (2, "recipient is"),
    }
    for recipient, (status, words) in wrong.items():
        with cases.case(f"no file for the recipient {recipient[:16]}"):
            says(tool("age-encrypt", "-r", recipient, "-o", out, plain), status, words)
            true(not os.path.exists(out), "a file was left")
    with cases.case("a passphrase stands alone"):
        phrase = place.write("phrase", "x")
        done = tool("age-encrypt", "--passphrase-file", phrase, "-r",
                    command("age-keygen", "-y", identity).stdout.decode().strip(), "-o", out, plain)
        says(done, 7, "only recipient")
    with cases.case("a wrong passphrase is no match"):
        exits(tool("age-encrypt", "--passphrase-file", phrase, "-o", out, plain), 0)
        says(tool("age-decrypt", "--passphrase-file", place.write("other-phrase", "y"), out),
             21, "passphrase")
        says(tool("age-decrypt", "-i", identity, out), 21, "opens with a passphrase")
    with cases.case("an SSH key with a passphrase is refused with advice"):
        command("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", place.path("locked"))
        says(tool("age-decrypt", "-i", place.path("locked"), out), 5, "protected by a passphrase")


def main():
    need("age", "age-keygen", "ssh-keygen", "prlimit")
    need_npm("age-encryption")
    cases = Cases()
    with Place() as place:
        plain_files(place)
        identity, secret, recipient = age_key(place)
        ssh, ssh_public = ssh_key(place, "ssh-user")
        ours_with_age(cases, place, "X25519", identity, recipient)
        ours_with_age(cases, place, "ssh-ed25519", ssh, ssh_public)
        random_sizes(cases, place, identity, recipient)
        with_npm(cases, place, secret, identity, recipient)
        many(cases, place, identity, recipient)
        refusals(cases, place, identity)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
