"""A small IMAP server that does what it is told to do wrong.

    with Liar({"INBOX": Box([Letter(1, octets), ...])}, omit={3}, ...) as liar:  liar.port, liar.commands

It speaks enough to be moved from, in plain text or after STARTTLS, to one user "u" with the password "p"; each lie is one
member of Liar.  A connection is served by a thread of its own.
"""
import base64
import dataclasses
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import server as lib  # noqa: E402


@dataclasses.dataclass
class Letter:
    uid: int
    octets: bytes
    flags: bytes = b""
    date: bytes = b" 1-Feb-2003 04:05:06 +0700"
    labels: bytes = b""
    number: int = 0			# Gmail's, the same in each mailbox
    modseq: int = 1


@dataclasses.dataclass
class Box:
    letters: list
    validity: int = 7
    attributes: bytes = b"\\HasNoChildren"
    modseq: int = 1


class Hangup(Exception):
    pass


class Liar:
    capabilities = b"IMAP4rev1 UIDPLUS NAMESPACE LITERAL+ SASL-IR AUTH=PLAIN"
    greeting = b"* OK ready"
    separator = b'"/"'
    namespace = b'(("" "/")) NIL NIL'
    password = b"p"
    certificate = None			# (certificate, key): STARTTLS is offered
    has_name_literals = False		# LIST with literals
    omit = frozenset()			# UIDs that FETCH leaves out when it comes to contents
    refuse = frozenset()		# UIDs whose contents FETCH answers with NO, behind the others
    stops_at = frozenset()		# UIDs at which it says NO and sends no more
    nil = frozenset()			# UIDs whose contents are NIL
    size_off_by = 0			# of RFC822.SIZE
    literal_off_by = 0			# of the literal of contents
    literal = None			# digits to say instead, for UIDs in `huge`
    huge = frozenset()
    hang_up_after = ()			# octets of a connection: of the first, of the second, ...; the others are left alone
    says_between = b""			# a line before each FETCH
    in_two = False			# the items of a FETCH come in two
    is_quoted = False			# short contents as a quoted string, the others as literal8
    order = None			# of the replies to FETCH: "backwards"
    piece = 0				# octets sent at a time
    answers_login = b"OK [CAPABILITY %s] logged in"
    after_login = None			# what every command is answered with
    silent_at = None			# a command that is never answered
    bye_at = None			# a command that is answered with BYE
    exists = None			# what SELECT says instead of the truth
    expunges_at = None			# UID: before its contents another client expunges it

    def __init__(self, boxes, **lies):
        self.boxes = boxes if isinstance(boxes, dict) else {"INBOX": Box(boxes)}
        for name, value in lies.items():
            assert hasattr(Liar, name), name
            setattr(self, name, value)
        self.commands, self.fetched = [], []		# as they came; the UIDs whose contents were sent
        self.ended = threading.Event()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections, self.threads = [], []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        for one in [self.listener, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self.thread.join(lib.LIMIT_S)
        for thread in self.threads:
            thread.join(lib.LIMIT_S)

    def accept(self):
        while not self.ended.is_set():
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(connected)
            self.threads.append(threading.Thread(target=self.serve, args=(connected,), daemon=True))
            self.threads[-1].start()

    def serve(self, connected):
        try:
            Session(self, connected).run()
        except (Hangup, OSError, ValueError):
            pass
        finally:
            try:
                connected.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def count(self, verb):
        return sum(command.split(b" ")[0] == verb for command in self.commands)


class Session:
    def __init__(self, liar, connected):
        self.liar, self.socket = liar, connected
        self.file = connected.makefile("rb")
        self.sent, self.box, self.is_in = 0, None, False
        self.limit = None
        if liar.hang_up_after:
            self.limit, *liar.hang_up_after = liar.hang_up_after

    def send(self, octets):
        if self.limit is not None and self.sent + len(octets) >= self.limit:
            self.socket.sendall(octets[:self.limit - self.sent])
            raise Hangup
        self.sent += len(octets)
        step = self.liar.piece or len(octets) or 1
        for at in range(0, len(octets), step):
            self.socket.sendall(octets[at:at + step])

    def line(self, octets):
        self.send(octets + b"\r\n")

    def read(self):
        """One command with its literals in their places, as quoted strings would be."""
        command = b""
        while True:
            line = self.file.readline()
            if not line.endswith(b"\n"):
                raise Hangup
            command += line.rstrip(b"\r\n")
            literal = re.search(rb"\{(\d+)(\+?)\}$", command)
            if not literal:
                return command
            if not literal[2]:
                self.line(b"+ go on")
            octets = self.file.read(int(literal[1]))
            command = command[:literal.start()] + b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    def run(self):
        self.line(self.liar.greeting)
        if self.liar.greeting.startswith(b"* BYE"):
            return
        while True:
            tag, _, rest = self.read().partition(b" ")
            self.liar.commands.append(rest)
            verb, _, words = rest.partition(b" ")
            verb = verb.upper()
            if verb == b"UID":
                verb, _, words = words.partition(b" ")
                verb = b"UID " + verb.upper()
            if self.liar.silent_at == verb:
                self.liar.ended.wait()
                return
            if self.liar.bye_at == verb:
                self.line(b"* BYE maintenance")
                return
            if self.liar.after_login and self.is_in and verb != b"LOGOUT":
                self.line(tag + b" " + self.liar.after_login)
                continue
            answer = getattr(self, "on_" + verb.decode("ascii", "replace").lower().replace(" ", "_"), None)
            self.line(tag + b" " + (answer(words) if answer else b"BAD what is that?"))
            if verb == b"LOGOUT":
                return
            if verb == b"STARTTLS":
                self.start_tls()

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.liar.certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.file = self.socket.makefile("rb")

    def on_capability(self, words):
        self.line(b"* CAPABILITY " + self.liar.capabilities + (b" STARTTLS" if self.liar.certificate else b""))
        return b"OK done"

    def on_starttls(self, words):
        return b"OK begin"

    def on_id(self, words):
        self.line(b"* ID NIL")
        return b"OK done"

    def on_noop(self, words):
        return b"OK done"

    def on_enable(self, words):
        return b"OK done"

    def on_logout(self, words):
        self.line(b"* BYE bye")
        return b"OK done"

    def log_in(self, password):
        if password != self.liar.password:
            return b"NO [AUTHENTICATIONFAILED] wrong password"
        self.is_in = True
        return self.liar.answers_login.replace(b"%s", self.liar.capabilities)

    def on_login(self, words):
        return self.log_in(arguments(words)[1])

    def on_authenticate(self, words):
        mechanism, *first = words.split(b" ")
        if mechanism.upper() != b"PLAIN":
            return b"NO no such mechanism"
        if not first:
            self.line(b"+ ")
            first = [self.file.readline().strip()]
        return self.log_in(base64.b64decode(first[0]).split(b"\0")[2])

    def on_namespace(self, words):
        self.line(b"* NAMESPACE " + self.liar.namespace)
        return b"OK done"

    def on_list(self, words):
        for name, box in self.liar.boxes.items():
            octets = name.encode()
            said = b"{%d}\r\n%s" % (len(octets), octets) if self.liar.has_name_literals else (
                b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"')
            self.line(b"* LIST (%s) %s %s" % (box.attributes, self.liar.separator, said))
        return b"OK done"

    def on_lsub(self, words):
        for name in self.liar.boxes:
            self.line(b'* LSUB () %s "%s"' % (self.liar.separator, name.encode()))
        return b"OK done"

    def find(self, words):
        return self.liar.boxes.get(arguments(words)[0].decode())

    def on_status(self, words):
        box = self.find(words)
        if box is None:
            return b"NO no such mailbox"
        values = {b"MESSAGES": len(box.letters), b"UIDVALIDITY": box.validity, b"RECENT": 0, b"UNSEEN": 0,
                  b"UIDNEXT": self.next_uid(box), b"HIGHESTMODSEQ": box.modseq, b"SIZE": sum(len(one.octets) for one in box.letters)}
        asked = words[words.rindex(b"(") + 1:-1].upper().split()
        self.line(b"* STATUS " + words[:words.rindex(b"(")] + b"(" +
                  b" ".join(b"%s %d" % (item, values[item]) for item in asked) + b")")
        return b"OK done"

    @staticmethod
    def next_uid(box):
        return max((one.uid for one in box.letters), default=0) + 1

    def on_select(self, words):
        self.box = self.find(words)
        if self.box is None:
            return b"NO no such mailbox"
        self.line(rb"* FLAGS (\Seen \Answered \Flagged \Deleted \Draft)")
        self.line(b"* %d EXISTS" % (len(self.box.letters) if self.liar.exists is None else self.liar.exists))
        self.line(b"* 0 RECENT")
        self.line(b"* OK [UIDVALIDITY %d] of UIDs" % self.box.validity)
        self.line(b"* OK [UIDNEXT %d] the next" % self.next_uid(self.box))
        if b"CONDSTORE" in self.liar.capabilities:
            self.line(b"* OK [HIGHESTMODSEQ %d] of changes" % self.box.modseq)
        return b"OK [READ-ONLY] done"

    on_examine = on_select

    def on_close(self, words):
        self.box = None
        return b"OK done"

    on_unselect = on_close

    def on_uid_search(self, words):
        self.line(b"* SEARCH" + b"".join(b" %d" % one.uid for one in self.box.letters))
        return b"OK done"

    def on_search(self, words):
        self.line(b"* SEARCH" + b"".join(b" %d" % (index + 1) for index in range(len(self.box.letters))))
        return b"OK done"

    def on_uid_fetch(self, words):
        return self.fetch(words, lambda number, one: one.uid, max((one.uid for one in self.box.letters), default=0))

    def on_fetch(self, words):
        return self.fetch(words, lambda number, one: number, len(self.box.letters))

    def fetch(self, words, key, last):
        numbers, _, items = words.partition(b" ")
        wanted = ranges(numbers, last)
        since = re.search(rb"\(CHANGEDSINCE (\d+)", items, re.I)
        items = re.sub(rb" ?\(CHANGEDSINCE[^)]*\)", b"", items, flags=re.I).upper()
        has_body = b"BODY" in items or re.search(rb"RFC822(?!\.SIZE)", items) is not None
        asked = [(number, one) for number, one in enumerate(list(self.box.letters), 1) if key(number, one) in wanted]
        if self.liar.order == "backwards":
            asked.reverse()
        answer = b"OK done"
        for number, one in asked:
            if since and one.modseq <= int(since[1]):
                continue
            if has_body and one.uid in self.liar.omit:
                continue
            if has_body and one.uid in self.liar.stops_at:
                return b"NO the message cannot be read"
            if has_body and one.uid in self.liar.refuse:
                answer = b"NO some of the messages cannot be read"
                continue
            if has_body and one.uid == self.liar.expunges_at:
                self.line(b"* %d EXPUNGE" % number)
                self.box.letters.remove(one)
                return b"OK done"
            if self.liar.says_between:
                self.line(self.liar.says_between)
            self.reply(number, one, items, has_body)
        return answer

    def reply(self, number, one, items, has_body):
        parts = [b"UID %d" % one.uid]
        if b"FLAGS" in items:
            parts.append(b"FLAGS (%s)" % one.flags)
        if b"INTERNALDATE" in items:
            parts.append(b'INTERNALDATE "%s"' % one.date)
        if b"RFC822.SIZE" in items:
            parts.append(b"RFC822.SIZE %d" % (len(one.octets) + self.liar.size_off_by))
        if b"X-GM-MSGID" in items:
            parts.append(b"X-GM-MSGID %d" % one.number)
        if b"X-GM-LABELS" in items:
            parts.append(b"X-GM-LABELS (%s)" % one.labels)
        if b"MODSEQ" in items and b"CONDSTORE" in self.liar.capabilities:
            parts.append(b"MODSEQ (%d)" % one.modseq)
        contents = [self.contents(one, items)] if has_body else []
        if has_body:
            self.liar.fetched.append(one.uid)
        if self.liar.in_two and contents:
            self.line(b"* %d FETCH (%s)" % (number, b" ".join(parts)))
            parts = parts[:1]
        self.line(b"* %d FETCH (%s)" % (number, b" ".join(contents + parts if self.liar.order else parts + contents)))

    def contents(self, one, items):
        name = b"BODY[]" if b"BODY" in items else b"RFC822"
        if one.uid in self.liar.nil:
            return name + b" NIL"
        if one.uid in self.liar.huge:
            return name + b" {%s}\r\n" % self.liar.literal + one.octets
        if self.liar.is_quoted:
            if b"\r" not in one.octets:
                return name + b' "' + one.octets + b'"'
            return name + b" ~{%d}\r\n" % len(one.octets) + one.octets
        return name + b" {%d}\r\n" % (len(one.octets) + self.liar.literal_off_by) + one.octets


def arguments(words):
    """Atoms and quoted strings."""
    return [re.sub(rb"\\(.)", rb"\1", found[0][1:-1]) if found[0].startswith(b'"') else found[0]
            for found in re.finditer(rb'"(?:[^"\\]|\\.)*"|[^ ]+', words, re.S)]


class ranges:
    """A sequence set as something that can be asked."""

    def __init__(self, text, last):
        self.pairs = []
        for part in text.split(b","):
            first, _, second = part.partition(b":")
            ends = [last if end == b"*" else int(end) for end in (first, second or first)]
            self.pairs.append((min(ends), max(ends)))

    def __contains__(self, number):
        return any(low <= number <= high for low, high in self.pairs)


def certificate_of(folder, name):
    """A certificate for another host; (certificate, key)."""
    cert, key = folder / "other.pem", folder / "other-key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key
