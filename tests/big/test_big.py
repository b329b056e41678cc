"""A mailbox of 100,000 messages: everything streams, memory is bounded, others are served meanwhile."""
import multiprocessing
import os
import pathlib
import re
import time

import pytest

import server as lib

COUNT = int(os.environ.get("BIG_COUNT", "100000"))


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("big", "other")) as running:
        letters = [lib.message(number) for number in range(1, 1001)]
        with running.client("big") as client:
            for start in range(0, COUNT, 1000):
                command = b"a APPEND INBOX"
                for letter in letters:
                    command += b" (\\Seen) {%d+}\r\n%s" % (len(letter), letter)
                client.send(command + b"\r\n")
                assert client.reply(b"a").is_ok
        yield running


def watch(server, other, done, results):
    """In a process of its own, so that it measures the server and not Python: NOOPs and memory."""
    noops, peak = [], 0
    while not done.is_set():
        start = time.monotonic()
        other.ok(b"NOOP")
        noops.append(time.monotonic() - start)
        peak = max(peak, server.rss_kib())
        time.sleep(0.001)
    results.put((sorted(noops), peak))


@pytest.mark.parametrize("command", [b"FETCH 1:* (UID FLAGS)", b"FETCH 1:* (ENVELOPE BODYSTRUCTURE INTERNALDATE)",
                                     b"UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])",
                                     b"FETCH 1:* BODY.PEEK[]"])
def test_it_streams(server, command):
    """Memory grows by less than 64 MiB and a NOOP of another session stays short meanwhile."""
    with server.client("big") as client, server.client("other") as other:
        begun = time.monotonic()
        assert b"* %d EXISTS" % COUNT in client.ok(b"SELECT INBOX").untagged
        before = server.rss_kib()
        done, results = multiprocessing.Event(), multiprocessing.Queue()
        watcher = multiprocessing.Process(target=watch, args=(server, other, done, results))
        watcher.start()
        client.send(b"f " + command + b"\r\n")
        count = octets = 0
        while not (line := client.line()).startswith(b"f "):
            count += b" FETCH (" in line[:40]
            octets += len(line)
        done.set()
        noops, peak = results.get()
        watcher.join()
        print(f"{command.decode()}: {octets >> 20} MiB in {time.monotonic() - begun:.2f} s, "
              f"RSS +{(peak - before) >> 10} MiB, NOOP p50 {noops[len(noops) // 2] * 1000:.1f} ms "
              f"p99 {noops[len(noops) * 99 // 100] * 1000:.1f} ms max {noops[-1] * 1000:.1f} ms")
        assert line.startswith(b"f OK") and count == COUNT
        assert peak - before < 64 * 1024


def test_search_does_not_hold_up_others(server):
    with server.client("big") as client, server.client("other") as other:
        client.ok(b"SELECT INBOX")
        client.send(b"s SEARCH BODY nowhere\r\n")
        for _ in range(20):
            other.ok(b"NOOP")
        reply = client.reply(b"s")
        assert reply.is_ok and reply.untagged == [b"* SEARCH"]


def test_flags_of_all(server):
    with server.client("big") as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 1:* +FLAGS.SILENT (\\Flagged)")
        assert b"COUNT %d" % COUNT in client.ok(b"SEARCH RETURN (COUNT) FLAGGED").untagged[-1]
        client.ok(b"STORE 1:* -FLAGS.SILENT (\\Flagged)")
        assert b"COUNT 0" in client.ok(b"SEARCH RETURN (COUNT) FLAGGED").untagged[-1]


def test_sessions_of_a_user_thread_together():
    """What they hold for it is bounded together: some are refused, and each may try again."""
    with lib.Server(users=("threads",)) as server, server.client("threads") as writer:
        writer.checker = None
        for first in range(0, 3000, 100):
            writer.send(b"a APPEND INBOX" + b"".join(b" {%d+}\r\n%s" % (len(letter), letter) for letter in map(
                referring, range(first, first + 100))) + b"\r\n")
            assert writer.reply(b"a").is_ok
        clients = [server.client("threads") for _ in range(8)]
        for client in clients:
            client.ok(b"SELECT INBOX")
        before = server.rss_kib()
        for number, client in enumerate(clients, 1):
            client.send(b"t THREAD REFS UTF-8 NOT %d\r\n" % number)
        answers = [client.reply(b"t").tagged for client in clients]
        refused = [answer for answer in answers if not answer.startswith(b"t OK")]
        assert 0 < len(refused) < 8 and all(answer.startswith(b"t NO [LIMIT]") for answer in refused), answers
        assert peak_kib(server) - before < 640 * 1024
        for client in clients:
            assert client.ok(b"THREAD REFS UTF-8 ALL").untagged
            client.close()


def peak_kib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def referring(number, count=900):
    """A message that refers to many that are not there."""
    references = b"\r\n ".join(b"<%x@a>" % (number * count + one) for one in range(count))
    return b"Message-ID: <m%d@a>\r\nReferences: %s\r\n\r\nx\r\n" % (number, references)
