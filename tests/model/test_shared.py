"""Two users at work on one mailbox of the one, whose \\Seen is each one's own, while the rights of the other change.

One command after another, as in test_model.py: so it is known what each must do.  After each, an observer for each user
reads the mailbox; the server must hold what the model holds for that user, and every modseq must have its reason.  A
session that has asked for the news must then know all of it, also one that comes back with QRESYNC.  The server is
killed and started anew in between.

MODEL_SHARED_STEPS and MODEL_SEEDS say how long.
"""
import os
import random
import re

import pytest

import server as lib
from client import KINDS, ModelClient
from truth import Mailbox
from uids import expand
from view import items_of

STEPS = int(os.environ.get("MODEL_SHARED_STEPS", 350))
SEEDS = [int(word) for word in os.environ.get("MODEL_SEEDS", "1 2 3").split()]
SEEN = b"\\Seen"
FLAGS = [SEEN, SEEN, SEEN, b"\\Answered", b"\\Flagged", b"\\Deleted", b"one", b"$Two"]
FULL = 20
NAMES = {"bob": b"shared", "alice": b'"Other Users/bob/shared"'}
RIGHTS = [b"lrswite", b"lrswite", b"lrs", b"lrw", b"lrt", b"lr", b"lrsi", b"lrswi", b"lrte"]


def octets_of(number):
    return b"Subject: number %d\r\n\r\nThe text of %d.\r\n" % (number, number)


def numbers_of(values):
    return b",".join(b"%d" % value for value in values)


