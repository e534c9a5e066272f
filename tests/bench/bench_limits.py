#!/usr/bin/env python3
"""What must not get worse, by what no other program has a part in: instructions, system calls,
memory, files.

    bench_limits.py BUILD [--count 2000]

The limits are those of docs/performance.md; processor time has no part in it, so that a busy
machine, a slow one, or a build without optimization says the same.
"""

import os
import shutil
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import machine  # noqa: E402
from holders import Floor, Passation, name_of, value_of  # noqa: E402
from measure import exposures_are_exact, rows_of  # noqa: E402
from support.cases import Cases, true  # noqa: E402

FEW = 100
GET_MAX = 4_000_000
GROWTH_MAX = 1.05
START_RATIO_MAX = 1.5
LOADED_LATER = ("libcurl", "libcrypto", "libjansson", "libexpat")
GET_KIB_MAX, LIST_KIB_MAX = 6 * 1024, 10 * 1024
LARGE, LARGE_KIB_MAX = 20_000, 20 * 1024  # an import
ADD_SYNCS_MAX = 2
BULK = 400
IMPORT_MAX, CARRY_MAX = 187_000, 150_000  # instructions a secret
ISSUE_FILES = [".age", ".age.sig"]
GRANT_RECORDS_MAX = 10
SOME, MORE = 250, 1000  # secrets of one mailbox


def at_most(found, most, what):
    true(found <= most, f"{what}: {found}, at most {most}")


def syncs(command):
    calls, _ = machine.system_calls(command, "fdatasync", "fsync")
    return calls["fdatasync"] + calls["fsync"]


def check_start(cases, floor, passation):
    with cases.case("a start takes at most half as many instructions again as the bare libraries"):
        at_most(machine.instructions(passation.start(0)),
                START_RATIO_MAX * machine.instructions(floor.start(0)), "instructions")
    with cases.case("a start, a look and a reveal map no library of which they have no use"):
        for command in (passation.start(0), passation.look(0), passation.get(0)):
            _, opened = machine.system_calls(command)
            true(any("libsqlite3" in path for path in opened), "no library was seen")
            for name in LOADED_LATER:
                true(not any(name in path for path in opened), f"{name}: {opened}")


def folded(holder, command):
    """Instructions: how long the log is has nothing to do with the vault's size."""
    holder.fold_log()
    return machine.instructions(command)


def check_get(cases, few, many):
    with cases.case("a reveal by the agent takes no more instructions in a larger vault"):
        small, large = (folded(holder, holder.get(1)) for holder in (few, many))
        at_most(large, GROWTH_MAX * small, "instructions of the larger vault")


def check_longest_log(cases, many):
    with cases.case("a reveal beside the longest log takes no more than a reveal may"):
        many.fill_log(5000)
        at_most(machine.instructions(many.get(1)), GET_MAX, "instructions")


def check_memory(cases, many):
    with cases.case("a reveal and a list of names keep little in memory"):
        at_most(machine.resident_kib(many.get(2)), GET_KIB_MAX, "KiB of a reveal")
        at_most(machine.resident_kib(many.list(0)), LIST_KIB_MAX, "KiB of a list")


def check_large_import(cases, few):
    with cases.case("an import of many keeps little more in memory than what it is told"):
        at_most(machine.resident_kib(few.import_many(1, LARGE)), LARGE_KIB_MAX, "KiB")


def check_list(cases, many):
    with cases.case("a list of names is printed while it is read, and each stands in it once"):
        said = many.run("role", "ls", "--names").splitlines()
        true(len(said) == many.count and len(set(said)) == many.count, f"{len(said)} names")
        at_most(machine.first_byte(many.list(0)), 0.9, "of the time is over at the first name")


def check_add(cases, many):
    with cases.case("an add is durable with two syncs at most, but when the log is emptied"):
        machine.once(many.add(0))  # the log exists after the first
        made = [syncs(many.add(number)) for number in range(1, 8)]
        true(min(made) >= 1, f"{made} syncs")
        at_most(statistics.median(made), ADD_SYNCS_MAX, f"syncs of {made}")
        # Two more when it is emptied, and one when it begins anew.
        at_most(max(made), ADD_SYNCS_MAX + 2, f"syncs of {made}")


