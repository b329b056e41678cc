"""Mail for the two servers to search: made by letters.c, loaded once, kept for the next run."""
import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

from rivals import ROOT, Dovecot, Ours, cpu_seconds

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "10000"))
FOLDER = pathlib.Path(os.environ.get("BENCH_FOLDER", "/var/tmp/imapd-bench"))
LETTERS = ROOT / "build/tests/bench/letters"


class Session:
    """A client that does nothing but wait for the end of an answer."""

    def __init__(self, server, user="bench0"):
        self.pid = server.pid
        self.socket = socket.create_connection(("127.0.0.1", server.imap_port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.recv(4096)
        self.ask(f"LOGIN {user} bench")

    def ask(self, command):
        """Seconds, and what came before the tagged line."""
        begun = time.monotonic()
        self.socket.sendall(b"t " + command.encode() + b"\r\n")
        answer = self.answer(command)
        return time.monotonic() - begun, answer

    def ask_with(self, command, literal):
        """A command that ends with a literal, whose octets are sent when they are asked for."""
        self.socket.sendall(b"t " + command.encode() + b"\r\n")
        while not (line := self.socket.recv(4096)).startswith(b"+"):
            assert line.startswith(b"*"), line
        self.socket.sendall(literal + b"\r\n")
        self.answer(command)

    def answer(self, command):
        """What comes up to the tagged line."""
        parts, tail = [], b""
        while True:
            parts.append(self.socket.recv(1 << 20))
            tail = (tail + parts[-1])[-1000:]
            last = tail[tail.rfind(b"\n", 0, -1) + 1:]
            if not parts[-1] or (last.startswith(b"t ") and last.endswith(b"\n")):
                break
        assert last.startswith(b"t OK"), f"{command}: {last!r}"
        return b"".join(parts)

    def close(self):
        self.socket.close()


def folder_of(kind, shape, users):
    """Another one for other mail, and for another schema of ours: each is loaded anew."""
    sources = [ROOT / "tests/bench/letters.c", ROOT / "tests/bench/words.c"]
    if kind is Ours:
        sources += sorted((ROOT / "schema").glob("mail.*.sql"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    return FOLDER / "-".join((kind.name, str(len(users)), str(MESSAGES), *shape, digest))


def replies(client, failures):
    """Read until the server has answered the LOGOUT at the end."""
    for line in client.makefile("rb"):
        if line.startswith(b"t ") and not line.startswith(b"t OK"):
            failures.append(line)


def fill(server, user, *letters):
    """What letters.c writes, as fast as the server takes it."""
    session = Session(server, user)
    failures = []
    reader = threading.Thread(target=replies, args=(session.socket, failures))
    reader.start()
    with subprocess.Popen([LETTERS, *map(str, letters)], stdout=subprocess.PIPE) as letters:
        while block := letters.stdout.read(1 << 20):
            session.socket.sendall(block)
    session.socket.sendall(b"t LOGOUT\r\n")
    reader.join()
    session.close()
    assert not failures, failures[0]


def indexes(folder):
    return [path for path in folder.rglob("dovecot.index*") if path.is_file()]


def keep_indexes(folder):
    for path in indexes(folder / "mail"):
        kept = folder / "kept" / path.relative_to(folder / "mail")
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, kept)
        shutil.copystat(path, kept)


def put_indexes_back(folder):
    """As they were when nobody had asked Dovecot for anything."""
    owner = (folder / "mail").stat()
    for path in indexes(folder / "mail"):
        path.unlink()
    for kept in indexes(folder / "kept"):
        path = folder / "mail" / kept.relative_to(folder / "kept")
        shutil.copy2(kept, path)
        os.chown(path, owner.st_uid, owner.st_gid)


def index(server, users):
    """Our index, which otherwise is made when a user has been quiet for a moment."""
    before, begun = cpu_seconds(server.pid), time.monotonic()
    lines = [server.server.imapctl("--json", "index", user).stdout for user in users]
    size, text = (sum(int(re.search(rf'"{name}":\s*(\d+)', line)[1]) for line in lines) for name in ("size", "text"))
    print(f"imapd: indexed in {time.monotonic() - begun:.0f} s, {cpu_seconds(server.pid) - before:.1f} s of CPU: "
          f"{size / 1e6:.1f} MB for {text / 1e6:.1f} MB of text, {size / max(text, 1):.2f} of it", flush=True)


def load(kind, shape=("8000", "1.5"), users=("bench0",)):
    """A server with the mail, started; what is there from an earlier run is taken."""
    folder = folder_of(kind, shape, users)
    done = folder / "loaded"
    if not done.exists():
        FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        server = kind(folder)
        before, begun = cpu_seconds(server.pid), time.monotonic()
        for user in users:
            fill(server, user, MESSAGES, *shape)
        print(f"{kind.name}: {MESSAGES} messages for {len(users)} loaded in {time.monotonic() - begun:.0f} s, "
              f"{cpu_seconds(server.pid) - before:.1f} s of CPU", flush=True)
        if kind is Ours:
            index(server, users)
        server.stop()
        if kind is Dovecot:
            keep_indexes(folder)
        done.touch()
    elif kind is Dovecot:
        put_indexes_back(folder)
    read_all(folder)
    return kind(folder)


def read_all(folder):
    """So that what is measured is no disk."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                while file.read(1 << 22):
                    pass


def print_memory(server):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    figures = {name: int(re.search(rf"{name}:\s+(\d+)", status)[1]) // 1024 for name in ("VmRSS", "VmHWM")}
    print(f"imapd: {figures['VmRSS']} MB resident, {figures['VmHWM']} MB at most")
