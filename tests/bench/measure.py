"""What bench.py measures, in parts. Each returns plain values, for JSON, that page.py makes
tables of. A part can be measured alone, and anew."""

import itertools
import json
import math
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import machine
from holders import Age, Floor, KeePassXC, Pass, Passation, call, name_of, value_of
from machine import Command, Contender, median, note, paired, race

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.system_ca import SystemCa  # noqa: E402

IMPORTED = 1000
CARRIED = 1000  # secrets in the one grant that carries many
HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = (Floor, Passation, Pass, Age, KeePassXC)


def summary(taken, ours="passation"):
    """Of a race: medians in ms, and ours / theirs."""
    return {"ms": {name: median(runs) for name, runs in taken.items()},
            "cpu_ms": {name: statistics.median(run.cpu_ms for run in runs)
                       for name, runs in taken.items()},
            "runs": {name: len(runs) for name, runs in taken.items()},
            "ratio": {name: paired(taken, ours, name) for name in taken if name != ours}}


def contend(holders, operation, budgets=None, **more):
    """Those that have the operation, by name."""
    found = {}
    for holder in holders:
        command = getattr(holder, operation)
        if holder.count and type(holder).__dict__.get(operation):
            found[holder.name] = Contender(command, **(budgets or {}).get(holder.name, more))
    return found


def shown(name, result):
    times = ", ".join(f"{who} {ms:.1f}" for who, ms in result["ms"].items())
    note(f"  {name}: {times} ms")
    return result


def daily(options, folder):
    """Start-up, get, list and add, in stores of each size; and how much size costs, by turns."""
    found = {"sizes": {}}
    kept = {}  # the stores of 1 000, and the largest, of those that are compared with themselves
    for count in options.sizes:
        note(f"a store of {count} secrets in each")
        holders = [kind(options.build, folder, count) for kind in KINDS]
        if count in (1000, options.sizes[-1]):
            kept[count] = holders[:2]
        try:
            if "start" not in found:
                races = contend(holders, "start")
                races["true"] = Contender(lambda _: Command(["/bin/true"]))
                found["start"] = shown("start", summary(race(races, options.rounds)))
            found["sizes"][str(count)] = one_size(options, holders)
        finally:
            for holder in holders:
                if holder not in kept.get(count, ()):
                    holder.close()
    try:
        found["growth"] = growth(options, kept)
    finally:
        for holder in itertools.chain.from_iterable(kept.values()):
            holder.close()
    return found


def one_size(options, holders):
    floor, passation = holders[:2]
    races = contend(holders, "get", budget_s=20)
    races["floor, noted"] = Contender(floor.get_noted)
    races["masked"] = Contender(passation.look)
    row = {"get": shown("get", summary(race(races, options.rounds)))}
    for operation in ("list", "add"):
        races = contend(holders, operation, budget_s=15)
        row[operation] = shown(operation, summary(race(races, options.rounds)))
    row["counted"] = counted(floor, passation)
    return row


def growth(options, kept):
    """t(largest) / t(1 000) of passation and of the floor."""
    few, many = kept
    found = {"from": few, "to": many}
    for operation in ("get", "add"):
        races = {f"{holder.name} {count}": Contender(
            lambda number, its=holder: getattr(its, operation)(50000 + number))
            for count, holders in kept.items() for holder in holders}
        taken = race(races, 2 * options.rounds)
        found[operation] = {name: paired(taken, f"{name} {many}", f"{name} {few}")
                            for name in ("passation", "floor")}
        note(f"  growth of {operation}: {found[operation]}")
    return found


