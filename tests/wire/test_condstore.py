"""STORE (UNCHANGEDSINCE n) by sessions that race: RFC 7162 section 3.1.3."""
import re

ROUNDS = 40
RACERS = 5


def modseq_of(client, number=1):
    reply = client.ok(b"FETCH %d MODSEQ" % number)
    return max(int(found) for found in re.findall(rb"MODSEQ \((\d+)\)", b"\n".join(reply.untagged)))


def test_one_wins(shared_server, user):
    """All say the same modseq at once: exactly one may change the message, the others are told MODIFIED."""
    racers = [shared_server.client(user) for _ in range(RACERS)]
    racers[0].append(b"INBOX", b"Subject: 1\r\n\r\n")
    for racer in racers:
        racer.ok(b"SELECT INBOX (CONDSTORE)")
    for turn in range(ROUNDS):
        known = modseq_of(racers[turn % RACERS])
        tags = [racer.tag() for racer in racers]
        for index, (racer, tag) in enumerate(zip(racers, tags)):
            racer.send(b"%s STORE 1 (UNCHANGEDSINCE %d) FLAGS.SILENT (by%d-%d)\r\n" % (tag, known, index, turn % 3))
        replies = [racer.reply(tag) for racer, tag in zip(racers, tags)]
        winners = [reply for reply in replies if b"[MODIFIED" not in reply.tagged]
        assert all(reply.is_ok for reply in replies), replies
        assert len(winners) == 1, replies
        for reply in replies:
            assert reply in winners or reply.tagged.split(b" ", 2)[2].startswith(b"[MODIFIED 1]"), reply
    for racer in racers:
        racer.ok(b"NOOP")
        racer.close()


def test_modseqs_rise(shared_server, user):
    """Each STORE of each session gets a modseq of its own, and the later one of a session the higher one."""
    racers = [shared_server.client(user) for _ in range(RACERS)]
    for number in range(RACERS):
        racers[0].append(b"INBOX", b"Subject: %d\r\n\r\n" % number)
    for racer in racers:
        racer.ok(b"SELECT INBOX (CONDSTORE)")
    told = [[] for _ in racers]
    for turn in range(ROUNDS):
        tags = [racer.tag() for racer in racers]
        sign = b"+-"[turn % 2:turn % 2 + 1]
        for index, (racer, tag) in enumerate(zip(racers, tags)):
            racer.send(b"%s STORE %d %sFLAGS.SILENT (\\Flagged)\r\n" % (tag, index + 1, sign))
        for index, (racer, tag) in enumerate(zip(racers, tags)):
            lines = b"\n".join(racer.reply(tag).untagged)
            mine = re.findall(rb"\* %d FETCH \(UID %d MODSEQ \((\d+)\)" % (index + 1, index + 1), lines)
            told[index].append(int(mine[-1]))
    for modseqs in told:
        assert modseqs == sorted(set(modseqs)), told
    everything = [modseq for modseqs in told for modseq in modseqs]
    assert len(everything) == len(set(everything)), told
    for racer in racers:
        racer.close()


def test_many_are_told_in_slices(shared_server, user):
    """A STORE of many messages tells all of them, whatever the output may hold at a time."""
    count = 3000
    with shared_server.client(user) as client:
        for _ in range(count // 500):
            client.ok(b"APPEND INBOX " + b" ".join([b"{}"] * 500), *[b"Subject: x\r\n\r\n"] * 500)
        client.ok(b"SELECT INBOX (CONDSTORE)")
        known = modseq_of(client, count)
        lines = client.ok(b"STORE 1:* (UNCHANGEDSINCE %d) +FLAGS.SILENT (\\Seen)" % (known - 1)).untagged
        assert sum(b"MODSEQ" in line and b"FLAGS" not in line for line in lines) == count - 1
        reply = client.ok(b"UID STORE 1:* (UNCHANGEDSINCE %d) +FLAGS.SILENT (\\Flagged)" % known)
        assert b"[MODIFIED 1:%d]" % (count - 1) in reply.tagged
        assert sum(b"FLAGS (\\Seen" in line for line in reply.untagged) == count - 1


def test_other_flags_of_many(shared_server, user):
    """RFC 7162 section 3.1.12: also when others have changed very many messages, one's own flag is no conflict."""
    count = 1500
    with shared_server.client(user) as client, shared_server.client(user) as other:
        for _ in range(count // 500):
            client.ok(b"APPEND INBOX " + b" ".join([b"{}"] * 500), *[b"Subject: x\r\n\r\n"] * 500)
        client.ok(b"SELECT INBOX (CONDSTORE)")
        known = modseq_of(client, count)
        other.ok(b"SELECT INBOX")
        other.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        other.ok(b"STORE %d +FLAGS.SILENT (mine)" % (count - 1))
        reply = client.ok(b"STORE 1:* (UNCHANGEDSINCE %d) +FLAGS.SILENT (mine)" % known)
        assert b"[MODIFIED %d]" % (count - 1) in reply.tagged, reply.tagged
        told = {int(number) for number in re.findall(rb"\* (\d+) FETCH [^*]*\\Deleted[^*]* mine\b", b"\n".join(reply.untagged))}
        assert told == set(range(1, count + 1))
