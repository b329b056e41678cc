"""Runs scripts in the format of ImapTest against a server.

    [connection] ok|no|bad|"" command      a command and the status it must end with ("": any)
    [connection] [tag] command             a command whose end stands further down, behind the replies:
    [connection] [tag] ok [code]
    * reply        an untagged reply that must come      ! reply     one that must not
    $name ${name}  a variable, bound where a reply first shows it        $$ is a dollar
    $1             message 1 as it was numbered before the command
    $tag           the tag of the command that was sent last
    {{{ text }}}   a literal with CRLF; behind ~ the octets as they stand

What is not said is not demanded: more untagged replies, more FETCH items and more LIST attributes are fine.
"""
import itertools
import re

import grammar

VARIABLE = re.compile(rb"\$(?:\$|\{(\w+)\}|(\w+))")
LITERAL = re.compile(rb"(~?)\{\{\{\n([\s\S]*?)\n?\}\}\}")
TOKEN = re.compile(rb"""\s*(?:
    (?P<section>(?:BODY|BINARY|BINARY\.SIZE)(?:\.PEEK)?\[[^\]]*\](?:<\d+>)?)
    |(?P<open>[(\[]) |(?P<close>[)\]])
    |"(?P<quoted>(?:[^"\\]|\\.)*)"
    |~?\{(?P<literal>\d+)\}\r\n
    |(?P<word>[^\s()\["\]]+))""", re.X | re.I)
STATUS = (b"ok", b"no", b"bad", b'""')


class Mismatch(Exception):
    pass


def literal(found):
    """What stands between {{{ and }}} as the octets of a literal of IMAP."""
    octets = found[2] if found[1] else re.sub(rb"\r?\n", b"\r\n", found[2])
    return b"{%d}\r\n%s" % (len(octets), octets)


def crlf_literals(text, plus=b""):
    return LITERAL.sub(lambda found: literal(found).replace(b"}", plus + b"}", 1), text)


def tokens(octets):
    """A response as a nested tuple; what stands in brackets is a list, too."""
    stack, at = [[]], 0
    octets = octets.rstrip(b" ")
    while at < len(octets):
        found = TOKEN.match(octets, at)
        if not found:
            raise Mismatch(f"cannot read {octets[at:at + 60]!r}")
        at = found.end()
        if found["open"]:
            stack.append([])
        elif found["close"]:
            item = tuple(stack.pop())
            stack[-1].append(item)
        elif found["literal"]:
            stack[-1].append(octets[at:at + int(found["literal"])])
            at += int(found["literal"])
        elif found["quoted"] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", found["quoted"]))
        else:
            stack[-1].append(grammar.Atom(found["section"] or found["word"]))
    return tuple(stack[0])


def reply_tokens(octets):
    """Of a status response only the status and the code: its text is for people."""
    found = re.match(rb"(?i)(ok|no|bad|bye|preauth)( \[[^\]]*\])?", octets)
    return tokens(found[0] if found else octets)


class Script:
    """`steps` are (kind, text): a line of its own, or what a `*` or `!` line says."""

    def __init__(self, path):
        self.headers, self.steps = {}, []
        lines = re.findall(rb"(?:[^\n{]|\{(?!\{\{\n)|\{\{\{\n[\s\S]*?\}\}\})+", path.read_bytes())
        for line in lines:
            header = re.match(rb"(messages|state|connections|capabilities|ignore_extra_untagged): *(.*)\Z", line)
            if header and not self.steps:
                self.headers[header[1].decode()] = header[2].decode()
            elif line[:2] in (b"* ", b"! "):
                self.steps.append((line[:1], line[2:]))
            elif line.strip() and line[:1] not in (b"#", b"?"):
                self.steps.append((b"", line))


class Connection:
    """One client, the commands it has not read the end of, and the replies since it last sent one."""

    def __init__(self, client):
        self.client, self.pending, self.replies = client, {}, []
        self.command = b""

    def start(self, name, command):
        if not self.pending:
            self.replies = []
        self.command = command
        self.pending[name] = self.client.tag()
        self.client.send(self.pending[name] + b" " + command + b"\r\n")

    def end(self, name):
        reply = self.client.reply(self.pending.pop(name))
        self.replies += reply.untagged
        return reply.tagged.split(b" ", 1)[1]

    def numbered(self):
        """The replies, each with what its message's number was before all of them."""
        numbers = list(range(100))
        for raw in self.replies:
            reply = reply_tokens(raw[2:])
            before = None
            if len(reply) > 1 and reply[0].isdigit() and bytes(reply[1]).lower() in (b"expunge", b"fetch"):
                before = numbers[int(reply[0])]
                if bytes(reply[1]).lower() == b"expunge":
                    del numbers[int(reply[0])]
            yield reply, before


