"""OVH's own description of its API, where that is at hand: beside the source tree, in
shared/ovh-api. A test that needs it ends with 77 (skipped) where it is not."""

import json
import os
import re
import sys

FILES = [
    "auth.json",
    "me.json",
    "email-domain.json",
    "email-mxplan.json",
    "email-pro.json",
    "email-exchange.json",
    "domain.json",
    "hosting-web.json",
    "zimbra.json",
    "iam.json",
]
HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = os.path.normpath(os.path.join(HERE, "..", "..", "..", "shared", "ovh-api"))
SKIPPED = 77

PATTERNS = {
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)",
    "date": r"\d{4}-\d\d-\d\d",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ipBlock": r"[0-9a-f.:]+(/\d+)?",
}


def read(name):
    with open(os.path.join(PLACE, name), encoding="utf-8") as file:
        return json.load(file)


def need():
    if not os.path.isdir(PLACE):
        print("skipped: the API description is not at hand")
        sys.exit(SKIPPED)


def full_type(entry):
    return entry.get("fullType", entry.get("dataType", entry.get("type")))


class Description:
    """All operations of all files; each knows the models of its own file."""

    def __init__(self):
        self.operations = {}
        self.models = {}
        for name in FILES:
            content = read(name)
            for path in content["apis"]:
                for operation in path["operations"]:
                    key = (operation["httpMethod"], path["path"])
                    self.operations[key] = (operation, content["models"])
            for model, body in content["models"].items():
                self.models.setdefault(model, body)

    def check(self, models, kind, value, where="answer"):
        """The first thing that is wrong with a value, or None."""
        if kind == "void":
            return None if value is None else where + " is not null"
        if kind.endswith("[]"):
            if not isinstance(value, list):
                return where + " is not a list"
            return self.first(models, ((kind[:-2], part, where) for part in value))
        if kind.startswith("map[string]"):
            if not isinstance(value, dict):
                return where + " is not a map"
            return self.first(models, ((kind[11:], part, where) for part in value.values()))
        if kind in models:
            return self.check_model(models, kind, value, where)
        return self.check_plain(kind.rsplit(":", 1)[-1], value, where)

    def first(self, models, parts):
        for kind, value, where in parts:
            wrong = self.check(models, kind, value, where)
            if wrong:
                return wrong
        return None

    def check_model(self, models, kind, value, where):
        model = models[kind]
        if "enum" in model:
            return None if value in model["enum"] else "%s is no %s" % (where, kind)
        if not isinstance(value, dict):
            return "%s is no %s" % (where, kind)
        members = model["properties"]
        if set(value) != set(members):
            odd = sorted(set(value) ^ set(members))
            return "%s has not the members of %s: %s" % (where, kind, odd)
        for name, member in members.items():
            if value[name] is None and member["canBeNull"]:
                continue
            wrong = self.check(models, full_type(member), value[name], where + "." + name)
            if wrong:
                return wrong
        return None

    @staticmethod
    def check_plain(kind, value, where):
        if kind == "long":
            good = isinstance(value, int) and not isinstance(value, bool)
        elif kind == "double":
            good = isinstance(value, (int, float)) and not isinstance(value, bool)
        elif kind == "boolean":
            good = isinstance(value, bool)
        elif kind in PATTERNS:
            good = isinstance(value, str) and re.fullmatch(PATTERNS[kind], value)
        elif kind in ("string", "password", "ipv4", "ipv6", "phoneNumber"):
            good = isinstance(value, str)
        else:
            return "%s has a type that this test does not know: %s" % (where, kind)
        return None if good else "%s is not a %s: %r" % (where, kind, value)
