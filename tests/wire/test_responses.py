"""The reader of replies itself: it takes what the grammar allows and nothing else."""
import pytest

import grammar
import responses

pytestmark = pytest.mark.same_everywhere

RIGHT = r"""
* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready
* 3 EXISTS
* FLAGS (\Seen $x)
* OK [PERMANENTFLAGS (\Seen \*)] stay
* LIST (\HasNoChildren) "/" INBOX
* LIST () NIL "a b" ("CHILDINFO" ("SUBSCRIBED"))
* STATUS "a b" (MESSAGES 1 UIDNEXT 4392)
* 1 FETCH (UID 3 FLAGS (\Seen) MODSEQ (7))
* 2 FETCH (BODY[1.2.MIME]<0> "x" INTERNALDATE " 1-Jan-2024 00:00:00 +0000")
* SEARCH 2 3 (MODSEQ 9)
* ESEARCH (TAG "a") UID COUNT 0
a1 OK [COPYUID 5 1:2,9 7:9] done
a1 NO [BADCHARSET (UTF-8)] no
* THREAD (2)(3 6 (4 23)(44 7 96))
+ idling""".strip().split("\n")
WRONG = r"""
* OK
* OK [NOT-A-CODE] x
* 0 FETCH (FLAGS ())
* 1 FETCH ()
* 1 FETCH (FLAGS (\Seen \seen))
* 1 FETCH (UID 0)
* 1 FETCH (UID 3  FLAGS ())
* 1 FETCH (INTERNALDATE "1-Jan-2024 00:00:00 +0000")
* 1 FETCH (BODY[1.2.MIMES] "x")
* 1 FETCH (MODSEQ (0))
* LIST (\HasChildren \HasNoChildren) "/" a
* LIST () "//" a
* STATUS a (MESSAGES 1 MESSAGES 1)
* STATUS a (MESSAGES -1)
* SEARCH (MODSEQ 9)
* SEARCH 1 1
* ESEARCH (TAG "a") UID ALL 1:*
* VANISHED 3
a1 OK [COPYUID 5 1:2 7:9] done
a1 MAYBE done
* 1 UIDFETCH (FLAGS ())
* THREAD (2)(3 2)
* THREAD (2""".strip().split("\n")


@pytest.mark.parametrize("line", RIGHT)
def test_right(line):
    responses.Checker().check(line.encode())


@pytest.mark.parametrize("line", WRONG)
def test_wrong(line):
    with pytest.raises(grammar.Malformed):
        responses.Checker().check(line.encode())


def test_what_was_enabled_counts():
    checker = responses.Checker()
    for line in (b"* ENABLED QRESYNC", b"* VANISHED (EARLIER) 3:5", b"* VANISHED 9"):
        checker.check(line)
    with pytest.raises(grammar.Malformed):
        checker.check(b"* 3 EXPUNGE")
    checker.check("* ENABLED IMAP4rev2".encode())
    checker.check('* LIST () "/" "Entwürfe"'.encode())
    with pytest.raises(grammar.Malformed):
        checker.check(b"* SEARCH 1")
