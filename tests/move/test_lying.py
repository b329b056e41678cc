"""imapctl import from a source that is slow, mangled or lies: clear words, nothing half, the exit code; and what can be had
is had, once, however the source goes about it."""
import json
import os
import re
import subprocess

import pytest

import comparing
import lying
import servers
from lying import Box, Letter, Liar

lib = comparing.lib
waits = pytest.mark.skipif(not os.environ.get("MOVE"), reason="waits for time-outs and between attempts: make move")
BIG = b"Subject: big\r\n\r\n" + b"0123456789abcdef" * 4096 + b"\r\n"


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=()) as running:
        yield running


@pytest.fixture
def user(server, request):
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60]
    server.add_user(name)
    return name


def letters(count=6):
    return [Letter(uid, lib.message(uid, b"Body of %d.\r\n" % uid * uid), rb"\Seen" if uid % 2 else b"word") for uid in range(1, count + 1)]


def run(server, user, liar, *more, password="p", url=None):
    """(report, exit code, standard error)"""
    if liar is not None and liar.certificate is None and not url:
        more = ("--insecure", *more)
    done = subprocess.run([lib.IMAPCTL, f"--config={server.config}", "--json", "import", user,
                           url or f"imap://u@localhost:{liar.port}", *map(str, more)],
                          input=password + "\n", capture_output=True, text=True, timeout=lib.LIMIT_S)
    return json.loads(done.stdout) if done.stdout.startswith("{") else {}, done.returncode, done.stderr


def there(server, user, path=("INBOX",)):
    """[(subject's number or whole octets' size, flags)] of a mailbox."""
    with comparing.Session(server.imap_port, user, lib.PASSWORD) as session:
        return comparing.messages(session, path)


def digests(wanted):
    return [comparing.hashlib.sha256(one.octets).hexdigest()[:16] for one in wanted]


def expect(server, user, wanted, path=("INBOX",)):
    """These are there, in this order, whole, with their flags and dates, and no others."""
    found = there(server, user, path)
    assert [one.digest for one in found] == digests(wanted)
    assert [one.flags for one in found] == [frozenset(one.flags.lower().split()) for one in wanted]
    assert [one.date for one in found] == [comparing.instant(one.date) for one in wanted]


# ---- a source that is odd, and right -----------------------------------------------------------------------

ODD = {
    "plain": {},
    "nothing but IMAP4rev1": {"capabilities": b"IMAP4rev1"},
    "every reply in pieces of seven octets": {"piece": 7},
    "replies from the last to the first": {"order": "backwards"},
    "one message in two replies": {"in_two": True},
    "contents as literal8 and quoted strings": {"is_quoted": True},
    "names as literals": {"has_name_literals": True},
    "sizes too small": {"size_off_by": -100},
    "sizes too large": {"size_off_by": 100000},
    "flags unasked": {"says_between": rb"* 1 FETCH (FLAGS (\Seen))"},
    "words in between": {"says_between": b"* OK [INPROGRESS] still at it"},
    "what nobody knows": {"says_between": b"* XPENG (1 2 \"drei\" {4}\r\nvier)"},
    "capabilities in between": {"says_between": b"* CAPABILITY IMAP4rev1 X"},
    "no namespaces": {"namespace": b"NIL NIL NIL"},
    "no levels": {"separator": b"NIL"},
    "as Exchange": {"capabilities": b"IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
                    "size_off_by": 7, "greeting": b"* OK The Microsoft Exchange IMAP4 service is ready. [QQ==]"},
    "as Courier": {"capabilities": b"IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT SORT QUOTA IDLE ACL ACL2=UNION",
                   "namespace": b'(("INBOX." ".")) NIL (("#shared." ".")("shared." "."))', "separator": b'"."',
                   "answers_login": b"OK LOGIN Ok."},
    "one hang-up": {"hang_up_after": [2000]},
    "three hang-ups": {"hang_up_after": [1500, 1200, 1600]},
}


