"""`imapd --check-config`: all that is wrong, each at its line and column, and nothing that is not.

A case is a configuration in which each value that is wrong stands between « and »; what is to be said is listed in
the same order.  The lines of a good configuration are put before it, but for the options that the case has itself, or with a "-".
"""
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

import machine
import server as lib
from certificates import Certificates, openssl

HOST = "mail.example.org"


class World:
    """A folder in which everything is right, to be spoilt."""

    def __init__(self, folder):
        self.folder = folder
        folder.chmod(0o755)
        self.pki = Certificates(folder / "pki")
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        self.key = self.pki.key()
        self.certificate = self.pki.certificate("good")
        self.port, self.imaps_port = lib.free_port(), lib.free_port()
        self.config = folder / "imapd.conf"
        self.taken = None
        self.sockets = {}

    def lines(self):
        return [f"hostname {HOST}", f"data-directory {self.data}", f"control-socket {self.folder}/control",
                f"listen imap 127.0.0.1:{self.port}", f"listen imaps 127.0.0.1:{self.imaps_port}",
                f"tls-certificate {self.certificate}", f"tls-key {self.key}"]

    def check(self, *words, program=lib.IMAPD, **how):
        return subprocess.run([program, *words, "--check-config", f"--config={self.config}"], capture_output=True,
                              text=True, timeout=lib.LIMIT_S, **how)

    def write(self, text):
        """Write the configuration; returns the places of what is marked, as line:column."""
        text = re.sub(r"\{([\w.-]+)\}", lambda found: str(self.named(found[1])), text)
        bare = re.sub("[«»]", "", text)
        own = {line.split()[0].lstrip("-") for line in bare.splitlines() if line.split()}
        text, bare = (re.sub(r"(?m)\n-.*$", "", one) for one in (text, bare))
        before = [line for line in self.lines() if line.split()[0] not in own]
        self.config.write_bytes("\n".join(before + [bare]).encode())
        places = []
        for number, line in enumerate(text.splitlines(), len(before) + 1):
            while "«" in line:
                places.append(f"{number}:{len(line.split('«')[0].encode()) + 1}")
                line = line.replace("«", "", 1).replace("»", "", 1)
        return places

    def named(self, name):
        """A file of the case: {pki.expired.pem}, {folder}."""
        made = getattr(self, "file_" + re.sub(r"\W", "_", name), None)
        return made() if made else self.folder if name == "folder" else self.folder / name

    # Certificates and keys.

    def file_good(self):
        return self.certificate

    def file_key(self):
        return self.key

    def file_other_key(self):
        return self.pki.key("other")

    def file_other(self):
        return self.pki.certificate("other", self.pki.key("other"))

    def file_expired(self):
        return self.pki.certificate("expired", begins=-100, ends=-10)

    def file_soon(self):
        return self.pki.certificate("soon", ends=3.5)

    def file_later(self):
        return self.pki.certificate("later", begins=5)

    def file_foreign(self):
        return self.pki.certificate("foreign", host="imap.example.net www.example.net")

    def file_wildcard(self):
        return self.pki.certificate("wildcard", host="*.example.org")

    def file_b_example(self):
        return self.pki.certificate("b", self.pki.key("other"), host="b.example")

    def file_old_intermediate(self):
        path = self.folder / "chain.pem"
        path.write_bytes(self.certificate.read_bytes() + self.file_expired().read_bytes())
        return path

    def file_wrong_order(self):
        path = self.folder / "order.pem"
        path.write_bytes(self.file_other().read_bytes() + self.certificate.read_bytes())
        return path

    def file_combined(self):
        path = self.folder / "combined.pem"
        path.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        path.chmod(0o600)
        return path

    def file_locked_key(self):
        path = self.folder / "locked.key"
        openssl("pkcs8", "-topk8", "-in", self.key, "-passout", "pass:secret", "-out", path)
        path.chmod(0o600)
        return path

    def file_old_locked_key(self):
        path = self.folder / "old-locked.key"
        openssl("ec", "-in", self.key, "-aes128", "-passout", "pass:secret", "-out", path)
        path.chmod(0o600)
        return path

    def file_request(self):
        return self.certificate.with_suffix(".csr")

    def file_der(self):
        path = self.folder / "good.der"
        openssl("x509", "-in", self.certificate, "-outform", "DER", "-out", path)
        return path

    def file_public_key(self):
        path = self.folder / "public.key"
        openssl("pkey", "-in", self.key, "-pubout", "-out", path)
        path.chmod(0o600)
        return path

    def file_ed25519(self):
        return self.pki.key("ed25519", ("-algorithm", "ED25519"))

    def file_damaged(self):
        path = self.folder / "damaged.pem"
        lines = self.certificate.read_text().splitlines()
        path.write_text("\n".join(lines[:3] + lines[-1:]) + "\n")
        return path

    def file_damaged_key(self):
        return self.secret("damaged.key", re.sub("\n.{8}", "\nAAAAAAAA", self.key.read_text(), count=1))

    def file_half_damaged(self):
        path = self.folder / "half.pem"
        path.write_text(self.certificate.read_text() + self.file_damaged().read_text())
        return path

    def file_certificate_as_key(self):
        return self.secret("certificate.key", self.certificate.read_text())

    def file_own_link(self):
        path = self.folder / "own.conf"
        path.symlink_to(self.config)
        return path

    def file_garbage(self):
        return self.secret("garbage.pem", "not a certificate\n")

    def file_empty(self):
        return self.secret("empty", "")

    def file_open_key(self):
        path = self.folder / "open.key"
        shutil.copy(self.key, path)
        path.chmod(0o644)
        return path

    def file_loop(self):
        path = self.folder / "loop"
        path.symlink_to(path)
        return path

    def file_dangling(self):
        path = self.folder / "dangling"
        path.symlink_to("/nowhere/at/all")
        return path

    def file_link_key(self):
        path = self.folder / "link.key"
        subprocess.run([lib.IMAPCTL, "link-key", path], check=True, capture_output=True)
        return path

    def file_short_link_key(self):
        return self.secret("short.key", "name imapd-0123\nkey 1234\n")

    def file_readable_link_key(self):
        path = self.file_link_key()
        path.chmod(0o644)
        return path

    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    # Folders.

    def file_wide(self):
        path = self.folder / "wide"
        path.mkdir()
        path.chmod(0o755)
        return path

    def file_damaged_data(self):
        path = self.folder / "damaged-data"
        path.mkdir(mode=0o700)
        (path / "directory.db").write_bytes(b"no database\n" * 400)
        return path

    def file_taken(self):
        """A port that somebody has: we."""
        self.taken = self.taken or socket.create_server(("127.0.0.1", 0))
        return self.taken.getsockname()[1]

    def socket(self, name):
        """A Unix socket at which somebody answers: we."""
        path = self.folder / name
        if name not in self.sockets:
            self.sockets[name] = socket.socket(socket.AF_UNIX)
            self.sockets[name].bind(str(path))
            self.sockets[name].listen()
        return path

    def file_free(self):
        return lib.free_port()

    def file_taken_socket(self):
        return self.socket("taken.sock")

    def file_other_taken_socket(self):
        return self.socket("other.sock")

    def file_here(self):
        path = self.folder / "here"
        if not path.is_symlink():
            path.symlink_to(self.folder)
        return path

    def file_long_path(self):
        return self.folder / ("x" * (108 - len(str(self.folder)) - 1))

    def file_longest_path(self):
        return self.folder / ("x" * (107 - len(str(self.folder)) - 1))


