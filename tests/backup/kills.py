#!/usr/bin/python3
"""The long campaign of backup and restore; what `make backup-kills` does.

    kills.py [--users=1000] [--kills=100] [--seed=N]

First many users: backup, all deleted and purged, restored, and compared message by message by imaplib, which knows nothing of
imapctl: content, flags, keywords, dates, UIDs, UIDVALIDITY and ids; and of each mailbox and user subscriptions, special uses,
rights, annotations, the order of UIDNEXT and HIGHESTMODSEQ, and what the directory has.  Then kill -9 of imapctl and of the
server at random moments of backups and restores (of who was deleted, of what is missing, in place of what is there, and of
several users): after each the backup is whole, a second run finishes what the first has begun, and nothing is lost or there
twice.
"""
import argparse
import imaplib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import server as lib


def log(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def session(server, user):
    client = imaplib.IMAP4("127.0.0.1", server.imap_port)
    client.login(user, lib.PASSWORD)
    return client


def letter(rng, number):
    body = b"\r\n".join(rng.randbytes(rng.randrange(10, 60)).hex().encode() for _ in range(rng.randrange(1, 60)))
    return lib.message(number, body + b"\r\n")


def fill(server, user, rng, letters):
    """Some mailboxes, messages with flags, keywords and dates of their own, and some that are gone again."""
    client = session(server, user)
    for name in ("Lists", "Lists/Birds"):
        client.create(name)
    for number in range(letters):
        flags = " ".join(rng.sample(["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "work", "later", "$label1"], rng.randrange(4)))
        date = imaplib.Time2Internaldate(1_600_000_000 + rng.randrange(10 ** 8))
        condition, _ = client.append(rng.choice(["INBOX", "Lists/Birds", "Archive"]), f"({flags})", date, letter(rng, number))
        assert condition == "OK"
    client.append("INBOX", None, None, letter(rng, letters))
    client.select("INBOX")
    client.store("1", "+FLAGS", "\\Deleted")
    client.expunge()
    client.subscribe("Lists/Birds")
    client.setacl("Lists/Birds", "reader", rng.choice(["lr", "lrs", "lrswi"]))
    command(client, "SETMETADATA", "Lists/Birds", '(/private/comment "of birds" /shared/comment "%d")' % rng.randrange(1000))
    command(client, "SETMETADATA", '""', '(/private/comment "whose this is")')
    command(client, "CREATE", "Templates", "(USE (\\Important))")
    client.logout()


def command(client, name, *words):
    """One that imaplib does not know; its untagged replies."""
    imaplib.Commands.setdefault(name, ("AUTH", "SELECTED"))
    condition, data = client._simple_command(name, *words)
    assert condition == "OK", (name, words, data)
    return client._untagged_response(condition, data, name)[1]


def flags_of(text):
    return tuple(sorted(flag for flag in re.search(rb"FLAGS \(([^)]*)\)", text)[1].split() if flag != b"\\Recent"))


def ids_of(text):
    """What a message keeps with its UID: its id, and when it came into the mailbox."""
    return re.search(rb"EMAILID \(([^)]*)\)", text)[1], re.search(rb'SAVEDATE "([^"]*)"', text)[1]


def messages_of(client, with_uids):
    for part in client.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE EMAILID SAVEDATE BODY.PEEK[])")[1]:
        if isinstance(part, tuple):
            uid = int(re.search(rb"UID (\d+)", part[0])[1]) if with_uids else 0
            yield (uid, flags_of(part[0]), re.search(rb'INTERNALDATE "([^"]*)"', part[0])[1],
                   ids_of(part[0]) if with_uids else None, part[1])


def rest_of(client, name):
    """Of a mailbox, besides its messages."""
    return (client.getacl(name)[1], sorted(command(client, "GETMETADATA", name, "(DEPTH infinity) (/private /shared)")[0:2], key=repr),
            re.search(rb"MAILBOXID \(([^)]*)\)", client.status(name, "(MAILBOXID)")[1][0])[1])


def picture(server, user, with_uids=True, with_validity=True):
    """All of a user: by mailbox, what a client is told of each message; and what else there is."""
    client = session(server, user)
    seen = {}
    for line in client.list()[1]:
        name = line.decode().split(' "/" ')[1]
        condition, count = client.select(name, readonly=True)
        assert condition == "OK", (user, name)
        validity = client.response("UIDVALIDITY")[1][0] if with_uids and with_validity else None
        messages = sorted(messages_of(client, with_uids)) if int(count[0]) > 0 else []
        seen[name] = (validity, messages, rest_of(client, name) if with_uids and with_validity else None)
    if with_uids:
        seen[""] = (sorted(client.list()[1]), sorted(client.lsub()[1]),
                    command(client, "GETMETADATA", '""', "(DEPTH infinity) (/private /shared)"))
    client.logout()
    return seen


def marks(server, user):
    """What is never given twice: by mailbox, UIDNEXT and HIGHESTMODSEQ."""
    client = session(server, user)
    names = [line.decode().split(' "/" ')[1] for line in client.list()[1]]
    found = {}
    for name in names:
        text = client.status(name, "(UIDNEXT HIGHESTMODSEQ)")[1][0]
        found[name] = tuple(int(re.search(word + rb" (\d+)", text)[1]) for word in (b"UIDNEXT", b"HIGHESTMODSEQ"))
    client.logout()
    return found


def entry(server, user):
    """What the directory has, but for the file's size and when it was changed last."""
    shown = json.loads(server.imapctl("--json", "user", "show", user).stdout)
    for record in shown.get("user", []):
        for word in ("size", "changed"):
            record.pop(word, None)
    return shown


def many(server, folder, users, rng):
    names = [f"user{number:04}@example.org" for number in range(users)]
    begun = time.monotonic()
    for number, name in enumerate(names):
        server.add_user(name)
        if number % 7 == 0:
            server.imapctl("user", "set", name, "--quota-storage=1G", "--quota-messages=5000")
            server.imapctl("alias", "add", f"alias-{name}", name)
            server.imapctl("group", "add", "sevens", name)
    for number, name in enumerate(names):
        if number % 10 != 9:                    # some have never logged in
            fill(server, name, rng, rng.randrange(1, 12))
        if number % 11 == 1:
            server.imapctl("user", "allow", name, f"--delegate={names[number - 1]}")
    log(f"{users} users filled in {time.monotonic() - begun:.0f} s")
    before = {name: picture(server, name) for number, name in enumerate(names) if number % 10 != 9}
    given = {name: marks(server, name) for name in before}
    entries = {name: entry(server, name) for name in names}
    total = sum(len(mailbox[1]) for seen in before.values() for name, mailbox in seen.items() if name != "")
    for run in ("first", "second"):
        begun = time.monotonic()
        done = server.imapctl("--json", "backup", folder)
        states = re.findall(r'"state":"(\w+)"', done.stdout)
        log(f"{run} backup: {time.monotonic() - begun:.1f} s, " +
            ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))))
    begun = time.monotonic()
    server.imapctl("backup", folder, "--verify")
    log(f"verified in {time.monotonic() - begun:.1f} s")
    for name in names:
        server.imapctl("user", "del", name, "--purge", "--yes")
    begun = time.monotonic()
    server.imapctl("restore", folder, "--all")
    log(f"restored in {time.monotonic() - begun:.1f} s")
    for name, seen in before.items():
        assert picture(server, name) == seen, f"{name} is not what it was"
        for mailbox, numbers in marks(server, name).items():
            assert all(now > then for now, then in zip(numbers, given[name][mailbox])), (name, mailbox, numbers)
    for name in names:
        assert entry(server, name) == entries[name], (entry(server, name), entries[name])
    for number, name in enumerate(names):
        if number % 10 == 9:
            session(server, name).logout()
    log(f"{users} users compare equal: {total} messages with content, flags, keywords, dates, ids, UIDs and UIDVALIDITY; "
        "mailboxes, subscriptions, rights, annotations, limits, groups, aliases and delegates")
    for name in names:
        server.imapctl("user", "del", name, "--purge", "--yes")


