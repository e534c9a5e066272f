"""The tables of docs/performance.md, from what bench.py measured, and putting them there."""

import math

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
MILLION = 1e6
BUSY = 0.1  # of the processors, by other programs: worth a word beside the figure


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def ms(value):
    return f"{value:.1f} ms" if value < 100 else f"{value / 1000:.2f} s" if value > 1000 \
        else f"{value:.0f} ms"


def times(ratio):
    """ours / theirs, as people say it."""
    if ratio >= 0.95:
        return f"{ratio:.2f}"
    return f"1/{1 / ratio:.1f}" if ratio > 0.1 else f"1/{1 / ratio:.0f}"


def spaced(number):
    return f"{int(number):,}".replace(",", " ")


def verdict(is_must, is_aim=None):
    if not is_must:
        return "**missed**"
    return "met" if is_aim is None or is_aim else "met; aim missed"


class Found:
    """The results. A part that was not measured raises KeyError."""

    def __init__(self, results):
        self.results = results
        self.others = 0.0  # of the processors, while what was asked for was measured

    def part(self, name):
        self.others = max(self.others, self.results[name]["others"])
        return self.results[name]["result"]

    def sizes(self):
        return self.part("daily")["sizes"]

    @property
    def largest(self):
        return max(self.sizes(), key=int)

    def of(self, operation, size=None):
        return self.sizes()[size or self.largest][operation]

    def counted(self, size=None):
        return self.of("counted", size)

    def growth(self, operation):
        """t(largest) / t(1 000) in runs by turns, and p of t ~ N^p."""
        row = self.part("daily")["growth"]
        grown = row[operation]["passation"]
        return grown, math.log(grown) / math.log(row["to"] / row["from"])

    def power(self, operation, whose):
        """p of t ~ N^p, from the medians."""
        small, large = (self.of(operation, size)["ms"][whose] for size in ("1000", self.largest))
        return math.log(large / small) / math.log(int(self.largest) / 1000)

    def rotations(self, kind):
        return [row for row in self.part("rotation") if row["name"] == kind]


# --- the goals: number, words, and a function that gives figure, must, aim ---

def goal_get(found):
    row = found.of("get")
    ratio = row["ratio"]
    text = (f"masked {row['ms']['masked'] / row['ms']['floor']:.2f} × floor; shown "
            f"{ratio['floor']:.2f} × floor, {ratio['floor, noted']:.2f} × a floor that notes it as "
            f"durably; {1 / ratio['pass']:.1f} × faster than pass, {ratio['age']:.2f} × `age -d`, "
            f"{spaced(1 / ratio['keepassxc-cli'])} × faster than keepassxc-cli")
    return (text, ratio["floor"] <= 1.5 and ratio["pass"] <= 1 / 5
            and ratio["keepassxc-cli"] <= 1 / 1000, ratio["floor"] <= 1 and ratio["age"] <= 1)


def goal_growth(found):
    grown, power = found.growth("get")
    many, few = (found.counted(size)["instructions"]["get"] for size in (found.largest, "1000"))
    floor = found.part("daily")["growth"]["get"]["floor"]
    return (f"{grown:.2f} (N^{power:.3f}; the floor {floor:.2f}); callgrind {many / few - 1:+.1%}",
            grown <= 1.15 and many / few <= 1.05, None)


def goal_passphrase(found):
    row = found.part("passphrase")
    return (f"the KDF ({row['passes']} passes, {row['memory_mib']} MiB) takes "
            f"{ms(row['ms']['kdf'])}; all else {row['more_ms']:+.1f} ms",
            row["more_ms"] <= 5, None)


def goal_instructions(found):
    count = found.counted()["instructions"]
    most = count["longest log"]
    return (f"{count['get'] / MILLION:.2f} M, {most / MILLION:.2f} M with the longest log "
            f"({count['masked'] / MILLION:.2f} M masked; the floor "
            f"{count['floor get'] / MILLION:.2f} M, of it {count['floor start'] / MILLION:.2f} M "
            f"to load the two libraries)", most <= 4 * MILLION, most <= MILLION)


def goal_start(found):
    row, curl = found.part("daily")["start"], found.counted()["libcurl"]
    ratio = row["ratio"]
    return (f"{ratio['floor']:.2f} × floor, {ratio['age']:.2f} × age, {ratio['pass']:.2f} × gpg, "
            f"{ratio['true']:.2f} × /bin/true; libcurl {'mapped' if curl else 'not mapped'}",
            ratio["floor"] <= 1.5 and ratio["age"] < 1 and ratio["pass"] < 1 and not curl,
            ratio["true"] <= 1.3)


