"""PARTIAL (RFC 9394): a range of what SEARCH and SORT find, and of what UID FETCH is asked for."""
import re

import pytest

import server as lib

pytestmark = pytest.mark.same_everywhere

UIDS = [1, 3, 4, 5, 8, 9, 10, 12]
RANGES = [b"1:3", b"3:1", b"2:2", b"1:8", b"8:100", b"9:10", b"4294967295:1", b"4294967295:4294967295",
          b"-1:-3", b"-3:-1", b"-2:-2", b"-8:-8", b"-1:-8", b"-8:-100", b"-9:-10", b"-1:-4294967295"]


def part(results, text):
    low, high = sorted(int(end.strip(b"-")) for end in text.split(b":"))
    if text.startswith(b"-"):
        return results[max(0, len(results) + 1 - low - (high - low) - 1):max(0, len(results) + 1 - low)]
    return results[low - 1:high]


def expand(text):
    ends = [[int(end) for end in piece.split(b":")] for piece in text.split(b",")]
    return [number for piece in ends for number in range(piece[0], piece[-1] + 1)]


def esearch(reply):
    """The data of the one ESEARCH there is, by name; PARTIAL is the range and the list."""
    line, = [line for line in reply.untagged if line.startswith(b"* ESEARCH ")]
    data = {name: int(number) for name, number in re.findall(rb" (MIN|MAX|COUNT|MODSEQ) (\d+)", line)}
    if found := re.search(rb" PARTIAL \(([-\d:]+) ([\d:,]+|NIL)\)", line):
        data[b"PARTIAL"] = found[1], [] if found[2] == b"NIL" else expand(found[2])
    assert b" ALL " not in line
    return data


def fetched(reply):
    return [int(found[1] or found[2]) for line in reply.untagged
            if (found := re.match(rb"\* (?:(\d+) UIDFETCH |\d+ FETCH .*\bUID (\d+))", line))]


@pytest.fixture(scope="module")
def server():
    with lib.Server(settings=("uidonly yes",)) as running:
        with running.client("demo") as client:
            fill(client, b"box")
        yield running


def fill(client, name):
    """Messages with the UIDs above, whose sizes fall."""
    client.ok(b"CREATE " + name)
    for number in range(1, 14):
        assert client.append(name, b"Subject: %d\r\n\r\n" % number + b"x" * (50 - 2 * number)).is_ok
    client.ok(b"SELECT " + name)
    gone = set(range(1, 14)) - set(UIDS)
    client.ok(b"UID STORE %s +FLAGS.SILENT (\\Deleted)" % b",".join(b"%d" % uid for uid in sorted(gone)))
    client.ok(b"CLOSE")


@pytest.fixture(params=[b"", b"IMAP4rev2"])
def client(request, server):
    with server.client("demo") as client:
        if request.param:
            client.ok(b"ENABLE " + request.param)
        client.ok(b"EXAMINE box")
        yield client


def test_capability(client):
    assert b" PARTIAL" in client.ok(b"CAPABILITY").untagged[0]


@pytest.mark.parametrize("keys, uids", [(b"ALL", UIDS), (b"UID 2:9", [3, 4, 5, 8, 9]), (b"UID 6", []), (b"SUBJECT 1", [1, 10, 12])])
def test_search(client, keys, uids):
    ends = {b"MIN": uids[0], b"MAX": uids[-1]} if uids else {}
    numbers = [UIDS.index(uid) + 1 for uid in uids]
    for text in RANGES:
        answer = {b"PARTIAL": (text, part(uids, text))}
        assert esearch(client.ok(b"UID SEARCH RETURN (PARTIAL %s) %s" % (text, keys))) == answer
        assert esearch(client.ok(b"uid search return (max partial %s count min) %s" % (text, keys))) == {
            **answer, **ends, b"COUNT": len(uids)}
        assert esearch(client.ok(b"SEARCH RETURN (PARTIAL %s) %s" % (text, keys))) == {b"PARTIAL": (text, part(numbers, text))}


@pytest.mark.parametrize("text", RANGES)
def test_sort(client, text):
    uids = list(reversed(UIDS))
    answer = {b"PARTIAL": (text, part(uids, text))}
    assert esearch(client.ok(b"UID SORT RETURN (PARTIAL %s) (SIZE) UTF-8 ALL" % text)) == answer
    assert esearch(client.ok(b"UID SORT RETURN (COUNT PARTIAL %s MIN MAX) (SIZE) UTF-8 ALL" % text)) == {
        **answer, b"COUNT": 8, b"MIN": 12, b"MAX": 1}
    numbers = list(range(8, 0, -1))
    assert esearch(client.ok(b"SORT RETURN (PARTIAL %s) (SIZE) UTF-8 ALL" % text)) == {b"PARTIAL": (text, part(numbers, text))}


