"""SORT as RFC 5256 tells it, straight and slow: a model to compare the server with."""
import functools
import re
import unicodedata

BLOB = r"\[[^\[\]]*\][ \t]*"
REFWD = rf"(?:re|fwd?)[ \t]*(?:{BLOB})?:"
LEADER = re.compile(rf"(?:(?:{BLOB})*{REFWD}|[ \t])", re.I | re.S)
TRAILER = re.compile(r"(?:\(fwd\)|[ \t])\Z", re.I)
FORWARD = re.compile(r"\[fwd:(.*)\]\Z", re.I | re.S)


def base_subject(text):
    """Section 2.1 of decoded text, and whether something of a reply or forward went (section 3)."""
    text, is_reply = re.sub(r"[ \t\r\n]+", " ", text), False		# (1)
    while True:
        while found := TRAILER.search(text):				# (2)
            text, is_reply = text[:found.start()], is_reply or found[0] not in " \t"
        while True:							# (5)
            before = text
            while found := LEADER.match(text):				# (3)
                text, is_reply = text[found.end():], is_reply or found[0] not in " \t"
            found = re.match(BLOB, text, re.S)				# (4)
            if found and found.end() < len(text):
                text = text[found.end():]
            if text == before:
                break
        found = FORWARD.match(text)					# (6)
        if not found:
            return text, is_reply
        text, is_reply = found[1], True


def fold(text):
    """i;unicode-casemap (RFC 5051), as octets to be compared."""
    titles = (char.title() if len(char.title()) == 1 else char for char in text)
    return "".join(unicodedata.normalize("NFKD", char) for char in titles).encode()


class Message:
    """What is known of a message; times in seconds, `sent` None without a valid Date."""

    def __init__(self, number, *, arrival=0, size=0, sent=None, subject="", mailboxes=("", "", ""), names=("", ""),
                 message_id=None, references=()):
        self.number, self.arrival, self.size = number, arrival, size
        self.sent = arrival if sent is None else sent
        base, self.is_reply = base_subject(subject)
        self.subject = fold(base)
        self.keys = {"ARRIVAL": arrival, "SIZE": size, "DATE": self.sent, "SUBJECT": self.subject,
                     **dict(zip(("FROM", "TO", "CC"), map(fold, mailboxes))),
                     **dict(zip(("DISPLAYFROM", "DISPLAYTO"), map(fold, names)))}
        self.message_id, self.references = message_id, list(references)


def sort(messages, criteria):
    """Numbers in the order of criteria such as ("REVERSE DATE", "FROM")."""
    def compare(one, other):
        for criterion in criteria:
            left, right = (message.keys[criterion.split()[-1]] for message in (one, other))
            if left != right:
                return (-1 if left < right else 1) * (-1 if criterion.startswith("REVERSE ") else 1)
        return one.number - other.number
    return [message.number for message in sorted(messages, key=functools.cmp_to_key(compare))]
