"""What mail the rows of make bench need: each kind is made once on each server."""
import re
import subprocess

from loading import Load
from mail import LETTERS, fill
from rivals import ROOT, Ours, lib

# The pool: median 8 KB, mean 60 KB, the largest 4.6 MB.
POOL = (4096, 8000, 2.05, 2048, 2560)
POOL_FILE = ROOT / "build/tests/bench/letters.pool"


def letters(server, *arguments):
    """The file of messages that load.c stores: the pool, or what letters.c writes with these arguments."""
    with open(POOL_FILE, "wb") as file:
        subprocess.run([LETTERS, *map(str, arguments or POOL)], stdout=file, check=True)
    return {"letters": POOL_FILE}


def octets(*arguments):
    """Of the messages that letters.c writes with these arguments."""
    out = subprocess.run([LETTERS, *map(str, arguments)], stdout=subprocess.PIPE, check=True).stdout
    return sum(int(length) for length in re.findall(rb"\{(\d+)\+\}\r\n", out))


def create(server, user, *names):
    with lib.Client(server.imap_port) as client:
        client.ok(b"LOGIN %s bench" % user.encode())
        for name in names:
            client.ok(b"CREATE %s" % name.encode())


def put(server, user, mailbox, *arguments):
    """A mailbox with what letters.c writes; its index is made now, not beside what is measured."""
    if mailbox != "INBOX":
        create(server, user, mailbox)
    with server.unflushed():
        fill(server, user, *arguments, mailbox)
    if isinstance(server, Ours):
        server.server.imapctl("index", user)


def box(server, size):
    """Messages of 2 KB."""
    count = int(size[:-1]) * 1000
    put(server, "bench0", f"Box{size}", count, 1800, 0, 0, count)
    return {}


def real(server):
    put(server, "bench0", "Real", *POOL)
    return {}


def inboxes(server, users, messages):
    """The first messages of the pool in the INBOX of each of these users."""
    for user in range(users):
        put(server, f"bench{user}", "INBOX", *POOL[:4], POOL[3] + messages)
    return {}


def homes(server, users):
    """Each of these users has logged in before: where a mailbox is made, that is done."""
    with Load(server, f"-c 8 -n {users // 8} -u {users} -s 600", "login", {}) as load:
        load.go()
    return {}


def folders(server, count):
    create(server, "bench0", *(f"Folder{number}" for number in range(1, count + 1)))
    return {}


def changes(server, size):
    """Flags of 50 messages all over the mailbox, and 50 others gone: what is to be resynchronized, by its numbers."""
    count = int(size[:-1]) * 1000
    with lib.Client(server.imap_port) as client:
        client.ok(b"LOGIN bench0 bench")
        client.ok(b"ENABLE QRESYNC")

        def codes():
            lines = b"".join(client.ok(b"SELECT Box%s" % size.encode()).untagged)
            return {name: int(re.search(rb"\[%s (\d+)\]" % name, lines)[1]) for name in (b"UIDVALIDITY", b"HIGHESTMODSEQ")}
        before = codes()
        step = count // 100
        for shift, flag in ((1, b"\\Flagged"), (1 + step // 2, b"\\Deleted")):
            uids = b",".join(b"%d" % number for number in range(shift, count, 2 * step))
            client.ok(b"STORE %s +FLAGS.SILENT (%s)" % (uids, flag))
        client.ok(b"EXPUNGE")
        return {"size": size, "validity": before[b"UIDVALIDITY"], "before": before[b"HIGHESTMODSEQ"],
                "modseq": codes()[b"HIGHESTMODSEQ"]}


