#!/usr/bin/env python3
"""OVH moves a mailbox from MX Plan on OWA to Zimbra between and during two rotations.

    migration.py BUILD [--imap responder|dovecot]

In each case the role keeps its secret, all its versions and its history, the change of platform
is an event of the journal, and what the vault calls current opens the mailbox.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.record import LOGINS, record  # noqa: E402
from support.world import World  # noqa: E402

DOMAIN = "boulangerie.example"
ADDRESS = "contact@" + DOMAIN


def expect(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, expected {wanted!r}")


class Case:
    """A mailbox on OWA that is in the vault."""

    def __init__(self, build, imap):
        self.world = World(build, imap=imap)

    def __enter__(self):
        world = self.world.__enter__()
        world.run("init", check=0)
        world.allow_all()
        self.service = world.seed_service("mxplan-owa", DOMAIN, mailboxes=("contact",))
        world.add_client([DOMAIN])
        world.run("role", "adopt", ADDRESS, check=0)
        self.before = world.versions(ADDRESS)
        return self

    def __exit__(self, *error):
        self.world.__exit__(*error)

    def platform(self):
        return self.world.json("show", ADDRESS)["platform"]

    def check(self, platform, moves, rotations):
        world = self.world
        shown = world.json("show", ADDRESS)
        expect("state", shown["state"], "stable")
        expect("platform", shown["platform"], platform)
        expect("earlier platforms", [row["platform"] for row in shown["platforms"]], moves)
        events = [row for row in world.json("log")["log"] if row["event"] == "platform.changed"]
        expect("events", len(events), len(moves))
        versions = world.versions(ADDRESS)
        for _, password in self.before:
            if password not in [kept for _, kept in versions]:
                raise AssertionError("an old version is gone")
        if len(versions) < 1 + rotations:
            raise AssertionError(f"{len(versions)} versions after {rotations} rotations")
        current = [password for state, password in versions if state == "current"]
        expect("the password in force", current, [world.in_force(ADDRESS)])


def between_in_place(case):
    """The service turns to Zimbra, ids change; two rotations around it."""
    case.world.run("rotate", ADDRESS, check=0)
    case.world.control("POST", "/migrate", {"from": case.service["service"], "to": "mxplan-zimbra"})
    case.world.run("rotate", ADDRESS, check=0)
    case.world.run("rotate", ADDRESS, check=0)
    case.check("email/mxplan zimbra", ["email/mxplan owa"], 3)


def between_to_another_api(case):
    """The mailbox goes to the second version of the API; verify follows it."""
    case.world.run("rotate", ADDRESS, check=0)
    case.world.control("POST", "/migrate", {"address": ADDRESS, "to": "zimbra"})
    case.world.run("verify", ADDRESS, check=0)
    case.world.run("rotate", ADDRESS, check=0)
    case.check("zimbra", ["email/mxplan owa"], 2)


def twice(case):
    """From OWA to Zimbra in place, then to a platform of its own."""
    case.world.control("POST", "/migrate", {"from": case.service["service"], "to": "mxplan-zimbra"})
    case.world.run("rotate", ADDRESS, check=0)
    case.world.control("POST", "/migrate", {"address": ADDRESS, "to": "zimbra"})
    case.world.run("rotate", ADDRESS, check=0)
    case.check("zimbra", ["email/mxplan owa", "email/mxplan zimbra"], 2)


def dry_run_writes_nothing(case):
    """rotate -n sees the new platform and leaves the vault as it is."""
    case.world.control("POST", "/migrate", {"address": ADDRESS, "to": "zimbra"})
    case.world.run("rotate", "-n", ADDRESS, check=0)
    expect("platform", case.platform(), "email/mxplan owa")
    case.world.run("rotate", ADDRESS, check=0)
    case.check("zimbra", ["email/mxplan owa"], 1)


def during(rule, to, platform):
    """A migration at a chosen call of a rotation."""

    def run(case):
        case.world.control("POST", "/faults", [{"kind": "migrate", "times": 1, "address": ADDRESS,
                                                "to": to, **rule}])
        case.world.run("rotate", ADDRESS, timeout=200)
        for _ in range(2):
            case.world.run("resume", ADDRESS, "--again", timeout=200)
        used = case.world.control("GET", "/faults")
        case.world.control("DELETE", "/faults")
        if "'used': 0" in str(used):
            raise AssertionError(f"the migration did not happen: {used}")
        case.check(platform, ["email/mxplan owa"], 1)
        case.world.run("rotate", ADDRESS, check=0)
        case.check(platform, ["email/mxplan owa"], 2)

    run.__doc__ = f"During a rotation, at {rule}: to {to}."
    return run


CHANGE = {"method": "POST", "path": "*/changePassword"}
TASK = {"method": "GET", "path": "*/task"}
LOGIN = {"method": "IMAP", "path": "*"}
CASES = [
    between_in_place,
    between_to_another_api,
    twice,
    dry_run_writes_nothing,
    during(CHANGE, "zimbra", "zimbra"),
    during({**CHANGE, "after": True}, "zimbra", "zimbra"),
    during({**CHANGE, "after": True, "tasks": "lost"}, "zimbra", "zimbra"),
    during(TASK, "zimbra", "zimbra"),
    during({**TASK, "tasks": "lost"}, "zimbra", "zimbra"),
    during(CHANGE, "mxplan-zimbra", "email/mxplan zimbra"),
    during({**CHANGE, "after": True, "tasks": "lost"}, "mxplan-zimbra", "email/mxplan zimbra"),
]
LOGIN_CASES = [
    during(LOGIN, "zimbra", "zimbra"),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--imap", default="responder")
    options = parser.parse_args()
    cases = CASES + (LOGIN_CASES if options.imap == "responder" else [])
    survived = 0
    for run in cases:
        try:
            with Case(options.build, options.imap) as case:
                run(case)
            survived += 1
        except Exception as error:  # noqa: BLE001 each case is tried
            print(f"FAILED {run.__doc__}: {error}", file=sys.stderr)
    print(f"tried {len(cases)} survived {survived}, login by {options.imap}")
    record(LOGINS[options.imap], "migration", len(cases), survived)
    return 0 if survived == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