@pytest.mark.parametrize("word, order", [(b"SEARCH RETURN (%s) ALL", UIDS),
                                         (b"SORT RETURN (%s) (SIZE) UTF-8 ALL", list(reversed(UIDS)))])
@pytest.mark.parametrize("others", [[], [b"MIN"], [b"MAX"], [b"MIN", b"MAX"], [b"COUNT"], [b"COUNT", b"MIN", b"MAX"]])
def test_save(client, word, order, others):
    """RFC 9394 section 3.2, table 1."""
    for text in RANGES:
        client.ok(b"UID SEARCH RETURN (SAVE) UID 4")
        data = esearch(client.ok(b"UID " + word % b" ".join([b"SAVE", b"PARTIAL " + text, *others])))
        assert set(data) == {b"PARTIAL", *others} and data[b"PARTIAL"] == (text, part(order, text))
        wanted = set(part(order, text))
        wanted |= {order[0]} if b"MIN" in others else set()
        wanted |= {order[-1]} if b"MAX" in others else set()
        assert fetched(client.ok(b"UID FETCH $ UID")) == sorted(UIDS if b"COUNT" in others else wanted)


@pytest.mark.parametrize("options", [
    b"PARTIAL", b"PARTIAL ", b"PARTIAL 1", b"PARTIAL 1:", b"PARTIAL :1", b"PARTIAL 0:1", b"PARTIAL 1:0", b"PARTIAL 1:*", b"PARTIAL *",
    b"PARTIAL -1:1", b"PARTIAL 1:-1", b"PARTIAL -0:-1", b"PARTIAL --1:-2", b"PARTIAL 1:4294967296", b"PARTIAL 1:2,3:4",
    b"PARTIAL (1:2)", b"PARTIAL 01:2", b"PARTIAL  1:2", b"PARTIAL 1:2 PARTIAL 1:2", b"PARTIAL +1:2", b'PARTIAL "1:2"', b"PARTIAL $"])
def test_wrong_ranges(client, options):
    for command in (b"SEARCH RETURN (%s) ALL", b"UID SORT RETURN (%s) (SIZE) UTF-8 ALL", b"UID FETCH 1:* UID (%s)"):
        reply = client.command(command % options)
        assert b" BAD " in reply.tagged and reply.untagged == []


@pytest.mark.parametrize("options", [b"ALL PARTIAL 1:2", b"PARTIAL 1:2 ALL", b"MIN ALL COUNT PARTIAL -1:-2", b"SAVE PARTIAL -1:-2 ALL"])
def test_not_with_all(client, options):
    client.ok(b"UID SEARCH RETURN (SAVE) UID 4")
    for command in (b"SEARCH RETURN (%s) ALL", b"UID SORT RETURN (%s) (SIZE) UTF-8 ALL"):
        reply = client.command(command % options)
        assert b" BAD " in reply.tagged and reply.untagged == []
    assert fetched(client.ok(b"UID FETCH $ UID")) == [4]


@pytest.mark.parametrize("is_slow", [False, True])		# from the state alone, and from the store
@pytest.mark.parametrize("text", RANGES)
def test_fetch(client, text, is_slow):
    items = b"(UID BODY.PEEK[HEADER])" if is_slow else b"UID"
    for uids, asked in ((b"1:*", UIDS), (b"1:4294967295", UIDS), (b"2:9", [3, 4, 5, 8, 9]), (b"4:5,1,10:*", [1, 4, 5, 10, 12]),
                        (b"6:7", []), (b"4294967295", []), (b"*", [12])):
        reply = client.ok(b"UID FETCH %s %s (PARTIAL %s)" % (uids, items, text))
        assert fetched(reply) == part(asked, text)
    client.ok(b"UID SEARCH RETURN (SAVE) UID 3:10")
    assert fetched(client.ok(b"UID FETCH $ %s (partial %s)" % (items, text))) == part([3, 4, 5, 8, 9, 10], text)


@pytest.mark.parametrize("text", RANGES)
def test_fetch_by_numbers(client, text):
    """The grammar has it; what is counted are the messages of the set."""
    assert fetched(client.ok(b"FETCH 2:4,7:* UID (PARTIAL %s)" % text)) == part([3, 4, 5, 10, 12], text)