def goal_list(found):
    ratio = found.of("list")["ratio"]
    first = found.counted()["first_byte"]
    return (f"{ratio['floor']:.2f} × floor, {1 / ratio['pass']:.1f} × faster than pass, "
            f"{1 / ratio['keepassxc-cli']:.0f} × than keepassxc-cli; the first name after "
            f"{first:.0%} of the time",
            ratio["floor"] <= 1.5 and ratio["pass"] <= 1 / 3 and ratio["keepassxc-cli"] <= 1 / 50
            and first < 0.5, ratio["floor"] <= 1.1)


def goal_memory(found):
    kib = found.counted()["kib"]
    table = f"; the table of `role ls` {kib['table'] / 1024:.0f} MiB" if "table" in kib else ""
    return (f"get {kib['get'] / 1024:.1f} MiB (floor {kib['floor get'] / 1024:.1f}), list "
            f"{kib['list'] / 1024:.1f} MiB (floor {kib['floor list'] / 1024:.1f}){table}",
            kib["get"] <= 6 * 1024 and kib["list"] <= 10 * 1024, kib["get"] <= 4 * 1024)


def goal_add(found):
    ratio, syncs = found.of("add")["ratio"], found.counted()["syncs"]
    grown, power = found.growth("add")
    mine, floors = syncs["passation"], syncs["floor"]
    return (f"{mine['median']:.0f} syncs, {mine['mean']:.1f} with those that empty the log (floor "
            f"{floors['median']:.0f}, {floors['mean']:.1f}); {ratio['floor']:.2f} × floor; "
            f"{1 / ratio['pass']:.1f} × faster than pass; {ratio['age']:.2f} × `age -r`; "
            f"grows {grown:.2f} (N^{power:.3f})",
            mine["median"] <= 2 and ratio["floor"] <= 2 and ratio["pass"] <= 1 / 3
            and grown <= 1.15, ratio["age"] <= 1)


def person_row(found, verb):
    """Of the store that pass was in, and its size; and how much the time grows."""
    sizes = found.part("people")["sizes"]
    among, beside = next(item for item in sizes.items() if "pass" in item[1][verb]["ratio"])
    beside = beside | {"among": spaced(among)}
    few, many = min(sizes, key=int), max(sizes, key=int)
    grown = sizes[many][verb]["ms"]["passation"] / sizes[few][verb]["ms"]["passation"]
    return sizes, beside, grown, many


def goal_share(found):
    sizes, beside, grown, many = person_row(found, "share")
    carried = found.part("carry")["ms"]
    rows, files = sizes[many]["rows"], sizes[many]["files"]
    ratio = beside["share"]["ratio"]
    return (f"{1 / ratio['pass']:.0f} × faster than `pass init` of "
            f"{beside['among']} secrets; {ratio['floor']:.2f} × floor; "
            f"{spaced(many)} secrets {grown:.2f} × 10; {len(files)} files (the issue, its "
            f"signature), {rows['record']} rows, {rows['journal']} journal links; a grant of 1 000 "
            f"secrets {ms(carried)}",
            grown <= 1.25 and len(files) <= 1 and ratio["pass"] <= 1 / 300, carried <= 20)


def goal_end(found):
    sizes, beside, grown, many = person_row(found, "end")
    exact = all(row["exact"] for row in sizes.values())
    return (f"{1 / beside['end']['ratio']['pass']:.0f} × faster than `pass init` of "
            f"{beside['among']}; {spaced(many)} secrets {grown:.2f} × 10; what he knows: "
            f"{'exact' if exact else 'WRONG'}",
            exact and grown <= 1.25 and beside["end"]["ratio"]["pass"] <= 1 / 300, None)


def goal_rotation(found):
    rows = found.rotations("free")
    figures = "; ".join(f"P {row['jobs']}: {row['ratio']:.2f}, {row['refused']} failed, "
                        f"{1000 * row['cpu_s'] / row['requests']:.2f} ms (the ideal "
                        f"{1000 * row['ideal_cpu_s'] / row['requests']:.2f})" for row in rows)
    bad = any(row["ratio"] > 1.10 or row["refused"] or row["cpu_s"] > row["requests"] / 1000
              for row in rows)
    return (f"{rows[0]['mailboxes']} mailboxes; {figures} of processor a request", not bad,
            all(row["ratio"] <= 1.05 for row in rows if row["jobs"] <= 16))


def goal_limited(found):
    known, = found.rotations("limited")
    unknown, = found.rotations("unknown")
    return (f"{known['ratio']:.3f} × the rate's time, {known['refused']} refused; not known: "
            f"{unknown['refused_later'] / max(1, unknown['requests']):.1%} refused after the first "
            f"back-off, {unknown['lost']} lost",
            known["ratio"] <= 1.05 and not known["refused"] and not unknown["lost"]
            and unknown["refused_later"] <= 0.01 * unknown["requests"], known["ratio"] <= 1.02)


