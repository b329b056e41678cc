"""A day with Python's IMAPClient; test_libraries.py says what it consists of."""
import sys

import imapclient

port, user, password, letter = sys.argv[1:]
imap = imapclient.IMAPClient("127.0.0.1", int(port), ssl=False)
imap.login(user, password)
imap.enable("CONDSTORE")


def uid(number):
    return imap.search(["HEADER", "Message-ID", f"<m{number}@example.org>"])[0]


imap.create_folder("Ärger")
imap.append("Ärger", open(letter, "rb").read(), [imapclient.DRAFT])
since = imap.select_folder("INBOX")[b"HIGHESTMODSEQ"]
imap.add_flags([uid(1), uid(2), uid(3)], imapclient.SEEN, silent=True)
imap.remove_flags(uid(2), imapclient.SEEN, silent=True)
changed = imap.fetch("1:*", ["FLAGS"], [f"CHANGEDSINCE {since}"])
assert set(changed) == {uid(1), uid(2), uid(3)}, changed
imap.move([uid(4), uid(5)], "Ärger")
imap.copy(uid(6), "Ärger")
gone = uid(7)
imap.delete_messages(gone, silent=True)
imap.uid_expunge(gone)
imap.idle()
while not any(event[1] == b"EXISTS" for event in imap.idle_check(30)):
    pass
imap.idle_done()
fresh = uid(30)
imap.add_flags(fresh, imapclient.FLAGGED, silent=True)
sys.stdout.buffer.write(imap.fetch(fresh, ["BODY.PEEK[]"])[fresh][b"BODY[]"])
imap.logout()
