"""Where to kill a command: at a chosen one of the system calls that it really makes.

strace counts each system call for itself, so `inject=all:when=300` waits for the 300th call of
one and the same name, which most runs never make. Here a run is traced first, and the n-th of its
calls, whatever its name, is then "the m-th pwrite64": that one the next run makes, too.
"""

import os
import re
import signal
import subprocess

# What changes a file or goes to another machine, and what waits for its answer.
CALLS = ["connect", "sendto", "sendmsg", "recvfrom", "write", "pwrite64", "fdatasync", "fsync",
         "ftruncate", "rename", "link", "unlink"]
LINE = re.compile(r"\d+ +(\d+\.\d+) (\w+)\(")
STRACE = ["strace", "-f", "-qq", "-ttt", "-s", "0"]


def run(world, args, prefix, patience_s, pass_fds=()):
    """Exit status and stderr; after its time is up the command is killed where it then is."""
    process = subprocess.Popen([*prefix, *world.command(*args)], env=world.env(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True,
                               pass_fds=pass_fds)
    try:
        stderr = process.communicate(timeout=patience_s)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stderr = process.communicate()[1]
    return process.returncode, stderr


def traced(world, args, patience_s, names=CALLS, pass_fds=()):
    """The command whole: exit status, stderr and its calls as (time, name)."""
    log = os.path.join(world.dir, "calls")
    code, stderr = run(world, args, [*STRACE, "-o", log, "-e", "trace=" + ",".join(names)],
                       patience_s, pass_fds)
    with open(log, encoding="latin-1") as file:
        calls = [(float(found[1]), found[2]) for found in map(LINE.match, file) if found]
    return code, stderr, calls


def point(calls, position):
    """The call at that position, as its name and its number among those of its name. How often a
    run looks for an answer is a matter of time; the last looks are left out for the call
    before them, or the next run might end sooner."""
    names = [name for _, name in calls]
    looks = 0.8 * names.count("recvfrom")
    while names[position] == "recvfrom" and names[:position].count("recvfrom") >= looks:
        position -= 1
    return names[position], names[:position + 1].count(names[position])


def killed_at(world, args, where, patience_s, pass_fds=()):
    """The command, killed as it is about to make that call: (cut short?, stderr)."""
    code, stderr = injected(world, args, where, "signal=SIGKILL", patience_s, pass_fds)
    return code in (137, -signal.SIGKILL), stderr


def injected(world, args, where, what, patience_s, pass_fds=()):
    """The command, with what strace is to do at that call: exit status and stderr."""
    name, number = where
    return run(world, args, [*STRACE, "-o", "/dev/null", "-e", "trace=" + name, "-e",
                             f"inject={name}:{what}:when={number}"], patience_s, pass_fds)


def longest_wait(calls):
    """Position of the first call after the longest time between two of them, less the look for
    an answer that is not there yet: where a request has left and nobody has answered."""
    gaps = [after[0] - before[0] for before, after in zip(calls, calls[1:])]
    index = max(range(len(gaps)), key=gaps.__getitem__)
    return index if calls[index][1] == "recvfrom" else index + 1
