"""`expunge-retention` and `imapctl undelete`: what leaves a mailbox comes back as it was."""
import json
import sqlite3

import pytest

import server as lib


@pytest.fixture
def server():
    with lib.Server(users=("demo", "other")) as running:
        yield running


def undelete(server, *words, code=0):
    done = server.imapctl("undelete", "--json", *words, check=False)
    assert done.returncode == code, done
    answer = json.loads(done.stdout)
    return answer["message"], (answer["undelete"] or [None])[0]


def fill(client, mailbox, first, last, flags=b""):
    for number in range(first, last + 1):
        assert client.append(mailbox, lib.message(number), flags).is_ok


def expunge(client, mailbox, uids=b"1:*"):
    client.ok(b"SELECT " + mailbox)
    client.ok(b"UID STORE " + uids + b" +FLAGS.SILENT (\\Deleted)")
    client.ok(b"UID EXPUNGE " + uids)


def test_expunged_and_brought_back(server):
    with server.client("demo") as client, server.client("demo") as watcher:
        fill(client, b"INBOX", 1, 3)
        client.ok(b"SELECT INBOX")
        client.ok(b"UID STORE 2 +FLAGS.SILENT (\\Flagged $Forwarded Odd)")
        before = client.ok(b"UID FETCH 2 (INTERNALDATE EMAILID BODY.PEEK[])").untagged
        expunge(client, b"INBOX", b"2")
        watcher.ok(b"SELECT INBOX")
        (listed,), summary = undelete(server, "demo", "--list")
        assert (listed["mailbox"], listed["uid"], listed["how"], listed["by"]) == ("INBOX", 2, "expunged", "demo")
        assert (summary["found"], summary["restored"]) == (1, 0)
        (restored,), summary = undelete(server, "demo")
        assert (restored["into"], restored["new-uid"], summary["restored"]) == ("INBOX", 4, 1)
        assert any(b"3 EXISTS" in line for line in watcher.ok(b"NOOP").untagged)
        client.ok(b"NOOP")
        reply = client.ok(b"UID FETCH 4 (FLAGS)").untagged
        assert any(b"\\Flagged" in line and b"$Forwarded" in line and b"Odd" in line and b"\\Deleted" not in line
                   for line in reply), reply
        after = client.ok(b"UID FETCH 4 (INTERNALDATE EMAILID BODY.PEEK[])").untagged
        assert [line.replace(b"UID 2", b"UID 4").partition(b"UID")[2] for line in before if b"BODY" in line] == \
            [line.partition(b"UID")[2] for line in after if b"BODY" in line] != []
        assert undelete(server, "demo") == ([], {"user": "demo", "state": "done", "found": 0, "restored": 0})
    assert server.imapctl("verify", "demo", "--json").returncode == 0


def names(client):
    return {line.rsplit(b" ", 1)[1].strip(b'"').decode() for line in client.ok(b'LIST "" *').untagged
            if line.startswith(b"* LIST")}


def count(client, mailbox):
    reply = client.ok(b"STATUS " + mailbox + b" (MESSAGES)").untagged
    line, = (line for line in reply if line.startswith(b"* STATUS"))
    return int(line.rsplit(b" ", 1)[1].rstrip(b")"))


def test_deleted_mailbox_comes_back(server):
    with server.client("demo") as client:
        client.ok(b"CREATE Work/Plans")
        fill(client, b"Work/Plans", 1, 3, b"\\Seen")
        client.ok(b"DELETE Work/Plans")
        client.ok(b"DELETE Work")
        assert "Work/Plans" not in names(client)
        listed, _ = undelete(server, "demo", "--list", "--mailbox=Work/*")
        assert [(line["how"], line["uid"], line["subject"]) for line in listed] == \
            [("deleted", number, f"message {number}") for number in (1, 2, 3)]
        assert undelete(server, "demo", "--mailbox=Play/*")[1]["found"] == 0
        assert undelete(server, "demo", "--mailbox=Work/*")[1]["restored"] == 3
        assert {"Work", "Work/Plans"} <= names(client) and count(client, b"Work/Plans") == 3