def begin(server, *words):
    return subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", *map(str, words)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def duration(server, *words):
    begun = time.monotonic()
    server.imapctl(*words)
    return time.monotonic() - begun


def kill_at_random(server, process, seconds, rng, is_server):
    """True: it was killed before its end."""
    time.sleep(rng.random() * seconds)
    is_early = process.poll() is None
    if is_server:
        server.kill()
        process.wait(120)
        server.start()
    else:
        process.kill()
        process.wait()
    return is_early


def check_backup(server, folder):
    done = server.imapctl("--json", "backup", folder, "--verify", check=False)
    assert done.returncode in (0, 75) and '"fault":[]' in done.stdout, done


def kill_backups(server, folder, names, kills, rng, is_server):
    seconds, early = 1.0, 0
    for number in range(kills):
        client = session(server, rng.choice(names))
        client.append("INBOX", None, None, letter(rng, 1000 + number))
        client.logout()
        early += kill_at_random(server, begin(server, "backup", folder), seconds, rng, is_server)
        check_backup(server, folder)
        if number % 10 == 9:
            seconds = duration(server, "backup", folder) + 0.1
    server.imapctl("backup", folder)
    done = server.imapctl("backup", folder, "--verify")
    log(f"{kills} kills of {'the server' if is_server else 'imapctl'} in backups, {early} before their end: "
        "each left a backup that is whole")
    return done


