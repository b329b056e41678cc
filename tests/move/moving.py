"""A move by `imapctl import` from one of the servers into ours: how it is started, and what must be so afterwards."""
import json
import re
import subprocess

import comparing
import servers

lib = comparing.lib

# What our server gives each new user.
OF_EVERY_USER = {("Archive",), ("Drafts",), ("Junk",), ("Sent",), ("Trash",)}


def url(source, user="u0", host="localhost"):
    return f"imap://{user}@{host}:{source.port}"


def words(target, user, source, *more, scheme_url=None):
    """The command line of a pull over STARTTLS, with the source's certificate as authority."""
    return [lib.IMAPCTL, f"--config={target.config}", "--json", "import", user, scheme_url or url(source), f"--tls-ca={source.certificate}",
            *map(str, more)]


def pull(target, user, source, *more, password=servers.PASSWORD, check=True):
    """(report, exit code, standard error)."""
    done = subprocess.run(words(target, user, source, *more), input=password + "\n", capture_output=True, text=True, timeout=1800)
    if check:
        assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-3000:])
    return json.loads(done.stdout) if done.stdout.startswith("{") else {}, done.returncode, done.stderr


def read_source(source, user="u0"):
    with comparing.Session(source.port, user, servers.PASSWORD, source.has_literal_plus) as session:
        return comparing.account(session)


def read_target(target, user):
    with comparing.Session(target.imap_port, user, lib.PASSWORD) as session:
        return comparing.account(session)


def parents(paths):
    """Mailboxes that ours has for the sake of those below them."""
    return {path[:depth] for path in paths for depth in range(1, len(path))}


def differences(source, target, rename=lambda path: path):
    return comparing.differences(source, target, rename, OF_EVERY_USER | parents(map(rename, source)))
