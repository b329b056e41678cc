"""Users who move between mailbox servers while mail comes in: what was acknowledged, and whether it is there, once."""
import itertools
import json
import random
import re
import subprocess
import threading

import server as lib
from picturing import picture

numbers = itertools.count()
MESSAGE = b"From: <a@example.org>\r\nSubject: %s\r\n\r\n%s\r\n"


def move(running, user, server, *words, **more):
    return running.cas.imapctl("move", user, server, *words, **more)


def append(client, mailbox, name, flags=b"", size=20):
    message = MESSAGE % (name, b"x" * size)
    return client.command(b"APPEND %s (%s) {%d}\r\n%s" % (mailbox, flags, len(message), message))


def subjects(client, mailbox=b"INBOX"):
    client.ok(b"EXAMINE %s" % mailbox)
    if not re.search(rb"\* [1-9]\d* EXISTS", b"\n".join(client.ok(b"NOOP").untagged + client.ok(b"EXAMINE %s" % mailbox).untagged)):
        return []
    rows = client.ok(b"FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]").untagged
    return [re.search(rb"Subject: (\S+)", row)[1] for row in rows if b"Subject: " in row]


class Traffic:
    """Clients that append and flag through the cas, and mail by LMTP at both servers, until it is stopped."""

    def __init__(self, running, user, delivers=True):
        self.running, self.user, self.number = running, user, next(numbers)
        self.acknowledged, self.delivered, self.uncertain, self.rounds, self.failures = [], [], set(), 0, []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True)
                        for work in ([self.append, self.deliver] if delivers else [self.append])]

    def guard(self, work):
        try:
            work()
        except Exception as error:		# one that is no lost connection
            self.failures.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        assert error[0] is not None or not self.failures, self.failures

    def append(self):
        number = 0
        while not self.is_over.wait(0.002):
            try:
                with self.running.client(self.user) as client:
                    client.checker = None	# what a server that is killed has begun to say is no reply
                    while not self.is_over.wait(0.001):
                        number += 1
                        name = b"%s-imap-%d-%d" % (self.user.encode(), self.number, number)
                        if append(client, b"INBOX", name, random.choice([b"", b"\\Seen", b"$Work"])).is_ok:
                            self.acknowledged.append(name)
                        self.rounds += 1
            except (OSError, EOFError, AssertionError, IndexError):
                continue		# BYE, or a server that was killed; what was under way may be there or not

    def deliver(self):
        number = 0
        while not self.is_over.wait(0.002):
            number += 1
            name = b"%s-lmtp-%d-%d" % (self.user.encode(), self.number, number)
            for host in (0, 1):			# as an MTA that tries one, and then the other
                try:
                    with self.running.lmtp(host) as lmtp:
                        answers = lmtp.deliver(MESSAGE % (name, b"y" * 20), self.user.encode())
                except (OSError, EOFError, AssertionError, IndexError):
                    self.uncertain.add(name)	# it may be there, and is sent once more, as RFC 2033 section 5 has it
                    continue
                if answers and answers[0].startswith(b"250"):
                    self.delivered.append(name)
                    break

    def read(self):
        """What is in the mailbox, as soon as somebody can say so: a server that was killed is back, and known to be."""
        found = []

        def is_read():
            try:
                with self.running.client(self.user) as client:
                    client.checker = None
                    found[:] = subjects(client)
            except (OSError, EOFError, AssertionError):
                return False
            return True
        lib.wait_until(is_read)
        return found

    def check(self):
        """All that was acknowledged is there, once."""
        found = self.read()
        missing = set(self.acknowledged + self.delivered) - set(found)
        assert not missing, missing
        found = [name for name in found if name not in self.uncertain]
        assert len(found) == len(set(found)), [name for name in found if found.count(name) > 1]


def host_of(running, user):
    """Where the directory says that the user lives."""
    return json.loads(running.cas.imapctl("user", "show", user, "--json").stdout)["user"][0]["home"]


def finish(running, user, server):
    """Order the move again, until it is done: a server that was killed may not be known to be back."""
    def is_done():
        return move(running, user, server, check=False).returncode == 0
    lib.wait_until(is_done)
    assert host_of(running, user) == server


def kill_in_the_middle(running, user, server, victim, delay_s):
    """Begin to move, end a process by kill -9 after a while, and start it again."""
    order = subprocess.Popen([lib.IMAPCTL, f"--config={running.cas.config}", "move", user, server],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    threading.Event().wait(delay_s)
    if victim == "imapctl":
        order.kill()
        order.communicate()
        return
    host = {"cas": running.cas, "source": running.mailboxes[server == "mbx1"],
            "target": running.mailboxes[server == "mbx2"]}[victim]
    host.kill()
    host.start()
    order.communicate()
