"""What a command costs in system calls, by strace: counts that do not depend on how busy the machine is.

The server's clock goes a thousand times slower, so that what it does every few seconds is in no count.

FIGURES is what was counted last; a count may be a tenth above it.  Who makes one lower lowers the figure, so that
what was won is kept.  `make bench-smoke` prints what it counts.
"""
import collections
import os
import re
import subprocess

import pytest

import server as lib
from slowness import slow_clock

TIMES = 100

# For each operation: system calls in all, writes to files, reads from files, flushes.
FIGURES = {
    "NOOP": (4.0, 0.1, 0.1, 0.1),
    "APPEND 8 KB": (13.3, 2.5, 0.9, 1.1),
    "APPEND 64 KB": (17.0, 3.0, 1.3, 1.1),
    "LMTP 8 KB": (49.6, 2.5, 1.0, 1.1),
    "STORE one flag": (11.1, 2.1, 0.0, 0.1),
    "COPY one message": (12.2, 2.1, 0.2, 1.1),
    "FETCH 1:* FLAGS": (4.0, 0.1, 0.0, 0.1),
    "FETCH BODY[] 8 KB": (8.8, 0.1, 1.3, 0.1),
    "FETCH BODY[] again": (4.0, 0.1, 0.0, 0.1),
}

# Threads that wait for each other and memory: these do depend on the machine.  The last two are those of the slow clock.
UNSTEADY = {"futex", "epoll_wait", "epoll_ctl", "brk", "mmap", "munmap", "mprotect", "madvise", "sched_yield", "epoll_pwait", "clock_gettime"}
KINDS = ({"pwrite64", "pwritev", "pwritev2"}, {"pread64", "preadv", "preadv2"}, {"fsync", "fdatasync", "sync_file_range"})


def letter(number, size):
    """Octets that nobody can make smaller."""
    return lib.message(number, lib.noise(number, size))


def append(size):
    def operate(server, client, number):
        assert client.append(b"INBOX", letter(number, size)).is_ok
    return operate


def deliver(server, client, number):
    with server.lmtp() as sender:
        assert sender.deliver(letter(number, 8192), server.user)[0].startswith(b"250")


def command(text):
    def operate(server, client, number):
        client.ok(text.replace(b"N", b"%d" % (number + 1)))
    return operate


WORK = {
    "NOOP": command(b"noop"),
    "APPEND 8 KB": append(8192),
    "APPEND 64 KB": append(65536),
    "LMTP 8 KB": deliver,
    "STORE one flag": command(b"store N +flags (\\seen)"),
    "COPY one message": command(b"copy N Archive"),
    "FETCH 1:* FLAGS": command(b"fetch 1:* flags"),
    "FETCH BODY[] 8 KB": command(b"fetch N body.peek[]"),
    "FETCH BODY[] again": command(b"fetch 1 body.peek[]"),
}


@pytest.fixture(scope="module")
def server():
    """Each kind of work has a user of its own, with a hundred messages."""
    if subprocess.run([lib.need("strace"), "-qq", "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")
    server = lib.Server(users=[f"user{number}" for number in range(len(WORK))])
    with server:
        for number in range(len(WORK)):
            with server.client(f"user{number}") as client:
                for message in range(TIMES):
                    assert client.append(b"INBOX", letter(message, 8192)).is_ok
        server.imapctl("index", "--all")		# or what is left of that would count later
        yield server


def calls(trace):
    """How often each system call stands in what strace has written since."""
    names = re.findall(r"^\d+ +(\w+)\(", trace.read(), re.M)
    return collections.Counter(name for name in names if name not in UNSTEADY)


def count(server, number, operate):
    """What TIMES operations cost, with all that is done later on their behalf: until the server has ended."""
    assert server.stop() == 0
    path = server.folder / f"trace{number}"
    server.prefix = ("strace", "-D", "-f", "-qq", "-e", "signal=none", "-s0", "-o", path, *slow_clock(server.folder))
    server.user = b"user%d" % number
    server.start()
    with open(path) as trace, server.client(f"user{number}") as client:
        client.ok(b"select inbox")
        calls(trace)
        for message in range(TIMES):
            operate(server, client, message)
        client.close()		# or it is waited for, and long, by that clock
        assert server.stop() == 0
        found = calls(trace)
    server.prefix = ()
    server.start()
    return [sum(found.values()) / TIMES] + [sum(found[name] for name in kind) / TIMES for kind in KINDS]


@pytest.mark.parametrize("name", WORK)
def test_counts(server, name):
    counted = count(server, list(WORK).index(name), WORK[name])
    print(f'\n    "{name}": ({", ".join(f"{number:.1f}" for number in counted)}),')
    for kind, figure, number in zip(("calls", "writes", "reads", "flushes"), FIGURES[name], counted):
        assert number <= figure * 1.1 + 0.3, f"{kind}: {number}, {figure} at most"