@pytest.mark.parametrize("how", ODD)
def test_odd(server, user, how):
    wanted = letters()
    with Liar(wanted, **ODD[how]) as liar:
        report, code, errors = run(server, user, liar)
        assert code == 0, (report, errors)
        assert report["imported"] == len(wanted)
        expect(server, user, sorted(wanted, key=lambda one: one.uid))
        report, code, errors = run(server, user, liar)
        assert (report["imported"], code) == (0, 0), errors
    expect(server, user, wanted)


def test_nothing_is_written_at_the_source(server, user):
    with Liar(letters()) as liar:
        assert run(server, user, liar)[1] == 0
        verbs = {re.sub(rb"^UID ", b"", command.upper()).split(b" ")[0] for command in liar.commands}
        assert not verbs & {b"SELECT", b"STORE", b"EXPUNGE", b"CLOSE", b"CREATE", b"DELETE", b"RENAME", b"APPEND", b"MOVE", b"COPY"}, verbs
        contents = [command for command in liar.commands if b"BODY" in command]
        assert contents and all(b"BODY.PEEK" in command for command in contents)


def test_empty_account(server, user):
    with Liar([]) as liar:
        report, code, errors = run(server, user, liar)
    assert (report["imported"], code) == (0, 0), errors


def test_message_of_some_megabytes(server, user):
    wanted = [*letters(2), Letter(7, b"Subject: big\r\n\r\n" + b"0123456789abcde\n" * 400000 + b"\r\n"), Letter(8, BIG)]
    with Liar(wanted) as liar:
        assert run(server, user, liar)[1] == 0
    expect(server, user, wanted)


def test_two_names_that_are_one_here(server, user):
    """A slash within a level becomes "_": two mailboxes stay two, and that is told."""
    boxes = {"INBOX": Box([]), "a_b": Box(letters(2)), "a/b": Box(letters(5)[2:])}
    with Liar(boxes, separator=b'"."') as liar:
        report, code, _ = run(server, user, liar)
        assert code == 0 and [note["first"] for note in report["notes"]] == ["a/b"]
        expect(server, user, letters(2), ("a_b",))
        expect(server, user, letters(5)[2:], ("a_b (2)",))
        assert run(server, user, liar)[0]["imported"] == 0


# ---- Gmail --------------------------------------------------------------------------------------------------

LABELS = [b'"\\\\Inbox" Work', b'"\\\\Inbox" "\\\\Important" "two words"', b'"\\\\Sent"', b"", b"Work Caf&AOk-", b'"\\\\Inbox" "\\\\Starred"']


def gmail():
    """Each label is a mailbox with the same messages under other UIDs, and All Mail has all of them."""
    mail = [Letter(10 + at, lib.message(at), rb"\Seen", labels=labels, number=1000 + at) for at, labels in enumerate(LABELS)]

    def view(first, *numbers):
        return [Letter(first + at, mail[number].octets, mail[number].flags, labels=mail[number].labels, number=mail[number].number)
                for at, number in enumerate(numbers)]
    return mail, {
        "INBOX": Box(view(1, 0, 1, 5)), "Work": Box(view(1, 0, 4)), "two words": Box(view(3, 1)), "Caf&AOk-": Box(view(7, 4)),
        "[Gmail]": Box([], attributes=rb"\HasChildren \Noselect"),
        "[Gmail]/Alle Nachrichten": Box(mail, attributes=rb"\All \HasNoChildren"),
        "[Gmail]/Gesendet": Box(view(1, 2), attributes=rb"\HasNoChildren \Sent"),
        "[Gmail]/Markiert": Box(view(1, 5), attributes=rb"\Flagged \HasNoChildren"),
        "[Gmail]/Wichtig": Box(view(1, 1), attributes=rb"\HasNoChildren \Important"),
        "[Gmail]/Spam": Box([Letter(1, lib.message(50), number=50)], attributes=rb"\HasNoChildren \Junk"),
        "[Gmail]/Papierkorb": Box([Letter(1, lib.message(51), number=51)], attributes=rb"\HasNoChildren \Trash"),
    }


GMAIL = b"IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584"


def account_here(server, user):
    with comparing.Session(server.imap_port, user, lib.PASSWORD) as session:
        return {path: box.messages for path, box in comparing.account(session).items() if box.messages}


