"""A client with hostile secrets in a real vault, and a page that the real binary made for a
person without a key. Prints what the page must show, as one line of JSON; then does what
the lines on standard input ask for and prints an answer to each.

    real_issue.py BUILD TESTS
"""

import base64
import hashlib
import json
import os
import subprocess
import sys

sys.path.insert(0, sys.argv[2])
from support.world import World  # noqa: E402

REASON = "Refonte du site — « phase 2 » & <b>suite</b>"
PERSON = "Jean-Pierre \"JP\" O'Neil </script><script>window.ran++</script>"
SENDER = "Nadia <img src=x onerror=window.ran++> Durand"
CLIENT = "Boulangerie <i>Martin</i> & fils"
KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\nonly an example\n-----END OPENSSH PRIVATE KEY-----\n"

# mailbox, label, value, its fields
SECRETS = (
    (0, "ftp", b"Xy7pq-Rs8tu", {"type": "ftp", "user": "boulangerie", "url": "ftp://ftp.cluster0.hosting.ovh.net/"}),
    (0, "cle ssh", KEY, {"type": "ssh-key", "user": "deploy"}),
    (0, "bytes", b"\xff\x00\xfe", {}),
    (0, "tab", b"hunter2\tand a tab", {"type": "cms", "url": "javascript:window.ran++",
     "note": "End: passation-issue 1\n\n| not a field\nPassword: nor this"}),
    (1, "<svg onload=window.ran++>", b"</pre><script>window.ran++</script>", {"user": "<img src=x onerror=window.ran++>"}),
    (1, "fin", b"End: passation-issue 1", {"expires": "2031-01-31", "note": " edges "}),
    (1, "armor", b"-----END AGE ENCRYPTED FILE-----", {}),
    (2, "edges", b"  two blanks at either end  ", {"type": "licence"}),
    (2, "unicode", "é à ü 漢字 🥖".encode(), {}),
    (2, "esrever", "pa\u2028ragraph\u202eesrever".encode(), {}),
    (3, "codes", b"1111 2222\n3333 4444\n\n5555 6666\n", {"type": "recovery"}),
)


def fill(world):
    boxes = world.setup_client(mailboxes=4)
    world.run("client", "set", "essai", "--name", CLIENT,
              "--smtp", "smtps://SMTP.essai.example:465", check=0)
    world.run("person", "set", "me", "--name", SENDER, "--email", "nadia@exemple.fr", check=0)
    world.run("person", "add", "jp", "--kind", "provider", "--name", PERSON, check=0)
    for box, label, value, fields in SECRETS:
        options = [word for name, text in fields.items() for word in ("--" + name, text)]
        subprocess.run(world.command("secret", "add", boxes[box], label, "--secret-fd", "0", *options),
                       input=value + b"\n", env=world.env(), check=True, capture_output=True)
    world.run("rotate", boxes[1], check=0)
    return boxes


def grant(world, out):
    read, write = os.pipe()
    done = subprocess.run(world.command("--json", "grant", "jp", "*@essai.example", "--until", "2031-03-31",
                                        "--reason", REASON, "--with", "all", "--format", "html",
                                        "-o", out, "--code-fd", str(write)),
                          env=world.env(), pass_fds=[write], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(done.stdout)["issues"][0], told.split("\t")[1].strip()


def shown(value):
    """What the page copies: text, or base64 for what is none."""
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def mailbox(world, index, address):
    """By the simulator's word and by what was typed, not by the vault's."""
    host, port = world.ready["imap"].split("://")[1].rsplit(":", 1)
    imap = {"host": host, "port": int(port), "security": "SSL/TLS"}
    others = [{"label": label, **shown(value), **fields} for box, label, value, fields in SECRETS
              if box == index]
    return {"address": address, "password": world.in_force(address), "imap": imap,
            "smtp": {"host": "smtp.essai.example", "port": 465, "security": "SSL/TLS"},
            "others": sorted(others, key=lambda other: other["label"])}


def verify(world, path):
    """The sidecar by stock ssh-keygen, under the key that the vault names."""
    allowed = os.path.join(world.home, "allowed")
    line = world.json("key", "show")["allowed_signers"]
    with open(allowed, "w") as file:
        file.write(line + "\n")
    with open(path, "rb") as file:
        done = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", line.split()[0], "-n",
                               "passation-file", "-s", path + ".sig"], stdin=file, capture_output=True, text=True)
    return {"exit": done.returncode, "said": done.stdout}


def answer(world, request):
    what, *rest = request
    if what == "receipt":
        done = world.run("receipt", "check", *rest)
        return {"exit": done.returncode, "said": done.stdout + done.stderr}
    if what == "verify":
        return verify(world, rest[0])
    raise SystemExit(f"{what}?")


def main():
    with World(sys.argv[1]) as world:
        boxes = fill(world)
        out = os.path.join(world.home, "out")
        os.mkdir(out, 0o700)
        issue, code = grant(world, out)
        with open(issue["path"], "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        expected = {
            "path": issue["path"], "sha256": digest, "serial": str(issue["serial"]), "code": code.split("-"),
            "fingerprint": world.json("key", "show")["fingerprint"], "client": CLIENT, "person": PERSON,
            "sender": SENDER, "reason": REASON, "until": "2031-03-31T21:59:59Z",
            "version": world.run("--version").stdout,
            "mailboxes": [mailbox(world, i, address) for i, address in enumerate(boxes)],
        }
        print(json.dumps(expected), flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(world, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
