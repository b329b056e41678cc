"""What a command costs in instructions, by callgrind: counts that do not depend on how busy the machine is.

The server's clock goes a thousand times slower (slow_clock.c), so that nothing falls into a count because time has passed, and
the index of SEARCH is made in as few pieces as on a machine with nothing else to do.

FIGURES is what was counted last, in thousands, with the compiler and the SQLite of Debian 12; a count may be a tenth above it.
Who makes one lower lowers the figure.  What is done later on behalf of a command, such as the index of SEARCH, is counted with it.
"""
import re
import shutil
import sqlite3
import subprocess

import pytest

import server as lib
from slowness import slow_clock

TIMES = 20
ROUNDS = {"APPEND 8 KB": 6, "LMTP 8 KB": 6}      # of others 2: there are so many messages
FIGURES = {
    "NOOP": 43,
    "SELECT": 61,
    "STATUS": 53,
    "LIST": 111,
    "SEARCH UNSEEN": 149,
    "FETCH 1:* FLAGS": 83,
    "FETCH BODY[] 8 KB": 149,
    "STORE one flag": 110,
    "COPY one message": 152,
    "APPEND 8 KB": 976,
    "LMTP 8 KB": 1125,
}
TEXT = b"".join(b"Line %d of some text, and so on and on.\r\n" % number for number in range(190))


def command(text):
    def operate(server, client, number):
        client.ok(text.replace(b"N", b"%d" % (number + 1)))
    return operate


def append(server, client, number):
    assert client.append(b"INBOX", lib.message(number, TEXT)).is_ok


def deliver(server, client, number):
    with server.lmtp() as sender:
        assert sender.deliver(lib.message(number, TEXT), b"demo")[0].startswith(b"250")


WORK = {
    "NOOP": command(b"noop"),
    "SELECT": command(b"select inbox"),
    "STATUS": command(b"status Archive (messages unseen uidnext)"),
    "LIST": command(b'list "" *'),
    "SEARCH UNSEEN": command(b"search unseen"),
    "FETCH 1:* FLAGS": command(b"fetch 1:* flags"),
    "FETCH BODY[] 8 KB": command(b"fetch N body.peek[]"),
    "STORE one flag": command(b"store N +flags (\\seen)"),
    "COPY one message": command(b"copy N Archive"),
    "APPEND 8 KB": append,
    "LMTP 8 KB": deliver,
}


def is_debian_12():
    compiler = subprocess.run(["cc", "-dumpversion"], capture_output=True, text=True).stdout
    return compiler.strip() == "12" and sqlite3.sqlite_version.startswith("3.40.")


@pytest.fixture(scope="module")
def server():
    if shutil.which("callgrind_control") is None or not is_debian_12():
        pytest.skip("the figures are for valgrind on Debian 12")
    with lib.Server() as running:
        running.stop()
        running.prefix = (*slow_clock(running.folder), "valgrind", "-q", "--tool=callgrind",
                          f"--callgrind-out-file={running.folder}/callgrind")
        running.start()
        with running.client("demo") as client:
            for number in range(2 * TIMES + 1):
                append(running, client, number)
        running.imapctl("index", "demo")
        yield running


def counted(server):
    """Thousands of instructions since this was asked last."""
    before = set(server.folder.glob("callgrind.*"))
    subprocess.run(["callgrind_control", "-d", str(server.process.pid)], capture_output=True, check=True)
    lib.wait_until(lambda: any("totals:" in path.read_text() for path in set(server.folder.glob("callgrind.*")) - before))
    path, = set(server.folder.glob("callgrind.*")) - before
    return int(re.search(r"^totals: (\d+)", path.read_text(), re.M)[1]) / 1000


def rounds(server, client, name):
    """What an operation costs, again and again: what is done once in a while may fall into some of them."""
    for first in range(0, ROUNDS.get(name, 2) * TIMES, TIMES):
        server.imapctl("index", "demo")
        counted(server)
        for number in range(first, first + TIMES):
            WORK[name](server, client, number)
        server.imapctl("index", "demo")
        yield counted(server) / TIMES


@pytest.mark.parametrize("name", WORK)
def test_instructions(server, name):
    limit = FIGURES[name] * 1.1 + 1
    found = []
    with server.client("demo") as client:
        client.ok(b"select INBOX")
        WORK[name](server, client, 2 * TIMES)
        for count in rounds(server, client, name):
            found.append(count)
            if len(found) > 1 and min(found) <= limit:
                break
    print(f'\n    "{name}": {min(found):.0f},')
    assert min(found) <= limit, found