def lose(server, name, rng, number):
    """INBOX is emptied, and something else comes in."""
    client = session(server, name)
    client.select("INBOX")
    client.store("1:*", "+FLAGS", "\\Deleted")
    client.expunge()
    if number is not None:
        client.append("Archive", "(new)", None, letter(rng, 5000 + number))
    client.logout()


def delete(server, names):
    for name in names:
        server.imapctl("user", "del", name, "--purge", "--yes")


def kill_restores(server, folder, names, kills, rng, is_server):
    """By turns of a user who was deleted, of messages that are missing, in place of all there is, and of some users of all."""
    server.imapctl("backup", folder)
    early = 0
    for number in range(kills):
        kind = ("whole", "merged", "replaced", "all")[number % 4]
        several = rng.sample(names, 3 if kind == "all" else 1)
        named = [f"--user={name}" for name in several]
        server.imapctl("backup", folder, *named)        # what came back before has other UIDs since
        looks = {"with_uids": kind != "merged", "with_validity": kind != "replaced"}
        before = {name: picture(server, name, **looks) for name in (names if kind == "all" else several)}
        words = {"all": ["--all"], "replaced": [several[0], "--replace", "--yes"]}.get(kind, several)
        if kind in ("whole", "all"):
            delete(server, several)
        else:
            lose(server, several[0], rng, number if kind == "replaced" else None)
        seconds = {"whole": 0.15, "merged": 1.0, "replaced": 0.15, "all": 3.0}[kind]
        early += kill_at_random(server, begin(server, "restore", folder, *words), seconds, rng, is_server)
        for run in ("is not what it was", "has something twice"):
            server.imapctl("restore", folder, *words)
            for name, seen in before.items():
                assert picture(server, name, **looks) == seen, f"{kind}: {name} {run}"
        check_backup(server, folder) if number % 20 == 19 else None
    server.imapctl("verify", "--all")
    assert os.listdir(server.data / "restore") == []
    log(f"{kills} kills of {'the server' if is_server else 'imapctl'} in restores, {early} before their end: "
        "a second run brought everything back, once")


def kills(server, folder, count, rng):
    names = [f"killed{number}" for number in range(12)]
    for name in names:
        server.add_user(name)
        fill(server, name, rng, 30)
    for is_server in (False, True):
        kill_backups(server, folder, names, count, rng, is_server)
    for is_server in (False, True):
        kill_restores(server, folder, names, count, rng, is_server)
    left = [name for name in os.listdir(os.environ["TMPDIR"]) if name.startswith("imapctl.")]
    assert left == [], left


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6))
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    log(f"seed {chosen.seed}")
    work = pathlib.Path(tempfile.mkdtemp(prefix="imapd-kills-"))
    os.environ["TMPDIR"] = str(work)
    try:
        with lib.Server(users=("reader",)) as server:
            if chosen.users > 0:
                many(server, work / "many", chosen.users, rng)
            kills(server, work / "backup", chosen.kills, rng)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