def test_names_that_moved_on(server):
    """A mailbox that was renamed keeps what was expunged in it; a name that another has taken is as good as the own."""
    with server.client("demo") as client:
        client.ok(b"CREATE a")
        fill(client, b"a", 1, 2)
        expunge(client, b"a", b"1")
        client.ok(b"UNSELECT")
        client.ok(b"RENAME a b")
        client.ok(b"CREATE a")
        (restored,), _ = undelete(server, "demo")
        assert restored["into"] == "b" and count(client, b"b") == 2 and count(client, b"a") == 0
        client.ok(b"DELETE b")
        client.ok(b"CREATE b")
        restored, _ = undelete(server, "demo")
        assert {line["into"] for line in restored} == {"b"} and count(client, b"b") == 2


def test_inbox_renamed_and_emptied(server):
    with server.client("demo") as client:
        fill(client, b"INBOX", 1, 2)
        expunge(client, b"INBOX", b"1")
        client.ok(b"UNSELECT")
        client.ok(b"RENAME INBOX old")
        (restored,), _ = undelete(server, "demo")
        assert restored["into"] == "INBOX" and count(client, b"INBOX") == 1 and count(client, b"old") == 1


def test_every_way_out(server):
    """CLOSE, REPLACE and MOVE leave something, MOVE within a file and COPY do not."""
    with server.client("demo") as client:
        fill(client, b"INBOX", 1, 4)
        client.ok(b"SELECT INBOX")
        client.ok(b"UID COPY 1 Archive")
        client.ok(b"UID MOVE 2 Archive")
        assert undelete(server, "demo", "--list")[1]["found"] == 0
        client.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"CLOSE")
        client.ok(b"SELECT INBOX")
        assert client.command(b"UID REPLACE 3 Drafts {}", lib.message(9)).is_ok
        listed, _ = undelete(server, "demo", "--list")
        assert [(line["uid"], line["how"]) for line in listed] == [(1, "expunged"), (3, "replaced")]
        assert server.imapctl("verify", "demo", "--json").returncode == 0
        client.ok(b"DELETE Archive")
        assert undelete(server, "demo", "--list")[1]["found"] == 4
        assert undelete(server, "demo")[1]["restored"] == 4
    assert server.imapctl("verify", "demo", "--json").returncode == 0


def test_chosen_by_keys_and_time(server):
    with server.client("demo") as client:
        fill(client, b"INBOX", 1, 12, b"\\Flagged")
        assert client.append(b"INBOX", lib.message(77, "Grüße aus Köln\r\n".encode(), b"MIME-Version: 1.0\r\n"
                                                   b"Content-Type: text/plain; charset=utf-8\r\n"), b"Odd").is_ok
        expunge(client, b"INBOX")
    for keys, number in (('SUBJECT "message 1"', 4), ("FROM nobody", 0), ("NOT SUBJECT message", 0), ("KEYWORD odd", 1),
                         ('BODY "KÖLN"', 1), ("FLAGGED SMALLER 100000", 12), ("OR SUBJECT 77 HEADER Message-ID m3@", 2)):
        assert undelete(server, "demo", "--list", f"--search={keys}")[1]["found"] == number, keys
    done = server.imapctl("undelete", "demo", "--search=WHO KNOWS", check=False)
    assert done.returncode == 65 and "no keys" in done.stderr
    assert undelete(server, "demo", "--list", "--before=1h")[1]["found"] == 0
    assert undelete(server, "demo", "--list", "--since=1h", "--before=2036-01-01")[1]["found"] == 13
    assert undelete(server, "demo", "--list", "--since=2036-01-01T00:00:00Z")[1]["found"] == 0
    assert server.imapctl("undelete", "demo", "--since=soon", check=False).returncode == 64
    assert undelete(server, "demo", "--search=SUBJECT 77", "--into=Back/here")[0][0]["into"] == "Back/here"
    assert undelete(server, "demo", "--list")[1]["found"] == 12


