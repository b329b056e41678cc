"""Flags that many messages got at once are put into their rows later, in steps: kill -9 between two of them."""
import contextlib
import re
import sqlite3

import server as lib

MESSAGES = 17000	# more than one step
LETTER = b"Subject: x\r\n\r\nx\r\n"


def kept(server):
    """Where in the user's file the changes begin that are not yet in the rows."""
    file, = (path for path in server.data.rglob("mail.db"))
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as shell:
        return [uid for uid, in shell.execute("SELECT first_uid FROM flag_change")]


def flags(client):
    """Flags and modseq of each message, and how many are unseen."""
    client.ok(b"SELECT INBOX (CONDSTORE)")
    lines = client.ok(b"FETCH 1:* (FLAGS MODSEQ)").untagged
    found = [re.search(rb"FLAGS \(([^)]*)\).* MODSEQ \((\d+)\)", line) for line in lines if b" FETCH " in line]
    status, = client.ok(b"STATUS INBOX (UNSEEN)").untagged
    return [(frozenset(match[1].split()) - {b"\\Recent"}, int(match[2])) for match in found], status


def test_kill_between_two_steps():
    with lib.Server() as server:
        with server.client("demo") as client:
            for _ in range(MESSAGES // 500):
                tag = client.tag()
                client.send(tag + b" APPEND INBOX" + 500 * (b" {%d+}\r\n%s" % (len(LETTER), LETTER)) + b"\r\n")
                assert client.reply(tag).is_ok
            client.ok(b"SELECT INBOX")

            def is_kept():		# a machine that is busy for a second may look when it is in the rows already
                client.ok(b"STORE 1:* -FLAGS.SILENT (\\Seen)")
                lib.wait_until(lambda: kept(server) == [])
                client.ok(b"STORE 1:* +FLAGS.SILENT (\\Seen)")
                return kept(server) == [1]
            lib.wait_until(is_kept)
            before = flags(client)
            assert len(before[0]) == MESSAGES and {seen for seen, _ in before[0]} == {frozenset([b"\\Seen"])}
            assert b"UNSEEN 0" in before[1]
        lib.wait_until(lambda: kept(server) != [1])
        server.kill()
        server.start()
        with server.client("demo") as client:
            assert flags(client) == before
            client.ok(b"STORE 17000 -FLAGS.SILENT (\\Seen)")	# written before what is kept of it
            lib.wait_until(lambda: kept(server) == [])
            after = flags(client)
            assert after[0][:-1] == before[0][:-1] and after[0][-1][0] == frozenset() and b"UNSEEN 1" in after[1]
