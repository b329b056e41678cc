"""SORT and THREAD as RFC 5256 tells them, straight and slow: a model to compare the server with."""
import functools
import re
import unicodedata

BLOB = r"\[[^\[\]]*\][ \t]*"
REFWD = rf"(?:re|fwd?)[ \t]*(?:{BLOB})?:"
LEADER = re.compile(rf"(?:(?:{BLOB})*{REFWD}|[ \t])", re.I | re.S)
TRAILER = re.compile(r"(?:\(fwd\)|[ \t])\Z", re.I)
FORWARD = re.compile(r"\[fwd:(.*)\]\Z", re.I | re.S)


@functools.lru_cache(1 << 16)
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


@functools.lru_cache(1 << 16)
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


class Node:
    """A message in a thread, or a dummy, which has none."""

    def __init__(self, message=None):
        self.message, self.parent, self.children = message, None, []

    def hang(self, parent):
        if self.parent:
            self.parent.children.remove(self)
        self.parent = parent
        if parent:
            parent.children.append(self)

    def is_below(self, other):
        node = self
        while node and node is not other:
            node = node.parent
        return node is other

    def first(self):
        """The message that counts for this node: its own, or that of its first child."""
        return self.message or self.children[0].first()

    def date(self):
        return self.first().sent, self.first().number

    def latest(self):
        """The arrival of the most recent of the thread: draft-ietf-morg-inthread-01 section 4."""
        below = [child.latest() for child in self.children]
        return max(below + ([(self.message.arrival, self.message.number)] if self.message else []))

    def sort(self):
        for child in self.children:
            child.sort()
        self.children.sort(key=Node.date)

    def text(self):
        """As in a THREAD response, without the parentheses around it."""
        words = [str(self.message.number)] if self.message else []
        if len(self.children) == 1:
            words.append(self.children[0].text())
        elif self.children:
            words.append("".join(f"({child.text()})" for child in self.children))
        return " ".join(words)


def link(messages):
    """Step 1, then 2: the root."""
    nodes, by_id = [], {}
    for message in messages:
        node = by_id.get(message.message_id) if message.message_id else None
        if node is None or node.message:
            node = Node()
            nodes.append(node)
            if message.message_id:
                by_id.setdefault(message.message_id, node)
        node.message = message
        before = None
        for reference in message.references:
            if reference not in by_id:
                by_id[reference] = Node()
                nodes.append(by_id[reference])
            child = by_id[reference]
            if before and not child.parent and not before.is_below(child):
                child.hang(before)
            before = child
        node.hang(None)
        if before and not before.is_below(node):
            node.hang(before)
    root = Node()
    for node in nodes:
        if not node.parent:
            node.hang(root)
    return root


def prune(node, is_root=False):
    """Step 3, from below."""
    for child in list(node.children):
        prune(child)
        if child.message:
            continue
        if not is_root or len(child.children) <= 1:
            for grandchild in list(child.children):
                grandchild.hang(node)
            child.hang(None)
            node.children = [other for other in node.children if other is not child]


def merge(root):
    """Step 5."""
    table = {}
    for node in root.children:
        subject = node.first().subject
        if not subject:
            continue
        noted = table.get(subject)
        if noted is None or (noted.message and (not node.message or (
                noted.message.is_reply and not node.message.is_reply))):
            table[subject] = node
    for node in list(root.children):
        subject = node.first().subject
        noted = table.get(subject)
        if not subject or noted is node or node.parent is not root:
            continue
        if not node.message and not noted.message:
            for child in list(node.children):
                child.hang(noted)
            node.hang(None)
        elif not noted.message or (node.message and node.message.is_reply and not noted.message.is_reply):
            node.hang(noted)
        else:
            table[subject] = dummy = Node()
            dummy.hang(root)
            node.hang(dummy)
            noted.hang(dummy)


def thread(algorithm, messages):
    """What stands behind "* THREAD " for messages in the order of their numbers."""
    if algorithm == "ORDEREDSUBJECT":
        root, first = Node(), {}
        for message in sorted(messages, key=lambda message: (message.subject, message.sent, message.number)):
            Node(message).hang(first.get(message.subject, root))
            first.setdefault(message.subject, root.children[-1])
    else:
        root = link(messages)
        prune(root, is_root=True)
        root.sort()
        if algorithm == "REFERENCES":
            merge(root)
    root.sort()
    if algorithm == "REFS":
        root.children.sort(key=Node.latest)
    return "".join(f"({node.text()})" for node in root.children)
