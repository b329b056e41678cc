"""Certificates of all kinds that an operator can have, made by OpenSSL in a folder."""
import datetime
import subprocess

CA = """[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
x509_extensions = names
[any]
commonName = supplied
[req]
distinguished_name = subject
[subject]
[names]
subjectAltName = {names}
"""


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def sign(config, request, path, begins, ends, *words):
    """Sign a request by `openssl ca`, which alone makes certificates of the past in all versions."""
    now = datetime.datetime.now(datetime.timezone.utc)
    dates = [(now + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ") for days in (begins, ends)]
    openssl("ca", "-batch", "-notext", "-config", config, "-in", request, "-startdate", dates[0], "-enddate", dates[1],
            "-out", path, *words)


class Certificates:
    """Files in a folder, each made when it is asked for first."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(exist_ok=True)

    def key(self, name="key", kind=("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")):
        path = self.folder / f"{name}.key"
        if not path.exists():
            openssl("genpkey", *kind, "-out", path)
            path.chmod(0o600)
        return path

    def certificate(self, name, key=None, host="mail.example.org", begins=-1, ends=90, common=None, issuer=None):
        """begins and ends: days from now.  issuer: the name of a certificate that signs this one."""
        path = self.folder / f"{name}.pem"
        if path.exists():
            return path
        key = key or self.key()
        names = ",".join(f"DNS:{one}" for one in host.split())
        config, request = self.folder / f"{name}.cnf", self.folder / f"{name}.csr"
        config.write_text(CA.format(folder=self.folder, names=names))
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("%02X\n" % (len(list(self.folder.iterdir())) + 16))
        openssl("req", "-new", "-config", config, "-key", key, "-subj", f"/CN={common or host.split()[0]}", "-out", request)
        signer = ["-selfsign", "-keyfile", key] if issuer is None else \
            ["-cert", self.folder / f"{issuer}.pem", "-keyfile", self.folder / f"{issuer}.key"]
        sign(config, request, path, begins, ends, *signer)
        return path
