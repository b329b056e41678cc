"""The rows of make bench: what is done, on what mail, and what is wanted beside Dovecot."""
import dataclasses
import os
import typing

import steps

SECONDS = os.environ.get("BENCH_SECONDS", "2")
BOX = {"1k": 1000, "10k": 10000, "100k": 100000}		# mailboxes of bench0 with messages of 2 KB
LETTERS_COUNT = 512			# in the pool of messages as mail is, and in the mailbox Real


@dataclasses.dataclass(frozen=True)
class Row:
    """What load.c does with these options, or a function of steps.py; needs are functions of seeds.py and their arguments."""
    name: str
    group: str
    options: str = ""
    work: typing.Any = None
    needs: tuple = ()
    target: float = None		# the least ratio to Dovecot's rate
    is_p99_wanted: bool = False		# no longer than Dovecot's
    limit: tuple = None			# the name of a figure of ours, and what it may be at most
    is_late: bool = False		# what the server does afterwards is counted, too, and waited for
    is_fresh: bool = False		# both servers are started anew before each pass
    passes: int = None

    def has(self, words):
        return not words or any(word in f"{self.group}: {self.name}".lower() for word in words)


def logins():
    for name, options, target in (("login, SELECT", "", None), ("login, SELECT, TLS", "-t", 1.3), ("login, SELECT, TLS resumed", "-r", None)):
        yield Row(f"{name}, 16 connections", "login", f"{options} -c 16 -u 16", "login", target=target)
    for name, options in (("first logins", ""), ("first logins, TLS", "-t")):
        yield Row(f"{name}, 400 users", "login", f"{options} -c 8 -n 50 -u 400 -s 60", "login", (("homes", 400),), is_fresh=True,
                  limit=("cpu_us", 5000) if not options else None)


def storing():
    for name, options, work, target in (
            ("APPEND, 1 connection", "-c 1", "append", 1.8),
            ("APPEND, 16 connections", "-c 16", "append", 2),
            ("APPEND, pipelined 8, 16 connections", "-c 16 -d 8", "append-pipelined", 2),
            ("MULTIAPPEND 20, 4 connections", "-c 4", "multiappend", 2),
            ("APPEND, TLS, 16 connections", "-t -c 16", "append", 1.5),
            ("APPEND, COMPRESS, 1 connection", "-z -c 1", "append", None)):
        yield Row(name, "store", f"{options} -u 16 -f {{letters}} -b Cell{{cell}}", work, (("letters",),), target, is_late=True,
                  is_p99_wanted=name == "APPEND, 16 connections")
    for name, options, target in (("LMTP, 1 connection", "-c 1 -u 1", 3), ("LMTP, 16 connections", "-c 16 -u 16", 4),
                                  ("LMTP, 10 recipients, 4 connections", "-c 4 -k 10 -u 40", 3)):
        yield Row(name, "store", f"{options} -f {{letters}}", "lmtp", (("letters",),), target, is_late=True, is_p99_wanted=True)
    yield Row("memory after 10,000 APPENDs", "store", "-c 16 -u 16 -n 625 -s 600 -f {letters} -b Cell{cell}", steps.memory_after,
              (("letters",),), is_fresh=True, passes=1, limit=("value", 64))


def selecting():
    for size in BOX:
        yield Row(f"SELECT, FETCH FLAGS, {size}", "select", f"-w -b Box{size}", f"SELECT Box{size}\nFETCH 1:* (FLAGS)", (("box", size),))
    yield Row("login, SELECT, FETCH FLAGS, 10k", "select", "-w -l -b Box10k", "FETCH 1:* (FLAGS)", (("box", "10k"),))
    yield Row("SELECT, 10k", "select", "-w -b Box10k", "SELECT Box10k", (("box", "10k"),))
    yield Row("FETCH FLAGS, 10k, COMPRESS", "select", "-w -z -b Box10k", "FETCH 1:* (FLAGS)", (("box", "10k"),))
    for name, item, target in (("ENVELOPE", "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", 8),
                               ("HEADER.FIELDS", "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)]", 4)):
        for kind, options, size in (("10k", "", "10k"), ("10k, TLS", "-t", "10k"), ("100k", "", "100k")):
            yield Row(f"FETCH {name}, {kind}", "headers", f"-w {options} -b Box{size}", f"FETCH 1:* {item}", (("box", size),),
                      target if not options else None)
        yield Row(f"FETCH {name}, 10k, cold", "headers", f"FETCH 1:* {item}", steps.cold)