@pytest.mark.parametrize("style", ["keywords", "mailboxes"])
def test_gmail(server, user, style):
    """Each message is fetched once and comes once; with --labels=mailboxes once for each label of one's own."""
    mail, boxes = gmail()
    with Liar(boxes, capabilities=GMAIL) as liar:
        report, code, errors = run(server, user, liar, f"--labels={style}")
        assert code == 0, (report, errors)
        assert len(liar.fetched) == len(mail) + 2
        found = account_here(server, user)
        counts = {one.digest: sum(one.digest == other.digest for messages in found.values() for other in messages)
                  for messages in found.values() for one in messages}
        assert set(counts) == set(digests(mail)) | set(digests([*boxes["[Gmail]/Spam"].letters, *boxes["[Gmail]/Papierkorb"].letters]))
        inbox = found["INBOX",]
        if style == "keywords":
            assert set(counts.values()) == {1}
            assert [one.digest for one in inbox] == digests([mail[0], mail[1], mail[5]])
            assert b"work" in inbox[0].flags and rb"\flagged" in inbox[2].flags
        else:
            assert {one.digest for one in found["Work",]} == set(digests([mail[0], mail[4]]))
            assert {one.digest for one in found["Caf\xe9",]} == set(digests([mail[4]]))
            assert {one.digest for one in found["two words",]} == set(digests([mail[1]]))
            assert {one.digest for one in inbox} == set(digests([mail[0], mail[1], mail[5]]))
        assert [one.digest for one in found["Sent",]] == digests([mail[2]])
        assert digests([mail[3]])[0] in [one.digest for one in found["Archive",]]
        assert len(found["Junk",]) == len(found["Trash",]) == 1
        liar.fetched.clear()
        assert run(server, user, liar, f"--labels={style}")[1] == 0
        assert liar.fetched == [] and account_here(server, user) == found


# ---- messages that cannot be had ----------------------------------------------------------------------------

LACKING = {
    "left out": {"omit": {2, 5}},
    "answered with NO, the others sent": {"refuse": {2, 5}},
    "answered with NO, none behind sent": {"stops_at": {2, 5}},
    "NIL": {"nil": {2, 5}},
}


@pytest.mark.parametrize("how", LACKING)
def test_some_cannot_be_had(server, user, how):
    """The others come, those are counted and named, the exit code says it; and when they can be had they come, too."""
    wanted = letters()
    with Liar(wanted, **LACKING[how]) as liar:
        report, code, errors = run(server, user, liar)
        assert code == 66, (report, errors)
        assert report["imported"] == 4
        for uid in (2, 5):
            assert re.search(rf"INBOX.*\b{uid}\b", errors), errors
        expect(server, user, [one for one in wanted if one.uid not in (2, 5)])
        report, code, errors = run(server, user, liar)
        assert (report["imported"], code) == (0, 66), errors
        for name in LACKING[how]:
            setattr(liar, name, frozenset())
        report, code, errors = run(server, user, liar)
        assert (report["imported"], code) == (2, 0), errors
    found = there(server, user)
    assert sorted(one.digest for one in found) == sorted(digests(wanted))


def test_more_announced_than_there_are(server, user):
    """EXISTS says 9; there are 6, and they come."""
    wanted = letters()
    with Liar(wanted, exists=9) as liar:
        report, code, errors = run(server, user, liar)
    assert report["imported"] == 6 and code != 0 and "INBOX" in errors, (code, errors)
    expect(server, user, wanted)


def test_expunged_meanwhile(server, user):
    wanted = letters()
    with Liar(wanted, expunges_at=3) as liar:
        report, code, errors = run(server, user, liar)
        assert code in (0, 2), (report, errors)
        assert run(server, user, liar)[1] == 0
    expect(server, user, [one for one in letters() if one.uid != 3])


def test_uids_backwards_and_twice(server, user):
    """Nothing is lost and nothing doubled by such a server, though its order means nothing."""
    wanted = [Letter(9, lib.message(1)), Letter(5, lib.message(2)), Letter(7, lib.message(3))]
    with Liar(wanted) as liar:
        report, code, errors = run(server, user, liar)
        assert code in (0, 2, 66), errors
        run(server, user, liar)
    assert sorted(one.digest for one in there(server, user)) == sorted(digests(wanted))


