#!/usr/bin/env python3
"""Those who read the sources without running them, over every file of src/ and tests/ and the
headers these include: gcc's -fanalyzer, clang-tidy, cppcheck.

    analysers.py BUILD [--tool gcc|clang-tidy|cppcheck]… [--only PATH]… [--workers W]
                 [--record FILE]

BUILD is one that was made with gcc: its compile commands count, and what it generated.
Exit 1, with what they say, if they say anything. What is asked of clang-tidy stands in .clang-tidy
and tests/.clang-tidy; a line that is let pass has its reason beside it.

--record appends one line of JSON a file, {"class": "analysis", "part": "clang-tidy/src/a.c",
"tried": 1, "survived": 0 or 1}, and leaves out what stands there as survived.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

FOUND = re.compile(r"^(\S+?):\d+:(?:\d+:)? (?:warning|error|performance|portability|style): ")
# The pattern would set what the analyzer is to find unset; and it reads what is written, not what
# an optimizer makes of it.
GCC_LEAVES_OUT = ("-ftrivial-auto-var-init=", "-O", "-flto", "-Werror", "-D_FORTIFY_SOURCE")
GCC = ["-O0", "-fanalyzer", "-fdiagnostics-path-format=none", "-fno-diagnostics-show-caret"]
TIDY = ["clang-tidy", "--quiet", "--extra-arg=-U_FORTIFY_SOURCE"]
# cppcheck does not know the cleanup attribute, nor that an out value is set when the code is OK, nor
# where a function returns before it looks at what a test gives it as NULL: leaks, what is unset and
# such calls are the other two's, of valgrind and of the sanitizers.
CPPCHECK = ["cppcheck", "--quiet", "--std=c11", "--enable=warning,performance,portability",
            "--inline-suppr", "--template={file}:{line}: {severity}: {message} [{id}]",
            *("--suppress=" + name for name in ("missingIncludeSystem", "unknownMacro", "memleak",
                                                "uninitStructMember", "uninitvar",
                                                "legacyUninitvar", "ctuuninitvar",
                                                "ctunullpointer")),
            "-Iinclude", "-Isrc", "-Itests", "-D_GNU_SOURCE"]


def commands(build):
    """Of each file that is ours, by its name from the root, one command that compiles it."""
    listed = subprocess.run(["git", "ls-files", "src/*.c", "tests/*.c"], cwd=ROOT, text=True,
                            capture_output=True, check=True).stdout.split()
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        known = {os.path.relpath(row["file"], ROOT): row for row in json.load(file)}
    return {name: known[name] for name in listed if name in known}


def said(words, folder=ROOT):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace")
    return done.stdout + done.stderr


def gcc(command):
    words = [word for word in shlex.split(command["command"])
             if not word.startswith(GCC_LEAVES_OUT)]
    words = words[words[0].endswith("ccache"):]
    words[words.index("-o") + 1] = os.devnull
    words[1:1] = GCC
    return said(words, command["directory"])


def of_files(names, options, look):
    """What is said, file by file, as it is found."""
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        yield from zip(names, pool.map(look, names))


def run_gcc(files, options):
    return of_files(list(files), options, lambda name: gcc(files[name]))


def run_tidy(files, options):
    return of_files(list(files), options, lambda name: said([*TIDY, "-p", options.build, name]))


def run_cppcheck(files, _):
    """All at once: it follows calls from one to another."""
    by_file = {name: "" for name in files}
    for line in said([*CPPCHECK, *files]).splitlines():
        found = FOUND.match(line)
        if found:  # what is said of a header, of the first that could have included it
            name = found.group(1) if found.group(1) in files else next(iter(files))
            by_file[name] += line + "\n"
    yield from by_file.items()


TOOLS = {"gcc": ("gcc -fanalyzer", run_gcc), "clang-tidy": ("clang-tidy", run_tidy),
         "cppcheck": ("cppcheck", run_cppcheck)}


def clean(path):
    """The parts that stand there as survived. What does not is tried again: it is left out."""
    if not path or not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    rows = [row for row in rows if row["survived"]]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return {row["part"] for row in rows}


def look(tool, files, options):
    """Prints what the tool says, each line once; how much that is."""
    title, run = TOOLS[tool]
    done, seen = clean(options.record), set()
    left = {name: files[name] for name in files if f"{title}/{name}" not in done}
    for name, text in run(left, options) if left else ():
        new = [line for line in text.splitlines() if FOUND.match(line)]
        for line in new:
            if line not in seen:
                print(line, flush=True)
        seen.update(new)
        if options.record:
            with open(options.record, "a", encoding="utf-8") as file:
                file.write(json.dumps({"class": "analysis", "part": f"{title}/{name}", "tried": 1,
                                       "survived": 0 if new else 1}) + "\n")
    print(f"{tool}: {len(left)} files, {len(seen)} findings", file=sys.stderr)
    return len(seen)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=os.path.abspath)
    parser.add_argument("--tool", action="append", choices=list(TOOLS))
    parser.add_argument("--only", action="append", help="a file, or a folder with a slash")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--record")
    options = parser.parse_args()
    files = {name: command for name, command in commands(options.build).items()
             if not options.only or name.startswith(tuple(options.only))}
    total = sum([look(tool, files, options) for tool in options.tool or TOOLS])
    return 1 if total or not files else 0


if __name__ == "__main__":
    sys.exit(main())
