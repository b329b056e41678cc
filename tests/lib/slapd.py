"""An OpenLDAP server of our own on a loopback port, started by hand and not by the system."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from server import LIMIT_S, certificate, free_port, freeze, thaw, wait_until

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin:" + os.environ.get("PATH", ""))
SCHEMAS = pathlib.Path("/etc/ldap/schema")
BASE = "dc=example,dc=org"
SERVICE_DN, SERVICE_PASSWORD = f"cn=imapd,{BASE}", "service secret"

CONFIG = """\
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
{more}
pidfile {folder}/pid
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw admin
directory {folder}/db
index uid eq
{access}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by * none
"""


class Slapd:
    """One server; entries is LDIF below the base, more and access are lines of slapd.conf.  Use as a context manager."""

    def __init__(self, entries, more="", access=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="imapd-slapd-"))
        (self.folder / "db").mkdir()
        self.cert, self.key = certificate(self.folder)
        self.port, self.tls_port = free_port(), free_port()
        # Not localhost: libldap looks for the machine's own name in the certificate then.
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.tls_uri = f"ldaps://127.0.0.1:{self.tls_port}"
        self.misnamed_uri = f"ldaps://127.0.0.2:{self.tls_port}"
        self.process = None
        self.config = self.folder / "slapd.conf"
        self.config.write_text(CONFIG.format(schemas=SCHEMAS, folder=self.folder, base=BASE,
                                             cert=self.cert, key=self.key, service=SERVICE_DN, more=more,
                                             access=access))
        root = (f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
                f"dn: {SERVICE_DN}\nobjectClass: person\ncn: imapd\nsn: imapd\n"
                f"userPassword: {SERVICE_PASSWORD}\n\n"
                f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n")
        subprocess.run([SLAPD, "-T", "add", "-f", self.config], check=True, capture_output=True, text=True,
                       input=root + entries)

    def start(self):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [SLAPD, "-d", "256", "-f", self.config, "-h",
             f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port} {self.misnamed_uri}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        wait_until(self._answers)
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.tls_port), 5).close()
            return True
        except ConnectionRefusedError:
            return False

    def stop(self):
        if self.process is not None:
            thaw(self.process)
            self.process.terminate()
            self.process.wait(LIMIT_S)
            self.process = None

    def freeze(self):
        """Accepts connections, and says nothing any more."""
        freeze(self.process)

    def thaw(self):
        thaw(self.process)

    def modify(self, ldif):
        subprocess.run(["ldapmodify", "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", f"cn=admin,{BASE}",
                        "-w", "admin"], input=ldif, text=True, check=True, capture_output=True)

    def log(self):
        return (self.folder / "log").read_text(errors="backslashreplace")

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def person(name, password, *more):
    """LDIF of a user."""
    return "\n".join([f"dn: uid={name},ou=people,{BASE}", "objectClass: inetOrgPerson", f"uid: {name}",
                      f"cn: {name}", f"sn: {name}", f"userPassword: {password}", *more]) + "\n\n"
