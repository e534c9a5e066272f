"""The real binary in a terminal that is emulated: what a person would see.

    with Screen(world.command("tui"), world.env(), size=(24, 80)) as screen:
        screen.wait("Clients")
        screen.type("2")
        print(screen.text())
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

try:
    import pyte
except ImportError:
    # Debian's package, for whatever other Python comes first in PATH.
    sys.path.append("/usr/lib/python3/dist-packages")
    import pyte

SECONDS = 60


class Picture(pyte.Screen):
    """Knows what ncurses asks of a terminal, and pyte does not: to scroll a region, and a step
    back to a tab stop."""

    def scroll_up(self, count=1):
        self.scroll(self.index, -1, count)

    def scroll_down(self, count=1):
        self.scroll(self.reverse_index, 0, count)

    def scroll(self, step, edge, count):
        at, margins = self.cursor.y, self.margins or (0, self.lines - 1)
        self.cursor.y = margins[edge]
        for _ in range(count or 1):
            step()
        self.cursor.y = at

    def cursor_back_tab(self, count=1):
        for _ in range(count or 1):
            self.cursor.x = max((stop for stop in self.tabstops if stop < self.cursor.x),
                                default=0)


class Stream(pyte.ByteStream):
    more = {"S": "scroll_up", "T": "scroll_down", "Z": "cursor_back_tab"}
    csi = {**pyte.ByteStream.csi, **more}
    events = pyte.ByteStream.events | set(more.values())


class Screen:
    """TERM is "screen", which repeats no character by count (REP): pyte cannot."""

    def __init__(self, argv, env, size=(24, 80), cwd=None):
        self.rows, self.columns = size
        self.screen = Picture(self.columns, self.rows)
        self.stream = Stream(self.screen)
        self.raw = b""
        self.master, self.slave = pty.openpty()
        self.set_size(size)
        self.before = termios.tcgetattr(self.slave)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            argv, stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd=cwd,
            env={"TERM": "screen-256color", **env}, preexec_fn=own_terminal)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A build for coverage writes down first what it ran; to others it is an end like any.
        for number in (signal.SIGUSR2, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.process.pid, number)  # and what a shell has started
                self.process.wait(1)
        self.process.wait()
        self.hang_up()
        os.close(self.slave)

    # --- the terminal ---

    def set_size(self, size):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def resize(self, rows, columns):
        """As a window manager does it: the kernel tells the program."""
        self.rows, self.columns = rows, columns
        self.screen.resize(rows, columns)
        self.set_size((rows, columns))

    def hang_up(self):
        """As when its window is closed."""
        if self.master >= 0:
            os.close(self.master)
        self.master = -1

    def is_cooked(self):
        """The terminal echoes and edits lines, as before."""
        flags = termios.tcgetattr(self.slave)[3]
        return flags == self.before[3]

    def read(self, seconds):
        """Takes in what comes in so long; true if anything did."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            got = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw += got
        self.stream.feed(got)
        return True

    def settle(self, seconds=0.15):
        while self.read(seconds):
            pass

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait(self, pattern, gone=False):
        """Until the pattern (MULTILINE) is on the screen, or is no more."""
        end = time.monotonic() + SECONDS
        while bool(re.search(pattern, self.text(), re.M)) == gone:
            if time.monotonic() > end or (self.process.poll() is not None
                                          and not self.read(0.2)):
                raise AssertionError(f"{pattern!r} {'stays' if gone else 'is not'} on\n"
                                     + self.text())
            self.read(0.1)
        self.settle(0.05)
        return re.search(pattern, self.text(), re.M)

    # --- the person ---

    KEYS = {"up": "\x1bOA", "down": "\x1bOB", "right": "\x1bOC", "left": "\x1bOD",
            "enter": "\r", "esc": "\x1b", "tab": "\t", "back": "\x7f", "f5": "\x1b[15~",
            "pgup": "\x1b[5~", "pgdn": "\x1b[6~", "home": "\x1b[1~", "end": "\x1b[4~",
            "backtab": "\x1b[Z", "delete": "\x1b[3~", "f1": "\x1bOP", "f2": "\x1bOQ"}

    def type(self, *keys):
        for key in keys:
            os.write(self.master, self.KEYS.get(key, key).encode())
            if key == "esc":
                time.sleep(0.12)  # or it would begin the sequence of another key

    def finish(self):
        end = time.monotonic() + SECONDS
        while self.process.poll() is None:
            self.read(0.05)
            if time.monotonic() > end:
                raise AssertionError("it does not end\n" + self.text())
        self.settle(0.05)
        return self.process.returncode