def test_one_uid_for_two(server, user):
    """It may be noticed that one is not to be had; none is there half or twice."""
    wanted = [Letter(1, lib.message(1)), Letter(2, lib.message(2)), Letter(2, lib.message(3)), Letter(4, lib.message(4))]
    with Liar(wanted) as liar:
        _, code, errors = run(server, user, liar)
        run(server, user, liar)
    found = [one.digest for one in there(server, user)]
    assert len(found) == len(set(found)) and set(found) <= set(digests(wanted)) and {digests(wanted)[0], digests(wanted)[3]} <= set(found)
    assert len(found) == 4 or code != 0, errors


def test_uidvalidity_changes(server, user):
    """The same mail under other UIDs is known by its contents."""
    wanted = letters()
    box = Box(wanted)
    with Liar({"INBOX": box}) as liar:
        assert run(server, user, liar)[1] == 0
        box.validity = 8
        box.letters = [Letter(one.uid + 100, one.octets, one.flags) for one in wanted] + [Letter(200, lib.message(99))]
        report, code, errors = run(server, user, liar)
        assert (report["imported"], code) == (1, 0), errors
        expect(server, user, box.letters)


# ---- a connection that breaks, stalls, makes no sense -------------------------------------------------------

@waits
def test_hang_ups_without_end(server, user):
    """It gives up, says so, keeps what it has; afterwards only the rest comes."""
    wanted = [Letter(uid, lib.message(uid, b"x" * 60 + b"\r\n" * uid)) for uid in range(1, 41)]
    with Liar(wanted, hang_up_after=[3000] + [500] * 1000) as liar:
        report, code, errors = run(server, user, liar)
        assert code == 75 and errors and 0 < report["imported"] < 40, (report, errors)
        liar.hang_up_after = []
        _, code, errors = run(server, user, liar)
        assert code == 0, errors
    expect(server, user, wanted)


@waits
def test_literal_longer_than_its_message(server, user):
    """What follows is taken for the message's end, and the rest makes no sense: nothing of it stays."""
    wanted = letters()
    with Liar(wanted, literal_off_by=40) as liar:
        _, code, errors = run(server, user, liar, "--timeout=2")
        assert code in (66, 75, 76) and errors, (code, errors)
    assert {one.digest for one in there(server, user)} <= set(digests(wanted))


def test_literal_shorter_than_its_message(server, user):
    wanted = letters()
    with Liar(wanted, literal_off_by=-3) as liar:
        _, code, errors = run(server, user, liar, "--timeout=2")
        assert code in (66, 75, 76) and errors, (code, errors)
    assert {one.digest for one in there(server, user)} <= set(digests(wanted))


@pytest.mark.parametrize("digits", [pytest.param(b"4294967295", marks=waits), b"99999999999999999999999", b"18446744073709551615", b"-1"])
def test_literal_without_end(server, user, digits):
    """No memory is taken for what is only announced, and it does not wait for ever."""
    wanted = letters()
    with Liar(wanted, huge={4}, literal=digits) as liar:
        _, code, errors = run(server, user, liar, "--timeout=2")
        assert code in (66, 75, 76) and errors, (code, errors)
    found = [one.digest for one in there(server, user)]
    assert len(found) == len(set(found)) and set(found) <= set(digests(wanted))


@pytest.mark.parametrize("verb", ["CAPABILITY", "LOGIN", "NAMESPACE", "LIST", pytest.param("EXAMINE", marks=waits),
                                  pytest.param("UID FETCH", marks=waits)])
def test_no_answer(server, user, verb):
    for timeout in (1, 10, 60):			# a busy machine may take longer for the commands before it
        with Liar(letters(), silent_at=verb.encode(), capabilities=b"IMAP4rev1 NAMESPACE") as liar:
            _, code, errors = run(server, user, liar, f"--timeout={timeout}")
        assert code == 75 and errors, (code, errors)
        if any(command.upper().startswith(verb.encode()) for command in liar.commands):
            return
    raise AssertionError(liar.commands)