@pytest.fixture
def world():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="imapd-check-", dir="/tmp"))  # socket paths are short
    made = World(folder)
    yield made
    for one in [made.taken, *made.sockets.values()]:
        if one:
            one.close()
    shutil.rmtree(folder)


PROGRAM = pathlib.Path("/proc/self/comm").read_text().strip()
ME = pwd.getpwuid(os.getuid()).pw_name

PEM = "-----BEGIN"
WARN = "warning: "

# The configuration, and what is said at each mark; a tuple: all that is said at one.
CASES = {
    # Certificates and keys.
    "no pair": ("tls-key «{other_key}»", "does not belong to the certificate in"),
    "another certificate": ("tls-certificate {other}\ntls-key «{key}»", "does not belong to the certificate in"),
    "wrong order": ("tls-certificate {wrong_order}\ntls-key «{key}»", "the server's own has to come first"),
    "passphrase": ("tls-key «{locked_key}»", "has a passphrase, .*openssl pkey"),
    "passphrase in the old form": ("tls-key «{old_locked_key}»", "has a passphrase, .*openssl pkey"),
    "garbage": ("tls-certificate «{garbage}»\ntls-key «{garbage}»", f"is no PEM, which begins with {PEM} CERT",
                f"is no PEM, which begins with {PEM} PRIV"),
    "empty files": ("tls-certificate «{empty}»\ntls-key «{empty}»", "is empty", "is empty"),
    "damaged": ("tls-certificate «{damaged}»\ntls-key «{damaged_key}»", "certificate in .* is damaged",
                "key in .* is damaged"),
    "damaged chain": ("tls-certificate «{half_damaged}»", "some of the certificates in .* are damaged"),
    "exchanged": ("tls-certificate «{key}»\ntls-key «{certificate_as_key}»", "holds a private key, .*exchanged",
                  "holds a certificate, and no private key"),
    "a request": ("tls-certificate «{request}»", "holds a request for a certificate"),
    "DER": ("tls-certificate «{der}»", "is no PEM, .*openssl x509 -inform DER"),
    "a public key": ("tls-key «{public_key}»", "holds a public key, and no private one"),
    "an unknown kind": ("tls-key «{ed25519}»", "of a kind that is not known here; RSA and ECDSA are"),
    "readable by all": ("tls-key «{open_key}»", "others can read the secret in .*; try chmod 640"),
    "certificates for names": (
        "tls-certificate-for b.example {b_example} «{key}»\ntls-certificate-for c.example «{garbage}» «{key}.none»",
        "does not belong to", "is no PEM", "there is no file"),
    "no such file": ("tls-certificate «{folder}/none.pem»\ntls-key «{folder}/none/key.pem»", "there is no file .*none.pem",
                     "there is no folder .*none$"),
    "nearly its name": ("tls-certificate «{folder}/pki/godo.pem»", 'did you mean "good.pem"'),
    "folders": ("tls-certificate «{folder}»\ntls-key «{folder}»", "is a folder, and not a file",
                "is a folder, and not a file"),
    "a file as folder": ("tls-key «{key}/key.pem»", "is a file, and not a folder"),
    "a symbolic link to itself": ("tls-key «{loop}»", "the symbolic link .*loop leads back to itself"),
    "a symbolic link to nowhere": ("tls-certificate «{dangling}»", "is a symbolic link to /nowhere/at/all, which is not"),
    "a device": ("tls-certificate «/dev/zero»", "is neither a file nor a folder, and not a file"),
    "expired": ("tls-certificate «{expired}»", WARN + ".* expired 10 days ago, on 20"),
    "expiring": ("tls-certificate «{soon}»", WARN + ".* expires in 3 days, on 20"),
    "not yet valid": ("tls-certificate «{later}»", WARN + ".* is not valid before 20"),
    "for another name": ("tls-certificate «{foreign}»", WARN + f".* is not for the name {HOST}"),
    "for another name, and expired": ("hostname a.example.org\ntls-certificate-for b.org «{expired}» {key}\n"
                                      "tls-certificate {wildcard}", WARN + ".* expired .*; is not for the name b.org"),
    "an intermediate expired": ("tls-certificate «{old_intermediate}»", WARN + ".* expired 10 days ago"),
    "a name that the star has not": ("hostname a.b.example.org\ntls-certificate «{wildcard}»", WARN + ".* is not for"),
    "a star for one name": ("tls-certificate-for *.example.net «{foreign}» {key}", WARN + ".* is not for the name \\*."),
    "tls-key is missing": ("tls-certificate «{good}»\n-tls-key", "tls-key is missing"),

    # Ports; tests/unit/config_load.c has what clashes.
    "the same address twice": ("listen imap 127.0.0.1:1143\nlisten imaps «127.0.0.1:1143»",
                               "cannot be listened at beside 127.0.0.1:1143 in .*:\\d+$"),
    "a page for everybody": (
        "admin-listen «0.0.0.0:9993»\nadmin-listen «[::]:9993»\nadmin-listen «192.0.2.1:9993»\nadmin-listen «/run/page»\nadmin-listen «9993»\n"
        "admin-listen «localhost:9993»\nadmin-listen «[::ffff:10.0.0.1]:9993»",
        'is not of the loopback, and other hosts could reach it; did you mean "127.0.0.1:9993"', "is not of the loopback", "is not of the loopback",
        '127.0.0.1:PORT, .*::1.*:PORT or "none"', 'is not ADDRESS:PORT; did you mean "127.0.0.1:9993"', 'did you mean "127.0.0.1:9993"',
        "is not of the loopback"),
    "a foreign address": ("listen imap «192.0.2.77:1143»\nlmtp-listen «198.51.100.1:1144»",
                          "is no address of this host; it has .*127.0.0.1",
                          (WARN + ".* LMTP asks for no password", "is no address of this host; it has")),
    "ports in use": ("listen imap «127.0.0.1:{taken}»\nlmtp-listen «0.0.0.0:{taken}»",
                     f"is in use by {PROGRAM}, pid {os.getpid()}, of user {ME}",
                     ("0.0.0.0:\\d+ cannot be listened at beside", WARN + ".* LMTP asks for no password",
                      f"is in use by {PROGRAM}, pid {os.getpid()}")),
    "a name to listen at": ("listen imap «localhost:143»\nlisten imap «mail.example.org:143»",
                            'has a name, .*did you mean "127.0.0.1:143"', "has a name, where an address"),

    # Folders and sockets.
    "data in a file": ("data-directory «{key}»", "is a file, and not a folder"),
    "data that is not there": ("data-directory «{folder}/mail»", "there is no folder .*; try install -d -m 700 -o"),
    "a protocol log in a file": ("protocol-log «{key}»", "is a file, and not a folder"),
    "a protocol log nowhere": ("protocol-log «{folder}/lgo/imapd»", r"protocol-log: there is no folder .*/lgo; try install -d -m 750 -o \S+ .*/lgo/imapd"),
    "data that others may read": ("data-directory «{wide}»", WARN + ".* has mode 0755; try chmod 700"),
    "paths that are too long": ("control-socket «{long_path}»\nlmtp-listen «{long_path}.»",
                                "at most 107 octets, and this one has 108", "at most 107 octets, and this one has 109"),
    "a path that is just right": ("control-socket {longest_path}",),
    "data that are damaged": ("data-directory «{damaged_data}»", "directory.db is damaged, and no database"),
    "sockets without folders": ("control-socket «{folder}/none/control»\nlmtp-listen «{folder}/none/lmtp»",
                                "there is no folder .*none; try install -d", "there is no folder .*none; try install -d"),
    "sockets in the place of files": ("control-socket «{key}»\nlmtp-listen «{data}»", "is a file, and a socket has to be",
                                      "is a folder, and a socket has to be"),

    "one socket, spelled differently": (
        "control-socket {folder}/./one\nlmtp-listen «{folder}//one»\nlmtp-listen «{here}/one»",
        "cannot be listened at beside .*/one in .*:\\d+$", ("cannot be listened at beside", "cannot be listened at beside")),
    "sockets that somebody has": ("control-socket «{taken_socket}»\nlmtp-listen «{other_taken_socket}»",
                                  f"is in use by {PROGRAM}, pid {os.getpid()}", f"is in use by {PROGRAM}, pid {os.getpid()}"),
    "a symbolic link as socket": ("lmtp-listen «{dangling}»", "is a symbolic link, and a socket has to be there"),

    # Several words of one line.
    "a port alone": ("«listen» 993\n«listen» 143", 'did you mean "listen imaps \\[::\\]:993"', 'did you mean "listen imap \\[::\\]:143"'),
    "a number and its unit": ("quota-storage «10» GB\nidle-timeout «30» m", 'stand together: "10GB"', 'stand together: "30m"'),
    "commas": ("auth-mechanisms «PLAIN,LOGIN»\ndeny-users «alice,bob»", "a space parts them, and no comma",
               WARN + ".*is one name; a space parts several"),
    "where Postfix delivers": ("lmtp-listen «unix:/run/imapd/lmtp»\nlmtp-listen «lmtp:inet:127.0.0.1:24»",
                               'did you mean "/run/imapd/lmtp"', 'did you mean "127.0.0.1:24"'),
    "programs that set themselves up": (
        "autoconfig-listen «[::]:443»\nautoconfig-listen «https»\nautoconfig-listen https «localhost:8443»\nautoconfig-smtp «a b:c»",
        'did you mean "https \\[::\\]:443"', 'did you mean "https \\[::\\]:443"', "has a name, where an address",
        "takes one value"),
    "programs without a server for outgoing mail": ("«autoconfig-listen» https 127.0.0.1:{free}", "autoconfig-smtp is missing"),
    "of Dovecot": ("«ssl_cert» «=» «</etc/ssl/certs/dovecot.pem»\n«mail_location» = maildir:~/Maildir\n«protocols» = imap lmtp\n"
                   "«ssl» = required\n«log_path» = /var/log/mail\n«dovecot_config_version» = 2.4.0\npassdb «{»\n«}»\n"
                   "«!include» «local.conf»\n-tls-certificate",
                   'did you mean "tls-certificate"', 'there is no "="', 'an absolute path, .*did you mean "/etc/ssl/certs/dovecot.pem"',
                   "imapctl import brings other mail in", "IMAP is served where listen says", "there is TLS once there are", "standard error",
                   "imapd-tutorial\\(7\\) has one", "there are no sections", "there are no sections", 'did you mean "include"',
                   "No such file"),
    "of Cyrus": ("«configdirectory:» {data}\n«admins:» cyrus\n«sasl_mech_list:» «GSSAPI»\n«idlesocket:» /run/cyrus/idle\n"
                 "«servername» «:» mail.example.org\n-data-directory\n-hostname",
                 'there is no ":" .* did you mean "data-directory', "group imapd-admin are", 'there is no ":" .*"auth-mechanisms GSSAPI"',
                 "cannot be \"GSSAPI\"", 'there is no option "idlesocket"', 'did you mean "hostname"', 'there is no ":"'),
    "of Courier": ("«PORT=143»\n«IMAPDSTART=YES»\n-listen", ('there is no "="', 'did you mean "listen imap \\[::\\]:143"'),
                   'there is no option "IMAPDSTART"'),
    "of systemd and shells": ("«[imap]»\n«set» log-level info\n«export» hostname=mail.example.org", "there are no sections",
                              "a line begins with the option", "a line begins with the option"),
    "of Exchange Server": ("«Set-ImapSettings» -LoginType PlainTextLogin\n«LoginType» «SecureLogin»\n«MaxConnections» 2000\n"
                           "«X509CertificateName» «mail.example.org»\n«PreAuthenticatedConnectionTimeout» «00:01:00»\n"
                           "«AuthenticatedConnectionTimeout» «00:30:00»\n«MaxConnectionFromSingleIP» «2147483647»\n"
                           "«ExternalConnectionSettings» mail.example.org:993:SSL\n-tls-certificate",
                           "there is no option .*imapd-exchange\\(7\\)", 'did you mean "login-type"', 'did you mean "secure"',
                           'did you mean "max-connections"', 'did you mean "tls-certificate"', "is not an absolute path",
                           'did you mean "login-timeout"', 'did you mean "60"', 'did you mean "idle-timeout"', 'did you mean "1800"',
                           'did you mean "max-connections-per-address"', "is not between", "autoconfig-listen"),
    "words of others": ("tls-minimum «TLSv1.2»\nlogin-type «PlainTextAuthentication»\ndirectory «pam»", 'did you mean "1.2"',
                        'did you mean "plain-auth"', "imapctl user import brings users in"),
    "units of time": ("idle-timeout «1.5h»\nlogin-timeout «0»\ndrain-time «-1»\nexpunge-retention «2weeks»\nhandshake-timeout «never»",
                      'did you mean "5400"', "is not between 1 and", "is not a whole number", 'did you mean "14d"', "the most is 86400"),
    "units of size": ("message-size-limit «50MB»\nmax-command-size «64KiB»\nquota-storage «unlimited»\nprotocol-log-size 1T\n"
                      "quota-warning «90%»", 'did you mean "50M"', 'did you mean "64K"', "0 is no limit", 'did you mean "90"'),
    "units that are missing": ("quota-storage «5»\nexpunge-retention «14»\nidle-timeout «60»", WARN + ".*as in 5G", WARN + ".*as in 14d",
                               WARN + ".*RFC 9051"),
    "a page for everybody": ("admin-listen «0.0.0.0:8080»", 'other hosts could reach it; did you mean "127.0.0.1:8080"'),
    "names of hosts that are none": ("hostname «mail.example.org.»", 'did you mean "mail.example.org"'),
    "a URL as host": ("hostname «https://mail.example.org/»", 'did you mean "mail.example.org"'),
    "a port behind the host": ("hostname «mail.example.org:993»", 'did you mean "mail.example.org"'),
    "an address of mail as host": ("hostname «ada@example.org»", 'did you mean "example.org"'),
    "a host in another alphabet": ("hostname «mail.münchen.example»", "in ASCII, as idn2 prints it"),
    "a hyphen first": ("hostname «-mail.example.org»", "is not the name of a host"),
    "spaces that are none": ("log-level«\u00a0»info\nlogin-timeout 5«\u3000»\nserver-comment \"a\u00a0b\" # c\u00a0d", "looks like a space",
                             "looks like a space"),
    "quotation marks that are none": ("banner «“Hello”»\nserver-comment «'Hello there'»\nhostname «„mail.example.org“»",
                                      'printable ASCII .*the quotation mark is "', "put quotation marks", 'the quotation mark is "'),
    "lines that go on": ("auth-mechanisms PLAIN «\\\nbanner a«\\\nserver-comment \"a\\\\\"", "a line ends where it ends", "a line ends where"),
    "line ends of long ago": ("log-level info«\rbanner a", "a carriage return alone"),
    "two options in one line": ("hostname «mail.example.org» log-level info\ntls-minimum «1.2» ; comment", "log-level begins a line of its own",
                                'a comment begins with "#"'),
    "files as others write them": ("tls-client-ca «none»\ntls-key «file:{key}»\ncontrol-socket «unix:{folder}/c»", "leave the line out",
                                   'did you mean "/', 'did you mean "/'),
    "addresses as others write them": ("listen imap «imap://127.0.0.1:143»\nlisten imap «[::1]143»\nlisten imap «[fe80::1]:1143»\n"
                                       "lmtp-listen «private/lmtp»", 'did you mean "127.0.0.1:143"', 'did you mean "\\[::1\\]:143"',
                                       "say which, as in .fe80::1%eth0", 'did you mean "/var/spool/postfix/private/lmtp"'),
    "networks": ("listen imap 127.0.0.1:{free} proxy\nproxy-trusted «10.0.0.1/8»\nproxy-trusted «10.1.0.0/255.255.0.0»\n"
                 "proxy-trusted «192.168.1.*»\nproxy-trusted «10.0.0.0/8,192.168.0.0/16»\nproxy-trusted «10.0.0.0/8» 192.168.0.0/16\n"
                 "proxy-trusted 10.0.0.0/8", 'did you mean "10.0.0.0/8"', 'did you mean "10.1.0.0/16"', 'did you mean "192.168.1.0/24"',
                 "each has a line of its own", "each has a line of its own"),
    "everybody": ("listen imap 127.0.0.1:{free} proxy\nproxy-trusted «0.0.0.0/0»\nlmtp-listen «0.0.0.0:{free}»", WARN + ".*as any address",
                  WARN + ".*LMTP asks for no password"),
    "nobody": ("auth-mechanisms «EXTERNAL» XOAUTH2", "nobody could log in"),
    "certificates that prove nobody": ("tls-client-ca «{good}»\nauth-mechanisms PLAIN", WARN + ".*without EXTERNAL"),
    "one mailbox server twice": ("mailbox-server mbx1 127.0.0.1:1993\nmailbox-server mbx2 «127.0.0.1:1993»\nlink-key {link_key}",
                                 WARN + ".*is the address of mbx1, too"),
    "a name that programs cannot use": ("hostname «localhost»\nautoconfig-listen http 127.0.0.1:{free}\nautoconfig-smtp a.example.org\n"
                                        "tls-certificate «{foreign}»", "needs its whole name", WARN),
    "folders of the system": ("data-directory «/etc»\nprotocol-log «{key}»", "is a folder of the system", "is a file, and not a folder"),
    "a folder of the kernel": ("data-directory «/proc/self»", "is a folder of the system"),
    "somebody else's folder": ("data-directory «{folder}/pki»", WARN + ".*holds other files, such as .*, and no mail of imapd"),
    "a log that cannot be": ("protocol-log «{folder}/none/log»\n", "there is no folder .*none; try install -d"),
    "a log that can be": ("protocol-log {folder}/log\n",),
    "a folder that each user has": ("namespace-others «Sent»", WARN + ".*each user has"),
    "root": ("user «root»", WARN + ".*would go on as root"),
    "letters of another alphabet": ("banner «Willkömmen»\nlog-level «“info”»", "printable ASCII", "cannot be"),
    "a folder of one's own": ("data-directory «~/mail»", "is not an absolute path"),
    "limits": ("message-limit «10»\nmax-connections «ten»\nstorage-threads «0»\nquota-warning «150»", "at least 1000",
               "is not a whole number", "is not between 1 and 1024", "is not between 0 and 100"),
    "a later version": ("config-version «2»", "is not what this imapd knows, which is 1"),
    "old versions of TLS": ("tls-minimum «1.1»", 'did you mean "1.2"'),
    "a line of names": ("deny-users «\"\"» eve «\"\"»", "is not a name", "is not a name"),
    "a line of mechanisms": ("auth-mechanisms PLAIN «CRAM-MD5» LOGIN «GSSAPI»", "cannot be \"CRAM-MD5\"", "cannot be \"GSSAPI\""),
    "a line of listening": ("listen «imapss» «127.0.0.1» «proxi»", "did you mean \"imaps\"", "has no port", "is not \"proxy\""),
    "a line turned round": ("listen «127.0.0.1:1143» imaps", "which comes before the address"),
    "a line of a certificate": ("tls-certificate-for «a_b:c» «cert.pem» «key.pem»", "a server's name", "an absolute path",
                                "an absolute path"),
    "a line of a mask": ("capability-mask «IDLE,,MOVE» «address=10.0.0.0/33» «id=»", "a list of capabilities", "is not user=",
                         "is not user="),
    "a line of an issuer": ("oauth-audience a\noauth-issuer «\"\"» «a.pem» «b.pem»", "the name of an issuer",
                            "an absolute path", "an absolute path"),
    "a line of a mailbox server": ("mailbox-server «\"\"» «10.0.0.5»\nlink-key {link_key}", "is not a name", "has no port"),
    "names of hosts": (f"hostname «{'x' * 64}.example.org»", "is not the name of a host"),

    # Files of the configuration.
    "includes": ("include «{folder}/none.conf»\ninclude «{data}»\ninclude «{folder}/imapd.conf»\ninclude «{folder}/*.conf»\n"
                 "include «{data}/../imapd.conf»\ninclude «{own_link}»\ninclude «{loop}»",
                 "none.conf: No such file", "data: Is a directory", "the file includes itself", "knows no patterns",
                 "the file includes itself", "the file includes itself", "loop: Too many levels of symbolic links"),
    "the octet NUL": ("tls-minimum 1.2 «\0", "the octet NUL cannot be in a configuration"),
    "a line that is too long": ("banner «" + "x" * 3000 + " y»", "banner takes one value; put quotation marks"),
    "an option twice": ("log-level info\n«log-level» debug\n«log-level» «loud»", "log-level is set in .*:\\d+ already",
                        "log-level is set in .*:\\d+ already", "cannot be"),
    "an include without a name": ("include «\"\"»", "include takes the name of one file"),
    "Windows": ("log-level «loud»\r\ntls-minimum 1.2\r\nflag-sync «never»\r\n", "cannot be", "cannot be"),

    # The link.
    "link key": ("link-listen 127.0.0.1:1993\nlink-key «{short_link_key}»", "too short, it has 64 hexadecimal digits"),
    "no link key by far": ("link-listen 127.0.0.1:1993\nlink-key «{garbage}»", "not a key as imapctl link-key makes it"),
    "link key of all": ("link-listen 127.0.0.1:1993\nlink-key «{readable_link_key}»", "try chmod 600"),
    "no link key": ("link-listen 127.0.0.1:1993\nlink-key «{folder}/none»", "there is no file .*; .*imapctl link-key"),
    "certificates of the link": ("link-listen 127.0.0.1:1993\nlink-certificate «{expired}»\nlink-private-key «{other_key}»\n"
                                 "link-ca {good}", (WARN + ".* expired", WARN + ".*no authority in"), "does not belong to"),
    "a server without an address": ("mailbox-server mbx1 «mbx1.invalid:1993»\nlink-key {link_key}",
                                    WARN + ".*no address for the name mbx1.invalid"),
    "user and group": ("user «nobdy»\ngroup «no-such-group»", 'no user nobdy; did you mean "nobody"', "there is no group"),

    "users who cannot be": ("deny-users eve «\"a b\"»\nlog-level info\ndeny-users mallory trudy «\"\t\"»",
                            WARN + '.*nobody can have the name "a b"', WARN + ".*nobody can have the name"),

    "a slip in the role": ("role «mailbx»\n-listen\n-tls-certificate\n-tls-key", ('did you mean "mailbox"', "needs link-listen")),

    # All kinds in one pass.
    "words, files, ports and certificates": (
        "listen imaps «993»\n«lisen» imap «127.0.0.1»\n«tls_cert» «{garbage}»\ntls-key «{folder}/no.key»\n"
        "directory link «mbx2»\nmailbox-server mbx1 127.0.0.1:1993\nmailbox-server mbx3 «127.0.0.1»\nrole cas\n"
        "link-key «{short_link_key}»\nlogin-timeout «1h»\nhostname «=» mail.example.org\ninclude «{folder}/none.conf»\n"
        "data-directory «{key}»\ncontrol-socket «{long_path}»\nuser «nobody-here»\nlog-level «loud»\nbanner «a b»\n-tls-certificate",
        'did you mean "\\[::\\]:993"', 'did you mean "listen"', 'did you mean "127.0.0.1:143"',
        'did you mean "tls-certificate"', "is no PEM", "there is no file", 'no mailbox-server "mbx2"', "has no port",
        "too short, it has 64 hex", 'did you mean "3600"', 'there is no "="', "No such file", "is a file, and not a folder",
        "at most 107 octets", "there is no user nobody-here", "cannot be", "put quotation marks"),
}

