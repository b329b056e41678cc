"""Real IMAP servers to move from, each with a folder, a port and users of its own, ended when the test ends.

`Dovecot("sdbox")`, `Cyrus("13")`, `Courier("12")`, `Ours()` are context managers with:

    name             what it is called in reports
    port             of 127.0.0.1: plain text, STARTTLS offered
    certificate      the file that proves it
    lacks()          why it cannot be started here, or None
    pid              of the process whose children do the work

Each has the users of USERS, whose password is PASSWORD.  Those of another Debian run in the folders that
tests/move/machines makes, without a network or a process table of their own.

    servers.py [NAME ...]       start them and wait for Enter: for a look by hand
"""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import server as lib  # noqa: E402

USERS = [f"u{number}" for number in range(60)]
PASSWORD = "sesame 1\\\""		# a space, a backslash and a quote
MASTER = "boss"				# may be anybody, where there are master users; the password is the same
ROOTS = os.environ.get("MOVE_ROOTS", "/var/tmp/imapd-move")


class Source:
    """What they share: `root` is the folder that the server takes for /, `inside` the folder as the server names it."""

    has_literal_plus = True

    def __init__(self, release=None):
        self.root = pathlib.Path(f"{ROOTS}{release}" if release else "/")

    @classmethod
    def lacks_machine(cls, release, program):
        root = pathlib.Path(f"{ROOTS}{release}" if release else "/")
        if os.getuid() != 0:
            return "root is needed to start it as another user"
        if release and not (root / "ready").exists():
            return f"tests/move/machines {release} has not been run"
        return None if (root / program).exists() else f"{program} is not installed"

    def __enter__(self):
        reason = self.lacks()
        if reason:
            raise RuntimeError(f"{self.name}: {reason}")
        (self.root / "var/tmp").mkdir(exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="move-", dir=self.root / "var/tmp"))
        self.folder.chmod(0o755)
        self.inside = "/" + str(self.folder.relative_to(self.root))
        self.port = lib.free_port()
        self.certificate, self.key = lib.certificate(self.folder)
        try:
            self.configure()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        with contextlib.suppress(AttributeError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def words(self, *words):
        """The command line of a program of that machine."""
        return [*(["chroot", str(self.root)] if self.root != pathlib.Path("/") else []), *map(str, words)]

    def run(self, *words, **more):
        done = subprocess.run(self.words(*words), capture_output=True, timeout=lib.LIMIT_S, **more)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done

    def start_program(self, *words):
        """A group of processes of its own, so that stop() ends all of it and nothing else."""
        log = open(self.folder / "output", "ab")
        self.process = subprocess.Popen(self.words(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        log.close()
        self.pid = self.process.pid
        lib.wait_until(self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {(self.folder / 'output').read_text()[-2000:]}")
        try:
            with lib.Client(self.port, timeout=5) as client:
                return client.greeting.startswith(b"* OK")
        except (OSError, AssertionError):
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def account(self, name):
        """Who that is on that machine."""
        for line in (self.root / "etc/passwd").read_text().splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
        raise KeyError(name)


MAIL = {		# how Dovecot keeps it: (2.3's mail_location, 2.4's settings)
    "sdbox": ("sdbox:~/sdbox", "mail_driver = sdbox\nmail_path = ~/sdbox"),
    "mdbox": ("mdbox:~/mdbox", "mail_driver = mdbox\nmail_path = ~/mdbox"),
    "maildir": ("maildir:~/Maildir", "mail_driver = maildir\nmail_path = ~/Maildir"),
    "maildir-fs": ("maildir:~/Maildir:LAYOUT=fs",
                   "mail_driver = maildir\nmail_path = ~/Maildir\nmailbox_list_layout = fs"),
}
DOVECOT = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
first_valid_uid = 1
mail_max_userip_connections = 1000
auth_master_user_separator = *
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Drafts {{
    special_use = \\Drafts
    auto = create
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
  mailbox "Sent Messages" {{
    special_use = \\Sent
  }}
}}
"""
DOVECOT_23 = DOVECOT + """
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
mail_location = {mail}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/masters
  master = yes
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%n
}}
"""
DOVECOT_24 = """dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
""" + DOVECOT + """
ssl_server_cert_file = {folder}/cert.pem
ssl_server_key_file = {folder}/key.pem
auth_allow_cleartext = yes
auth_mechanisms = plain login scram-sha-256
{mail}
mail_home = {folder}/mail/%{{user}}
mail_uid = {uid}
mail_gid = {gid}
passdb passwd-file {{
  passwd_file_path = {folder}/masters
}}
passdb users {{
  driver = passwd-file
  passwd_file_path = {folder}/users
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {folder}/mail/%{{user}}
  }}
}}
"""


class Dovecot(Source):
    """Dovecot 2.3 of this machine, or with release 13 Dovecot 2.4."""

    def __init__(self, mail="sdbox", release=None):
        super().__init__(release)
        self.mail, self.release = mail, release
        self.name = f"Dovecot {'2.4' if release == '13' else '2.3'} {mail}"

    def lacks(self):
        return self.lacks_machine(self.release, "usr/lib/dovecot/imap")

    def configure(self):
        uid, gid = self.account("vmail" if self.release else "mail")
        text, which = (DOVECOT_24, 1) if self.release == "13" else (DOVECOT_23, 0)
        if self.release == "13":
            text = text.replace("passdb passwd-file {{", "passdb passwd-file {{\n  master = yes")
        (self.folder / "conf").write_text(text.format(folder=self.inside, port=self.port, uid=uid, gid=gid,
                                                      mail=MAIL[self.mail][which]))
        (self.folder / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in USERS))
        (self.folder / "masters").write_text(f"{MASTER}:{{PLAIN}}{PASSWORD}\n")
        (self.folder / "mail").mkdir()
        os.chown(self.folder / "mail", uid, gid)

    def start(self):
        self.start_program("/usr/sbin/dovecot", "-F", "-c", f"{self.inside}/conf")


CYRUS_IMAPD = """
configdirectory: {folder}/lib
proc_path: {folder}/run/proc
mboxname_lockpath: {folder}/run/lock
defaultpartition: default
partition-default: {folder}/spool
altnamespace: {altnamespace}
unixhierarchysep: {unixhierarchysep}
admins: cyrus
autocreate_quota: 0
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb2
sasl_mech_list: PLAIN LOGIN SCRAM-SHA-1
servername: localhost
tls_server_cert: {folder}/cert.pem
tls_server_key: {folder}/key.pem
idlesocket: {folder}/run/idle
lmtpsocket: {folder}/run/lmtp
notifysocket: {folder}/run/notify
proxyservers: {master}
specialusealways: 1
allowstarttls: yes
"""
CYRUS_MASTER = """
START {{
  recover cmd="ctl_cyrusdb -r -C {folder}/imapd.conf"
}}
SERVICES {{
  imap cmd="imapd -C {folder}/imapd.conf -U 30" listen="127.0.0.1:{port}" prefork=0 maxchild=200
}}
"""


class Cyrus(Source):
    """Cyrus 3.6 of Debian 12 or 3.10 of Debian 13; names below INBOX. as Debian sets it up, or as its authors do."""

    def __init__(self, release="12", is_below_inbox=True):
        super().__init__(release)
        self.release, self.is_below_inbox = release, is_below_inbox
        self.name = f"Cyrus {'3.6' if release == '12' else '3.10'}{'' if is_below_inbox else ' altnamespace'}"

    def lacks(self):
        return self.lacks_machine(self.release, "usr/lib/cyrus/bin/master")

    def configure(self):
        words = {"folder": self.inside, "port": self.port, "master": MASTER,
                 "altnamespace": "no" if self.is_below_inbox else "yes",
                 "unixhierarchysep": "no" if self.is_below_inbox else "yes"}
        (self.folder / "imapd.conf").write_text(CYRUS_IMAPD.format(**words))
        (self.folder / "cyrus.conf").write_text(CYRUS_MASTER.format(**words))
        for user in [*USERS, MASTER, "cyrus"]:
            self.run("saslpasswd2", "-f", f"{self.inside}/sasldb2", "-p", "-c", "-u", "localhost", user,
                     input=PASSWORD.encode() + b"\n")
        uid, gid = self.account("cyrus")
        for name in ("lib/socket", "lib/db", "run", "spool"):
            (self.folder / name).mkdir(parents=True)
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, uid, gid)

    def start(self):
        self.start_program("/usr/lib/cyrus/bin/master", "-C", f"{self.inside}/imapd.conf", "-M",
                           f"{self.inside}/cyrus.conf", "-p", f"{self.inside}/run/pid", "-D")


class Courier(Source):
    """Courier IMAP; what it is set up by lies in one place of its machine, so that one at a time can run there."""

    has_literal_plus = False

    def __init__(self, release="12"):
        super().__init__(release)
        self.release, self.name = release, f"Courier {'5.0' if release == '12' else '5.2'}"

    def lacks(self):
        return self.lacks_machine(self.release, "usr/lib/courier/courier/imaplogin")

    def configure(self):
        uid, gid = self.account("vmail")
        lines = []
        for user in USERS:
            home = self.folder / "mail" / user
            home.mkdir(parents=True)
            self.run("maildirmake", f"{self.inside}/mail/{user}/Maildir")
            lines.append(f"{user}\tuid={uid}|gid={gid}|home={self.inside}/mail/{user}|shell=/bin/sh|"
                         f"systempw={self.crypt()}\n")
        for path in [self.folder / "mail", *(self.folder / "mail").rglob("*")]:
            os.chown(path, uid, gid)
        userdb = self.root / "etc/courier/userdb"
        userdb.write_text("".join(lines))
        userdb.chmod(0o600)
        self.run("makeuserdb")
        (self.folder / "tls.pem").write_text(self.key.read_text() + self.certificate.read_text())
        (self.folder / "authdaemonrc").write_text(
            'authmodulelist="authuserdb"\nauthmodulelistorig="authuserdb"\ndaemons=5\nversion=""\n'
            'authdaemonvar=/run/courier/authdaemon\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=""\nLOGGEROPTS=""\n')
        shutil.copy(self.folder / "authdaemonrc", self.root / "etc/courier/authdaemonrc")
        (self.root / "run/courier/authdaemon").mkdir(parents=True, exist_ok=True)

    def crypt(self):
        return self.run("openssl", "passwd", "-6", "-salt", "saltsalt", PASSWORD).stdout.decode().strip()

    def start(self):
        script = f"""
