"""Disks and processes of a test's own, which are gone with it however it ends.

    machine.alone()             first in main(): exit 77 where that is not possible
    disk = machine.Disk(os.path.join(machine.folder(), "disk"))
    disk.make(8 << 20, 1024)
    with disk.mounted(place): …

alone() runs the program again as the first process of a name space with mounts of its own, on a
tmpfs in which all temporary files are made. When it ends, or is killed, the kernel ends what it
has started, takes the mounts away, and frees the loop devices and the memory with them.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import struct
import subprocess
import sys
import tempfile

MARK = "PSN_TEST_MACHINE"
UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
LIBC = ctypes.CDLL(None, use_errno=True)

LOOP_CTL_GET_FREE = 0x4C82
LOOP_SET_FD = 0x4C00
LOOP_SET_STATUS64 = 0x4C04
LOOP_INFO64 = "=5Q4I64s64s32s2Q"
LO_FLAGS_AUTOCLEAR = 4
PIECE = 1 << 15


def place_for_files():
    """A folder that every Linux has, over which a tmpfs can be mounted without hiding us."""
    used = [os.path.realpath(word) for word in (*sys.argv, __file__, sys.executable)]
    for folder in ("/mnt", "/media", "/srv"):
        if os.path.isdir(folder) and not any(path.startswith(folder + "/") for path in used):
            return folder
    return None


def alone(must=True):
    """Returns in the new name spaces only; without `must` also here, where there can be none."""
    if os.environ.get(MARK):
        place = os.environ["TMPDIR"] = tempfile.tempdir = os.environ[MARK]
        mount("none", place, "tmpfs", options="mode=755")
        # The first process of a name space is deaf to signals that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return
    place = place_for_files()
    tried = [*UNSHARE, "mount", "-t", "tmpfs", "none", place or "/"]
    if (os.getuid() or not place or must and not os.path.exists("/dev/loop-control") or
            subprocess.run(tried, capture_output=True).returncode):
        if not must:
            return
        print("no disks of one's own can be mounted here", file=sys.stderr)
        sys.exit(77)
    os.environ[MARK] = place
    os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])


def folder():
    """A new one, on the tmpfs."""
    return tempfile.mkdtemp(prefix="psn-machine-")


def mount(source, target, kind, flags=0, options=""):
    words = [word.encode() for word in (source, target, kind)]
    if LIBC.mount(*words, ctypes.c_ulong(flags), options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


def umount(target):
    if LIBC.umount2(target.encode(), 0):
        raise OSError(ctypes.get_errno(), f"umount {target}: {os.strerror(ctypes.get_errno())}")


def loop_device(path):
    """A loop device on the file, open; it is freed when neither we nor a mount uses it."""
    with open("/dev/loop-control", "rb") as control, open(path, "r+b") as file:
        while True:
            number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            node = f"/dev/loop{number}"
            if not os.path.exists(node):
                os.mknod(node, 0o600 | 0o060000, os.makedev(7, number))
            device = open(node, "r+b", buffering=0)
            try:
                fcntl.ioctl(device, LOOP_SET_FD, file.fileno())
                fcntl.ioctl(device, LOOP_SET_STATUS64, struct.pack(
                    LOOP_INFO64, 0, 0, 0, 0, 0, 0, 0, 0, LO_FLAGS_AUTOCLEAR, b"", b"", b"", 0, 0))
                return device
            except OSError:  # somebody else was faster
                device.close()


class Disk:
    """An ext4 file system in a file: what is in the file is what the disk holds. What only the
    kernel has above it, for up to half a minute, is lost when the current is."""

    def __init__(self, path):
        self.path = path
        self.size = 0
        self.device = None

    def make(self, size, block):
        """An empty one, with blocks of so many bytes."""
        with open(self.path, "wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-b", str(block), "-m", "0", "-N", "256", "-J",
                        f"size={block >> 10}", "-O", "^resize_inode", "-E",
                        "lazy_itable_init=0,lazy_journal_init=0", self.path], check=True)
        self.size = size

    @contextlib.contextmanager
    def mounted(self, folder):
        with loop_device(self.path) as device:
            self.device = os.path.basename(device.name)
            mount(device.name, folder, "ext4", options="commit=30")
            try:
                yield folder
            finally:
                self.device = None
                umount(folder)

    def writes(self):
        """How often the kernel has written to the mounted disk: alike, nothing has changed there."""
        with open(f"/sys/block/{self.device}/stat") as file:
            return tuple(file.read().split()[4:7:2])

    def held(self):
        """What lies on the disk now: {offset: PIECE bytes}, without those never written to."""
        pieces = {}
        with open(self.path, "rb", buffering=0) as file:
            end = os.fstat(file.fileno()).st_size
            offset = 0
            while offset < end:
                try:
                    offset = os.lseek(file.fileno(), offset, os.SEEK_DATA) // PIECE * PIECE
                except OSError:  # none behind it
                    break
                pieces[offset] = os.pread(file.fileno(), PIECE, offset)
                offset += PIECE
        return pieces

    def put(self, pieces, size):
        """Makes the disk one of that size which holds this."""
        with open(self.path, "wb", buffering=0) as file:
            file.truncate(size)
            for offset, piece in pieces.items():
                os.pwrite(file.fileno(), piece, offset)
        self.size = size