LDAP_CASES = {
    "a line of servers": ("directory ldap «ldaps://b:99999» ldap://127.0.0.1 «ldap://c:x» «ldap://[::1» «http://d»\nldap-base dc=org",
                          "no port from 1 to 65535", "no port from 1 to 65535", "no name or address", "is not ldap://"),
    "servers": ("directory ldap ldap://127.0.0.1:389 ldap://[::1] ldaps://[::1]:636/\nldap-base dc=org",),
    "names of entries": ("directory ldap ldap://127.0.0.1\nldap-base «people»\nldap-bind-dn «\"cn=a,\"»\n"
                         "ldap-password-file {key}\nldap-user-attribute «\"mail box\"»\nldap-home-attribute «1x»",
                         "is not the name of an entry", "is not the name of an entry", "is not the name of an attribute",
                         "is not the name of an attribute"),
    "other names of entries": ("directory ldap ldap://127.0.0.1\nldap-base \"cn=a\\\\,b + uid=x, o=\\\"A, B\\\",2.5.4.6=%d\"\n"
                               "ldap-user-attribute 0.9.2342.19200300.100.1.1",),
    "authorities": ("directory ldap ldap://127.0.0.1\nldap-base dc=org\nldap-tls-ca «{key}»\nldap-bind-dn cn=a\n"
                    "ldap-password-file «{empty}»", "holds a private key, and no certificate", "is empty"),
    "a base within the URI": ("directory ldap «ldap://127.0.0.1/ou=people,dc=org?uid»\nldap-base dc=org", "goes into ldap-base"),
    "filters beside each other": ("directory ldap ldap://127.0.0.1\nldap-base dc=org\nldap-filter «((uid=%u))»", "in each of its parentheses"),
    "a filter of many": ("directory ldap ldap://127.0.0.1\nldap-base dc=org\nldap-filter (&(objectClass=person)(|(uid=%u)(!(mail>=%u))))",),
    "passwords in the clear": ("directory ldap «ldap://ldap.example.org.invalid»\nldap-base dc=org\nldap-starttls no",
                               (WARN + ".*for everybody on the way", WARN + ".*no address")),
    "filter": ("directory «ldap» ldap://127.0.0.1 «ldaps:/x»\nldap-filter «(uid=%u»", "ldap needs ldap-base", "is not ldap://",
               "a filter stands in parentheses"),
    "names": ("directory ldap «ldap://ldap.invalid:389» ldap://127.0.0.1\nldap-base dc=org",
              WARN + ".*no address for the name ldap.invalid"),
}


