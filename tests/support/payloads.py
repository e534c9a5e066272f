"""The payloads of tests/vectors/payloads.json, filled in."""

import json
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "payloads.json")


def payloads(run, url, file):
    """(what would run as markup, what would run as a formula)"""
    with open(PATH) as text:
        vector = json.load(text)

    def fill(template, tag=""):
        for name, value in (("tag", tag), ("run", run), ("url", url), ("file", file)):
            template = template.replace("{" + name + "}", value)
        return template

    return ([fill(wrap, tag) for tag in vector["tags"] for wrap in vector["wraps"]],
            [fill(formula) for formula in vector["formulas"]])