class Runner:
    """One script with a fresh user; `letters` are what APPEND without a message takes in turn."""

    def __init__(self, server, user, script, letters):
        self.script, self.user, self.letters = script, user, itertools.cycle(letters)
        self.mailbox = b"imaptest"
        self.names = {b"mailbox": self.mailbox, b"user": user.encode(), b"username": user.encode()}
        self.connections = [Connection(server.client(user))
                            for _ in range(int(script.headers.get("connections", "1")))]
        self.prepare(len(letters))

    def prepare(self, available):
        state = self.script.headers.get("state", "selected")
        wanted = self.script.headers.get("messages", "0")
        if state == "auth":
            return
        first = self.connections[0].client
        first.ok(b"CREATE " + self.mailbox)
        for _ in range(available if wanted == "all" else int(wanted)):
            message, date = next(self.letters)
            assert first.append(self.mailbox, message, date=date).is_ok
        for connection in self.connections if state == "selected" else ():
            connection.client.ok(b"SELECT " + self.mailbox)

    def run(self):
        connection, wishes = self.connections[0], []
        for kind, text in [*self.script.steps, (b"", None)]:
            if kind:
                wishes.append((kind, text))
                continue
            if not connection.pending:
                self.judge(connection, wishes)
                wishes = []
            if text is not None:
                connection = self.step(text)

    def step(self, line):
        found = re.match(rb"(?:(\d) )?(?:(tag\d+) )?([\s\S]*)\Z", line)
        connection, name = self.connections[int(found[1] or b"1") - 1], found[2]
        word, _, rest = found[3].partition(b" ")
        if word.lower() not in STATUS:
            self.start(connection, name, found[3])
            return connection
        if name not in connection.pending:
            self.start(connection, name, rest)
            rest = b""
        tagged = connection.end(name)
        if word != b'""' and not self.fits(tokens(word + b" " + rest), reply_tokens(tagged)):
            raise Mismatch(f"{line!r}: {tagged!r}")
        return connection

    def start(self, connection, name, text):
        connection.start(name, self.command(text))
        self.names[b"tag"] = connection.pending[name]

    def command(self, text):
        text = self.fill(text)
        if re.fullmatch(rb"(?i)append(\s+\S+)?(\s+\([^)]*\))?", text):
            message, date = next(self.letters)
            text = text if b" " in text else text + b" " + self.mailbox
            return text + b' "%s" {%d+}\r\n' % (date, len(message)) + message
        return crlf_literals(text, plus=b"+")

    def fill(self, text):
        """The text with the variables that are bound."""
        def value(found):
            if found[0] == b"$$":
                return b"$"
            return self.names.get(found[1] or found[2], found[0])
        return VARIABLE.sub(value, text)

    def judge(self, connection, wishes):
        replies = list(connection.numbered())
        for kind, text in wishes:
            number = re.match(rb"\$(\d+) ", text)
            hit = any(self.fits(tokens(crlf_literals(text)), reply) if not number else
                      int(number[1]) == before and self.fits(tokens(crlf_literals(text))[1:], reply[1:])
                      for reply, before in replies)
            if hit != (kind == b"*"):
                raise Mismatch(f"{connection.command!r}: {kind.decode()} {text!r}\n"
                               f" with {self.names!r}\n got {connection.replies!r}")

    def fits(self, wish, reply):
        """Whether a reply is the one wished for; binds variables only if it is."""
        kept = dict(self.names)
        word = next((bytes(one).lower() for one in wish if isinstance(one, bytes) and not one.isdigit()), b"")
        is_long = word in (b"ok", b"no", b"bad")
        if (len(wish) == len(reply) or is_long and len(wish) < len(reply)) and \
                all(self.is_same(left, right, word) for left, right in zip(wish, reply)):
            return True
        self.names = kept
        return False

    def is_same(self, wish, real, within):
        """`within` is the word that says how a list is compared."""
        if isinstance(wish, tuple):
            return isinstance(real, tuple) and self.is_same_list(wish, real, within)
        if isinstance(real, tuple):
            return False
        name = VARIABLE.fullmatch(wish)
        if name and wish != b"$$" and (name[1] or name[2]) not in self.names:
            self.names[name[1] or name[2]] = real
            return True
        wish = self.fill(wish)
        return wish == real or (b"\n" not in wish and wish.lower() == real.lower())

    def is_same_list(self, wish, real, within):
        if within in (b"fetch", b"status"):
            items = {bytes(name).lower(): value for name, value in zip(real[0::2], real[1::2])}
            return all(bytes(name).lower() in items
                       and self.is_same(value, items[bytes(name).lower()], bytes(name).lower())
                       for name, value in zip(wish[0::2], wish[1::2]))
        if within == b"flags":
            def flags(words):
                return sorted(self.fill(word).lower() for word in words if word.lower() != b"\\recent")
            return flags(wish) == flags(real)
        words = [word.lower() for word in real if isinstance(word, bytes)]
        banned = [word[6:].lower() for word in wish if isinstance(word, bytes) and word.startswith(b"$!ban=")]
        if any(word in words for word in banned):
            return False
        is_subset = within in (b"list", b"lsub") or b"$!unordered" in wish
        wish = [word for word in wish if not (isinstance(word, bytes) and word.startswith(b"$!"))]
        if is_subset:
            return all(any(self.is_same(one, other, b"") for other in real) for one in wish)
        return len(wish) == len(real) and all(self.is_same(left, right, b"") for left, right in zip(wish, real))

    def close(self):
        for connection in self.connections:
            connection.client.close()


def letters_of(path):
    """The messages of an mbox, with CRLF, and the date of each From line, which becomes the internal date."""
    pieces = re.split(rb"(?m)^From \S+ +\w+ (\w+) +(\d+) ([\d:]+) (\d+) ?([-+]\d+)?[^\n]*\n", path.read_bytes())[1:]
    return [(re.sub(rb"\r?\n", b"\r\n", text), b"%s-%s-%s %s %s" % (day.rjust(2), month, year, time, zone or b"+0000"))
            for month, day, time, year, zone, text in zip(*[iter(pieces)] * 6)]