def typical(command, before):
    """The median of a few: where a row lies, how full its page is and how large its bucket, is
    drawn. What comes before each makes the log as long for each."""
    found = []
    for number in range(1, 6):
        before(number)
        found.append(machine.profile(command(number)))
    return sorted(found, key=lambda profile: profile.total)[len(found) // 2]


def counted(floor, passation):
    """Instructions, syncs, memory: what the clock has no part in."""
    syncs = {}
    for name, command in (("passation", passation.add), ("floor", floor.add)):
        machine.once(command(10000))  # the steady state: the log exists
        made = []
        for number in range(20000, 20024):
            calls, _ = machine.system_calls(command(number), "fdatasync", "fsync")
            made.append(calls["fdatasync"] + calls["fsync"])
        syncs[name] = {"median": statistics.median(made), "mean": statistics.mean(made)}
    commands = {"start": passation.start, "masked": passation.look, "get": passation.get,
                "floor start": floor.start, "floor get": floor.get,
                "floor noted": floor.get_noted}
    profiles = {name: typical(command, lambda _: passation.fold_log())
                for name, command in commands.items()}
    profiles["longest log"] = typical(passation.get,
                                      lambda number: passation.fill_log(30000 + 1000 * number))
    _, opened = machine.system_calls(passation.get(2))
    return {"syncs": syncs,
            "instructions": {name: profile.total for name, profile in profiles.items()},
            "objects": {name: dict(profile.by_object) for name, profile in profiles.items()},
            "libcurl": any("libcurl" in path for path in opened),
            "kib": {"get": machine.resident_kib(passation.get(3)),
                    "list": machine.resident_kib(passation.list(0)),
                    "table": machine.resident_kib(passation.of("role", "ls")),
                    "floor get": machine.resident_kib(floor.get(0)),
                    "floor list": machine.resident_kib(floor.list(0))},
            "first_byte": machine.first_byte(passation.list(0))}


def rows_of(path):
    """How many rows each table of a vault has."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("record", "journal", "node")}


def exposures_are_exact(passation, number):
    """What the end of a grant leaves known: the one version that was issued, and nothing else; and
    nothing can be reached any more."""
    said = json.loads(passation.run("--json", "who", f"p{number}", ends=(0, 12)))
    seen = [(row["address"], row["label"], row["version"], row["how"]) for row in said["seen"]]
    return seen == [(name_of(0), None, 1, "issued")] and said["reachable"] == []


def people(options, folder):
    """A person more, and one less."""
    found = {"sizes": {}}
    for count in sorted({10, options.pass_count, 10000}):
        kinds = (Floor, Passation, Pass) if count == options.pass_count else (Floor, Passation)
        note(f"a store of {count} secrets in each")
        holders = [kind(options.build, folder, count) for kind in kinds]
        passation = holders[1]
        # pass takes minutes: once.
        budgets = {"pass": {"budget_s": 0, "least": 1}}
        try:
            before, files = rows_of(passation.vault), set(os.listdir(passation.at("out")))
            machine.once(passation.share(9000))
            after = rows_of(passation.vault)
            row = {"rows": {table: after[table] - before[table] for table in after},
                   "files": sorted(re.sub(r".*?(\.age.*)", r"*\1", name) for name in
                                   set(os.listdir(passation.at("out"))) - files)}
            machine.once(passation.end(9000))
            row["exact"] = exposures_are_exact(passation, 9000)
            for verb in ("share", "end"):
                row[verb] = shown(verb, summary(race(contend(holders, verb, budgets),
                                                     options.rounds)))
            found["sizes"][str(count)] = row
        finally:
            for holder in holders:
                holder.close()
    return found


def carry(options, folder):
    """A grant that carries many secrets, in one file."""
    passation = Passation(options.build, folder, 10)
    try:
        path = passation.at("many.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write("title,password\n")
            file.writelines(f"s{i},{value_of(i)}\n" for i in range(CARRIED - 1))
        passation.run("-y", "import", path, "--role", name_of(0))

        def grant(number):
            command = passation.share(number)
            command.words += ["--with", "all"]
            return command
        # Few: each leaves a thousand exposures behind, of one mailbox.
        taken = race({"passation": Contender(grant)}, options.rounds // 3)
        return {"ms": median(taken["passation"])}
    finally:
        passation.close()


def export(options, folder):
    """Four secrets for one person, beside age of the same text; and who opens it."""
    passation = Passation(options.build, folder, 1000)
    try:
        for index in range(3):
            passation.run("secret", "add", name_of(0), f"s{index}", "--secret-fd", "0",
                          given=value_of(index))

        def grant(number):
            command = passation.share(number)
            command.words += ["--with", "all"]
            return command
        machine.once(grant(9000))
        made = sorted(name for name in os.listdir(passation.at("out")) if name.endswith(".age"))[-1]
        path = passation.at("out", made)
        plain = call("age", "-d", "-i", passation.identity, path)
        with open(passation.at("plain"), "w", encoding="utf-8") as file:
            file.write(plain)
        key = json.loads(passation.run("--json", "key", "show"))
        issuer = next(value for value in walk(key) if str(value).startswith("SHA256:"))
        taken = race({
            "passation": Contender(grant),
            "age": Contender(lambda number: Command(
                ["age", "-r", passation.public, "-o", passation.at(f"{number}.age"),
                 passation.at("plain")]))}, options.rounds)
        opened = race({
            "passation": Contender(lambda _: Command(
                [passation.binary, "--no-input", "open", path, "--issuer", issuer,
                 "--identity-file", passation.identity], env=passation.env)),
            "age": Contender(lambda _: Command(["age", "-d", "-i", passation.identity, path]))},
            options.rounds)
        return {"make": shown("export", summary(taken)), "open": shown("open", summary(opened)),
                "stock_age": all(value_of(index) in plain for index in range(3))}
    finally:
        passation.close()


def walk(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return itertools.chain.from_iterable(walk(item) for item in value)
    return [value]


def importing(options, folder):
    """Many at once: 1 000 beside the others, and the largest beside SQLite alone."""
    kinds = (Floor, Passation, KeePassXC) if options.quick else (Floor, Passation, KeePassXC, Pass)
    holders = [kind(options.build, folder, 10) for kind in kinds]
    floor, passation = holders[:2]
    budgets = {"pass": {"budget_s": 0, "least": 1}}
    try:
        races = {holder.name: Contender(
            lambda number, its=holder: its.import_many(number, IMPORTED),
            **budgets.get(holder.name, {"budget_s": 15})) for holder in holders}
        before = rows_of(passation.vault)
        command = passation.import_many(900, IMPORTED)
        calls, _ = machine.system_calls(command, "fdatasync", "fsync")
        after = rows_of(passation.vault)
        few = shown("import", summary(race(races, max(3, options.rounds // 4))))
    finally:
        for holder in holders:
            holder.close()
    many = {str(count): import_at_once(options, folder, count) for count in options.imports}
    return {"few": few, "syncs": calls["fdatasync"] + calls["fsync"], "many": many,
            "rows": {table: after[table] - before[table] for table in after}}


def import_at_once(options, folder, count):
    """Beside SQLite's own inserts of as many rows of the same sizes, in one commit."""
    folder = os.path.join(folder, str(count))
    os.mkdir(folder)
    passation = Passation(options.build, folder, 10)
    try:
        before = rows_of(passation.vault)
        command = passation.import_many(0, count)
        kib = machine.resident_kib(command)
        after = rows_of(passation.vault)
        with sqlite3.connect(f"file:{passation.vault}?mode=ro", uri=True) as db:
            size, = db.execute("SELECT avg(length(box)) FROM record").fetchone()
        rows = sum(after[table] - before[table] for table in ("record", "journal"))
        took = machine.once(passation.import_many(1, count)).ms
        alone = machine.once(Command([
            os.path.join(options.build, "tests", "floor"), "rows", passation.at("rows.db"),
            str(rows), "24", str(round(size))])).ms
        note(f"  import of {count}: {took:.0f} ms, {rows} rows, SQLite alone {alone:.0f} ms")
        return {"ms": took, "sqlite_ms": alone, "rows": rows, "kib": kib}
    finally:
        passation.close()


def passphrase(options, folder):
    """A get with the passphrase beside the derivation alone."""
    passation = Passation(options.build, folder, 1000)
    phrase = "violet-hangar-97-tortue-braise"
    try:
        passation.run("slot", "add", "me", "--new-passphrase-fd", "0", given=phrase)
    finally:
        passation.close()
    try:
        passes, memory = slot_cost(passation.vault)

        def get(number):
            command = passation.get(number)
            command.words += ["--passphrase-fd", "0"]
            command.stdin = phrase.encode()
            return command
        taken = race({"passation": Contender(get, budget_s=60),
                      "kdf": Contender(lambda _: Command(
                          [os.path.join(options.build, "tests", "floor"), "kdf", str(passes),
                           str(memory)]), budget_s=60)}, min(options.rounds, 9))
        more = statistics.median(beside_cryptography(get(number), options.build, folder)
                                 for number in range(options.rounds))
        return shown("passphrase", {**summary(taken), "more_ms": more, "passes": passes,
                                    "memory_mib": memory >> 20})
    finally:
        passation.close()


def beside_cryptography(command, build, folder):
    """Milliseconds of a run outside of libsodium: a derivation varies by more than all else
    takes, so both are of the same run."""
    path = os.path.join(folder, "cost")
    command.env = {**command.env, "COST_FILE": path,
                   "LD_PRELOAD": os.path.join(build, "tests", "libcost_shim.so")}
    took = machine.once(command).ms
    with open(path, encoding="ascii") as file:
        return took - int(file.read().split()[0]) / 1e6


def slot_cost(vault):
    """Passes and bytes of the passphrase's slot; docs/vault-format.md, section 5."""
    with sqlite3.connect(f"file:{vault}?mode=ro", uri=True) as db:
        box, = db.execute("SELECT box FROM root").fetchone()
    for index in range(box[17]):
        slot = box[18 + 149 * index:18 + 149 * (index + 1)]
        if slot[16] == 1:
            return int.from_bytes(slot[17:21], "big"), int.from_bytes(slot[21:29], "big")
    raise SystemExit("no slot with a passphrase")


def exponent(small, large, times):
    """p of t ~ N^p."""
    return math.log(large / small) / math.log(times)


# --- rotations ---

def rows_from(script, *words):
    """What another program of the bench says as JSON; it prints for people."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        done = subprocess.run([sys.executable, os.path.join(HERE, script), *words, "--json",
                               file.name], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stdout + done.stderr)
        return json.load(file)


def kills(options, folder):
    """A rotation that is killed: what is done again."""
    del folder
    return rows_from("bench_kills.py", options.build, "--kills", "6" if options.quick else "24")


def rotation(options, folder):
    """bench_bulk.py, with each number of jobs; with the rate known, and not known."""
    del folder
    found = []
    system = ["--system-ca"] if SystemCa.can_be() else []
    runs = [("free", jobs, []) for jobs in (8, 16, 32)]
    runs += [("limited", 16, ["--rate", "120"]), ("unknown", 16, ["--rate", "120"])]
    for kind, jobs, more in runs:
        row, = rows_from("bench_bulk.py", options.build, "--mailboxes", str(options.mailboxes),
                         "--clients", str(options.mailboxes // 20), "--jobs", str(jobs), "--runs",
                         kind, *more, *system)
        row |= {"jobs": jobs, "mailboxes": options.mailboxes}
        found.append(row)
        note(f"  rotation {kind} P {jobs}: ratio {row['ratio']:.2f}, others {row['others']:.0%}")
    return found


def older(options, folder):
    """The daily screen, grants, long files: their own programs, which print what they find."""
    del folder
    found = {}
    for name, words in {
            "status": ["bench_status.py", options.build, "--runs", str(options.rounds)],
            "grants": ["bench_grants.py", options.build],
            "age": ["bench_age.py", os.path.join(options.build, "passation-interop")]}.items():
        done = subprocess.run([sys.executable, os.path.join(HERE, words[0]), *words[1:]],
                              capture_output=True, text=True)
        found[name] = done.stdout
    done = subprocess.run([os.path.join(options.build, "tests", "bench_store")], check=True,
                          capture_output=True, text=True)
    found["store"] = done.stdout
    return found


PARTS = {"daily": daily, "people": people, "carry": carry, "export": export, "import": importing,
         "passphrase": passphrase, "rotation": rotation, "kills": kills, "older": older}


def measure(part, options, folder):
    note(f"== {part}")
    others = machine.Others()
    begun = time.monotonic()
    result = PARTS[part](options, folder)
    return {"result": result, "others": others.share(), "seconds": time.monotonic() - begun}