def said(done, config):
    """What was said of a file, as (line:column, text)."""
    found = [re.fullmatch(rf"{re.escape(str(config))}:(\d+:\d+): (.*)", line) for line in done.stderr.splitlines()]
    return [(one[1], one[2]) for one in found if one]


def expect(done, config, places, texts):
    """Just this was said, in this order; and the exit status tells errors from warnings."""
    wanted = [(place, text) for place, one in zip(places, texts) for text in (one if isinstance(one, tuple) else (one,))]
    found = said(done, config)
    assert len(places) == len(texts)
    assert [place for place, _ in found] == [place for place, _ in wanted], done.stderr
    for (_, pattern), (_, text) in zip(wanted, found):
        assert re.search(pattern, text), (pattern, text)
        assert pattern.startswith(WARN) == text.startswith(WARN), text
    errors = sum(not text.startswith(WARN) for _, text in found)
    assert done.returncode == (78 if errors else 0), done
    total = f"{errors} error{'s' * (errors != 1)} in the configuration"
    assert total in done.stderr if errors else "no errors" in done.stdout, done
    assert len(done.stderr.splitlines()) == len(found) + (errors > 0), done.stderr


@pytest.mark.parametrize("name", CASES)
def test_case(world, name):
    text, *texts = CASES[name]
    places = world.write(text)
    expect(world.check(), world.config, places, texts)