def test_fetch_in_an_empty_mailbox(client):
    client.ok(b"SELECT Drafts")
    assert client.ok(b"UID FETCH 1:* UID (PARTIAL 1:10)").untagged == []
    assert esearch(client.ok(b"UID SEARCH RETURN (PARTIAL -1:-10 COUNT) ALL")) == {b"PARTIAL": (b"-1:-10", []), b"COUNT": 0}
    assert esearch(client.ok(b"UID SORT RETURN (PARTIAL 1:1) (DATE) UTF-8 ALL")) == {b"PARTIAL": (b"1:1", [])}


@pytest.fixture
def own(server):
    with server.client("demo") as client:
        name = b"own%d" % len(client.ok(b'LIST "" own%').untagged)
        fill(client, name)
        client.ok(b"SELECT " + name)
        client.name = name
        yield client


def test_only_what_is_told_is_seen(own):
    assert fetched(own.ok(b"UID FETCH 1:* (UID BODY[TEXT]) (PARTIAL -2:-3)")) == [9, 10]
    assert own.ok(b"UID SEARCH SEEN").untagged == [b"* SEARCH 9 10"]


def modseq(client, uid):
    return max(int(number) for number in re.findall(rb"MODSEQ \((\d+)\)", b"".join(client.ok(b"UID FETCH %d MODSEQ" % uid).untagged)))


def highest(client):
    lines = client.ok(b"STATUS %s (HIGHESTMODSEQ)" % client.name).untagged
    return int(re.search(rb"STATUS .*HIGHESTMODSEQ (\d+)", b" ".join(lines))[1])


def test_changes(own):
    """RFC 9394 section 3.4: the messages are chosen first."""
    before = highest(own)
    own.ok(b"UID STORE 1,4,10 +FLAGS.SILENT (\\Flagged)")
    for options, uids in ((b"PARTIAL -1:-3 CHANGEDSINCE %d", [10]), (b"CHANGEDSINCE %d PARTIAL 1:2", [1]),
                          (b"CHANGEDSINCE %d PARTIAL 1:3", [1, 4]), (b"PARTIAL 2:2 CHANGEDSINCE %d", []),
                          (b"PARTIAL -8:-1 CHANGEDSINCE %d", [1, 4, 10])):
        assert fetched(own.ok(b"UID FETCH 1:* FLAGS (%s)" % (options % before))) == uids


def test_with_vanished(own):
    """What has gone is told of the whole set."""
    own.ok(b"ENABLE QRESYNC")
    before = highest(own)
    own.ok(b"UID STORE 3,12 +FLAGS.SILENT (\\Deleted)")
    own.ok(b"UID EXPUNGE 3,12")
    own.ok(b"UID STORE 5,10 +FLAGS.SILENT (\\Flagged)")
    reply = own.ok(b"UID FETCH 1:* FLAGS (PARTIAL -1:-2 CHANGEDSINCE %d VANISHED)" % before)
    assert reply.untagged[0] == b"* VANISHED (EARLIER) 3,12" and fetched(reply) == [10]
    assert b" BAD " in own.command(b"UID FETCH 1:* FLAGS (PARTIAL 1:2 VANISHED)").tagged


def test_modseq(own):
    """RFC 7162 sections 3.1.5 and 3.1.10: the highest of what is told."""
    for uid in (4, 10, 1):
        own.ok(b"UID STORE %d +FLAGS.SILENT (\\Flagged)" % uid)
    own.ok(b"FETCH 1:* MODSEQ")			# what STORE did not tell
    known = {uid: modseq(own, uid) for uid in UIDS}
    for word in (b"SEARCH RETURN (%s) MODSEQ 1", b"SORT RETURN (%s) (ARRIVAL) UTF-8 MODSEQ 1"):
        for options, uids in ((b"PARTIAL 2:4", [3, 4, 5]), (b"PARTIAL -1:-2", [10, 12]), (b"PARTIAL -1:-2 MIN", [1, 10, 12]),
                              (b"MAX PARTIAL 2:2", [3, 12]), (b"COUNT PARTIAL -1:-2", UIDS)):
            assert esearch(own.ok(b"UID " + word % options))[b"MODSEQ"] == max(known[uid] for uid in uids)
        assert esearch(own.ok(b"UID " + word % b"PARTIAL 9:10")) == {b"PARTIAL": (b"9:10", [])}


