"""Dictionaries that are made of a user's own mail: when there is one, what it is used for, and what it means when it is
damaged."""
import sqlite3

import server as lib

COUNT = 520


def letter(number):
    return (b"From: Person %d <person.%d@department-%d.example.com>\r\nTo: Demo <demo@example.org>\r\n"
            b"Subject: number %d\r\nMessage-ID: <%d@department-%d.example.com>\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\n\r\nDear Demo,\r\n\r\nthis is number %d of person %d.\r\n"
            % (number % 30, number % 30, number % 7, number, number, number % 7, number, number % 30))


def append(client, numbers):
    for number in numbers:
        client.send(b"a%d APPEND INBOX {%d+}\r\n%s\r\n" % (number, len(letter(number)), letter(number)))
    for number in numbers:
        assert client.reply(b"a%d" % number).is_ok


def ask(server, query):
    path, = server.data.rglob("mail.db")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as shell:
        return shell.execute(query).fetchone()[0]


def is_made(server):
    return ask(server, "SELECT count(*) FROM dictionary WHERE encoding >= 16") == 1


def test_dictionary():
    with lib.Server() as server:
        with server.client("demo") as client:
            append(client, range(COUNT))
            lib.wait_until(lambda: is_made(server))     # nobody has to ask for it
            append(client, range(COUNT, COUNT + 20))
            client.ok(b"SELECT INBOX")
            for number in 1, COUNT + 1, COUNT + 20:
                assert client.fetch_body(number) == letter(number - 1)
            assert client.ok(b"SEARCH FROM person.13@ SUBJECT 523").untagged == [b"* SEARCH 524"]
            kept = client.ok(b"FETCH %d:* (ENVELOPE BODYSTRUCTURE PREVIEW)" % COUNT).untagged
        assert ask(server, f"SELECT count(*) FROM content WHERE encoding >= 16 AND id > {COUNT}") == 20
        server.stop()
        path, = server.data.rglob("mail.db")
        with sqlite3.connect(path) as shell:
            shell.execute("UPDATE dictionary SET octets = CAST(x'37a430ec' || substr(octets, 6) AS BLOB) WHERE encoding >= 16")
        server.start()
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            for items in b"ENVELOPE", b"BODYSTRUCTURE", b"PREVIEW", b"BODY.PEEK[]", b"BODY.PEEK[HEADER.FIELDS (SUBJECT)]":
                assert b"NO [CORRUPTION]" in client.command(b"FETCH %d (%s)" % (COUNT + 1, items)).tagged
            assert client.fetch_body(1) == letter(0)
            append(client, [COUNT + 20])                # and without a dictionary there is no need of one
            client.ok(b"NOOP")
            assert client.fetch_body(COUNT + 21) == letter(COUNT + 20)
        server.stop()
        with sqlite3.connect(path) as shell:
            shell.execute("DELETE FROM dictionary WHERE encoding >= 16")
        server.start()
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            assert b"NO [CORRUPTION]" in client.command(b"FETCH %d ENVELOPE" % (COUNT + 1)).tagged
            assert len(client.ok(b"FETCH 1:%d ENVELOPE" % COUNT).untagged) == COUNT
        server.imapctl("acknowledge", "demo")
        assert len(kept) == 21