@pytest.mark.parametrize("name", LDAP_CASES)
def test_ldap(world, name):
    text, *texts = LDAP_CASES[name]
    places = world.write(text)
    done = world.check()
    if "built without LDAP" in done.stderr:
        pytest.skip("this imapd was built without LDAP")
    expect(done, world.config, places, texts)


def test_all_is_well(world):
    world.write("tls-certificate-for *.example.org {wildcard} {key}\nhostname imap.example.org\n"
                "tls-certificate {wildcard}\nlmtp-listen {folder}/lmtp")
    done = world.check()
    assert (done.returncode, done.stderr) == (0, "")


def test_byte_order_mark(world):
    world.config.write_bytes(b"\xef\xbb\xbf" + "\n".join(world.lines() + ["log-level loud"]).encode())
    expect(world.check(), world.config, ["1:1", "8:11"], [WARN + ".*byte order mark", "cannot be"])


def test_another_encoding(world):
    """Latin-1 in a value is refused, where it is; in a comment it means nothing."""
    world.config.write_bytes("\n".join(world.lines() + ["banner Willkömmen", "# Grüße"]).encode("latin-1"))
    expect(world.check(), world.config, ["8:8"], ["not UTF-8; save the file as UTF-8"])
    world.config.write_bytes("\n".join(world.lines()).encode("utf-16"))
    assert "the file is in UTF-16; save it as UTF-8" in world.check().stderr


