"""The mutants that there are, and those of which it is argued that no test can tell them.

A mutant is one token of one line that is another. It is named by its file, the function, the line's
text, what that becomes, and which one it is of those that read the same: so a name holds when lines
move, and is gone when the line is.
"""

import os
import re
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
EXPLAINED = os.path.join(HERE, "mutants_explained.txt")

# The tests of a unit, the quickest first.
UNITS = {
    "src/core/rotation_machine.c": ["test_rotation_machine", "test_rotation_verdicts",
                                    "test_rotation_budget", "test_rotation_model"],
    "src/crypto/seal.c": ["test_seal"],
    "src/crypto/kdf.c": ["test_kdf"],
    "src/crypto/keystream.c": ["test_keystream"],
    "src/crypto/hash.c": ["test_hash", "test_hash_library", "test_keystream"],
    "src/crypto/sign.c": ["test_sign"],
    "src/crypto/generate.c": ["test_generate_draws", "test_generate_faults", "test_generate"],
    "src/crypto/digest.c": ["test_digest"],
    "src/age/stream.c": ["test_age_stream", "test_age_file", "test_age_faults"],
    "src/age/header.c": ["test_age_header", "test_age_file"],
    "src/age/wrap.c": ["test_age_header", "test_age_file"],
    "src/age/bech32.c": ["test_age_identity"],
    "src/age/armor.c": ["test_age_armor", "test_age_file", "test_age_faults"],
    "src/base/text.c": ["test_text_utf8", "test_text"],
    "src/ovh/mailbox.c": ["test_mailbox", "test_email_domain", "test_email_service"],
    "src/ovh/sign.c": ["test_ovh_sign"],
    "src/store/tree.c": ["test_store_nodes", "test_store_node_cache", "test_store_bytes",
                         "test_store_tree", "test_store", "test_store_alloc",
                         "test_store_tamper"],
    "src/store/journal.c": ["test_store_journal", "test_store_bytes", "test_store",
                            "test_store_tamper", "test_store_alloc"],
    "src/core/document_check.c": ["test_document_check", "test_document"],
    "src/core/receipt.c": ["test_receipt"],
    "src/core/code.c": ["test_code"],
}

NEGATED = "if (!("

# (what, by what): each place where the left stands is a possible mutant.
CHANGES = [(re.compile(what), by) for what, by in (
    (r"==", "!="), (r"!=", "=="), (r"<=", "<"), (r">=", ">"),
    (r"(?<![<\-])< (?!<)", "<= "), (r"(?<![>\-=])> (?!>)", ">= "),
    (r"&&", "||"), (r"\|\|", "&&"), (r"(?<=[\w\])] )\+(?= )", "-"),
    (r"(?<=[\w\])] )-(?= )", "+"), (r"\bif \(!", "if ("), (r"\bif \((?!!)", NEGATED),
    (r"\breturn rc;", "return PSN_OK;"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"(?<![\w.])0(?![\w.])", "1"), (r"(?<![\w.])1(?![\w.])", "2"),
)]

FUNCTION = re.compile(r"^[a-z_][\w *]*?(\w+)\(")


class Mutant(NamedTuple):
    path: str
    function: str
    was: str
    becomes: str
    nth: int  # of those that read the same in this function; from 1
    number: int  # of the line, from 0: where it stands now

    def name(self):
        return self[:5]

    def part(self):
        return self.path.removeprefix("src/")

    def written(self):
        return f"{self.path}:{self.number + 1}\n-{self.was}\n+{self.becomes}"


def code_of(line):
    """The line without a comment behind it."""
    return line.split("/*")[0].rstrip()


def changes(line):
    """What becomes of a line, once for each token of it that is another."""
    for what, by in CHANGES:
        for found in what.finditer(line):
            changed = closed(line, found) if by == NEGATED else (line[:found.start()] + by
                                                                 + line[found.end():])
            if changed:
                yield changed


def closed(line, found):
    """`if (x)` as `if (!(x))`, if the condition ends on its line."""
    depth = 0
    for at in range(found.end() - 1, len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if depth == 0:
            return line[:found.end()] + "!(" + line[found.end():at] + ")" + line[at:]
    return None


def candidates(path):
    """Every mutant of a file, by line."""
    in_comment, function, seen, found = False, "", {}, []
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        lines = file.read().splitlines()
    for number, line in enumerate(lines):
        stripped = line.strip()
        in_comment = in_comment or stripped.startswith("/*")
        if in_comment or stripped.startswith("#") or '"' in line or "assert" in line:
            in_comment = in_comment and "*/" not in stripped
            continue
        begins = FUNCTION.match(line)
        function = "" if line.startswith("}") else function
        function = begins.group(1) if begins and not stripped.endswith(";") else function
        code = code_of(line)
        for changed in changes(code):
            name = (path, function, code.strip(), changed.strip())
            seen[name] = seen.get(name, 0) + 1
            found.append(Mutant(*name, seen[name], number))
    return found


def there_are():
    """Every mutant, by its name."""
    return {mutant.name(): mutant for path in UNITS for mutant in candidates(path)}


def explained(path=EXPLAINED):
    """Name of each mutant that is argued to be none, and why.

    A block, with an empty line behind it: `FILE`, `FILE FUNCTION` or `FILE FUNCTION NTH`, `-` and
    the line, `+` and what it becomes, then the reason. What begins with # is a remark.
    """
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines() if not line.startswith("#")]
    found = {}
    for block in filter(None, re.split(r"\n{2,}", "\n".join(lines).strip())):
        where, was, becomes, *reason = block.strip().split("\n")
        path, *rest = where.split()
        if was[0] != "-" or becomes[0] != "+" or not reason:
            raise ValueError(f"{where}: a line with -, a line with +, and a reason")
        function, nth = rest[0] if rest else "", int(rest[1]) if rest[1:] else 1
        name = (path, function, was[1:].strip(), becomes[1:].strip(), nth)
        found[name] = " ".join(line.strip() for line in reason)
    return found
