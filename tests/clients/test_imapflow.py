"""imapflow, the library of many Node programs: COMPRESS, QRESYNC, IDLE, UTF8=ACCEPT and NOTIFY."""
import json
import re
import subprocess

import pytest

import programs
import recorder
import server as lib

DRIVER = lib.ROOT / "tests/clients/libraries/imapflow.cjs"
ABROAD = "Ärger & Neu"


class ImapFlow:
    """A Node process that does one call after another; no two at once."""

    def __init__(self, relay, user, **options):
        node, folder = programs.need_node_package("imapflow")
        self.process = subprocess.Popen([node, DRIVER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.call("new", {"host": "127.0.0.1", "port": relay.port, "secure": False, "doSTARTTLS": False,
                          "auth": {"user": user, "pass": lib.PASSWORD}, "disableAutoIdle": True, **options})

    def start(self, method, *arguments):
        self.process.stdin.write(json.dumps({"method": method, "arguments": arguments}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        answer = json.loads(line)
        assert "error" not in answer, answer
        return answer.get("result")

    def call(self, method, *arguments):
        self.start(method, *arguments)
        return self.answer()

    def open(self, name, **options):
        return self.call("mailboxOpen", name, options)

    def messages(self):
        """As programs.messages(), of the mailbox that is open."""
        found = {}
        for message in self.call("fetchAll", "1:*", {"uid": True, "flags": True, "source": True}):
            which = programs.check_whole(message["source"].encode("latin1"), found)
            found[which] = programs.flags(" ".join(message["flags"]).encode())
        return found

    def uid(self, which):
        found = self.call("search", {"header": {"message-id": f"<m{which}@example.org>"}}, {"uid": True})
        assert len(found) == 1, found
        return str(found[0])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.wait(lib.LIMIT_S)
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def relay(shared_server):
    with recorder.Recorder(shared_server.imap_port) as relay:
        yield relay
        assert recorder.refused(relay.received()) == []


@pytest.fixture
def account(shared_server, user):
    with programs.Account(shared_server, user) as account:
        yield account


def test_resync(relay, account):
    """Away for a while, and told by SELECT (QRESYNC …) what has changed."""
    account.append(b"INBOX", *range(1, 31), flags_set=rb"\Seen")
    with ImapFlow(relay, account.user, qresync=True) as client:
        before = client.open("INBOX")
        assert client.messages() == account.model[b"INBOX"]
        assert {"QRESYNC", "CONDSTORE"} & set(client.call("state")["enabled"]) == {"QRESYNC", "CONDSTORE"}
        client.call("logout")
    account.expunge(b"INBOX", 2, 3, 17)
    account.store(b"INBOX", 20, rb"\Seen \Flagged")
    account.append(b"INBOX", 40)
    relay.forget()
    with ImapFlow(relay, account.user, qresync=True) as client:
        client.start("mailboxOpen", "INBOX", {"uidValidity": before["uidValidity"], "changedSince": before["highestModseq"]})
        client.answer()
        events = [client.call("event") for _ in range(5)]
        assert {event["uid"] for event in events if event["name"] == "expunge"} == {2, 3, 17}
        assert {event["uid"]: set(event["flags"]) for event in events if event["name"] == "flags"} == {
            20: {r"\Seen", r"\Flagged"}, 31: set()}
        assert client.messages() == account.model[b"INBOX"]
        client.call("logout")
    assert relay.has_sent(rb"SELECT INBOX \(QRESYNC \(%s %s\)\)" % (
        before["uidValidity"].encode(), before["highestModseq"].encode()))
    assert b"* VANISHED (EARLIER) 2:3,17\r\n" in relay.received()
    account.check()


def test_changes_of_the_client(relay, account):
    account.append(b"INBOX", *range(1, 11))
    with ImapFlow(relay, account.user) as client:
        model = account.model[b"INBOX"]
        client.call("mailboxCreate", ABROAD)
        client.open("INBOX")
        client.call("messageFlagsAdd", "1:3", [r"\Seen", "$Label1"])
        client.call("messageFlagsRemove", "2", [r"\Seen"])
        client.call("messageFlagsSet", "4", [r"\Answered"])
        model[1] = model[3] = programs.flags(rb"\Seen $Label1")
        model[2], model[4] = programs.flags(b"$Label1"), programs.flags(rb"\Answered")
        client.call("messageMove", client.uid(5) + "," + client.uid(6), ABROAD, {"uid": True})
        client.call("messageCopy", client.uid(4), ABROAD, {"uid": True})
        abroad = account.model[ABROAD.encode()] = {5: model.pop(5), 6: model.pop(6), 4: model[4]}
        client.call("messageDelete", client.uid(7), {"uid": True})
        del model[7]
        appended = client.call("append", ABROAD, programs.letter(50).decode(), [r"\Draft"])
        abroad[50] = programs.flags(rb"\Draft")
        assert appended["uid"] == 4
        client.open(ABROAD)
        assert client.messages() == abroad
        client.call("mailboxRename", ABROAD, "Later/" + ABROAD)
        account.model[f"Later/{ABROAD}".encode()] = account.model.pop(ABROAD.encode())
        client.call("logout")
    account.check()


def test_what_it_uses(relay, account):
    account.append(b"INBOX", 1)
    with ImapFlow(relay, account.user) as client:
        client.call("mailboxCreate", ABROAD)
        client.open("INBOX")
        assert client.call("search", {"text": "Ärger"}) == []
        assert client.call("status", "INBOX", {"messages": True, "unseen": True, "highestModseq": True})["unseen"] == 1
        assert {box["path"] for box in client.call("list")} >= {ABROAD, "INBOX", "Sent"}
        client.call("logout")
    assert relay.conversations[0].compressed()
    assert relay.has_sent(rb"ID \(\"name\" \"imapflow\"") and relay.has_sent(rb"NAMESPACE")
    assert relay.has_sent(rb"ENABLE (CONDSTORE )?UTF8=ACCEPT")
    assert ABROAD.encode() in relay.sent() and ABROAD.encode() in relay.received()


def test_idle(relay, account):
    """What another session does comes as events, in the order in which it was done."""
    account.append(b"INBOX", *range(1, 6))
    with ImapFlow(relay, account.user) as client:
        client.open("INBOX")
        client.start("idle")
        relay.wait_for(rb"IDLE\r")
        account.append(b"INBOX", 6)
        relay.wait_until_received(rb"^\* 6 EXISTS\r\n")
        account.store(b"INBOX", 2, rb"\Flagged")
        relay.wait_until_received(rb"^\* 2 FETCH ")
        account.expunge(b"INBOX", 1)
        relay.wait_until_received(rb"^\* 1 EXPUNGE\r\n")
        client.start("noop")            # ends the IDLE
        client.answer()
        client.answer()
        events = [client.call("event")]
        while events[-1]["name"] != "expunge":
            events.append(client.call("event"))
        assert (events[0]["name"], events[0]["count"]) == ("exists", 6)
        assert (events[1]["name"], events[1]["seq"], r"\Flagged" in events[1]["flags"]) == ("flags", 2, True)
        assert events[-1]["seq"] == 1
        assert client.messages() == account.model[b"INBOX"]
        client.call("logout")
    account.check()


def atom(word):
    return {"type": "ATOM", "value": word}


def test_notify(relay, account):
    """STATUS of a mailbox that is not open, without being asked."""
    account.create(b"Work")
    with ImapFlow(relay, account.user) as client:
        client.open("INBOX")
        happenings = [atom("MessageNew"), atom("MessageExpunge")]
        client.call("exec", "NOTIFY", [atom("SET"), [atom("selected"), happenings], [atom("personal"), happenings]])
        account.append(b"Work", 1)
        account.append(b"INBOX", 2)
        relay.wait_until_received(rb"^\* STATUS Work \([^)]*MESSAGES 1\b")
        event = client.call("event")
        assert (event["name"], event["count"]) == ("exists", 1), event
    account.check()