def test_data_of_a_later_version(world):
    """As after a step back to an older package: nothing is begun that ends in the middle."""
    lib.need("sqlite3")
    user = world.data / "data/f7/f7feabb78669d9e72f7d48e27e9bf353"
    user.mkdir(parents=True)
    for path in (world.data / "directory.db", user / "mail.db"):
        subprocess.run(["sqlite3", path, "PRAGMA user_version = 999"], check=True, capture_output=True)
    places = world.write("data-directory «{data}»")
    expect(world.check(), world.config, places, [("directory.db was written by a later version", "mail.db was written by a later version")])
    started = subprocess.run([lib.IMAPD, f"--config={world.config}"], capture_output=True, text=True, timeout=lib.LIMIT_S)
    assert started.returncode == 73 and "made by a later version" in started.stderr
    found = subprocess.run([lib.IMAPCTL, f"--config={world.config}", "doctor"], capture_output=True, text=True, timeout=lib.LIMIT_S).stdout
    assert "apt-cache policy imapd" in found.split("directory.db was written by a later version")[1].splitlines()[1]


def test_a_program_is_no_configuration(world):
    """Three lines of it are enough to see that."""
    program = world.folder / "program"
    program.write_bytes(b"\x7fELF\1\n" * 100)
    world.write(f"include {program}\nlog-level loud")
    done = world.check()
    assert [place for place, _ in said(done, program)] == ["1:1", "2:1", "3:1"]
    assert "cannot be \"loud\"" in done.stderr


def test_a_key_is_not_shown(world):
    """Whoever includes the wrong file does not find its contents in the journal."""
    world.write("include {key}")
    other = world.folder / "more.conf"
    other.write_text("#\n" + world.key.read_text())
    done = [world.check()]
    world.write("include {folder}/more.conf")
    done.append(world.check())
    for one in done:
        assert one.returncode == 78
        for line in world.key.read_text().splitlines()[1:-1]:
            assert line not in one.stderr and line[:20] not in one.stderr
    assert f"{world.key}:1:1: the file is PEM, and no configuration" in done[0].stderr


def test_empty_file(world):
    """There is no line to point at: the file as a whole."""
    world.config.write_text("")
    for place, _ in said(world.check(), world.config):
        assert place == "1:1"
    assert "imaps needs tls-certificate and tls-key" in world.check().stderr


def test_no_file_and_no_role(world):
    done = world.check("--role=mailbx")
    assert done.returncode == 78
    assert f"{world.config}: No such file or directory; --config names another one\n" in done.stderr
    assert '--role=mailbx: role cannot be "mailbx"; did you mean "mailbox"?\n' in done.stderr
    assert "2 errors" in done.stderr


def test_a_role_that_is_meant(world):
    """The rest is looked at for the role that was probably meant: no word of certificates that it does not need."""
    world.config.write_text(f"data-directory {world.data}\ncontrol-socket {world.folder}/control\n"
                            f"link-listen 127.0.0.1:{world.port}\nlink-key {world.named('link_key')}\n")
    done = world.check("--role=mailbx")
    assert done.stderr.splitlines()[0] == '--role=mailbx: role cannot be "mailbx"; did you mean "mailbox"?'
    assert done.returncode == 78 and "1 error in" in done.stderr


def test_errors_of_several_files(world):
    more = world.folder / "more.conf"
    more.write_text("\n  tls-minimum 1.4\n\tlmtp-listen relative/path\n")
    places = world.write(f"log-level «loud»\ninclude {more}\nflag-sync «never»")
    done = world.check()
    assert [place for place, _ in said(done, world.config)] == places
    assert [place for place, _ in said(done, more)] == ["2:15", "3:14"]
    assert done.stderr.index(str(more)) > done.stderr.index("never")


def test_pipe(world):
    """A configuration that comes by a pipe does not keep anybody waiting who opens a pipe without end."""
    os.mkfifo(world.folder / "pipe")
    places = world.write("include {folder}/pipe\nlog-level «loud»")
    expect(world.check(), world.config, places, ["cannot be"])


# Who looks at the files.

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def give(path, mode, user="nobody"):
    os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    path.chmod(mode)


@needs_root
def test_files_are_looked_at_as_the_user(world):
    give(world.data, 0o700)
    places = world.write("user nobody\ntls-key «{key}»")
    expect(world.check(), world.config, places, ["user nobody may not read .*key.key; try chgrp nogroup .*key.key && chmod 640 .*key.key$"])
    world.certificate.chmod(0o600)
    places = world.write("user nobody\ntls-certificate «{good}»\ntls-key «{key}»")
    expect(world.check(), world.config, places, ["user nobody may not read .*good.pem; try chmod 644 ", "user nobody may not read"])
    world.certificate.chmod(0o644)
    give(world.key, 0o600)
    done = world.check()
    assert (done.returncode, done.stderr) == (0, "")
    give(world.data, 0o700, "root")
    places = world.write("user nobody\ndata-directory «{data}»\ncontrol-socket {folder}/control")
    expect(world.check(), world.config, places, ["user nobody may not write .*data; try chown -R nobody"])
    give(world.data, 0o700)
    (world.data / "directory.db").write_text("")
    (world.data / "directory.db").chmod(0o600)
    places = world.write("user nobody\ndata-directory «{data}»")
    expect(world.check(), world.config, places, ["user nobody may not write .*directory.db; try chown -R nobody"])