set -a
. /etc/courier/authdaemonrc
/usr/lib/courier/courier-authlib/authdaemond &
. /etc/courier/imapd
. /etc/courier/imapd-ssl
prefix=/usr exec_prefix=/usr sbindir=/usr/sbin bindir=/usr/bin IMAP_STARTTLS=YES TLS_CERTFILE={self.inside}/tls.pem
TLS_CACHEFILE=
exec couriertcpd -address=127.0.0.1 -maxprocs=200 -maxperip=200 $TCPDOPTS {self.port} \\
    /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
"""
        self.start_program("sh", "-c", script)


class Ours(Source):
    """imapd itself."""

    name = "imapd"

    def lacks(self):
        return None if lib.IMAPD.exists() else f"{lib.IMAPD} is not built"

    def configure(self):
        self.server = lib.Server(self.folder, users=())
        self.port = self.server.imap_port

    def start(self):
        self.server.start()
        self.pid = self.server.process.pid
        for user in USERS[:3]:
            self.server.add_user(user, PASSWORD)

    def stop(self):
        self.server.stop()


EVERY = {
    "dovecot-2.3-sdbox": lambda: Dovecot("sdbox"),
    "dovecot-2.3-mdbox": lambda: Dovecot("mdbox"),
    "dovecot-2.3-maildir": lambda: Dovecot("maildir"),
    "dovecot-2.3-maildir-fs": lambda: Dovecot("maildir-fs"),
    "dovecot-2.4-sdbox": lambda: Dovecot("sdbox", "13"),
    "cyrus-3.6": lambda: Cyrus("12"),
    "cyrus-3.6-altnamespace": lambda: Cyrus("12", False),
    "cyrus-3.10": lambda: Cyrus("13"),
    "cyrus-3.10-altnamespace": lambda: Cyrus("13", False),
    "courier-5.0": lambda: Courier("12"),
    "courier-5.2": lambda: Courier("13"),
    "imapd": Ours,
}


def main():
    with contextlib.ExitStack() as stack:
        for name in sys.argv[1:] or EVERY:
            source = EVERY[name]()
            if source.lacks():
                print(f"{name}: {source.lacks()}")
                continue
            stack.enter_context(source)
            print(f"{name}: 127.0.0.1:{source.port}, users u0 ..., password {PASSWORD}, in {source.folder}", flush=True)
        input()


if __name__ == "__main__":
    main()