def test_what_others_take_away(server, own):
    """Messages that have gone, and of which this session was not told yet, count for nothing."""
    with server.client("demo") as other:
        other.ok(b"SELECT " + own.name)
        other.ok(b"UID STORE 4,12 +FLAGS.SILENT (\\Deleted)")
        other.ok(b"EXPUNGE")
        other.append(own.name, lib.message(1))
    assert fetched(own.ok(b"FETCH 1:* UID (PARTIAL -1:-2)")) == [9, 10]
    assert fetched(own.ok(b"FETCH 3:4 UID (PARTIAL 1:1)")) == [5]
    assert esearch(own.ok(b"SEARCH RETURN (PARTIAL 3:4) ALL")) == {b"PARTIAL": (b"3:4", [4, 5])}
    assert fetched(own.ok(b"UID FETCH 1:* UID (PARTIAL -1:-2)")) == [10, 14]


def test_with_uidonly(own):
    own.ok(b"ENABLE UIDONLY")
    reply = own.ok(b"UID FETCH 2:* FLAGS (PARTIAL -2:-3)")
    assert [re.match(rb"\* (\d+) UIDFETCH ", line)[1] for line in reply.untagged] == [b"9", b"10"]
    assert esearch(own.ok(b"UID SEARCH RETURN (PARTIAL -2:-3) ALL")) == {b"PARTIAL": (b"-2:-3", [9, 10])}
    assert b" BAD [UIDREQUIRED] " in own.command(b"FETCH 1 FLAGS (PARTIAL 1:1)").tagged


def test_in_many_messages(server):
    """More than a turn tells, from a set of many ranges."""
    with server.client("demo") as client:
        client.ok(b"CREATE many")
        for _ in range(10):
            client.ok(b"APPEND many" + b" {3+}\r\nabc" * 500)
        client.ok(b"SELECT many")
        odd = list(range(1, 5001, 2))
        uids = b",".join(b"%d" % uid for uid in odd)
        for text in (b"1:2000", b"-2000:-1", b"400:2200", b"2500:3000", b"-2500:-3000"):
            assert fetched(client.ok(b"UID FETCH %s UID (PARTIAL %s)" % (uids, text))) == part(odd, text)
            assert esearch(client.ok(b"UID SEARCH RETURN (PARTIAL %s) UID %s" % (text, uids))) == {b"PARTIAL": (text, part(odd, text))}
        for text in (b"1:4500", b"-4500:-1"):
            line, = client.ok(b"UID SORT RETURN (PARTIAL %s COUNT) (REVERSE ARRIVAL SIZE) UTF-8 ALL" % text).untagged
            assert line.endswith(b" COUNT 5000")


def test_with_a_message_limit():
    """RFC 9738 section 3.1: a range of more messages than one command may touch is refused, and a shorter one is not cut."""
    with lib.Server(settings=("message-limit 1000",)) as server, server.client("demo") as client:
        for _ in range(3):
            client.ok(b"APPEND INBOX" + b" {3+}\r\nabc" * 500)
        client.ok(b"SELECT INBOX")
        for text in (b"-1:-1500", b"1:1001", b"500:1500", b"5000:7000"):
            for options in (b"PARTIAL " + text, b"CHANGEDSINCE 1 PARTIAL " + text):
                reply = client.command(b"UID FETCH 1:* FLAGS (%s)" % options)
                assert b" NO [MESSAGELIMIT 1000] " in reply.tagged and reply.untagged == []
        # and nothing was done
        assert b" NO [MESSAGELIMIT 1000] " in client.command(b"UID FETCH 1:* BODY[] (PARTIAL 1:1001)").tagged
        assert client.ok(b"UID SEARCH UIDAFTER 1000 SEEN").untagged == [b"* SEARCH"]
        for text in (b"1:1000", b"-1:-1000", b"400:1300"):
            for options in (b"PARTIAL " + text, b"CHANGEDSINCE 1 PARTIAL " + text):
                reply = client.ok(b"UID FETCH 1:* FLAGS (%s)" % options)
                assert fetched(reply) == part(list(range(1, 1501)), text) and b"MESSAGELIMIT" not in reply.tagged
        reply = client.ok(b"UID SEARCH RETURN (PARTIAL -1:-3) ALL")
        assert esearch(reply) == {b"PARTIAL": (b"-1:-3", [1498, 1499, 1500])} and b" OK [MESSAGELIMIT 1000 501] " in reply.tagged
        reply = client.ok(b"UID SEARCH RETURN (PARTIAL 1:3) UIDBEFORE 501")
        assert esearch(reply) == {b"PARTIAL": (b"1:3", [1, 2, 3])} and b"MESSAGELIMIT" not in reply.tagged