@needs_root
def test_folders_on_the_way_are_looked_at_as_the_user(world):
    give(world.data, 0o700)
    give(world.key, 0o600)
    closed = world.folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copy(world.certificate, closed / "cert.pem")
    (closed / "more.conf").write_text("log-level info\n")
    places = world.write("user nobody\ntls-certificate «{closed}/cert.pem»\ninclude {closed}/more.conf")
    done = world.check()
    expect(subprocess.CompletedProcess([], done.returncode, done.stdout, re.sub(r".*more.conf:1:1: warning.*\n", "",
                                                                                done.stderr)),
           world.config, places, [f"user nobody may not enter the folder {closed}"])
    assert f"{closed}/more.conf:1:1: warning: user nobody may not enter the folder {closed}, so that it cannot be " \
        "read again on reload" in done.stderr


@needs_root
def test_groups_of_the_user_count(world):
    """As ssl-cert of Debian has them: the key is for a group of which the user is a member."""
    group = f"imapd-test-{os.getpid()}"
    user = f"imapdtest{os.getpid()}"
    machine.change_accounts("groupadd", group)
    machine.change_accounts("useradd", "--no-create-home", "--groups", group, user)
    try:
        give(world.data, 0o700, user)
        shutil.chown(world.key, "root", group)
        world.key.chmod(0o640)
        world.write(f"user {user}")
        done = world.check()
        assert (done.returncode, done.stderr) == (0, "")
        places = world.write("user nobody\ndata-directory «{data}»\ntls-key «{key}»")
        expect(world.check(), world.config, places, ["user nobody may not", "user nobody may not read"])
    finally:
        machine.change_accounts("userdel", "--force", user)
        machine.change_accounts("groupdel", group)


