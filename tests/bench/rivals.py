"""The two servers that are measured side by side, each with the users bench0, bench1, ... and without TLS."""
import grp
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import server as lib  # noqa: E402

USERS = 16


def install_dovecot():
    if not shutil.which("dovecot", path="/usr/sbin:/usr/bin"):
        subprocess.run(["apt-get", "install", "-y", "-q", "dovecot-imapd", "dovecot-lmtpd"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def cpu_seconds(pid):
    """User and system time of a process and all its descendants, of threads that live."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
                waiting += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


class Dovecot:
    """sdbox, one flush policy as shipped (mail_fsync = optimized), processes reused."""
    name = "dovecot"

    def __init__(self, folder=None):
        """Without a folder, what it has goes with it."""
        self.is_own_folder = folder is None
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="bench-dovecot-"))
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self.imap_port, self.lmtp_port = lib.free_port(), lib.free_port()
        try:
            account = pwd.getpwnam("vmail")
        except KeyError:
            subprocess.run(["useradd", "-r", "-M", "-s", "/usr/sbin/nologin", "vmail"], check=True)
            account = pwd.getpwnam("vmail")
        (self.folder / "mail").mkdir(exist_ok=True)
        os.chown(self.folder / "mail", account.pw_uid, account.pw_gid)
        (self.folder / "users").write_text("".join(f"bench{n}:{{PLAIN}}bench\n" for n in range(USERS)))
        group = grp.getgrgid(account.pw_gid).gr_name
        (self.folder / "conf").write_text(f"""
base_dir = {self.folder}/run
log_path = {self.folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = sdbox:{self.folder}/mail/%n
mail_uid = {account.pw_uid}
mail_gid = {account.pw_gid}
first_valid_uid = 1
mail_max_userip_connections = 1000
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
    port = 0
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

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        if self.is_own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Ours:
    name = "imapd"

    def __init__(self, folder=None):
        """Without a folder, what it has goes with it."""
        is_new = folder is None or not folder.exists()
        if folder:
            folder.mkdir(exist_ok=True)
        self.server = lib.Server(folder, users=()).start()
        for number in range(USERS if is_new else 0):
            self.server.add_user(f"bench{number}", "bench")
        self.imap_port, self.lmtp_port = self.server.imap_port, self.server.lmtp_port
        self.pid = self.server.process.pid

    def stop(self):
        self.server.stop()
        if self.server.is_own_folder:
            shutil.rmtree(self.server.folder, ignore_errors=True)
