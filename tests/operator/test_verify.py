"""`imapctl verify`: a user's file compared with itself, in use, whatever its messages are kept as."""
import base64
import json
import random
import re
import sqlite3

import pytest

import server as lib

COMPRESSION = ("zstd", "none")


def base64_part(seed, octets):
    return base64.encodebytes(random.Random(seed).randbytes(octets)).replace(b"\n", b"\r\n")


@pytest.fixture(scope="module", params=COMPRESSION)
def server(request):
    with lib.Server(settings=(f"storage-compression {request.param}",), users=("demo", "other")) as running:
        with running.client("demo") as client:
            for number in range(30):
                body = b"".join(b"Line %d of a text.\r\n" % line for line in range(number * 20))
                assert client.append(b"INBOX", lib.message(number, body)).is_ok
            assert client.append(b"INBOX", lib.message(99, base64_part(1, 100000))).is_ok
        yield running


def ask(file, query):
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        (value,), = database.execute(query)
    database.close()
    return value


def file_of(server):
    path, = (path for path in server.data.rglob("mail.db") if ask(path, "SELECT count(*) FROM message"))
    return path


def verify(server, *words, code=0):
    done = server.imapctl("verify", "--json", *words, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout)


def test_each_check_of_the_schema_is_looked_at(server):
    """SQLite's own look at them leaves them out where it may not write."""
    source = (lib.ROOT / "src/store/verify.c").read_text()
    with sqlite3.connect(f"file:{file_of(server)}?mode=ro", uri=True) as database:
        tables = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
    database.close()
    checks = [(name, check) for name, text in tables for check in re.findall(r"CHECK (\((?:[^()]|\([^()]*\))*\))", text)]
    assert len(checks) == sum(text.count("CHECK (") for _, text in tables) > 5
    for name, check in checks:
        assert f"FROM {name} WHERE NOT {check} LIMIT 1" in source, (name, check)
    assert source.count(" WHERE NOT (") == len(checks)


def change(server, statement):
    """By hand, when nobody has the file open."""
    file = file_of(server)
    server.stop()
    with sqlite3.connect(file) as database:
        database.execute(statement)
    database.close()
    server.start()


def test_all_is_well(server):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        record, = verify(server, "demo")["verify"]
        assert record == {"user": "demo", "state": "done", "messages": 31, "faults": 0}
        client.ok(b"STORE 1:* +FLAGS (\\Seen)")
        assert verify(server, "demo")["fault"] == []
    records = {record["user"]: record["state"] for record in verify(server, "--all")["verify"]}
    assert records == {"demo": "done", "other": "none"}


@pytest.mark.parametrize("statement, back, words", [
    ("UPDATE mailbox SET unseen = unseen + 1 WHERE name = 'INBOX'", "UPDATE mailbox SET unseen = unseen - 1 WHERE name = 'INBOX'",
     "kept counters"),
    ("UPDATE content SET sha256 = zeroblob(32) WHERE id = 7", "UPDATE content SET sha256 = x'{}' WHERE id = 7", "digest"),
])
def test_damage(server, statement, back, words):
    digest = ask(file_of(server), "SELECT hex(sha256) FROM content WHERE id = 7")
    change(server, statement)
    found = verify(server, "demo", code=65)
    assert found["verify"][0]["faults"] == 1 and words in found["fault"][0]["text"], found
    change(server, back.format(digest))
    assert verify(server, "demo")["verify"][0]["faults"] == 0


def test_usage(server):
    for words in (), ("demo", "--all"), ("a", "b"):
        assert server.imapctl("verify", *words, check=False).returncode == 64
    assert server.imapctl("verify", "nobody", check=False).returncode == 67
