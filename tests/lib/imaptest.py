"""Runs scripts in the format of ImapTest against a server: commands, the untagged replies that must
(`*`) or must not (`!`) come, and variables that are bound where they are first met.

What is not said is not demanded: more untagged replies, more FETCH items and more LIST flags are fine.
"""
import pathlib
import re

import grammar

VARIABLE = re.compile(rb"\$\$?(?:\{(\w+)\}|(\w+))")


class Mismatch(Exception):
    pass


def tokens(octets):
    """A response as a nested tuple; literals and quoted strings are bytes, words are Atoms."""
    pieces = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|~?\{(\d+)\}\r?\n|\{\{\{\n|([^\s()"{]\S*?(?=[\s()]|$)))')
    stack, at = [[]], 0
    while at < len(octets):
        if octets[at:].strip() == b"":
            break
        if octets[at:].lstrip().startswith(b"{{{\n"):
            at = octets.index(b"{{{\n", at) + 4
            end = octets.index(b"}}}", at)
            stack[-1].append(octets[at:end].replace(b"\n", b"\r\n"))
            at = end + 3
            continue
        word = re.compile(rb"\s*((?:BODY|BINARY|BINARY\.SIZE)(?:\.PEEK)?\[[^\]]*\](?:<\d+>)?)", re.I).match(octets, at)
        found = word or pieces.match(octets, at)
        if not found:
            raise Mismatch(f"cannot read {octets[at:at + 60]!r}")
        at = found.end()
        if word:
            stack[-1].append(grammar.Atom(word[1]))
        elif found[1]:
            stack.append([])
        elif found[2]:
            item = tuple(stack.pop())
            if not stack:
                raise Mismatch(f"unbalanced {octets!r}")
            stack[-1].append(item)
        elif found[4] is not None:
            stack[-1].append(octets[at:at + int(found[4])])
            at += int(found[4])
        elif found[5] is not None:
            stack[-1].append(grammar.Atom(found[5]))
        else:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", found[3]))
    return tuple(stack[0])


class Script:
    def __init__(self, path):
        self.headers, self.groups = {}, []
        text = path.read_bytes()
        lines = re.findall(rb"(?:[^\n{]|\{(?!\{\{\n)|\{\{\{\n[\s\S]*?\}\}\})*\n?", text)
        for line in lines:
            line = line.rstrip(b"\n")
            if not line.strip() or line.startswith(b"#"):
                continue
            header = re.match(rb"(messages|state|connections|capabilities|ignore_extra_untagged): *(.*)\Z", line)
            if header and not self.groups:
                self.headers[header[1].decode()] = header[2].decode()
            elif line[:2] in (b"* ", b"! "):
                self.groups[-1][1].append((line[:1], line[2:]))
            else:
                self.groups.append((line, []))
        self.count = int(self.headers.get("connections", "1"))


class Runner:
    """One script with a fresh user; `letters` are what APPEND without a message takes."""

    def __init__(self, server, user, script, letters):
        self.script, self.letters = script, letters
        self.mailbox = b"imaptest"
        self.names = {b"mailbox": self.mailbox, b"user": user.encode(), b"username": user.encode()}
        self.appended = 0
        self.clients = []
        state = script.headers.get("state", "selected")
        for _ in range(script.count):
            self.clients.append(server.client(user))
        first = self.clients[0]
        if state in ("created", "selected", "appended"):
            first.ok(b"CREATE " + self.mailbox)
        wanted = script.headers.get("messages", "0")
        number = len(letters) if wanted == "all" else int(wanted)
        if state == "selected":
            for letter in letters[:number]:
                assert first.append(self.mailbox, letter).is_ok
            for client in self.clients:
                client.ok(b"SELECT " + self.mailbox)

    def fill(self, text, is_pattern=False):
        def value(found):
            name = found[1] or found[2]
            if found[0].startswith(b"$$"):
                return b"kw-" + name
            if name in self.names:
                item = self.names[name]
                return item if isinstance(item, bytes) else found[0]
            return found[0]
        return VARIABLE.sub(value, text)

    def match(self, wish, real, where):
        """Whether a reply fits; binds variables only if it does."""
        kept = dict(self.names)
        try:
            self.match_list(wish, real, where)
            return True
        except Mismatch:
            self.names = kept
            return False

    def match_item(self, wish, real, where):
        if isinstance(wish, tuple):
            if not isinstance(real, tuple):
                raise Mismatch()
            return self.match_list(wish, real, where)
        if isinstance(wish, grammar.Atom):
            name = VARIABLE.fullmatch(wish)
            if name and not wish.startswith(b"$$"):
                key = name[1] or name[2]
                if key in self.names:
                    if not same(self.names[key], real):
                        raise Mismatch()
                else:
                    self.names[key] = real
                return None
            wish = grammar.Atom(self.fill(wish))
        if isinstance(real, tuple) or not same(wish, real):
            raise Mismatch()
        return None

    def match_list(self, wish, real, where):
        if where == "fetch":
            pairs = dict(zip([bytes(word).upper() for word in real[0::2]], real[1::2]))
            for name, value in zip(wish[0::2], wish[1::2]):
                if bytes(name).upper() not in pairs:
                    raise Mismatch()
                inner = "flags" if name.lower() == b"flags" else "list"
                self.match_item_in(value, pairs[bytes(name).upper()], inner)
            return
        banned = [word[6:].lower() for word in wish if isinstance(word, bytes) and word.startswith(b"$!ban=")]
        if any(bytes(word).lower() in banned for word in real if isinstance(word, bytes)):
            raise Mismatch()
        is_loose = where in ("flags", "subset", "status") or b"$!unordered" in wish
        wish = [word for word in wish if not (isinstance(word, bytes) and word.startswith(b"$!"))]
        if is_loose:
            for word in wish:
                if not any(self.match((word,), (candidate,), "list") for candidate in real):
                    raise Mismatch()
            if where == "flags" and len([w for w in real if bytes(w).lower() != b"\\recent"]) != \
                    len([w for w in wish if bytes(w).lower() != b"\\recent"]):
                raise Mismatch()
            return
        if len(wish) != len(real):
            raise Mismatch()
        for left, right in zip(wish, real):
            self.match_item(left, right, where)

    def match_item_in(self, wish, real, where):
        if isinstance(wish, tuple) and isinstance(real, tuple):
            self.match_list(wish, real, where)
        else:
            self.match_item(wish, real, where)

    def fits(self, wish, real):
        """Whole responses: the word behind the number or at the start says how lists are compared."""
        words = [bytes(word).lower() for word in wish[:2] if isinstance(word, bytes)]
        if len(wish) > len(real):
            return False
        kept = dict(self.names)
        try:
            for index, left in enumerate(wish):
                right = real[index]
                where = "list"
                if isinstance(left, tuple):
                    where = ("fetch" if b"fetch" in words else "subset" if b"list" in words or b"lsub" in words
                             else "flags" if b"flags" in words else "status" if b"status" in words else "list")
                    if where == "status":
                        for name, value in zip(left[0::2], left[1::2]):
                            pairs = dict(zip([bytes(w).lower() for w in right[0::2]], right[1::2]))
                            if bytes(name).lower() not in pairs:
                                raise Mismatch()
                            self.match_item(value, pairs[bytes(name).lower()], "list")
                        continue
                self.match_item_in(left, right, where)
            if len(wish) < len(real) and not (words and words[0] == b"ok"):
                raise Mismatch()
            return True
        except Mismatch:
            self.names = kept
            return False

    def run(self):
        pending = {}
        for line, wishes in self.script.groups:
            found = re.match(rb"(?:(\d) )?(\S+) ?([\s\S]*)\Z", line)
            client = self.clients[int(found[1] or b"1") - 1]
            word, command = found[2], found[3]
            if word.lower() in (b"ok", b"no", b"bad", b'""'):
                reply = self.send(client, client.tag(), command)
                self.judge(line, word, reply, wishes)
            elif re.fullmatch(rb"(?i)(ok|no|bad)\b.*", command) and word in pending:
                self.judge(line, command.split()[0], self.await_(client, pending.pop(word)), wishes)
            elif re.fullmatch(rb"(?i)(no|ok|bad)", word):
                continue
            else:
                pending[word] = self.start(client, client.tag(), command)
                if wishes:
                    raise Mismatch("replies to a pipelined command are not read here")

    def start(self, client, tag, command):
        command = self.fill(command)
        if re.fullmatch(rb"(?i)append(\s+\S+)?(\s+\([^)]*\))?", command.strip()) or command.lower() == b"append":
            letter = self.letters[self.appended % len(self.letters)]
            self.appended += 1
            words = command if len(command.split()) > 1 else b"append " + self.mailbox
            client.send(tag + b" " + words + b" {%d+}\r\n" % len(letter) + letter + b"\r\n")
        else:
            command = re.sub(rb"\{\{\{\n([\s\S]*?)\}\}\}", lambda found: b"{%d+}\r\n" % len(
                found[1].replace(b"\n", b"\r\n")) + found[1].replace(b"\n", b"\r\n"), command)
            client.send(tag + b" " + command + b"\r\n")
        return tag

    def await_(self, client, tag):
        return client.reply(tag)

    def send(self, client, tag, command):
        return self.await_(client, self.start(client, tag, command))

    def judge(self, line, word, reply, wishes):
        status = reply.tagged.split(b" ", 2)[1].lower()
        if word != b'""' and status != word.lower():
            raise Mismatch(f"{line!r}: {reply.tagged!r}")
        gone = []
        lines = []
        for raw in reply.untagged:
            item = tokens(raw[2:])
            lines.append(item)
            if len(item) == 2 and bytes(item[1]).lower() == b"expunge":
                gone.append(int(item[0]))
        for kind, text in wishes:
            wish = tokens(self.relative(text, gone))
            hit = next((one for one in lines if self.fits(wish, one)), None)
            if kind == b"*" and hit is None:
                raise Mismatch(f"{line!r}: wanted {text!r} (as {wish!r}, with {self.names!r})\n got {reply!r}")
            if kind == b"!" and hit is not None:
                raise Mismatch(f"{line!r}: did not want {text!r}\n got {reply!r}")

    @staticmethod
    def relative(text, gone):
        """`$3` is message 3 of before the expunges of this reply."""
        def number(found):
            wanted = int(found[1])
            numbers = list(range(1, wanted + 100))
            order = 0
            for position in gone:
                if b"expunge" in text.lower() and numbers[position - 1] == wanted:
                    return b"%d" % position
                del numbers[position - 1]
                order += 1
            return b"%d" % (numbers.index(wanted) + 1) if wanted in numbers else b"0"
        return re.sub(rb"\$(\d+)\b", number, text)

    def close(self):
        for client in self.clients:
            client.close()


def same(left, right):
    if isinstance(left, tuple) or isinstance(right, tuple):
        return left == right
    if isinstance(left, grammar.Atom) or isinstance(right, grammar.Atom):
        return bytes(left).lower() == bytes(right).lower()
    return left == right


def letters_of(path):
    """The messages of an mbox, with CRLF."""
    pieces = re.split(rb"(?m)^From [^\n]*\n", path.read_bytes())[1:]
    return [re.sub(rb"(?<!\r)\n", b"\r\n", piece[:-1] if piece.endswith(b"\n\n") else piece) for piece in pieces]