class Model:
    def __init__(self, server, seed):
        self.server = server
        self.chance = random.Random(seed)
        self.rights = b""
        self.count = 0
        self.trace = []
        self.kills = 0
        self.enter()
        bob = self.observers["bob"]
        bob.ok(b"CREATE shared")
        validity = int(re.search(rb"UIDVALIDITY (\d+)", bob.ok(b"STATUS shared (UIDVALIDITY)").untagged[0])[1])
        self.truth = {user: Mailbox(validity) for user in NAMES}
        self.give(b"lrswite")
        self.clients = [ModelClient(server, user, self.chance.choice(sorted(KINDS.keys() - {"notify", "uidonly"})))
                        for user in ("bob", "alice", "alice", "bob", "alice")]
        self.check()

    def enter(self):
        self.observers = {user: self.server.client(user) for user in NAMES}
        for observer in self.observers.values():
            observer.ok(b"ENABLE CONDSTORE")

    def give(self, rights):
        self.observers["bob"].ok(b"SETACL shared alice " + rights)
        self.rights = rights

    def may(self, user, letter):
        return user == "bob" or letter in self.rights

    def permitted(self, user, flags):
        letters = {SEEN: b"s", b"\\Deleted": b"t"}
        return {flag for flag in flags if self.may(user, letters.get(flag, b"w"))}

    # What the server holds for each of them.

    def read(self, user):
        observer = self.observers[user]
        lines = observer.ok(b"EXAMINE " + NAMES[user] + b" (CONDSTORE)").untagged
        highest = int(re.search(rb"HIGHESTMODSEQ (\d+)", b"".join(lines))[1])
        count = next(int(line.split()[1]) for line in lines if line.endswith(b" EXISTS"))
        rows = []
        if count:
            rows = [items_of(line)[1:] for line in observer.ok(b"FETCH 1:* (UID FLAGS MODSEQ)").untagged]
        observer.ok(b"UNSELECT")
        return rows, highest

    def check(self):
        for user, mailbox in self.truth.items():
            rows, highest = self.read(user)
            mailbox.observe(rows, highest)

    def check_view(self, client):
        mailbox, view = self.truth[client.user], client.view
        assert view.count == len(mailbox.messages), f"{view.count} of {len(mailbox.messages)}"
        for message, (uid, flags, modseq) in zip(mailbox.messages, view.rows):
            assert uid in (None, message.uid)
            assert flags is None or flags == message.flags, f"{client.user}: UID {message.uid} {flags} {message.flags}"
            if None not in (flags, modseq) and client.has_modseq:
                assert modseq == message.modseq, f"{client.user}: UID {message.uid} {modseq} {message.modseq}"

    # What a change means for both.

    def store(self, user, uids, sign, flags):
        """\\Seen is that of the user; the other flags are everybody's."""
        named = self.permitted(user, flags)
        for other, mailbox in self.truth.items():
            for message in mailbox.messages:
                if message.uid not in uids:
                    continue
                before, touched = set(message.flags), named if other == user else named - {SEEN}
                if sign == "+":
                    message.flags |= touched
                elif sign == "-":
                    message.flags -= touched
                else:
                    kept = {flag for flag in message.flags if not self.permitted(user, {flag})}
                    kept |= {SEEN} & message.flags if other != user else set()
                    message.flags = kept | touched
                (mailbox.changed if message.flags != before else mailbox.may_change).add(message.uid)

    def add(self, user, octets, flags):
        flags = self.permitted(user, flags)
        return {mailbox.add(octets, flags if other == user else flags - {SEEN}) for other, mailbox in self.truth.items()}

    def remove(self, uids):
        for mailbox in self.truth.values():
            mailbox.remove(uids)

    # Steps.

    def run(self, client, command):
        self.trace.append((self.clients.index(client), client.user, client.kind, command))
        return client.run(command)

    def step(self):
        client = self.chance.choice(self.clients)
        if client.is_idling:
            assert client.end_idle().word == b"OK"
        elif not client.view:
            self.do_select(client)
        else:
            steps = [(self.do_store, 9), (self.do_fetch, 4), (self.do_append, 4), (self.do_expunge, 2), (self.do_copy, 2),
                     (self.do_noop, 4), (self.do_search, 2), (self.do_status, 2), (self.do_select, 3), (self.do_idle, 1),
                     (self.do_leave, 1), (self.do_rights, 2), (self.do_changed_since, 2 if client.has_modseq else 0),
                     (self.do_kill, 0.15)]
            self.chance.choices([step for step, _ in steps], [weight for _, weight in steps])[0](client)
        self.check()
        if client.view and not client.is_idling and self.chance.random() < 0.4:
            self.do_noop(client)

    def some(self, client):
        known = [uid for uid in client.view.uids() if uid is not None and self.truth[client.user].find(uid)]
        uids = self.chance.sample(known, min(self.chance.randint(1, 5), len(known)))
        return numbers_of(sorted(uids)) or b"99999", set(uids)

    def flags(self):
        return set(self.chance.sample(FLAGS, self.chance.randint(1, 3)))

    def do_select(self, client):
        self.trace.append((self.clients.index(client), client.user, client.kind, b"SELECT"))
        result = client.select(NAMES[client.user], False, True)
        assert result.word == b"OK", result.tagged
        self.check_view(client)
        client.learn()
        self.check_view(client)

    def do_leave(self, client):
        client.remember()
        assert self.run(client, b"UNSELECT").word == b"OK"
        client.view = None

    def do_noop(self, client):
        assert self.run(client, b"NOOP").word == b"OK"
        self.check_view(client)
        client.learn()
        self.check_view(client)

    def do_idle(self, client):
        self.trace.append((self.clients.index(client), client.user, client.kind, b"IDLE"))
        client.begin_idle()

    def do_rights(self, client):
        """Under the open sessions: what they may is by their rights from then on."""
        self.give(self.chance.choice(RIGHTS))
        self.trace.append((-1, "bob", "", b"SETACL alice " + self.rights))

    def do_store(self, client):
        words, uids = self.some(client)
        sign, flags = self.chance.choice(["+", "-", ""]), self.flags()
        silent = b".SILENT" if self.chance.random() < 0.3 else b""
        mailbox = self.truth[client.user]
        condition, refused = b"", set()
        if client.has_modseq and self.chance.random() < 0.4:
            limit = self.chance.choice([1, mailbox.highest, self.chance.randint(1, mailbox.highest)])
            condition = b" (UNCHANGEDSINCE %d)" % limit
            refused = {m.uid for m in mailbox.messages if m.uid in uids and m.modseq > limit}
        known = {uid: flags for uid, flags, _ in client.view.table()}
        result = self.run(client, b"UID STORE %s%s %sFLAGS%s (%s)" % (
            words, condition, sign.encode(), silent, b" ".join(sorted(flags))))
        named = self.permitted(client.user, flags)
        may_none = not self.permitted(client.user, FLAGS)
        if may_none or (sign and not named and uids):
            is_so = all((message.flags >= flags if sign == "+" else not message.flags & flags if sign else
                         message.flags == flags) for message in mailbox.messages if message.uid in uids)
            assert result.word == b"NO" or is_so, (result.tagged, self.rights)
            return
        assert result.word == b"OK", (result.tagged, self.rights)
        modified = result.code(b"MODIFIED")
        told = expand(modified) if modified else set()
        assert told <= refused, f"MODIFIED {told}, but {refused} had changed"
        for uid in refused - told:
            assert sign and known[uid] is not None and known[uid] & named == mailbox.find(uid).flags & named, uid
        self.store(client.user, uids - told, sign, flags)
        if silent:
            for uid in uids - told - client.view.told_flags:
                row = next(row for row in client.view.rows if row[0] == uid)
                row[1] = None			# what the rights leave of it is for the client to ask

    def do_fetch(self, client):
        words, uids = self.some(client)
        result = self.run(client, b"UID FETCH %s (UID FLAGS BODY[])" % words)
        assert result.word == b"OK", result.tagged
        if self.may(client.user, b"s"):
            self.store(client.user, uids, "+", {SEEN})

    def do_append(self, client):
        if len(self.truth["bob"].messages) >= FULL:
            return
        command, added = b"APPEND " + NAMES[client.user], []
        for _ in range(self.chance.choice([1, 1, 3])):
            self.count += 1
            added.append((octets_of(self.count), self.flags()))
            command += b" (%s) {%d+}\r\n%s" % (b" ".join(sorted(added[-1][1])), len(added[-1][0]), added[-1][0])
        result = self.run(client, command)
        assert (result.word == b"OK") == self.may(client.user, b"i"), (result.tagged, self.rights)
        if result.word == b"OK":
            uids = set().union(*[self.add(client.user, *each) for each in added])
            assert expand(result.code(b"APPENDUID").split(b" ")[1]) == uids

    def do_copy(self, client):
        """Into the same mailbox: others than the owner leave the flags out that they may not set."""
        words, uids = self.some(client)
        if len(self.truth["bob"].messages) + len(uids) > FULL or not uids:
            return
        result = self.run(client, b"UID COPY %s %s" % (words, NAMES[client.user]))
        assert (result.word == b"OK") == self.may(client.user, b"i"), (result.tagged, self.rights)
        if result.word != b"OK":
            return
        for uid in sorted(uids):
            for user, mailbox in self.truth.items():
                message = mailbox.find(uid)
                flags = self.permitted(client.user, message.flags - {SEEN})
                has_seen = SEEN in message.flags and (user == "bob" or (user == client.user and self.may(user, b"s")))
                mailbox.add(message.octets, flags | ({SEEN} if has_seen else set()))

    def do_expunge(self, client):
        going = self.truth["bob"].with_flag(b"\\Deleted")
        told = {uid for uid in client.view.uids() if uid}
        result = self.run(client, b"UID EXPUNGE " + numbers_of(sorted(told) or [99999]))
        assert (result.word == b"OK") == self.may(client.user, b"e"), (result.tagged, self.rights)
        if result.word == b"OK":
            left = {uid for uid, _, _ in self.read("bob")[0]}
            gone = {message.uid for message in self.truth["bob"].messages} - left
            assert going & told <= gone <= going
            self.remove(gone)

    def do_search(self, client):
        mailbox = self.truth[client.user]
        told = {uid for uid in client.view.uids() if uid}
        flag = self.chance.choice([b"SEEN", b"FLAGGED"])
        result = self.run(client, b"UID SEARCH RETURN (ALL) " + flag)
        want = mailbox.with_flag(b"\\" + flag.capitalize())
        line = next(line for line in result.untagged if line.startswith(b"* ESEARCH"))
        found = re.search(rb"ALL ([\d:,]+)", line)
        found = (expand(found[1]) if found else set()) & {message.uid for message in mailbox.messages}
        assert want & told <= found <= want

    def do_status(self, client):
        mailbox = self.truth[client.user]
        items = b"MESSAGES UIDNEXT UNSEEN DELETED" + (b" HIGHESTMODSEQ" if client.has_modseq else b"")
        result = self.run(client, b"STATUS %s (%s)" % (NAMES[client.user], items))
        line = next(line for line in reversed(result.untagged) if line.startswith(b"* STATUS"))
        values = {key: int(value) for key, value in re.findall(rb"([A-Z]+) (\d+)", line)}
        want = {b"MESSAGES": len(mailbox.messages), b"UIDNEXT": mailbox.uidnext,
                b"UNSEEN": len(mailbox.messages) - len(mailbox.with_flag(SEEN)),
                b"DELETED": len(mailbox.with_flag(b"\\Deleted"))}
        if client.has_modseq:
            want[b"HIGHESTMODSEQ"] = mailbox.highest
        assert values == want, line

    def do_changed_since(self, client):
        mailbox = self.truth[client.user]
        told = {uid for uid in client.view.uids() if uid}
        since = self.chance.randint(1, mailbox.highest)
        assert self.run(client, b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % since).word == b"OK"
        expected = {message.uid for message in mailbox.messages if message.modseq > since and message.uid in told}
        assert expected <= client.view.fetched, f"since {since}: {client.view.fetched} lacks of {expected}"

    def do_kill(self, _):
        """What was answered is there; what is told again has a higher modseq, and sessions come back from what they know."""
        self.trace.append((-1, "", "", b"kill"))
        self.kills += 1
        for client in self.clients:
            client.remember()
            client.client.close()
        for observer in self.observers.values():
            observer.close()
        if self.chance.random() < 0.5:
            self.server.kill()
        else:
            self.server.stop()
        self.server.start()
        self.enter()
        for client in self.clients:
            client.connect()
        for mailbox in self.truth.values():
            mailbox.may_change |= {message.uid for message in mailbox.messages}

    def finish(self):
        for client in self.clients:
            if client.is_idling:
                client.end_idle()
            if client.view:
                self.do_noop(client)
            client.client.close()
        self.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_shared(seed):
    with lib.Server(users=("bob", "alice")) as server:
        model = Model(server, seed)
        try:
            for _ in range(STEPS):
                model.step()
            model.do_kill(None)
            model.finish()
        except Exception:
            for line in model.trace[-14:]:
                print(*line)
            raise
