"""All that a client sees of its mail, to be compared with what it sees later."""
import re


def picture(client):
    """All that a client can see of its own mail, but for \\Recent."""
    seen = {}
    names = sorted(re.search(rb'"/" (.*)$', line)[1] for line in client.ok(b'LIST "" *').untagged if b"LIST" in line)
    for name in names:
        if name.startswith(b'"Other Users'):
            continue
        status = client.ok(b"STATUS %s (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ SIZE MAILBOXID)" % name)
        seen[name] = [line for line in status.untagged if b"STATUS" in line]
        client.ok(b"EXAMINE %s" % name)
        if b"MESSAGES 0 " not in seen[name][0]:
            rows = client.ok(b"UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID BODY.PEEK[])").untagged
            seen[name] += [re.sub(rb" ?\\Recent", b"", row) for row in rows if b" FETCH " in row]
    return seen
