"""Certificates of every kind, good and bad, made with the openssl command."""

import pathlib
import subprocess
import time

CA_CONFIG = """
[ca]
default_ca = c
[c]
dir = {dir}
database = {dir}/index.txt
new_certs_dir = {dir}/issued
unique_subject = no
rand_serial = yes
policy = p
default_md = sha256
email_in_dn = no
copy_extensions = none
[p]
commonName = optional
"""

CA_EXT = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
LEAF_EXT = (
    "basicConstraints=critical,CA:FALSE\n"
    "keyUsage=critical,digitalSignature,keyEncipherment\n"
    "extendedKeyUsage=serverAuth\n"
)
GOOD_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1\n"


def run(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stamp(seconds_from_now):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds_from_now))


class Certificate:
    """Paths of a certificate, its key, and the chain that a server would send."""

    def __init__(self, path, key, issuer):
        self.path = path
        self.key = key
        self.issuer = issuer

    def pem(self):
        text = self.path.read_text()
        return text[text.index("-----BEGIN") :]


class Pki:
    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        (self.dir / "issued").mkdir(parents=True)
        (self.dir / "index.txt").write_text("")
        (self.dir / "index.txt.attr").write_text("unique_subject = no\n")
        self.config = self.dir / "ca.cnf"
        self.config.write_text(CA_CONFIG.format(dir=self.dir))
        self.count = 0
        self.ca_key = self.key("ca")
        self.leaf_key = self.key("leaf")
        self.root = self.make("Test root", ext=CA_EXT, key=self.ca_key)

    def key(self, name, *options):
        path = self.dir / f"{name}.key"
        options = options or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        run("openssl", "genpkey", *options, "-out", str(path))
        return path

    def make(self, subject, ext=None, key=None, issuer=None, start=-3600, end=86400, md="sha256"):
        """Without issuer: signed by itself. Without ext: version 1."""
        self.count += 1
        base = self.dir / f"{self.count}"
        key = key or self.leaf_key
        request, cert, ext_file = (base.with_suffix(s) for s in (".csr", ".crt", ".ext"))
        run("openssl", "req", "-new", "-batch", "-config", "/dev/null", "-subj", f"/CN={subject}",
            "-key", str(key), "-out", str(request))
        command = ["openssl", "ca", "-batch", "-notext", "-config", str(self.config), "-md", md,
                   "-startdate", stamp(start), "-enddate", stamp(end),
                   "-in", str(request), "-out", str(cert)]
        if ext is not None:
            ext_file.write_text(ext)
            command += ["-extfile", str(ext_file)]
        if issuer:
            command += ["-cert", str(issuer.path), "-keyfile", str(issuer.key)]
        else:
            command += ["-selfsign", "-keyfile", str(key)]
        run(*command)
        return Certificate(cert, key, issuer)

    def intermediate(self, subject="Test intermediate", ext=CA_EXT, issuer=None, **options):
        return self.make(subject, ext=ext, key=self.ca_key, issuer=issuer or self.root, **options)

    def leaf(self, names=GOOD_NAMES, subject="localhost", issuer=None, ext=LEAF_EXT, **options):
        return self.make(subject, ext=ext + names, issuer=issuer or self.root, **options)

    def bundle(self, cert, others=()):
        """A file with certificate, whatever else is to be sent, and key."""
        self.count += 1
        path = self.dir / f"{self.count}.pem"
        path.write_text("".join(c.pem() for c in [cert, *others]) + cert.key.read_text())
        return path
