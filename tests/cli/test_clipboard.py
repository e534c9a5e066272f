#!/usr/bin/env python3
"""What is left on the clipboard by `show -c` and its like: nothing, whatever ends it.

    test_clipboard.py BUILD

The programs for the clipboard are stand-ins: a script under the name of each, which keeps the
content in a file and can be told to be slow, to fail so often, or to add a newline. Each exit has
a runtime folder of its own, so that several are tried at once. An exit survives if the secret is
off the clipboard, its cleaner has ended, and what somebody else copied meanwhile is still there.
"""

import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import Cases, describe, equal, exits, true  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

BOX, OTHER = (f"box{number}@{World.DOMAIN}" for number in range(2))
SOON = 1  # PASSATION_CLIP_TIME of who waits for it
LATER = 300
PATIENCE_S = 60
SEED = "JBSWY3DPEHPK3PXP"

TOOL = r"""#!/bin/sh
# content: what is on the clipboard. ACT.fail: how often ACT fails. ACT.slow: seconds it takes.
case "$0 $*" in
*--help*) echo "--sensitive"; exit 0 ;;
*-out | *--output | *wl-paste* | *pbpaste*) act=paste ;;
*--clear) act=clear ;;
*) act=copy ;;
esac
cd "$FAKE" || exit 1
new=new.$$
if [ $act = copy ]; then
    cat >$new
    [ -s $new ] || act=clear
fi
echo "$act $0 $*" >>log
[ ! -f $act.slow ] || sleep "$(cat $act.slow)"
if [ -s $act.fail ] && left=$(cat $act.fail) && [ "$left" -gt 0 ]; then
    echo $((left - 1)) >$act.fail
    exit 1
fi
case $act in
paste) [ -s content ] || exit 1; cat content; [ ! -f newline ] || echo ;;
copy) mv $new content; [ ! -f copy.lies ] || exit 1 ;;
clear) : >$new; mv $new content ;;
esac
"""
VARIABLES = {"xclip": "DISPLAY", "xsel": "DISPLAY", "wl-copy": "WAYLAND_DISPLAY"}
PARTNERS = {"wl-copy": "wl-paste", "pbcopy": "pbpaste"}