@needs_root
def test_who_is_not_root_cannot_become_another_user(world):
    give(world.data, 0o700)
    give(world.key, 0o600)
    places = world.write("user «daemon»")
    nobody = pwd.getpwnam("nobody")
    os.chmod(world.folder, 0o777)
    reachable = shutil.copy(lib.IMAPD, world.folder)	# a clone in /root is not
    done = world.check(program=reachable, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    expect(done, world.config, places, [WARN + "only root can become user daemon, so that what it may read"])
    give(world.key, 0o600, "daemon")
    done = world.check(program=reachable, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    expect(done, world.config, places, [WARN + "only root can become user daemon, so that what it may read"])
    places = world.write("user «daemon»\ntls-key «{folder}/none»")
    done = world.check(program=reachable, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    expect(done, world.config, places, [WARN + "only root can become user daemon", "there is no file"])


# The running server.

def test_the_running_server_has_its_own_ports():
    with lib.Server() as server:
        done = subprocess.run([lib.IMAPD, "--check-config", f"--config={server.config}"], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        other = server.folder / "other.conf"
        other.write_text(server.config.read_text().replace(str(server.control), str(server.folder / "control2")))
        done = subprocess.run([lib.IMAPD, "--check-config", f"--config={other}"], capture_output=True, text=True)
        assert done.returncode == 78
        assert done.stderr.count(f"is in use by imapd, pid {server.process.pid}, of user {ME}") == 3, done.stderr


@pytest.mark.skipif(not pathlib.Path("/proc/locks").exists(), reason="/proc/locks is not there")
def test_the_data_of_another_server(world):
    """One with another control socket, that is."""
    with lib.Server() as server:
        places = world.write(f"data-directory «{server.data}»")
        expect(world.check(), world.config, places, [f"another imapd, pid {server.process.pid}, uses {server.data}"])


def test_start_with_ports_in_use_tells_all_of_them(world):
    taken, too = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    with taken, too:
        ports = [one.getsockname()[1] for one in (taken, too)]
        world.write(f"listen imap 127.0.0.1:{ports[0]}\nlmtp-listen 127.0.0.1:{ports[1]}")
        done = subprocess.run([lib.IMAPD, f"--config={world.config}"], capture_output=True, text=True, timeout=lib.LIMIT_S)
        assert done.returncode == 69        # it may be free the next time: systemd tries again
        for port in ports:
            assert f"127.0.0.1:{port} is in use by {PROGRAM}, pid {os.getpid()}" in done.stderr


def test_start_has_the_words_of_the_check(world):
    """Both look at the same, and say it alike."""
    world.write("log-level «loud»\ntls-key «{locked_key}»\ntls-certificate «{expired}»")
    checked = world.check()
    started = subprocess.run([lib.IMAPD, f"--config={world.config}"], capture_output=True, text=True, timeout=lib.LIMIT_S)
    assert started.returncode == 78 and started.stderr == checked.stderr


def log_of(server, event):
    return [line for line in server.log_lines if f" ev={event} " in line]


def test_certificates_warn_at_start_at_reload_and_in_status(tmp_path):
    pki = Certificates(tmp_path / "pki")
    expired, soon = pki.certificate("expired", begins=-100, ends=-10.5, host="localhost"), pki.certificate("soon", ends=3.5)
    key = pki.key()
    with lib.Server(settings=[f"tls-certificate {expired}", f"tls-key {key}"]) as server:
        line = server.config.read_text().splitlines().index(f"tls-certificate {expired}") + 1
        warned = log_of(server, "config-warning")
        assert len(warned) == 1 and "level=warning" in warned[0]
        assert f"at={server.config}:{line}:17" in warned[0] and "expired 10 days ago" in warned[0]
        done = server.imapctl("status", check=False)
        assert done.returncode == 1         # nobody who looks at the date comes in
        status = done.stdout
        assert "expired 10 days ago" in status and " -11 " in status and "184467" not in status
        server.settings[0] = f"tls-certificate {soon}"
        server.write_config()
        done = server.imapctl("reload")
        assert re.search(r":\d+:17: warning: .* expires in 3 days, on .*; is not for the name localhost", done.stderr)
        lib.wait_until(lambda: any("expires in 3 days" in one for one in log_of(server, "config-warning")))
        assert "expires in 3 days" in server.imapctl("status").stdout
        server.settings = [f"tls-certificate {pki.certificate('good', host='localhost', ends=90.5)}", f"tls-key {key}",
                           f"tls-certificate-for b.example {expired} {key}"]
        server.write_config()
        assert "is not for the name b.example" in server.imapctl("reload").stderr
        report = json.loads(server.imapctl("--json", "status", check=False).stdout)
        assert [(one["name"], one["days"], one["trouble"][:7]) for one in report["certificate"]] == [
            ("localhost", 90, ""), ("b.example", -11, "expired")]


def test_reload_of_a_broken_file_loses_nothing(tmp_path):
    """The old configuration stays, no session ends, and who asked is told what is wrong and where."""
    with lib.Server() as server:
        good = server.config.read_text()
        clients = [server.client("demo") for _ in range(20)]
        for client in clients[:10]:
            client.ok(b"SELECT INBOX")
            client.send(b"i IDLE\r\n")
            assert client.line().startswith(b"+")
        lines = len(good.splitlines())
        for broken, words in (("log-level loud\n", f"{server.config}:{lines + 1}:11: log-level cannot be"),
                              (f"tls-certificate-for a.example {server.key} {server.cert}\n",
                               f"{server.config}:{lines + 1}:31: tls-certificate-for: .* holds a private key"),
                              ("include none.conf\n", f"{server.config}:{lines + 1}:9: .*none.conf: No such file")):
            server.config.write_text(good.replace("login-type plain", "login-type secure") + broken)
            done = server.imapctl("reload", check=False)
            assert done.returncode == 78 and re.search(words, done.stderr), done.stderr
            assert "cas" in server.imapctl("status").stdout     # whoever repairs it wants to look
            before = len(log_of(server, "reload-failed"))
            server.process.send_signal(signal.SIGHUP)
            lib.wait_until(lambda: len(log_of(server, "reload-failed")) > before)
        server.client("demo").close()       # without TLS, as the old configuration has it
        for client in clients[:10]:
            client.send(b"DONE\r\n")
            assert client.reply(b"i").is_ok
        for client in clients:
            client.ok(b"NOOP")
            client.close()


# The units.

UNITS = sorted((lib.ROOT / "etc/systemd").glob("*.service"))


def lines_of(unit, name):
    return [line.split("=", 1)[1] for line in unit.read_text().splitlines() if line.startswith(name + "=")]


@pytest.fixture
def installed(world):
    """The file that is installed, in a world where all that it names is there."""
    for name in ("etc/tls", "data", "run"):
        (world.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(world.certificate, world.folder / "etc/tls/fullchain.pem")
    shutil.copy(world.key, world.folder / "etc/tls/key.pem")
    text = (lib.ROOT / "etc/imapd.conf").read_text()
    for there, here in (("/var/lib/imapd", "data"), ("/run/imapd/", "run/"), ("/etc/imapd/", "etc/")):
        text = text.replace(there, f"{world.folder}/{here}")
    text = re.sub(r"(?m)^user +imapd$", "" if ME == "root" else f"user {ME}", text)
    for port in ("993", "143", "2003"):
        text = re.sub(rf"(?m)^(l.*):{port}$", rf"\1:{lib.free_port()}", text)
    world.config.write_text(text)
    return world


def command(unit, line, world):
    """A command of a unit, for this world."""
    words = line.replace("$MAINPID", "0").split()
    program = {"/usr/sbin/imapd": lib.IMAPD, "/usr/sbin/imapctl": lib.IMAPCTL}[words[0].lstrip("-+!")]
    return [program, *(word.replace("/etc/imapd/imapd.conf", str(world.config)) for word in words[1:])]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_with_the_installed_file(installed, unit):
    """What the check says for a unit is what its start does; a service alone says that it is one of two hosts."""
    start = command(unit, lines_of(unit, "ExecStart")[0], installed)
    role = next(word for word in start if str(word).startswith("--role="))
    checked = installed.check(role)
    if role == "--role=both":
        assert (checked.returncode, checked.stderr) == (0, "")
        process = subprocess.Popen(start, stderr=subprocess.PIPE, text=True)
        assert any(" ev=ready" in line for line in iter(process.stderr.readline, ""))
        process.terminate()
        process.communicate(timeout=lib.LIMIT_S)
        assert process.returncode == 0
        return
    started = subprocess.run(start, capture_output=True, text=True, timeout=lib.LIMIT_S)
    assert checked.returncode == started.returncode == 78 and checked.stderr == started.stderr
    assert f"{installed.config}:1:1: {role}: a service on a host of its own needs " in checked.stderr
    assert "one host for everything has role both, and imapd.service" in checked.stderr
    assert "host of its own" in lines_of(unit, "Description")[0]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_reload_of_a_unit(installed, unit):
    """`systemctl reload` runs these one after the other, and fails with the first that fails."""
    class Unit(lib.Server):
        role = re.search(r"--role=(\w+)", lines_of(unit, "ExecStart")[0])[1]

        def lines(self):
            return [line for line in installed.config.read_text().splitlines() if line and line[0] != "#"]

    settings = [] if Unit.role == "both" else [f"link-key {installed.named('link_key')}"]
    if Unit.role == "cas":
        settings += [f"mailbox-server mbx1 127.0.0.1:{lib.free_port()}"]
    elif Unit.role == "mailbox":
        settings += [f"link-listen 127.0.0.1:{lib.free_port()}"]
    with Unit(settings=settings, users=()) as server:
        installed.config = server.config
        reloads = [command(unit, line, installed) for line in lines_of(unit, "ExecReload")]
        assert [subprocess.run(one, capture_output=True).returncode for one in reloads] == [0] * len(reloads)
        good = server.config.read_text()
        server.config.write_text(good + "log-level loud\n")
        done = subprocess.run(reloads[0], capture_output=True, text=True)
        assert done.returncode == 78 and "log-level cannot be" in done.stderr
        assert not log_of(server, "reload-failed"), "the check comes before the server is asked"
        assert subprocess.run(reloads[-1], capture_output=True).returncode == 78
        server.config.write_text(good)
        assert subprocess.run(reloads[-1], capture_output=True).returncode == 0


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None or os.getuid() != 0, reason="no systemd-tmpfiles here")
def test_short_cut_of_the_tutorial(tmp_path):
    """`systemd-sysusers && systemd-tmpfiles --create` makes the user, and each folder of the tutorial's step 2."""
    (tmp_path / "etc").mkdir()
    systemd = lib.ROOT / "etc/systemd"
    for program, words, name in (("systemd-sysusers", (), "sysusers"), ("systemd-tmpfiles", ("--create",), "tmpfiles")):
        subprocess.run([program, f"--root={tmp_path}", *words, systemd / f"imapd.{name}"], check=True, capture_output=True)
    made = {line.split()[-1]: line for line in (lib.ROOT / "man/imapd-tutorial.7").read_text().splitlines()
            if line.startswith("mail# install -d")}
    assert {"/etc/imapd/tls", "/var/lib/imapd", "/run/imapd"} == set(made)
    users = {line.split(":")[0]: int(line.split(":")[2]) for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    for path, line in made.items():
        about = (tmp_path / path[1:]).stat()
        mode = re.search(r"-m (\d+)", line)
        assert about.st_mode & 0o777 == int(mode[1] if mode else "755", 8), path
        assert about.st_uid == (users["imapd"] if "-o imapd" in line else 0), path