@pytest.mark.parametrize("verb", ["LIST", pytest.param("EXAMINE", marks=waits), pytest.param("UID FETCH", marks=waits)])
def test_bye_in_between(server, user, verb):
    """Once, and it goes on."""
    with Liar(letters(), bye_at=verb.encode(), capabilities=b"IMAP4rev1 NAMESPACE") as liar:
        _, code, errors = run(server, user, liar)
        assert code == 75 and "maintenance" in errors, (code, errors)
        liar.bye_at = None
        assert run(server, user, liar)[1] == 0
    expect(server, user, letters())


@pytest.mark.parametrize("greeting,expected", [
    (b"* BYE too many connections", {69, 75}), (b"HTTP/1.1 400 Bad Request\r\nServer: x", {76}),
    (b"220 mail.example.org ESMTP", {76}), (b"+OK POP3 ready", {76}), (b"\x15\x03\x01\x00\x02\x02\x46", {76}), (b"*", {75, 76})])
def test_greeting(server, user, greeting, expected):
    with Liar(letters(), greeting=greeting) as liar:
        _, code, errors = run(server, user, liar, "--timeout=2" if greeting == b"*" else "--timeout=60")
        assert not any(b"LOGIN" in command or b"AUTHENTICATE" in command for command in liar.commands)
    assert code in expected and errors, (code, errors)
    if b"BYE" in greeting:
        assert "too many connections" in errors


def test_alerts_are_shown(server, user):
    with Liar(letters(), greeting=b"* OK [ALERT] quota is nearly used up", answers_login=b"OK [ALERT] change your password") as liar:
        _, code, errors = run(server, user, liar)
    assert code == 0 and "nearly used up" in errors and "change your password" in errors, errors


def test_exchange_without_a_mailbox(server, user):
    """LOGIN is OK, and then everything is BAD."""
    with Liar(letters(), after_login=b"BAD User is authenticated but not connected.") as liar:
        _, code, errors = run(server, user, liar)
    assert code not in (0, 1, 64) and "authenticated but not connected" in errors, (code, errors)


# ---- who is there ------------------------------------------------------------------------------------------

def test_wrong_password(server, user):
    with Liar(letters()) as liar:
        _, code, errors = run(server, user, liar, password="wrong")
    assert code == 77 and "wrong password" in errors, (code, errors)
    assert there(server, user) == []


def test_no_tls_offered(server, user):
    """The password is not sent."""
    with Liar(letters()) as liar:
        _, code, errors = run(server, user, liar, url=f"imap://u@localhost:{liar.port}")
        assert not any(b"LOGIN" in command or b"AUTHENTICATE" in command for command in liar.commands)
    assert code == 76 and "--insecure" in errors, (code, errors)


def test_preauthenticated_without_tls(server, user):
    """Whoever is in between could say so: nothing is asked."""
    with Liar(letters(), greeting=b"* PREAUTH you are somebody") as liar:
        _, code, errors = run(server, user, liar, url=f"imap://u@localhost:{liar.port}")
        assert not any(b"FETCH" in command for command in liar.commands)
    assert code == 76 and errors, (code, errors)
    assert there(server, user) == []


def test_certificates(server, user, tmp_path):
    """One of nobody that is known; one of another host, told by its name; one that is known."""
    other, own = lying.certificate_of(tmp_path, "other.example.net"), lib.certificate(tmp_path)
    with Liar(letters(), certificate=other) as liar:
        for more in ((), (f"--tls-ca={own[0]}",), (f"--tls-ca={other[0]}",)):
            _, code, errors = run(server, user, liar, *more)
            assert code == 76 and "certificate" in errors, (more, code, errors)
        assert not any(b"LOGIN" in command or b"AUTHENTICATE" in command for command in liar.commands)
        assert run(server, user, liar, "--insecure")[1] == 0
    with Liar(letters(), certificate=own) as liar:
        report, code, errors = run(server, user, liar, f"--tls-ca={own[0]}")
    assert (report["imported"], code) == (0, 0), errors


def test_nobody_listens(server, user):
    _, code, errors = run(server, user, None, url=f"imap://u@127.0.0.1:{lib.free_port()}")
    assert code == 69 and errors


def test_nobody_here(server):
    with Liar(letters()) as liar:
        _, code, errors = run(server, "nobody", liar)
    assert code == 67 and errors