class Desk:
    """A session with a clipboard of its own."""

    def __init__(self, world, name, tool="xclip", after=LATER):
        self.world = world
        self.dir = os.path.join(world.dir, "desk-" + re.sub(r"\W+", "-", name)[:60])
        self.runtime = os.path.join(self.dir, "runtime")
        self.tools = os.path.join(self.dir, "tools")
        for folder in (self.dir, self.runtime, self.tools):
            os.mkdir(folder, 0o700)
        for program in (tool, PARTNERS.get(tool)):
            if program:
                self.write(os.path.join("tools", program), TOOL)
                os.chmod(os.path.join(self.tools, program), 0o755)
        variable = {VARIABLES[tool]: ":7"} if tool in VARIABLES else {}
        self.env = world.env(FAKE=self.dir, XDG_RUNTIME_DIR=self.runtime,
                             PATH=self.tools + ":/usr/bin:/bin", PASSATION_CLIP_TIME=str(after),
                             XDG_STATE_HOME=os.path.join(self.dir, "state"), **variable)

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w") as file:
            file.write(text)

    def content(self):
        try:
            with open(os.path.join(self.dir, "content")) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def log(self):
        try:
            with open(os.path.join(self.dir, "log")) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def start(self, *args):
        return subprocess.Popen(self.world.command(*args), env=self.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def run(self, *args, status=0):
        done = subprocess.run(self.world.command(*args), env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        return done if status is None else exits(done, status)

    def copy(self, address=BOX, status=0):
        """Copies a mailbox's password; the password."""
        done = self.run("show", address, "-c", status=status)
        equal(done.stdout, "", "stdout")
        return self.world.passwords[address]

    def has(self, secret):
        equal(self.content(), secret, "the clipboard after a copy")

    def wait(self, what, holds):
        end = time.monotonic() + PATIENCE_S
        while not holds():
            true(time.monotonic() < end, what)
            time.sleep(0.02)

    def cleaner(self):
        """Its process, while it holds the lock."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open(f"/proc/{name}/environ", "rb") as file:
                    ours = os.fsencode("FAKE=" + self.dir) in file.read().split(b"\0")
            except OSError:
                continue
            if ours and b"clipboard-cleaner" in words:
                found.append(int(name))
        return found

    def signal_cleaner(self, number):
        # The program that it starts is called as itself for a moment.
        self.wait("more or less than one cleaner", lambda: len(self.cleaner()) == 1)
        os.kill(self.cleaner()[0], number)

    def check_clean(self, content=""):
        self.wait(f"{self.content()!r} is left on the clipboard",
                  lambda: self.content() == content)
        self.wait("its cleaner does not end", lambda: not self.cleaner())
        equal(self.content(), content, "the clipboard after its cleaner")
        for secret in self.world.passwords.values():
            true(secret not in self.log(), "the secret was an argument")

    def close(self):
        for pid in self.cleaner():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)


# --- exits: what is done after a copy, or instead of its end ---

def time_out(desk):
    desk.copy()


def lock(desk):
    desk.has(desk.copy())
    desk.run("lock")
    equal(desk.content(), "", "after lock has said that it is done")


def lock_of_an_agent(desk):
    desk.run("unlock", "--for", "1h")
    desk.has(desk.copy())
    desk.run("lock")
    equal(desk.content(), "")


def lock_in_another_session(desk):
    desk.has(desk.copy())
    del desk.env["XDG_RUNTIME_DIR"]
    desk.run("lock")
    equal(desk.content(), "", "after lock has said that it is done")


def lock_after_its_folder_was_removed(desk):
    desk.has(desk.copy())
    shutil.rmtree(os.path.join(desk.runtime, "passation"))
    desk.run("lock")
    equal(desk.content(), "", "after lock has said that it is done")


def signalled(number):
    def act(desk):
        desk.has(desk.copy())
        desk.signal_cleaner(number)
    return act


def two_signals(desk):
    desk.write("paste.slow", "0.5")
    desk.copy()
    desk.signal_cleaner(signal.SIGHUP)
    desk.signal_cleaner(signal.SIGTERM)


def ended_meanwhile(number, group):
    """show itself is ended while the program for the clipboard has not yet done its work."""
    def act(desk):
        desk.write("copy.slow", "0.7")
        show = desk.start("show", BOX, "-c")
        desk.wait("nothing is being copied", lambda: "copy" in desk.log())
        (os.killpg if group else os.kill)(show.pid, number)
        show.communicate(timeout=PATIENCE_S)
        time.sleep(1)
        for pid in desk.cleaner():
            os.kill(pid, signal.SIGTERM)
    return act


def locked_while_it_is_copied(desk):
    desk.write("copy.slow", "0.7")
    show = desk.start("show", BOX, "-c")
    desk.wait("nothing is being copied", lambda: "copy" in desk.log())
    desk.run("lock")
    show.communicate(timeout=PATIENCE_S)


def copied_more_slowly_than_its_time(desk):
    desk.write("copy.slow", "1.5")
    desk.copy()


def a_second_copy(desk):
    desk.has(desk.copy())
    desk.has(desk.copy(OTHER))
    equal(len(desk.cleaner()), 1, "cleaners")
    desk.run("lock")


def the_same_again(desk):
    desk.copy()
    desk.has(desk.copy())
    equal(len(desk.cleaner()), 1, "cleaners")
    desk.run("lock")


def a_second_copy_that_fails(desk):
    desk.copy()
    desk.write("copy.fail", "1")
    desk.copy(OTHER, status=None)


def somebody_elses_content(desk):
    desk.copy()
    desk.write("content", "what somebody else copied")


def somebody_elses_content_and_lock(desk):
    somebody_elses_content(desk)
    desk.run("lock")


def emptied_by_somebody_else(desk):
    desk.copy()
    desk.write("content", "")
    desk.run("lock")


def agent_killed(desk):
    desk.run("unlock", "--for", "1h")
    desk.has(desk.copy())
    with open(os.path.join(desk.runtime, "passation/agent.lock")) as file:
        os.kill(int(re.match(r"pid (\d+)", file.read())[1]), signal.SIGKILL)


def agent_killed_and_lock(desk):
    agent_killed(desk)
    desk.run("lock")


def clearing_fails_at_first(desk):
    desk.copy()
    desk.write("clear.fail", "3")
    desk.run("lock")


def looking_fails_at_first(desk):
    desk.copy()
    desk.write("paste.fail", "2")
    desk.run("lock")


def clearing_fails_for_long(desk):
    """Lock says that it is not done yet; it is done as soon as it can be."""
    desk.copy()
    desk.write("clear.fail", "20")
    done = desk.run("lock", status=7)
    true("not cleared" in done.stderr, describe(done))


def program_taken_away(desk):
    desk.copy()
    program = os.path.join(desk.tools, "xclip")
    os.rename(program, program + ".away")
    desk.signal_cleaner(signal.SIGTERM)
    time.sleep(1)  # longer than it looks at one that is there and fails
    os.rename(program + ".away", program)


def copying_fails(desk):
    desk.write("copy.fail", "1")
    done = desk.run("show", BOX, "-c", status=None)
    true(done.returncode not in (0, 139) and "xclip" in done.stderr, describe(done))


def copying_says_that_it_failed(desk):
    desk.write("copy.lies", "")
    true(desk.run("show", BOX, "-c", status=None).returncode != 0, "exit 0")
    equal(desk.content(), "", "after the refusal")


def with_a_newline(desk):
    desk.write("newline", "")
    desk.copy()
    desk.run("lock")


def a_one_time_code(desk):
    desk.run("otp", BOX, "2fa", "-c")
    true(re.fullmatch(r"\d{6}", desk.content()), f"{desk.content()!r} is no code")
    desk.run("lock")


def no_cleaner(desk):
    """A runtime folder that others can read is refused: nothing is copied."""
    folder = os.path.join(desk.runtime, "passation")
    os.mkdir(folder, 0o755)
    done = desk.run("show", BOX, "-c", status=None)
    true(done.returncode != 0, describe(done))
    equal(desk.log(), "", "calls of the program")


def cleaner_that_does_not_start(desk):
    folder = os.path.join(desk.runtime, "passation")
    os.makedirs(os.path.join(folder, "clipboard.lock"), 0o700)
    true(desk.run("show", BOX, "-c", status=None).returncode != 0, "exit 0")
    true("copy" not in desk.log(), desk.log())


def no_program(desk):
    os.unlink(os.path.join(desk.tools, "xclip"))
    desk.env["PATH"] = desk.tools
    desk.run("show", BOX, "-c", status=4)


def a_wrong_time(desk):
    desk.env["PASSATION_CLIP_TIME"] = "soon"
    desk.run("show", BOX, "-c", status=2)
    equal(desk.log(), "", "calls of the program")


ELSE = "what somebody else copied"
EXITS = [
    # (name, what is done, options of Desk, what is to be left)
    ("its time is over", time_out, {"after": SOON}, ""),
    ("lock, without an agent", lock, {}, ""),
    ("lock, with an agent", lock_of_an_agent, {}, ""),
    ("lock, in another session", lock_in_another_session, {}, ""),
    ("lock, its folder removed", lock_after_its_folder_was_removed, {}, ""),
    ("SIGINT", signalled(signal.SIGINT), {}, ""),
    ("SIGTERM", signalled(signal.SIGTERM), {}, ""),
    ("SIGHUP: the session ends", signalled(signal.SIGHUP), {}, ""),
    ("two signals, one after the other", two_signals, {}, ""),
    ("show is interrupted as it copies", ended_meanwhile(signal.SIGINT, True), {}, ""),
    ("show's terminal goes as it copies", ended_meanwhile(signal.SIGHUP, True), {}, ""),
    ("show is killed as it copies", ended_meanwhile(signal.SIGKILL, False), {}, ""),
    ("lock as it is copied", locked_while_it_is_copied, {}, ""),
    ("copying takes longer than its time", copied_more_slowly_than_its_time, {"after": SOON}, ""),
    ("a second copy", a_second_copy, {}, ""),
    ("the same copied again", the_same_again, {}, ""),
    ("a second copy that fails", a_second_copy_that_fails, {}, ""),
    ("somebody else's content, time over", somebody_elses_content, {"after": SOON}, ELSE),
    ("somebody else's content, lock", somebody_elses_content_and_lock, {}, ELSE),
    ("emptied by somebody else", emptied_by_somebody_else, {}, ""),
    ("the agent is killed, time over", agent_killed, {"after": SOON}, ""),
    ("the agent is killed, lock", agent_killed_and_lock, {}, ""),
    ("clearing fails at first", clearing_fails_at_first, {}, ""),
    ("clearing fails for seconds", clearing_fails_for_long, {}, ""),
    ("looking fails at first", looking_fails_at_first, {}, ""),
    ("the program is away for a moment", program_taken_away, {}, ""),
    ("copying fails", copying_fails, {}, ""),
    ("copying says that it failed", copying_says_that_it_failed, {}, ""),
    ("the program adds a newline", with_a_newline, {}, ""),
    ("a one-time code", a_one_time_code, {}, ""),
    ("the runtime folder is not ours alone", no_cleaner, {}, ""),
    ("the cleaner cannot start", cleaner_that_does_not_start, {}, ""),
    ("there is no program", no_program, {}, ""),
    ("the time is no number", a_wrong_time, {}, ""),
    ("Wayland: time over", time_out, {"tool": "wl-copy", "after": SOON}, ""),
    ("Wayland: lock", lock, {"tool": "wl-copy"}, ""),
    ("xsel: time over", time_out, {"tool": "xsel", "after": SOON}, ""),
    ("xsel: lock", lock, {"tool": "xsel"}, ""),
    ("macOS: lock", lock, {"tool": "pbcopy"}, ""),
]


def attempt(world, cases, row):
    name, act, options, left = row
    desk = Desk(world, name, **options)
    try:
        with cases.case(name):
            act(desk)
            desk.check_clean(left)
    finally:
        desk.close()


def main():
    cases = Cases()
    with World(sys.argv[1]) as world:
        world.setup_client(mailboxes=2)
        world.run("secret", "add", BOX, "2fa", "--type", "totp", "--secret-fd", "0", stdin=SEED,
                  check=0)
        world.passwords = {box: world.in_force(box) for box in (BOX, OTHER)}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(attempt, world, cases, row) for row in EXITS]:
                done.result()
    record("2.17", "exits", cases.passed + cases.failed, cases.passed)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