def goal_killed(found):
    rows = found.part("kills")
    worst = max(row["repeated"] for row in rows)
    twice = sum(row["twice"] for row in rows)
    return (f"{len(rows)} kills of {rows[0]['mailboxes']} mailboxes, P {rows[0]['jobs']}: at most "
            f"{worst} requests made again, {twice} passwords changed twice",
            worst <= rows[0]["jobs"] and twice <= worst, None)


def goal_export(found):
    row = found.part("export")
    ratio = row["make"]["ratio"]["age"]
    return (f"{ratio:.2f} × `age -r` (two commits, signature and journal with it); opening "
            f"{row['open']['ratio']['age']:.2f} × `age -d`; stock age "
            f"{'opens it' if row['stock_age'] else 'does NOT open it'}",
            ratio <= 2 and row["stock_age"], ratio <= 1.2)


def goal_import(found):
    row = found.part("import")
    ratio = row["few"]["ratio"]
    beside = f", {1 / ratio['pass']:.0f} × faster than pass" if "pass" in ratio else ""
    return (f"{row['syncs']} syncs; {ratio['floor']:.1f} × floor; "
            f"{1 / ratio['keepassxc-cli']:.1f} × faster than keepassxc-cli{beside}",
            ratio["floor"] <= 3 and ratio["keepassxc-cli"] <= 1 / 5
            and ratio.get("pass", 0) <= 1 / 500, ratio["floor"] <= 1.5)


def goal_large_import(found):
    many = found.part("import")["many"]
    count = max(many, key=int)
    row = many[count]
    return (f"{spaced(count)}: {row['sqlite_ms'] / row['ms']:.0%} of SQLite's speed "
            f"({spaced(row['rows'])} rows), {row['kib'] / 1024:.0f} MiB",
            row["sqlite_ms"] >= 0.5 * row["ms"] and row["kib"] <= 32 * 1024, None)


GOALS = [
    ("get of the largest store, by the agent", "≤ 1.5 × floor, 5 × faster than pass, 1 000 × than "
     "keepassxc-cli; aim: floor, age", goal_get),
    ("growth of get, from 1 000", "≤ 1.15; callgrind ≤ +5 %", goal_growth),
    ("get with the passphrase", "the KDF + 5 ms", goal_passphrase),
    ("instructions of a get", "≤ 4 M; aim: 1 M", goal_instructions),
    ("start-up", "≤ 1.5 × floor, faster than age and gpg, no libcurl; aim: 1.3 × true", goal_start),
    ("list all names", "≤ 1.5 × floor, 3 × faster than pass, 50 × than keepassxc-cli, streamed; "
     "aim: 1.1", goal_list),
    ("memory", "get ≤ 6 MiB, list ≤ 10 MiB; aim: get 4", goal_memory),
    ("add, durable", "≤ 2 syncs, ≤ 2 × floor, 3 × faster than pass, flat; aim: `age -r`", goal_add),
    ("share with one more person", "independent of N, 1 file, few rows, 300 × faster than pass; "
     "aim: 1 000 secrets in 20 ms", goal_share),
    ("end a share, our part", "as 9, and exact exposures", goal_end),
    ("bulk rotation, 50 ms server", "≤ 1.10 × ideal, 0 failed, ≤ 1 ms a request; aim: 1.05",
     goal_rotation),
    ("bulk rotation, limited server", "≤ 1.05 × N / rate, no 429; not known: ≤ 1 %, none lost; "
     "aim: 1.02", goal_limited),
    ("rotation, killed", "≤ P requests again", goal_killed),
    ("export 4 secrets to one person", "≤ 2 × `age -r`, stock age opens it; aim: 1.2", goal_export),
    ("import 1 000", "one transaction, ≤ 3 × floor, 5 × faster than keepassxc-cli, 500 × than pass; "
     "aim: 1.5", goal_import),
    ("import the most", "≥ 50 % of SQLite's inserts, ≤ 32 MiB", goal_large_import),
]


def goals(found):
    rows = []
    for number, (what, goal, judge) in enumerate(GOALS, 1):
        found.others = 0.0
        try:
            figure, must, aim = judge(found)
            busy = f" (others had {found.others:.0%})" if found.others > BUSY else ""
            rows.append((number, what, goal, figure + busy, verdict(must, aim)))
        except KeyError:
            rows.append((number, what, goal, "", "not measured"))
    return table(("", "what", "goal", "figure", ""), rows)


