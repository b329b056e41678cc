"""Faults between the hosts, by seed: what was acknowledged is there afterwards, once; nobody waits for ever.

A schedule mostly waits, so several pairs of servers, each with a process of its own, go through the seeds side by side.

    SPLIT_SCHEDULES=200   how many at most        SPLIT_SECONDS=170   for how long new ones are begun
    SPLIT_SEED=1          the first seed          SPLIT_PAIRS=8       how many at a time
"""
import multiprocessing
import os
import random
import re
import sys
import threading
import time
import traceback

import pytest

import server as lib
import split

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")

SCHEDULES = int(os.environ.get("SPLIT_SCHEDULES", 200))
SECONDS = int(os.environ.get("SPLIT_SECONDS", 170))
SEED = int(os.environ.get("SPLIT_SEED", 1))
PAIRS = int(os.environ.get("SPLIT_PAIRS", 8))
USERS = ["user1", "user2", "user3"]
HANG_S = 60			# for one reply: less than what TCP itself would give up behind


class Worker(threading.Thread):
    """A client that adds, flags and removes messages of its user, and keeps a ledger of what it was told."""

    def __init__(self, pair, user, seed):
        super().__init__(daemon=True)
        self.pair, self.user, self.random = pair, user, random.Random(seed)
        self.tag = f"{user}-{seed}"
        self.sure, self.maybe, self.flagged, self.removed, self.maybe_removed = {}, set(), set(), set(), set()
        self.count, self.done, self.problem, self.farewells = 0, threading.Event(), None, 0

    def run(self):
        try:
            while not self.done.is_set():
                begun = time.monotonic()
                try:
                    self.session()
                except TimeoutError:
                    self.problem = f"{self.user} has waited for {time.monotonic() - begun:.0f} s"
                    return
                except (EOFError, OSError):
                    self.farewells += 1
                self.done.wait(self.random.uniform(0.01, 0.1))
        except Exception as error:      # noqa: BLE001: the test reports it
            self.problem = repr(error)

    def session(self):
        with lib.Client(self.pair.imap_port, timeout=HANG_S) as client:
            client.checker = None	# a link that breaks may leave half a line: BYE comes behind a line end
            answer = client.command(b'LOGIN %s "%s"' % (self.user.encode(), lib.PASSWORD.encode()))
            if not answer.is_ok:
                assert b"NO [UNAVAILABLE]" in answer.tagged, answer
                return
            client.ok(b"SELECT INBOX")
            while not self.done.is_set():
                self.step(client)
                if self.random.random() < 0.3:
                    self.done.wait(self.random.uniform(0, 0.1))

    def step(self, client):
        self.count += 1
        name = f"{self.tag}-{self.count}"
        self.maybe.add(name)
        answer = client.append(b"INBOX", b"Subject: %s\r\n\r\n" % name.encode() + b"x" * self.random.randrange(20000))
        if not answer.is_ok:
            return
        uid = int(re.search(rb"\[APPENDUID \d+ (\d+)\]", answer.tagged)[1])
        self.sure[name] = uid
        if self.random.random() < 0.4 and client.command(b"UID STORE %d +FLAGS (\\Flagged)" % uid).is_ok:
            self.flagged.add(name)
        if self.random.random() < 0.2:
            self.maybe_removed.add(name)
            client.command(b"UID STORE %d +FLAGS (\\Deleted)" % uid)
            if client.command(b"UID EXPUNGE %d" % uid).is_ok:
                self.removed.add(name)

    def check(self):
        """The ledger against the store."""
        found = {}
        for line in in_a_session(self.pair, self.user, b"UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
            name = re.search(rb"Subject: (\S+)", line)
            if name and name[1].decode().startswith(self.tag + "-"):
                uid, flags = int(re.search(rb"UID (\d+)", line)[1]), re.search(rb"FLAGS \(([^)]*)\)", line)[1]
                found.setdefault(name[1].decode(), []).append((uid, flags))
        for name, uid in self.sure.items():
            if name in self.removed:
                assert name not in found, f"{name} was removed and is there"
            elif name not in self.maybe_removed:
                assert name in found, f"{name} was acknowledged and is not there"
                assert [one[0] for one in found[name]] == [uid], f"{name}: {found[name]}, acknowledged as {uid}"
                assert name not in self.flagged or b"\\Flagged" in found[name][0][1], f"{name} has lost its flag"
        for name, places in found.items():
            assert name in self.maybe and len(places) == 1, f"{name}: {places}"

    def tidy(self):
        """The next schedule finds an empty mailbox: looking through it takes no longer than this time."""
        in_a_session(self.pair, self.user, b"UID STORE 1:* +FLAGS.SILENT (\\Deleted)", b"EXPUNGE")


def restart(host):
    host.kill()
    host.start()


def pause(host, seconds):
    lib.freeze(host.process)
    time.sleep(seconds)
    lib.thaw(host.process)


def fault(pair, chance):
    """One thing that goes wrong, and is over again after a while."""
    host = pair.mailboxes[0]
    kind = chance.choice(["cut", "swallow", "swallow_near", "slow", "lose", "kill mailbox", "kill cas", "stop mailbox",
                          "pause mailbox", "pause cas", "short cut"])
    seconds = chance.uniform(0.05, 0.5) if kind == "short cut" else chance.uniform(0.3, 3)
    if kind in ("cut", "short cut", "swallow", "swallow_near", "slow", "lose"):
        getattr(host.wire, "cut" if kind == "short cut" else kind)()
        time.sleep(seconds)
        host.wire.heal()
    elif kind == "kill mailbox":
        restart(host)
    elif kind == "kill cas":
        restart(pair.cas)
    elif kind == "stop mailbox":
        host.stop()
        host.start()
    else:
        pause(host if kind == "pause mailbox" else pair.cas, seconds)
    return kind


def can_log_in(pair, user="user1"):
    with pair.client() as client:
        return client.command(b'LOGIN %s "%s"' % (user.encode(), lib.PASSWORD.encode())).is_ok


def in_a_session(pair, user, *commands):
    """
    Select INBOX and say this; what the last is answered.  A connection that the fault has left behind may still be given up:
    then the server is down for a moment, and it is said again.
    """
    lines = []

    def is_said():
        try:
            with pair.client() as client:
                client.checker = None
                if not client.command(b'LOGIN %s "%s"' % (user.encode(), lib.PASSWORD.encode())).is_ok:
                    return False
                client.ok(b"SELECT INBOX")
                for command in commands:
                    lines[:] = client.ok(command).untagged
        except (EOFError, OSError):
            return False
        return True
    lib.wait_until(is_said)
    return lines


def schedule(pair, seed, limits):
    chance = random.Random(seed)
    workers = [Worker(pair, user, seed) for user in USERS]
    for worker in workers:
        worker.start()
    kinds = []
    for _ in range(chance.randint(1, 2)):
        time.sleep(chance.uniform(0.05, 0.4))
        kinds.append(fault(pair, chance))
    where = f"seed {seed}: {kinds}"
    try:
        lib.wait_until(lambda: can_log_in(pair))
    except AssertionError as error:
        raise AssertionError(f"{where}: no login succeeds") from error
    time.sleep(0.1)
    for worker in workers:
        worker.done.set()
    for worker in workers:
        worker.join(HANG_S + 5)
        assert not worker.is_alive(), f"{where}: {worker.user} hangs"
        assert worker.problem is None, f"{where}: {worker.problem}"
        try:
            worker.check()
            if worker.sure:
                worker.tidy()
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error
    for host, limit in zip(pair.hosts(), limits):
        try:
            lib.wait_until(lambda: pair.descriptors(host) <= limit)
        except AssertionError as error:
            raise AssertionError(f"{where}: {host.role} holds {pair.descriptors(host)} descriptors, not {limit}") from error
    return sum(len(worker.sure) for worker in workers)


def may_log_in(pair, user):
    """The first login makes the user's file: on a busy machine that may take longer than mailbox-server-timeout."""
    with lib.Client(pair.imap_port) as client:
        return client.command(b'LOGIN %s "%s"' % (user.encode(), lib.PASSWORD.encode())).is_ok


def go_through(seeds, deadline, results):
    """One pair, in a process of its own: a result is (seed, messages acknowledged, what failed)."""
    seed = None
    try:
        with split.SplitServer(settings=["link-timeout 2"],
                               cas_settings=["mailbox-server-timeout 5", "link-timeout 2"]) as pair:
            for user in USERS:
                pair.add_user(user)
                lib.wait_until(lambda: may_log_in(pair, user))
            lib.wait_until(lambda: pair.descriptors(pair.cas) <= 20 + 2 * os.cpu_count())
            # A store that stays open for the next session has three; the socket of the pulse may be there twice.
            limits = [pair.descriptors(pair.cas) + 2, pair.descriptors(pair.mailboxes[0]) + 3 * len(USERS) + 2]
            while time.monotonic() < deadline and (seed := next_of(seeds)) is not None:
                results.put((seed, schedule(pair, seed, limits), None))
    except BaseException:       # noqa: BLE001: the test reports it
        results.put((seed, 0, traceback.format_exc()))
        with seeds.get_lock():
            seeds.value = SEED + SCHEDULES
    finally:
        results.put(None)


def next_of(seeds):
    with seeds.get_lock():
        seed = seeds.value
        seeds.value += 1
    return seed if seed < SEED + SCHEDULES else None


def alone(seed):
    if seed is None:
        return "before or after all schedules"
    return f"seed {seed}, alone: SPLIT_SEED={seed} SPLIT_SCHEDULES=1 {sys.executable} -m pytest -s {__file__}"


def test_schedules():
    fork, begun = multiprocessing.get_context("fork"), time.monotonic()
    seeds, results = fork.Value("q", SEED), fork.Queue()
    processes = [fork.Process(target=go_through, args=(seeds, begun + SECONDS, results))
                 for _ in range(min(PAIRS, SCHEDULES))]
    for process in processes:
        process.start()
    acknowledged, failures, running = {}, [], len(processes)
    while running > 0:
        result = results.get(timeout=SECONDS + 10 * lib.LIMIT_S)
        if result is None:
            running -= 1
        elif result[2] is None:
            acknowledged[result[0]] = result[1]
        else:
            failures.append(f"{alone(result[0])}:\n{result[2]}")
    for process in processes:
        process.join()
    print(f"{len(acknowledged)} schedules, {sum(acknowledged.values())} messages acknowledged, "
          f"{time.monotonic() - begun:.0f} s, {len(processes)} pairs")
    assert not failures, "\n".join(failures)
    assert sum(acknowledged.values()) > 0
