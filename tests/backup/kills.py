#!/usr/bin/python3
"""The long campaign of backup and restore; what `make backup-kills` does.

    kills.py [--users=1000] [--kills=100] [--seed=N]

First many users: backup, all deleted and purged, restored, and compared message by message by imaplib, which knows nothing of
imapctl.  Then kill -9 of imapctl and of the server at random moments of backups and restores: after each the backup is
whole, a second run finishes what the first has begun, and nothing is lost or there twice.
"""
import argparse
import imaplib
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
    client.logout()


def flags_of(text):
    return tuple(sorted(flag for flag in re.search(rb"FLAGS \(([^)]*)\)", text)[1].split() if flag != b"\\Recent"))


def picture(server, user, with_uids=True):
    """All messages of a user: by mailbox, what a client is told of each."""
    client = session(server, user)
    seen = {}
    for line in client.list()[1]:
        name = line.decode().split(' "/" ')[1]
        condition, count = client.select(name, readonly=True)
        assert condition == "OK", (user, name)
        validity = client.response("UIDVALIDITY")[1][0] if with_uids else None
        messages = []
        if int(count[0]) > 0:
            for part in client.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1]:
                if isinstance(part, tuple):
                    uid = int(re.search(rb"UID (\d+)", part[0])[1]) if with_uids else 0
                    messages.append((uid, flags_of(part[0]), re.search(rb'INTERNALDATE "([^"]*)"', part[0])[1], part[1]))
        seen[name] = (validity, sorted(messages))
    client.logout()
    return seen


def many(server, folder, users, rng):
    names = [f"user{number:04}@example.org" for number in range(users)]
    begun = time.monotonic()
    for name in names:
        server.add_user(name)
    for number, name in enumerate(names):
        if number % 10 != 9:                    # some have never logged in
            fill(server, name, rng, rng.randrange(1, 12))
    log(f"{users} users filled in {time.monotonic() - begun:.0f} s")
    before = {name: picture(server, name) for number, name in enumerate(names) if number % 10 != 9}
    total = sum(len(messages) for seen in before.values() for _, messages in seen.values())
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
    for number, name in enumerate(names):
        if number % 10 == 9:
            session(server, name).logout()
    log(f"{users} users compare equal: {total} messages with content, flags, keywords, dates, UIDs and UIDVALIDITY")
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


def kill_restores(server, folder, names, kills, rng, is_server):
    """Of whole users, who are deleted before, and of messages that are missing, by turns."""
    server.imapctl("backup", folder)
    early = 0
    for number in range(kills):
        name = rng.choice(names)
        is_whole = number % 2 == 0
        server.imapctl("backup", folder, f"--user={name}")      # what came back before has other UIDs since
        before = picture(server, name, with_uids=is_whole)
        if is_whole:
            server.imapctl("user", "del", name, "--purge", "--yes")
        else:
            client = session(server, name)
            client.select("INBOX")
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()
            client.logout()
        early += kill_at_random(server, begin(server, "restore", folder, name), 0.15 if is_whole else 1.0, rng, is_server)
        server.imapctl("restore", folder, name)
        assert picture(server, name, with_uids=is_whole) == before, f"{name} is not what it was"
        server.imapctl("restore", folder, name)
        assert picture(server, name, with_uids=is_whole) == before, f"{name} has something twice"
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
        with lib.Server(users=()) as server:
            if chosen.users > 0:
                many(server, work / "many", chosen.users, rng)
            kills(server, work / "backup", chosen.kills, rng)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
