"""Another file in the place of the system's certificates, for one command alone: OVH's CA is among
them, so that is how the program finds a server in earnest."""

import os
import shutil
import subprocess

SYSTEM = "/etc/ssl/certs/ca-certificates.crt"  # what Debian's libcurl trusts of itself


class SystemCa:
    """The file at path, in a mount namespace: for root."""

    def __init__(self, path):
        self.path = path

    @classmethod
    def with_more(cls, path, *more):
        """The system's own and those of other files, written to path."""
        with open(path, "w", encoding="utf-8") as out:
            for name in (SYSTEM, *more):
                with open(name, encoding="utf-8") as file:
                    out.write(file.read() + "\n")
        return cls(path)

    def words(self):
        """To be put in front of a command."""
        return ["unshare", "--mount", "sh", "-c", f'mount --bind "$0" {SYSTEM} && exec "$@"',
                str(self.path)]

    @staticmethod
    def can_be():
        return os.path.exists(SYSTEM) and shutil.which("unshare") is not None and \
            subprocess.run([*SystemCa(SYSTEM).words(), "true"],
                           capture_output=True).returncode == 0
