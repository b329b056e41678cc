"""imapctl import imap://: accounts of real servers come over whole, and stay so when it is killed, run again, and the source
changes meanwhile.

Without MOVE=1 (make move) it is a small account on the servers of this machine; with it all of servers.EVERY, MOVE_MESSAGES
messages (10000), and MOVE_KILLS kills (50).
"""
import collections
import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

import accounts
import comparing
import moving
import servers

lib = comparing.lib
IS_CAMPAIGN = bool(os.environ.get("MOVE"))
MESSAGES = int(os.environ.get("MOVE_MESSAGES", "10000" if IS_CAMPAIGN else "200"))
KILLS = int(os.environ.get("MOVE_KILLS", "50" if IS_CAMPAIGN else "3"))
SHORT = ["dovecot-2.3-sdbox", "imapd"]


@pytest.fixture(scope="module")
def target():
    with lib.Server(users=()) as running:
        yield running
        running.check_log()


@contextlib.contextmanager
def started(name):
    source = servers.EVERY[name]()
    if reason := source.lacks():
        pytest.skip(f"{name}: {reason}")
    with source:
        yield source


def session(source):
    return comparing.Session(source.port, "u0", servers.PASSWORD, source.has_literal_plus)


@pytest.fixture(scope="module", params=list(servers.EVERY) if IS_CAMPAIGN else SHORT)
def source(request):
    with started(request.param) as running:
        with session(running) as filling:
            built = accounts.build(filling, MESSAGES)
        running.user = request.param.replace(".", "-")
        assert built.messages >= MESSAGES * 0.9 and built.mailboxes >= 30, built
        yield running


def messages_of(account):
    return sum(len(box.messages) for box in account.values())


def test_everything_comes_over(source, target):
    """Once, and a second run has nothing to do."""
    target.add_user(source.user)
    there = moving.read_source(source)
    begun = time.monotonic()
    report, _, _ = moving.pull(target, source.user, source)
    taken = time.monotonic() - begun
    print(f"\n{source.name}: {messages_of(there)} messages in {len(there)} mailboxes, {taken:.1f} s")
    assert moving.differences(there, moving.read_target(target, source.user)) == []
    assert report["imported"] == messages_of(there)
    report, _, _ = moving.pull(target, source.user, source)
    assert report["imported"] == 0
    assert moving.differences(there, moving.read_target(target, source.user)) == []


def test_changes_on_the_source(source, target):
    """Without --mirror what is new comes, and nothing goes; with it all is as it is there."""
    before = moving.read_source(source)
    with session(source) as changing:
        accounts.change(changing)
    after = moving.read_source(source)
    assert before != after
    report, _, _ = moving.pull(target, source.user, source)
    found = moving.read_target(target, source.user)
    names = moving.names_here(after)
    for path, box in after.items():
        old, new = (collections.Counter(one.digest for one in one_box.messages) for one_box in (before[path], box))
        if moving.names_here([path])[path] == names[path] and "\xe9" not in path[0]:
            assert collections.Counter(one.digest for one in found[names[path]].messages) == old | new, path
    assert report["imported"] > 0
    moving.pull(target, source.user, source, "--mirror")
    assert moving.differences(after, moving.read_target(target, source.user)) == []
    report, _, _ = moving.pull(target, source.user, source, "--mirror")
    assert report["imported"] == 0
    assert moving.differences(after, moving.read_target(target, source.user)) == []


def test_a_mailbox_is_renamed(source, target):
    """It comes under its new name; what was brought under the old one is not touched without --mirror."""
    old, new = ("Archive", "2019"), ("Archive", "year 2019")
    with session(source) as renaming:
        accounts.rename(renaming, old, new)
    after = moving.read_source(source)
    assert new in after
    moving.pull(target, source.user, source)
    found = moving.read_target(target, source.user)
    found.pop(old)
    assert moving.differences(after, found) == []


def test_verify(source, target):
    """It says that nothing differs, and of what does differ, what."""
    moving.pull(target, source.user, source, "--mirror")
    _, code, words = moving.pull(target, source.user, source, "--verify", "--exclude=Archive/2019", check=False)
    assert code == 0, words
    with comparing.Session(target.imap_port, source.user, lib.PASSWORD) as changing:
        changing.ok(b"SELECT INBOX")
        changing.ok(rb"STORE 2 +FLAGS (mine)")
        changing.ok(rb"STORE 1 +FLAGS (\Deleted)")
        changing.ok(b"EXPUNGE")
    _, code, words = moving.pull(target, source.user, source, "--verify", check=False)
    assert code == 1, words


def test_killed_and_begun_again(source, target):
    """kill -9 of the import, or of our server, at any moment, until it ends before that; then with another user, until
    KILLS have hit."""
    expected = moving.read_source(source)
    target.add_user(f"{source.user}-not-killed")
    begun = time.monotonic()
    moving.pull(target, f"{source.user}-not-killed", source)
    whole = time.monotonic() - begun
    chance, killed, users = random.Random(11), 0, 0
    while killed < KILLS and users < KILLS:
        users += 1
        user = f"{source.user}-killed-{users}"
        target.add_user(user)
        while killed < KILLS and pull_and_kill(target, user, source, chance.uniform(0, whole / 2), killed % 3 == 2):
            killed += 1
        moving.pull(target, user, source)
        assert moving.differences(expected, moving.read_target(target, user)) == [], (user, killed)
        report, _, _ = moving.pull(target, user, source)
        assert report["imported"] == 0
    print(f"\n{source.name}: {killed} kills, {users} users")


def pull_and_kill(target, user, source, after_s, is_server):
    """Whether it had not ended then."""
    process = subprocess.Popen(moving.words(target, user, source), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, text=True)
    process.stdin.write(servers.PASSWORD + "\n")
    process.stdin.close()
    try:
        process.wait(after_s)
        return False
    except subprocess.TimeoutExpired:
        if is_server:
            target.kill()
            process.wait(lib.LIMIT_S)
            target.start()
        else:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return True
