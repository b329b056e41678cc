"""Sends random questions of SEARCH, SORT and THREAD to a server and compares the answers with the model."""
import re

import grammar
import ordering
import searching
from uids import expand

BATCH = 50		# questions in one packet
OPTIONS = [b"MIN", b"MAX", b"ALL", b"COUNT", b"SAVE"]
CRITERIA = ["ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"]
ITEMS = b"(UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE SAVEDATE EMAILID)"


def fetch(client, words):
    """The items of each message that a FETCH of its command tells of, in order."""
    return [grammar.fetch(line) for line in client.ok(words).untagged if b" FETCH (" in line]


def read(client, expected):
    """What is in the selected mailbox as searching.Stored.  `expected`: the Content of each UID, of all there are."""
    stored = [searching.Stored(expected[items[b"UID"]], items) for items in fetch(client, b"UID FETCH 1:* " + ITEMS)]
    assert sorted(expected) == [one.uid for one in stored]
    new = [one for one in stored if one.content.people is None]
    if new:
        words = b"UID FETCH %s (UID ENVELOPE)" % b",".join(b"%d" % one.uid for one in new)
        for one, items in zip(new, fetch(client, words), strict=True):
            one.content.take(items[b"ENVELOPE"])
    return stored


class Question:
    """One command, and what must come back."""

    def __init__(self, words, stored, found, leaves=()):
        self.words, self.is_uid, self.leaves = words, words.startswith(b"UID "), leaves
        self.found = [one for place, one in enumerate(stored) if found >> place & 1]
        self.places = {one.uid: place for place, one in enumerate(stored, 1)}
        self.line = None				# of SORT and THREAD

    def name(self, one):
        return one.uid if self.is_uid else self.places[one.uid]

    def names(self, stored):
        return {self.name(one) for one in stored}


