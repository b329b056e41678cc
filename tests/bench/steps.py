"""The rows of make bench that take more than one command at a time: each gives the figures of one pass on one server."""
import itertools
import pathlib
import re
import statistics
import time

import seeds
from loading import Failed, Load
from mail import Session
from rivals import cpu_seconds, lib, settle

ROUNDS = 5
IDLE_S = 15			# what a session has needed to come is given back by then
numbers = itertools.count(1)


def cell(times, cpu_s):
    """Seconds of each operation, and the CPU time of all of them."""
    times = sorted(times)
    return {"ops": 1 / statistics.median(times), "p50_us": statistics.median(times) * 1e6,
            "p99_us": times[len(times) * 99 // 100] * 1e6, "cpu_us": cpu_s / len(times) * 1e6}


def cold(server, row, values):
    """The first FETCH of a mailbox that nobody has looked at: another one in each pass."""
    user, mailbox = "bench1", f"Cold{next(numbers)}"
    seeds.put(server, user, mailbox, 10000, 1800, 0, 0, 10000)
    session = Session(server, user)
    session.ask(f"SELECT {mailbox}")
    before = cpu_seconds(server.pid)
    seconds, _ = session.ask(row.options)
    used = cpu_seconds(server.pid) - before
    session.ask("SELECT INBOX")
    session.ask(f"DELETE {mailbox}")
    session.close()
    return cell([seconds], used)


def copy_move_expunge(server, row, values):
    """A thousand messages in one command, ROUNDS times."""
    session = Session(server)
    source, target = f"Source{next(numbers)}", f"Target{next(numbers)}"
    for name in (source, target):
        session.ask(f"CREATE {name}")
    times, used = [], 0.0
    for _ in range(ROUNDS):
        session.ask("SELECT Box10k")
        if row.options != "COPY":
            session.ask(f"COPY 1:1000 {source}")
            session.ask(f"SELECT {source}")
        if row.options == "EXPUNGE":
            session.ask("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        before = cpu_seconds(server.pid)
        times.append(session.ask("EXPUNGE" if row.options == "EXPUNGE" else f"{row.options} 1:1000 {target}")[0])
        used += cpu_seconds(server.pid) - before
    session.close()
    return cell(times, used)


def notification(server, row, values):
    """From the moment when another session sends a message until the one that idles hears of it."""
    idler, other = Session(server, "bench2"), Session(server, "bench2")
    idler.ask("SELECT INBOX")
    idler.socket.sendall(b"t IDLE\r\n")
    idler.socket.recv(1 << 16)
    letter = lib.message()
    before, times = cpu_seconds(server.pid), []
    for _ in range(ROUNDS):
        begun = time.monotonic()
        other.socket.sendall(b"t APPEND INBOX {%d+}\r\n%s\r\n" % (len(letter), letter))
        while b"EXISTS" not in idler.socket.recv(1 << 16):
            pass
        times.append(time.monotonic() - begun)
        while b"t OK" not in other.socket.recv(1 << 16):
            pass
    used = cpu_seconds(server.pid) - before
    idler.close()
    other.close()
    return cell(times, used)


# ---- memory and disk -----------------------------------------------------------------------------------------

def processes(pid):
    """A process and all its descendants."""
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield one


def memory_kib(pid):
    """What all processes take, what they share counted once."""
    total = 0
    for one in processes(pid):
        try:
            total += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{one}/smaps_rollup").read_text(), re.M)[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def idle_memory(server, row, values):
    """Each of a thousand sessions in IDLE, by TLS, once they have been for IDLE_S, and how fast they came."""
    before, begun, cpu = memory_kib(server.pid), time.monotonic(), cpu_seconds(server.pid)
    with Load(server, row.options, "idle", values):
        seconds, used = time.monotonic() - begun, cpu_seconds(server.pid) - cpu
        time.sleep(IDLE_S)
        return {"value": (memory_kib(server.pid) - before) / 1000, "unit": "KiB", "came": 1000 / seconds, "cpu_us": used * 1000}


def memory_after(server, row, values):
    """Of the whole server, with its 16 connections, when it has done it."""
    with Load(server, row.options, "append", values) as load:
        load.go()
        return {"value": memory_kib(server.pid) / 1024, "unit": "MiB"}


def disk_octets(folder):
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def stored(server, put):
    """What the disk has grown by when all is written, for each octet of mail."""
    settle(server)
    server.halt()
    before = disk_octets(server.data)
    server.start()
    octets = put()
    settle(server)
    server.halt()
    after = disk_octets(server.data)
    server.start()
    return {"value": (after - before) / octets, "unit": "octets each"}


def disk(server, row, values):
    """Of the messages that letters.c writes with these arguments."""
    arguments = row.options.split()
    return stored(server, lambda: seeds.put(server, "bench4", f"Disk{next(numbers)}", *arguments) or seeds.octets(*arguments))


def disk_of_corpus(server, row, values):
    """Of each message of the corpus, one by one."""
    paths = sorted(path for path in lib.CORPUS.rglob("*.eml") if path.is_file())

    def put():
        octets = 0
        with lib.Client(server.imap_port) as client:
            client.ok(b"LOGIN bench5 bench")
            for path in paths:
                letter = re.sub(rb"\r?\n", b"\r\n", path.read_bytes()).replace(b"\0", b"")
                octets += len(letter) if letter and client.append(b"INBOX", letter).is_ok else 0
        return octets
    if not paths:
        raise Failed("there is no corpus beside the project")
    return stored(server, put)