def check_bulk(cases, few):
    with cases.case("a secret of many takes little to be imported, and to be granted"):
        at_most(machine.instructions(few.import_many(0, BULK)) // BULK, IMPORT_MAX,
                "instructions of an imported one")
        path = few.at("many.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write("title,password\n")
            file.writelines(f"s{number},{value_of(number)}\n" for number in range(BULK))
        few.run("-y", "import", path, "--role", name_of(1))
        command = few.share(1, name_of(1))
        command.words += ["--with", "all"]
        at_most(machine.instructions(command) // BULK, CARRY_MAX,
                "instructions of a granted one")


def new_rows(holder, command):
    before = rows_of(holder.vault)
    machine.once(command)
    after = rows_of(holder.vault)
    return {table: after[table] - before[table] for table in after}


def check_grant(cases, few, many):
    with cases.case("a grant writes one issue with its signature, and no more rows in a larger "
                    "vault"):
        rows = [new_rows(holder, holder.share(0)) for holder in (few, many)]
        files = sorted(name[name.index("."):] for name in os.listdir(many.at("out")))
        true(files == ISSUE_FILES, f"files: {files}")
        true(rows[0]["record"] == rows[1]["record"] and rows[0]["journal"] == rows[1]["journal"],
             f"rows {rows}")
        at_most(rows[1]["record"], GRANT_RECORDS_MAX, "rows")
    with cases.case("the end of a grant leaves exactly what the person knows"):
        rows = [new_rows(holder, holder.end(0)) for holder in (few, many)]
        true(rows[0]["record"] == rows[1]["record"], f"rows {rows}")
        true(exposures_are_exact(many, 0), "what the person knows")
    with cases.case("the end of a grant, and what its person knows, take no more instructions "
                    "in a larger vault"):
        for holder in (few, many):
            machine.once(holder.share(1))
        small, large = (folded(holder, holder.end(1)) for holder in (few, many))
        at_most(large, GROWTH_MAX * small, "instructions of the larger vault")


def rekey(holder):
    return holder.of("-y", "rekey", "--identity-file", holder.identity)


def check_one_mailbox(cases, none, some, more):
    """On which hang no other secrets, SOME, and MORE."""
    with cases.case("a rekey reads the versions of one mailbox's secrets once, however many"):
        base, small, large = (machine.instructions(rekey(holder))
                              for holder in (none, some, more))
        at_most((large - base) / (small - base), 1.15 * MORE / SOME, "times the instructions")
    with cases.case("the list of one mailbox's secrets keeps little in memory of each"):
        at_most(machine.resident_kib(more.of("secret", "ls")), LIST_KIB_MAX, "KiB of a list")
        said = more.run("secret", "ls", "--json").count('"label"')
        true(said == MORE, f"{said} secrets")


def main():
    build = os.path.abspath(sys.argv[1])
    count = int(sys.argv[3]) if sys.argv[2:3] == ["--count"] else 2000
    cases = Cases()
    folder = tempfile.mkdtemp(prefix="psn-b-")
    holders = []
    try:
        holders += [Floor(build, folder, FEW), Passation(build, folder, FEW),
                    Passation(build, folder, count)]
        floor, few, many = holders
        for secrets in (0, SOME, MORE):
            kind = type(f"With{secrets}", (Passation,),
                        {"name": f"with{secrets}", "more": ("100", "0", str(secrets))})
            holders.append(kind(build, folder, 1))
        check_start(cases, floor, few)
        check_get(cases, few, many)
        check_memory(cases, many)
        check_list(cases, many)
        check_grant(cases, few, many)  # before one of them has exposures that the other has not
        check_add(cases, many)
        check_longest_log(cases, many)
        check_bulk(cases, few)
        check_large_import(cases, few)
        check_one_mailbox(cases, *holders[3:])
    finally:
        for holder in holders:
            holder.close()
        shutil.rmtree(folder, ignore_errors=True)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