class Asker:
    """A session on a mailbox: `stored` is what is in it, in order, `saved` the UIDs of what RETURN (SAVE) kept."""

    def __init__(self, client, choice, stored=(), is_rev2=False):
        self.client, self.choice, self.is_rev2 = client, choice, is_rev2
        self.stored, self.saved = list(stored), set()
        self.asked = self.hits = 0
        self.keys = {}

    def question(self, questions):
        words, found, charset = questions.program()
        leaves = [(charset + key, bits) for key, bits in questions.leaves]
        uid = self.choice.choice([b"", b"UID "])
        kind = self.choice.random()
        if kind < 0.15:
            return self.ordered(uid, (charset[8:] or b"UTF-8 ") + words, found, leaves)
        options, partial = [], None
        if kind < 0.5:
            options = self.choice.sample(OPTIONS, self.choice.randrange(4))
            if b"ALL" not in options and self.choice.random() < 0.3:
                ends = self.choice.randint(1, 30), self.choice.randint(1, 60)
                partial = self.choice.choice([b"%d:%d", b"-%d:-%d"]) % ends
            wire = options + ([b"PARTIAL " + partial] if partial else [])
            self.choice.shuffle(wire)
            words = b"RETURN (" + b" ".join(wire) + b") " + charset + words
            options = options or ([] if partial else [b"ALL"])
        elif self.is_rev2:
            words, options = charset + words, [b"ALL"]
        else:
            words, options = charset + words, None
        question = Question(uid + b"SEARCH " + words, self.stored, found, leaves)
        question.options, question.partial, question.asks_modseq = options, partial, questions.asks_modseq
        if options and b"SAVE" in options:
            self.saved = {one.uid for one in self.kept(question)}
            questions.saved = self.saved
        return question

    def ordered(self, uid, words, found, leaves):
        """SORT or THREAD of what a search finds, with the line that must come."""
        by = self.choice.choice(["ORDEREDSUBJECT", "REFERENCES", "REFS", None, None, None])
        keys = [self.choice.choice(["", "REVERSE "]) + key for key in self.choice.sample(CRITERIA, self.choice.randint(1, 4))]
        verb = f"THREAD {by} " if by else f"SORT ({' '.join(keys)}) "
        question = Question(uid + verb.encode() + words, self.stored, found, leaves)
        messages = [searching.order(one, question.name(one)) for one in question.found]
        if by:
            question.line = f"* THREAD {ordering.thread(by, messages)}".strip().encode()
        else:
            question.line = " ".join(["* SORT", *map(str, ordering.sort(messages, keys))]).encode()
        question.options = question.asks_modseq = None
        return question

    def slice(self, question):
        """What PARTIAL asks for: RFC 9394 section 3.1."""
        first, last = sorted(abs(int(end)) for end in question.partial.split(b":"))
        count = len(question.found)
        if question.partial.startswith(b"-"):
            first, last = count - last + 1, count - first + 1
        return question.found[max(0, first - 1):max(0, last)]

    def kept(self, question):
        """What SAVE keeps and the highest modseq is told of: RFC 9051 table 4, RFC 7162 section 3.1.10, RFC 9394 section 3.2."""
        found, kept = question.found, []
        if b"ALL" in question.options or b"COUNT" in question.options or not (
                question.partial or {b"MIN", b"MAX"} & set(question.options)):
            return found
        kept += found[:1] if b"MIN" in question.options else []
        kept += found[-1:] if b"MAX" in question.options else []
        return kept + (self.slice(question) if question.partial else [])

    def ask(self):
        questions = searching.Questions(self.choice, self.stored, self.saved, self.is_rev2, self.keys)
        batch = [self.question(questions) for _ in range(BATCH)]
        tags = [self.client.tag() for _ in batch]
        self.client.send(b"".join(b"%s %s\r\n" % (tag, question.words) for tag, question in zip(tags, batch)))
        replies = [self.client.reply(tag) for tag in tags]
        for tag, question, reply in zip(tags, batch, replies):
            assert reply.is_ok, (question.words, reply)
            self.check(question, tag, reply)
            self.asked += 1
            self.hits += bool(question.found)

    def check(self, question, tag, reply):
        lines = [line for line in reply.untagged if re.match(rb"\* (?:E?SEARCH|SORT|THREAD)\b", line)]
        if question.options is None:
            line, = lines
            modseq = re.search(rb" \(MODSEQ (\d+)\)\Z", line)
            found = [int(word) for word in re.findall(rb"\d+", line[:modseq.start()] if modseq else line)]
            assert len(found) == len(set(found))
            self.compare(question, set(found), question.names(question.found))
            if question.line:
                assert line[:modseq and modseq.start()] == question.line, (question.words, line, question.line)
                return
            wants = question.asks_modseq and question.found
            assert bool(modseq) == bool(wants), (question.words, line)
            assert not wants or int(modseq[1]) == max(one.modseq for one in question.found), (question.words, line)
            return
        if not set(question.options) - {b"SAVE"} and not question.partial:
            assert not lines, (question.words, lines)		# RFC 9051 section 6.4.4: SAVE alone has no reply
            return
        line, = lines
        self.check_extended(question, tag, line)

    def check_extended(self, question, tag, line):
        found = question.found
        head = b'* ESEARCH (TAG "%s")%s' % (tag, b" UID" if question.is_uid else b"")
        assert line.startswith(head), line
        told = dict(re.findall(rb" (MIN|MAX|COUNT|ALL|MODSEQ|PARTIAL) ((?:\([^)]*\)|\S+))", line[len(head):]))
        if b"ALL" in question.options:
            self.compare(question, expand(told[b"ALL"]) if b"ALL" in told else set(), question.names(found))
        if question.partial:
            words, numbers = told[b"PARTIAL"][1:-1].split(b" ")
            assert words == question.partial, line
            wanted = question.names(self.slice(question))
            self.compare(question, set() if numbers == b"NIL" else expand(numbers), wanted)
        expected = {}
        if b"COUNT" in question.options:
            expected[b"COUNT"] = len(found)
        if found:
            names = [question.name(one) for one in found]
            expected |= {word: end for word, end in ((b"MIN", names[0]), (b"MAX", names[-1])) if word in question.options}
            kept = self.kept(question)
            if question.asks_modseq and kept:
                expected[b"MODSEQ"] = max(one.modseq for one in kept)
        numbers = {word: int(value) for word, value in told.items() if word not in (b"ALL", b"PARTIAL")}
        if numbers != expected:
            self.explain(question, f"{line!r}, not {expected}")

    def compare(self, question, found, wanted):
        if found != wanted:
            self.explain(question, f"only by the server: {sorted(found - wanted)}, only by the model: {sorted(wanted - found)}")

    def explain(self, question, difference):
        """Fail, with the first key of the question that alone is answered wrong, and a message that shows it."""
        for words, bits in question.leaves:
            leaf = Question(b"UID SEARCH RETURN (ALL) " + words, self.stored, bits)
            line = next(line for line in self.client.ok(leaf.words).untagged if b"ESEARCH" in line)
            told, *_ = re.findall(rb" ALL (\S+)", line) or [None]
            wrong = (expand(told) if told else set()) ^ leaf.names(leaf.found)
            if wrong:
                one = next(one for one in self.stored if one.uid in wrong)
                difference += f"\n{leaf.words!r}: {line!r}\nUID {one.uid}, by the model {one in leaf.found}: {one.content.octets!r}"
                break
        raise AssertionError(f"{question.words!r}: {difference}")
