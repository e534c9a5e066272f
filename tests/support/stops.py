"""A command that is stopped after each of its system calls that another machine, or who looks at a
disk, could notice.

    status = stops.run(words, env, out, at_call)

ptrace itself, where the other campaigns take strace: a test can do something at every stop, and
several thousand of them take less than a second.
"""

import ctypes
import os
import platform
import signal
import threading

# What changes a file or goes to another machine, and what waits for its answer.
CALLS = {
    "x86_64": {1: "write", 18: "pwrite64", 20: "writev", 42: "connect", 44: "sendto",
               45: "recvfrom", 46: "sendmsg", 74: "fsync", 75: "fdatasync", 77: "ftruncate",
               82: "rename", 83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 263: "unlinkat",
               264: "renameat", 265: "linkat", 316: "renameat2"},
    "aarch64": {64: "write", 68: "pwrite64", 66: "writev", 203: "connect", 206: "sendto",
                207: "recvfrom", 211: "sendmsg", 82: "fsync", 83: "fdatasync", 46: "ftruncate",
                34: "mkdirat", 35: "unlinkat", 37: "linkat", 38: "renameat", 276: "renameat2"},
}.get(platform.machine())

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
TRACEME, SYSCALL, SETOPTIONS, SYSCALL_INFO = 0, 24, 0x4200, 0x420E
# System calls are marked; children and threads come along; all end with this process.
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x100000
CALL_STOP = signal.SIGTRAP | 0x80
ENTRY, EXIT = 1, 2


def ptrace(request, pid, at=0, data=0):
    if LIBC.ptrace(request, pid, at, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace: " + os.strerror(ctypes.get_errno()))


def call_of(pid):
    """(ENTRY or EXIT, the number of the call at an entry)"""
    info = (ctypes.c_uint64 * 16)()
    ptrace(SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
    return info[0] & 0xFF, info[3]


def start(words, env, out):
    """The command, stopped before its first instruction; its outputs go to out and out.err."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        ptrace(SETOPTIONS, pid, 0, OPTIONS)
        return pid
    try:
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        for name, fd in ((out, 1), (out + ".err", 2)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), fd)
        os.setsid()
        LIBC.ptrace(TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execvpe(words[0], words, env)
    finally:
        os._exit(127)


def run(words, env, out, at_call, patience_s=120):
    """The exit status, negative after a signal. at_call(name) is called at each stop; the command
    is killed there if it returns True, and wherever it is when its time is up."""
    first = start(words, env, out)
    timer = threading.Timer(patience_s, os.kill, (first, signal.SIGKILL))
    timer.start()
    try:
        return follow(first, at_call)
    finally:
        timer.cancel()


def follow(first, at_call):
    inside, status = {}, None
    stopped, signalled = first, 0
    tasks = {first}
    while True:
        if stopped is not None:
            try:
                ptrace(SYSCALL, stopped, 0, signalled)
            except ProcessLookupError:
                pass
        pid, how = os.waitpid(-1, 0x40000000)
        stopped, signalled = pid, 0
        if not os.WIFSTOPPED(how):
            stopped = None
            tasks.discard(pid)
            if pid == first:
                status = os.waitstatus_to_exitcode(how)
            if status is not None and not tasks:
                return status
            continue
        tasks.add(pid)
        what = os.WSTOPSIG(how)
        if what == CALL_STOP:
            phase, number = call_of(pid)
            if phase == ENTRY:
                inside[pid] = CALLS.get(number)
                continue
            name = inside.pop(pid, None)
            if phase == EXIT and name and at_call(name):
                os.kill(first, signal.SIGKILL)
        elif what not in (signal.SIGTRAP, signal.SIGSTOP):
            signalled = what
