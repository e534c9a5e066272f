#!/usr/bin/env python3
"""The Debian package: what is in it, and that it installs, works and goes without a trace.

    test_package.py BUILD                packs BUILD; contents and control, unpacked into a folder
    test_package.py BUILD --bare [--deb FILE] [--tree DIR]
                                         installs FILE (else scripts/package's) on a bare Debian 12,
                                         made by debootstrap, or copied from DIR. As root, with a
                                         network; 77 where one is missing.
"""

import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
SKIP = 77
NEEDED = ("usr/bin/passation", "usr/share/man/man1/passation.1.gz",
          "usr/share/man/man1/passation-due.1.gz", "usr/share/doc/passation/copyright",
          "usr/share/doc/passation/changelog.gz", "usr/lib/systemd/user/passation-due.service",
          "usr/lib/systemd/user/passation-due.timer",
          "usr/share/locale/fr/LC_MESSAGES/passation.mo")
DEPENDS = ("libsodium23", "libsqlite3-0", "libjansson4", "libexpat1", "libcurl4", "libssl3",
           "libc6", "ca-certificates")
RECOMMENDS = ("libzxcvbn0", "libqrencode4")
# What dpkg and apt write about their own work.
OWN_LOGS = ("var/log/", "var/lib/dpkg/", "var/cache/", "var/lib/apt/", "tmp/", "srv/", "proc/", "sys/",
            "dev/", "run/", "etc/ld.so.cache")


def run(*words, status=0, env=None):
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    if done.returncode != status:
        raise SystemExit(f"test_package: {' '.join(words)}: {done.returncode}\n"
                         f"{done.stdout}{done.stderr}")
    return done.stdout


def check(holds, what):
    if not holds:
        raise SystemExit(f"test_package: {what}")


def check_control(deb):
    control = run("dpkg-deb", "-f", deb)
    fields = dict(line.split(": ", 1) for line in control.splitlines()
                  if ": " in line and not line.startswith(" "))
    for name in DEPENDS:
        check(name in fields["Depends"], f"{name} is not depended on: {fields['Depends']}")
    for name in RECOMMENDS:
        check(name in fields["Recommends"], f"{name} is not recommended")
    check(fields["Package"] == "passation" and fields["Section"] == "admin", control)
    check("coffre" in control, "no French description")


def check_contents(deb, folder):
    run("dpkg-deb", "-x", deb, folder)
    names = []
    for top, _, files in os.walk(folder):
        names += [os.path.relpath(os.path.join(top, name), folder) for name in files]
    for name in NEEDED:
        check(name in names, f"{name} is not in the package: {sorted(names)}")
    commands = {os.path.basename(page).split(".")[0]
                for page in glob.glob(os.path.join(SOURCE, "docs/man/*.1.scd"))}
    pages = {os.path.basename(name).split(".")[0] for name in names if "/man1/" in name}
    check(pages == commands, f"man pages: {sorted(pages ^ commands)}")
    for name in names:
        check(not name.endswith((".a", ".h", ".cmake", ".pc")), f"{name} is for developers")
        mode = os.lstat(os.path.join(folder, name)).st_mode & 0o777
        check(mode == (0o755 if name.startswith("usr/bin/") else 0o644), f"{name}: {mode:o}")
    owners = {line.split()[1] for line in run("dpkg-deb", "-c", deb).splitlines()}
    check(owners == {"root/root"}, f"owners: {owners}")
    said = run(os.path.join(folder, "usr/bin/passation"), "--version")
    check(said.startswith("passation "), said)


def check_anonymous(deb, folder):
    """Of scripts/package's alone: assertions of other builds name their files in full."""
    run("dpkg-deb", "-x", deb, folder)
    with open(os.path.join(folder, "usr/bin/passation"), "rb") as file:
        check(SOURCE.encode() not in file.read(), "the program names the folder it was built in")
    with open(os.path.join(folder, "usr/lib/systemd/user/passation-due.service"),
              encoding="utf-8") as file:
        check("ExecStart=/usr/bin/passation " in file.read(), "the service starts another one")


