"""A move by `imapctl import` from one of the servers into ours: how it is started, and what must be so afterwards."""
import json
import re
import subprocess
import unicodedata

import comparing
import servers

lib = comparing.lib

# What our server gives each new user.
OF_EVERY_USER = {("Archive",), ("Drafts",), ("Junk",), ("Sent",), ("Trash",)}


def url(source, user="u0", host="localhost"):
    return f"imap://{user}@{host}:{source.port}"


def words(target, user, source, *more, address=None):
    """The command line of a pull over STARTTLS, with the source's certificate as authority."""
    return [lib.IMAPCTL, f"--config={target.config}", "--json", "import", user, address or url(source), f"--tls-ca={source.certificate}",
            *map(str, more)]


def pull(target, user, source, *more, password=servers.PASSWORD, check=True, address=None):
    """(report, exit code, standard error)."""
    done = subprocess.run(words(target, user, source, *more, address=address), input=password + "\n", capture_output=True, text=True, timeout=1800)
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


def names_here(paths):
    """{path there: path here}, in the order of LIST: NFC, "_" for what no name can hold, "(2)" behind what would be the same."""
    found, taken = {}, set()
    for path in paths:
        path_here = tuple(re.sub(r"[/\x00-\x1f\x7f]", "_", unicodedata.normalize("NFC", part)) for part in path)
        while path_here in taken:
            path_here = (*path_here[:-1], path_here[-1] + " (2)")
        taken.add(path_here)
        found[path] = path_here
    return found


def differences(source, target):
    """What the target lacks or has otherwise.  Mailboxes that it has of its own are empty, and may be subscribed."""
    least = None
    for order in (list(source), list(source)[::-1]):		# which of two names came first is the source's affair
        names = names_here(order)
        own = OF_EVERY_USER | parents(names.values()) | {("INBOX",)}
        expected = {names[path]: box._replace(is_subscribed=box.is_subscribed or (
            names[path] in own and names[path] in target and target[names[path]].is_subscribed)) for path, box in source.items()}
        lines = comparing.differences(expected, target, may_have=own)
        least = lines if least is None or len(lines) < len(least) else least
    return least
