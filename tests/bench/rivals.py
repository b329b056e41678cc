"""The two servers that are measured side by side, each with the users bench0, bench1, ... and the same kind of certificate."""
import contextlib
import grp
import os
import pathlib
import pwd
import shutil
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import server as lib  # noqa: E402

USERS = 400


def install_dovecot():
    if not shutil.which("dovecot", path="/usr/sbin:/usr/bin"):
        subprocess.run(["apt-get", "install", "-y", "-q", "dovecot-imapd", "dovecot-lmtpd"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def cpu_seconds(pid):
    """User and system time of a process and all its descendants, of threads that live and of children that have ended."""
    total, waiting, tick = 0.0, [pid], os.sysconf("SC_CLK_TCK")
    while waiting:
        one = waiting.pop()
        try:
            total += sum(map(int, pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[13:15])) / tick
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
                waiting += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def settle(server, quiet_s=0.7, limit_s=30):
    """Wait until it has done what it does when nobody asks; the seconds of CPU that took."""
    begun, limit = cpu_seconds(server.pid), time.monotonic() + limit_s
    used = begun
    while time.monotonic() < limit:
        time.sleep(quiet_s)
        before, used = used, cpu_seconds(server.pid)
        if used - before < 0.01 * quiet_s:
            break
    return used - begun


class Dovecot:
    """sdbox, one flush policy as shipped (mail_fsync = optimized), processes reused, passwords as they are."""
    name = "dovecot"

    def __init__(self, folder=None, users=USERS):
        """Without a folder, what it has goes with it."""
        self.is_own_folder = folder is None
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="bench-dovecot-"))
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self.data = self.folder / "mail"
        self.imap_port, self.imaps_port, self.lmtp_port = lib.free_port(), lib.free_port(), lib.free_port()
        account = self.account()
        self.data.mkdir(exist_ok=True)
        os.chown(self.data, account.pw_uid, account.pw_gid)
        (self.folder / "users").write_text("".join(f"bench{n}:{{PLAIN}}bench\n" for n in range(users)))
        self.configure(account, *lib.certificate(self.folder))
        self.start()

    @staticmethod
    def account():
        with contextlib.suppress(KeyError):
            return pwd.getpwnam("vmail")
        subprocess.run(["useradd", "-r", "-M", "-s", "/usr/sbin/nologin", "vmail"], check=True)
        return pwd.getpwnam("vmail")

    @contextlib.contextmanager
    def unflushed(self):
        """While it is filled it need not flush each file."""
        text = (self.folder / "conf").read_text()
        try:
            self.restart(text.replace("mail_fsync = optimized", "mail_fsync = never"))
            yield
        finally:
            self.restart(text)

    def restart(self, configuration):
        self.halt()
        (self.folder / "conf").write_text(configuration)
        self.start()

    def configure(self, account, certificate, key):
        group = grp.getgrgid(account.pw_gid).gr_name
        (self.folder / "conf").write_text(f"""
base_dir = {self.folder}/run
log_path = {self.folder}/log
protocols = imap lmtp
listen = 127.0.0.1
default_process_limit = 2500
default_client_limit = 20000
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = sdbox:{self.folder}/mail/%n
mail_uid = {account.pw_uid}
mail_gid = {account.pw_gid}
first_valid_uid = 1
mail_max_userip_connections = 10000
mail_fsync = optimized
mail_plugins = zlib
protocol imap {{
  mail_plugins = zlib imap_zlib
}}
auth_cache_size = 1M
passdb {{
  driver = passwd-file
  args = {self.folder}/users
}}
userdb {{
  driver = static
  args = uid=vmail gid={group} home={self.folder}/mail/%n
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  service_count = 0
  process_min_avail = 2
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = {self.imaps_port}
    ssl = yes
  }}
}}
service imap {{
  service_count = 0
  process_min_avail = 2
}}
service lmtp {{
  process_min_avail = 2
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.lmtp_port}
  }}
}}
""")

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.folder / "conf"],
                                        stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        lib.wait_until(self.answers)

    def answers(self):
        try:
            lib.Client(self.imap_port).close()
            return True
        except OSError:
            return False

    def halt(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def stop(self):
        self.halt()
        if self.is_own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Ours:
    """As it comes, but for the limits on connections."""
    name = "imapd"
    settings = ("max-connections 20000", "max-connections-per-user 20000", "max-connections-per-address 20000")

    def __init__(self, folder=None, users=USERS):
        """Without a folder, what it has goes with it."""
        is_new = folder is None or not folder.exists()
        if folder:
            folder.mkdir(exist_ok=True)
        self.server = lib.Server(folder, settings=self.settings, users=())
        self.data = self.server.data
        self.start()
        if is_new:
            self.server.add_user("bench0", "bench")
            self.halt()
            add_users(self.data / "directory.db", users)
            self.start()
        self.imap_port, self.imaps_port, self.lmtp_port = self.server.imap_port, self.server.imaps_port, self.server.lmtp_port

    def unflushed(self):
        """It flushes once for each command."""
        return contextlib.nullcontext()

    def start(self):
        self.server.start()
        self.pid = self.server.process.pid

    def halt(self):
        self.server.stop()

    def stop(self):
        self.halt()
        if self.server.is_own_folder:
            shutil.rmtree(self.server.folder, ignore_errors=True)


def add_users(path, users):
    """bench1 and the others, with the credential of bench0: `imapctl user add` derives keys for each, a thirtieth of a second."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(user)")]
        first = dict(zip(columns, database.execute("SELECT * FROM user WHERE name = 'bench0'").fetchone()))
        rows = [{**first, "name": f"bench{number}", "mailbox_id": secrets.token_hex(16)} for number in range(1, users)]
        database.executemany(f"INSERT INTO user VALUES ({', '.join(':' + name for name in columns)})", rows)


def start_both(**terms):
    """The servers that can be started here: ours, and Dovecot unless BENCH_ALONE is set or it cannot be had."""
    servers = [Ours(**terms)]
    if os.environ.get("BENCH_ALONE"):
        return servers
    try:
        install_dovecot()
        servers.append(Dovecot(**terms))
    except (OSError, AssertionError, subprocess.CalledProcessError) as error:
        print(f"without Dovecot: {error}", file=sys.stderr)
    return servers
