"""Holds the simulator's table of routes against OVH's own description of its API."""

import copy
import json
import subprocess
import unittest

import apidata
import simlib


def compare(description, lines):
    """Everything in which the table differs from the description."""
    wrong = []
    for line in lines:
        if "path" in line:
            wrong += compare_route(description, line)
        elif "model" in line:
            wrong += compare_model(description, line)
        else:
            known = description.models.get(line["enum"], {}).get("enum")
            if known is None or sorted(known) != sorted(line["values"]):
                wrong.append("enumeration " + line["enum"])
    return wrong


def compare_route(description, line):
    where = line["method"] + " " + line["path"]
    if (line["method"], line["path"]) not in description.operations:
        return ["unknown path: " + where]
    operation = description.operations[(line["method"], line["path"])][0]
    wrong = []
    if line["returns"] != operation["responseType"]:
        wrong.append("response type: " + where)
    if (line["access"] == "signed") == bool(operation.get("noAuthentication")):
        wrong.append("access: " + where)
    actions = [action["name"] for action in operation.get("iamActions") or []]
    if actions and line["action"] not in actions:
        wrong.append("IAM action: %s %s, not in %s" % (where, line["action"], actions))
    ours = sorted(
        (p["in"], p["name"] or "", p["type"], p["required"]) for p in line["params"]
    )
    theirs = sorted(
        (
            p["paramType"],
            p.get("name") or "",
            apidata.full_type(p),
            bool(p.get("required")),
        )
        for p in operation["parameters"]
    )
    for odd in [p for p in ours if p not in theirs]:
        wrong.append("extra or ill-typed parameter: %s %s" % (where, odd))
    for odd in [p for p in theirs if p not in ours]:
        wrong.append("missing or ill-typed parameter: %s %s" % (where, odd))
    return wrong


def compare_model(description, line):
    model = description.models.get(line["model"])
    if not model:
        return ["unknown model: " + line["model"]]
    theirs = sorted(
        (name, apidata.full_type(m), bool(m["canBeNull"]), bool(m.get("required")))
        for name, m in model["properties"].items()
    )
    ours = sorted(
        (m["name"], m["type"], m["canBeNull"], m["required"]) for m in line["members"]
    )
    return [] if ours == theirs else ["model %s: %s" % (line["model"], ours)]


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = subprocess.run(
            [simlib.SIM, "--routes"], check=True, capture_output=True, text=True
        ).stdout
        cls.lines = [json.loads(line) for line in text.splitlines()]
        cls.description = apidata.Description()

    def test_the_table_is_the_one_of_the_description(self):
        self.assertGreater(len(self.lines), 50)
        self.assertEqual(compare(self.description, self.lines), [])

    def test_each_planted_mistake_is_found(self):
        def plant(change):
            lines = copy.deepcopy(self.lines)
            row = next(
                line
                for line in lines
                if line.get("path", "").endswith("/account") and line["method"] == "POST"
            )
            change(row)
            return compare(self.description, lines)

        mistakes = [
            lambda row: row.update(path="/email/domain/{domain}/accounts"),
            lambda row: row.update(path="/email/domain/{name}/account"),
            lambda row: row.update(method="PUT"),
            lambda row: row.update(returns="email.domain.TaskMl"),
            lambda row: row.update(access="open"),
            lambda row: row["params"].pop(),
            lambda row: row["params"].append(
                {"in": "query", "name": "extra", "type": "string", "required": False}
            ),
            lambda row: row["params"][0].update(type="long"),
            lambda row: row["params"][0].update(required=False),
            lambda row: row["params"][1].update({"in": "query"}),
        ]
        for change in mistakes:
            self.assertNotEqual(plant(change), [])

    def test_models_and_enumerations_are_compared_too(self):
        for line in self.lines:
            if "path" in line:
                continue
            broken = copy.deepcopy(line)
            broken.get("members", broken.get("values")).pop()
            self.assertNotEqual(compare(self.description, [broken]), [])


if __name__ == "__main__":
    apidata.need()
    unittest.main()
