"""The load generator itself: each kind of work comes to its end, and has done what it says."""
import importlib.machinery
import importlib.util
import subprocess

import pytest

import server as lib

BUILD = lib.ROOT / "build"
PROGRAMS = ("build/tests/bench/load", "build/tests/bench/letters")

# Options, work, operations, and where how many messages are afterwards.
WORK = [
    ("-n 3", "login", 3, None),
    ("-t -n 3", "login", 3, None),
    ("-r -n 3", "login", 3, None),
    ("-c 2 -n 3 -b OneByOne%u", "append", 6, ("OneByOne1", 3)),
    ("-d 4 -n 8 -b Pipelined", "append-pipelined", 8, ("Pipelined", 8)),
    ("-t -z -n 20 -b Many", "multiappend", 20, ("Many", 20)),
    ("-c 2 -u 2 -n 3", "lmtp", 6, ("INBOX", 3)),
    ("-c 1 -u 2 -k 2 -n 40", "lmtp", 40, ("INBOX", 23)),
    ("-n 5", "ranges", 5, None),
    ("-d 4 -m 5 -n 8", "FETCH %n BODY.PEEK[]", 8, None),
    ("-l -n 3", "NOOP\nSTORE 1:* %sFLAGS (\\Flagged)", 3, None),
    ("-t -c 2 -u 1 -m 5 -n 32", "session", 64, ("INBOX", 27)),
    ("-t -c 2 -n 3 -s 0", "idle", 0, None),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    built = subprocess.run(["make", "-s", *PROGRAMS], cwd=lib.ROOT, capture_output=True, text=True)
    if "openssl/ssl.h" in built.stderr:
        pytest.skip("libssl-dev is not installed")
    assert built.returncode == 0, built.stderr
    with lib.Server(users=()) as server:
        for user in ("bench0", "bench1"):
            server.add_user(user, "bench")
        server.letters = tmp_path_factory.mktemp("letters") / "pool"
        with open(server.letters, "wb") as file:
            subprocess.run([lib.ROOT / PROGRAMS[1], "5", "50000", "1"], stdout=file, check=True)
        yield server


def messages(server, mailbox):
    with server.client("bench0", password="bench") as client:
        line = client.ok(b"STATUS %s (MESSAGES)" % mailbox.encode()).untagged[0]
        return int(line.split()[-1].strip(b")"))


@pytest.mark.parametrize("options, work, operations, expected", WORK)
def test_work_ends(server, options, work, operations, expected):
    words = options.split()
    port = server.lmtp_port if work == "lmtp" else server.imaps_port if {"-t", "-r"} & set(words) else server.imap_port
    done = subprocess.run([lib.ROOT / PROGRAMS[0], "-f", server.letters, *words, str(port), work], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ready, figures = done.stdout.splitlines()
    assert ready == "ready" and int(figures.split()[0]) == operations
    if "-r" in words:
        assert int(figures.split()[-1]) == operations
    if expected:
        assert messages(server, expected[0]) == expected[1]


@pytest.mark.parametrize("name", sorted(path.name for path in (lib.ROOT / "tests/bench").iterdir() if path.suffix == "" and path.is_file()))
def test_program_begins(name):
    """Each program of the benchmark finds what it imports: no module of tests/lib has the name of one of its own."""
    loader = importlib.machinery.SourceFileLoader("program", str(lib.ROOT / "tests/bench" / name))
    loader.exec_module(importlib.util.module_from_spec(importlib.util.spec_from_loader("program", loader)))
