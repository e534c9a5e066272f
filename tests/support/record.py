"""What was tried, and what survived it, for `scripts/prove`.

    record("2.10", "bad TLS", tried=48, survived=48)

One line of JSON at the end of the file that PASSATION_RECORD names; without it, nothing. The class
is a row of tests/proof/classes.py; the part says which campaign it was, and is stable over runs.
"""

import json
import os

LOGINS = {"responder": "5.1", "dovecot": "5.13"}


def record(number, part, tried, survived, **more):
    path = os.environ.get("PASSATION_RECORD")
    if not path:
        return
    row = {"class": number, "part": part, "tried": tried, "survived": survived, **more}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
