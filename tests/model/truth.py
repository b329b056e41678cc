"""What a user's mailboxes must hold: lists of messages, changed by the same commands as the server's.

Modseqs are the server's to choose.  The model knows what they must fulfil (RFC 7162 section 3.1): a change gives
the message a value that is higher than any the mailbox has had before, and nothing else gets another one.
"""
import copy
import dataclasses


@dataclasses.dataclass
class Message:
    uid: int
    octets: bytes
    flags: set
    modseq: int = 0		# 0: not yet seen


class Mailbox:
    def __init__(self, uidvalidity):
        self.uidvalidity = uidvalidity
        self.messages = []	# rising UIDs
        self.uidnext = 1
        self.highest = 1	# no modseq above this one has been told
        self.changed = set()	# UIDs that must get a higher modseq
        self.may_change = set()	# UIDs that may get one: their flags were set to what they were

    def find(self, uid):
        return next((message for message in self.messages if message.uid == uid), None)

    def add(self, octets, flags):
        self.messages.append(Message(self.uidnext, octets, set(flags)))
        self.changed.add(self.uidnext)
        self.uidnext += 1
        return self.uidnext - 1

    def store(self, uids, sign, flags):
        for message in self.messages:
            if message.uid not in uids:
                continue
            before = set(message.flags)
            if sign == "+":
                message.flags |= flags
            elif sign == "-":
                message.flags -= flags
            else:
                message.flags = set(flags)
            (self.changed if message.flags != before else self.may_change).add(message.uid)

    def remove(self, uids):
        self.messages = [message for message in self.messages if message.uid not in uids]

    def with_flag(self, flag):
        return {message.uid for message in self.messages if flag in message.flags}

    def observe(self, rows, highest):
        """Compare with (uid, flags, modseq) as the server tells them, and learn the modseqs."""
        told = [(uid, flags) for uid, flags, _ in rows]
        assert told == [(m.uid, m.flags) for m in self.messages], (
            f"the server has {told}\nthe model {[(m.uid, m.flags) for m in self.messages]}")
        for message, (uid, _, modseq) in zip(self.messages, rows):
            if uid in self.changed:
                assert modseq > self.highest, f"UID {uid} was changed, but {modseq} <= {self.highest}"
            elif uid not in self.may_change:
                assert modseq == message.modseq, f"UID {uid}: modseq {message.modseq} became {modseq} by nothing"
            message.modseq = modseq
        assert highest >= max([self.highest] + [modseq for _, _, modseq in rows]), f"HIGHESTMODSEQ {highest} fell"
        self.highest = highest
        self.changed.clear()
        self.may_change.clear()


class Truth:
    """All mailboxes by name."""

    def __init__(self):
        self.mailboxes = {}

    def copy(self):
        return copy.deepcopy(self)

    def transfer(self, source, target, uids, is_move):
        """COPY or MOVE; the UIDs in the target."""
        moved = [message for message in self.mailboxes[source].messages if message.uid in uids]
        new = [self.mailboxes[target].add(message.octets, message.flags) for message in moved]
        if is_move:
            self.mailboxes[source].remove(uids)
        return new
