"""Several sessions of all kinds at work on one user's mailboxes, held against lists of messages.

One command after another, whichever session sends it: so the model knows what each must do.  After each, an
observer reads the mailboxes that it touched; the server must hold what the model holds, and every modseq must
have its reason.  A session that has asked for the news must then know all of it.  Sessions are cut off at any
octet and come back, with QRESYNC from what they had been told.

MODEL_STEPS and MODEL_SEEDS say how long; the seed of a failure is in the name of the test.
"""
import os
import random
import re

import pytest

import server as lib
from client import KINDS, NEEDS, ModelClient
from truth import Mailbox, Truth
from uids import expand
from view import items_of

STEPS = int(os.environ.get("MODEL_STEPS", 1250))
SEEDS = [int(word) for word in os.environ.get("MODEL_SEEDS", "1 2 3 4 5 6 7 8").split()]
SESSIONS = 4
NAMES = [b"INBOX", b"a", b"b", b"c/d"]
FLAGS = [b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Draft", b"one", b"Two", b"$Three"]
FULL = 30		# messages in a mailbox before the model stops adding
LARGE = b"large"	# but for this one: changes of many messages at once are kept beside them


def octets_of(number):
    return b"Subject: number %d\r\nFrom: a@example.org\r\n\r\nThe text of %d.\r\n" % (number, number)


def numbers_of(values):
    return b",".join(b"%d" % value for value in values)


class Model:
    def __init__(self, server, user, seed):
        self.server, self.user = server, user
        self.chance = random.Random(seed)
        self.truth = Truth()
        self.count = 0
        self.observer = server.client(user)
        words = set(self.observer.ok(b"CAPABILITY").untagged[0].split()[2:])
        self.capabilities = words
        self.has_modseq = b"CONDSTORE" in words
        for name in NAMES:
            if name != b"INBOX":
                self.observer.ok(b"CREATE " + name)
            self.meet(name)
        self.fill(LARGE, 90)
        kinds = [kind for kind in KINDS if NEEDS.get(kind, b"IMAP4rev1") in words]
        self.clients = [ModelClient(server, user, kind) for kind in self.chance.sample(kinds * SESSIONS, SESSIONS)]
        self.lmtp = server.lmtp()
        self.trace = []

    def fill(self, name, count):
        """A mailbox with messages."""
        self.observer.ok(b"CREATE " + name)
        self.meet(name)
        for _ in range(count):
            self.count += 1
            assert self.observer.append(name, octets_of(self.count)).is_ok
            self.truth.mailboxes[name].add(octets_of(self.count), ())
        self.check(name)

    def meet(self, name):
        """A mailbox that was just made."""
        validity = re.search(rb"UIDVALIDITY (\d+)", self.observer.ok(b"STATUS %s (UIDVALIDITY)" % name).untagged[0])
        self.truth.mailboxes[name] = Mailbox(int(validity[1]))
        self.check(name)

    # What the server holds, by a session of its own.

    def read(self, name):
        """(rows, HIGHESTMODSEQ, UIDVALIDITY, UIDNEXT) by EXAMINE and FETCH."""
        lines = self.observer.ok(b"EXAMINE " + name + (b" (CONDSTORE)" if self.has_modseq else b"")).untagged
        codes = dict(re.findall(rb"\[(HIGHESTMODSEQ|UIDVALIDITY|UIDNEXT) (\d+)\]", b"".join(lines)))
        count = next(int(line.split()[1]) for line in lines if line.endswith(b" EXISTS"))
        rows = []
        if count:
            items = b"(UID FLAGS MODSEQ)" if self.has_modseq else b"(UID FLAGS)"
            found = [items_of(line) for line in self.observer.ok(b"FETCH 1:* " + items).untagged]
            rows = [(uid, flags, modseq or 0) for _, uid, flags, modseq in found]
        assert len(rows) == count
        self.observer.ok(b"UNSELECT")
        return rows, int(codes.get(b"HIGHESTMODSEQ", 0)), int(codes[b"UIDVALIDITY"]), int(codes[b"UIDNEXT"])

    def check(self, name):
        mailbox = self.truth.mailboxes[name]
        rows, highest, uidvalidity, uidnext = self.read(name)
        assert (uidvalidity, uidnext) == (mailbox.uidvalidity, mailbox.uidnext)
        if self.has_modseq:
            mailbox.observe(rows, highest)
        else:
            mailbox.changed.clear()
            mailbox.observe(rows, mailbox.highest)

    def check_all(self):
        for name in self.truth.mailboxes:
            self.check(name)

    def check_view(self, client):
        """After the news was asked for: the client knows how many there are, and nothing else than what is so."""
        view, mailbox = client.view, self.truth.mailboxes[client.view.name]
        assert view.count == len(mailbox.messages), f"{client.kind}: {view.count} of {len(mailbox.messages)}"
        if client.is_uid_only:
            real = {message.uid: message for message in mailbox.messages}
            pairs = [(real.get(uid), row) for uid, row in view.by_uid.items()]
            assert all(message for message, _ in pairs), f"{sorted(view.by_uid)} of {sorted(real)}"
        else:
            pairs = list(zip(mailbox.messages, [row[1:] for row in view.rows]))
            assert all(row[0] in (None, m.uid) for row, m in zip(view.rows, mailbox.messages)), view.rows
        for message, (flags, modseq) in pairs:
            assert flags is None or flags == message.flags, f"{client.kind}: UID {message.uid} {flags} {message.flags}"
            if modseq is not None and flags is not None and client.has_modseq:
                assert modseq == message.modseq, f"{client.kind}: UID {message.uid} {modseq} {message.modseq}"
        assert view.highest is None or view.highest <= mailbox.highest

    # Steps.  Each returns the names of the mailboxes that it may have changed.

    def step(self):
        client = self.chance.choice(self.clients)
        if client.is_idling:
            assert client.end_idle().word == b"OK"
            return self.settle(client, ())
        if not client.view:
            return self.settle(client, self.do_select(client))
        steps = [
            (self.do_store, 8), (self.do_append, 5), (self.do_pipeline, 4), (self.do_store_all, 4), (self.do_deliver, 2), (self.do_transfer, 5), (self.do_expunge, 3),
            (self.do_noop, 4), (self.do_fetch, 3), (self.do_search, 3), (self.do_status, 1), (self.do_select, 3),
            (self.do_leave, 1), (self.do_idle, 1), (self.do_rename, 1), (self.do_recreate, 1), (self.do_cut, 1),
            (self.do_changed_since, 3 if client.has_modseq else 0), (self.do_replace, 1)]
        doing = self.chance.choices([step for step, _ in steps], [weight for _, weight in steps])[0]
        return self.settle(client, doing(client))

    def settle(self, client, names):
        for name in names:
            if name in self.truth.mailboxes:
                self.check(name)
        if client.view and not client.is_idling and self.chance.random() < 0.4:
            self.run(client, b"NOOP")
            self.check_view(client)
            if self.chance.random() < 0.6 or client.kind.startswith("qresync"):
                client.learn()
                self.check_view(client)

    def run(self, client, command):
        self.trace.append((self.clients.index(client), client.kind, command))
        return client.run(command)

    def some(self, client):
        """The words of a set of messages as the client knows them, and the UIDs that it means, gone ones included."""
        known = [uid for uid in client.view.uids() if uid is not None]
        by_uid = client.is_uid_only or client.kind == "notify" or self.chance.random() < 0.5
        if by_uid:
            uids = self.chance.sample(known, min(self.chance.randint(1, 4), len(known)))
            if not known:
                return b"UID ", b"99999", set()
            return b"UID ", numbers_of(sorted(uids)), set(uids)
        client.learn()
        known = [(number, row[0]) for number, row in enumerate(client.view.rows, 1) if row[0]]
        if not known:
            return b"UID ", b"99999", set()
        some = self.chance.sample(known, min(self.chance.randint(1, 4), len(known)))
        return b"", numbers_of(number for number, _ in some), {uid for _, uid in some}

    def flags(self):
        return set(self.chance.sample(FLAGS, self.chance.randint(0, 3)))

    def do_select(self, client):
        name = self.chance.choice(list(self.truth.mailboxes))
        may_resync = self.chance.random() < 0.8
        self.trace.append((self.clients.index(client), client.kind, b"SELECT " + name))
        result = client.select(name, self.chance.random() < 0.15, may_resync)
        assert result.word == b"OK", result.tagged
        self.check_view(client)
        assert client.view.uidvalidity == self.truth.mailboxes[name].uidvalidity
        client.learn()
        self.check_view(client)
        return ()

    def do_leave(self, client):
        name, was_read_only = client.view.name, client.is_read_only
        client.remember()
        if self.chance.random() < 0.5:
            assert self.run(client, b"UNSELECT").word == b"OK"
        else:
            assert self.run(client, b"CLOSE").word == b"OK"
            if not was_read_only:
                self.remove(name, set(client.view.uids()), self.truth.mailboxes[name].with_flag(b"\\Deleted"))
                client.cache.pop(name, None)
        client.view = None
        return (name,)

    def do_noop(self, client):
        assert self.run(client, self.chance.choice([b"NOOP", b"CHECK"])).word == b"OK"
        self.check_view(client)
        return ()

    def do_idle(self, client):
        self.trace.append((self.clients.index(client), client.kind, b"IDLE"))
        client.begin_idle()
        return ()

    def do_append(self, client):
        name = self.chance.choice(list(self.truth.mailboxes))
        mailbox = self.truth.mailboxes[name]
        if len(mailbox.messages) >= FULL:
            return ()
        command, added = b"APPEND " + name, []
        for _ in range(self.chance.choice([1, 1, 1, 3])):
            self.count += 1
            flags = self.flags()
            octets = octets_of(self.count)
            command += b" (%s) {%d+}\r\n%s" % (b" ".join(sorted(flags)), len(octets), octets)
            added.append((octets, flags))
        result = self.run(client, command)
        assert result.word == b"OK", result.tagged
        uids = {mailbox.add(octets, flags) for octets, flags in added}
        assert expand(result.code(b"APPENDUID").split(b" ")[1]) == uids
        return (name,)

    def do_pipeline(self, client):
        """Sent without waiting for answers, and done as if they had been: RFC 9051 section 5.5.  Numbers stay, or are not used."""
        name, doings = client.view.name, []
        if client.is_read_only:
            return ()
        is_by_uid = self.some(client)[0] != b""
        for _ in range(self.chance.randint(2, 8)):
            target = self.chance.choice([name, *self.truth.mailboxes])
            if is_by_uid and self.chance.random() < 0.3 and len(self.truth.mailboxes[target].messages) + len(doings) < FULL:
                doings.append(self.prepare_append(client, target))
            else:
                doings.append(self.prepare_store(client, is_by_uid))
        self.trace += [(self.clients.index(client), client.kind, b"pipelined " + command) for command, _ in doings]
        for tag, (command, settle) in zip(client.send([command for command, _ in doings]), doings):
            settle(client.read(tag, command))
        return list(self.truth.mailboxes)

    def do_store_all(self, client):
        """Of as many messages as there are, by UID: what is not known to the client is left out."""
        if client.is_read_only:
            return ()
        known = [uid for uid in client.view.uids() if uid]
        if not known:
            return ()
        sign, flags, mailbox = self.chance.choice(["+", "-", ""]), self.flags(), self.truth.mailboxes[client.view.name]
        uids = {uid for uid in known if uid >= self.chance.choice([0, 0, known[len(known) // 2]])}
        result = self.run(client, b"UID STORE %s %sFLAGS (%s)" % (numbers_of(sorted(uids)), sign.encode(), b" ".join(sorted(flags))))
        assert result.word == b"OK", result.tagged
        mailbox.store(uids, sign, flags)
        return (client.view.name,)

    def prepare_append(self, client, target):
        """A command, and what is to be done with its result."""
        self.count += 1
        flags, octets = self.flags(), octets_of(self.count)

        def settle(result):
            assert result.word == b"OK", result.tagged
            new = self.truth.mailboxes[target].add(octets, flags)
            assert expand(result.code(b"APPENDUID").split(b" ")[1]) == {new}
        return b"APPEND %s (%s) {%d+}\r\n%s" % (target, b" ".join(sorted(flags)), len(octets), octets), settle

    def prepare_store(self, client, is_by_uid):
        """Of messages that the client knows already; those that come meanwhile have no number yet."""
        known = [(number, row[0]) for number, row in enumerate(client.view.table(), 1) if row[0]]
        some = self.chance.sample(known, min(self.chance.randint(1, 3), len(known)))
        words = numbers_of(uid if is_by_uid else number for number, uid in some) if some else b"99999"
        sign, flags, uids = self.chance.choice(["+", "-", ""]), self.flags(), {uid for _, uid in some}
        silent = b".SILENT" if self.chance.random() < 0.5 else b""
        mailbox = self.truth.mailboxes[client.view.name]

        def settle(result):
            assert result.word == b"OK" or uids - {message.uid for message in mailbox.messages}, result.tagged
            mailbox.store(uids, sign, flags)
            if silent and result.word == b"OK":
                client.view.assume(uids - client.view.told_flags, sign, flags)
        prefix = b"UID " if is_by_uid or not some else b""
        return b"%sSTORE %s %sFLAGS%s (%s)" % (prefix, words, sign.encode(), silent, b" ".join(sorted(flags))), settle

    def do_deliver(self, client):
        mailbox = self.truth.mailboxes[b"INBOX"]
        if len(mailbox.messages) >= FULL:
            return ()
        self.count += 1
        assert self.lmtp.deliver(octets_of(self.count), self.user.encode())[0].startswith(b"250")
        mailbox.add(octets_of(self.count), ())
        return (b"INBOX",)

    def do_store(self, client):
        prefix, words, uids = self.some(client)
        sign = self.chance.choice(["+", "-", ""])
        flags = self.flags()
        silent = b".SILENT" if self.chance.random() < 0.3 else b""
        mailbox = self.truth.mailboxes[client.view.name]
        condition, refused = b"", set()
        if client.has_modseq and self.chance.random() < 0.4:
            limit = self.chance.choice([0, 1, mailbox.highest, self.chance.randint(1, mailbox.highest)])
            condition = b" (UNCHANGEDSINCE %d)" % limit
            refused = {m.uid for m in mailbox.messages if m.uid in uids and m.modseq > limit}
        known = {uid: known for uid, known, _ in client.view.table()}
        result = self.run(client, b"%sSTORE %s%s %sFLAGS%s (%s)" % (
            prefix, words, condition, sign.encode(), silent, b" ".join(sorted(flags))))
        if client.is_read_only:
            assert result.word == b"NO", result.tagged
            return (client.view.name,)
        gone = uids - {message.uid for message in mailbox.messages}
        assert result.word == b"OK" or gone, result.tagged
        modified = result.code(b"MODIFIED")
        told = expand(modified) if modified else set()
        if not prefix:
            told = {client.view.rows[number - 1][0] for number in told if number <= len(client.view.rows)}
        if result.word == b"OK":
            self.check_modified(mailbox, told - gone, refused, known, sign, flags)
            refused &= told
        mailbox.store(uids - refused, sign, flags)
        if silent and result.word == b"OK":
            client.view.assume(uids - refused - client.view.told_flags, sign, flags)
        return (client.view.name,)

    def check_modified(self, mailbox, told, refused, known, sign, flags):
        """What is not told of it was changed in other flags than the client means: RFC 7162 section 3.1.12."""
        assert told <= refused, f"MODIFIED {told}, but {refused} had changed"
        for uid in refused - told:
            assert sign and known[uid] is not None, f"{uid} had changed"
            assert known[uid] & flags == mailbox.find(uid).flags & flags, f"{uid} had changed in {flags}"

    def do_transfer(self, client):
        source, target = client.view.name, self.chance.choice(list(self.truth.mailboxes))
        prefix, words, uids = self.some(client)
        is_move = b"MOVE" in self.capabilities and self.chance.random() < 0.5
        real = sorted(m.uid for m in self.truth.mailboxes[source].messages if m.uid in uids)
        if len(self.truth.mailboxes[target].messages) + len(real) > FULL + 10:
            return ()
        result = self.run(client, prefix + (b"MOVE " if is_move else b"COPY ") + words + b" " + target)
        if is_move and client.is_read_only:
            assert result.word == b"NO"
            return (source, target)
        if result.word != b"OK":
            assert set(real) != uids, result.tagged
            return (source, target)
        new = self.truth.transfer(source, target, set(real), is_move)
        code = result.code(b"COPYUID")
        if real:
            validity, sources, targets = code.split(b" ")
            assert int(validity) == self.truth.mailboxes[target].uidvalidity
            assert (expand(sources), expand(targets)) == (set(real), set(new)), result
        else:
            assert code is None
        return (source, target)

    def do_expunge(self, client):
        name = client.view.name
        mailbox = self.truth.mailboxes[name]
        going, told = mailbox.with_flag(b"\\Deleted"), set(client.view.uids())
        if self.chance.random() < 0.5:
            result = self.run(client, b"EXPUNGE")
        else:
            known = [uid for uid in client.view.uids() if uid] or [99999]
            uids = set(self.chance.sample(known, self.chance.randint(1, len(known))))
            going &= uids
            result = self.run(client, b"UID EXPUNGE " + numbers_of(sorted(uids)))
        if client.is_read_only:
            assert result.word == b"NO"
            return (name,)
        assert result.word == b"OK", result.tagged
        self.remove(name, told, going)
        return (name,)

    def remove(self, name, told, going):
        """What has \\Deleted is gone, but for messages that the session was not told of: those may stay."""
        mailbox = self.truth.mailboxes[name]
        left = {uid for uid, _, _ in self.read(name)[0]}
        gone = {message.uid for message in mailbox.messages} - left
        assert going & told <= gone <= going, f"gone are {gone}, not {going}"
        mailbox.remove(gone)

    def do_fetch(self, client):
        prefix, words, uids = self.some(client)
        mailbox = self.truth.mailboxes[client.view.name]
        is_seeing = self.chance.random() < 0.3
        result = self.run(client, b"%sFETCH %s (UID FLAGS BODY%s[])" % (prefix, words, b"" if is_seeing else b".PEEK"))
        gone = uids - {message.uid for message in mailbox.messages}
        assert result.word == b"OK" or gone, result.tagged
        for line in result.untagged:
            found = re.search(rb"UID (\d+)", line) or re.match(rb"\* (\d+) UIDFETCH", line)
            body = re.search(rb"BODY\[\] \{(\d+)\}\r\n", line)
            if body:
                uid = int(found[1])
                octets = line[body.end():body.end() + int(body[1])]
                message = mailbox.find(uid)
                assert message is None or octets.endswith(message.octets), f"UID {uid} is another message: {octets!r}"
        if is_seeing and not client.is_read_only:
            mailbox.store(uids, "+", {b"\\Seen"})
        return (client.view.name,)

    def do_changed_since(self, client):
        """
        RFC 7162 section 3.1.4.1: what has a higher modseq; and with VANISHED all that went since.  Messages that the
        client was not told of are in no set of its.
        """
        mailbox = self.truth.mailboxes[client.view.name]
        told = set(client.view.uids())
        since = self.chance.choice([1, mailbox.highest, self.chance.randint(1, mailbox.highest)])
        wants_vanished = client.kind.startswith("qresync") and self.chance.random() < 0.5
        result = self.run(client, b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d%s)" % (
            since, b" VANISHED" if wants_vanished else b""))
        assert result.word == b"OK", result.tagged
        expected = {message.uid for message in mailbox.messages if message.modseq > since and message.uid in told}
        assert expected <= client.view.fetched, f"since {since}: {client.view.fetched} lacks of {expected}"
        return ()

    def do_search(self, client):
        mailbox = self.truth.mailboxes[client.view.name]
        flag = self.chance.choice([b"SEEN", b"ANSWERED", b"FLAGGED", b"DELETED", b"DRAFT", b"KEYWORD one", b"ALL"])
        names = {b"KEYWORD one": b"one"}
        want = {m.uid for m in mailbox.messages if flag == b"ALL" or
                names.get(flag, b"\\" + flag.capitalize()) in m.flags}
        words = flag
        if client.has_modseq and self.chance.random() < 0.5:
            least = self.chance.randint(1, mailbox.highest)
            words += b" MODSEQ %d" % least
            want = {uid for uid in want if mailbox.find(uid).modseq >= least}
        told = set(client.view.uids())
        result = self.run(client, b"UID SEARCH " + words)
        assert result.word == b"OK", result.tagged
        found = set()
        for line in result.untagged:
            plain = re.match(rb"\* SEARCH([ \d]*)(?:\(MODSEQ (\d+)\))?", line)
            extended = re.match(rb"\* ESEARCH .*?UID(?:.* ALL ([\d:,]+))?", line)
            if plain:
                found = {int(word) for word in plain[1].split()}
            elif extended:
                found = expand(extended[1]) if extended[1] else set()
            modseq = re.search(rb"MODSEQ (\d+)", line) if plain or extended else None
            if modseq and found:
                assert int(modseq[1]) == max(mailbox.find(uid).modseq for uid in found & want), line
        found &= {message.uid for message in mailbox.messages}
        assert want & told <= found <= want, f"{words}: {found}, wanted {want}"
        return ()

    def do_status(self, client):
        name = self.chance.choice(list(self.truth.mailboxes))
        mailbox = self.truth.mailboxes[name]
        items = b"MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED" + (b" HIGHESTMODSEQ" if client.has_modseq else b"")
        result = self.run(client, b"STATUS %s (%s)" % (name, items))
        told = next(line for line in reversed(result.untagged) if line.startswith(b"* STATUS"))
        values = dict(re.findall(rb"([A-Z]+) (\d+)", told))
        want = {b"MESSAGES": len(mailbox.messages), b"UIDNEXT": mailbox.uidnext, b"UIDVALIDITY": mailbox.uidvalidity,
                b"UNSEEN": len(mailbox.messages) - len(mailbox.with_flag(b"\\Seen")),
                b"DELETED": len(mailbox.with_flag(b"\\Deleted"))}
        if client.has_modseq:
            want[b"HIGHESTMODSEQ"] = mailbox.highest
        assert {key: int(value) for key, value in values.items()} == want, told
        return ()

    def do_rename(self, client):
        """A mailbox moves away and back: UIDs, modseqs and sessions on it are not concerned."""
        name = self.chance.choice([b"a", b"b"])
        for words in (b"RENAME %s moved" % name, b"RENAME moved %s" % name):
            assert self.run(client, words).word == b"OK"
        return (name,)

    def do_recreate(self, client):
        """Only where nobody has it selected: what its sessions are told is another test's."""
        name = b"c/d"
        if any(other.view and other.view.name == name for other in self.clients) or self.chance.random() < 0.5:
            return ()
        assert self.run(client, b"DELETE " + name).word == b"OK"
        assert self.run(client, b"CREATE " + name).word == b"OK"
        before = self.truth.mailboxes[name].uidvalidity
        self.meet(name)
        assert self.truth.mailboxes[name].uidvalidity > before
        return ()

    def do_replace(self, client):
        """RFC 8508: append and expunge as one."""
        if b"REPLACE" not in self.capabilities or client.is_read_only:
            return ()
        source = self.truth.mailboxes[client.view.name]
        known = [uid for uid in client.view.uids() if uid and source.find(uid)]
        target = self.chance.choice(list(self.truth.mailboxes))
        if not known or len(self.truth.mailboxes[target].messages) >= FULL:
            return ()
        uid = self.chance.choice(known)
        self.count += 1
        flags, octets = self.flags(), octets_of(self.count)
        result = self.run(client, b"UID REPLACE %d %s (%s) {%d+}\r\n%s" % (
            uid, target, b" ".join(sorted(flags)), len(octets), octets))
        assert result.word == b"OK", result.tagged
        new = self.truth.mailboxes[target].add(octets, flags)
        source.remove({uid})
        assert expand(result.code(b"APPENDUID").split(b" ")[1]) == {new}
        return (client.view.name, target)

    def do_cut(self, client):
        """The connection ends in the middle of a command: it is done or not, never half."""
        name = client.view.name
        prefix, words, uids = self.some(client)
        mailbox = self.truth.mailboxes[name]
        after = self.truth.copy()
        self.count += 1
        if self.chance.random() < 0.5 or client.is_read_only:
            octets = octets_of(self.count)
            command = b"APPEND %s {%d+}\r\n%s" % (name, len(octets), octets)
            after.mailboxes[name].add(octets, ())
        else:
            flags = self.flags()
            command = b"%sSTORE %s +FLAGS (%s)" % (prefix, words, b" ".join(sorted(flags)))
            after.mailboxes[name].store(uids, "+", flags)
        whole = len(command) + 8
        sent = self.chance.choice([whole, whole, self.chance.randint(1, whole)])
        self.trace.append((self.clients.index(client), client.kind, b"cut " + command))
        ends = self.ended()
        client.cut(command, sent, self.chance.randint(0, 60))
        lib.wait_until(lambda: self.ended() > ends)
        rows = self.read(name)[0]
        before = [(m.uid, m.flags) for m in mailbox.messages]
        if [(uid, flags) for uid, flags, _ in rows] != before:
            self.truth = after
        else:
            mailbox.may_change |= uids
        client.connect()
        return (name,)

    def ended(self):
        """How many sessions of the mailbox role are over: nothing more comes from them."""
        return sum("ev=logout" in line and f"user={self.user} " in line for line in self.server.log_lines)

    def finish(self):
        """All sessions hear the news; then all know the same."""
        for client in self.clients:
            if client.is_idling:
                client.end_idle()
            if client.view:
                client.run(b"NOOP")
                self.check_view(client)
                client.learn()
                self.check_view(client)
            client.client.close()
        self.check_all()
        self.observer.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_model(shared_server, user, seed):
    model = Model(shared_server, user, seed)
    try:
        for _ in range(STEPS):
            model.step()
        model.finish()
    except Exception:
        for number, kind, command in model.trace[-12:]:
            print(f"{number} {kind}: {command[:300]!r}")
        raise