def check_units(unpacked, folder):
    """The timer and its service, with the program that was unpacked in place of the installed."""
    if not shutil.which("systemd-analyze"):
        return
    os.mkdir(folder, 0o700)
    for path in glob.glob(os.path.join(unpacked, "usr/lib/systemd/user/*")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        lines = [f"ExecStart={unpacked}/usr/bin/passation {line.split(' ', 1)[1]}"
                 if line.startswith("ExecStart=") else line for line in text.split("\n")]
        with open(os.path.join(folder, os.path.basename(path)), "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
    run("systemd-analyze", "--user", "--man=no", "verify",
        os.path.join(folder, "passation-due.timer"),
        env={**os.environ, "XDG_RUNTIME_DIR": folder})


def pack(build, folder):
    """`cpack` of a build that is there already, whatever its kind."""
    done = subprocess.run(["cpack", "-G", "DEB", "-B", folder], cwd=build, capture_output=True,
                          text=True)
    check(done.returncode == 0, done.stdout + done.stderr)
    return glob.glob(os.path.join(folder, "*.deb"))[0]


def quick(build):
    if not (shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps")):
        print("skipped: dpkg-dev is not installed")
        return SKIP
    with tempfile.TemporaryDirectory(prefix="psn-package-") as folder:
        deb = pack(build, folder)
        check_control(deb)
        where = os.path.join(folder, "root")
        check_contents(deb, where)
        check_units(where, os.path.join(folder, "units"))
    return 0


# --- on a bare Debian ---


def tree_of(root):
    found = {}
    for top, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(top, name)
            short = os.path.relpath(path, root)
            if short.startswith(OWN_LOGS):
                continue
            state = os.lstat(path)
            found[short] = (state.st_mode, 0 if os.path.isdir(path) else state.st_size)
    return found


class Bare:
    def __init__(self, folder, tree):
        self.root = os.path.join(folder, "debian")
        if tree:
            run("cp", "-a", "--one-file-system", tree, self.root)
        else:
            run("debootstrap", "--variant=minbase", "bookworm", self.root)
        for name in ("etc/resolv.conf",):
            shutil.copyfile(os.path.join("/", name), os.path.join(self.root, name))
        for name in glob.glob("/etc/apt/apt.conf.d/*prox*") + glob.glob("/etc/apt/apt.conf"):
            shutil.copyfile(name, self.root + name)

    def run(self, *words, status=0):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/srv", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive",
               **{name: value for name, value in os.environ.items() if name.endswith("_proxy")}}
        return run("chroot", self.root, *words, status=status, env=env)

    def write(self, path, text):
        with open(os.open(self.root + path, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)


def use(bare):
    """What can be done without OVH, as a user would."""
    bare.write("/srv/passphrase", "correct horse battery staple of the package\n")
    base = ("passation", "--no-input", "--vault", "/srv/v.db", "--passphrase-file",
            "/srv/passphrase")
    check(bare.run("passation", "--version").startswith("passation "), "--version")
    bare.run(*base, "init")
    bare.run(*base, "client", "add", "essai", "--nic", "xy000000-ovh", "--domain", "essai.fr")
    check("essai" in bare.run(*base, "client", "ls"), "client ls")
    check("essai" in bare.run(*base, "client", "show", "essai"), "client show")
    bare.run(*base, "person", "add", "jp", "--kind", "provider")
    check('"overview"' in bare.run(*base, "--json", "status"), "status")
    bare.run(*base, "backup", "/srv/copy.db")
    bare.run(*base, "show", "technique@essai.fr", status=4)
    check("PASSATION" in bare.run("man", "-P", "cat", "passation").upper(), "man passation")


def bare_debian(build, deb, tree):
    if os.geteuid() != 0:
        print("skipped: not root, so no chroot")
        return SKIP
    if not tree and not shutil.which("debootstrap"):
        print("skipped: debootstrap is not installed")
        return SKIP
    deb = deb or run(os.path.join(SOURCE, "scripts/package")).strip()
    deb = os.path.join(SOURCE, deb)
    with tempfile.TemporaryDirectory(prefix="psn-bare-") as folder:
        check_control(deb)
        check_contents(deb, os.path.join(folder, "unpacked"))
        check_anonymous(deb, os.path.join(folder, "again"))
        bare = Bare(folder, tree)
        # As apt does it: what is recommended, too. A passphrase of one's own is measured.
        needs = [field.split("|")[0].split("(")[0].strip() for which in ("Depends", "Recommends")
                 for field in run("dpkg-deb", "-f", deb, which).split(",")]
        bare.run("apt-get", "update")
        bare.run("apt-get", "install", "-y", "--no-install-recommends", *needs, "man-db")
        shutil.copyfile(deb, os.path.join(bare.root, "tmp/passation.deb"))
        before = tree_of(bare.root)
        bare.run("dpkg", "-i", "/tmp/passation.deb")
        check(tree_of(bare.root) != before, "nothing was installed")
        use(bare)
        bare.run("dpkg", "-P", "passation")
        after = tree_of(bare.root)
        left = sorted(name for name in after if after[name] != before.get(name))
        check(not left and not set(before) - set(after),
              f"not as before: {left} {sorted(set(before) - set(after))}")
        check("passation" not in bare.run("dpkg-query", "-W", "-f", "${Package} "), "still known")
    print("installed, used and removed on a bare Debian 12")
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=os.path.abspath)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--deb", type=os.path.abspath)
    parser.add_argument("--tree")
    options = parser.parse_args()
    if options.bare:
        return bare_debian(options.build, options.deb, options.tree)
    return quick(options.build)


if __name__ == "__main__":
    sys.exit(main())