def test_many_and_the_quota(server):
    with server.client("demo") as client:
        fill(client, b"INBOX", 1, 250)
        expunge(client, b"INBOX")
        server.imapctl("user", "set", "demo", "--quota-messages=120")
        _, summary = undelete(server, "demo", code=73)
        assert (summary["state"], summary["restored"]) == ("over-quota", 120)
        assert count(client, b"INBOX") == 120
        server.imapctl("user", "set", "demo", "--quota-messages=none")
        assert undelete(server, "demo")[1]["restored"] == 130 and count(client, b"INBOX") == 250


def test_switched_off_and_on_again(server):
    """By reload.  What is kept goes when the user is quiet, and what is expunged then is not kept."""
    with server.client("demo") as client:
        fill(client, b"INBOX", 1, 3)
        expunge(client, b"INBOX", b"1")
        server.settings = [*server.settings, "expunge-retention none"]
        server.write_config()
        server.imapctl("reload")
        expunge(client, b"INBOX", b"2")
        assert {line["uid"] for line in undelete(server, "demo", "--list")[0]} <= {1}
        lib.wait_until(lambda: undelete(server, "demo", "--list")[1]["found"] == 0)


def test_who_does_not_come(tmp_path):
    """Of users who do not log in any more it goes in time, too; the log says so."""
    names = [f"user{number}" for number in range(4)]
    with lib.Server(users=names, settings=("storage-compression none",)) as server:
        for name in names[:3]:
            with server.client(name) as client:
                fill(client, b"INBOX", 1, 2)
                expunge(client, b"INBOX", b"1")
        server.stop()               # what was kept, nobody opens
        assert {len(kept(server, name)) for name in names[:3]} == {1}
        server.settings.append("expunge-retention 10s")
        server.write_config()
        server.start()
        lib.wait_until(lambda: not any(kept(server, name) for name in names[:3]))
        lib.wait_until(lambda: "ev=retention-round users=4" in (server.folder / "log").read_text())
        assert not list(file_of(server, names[3]).parent.glob("*"))     # and nothing is made
        for name in names[:3]:
            with server.client(name) as client:
                assert count(client, b"INBOX") == 1


def file_of(server, name):
    with sqlite3.connect(f"file:{server.data / 'directory.db'}?mode=ro", uri=True) as database:
        (mailbox_id,), = database.execute("SELECT mailbox_id FROM user WHERE name = ?", (name,))
    database.close()
    return server.data / "data" / mailbox_id[:2] / mailbox_id / "mail.db"


def kept(server, name):
    """Read beside the server, which is not asked."""
    with sqlite3.connect(f"file:{file_of(server, name)}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT uid FROM retained").fetchall()
    database.close()
    return rows


def test_shared_mailbox(server):
    """Who expunged it is told, and it lies with the owner."""
    with server.client("demo") as owner:
        owner.ok(b"CREATE Shared-one")
        fill(owner, b"Shared-one", 1, 2)
        server.imapctl("acl", "set", "demo", "Shared-one", "other", "lrwsite")
        with server.client("other") as client:
            expunge(client, b'"Other Users/demo/Shared-one"', b"1")
            client.ok(b"UID MOVE 2 INBOX")
        assert undelete(server, "other", "--list")[1]["found"] == 0
        listed, _ = undelete(server, "demo", "--list")
        assert [(line["by"], line["how"]) for line in listed] == [("other", "expunged"), ("other", "moved")]
        assert undelete(server, "demo")[1]["restored"] == 2 and count(owner, b"Shared-one") == 2


def test_nobody_and_nothing(server):
    assert server.imapctl("undelete", "nobody-at-all", check=False).returncode == 67
    assert undelete(server, "other")[1] == {"user": "other", "state": "done", "found": 0, "restored": 0}
