"""The index of SEARCH: made when users are quiet, and imapctl index."""
import contextlib
import json
import re
import socket
import sqlite3
import subprocess
import threading

import pytest

from server import IMAPCTL, LIMIT_S, Server, message, wait_until

TABLES = "index_state", "index_block", "index_slots", "index_row", "index_again"
WORDS = [bytes("wort%d" % (n * 7919 % 10007), "ascii") for n in range(3000)]


@pytest.fixture
def server():
    with Server(users=("demo", "other"), settings=("expunge-retention none",)) as server:
        yield server


def letter(number, octets=600):
    words = b"".join(WORDS[(number * 31 + n) % len(WORDS)] + (b" " if n % 12 else b"\r\n") for n in range(octets // 8))
    return b"From: sender%d@example.org\r\nSubject: letter %d\r\n\r\n%s\r\n" % (number, number, words)


def fill(client, count, octets=600):
    """In one command, so that they are committed together."""
    messages = [letter(number, octets) for number in range(count)]
    client.send(b"f APPEND INBOX" + b"".join(b" (\\Seen) {%d+}\r\n%s" % (len(m), m) for m in messages) + b"\r\n")
    assert client.reply(b"f").is_ok


def file_of(server):
    file, = (file for file in server.data.rglob("mail.db") if ask(file, "SELECT count(*) FROM message") > 0)
    return file


def ask(file, query):
    with sqlite3.connect("file:%s?mode=ro" % file, uri=True) as database:
        row = database.execute(query).fetchone()
    database.close()
    return row and row[0]


def is_indexed(server):
    return ask(file_of(server), "SELECT indexed_through >= (SELECT max(id) FROM content) FROM index_state") == 1


def index(server, *words, code=0):
    done = server.imapctl("index", "--json", *words, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout)


def user(server, *words):
    record, = index(server, "demo", *words)["index"]
    return record


def test_quiet_users(server):
    """Nobody orders it."""
    with server.client("demo") as client:
        fill(client, 50)
        wait_until(lambda: is_indexed(server))
    assert user(server, "--verify")["indexed"] == 50


def test_delivered_mail(server):
    """Nobody is logged in."""
    with server.lmtp() as lmtp:
        for number in range(5):
            assert lmtp.deliver(letter(number), b"demo")
    wait_until(lambda: is_indexed(server))
    assert user(server, "--verify") == user(server)


def test_order(server):
    with server.client("demo") as client:
        fill(client, 700, octets=6000)
    record = user(server)
    assert record["state"] == "done" and record["messages"] == record["indexed"] == 700 and record["faults"] == 0
    assert record["text"] > 700 * 5000 and record["size"] < record["text"] / 2
    assert ask(file_of(server), "SELECT count(*) FROM index_block WHERE width = 64") > 0
    assert user(server, "--rebuild") == record
    assert user(server, "--verify") == record
    assert index(server, "demo", "--verify")["fault"] == []


def test_all(server):
    with server.client("demo") as client:
        fill(client, 3)
    records = {record["user"]: record for record in index(server, "--all")["index"]}
    assert records["demo"]["state"] == "done" and records["demo"]["indexed"] == 3
    assert records["other"]["state"] == "none" and records["other"]["messages"] == 0
    assert len(list(server.data.rglob("mail.db"))) == 1      # asking has made none
    assert {record["user"] for record in index(server, "--all", "--verify")["index"]} == {"demo", "other"}
    table = server.imapctl("index", "--all").stdout
    assert re.search(r"demo +done +3 +3 ", table)


def test_what_cannot_be_ordered(server):
    assert server.imapctl("index", "nobody", check=False).returncode == 67
    for words in ("index",), ("index", "demo", "--all"), ("index", "demo", "--rebuild", "--verify"), ("index", "a", "b"):
        assert server.imapctl(*words, check=False).returncode == 64


@contextlib.contextmanager
def busy_server(folder, users, busy):
    """What answers at a control socket, as the server does while somebody else has ordered the index of one user."""
    listener = socket.socket(socket.AF_UNIX)
    listener.settimeout(LIMIT_S)
    listener.bind(str(folder / "control"))
    listener.listen()

    def serve():
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            for line in stream:
                verb, name = line.decode().split()
                if verb == "user":
                    answer = "".join(f"+user name={user} login=yes mailbox-id=1\n" for user in users) + ".0\n"
                elif name == busy:
                    answer = ".75 somebody else\n"
                else:
                    answer = f"+index user={name} state=done\n.0\n"
                stream.write(answer.encode())
                stream.flush()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        listener.close()


def test_somebody_else_indexes_one(tmp_path):
    """The others are indexed all the same."""
    config = tmp_path / "imapd.conf"
    config.write_text(f"data-directory {tmp_path}\ncontrol-socket {tmp_path}/control\n")
    with busy_server(tmp_path, ("ada", "bob", "cy"), "bob"):
        done = subprocess.run([IMAPCTL, f"--config={config}", "index", "--all", "--json"],
                              capture_output=True, text=True)
    assert done.returncode == 75 and "bob: somebody else" in done.stderr
    assert [record["user"] for record in json.loads(done.stdout)["index"]] == ["ada", "cy"]


def change(server, *statements):
    """By hand, when nobody has the file open."""
    file = file_of(server)
    server.stop()
    with sqlite3.connect(file) as database:
        for statement in statements:
            database.execute(statement)
    database.close()
    server.start()


@pytest.mark.parametrize("damage", [
    "UPDATE index_row SET octets = zeroblob(256)",
    "DELETE FROM index_row WHERE id % 3 = 0",
    "DELETE FROM index_slots",
    "UPDATE index_slots SET contents = x'00'",
])
def test_damage(server, damage):
    """It is told, and goes when the index is made anew."""
    with server.client("demo") as client:
        fill(client, 300)
    user(server)
    change(server, damage)
    found = index(server, "demo", "--verify", code=65)
    assert found["index"][0]["faults"] > 0 and found["fault"] and "rebuild" in found["error"]["text"]
    assert user(server, "--rebuild")["faults"] == 0
    assert user(server, "--verify")["faults"] == 0
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        assert client.ok(b"SEARCH BODY wort").untagged[0].count(b" ") == 301


def test_files_of_an_older_release(server):
    """They come out of the migration without an index, and are indexed when somebody opens them, without being asked."""
    with server.client("demo") as client:
        fill(client, 30)
    change(server, *("DELETE FROM %s" % table for table in TABLES))
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        wait_until(lambda: is_indexed(server))
    assert user(server, "--verify")["indexed"] == 30


def test_another_version(server):
    """An index that another release has made is dropped and made anew."""
    with server.client("demo") as client:
        fill(client, 30)
    user(server)
    change(server, "UPDATE index_state SET version = 1", "UPDATE index_row SET octets = zeroblob(256)")
    assert user(server)["indexed"] == 30
    assert user(server, "--verify")["faults"] == 0


def test_expunged_mail(server):
    """Blocks of which nothing is left go."""
    with server.client("demo") as client:
        fill(client, 400, octets=4000)
        user(server)
        file = file_of(server)
        assert ask(file, "SELECT count(*) FROM index_row") > 500
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 1:399 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"EXPUNGE")
        # What the open slots have stays: a slot of each kind, and the one message of a block that was given up.
        wait_until(lambda: user(server)["indexed"] == 1 and ask(file, "SELECT count(*) FROM index_row") <= 32)
        assert user(server, "--verify")["faults"] == 0
        assert client.ok(b"SEARCH SUBJECT \"letter 399\"").untagged == [b"* SEARCH 1"]


def test_long_message(server):
    """One that takes many slices, with an attachment that is not read."""
    text = b"".join(b"%d. zeile von vielen, %d\r\n" % (n, n * 7919) for n in range(200000))
    body = (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + text +
            b"--b\r\nContent-Type: image/png\r\n\r\n" + b"x" * 3000000 + b"\r\n--b--\r\n")
    with server.client("demo") as client:
        assert client.append(b"INBOX", b"Subject: long\r\n" + body).is_ok
        assert client.append(b"INBOX", message(2)).is_ok
    record = user(server)
    assert record["indexed"] == 2 and len(text) < record["text"] < len(text) * 1.1
    assert user(server, "--verify")["faults"] == 0
