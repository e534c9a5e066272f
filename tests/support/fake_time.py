"""Programs that believe in another time, by libfaketime.

Not through its wrapper `faketime`: that keeps a semaphore under its process number, which stays when
it is killed, and a later wrapper of the same number then refuses to run.
"""

import functools
import glob
import shutil
import subprocess


@functools.cache
def library():
    """The path to preload; None if it is not installed."""
    if not shutil.which("faketime"):
        return None
    for _ in range(20):  # the wrapper knows, if nothing stands in its way
        done = subprocess.run(["faketime", "-f", "+0", "sh", "-c", "echo $LD_PRELOAD"],
                              capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)


def preload():
    if not library():
        raise RuntimeError("libfaketime is missing: scripts/install-deps --test")
    return f"LD_PRELOAD={library()}"


def at(spec):
    """What stands before a command so that its clock is SPEC: '+2d', '@2035-01-01 00:00:00' to
    go on from there, without '@' to stand still."""
    return ["env", preload(), f"FAKETIME={spec}"]