def bodies():
    for name, options, target in (("1 by 1", "", None), ("pipelined 16", "-d 16", 1.5)):
        for kind, tls in (("", ""), (", TLS", "-t")):
            yield Row(f"FETCH BODY[], {name}{kind}", "bodies", f"-w {options} {tls} -b Real -m {LETTERS_COUNT}", "FETCH %n BODY.PEEK[]",
                      (("real",),), 1.4 if target and tls else target)
    for kind, tls in (("", ""), (", TLS", "-t")):
        yield Row(f"FETCH BODY[]<64 KiB>{kind}", "bodies", f"-w {tls} -b Real -f {{letters}}", "ranges", (("letters",), ("real",)),
                  1.2 if not tls else None)
    yield Row("FETCH BODY[1], pipelined 16", "bodies", f"-w -d 16 -b Real -m {LETTERS_COUNT}", "FETCH %n BODY.PEEK[1]", (("real",),))
    for name, options in (("1 by 1", ""), ("pipelined 16", "-d 16")):
        yield Row(f"FETCH BODY[], 2 KB, {name}", "bodies", f"-w {options} -b Box10k -m 10000", "FETCH %n BODY.PEEK[]", (("box", "10k"),))
    yield Row("FETCH 1:* BODY[], 10k, COMPRESS", "bodies", "-z -b Box10k", "FETCH 1:* BODY.PEEK[]", (("box", "10k"),))


def flags():
    for size in ("10k", "100k"):
        for name, item, target in (("loud", "%sFLAGS (\\Answered)", 1.5), ("silent", "%sFLAGS.SILENT (\\Answered)", 1)):
            yield Row(f"STORE 1:*, {name}, {size}", "flags", f"-w -b Box{size}", f"STORE 1:* {item}", (("box", size),),
                      target if size == "100k" else None)
    yield Row("STORE 1:* that changes nothing, 10k", "flags", "-w -b Box10k", "STORE 1:* +FLAGS.SILENT (\\Draft)", (("box", "10k"),))
    yield Row("STORE one", "flags", "-w -b Box10k -m 10000", "STORE %n %sFLAGS (\\Flagged)", (("box", "10k"),))
    yield Row("STORE one, pipelined 16", "flags", "-w -d 16 -b Box10k -m 10000", "STORE %n %sFLAGS (\\Flagged)", (("box", "10k"),), 2,
              is_p99_wanted=True)
    for name in ("COPY", "MOVE", "EXPUNGE"):
        yield Row(f"{name} 1,000 messages", "flags", name, steps.copy_move_expunge, (("box", "10k"),))


def folders():
    for name, work in (("LIST, 100 mailboxes", 'LIST "" *'), ("LIST-STATUS, 100 mailboxes", 'LIST "" * RETURN (STATUS (MESSAGES UNSEEN))'),
                       ("STATUS of each of 100 mailboxes", "STATUS Folder%n (MESSAGES UNSEEN)"),
                       ("CREATE and DELETE", "CREATE New\nDELETE New")):
        yield Row(name, "folders", "-w -m 100", work, (("folders", 100),))
    yield Row("IDLE: until another's APPEND is told", "folders", "", steps.notification)


def resynchronizing():
    for name, work in (("100 changes", "SELECT Box{size} (QRESYNC ({validity} {before}))"),
                       ("no change", "SELECT Box{size} (QRESYNC ({validity} {modseq}))")):
        yield Row(f"resync: {name}, 100k", "resync", "-w -b Box100k", work, (("changes", "100k"),))
    for name, work in (("100 changes", "UID FETCH 1:* (FLAGS) (CHANGEDSINCE {before} VANISHED)"),
                       ("no change", "UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)")):
        yield Row(f"CHANGEDSINCE: {name}, 100k", "resync", "-w -b Box100k", work, (("changes", "100k"),))
    yield Row("resync: no change, 100k, 4 connections", "resync", "-w -c 4 -b Box100k", "SELECT Box{size} (QRESYNC ({validity} {modseq}))",
              (("changes", "100k"),))


def users():
    for kind, tls, target in (("", "", 4), (", TLS", "-t", 2.5)):
        yield Row(f"50 users at work{kind}", "mixed", f"{tls} -c 50 -u 50 -m 64 -f {{letters}}", "session", (("letters",), ("inboxes", 50, 64)),
                  target, is_late=True)
    yield Row("memory of an idle TLS session, of 1,000", "idle", "-t -c 8 -n 125 -u 50 -s 0", steps.idle_memory, is_fresh=True, passes=1,
              limit=("value", 48))


def disk():
    yield Row("disk for an octet, 10,000 messages of 2 KB", "disk", "10000 1800 0 0 10000", steps.disk, passes=1, limit=("value", 0.8))
    yield Row("disk for an octet, 512 messages of 60 KB", "disk", "4096 8000 2.05 2048 2560", steps.disk, passes=1)
    yield Row("disk for an octet, corpus", "disk", "", steps.disk_of_corpus, passes=1)


ROWS = [row for rows in (logins, storing, selecting, bodies, flags, folders, resynchronizing, users, disk) for row in rows()]