# --- side by side ---

HOLDERS = ("passation", "floor", "pass", "age", "keepassxc-cli")


def cells(row, names, of="ms"):
    """The time of each; and how much of it passation takes."""
    return [f"{ms(row[of][name])}" + (f" ({times(row[of]['passation'] / row[of][name])})"
                                      if of == "cpu_ms" and name != "passation" else
                                      f" ({times(row['ratio'][name])})" if name in row["ratio"]
                                      else "") if name in row[of] else "" for name in names]


def operations(found, of="ms"):
    """Medians of each operation, for each size."""
    rows = [("start", "", *cells(found.part("daily")["start"], HOLDERS, of))]
    for operation in ("get", "list", "add"):
        for size in sorted(found.sizes(), key=int):
            rows.append((operation, spaced(size), *cells(found.of(operation, size), HOLDERS, of)))
    return table(("", "secrets", *HOLDERS), rows)


def processor(found):
    return operations(found, "cpu_ms")


def powers(found):
    rows = [(name, *(f"{found.power(operation, name):+.2f}"
                     for operation in ("get", "list", "add")))
            for name in HOLDERS if name != "age"]
    return table(("p of N^p", "get", "list", "add"), rows)


def costs(found):
    """What a get costs over the floor, and where: instructions, by what they are spent in."""
    objects = found.counted()["objects"]
    kinds = {"dynamic loading": "ld-linux", "libc": "libc.so", "SQLite": "libsqlite3",
             "libsodium": "libsodium"}
    rows = []
    for name, what in (("floor start", "floor, nothing"), ("floor get", "floor, get"),
                       ("floor noted", "floor, get, noted first"), ("start", "passation --version"),
                       ("masked", "show, masked"), ("get", "show --reveal"),
                       ("longest log", "show --reveal, the longest log")):
        split = dict.fromkeys(kinds, 0)
        rest = 0
        for path, count in objects[name].items():
            kind = next((kind for kind, part in kinds.items() if part in path), None)
            if kind:
                split[kind] += count
            else:
                rest += count
        total = sum(objects[name].values())
        rows.append((what, f"{total / MILLION:.2f}", *(f"{count / MILLION:.2f}"
                                                      for count in split.values()),
                     f"{rest / MILLION:.2f}"))
    return table(("millions of instructions", "all", *kinds, "the program"), rows)


def persons(found):
    rows = []
    for verb, what in (("share", "share with one more"), ("end", "end it, our part")):
        for size, row in found.part("people")["sizes"].items():
            rows.append((what, spaced(size), *cells(row[verb], ("passation", "floor", "pass"))))
    return table(("", "secrets", "passation", "floor", "pass init"), rows)


def rotations(found):
    rows = [(row["name"], row["mailboxes"], row["jobs"], f"{row['seconds']:.1f} s",
             f"{row['ideal']:.1f} s", f"{row['ratio']:.2f}", row["requests"], row["refused"],
             f"{1000 * row['cpu_s'] / row['requests']:.2f} ms", f"{row['rss_kib'] / 1024:.0f} MiB",
             f"{row['others']:.0%}") for row in found.part("rotation")]
    return table(("run", "mailboxes", "P", "took", "ideal", "ratio", "requests", "refused",
                  "processor, a request", "resident", "others"), rows)


def older(found):
    return "".join(f"```\n{text.strip()}\n```\n\n" for text in found.part("older").values())


def conditions(found):
    rows = [(name, f"{part['seconds']:.0f} s", f"{part['others']:.0%}")
            for name, part in found.results.items() if isinstance(part, dict)]
    return (f"{found.results['machine']}.\n\nWhat other programs used of the processors meanwhile, "
            "above a few per cent, is in the times. Ratios are of runs by turns; but those of "
            "rotations, and what comes on top of the KDF, want a machine that does nothing else:"
            "\n\n"
            + table(("part", "took", "others"), rows))


SECTIONS = [
    ("Goals", goals), ("Side by side", operations), ("Side by side: processor time", processor),
    ("Growth", powers),
    ("What a get costs over the floor", costs), ("A person more, a person less", persons),
    ("Bulk rotation", rotations), ("Other programs of the bench", older),
    ("Where, and beside what", conditions),
]


def compose(results):
    found = Found(results)
    parts = []
    for title, make in SECTIONS:
        try:
            parts.append(f"## {title}\n\n{make(found)}")
        except KeyError as missing:
            parts.append(f"## {title}\n\nNot measured ({missing.args[0]}).\n")
    return "\n".join(parts)


def write(path, text):
    with open(path, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        raise SystemExit(f"{path}: no '{BEGIN}' … '{END}'")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
