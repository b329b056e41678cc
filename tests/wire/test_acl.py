"""Mailboxes of other users: rights (RFC 4314), namespaces (RFC 2342), and what each command does by them."""
import re

import pytest

import server as lib

USERS = ("bob", "alice", "carol", "dave")
ALL = b"lrswipkxteacd"


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=USERS, settings=("shared-seen shared",)) as running:
        yield running


@pytest.fixture
def bob(server):
    with server.client("bob") as client:
        yield client


@pytest.fixture
def alice(server):
    with server.client("alice") as client:
        yield client


NAMES = iter(range(10 ** 6))


def share(bob, rights, *, who=b"alice", name=None, messages=1):
    """A mailbox of bob's in which somebody has rights, and its name for others."""
    name = name or b"shared%d" % next(NAMES)
    bob.ok(b"CREATE " + name)
    for number in range(messages):
        assert bob.append(name, lib.message(number)).is_ok
    if rights is not None:
        bob.ok(b"SETACL " + name + b" " + who + b" " + (rights or b'""'))
    return name, b'"Other Users/bob/' + name + b'"'


def test_off_until_something_is_shared():
    with lib.Server(users=("bob", "alice")) as server, server.client("alice") as alice, server.client("bob") as bob:
        assert alice.ok(b"NAMESPACE").untagged == [b'* NAMESPACE (("" "/")) NIL NIL']
        alice.ok(b'CREATE "Other Users/bob/mine"')
        alice.ok(b'SELECT "Other Users/bob/mine"')
        name, other = share(bob, b"lr")
        assert alice.ok(b"NAMESPACE").untagged == [b'* NAMESPACE (("" "/")) (("Other Users/" "/")) NIL']
        assert b" NO [NONEXISTENT]" in alice.command(b'SELECT "Other Users/bob/mine"').tagged
        alice.ok(b"SELECT " + other)
        alice.ok(b"UNSELECT")
        bob.ok(b"DELETEACL " + name + b" alice")
        lib.wait_until(lambda: alice.ok(b"NAMESPACE").untagged == [b'* NAMESPACE (("" "/")) NIL NIL'])
        name, _ = share(bob, b"lr")
        assert alice.ok(b"NAMESPACE").untagged != [b'* NAMESPACE (("" "/")) NIL NIL']
        bob.ok(b"DELETE " + name)
        lib.wait_until(lambda: alice.ok(b"NAMESPACE").untagged == [b'* NAMESPACE (("" "/")) NIL NIL'])
        alice.ok(b'SELECT "Other Users/bob/mine"')


def test_rights_survive_a_restart():
    with lib.Server(users=("bob", "alice")) as server:
        with server.client("bob") as bob:
            _, other = share(bob, b"lrs")
        server.stop()
        server.start()
        with server.client("alice") as alice:
            assert alice.ok(b"MYRIGHTS " + other).untagged == [b"* MYRIGHTS " + other + b" lrs"]
            assert any(b"READ-WRITE" in line for line in [alice.ok(b"SELECT " + other).tagged])


def test_own_rights(bob):
    assert bob.ok(b"MYRIGHTS INBOX").untagged == [b"* MYRIGHTS INBOX " + ALL]
    assert bob.ok(b"GETACL Sent").untagged == [b"* ACL Sent bob " + ALL]
    assert bob.ok(b"LISTRIGHTS INBOX bob").untagged == [b"* LISTRIGHTS INBOX bob " + ALL]
    assert bob.ok(b"LISTRIGHTS INBOX Alice").untagged == [b'* LISTRIGHTS INBOX Alice "" l r s w i p k x t e a c d']
    for command in (b"SETACL INBOX bob lr", b"SETACL INBOX -bob lr", b"SETACL INBOX BOB +s", b"DELETEACL INBOX bob"):
        assert b" NO [CANNOT]" in bob.command(command).tagged
    for command in (b"GETACL nowhere", b"MYRIGHTS nowhere", b"SETACL nowhere alice lr", b"DELETEACL nowhere alice",
                    b"LISTRIGHTS nowhere alice", b"SETACL nowhere alice -lr"):
        assert b" NO [NONEXISTENT]" in bob.command(command).tagged


@pytest.mark.parametrize("steps, expected", [
    ([b"lrswikda"], b"lrswiktecda"),			# the examples of RFC 4314 sections 2.1.1 and 3.1
    ([b"lrswi", b"+cda"], b"lrswikxtecda"),
    ([b"lrswi", b"-ws"], b"lri"), ([b"lr", b"-lr"], None), ([b"lr", b'""'], None), ([b"lrs", b"p"], b"p"), ([b"+x"], b"xc"),
    ([b"lr", b'"+"'], b"lr"), ([b"c"], b"kxc"), ([b"d"], b"ted"), ([b"e"], b"ed"),
])
def test_setacl(bob, steps, expected):
    name, _ = share(bob, None)
    for rights in steps:
        bob.ok(b"SETACL " + name + b" alice " + rights)
    (acl,) = bob.ok(b"GETACL " + name).untagged
    words = acl.split()
    given = {words[i]: words[i + 1] for i in range(5, len(words), 2)}
    assert words[:5] == [b"*", b"ACL", name, b"bob", ALL]
    assert {identifier: set(rights) for identifier, rights in given.items()} == \
        ({} if expected is None else {b"alice": set(expected)})


@pytest.mark.parametrize("rights", [b"lrQ", b"lrq", b"1", b"+z", b"-0", b"l+r", b"{3}\r\nl r"])
def test_unknown_rights(bob, rights):
    name, _ = share(bob, None)
    assert b" BAD " in bob.command(b"SETACL " + name + b" alice " + rights).tagged if b"{" not in rights else True
    assert bob.ok(b"GETACL " + name).untagged == [b"* ACL " + name + b" bob " + ALL]


def test_identifiers(bob):
    name, _ = share(bob, None)
    for bad in (b'""', b'"a b"', b'"-"', b'"$"', b'"--x"'):
        assert b" BAD " in bob.command(b"SETACL " + name + b" " + bad + b" lr").tagged, bad
    for identifier in (b"anyone", b"authenticated", b"-carol", b"ALICE"):
        bob.ok(b"SETACL " + name + b" " + identifier + b" lr")
    assert bob.ok(b"GETACL " + name).untagged == \
        [b"* ACL " + name + b" bob " + ALL + b" -carol lr alice lr anyone lr authenticated lr"]


def test_positive_minus_negative(server, bob):
    name, other = share(bob, b"lrswi", who=b"anyone")
    bob.ok(b"SETACL " + name + b" -alice wi")
    bob.ok(b"SETACL " + name + b" carol e")
    bob.ok(b"SETACL " + name + b" -authenticated s")
    for user, rights in (("alice", b"lr"), ("carol", b"lrwied"), ("dave", b"lrwi")):
        with server.client(user) as client:
            (line,) = client.ok(b"MYRIGHTS " + other).untagged
            assert set(line.split()[-1]) == set(rights)
    bob.ok(b"SETACL " + name + b" -anyone lr")
    with server.client("dave") as dave:
        assert dave.ok(b'LIST "" "Other Users/bob/' + name + b'"').untagged == []
        assert b" NO [NONEXISTENT]" in dave.command(b"SELECT " + other).tagged


def test_inheritance(server, bob, alice):
    name, other = share(bob, b"lrk")
    bob.ok(b"SETACL " + name + b" -carol lr")
    bob.ok(b"CREATE " + name + b"/below/deep")
    assert bob.ok(b"GETACL " + name + b"/below/deep").untagged == \
        [b"* ACL " + name + b"/below/deep bob " + ALL + b" -carol lr alice lrkc"]
    bob.ok(b"SETACL " + name + b" alice lr")
    bob.ok(b"SETACL " + name + b"/below alice lrx")
    bob.ok(b"RENAME " + name + b"/below moved" + name)
    assert alice.ok(b'MYRIGHTS "Other Users/bob/moved' + name + b'"').untagged[0].endswith(b" lrxc")
    assert alice.ok(b'MYRIGHTS "Other Users/bob/moved' + name + b'/deep"').untagged[0].endswith(b" lrkc")
    bob.ok(b"DELETE moved" + name + b"/deep")
    bob.ok(b"CREATE moved" + name + b"/deep")
    assert alice.ok(b'MYRIGHTS "Other Users/bob/moved' + name + b'/deep"').untagged[0].endswith(b" lrxc")


def test_list(server, bob, alice):
    name, other = share(bob, b"lr")
    hidden, other_hidden = share(bob, b"ri")
    bob.ok(b"CREATE " + hidden + b"/seen")
    bob.ok(b"SETACL " + hidden + b"/seen alice l")
    listed = alice.ok(b'LIST "" *').untagged
    assert b'* LIST (\\HasNoChildren) "/" ' + other in listed
    assert b'* LIST (\\HasNoChildren) "/" "Other Users/bob/' + hidden + b'/seen"' in listed
    assert [line for line in listed if line.endswith(b"/" + hidden + b'"')] == \
        [b'* LIST (\\Noselect \\HasChildren) "/" "Other Users/bob/' + hidden + b'"']		# as if it did not exist
    assert b'* LIST (\\Noselect \\HasChildren) "/" "Other Users"' in alice.ok(b'LIST "" %').untagged
    assert alice.ok(b'LIST "" "Other Users/%"').untagged == [b'* LIST (\\Noselect \\HasChildren) "/" "Other Users/bob"']
    assert b'* LIST (\\Noselect \\HasChildren) "/" "Other Users/bob/' + hidden + b'"' in \
        alice.ok(b'LIST "Other Users/bob/" %').untagged
    assert alice.ok(b'LIST "" ' + other + b" RETURN (MYRIGHTS STATUS (MESSAGES) SUBSCRIBED)").untagged == [
        b'* LIST (\\HasNoChildren) "/" ' + other, b"* MYRIGHTS " + other + b" lr", b"* STATUS " + other + b" (MESSAGES 1)"]
    assert alice.ok(b'LIST "" "Other Users/bob/' + hidden + b'/*" RETURN (MYRIGHTS STATUS (MESSAGES))').untagged == [
        b'* LIST (\\HasNoChildren) "/" "Other Users/bob/' + hidden + b'/seen"',
        b'* MYRIGHTS "Other Users/bob/' + hidden + b'/seen" l']
    alice.ok(b"SUBSCRIBE " + other)
    assert b'* LIST (\\Subscribed \\HasNoChildren) "/" ' + other in alice.ok(b'LIST (SUBSCRIBED) "" *').untagged
    assert b'* LSUB () "/" ' + other in alice.ok(b'LSUB "" *').untagged
    assert not any(b"Other Users" in line for line in bob.ok(b'LIST "" *').untagged + bob.ok(b'LSUB "" *').untagged)
    alice.ok(b"UNSUBSCRIBE " + other)
    with server.client("dave") as dave:
        assert not any(name in line for line in dave.ok(b'LIST "" *').untagged)
    own = alice.ok(b'LIST "" INBOX RETURN (MYRIGHTS)').untagged
    assert own == [b'* LIST (\\HasNoChildren) "/" INBOX', b"* MYRIGHTS INBOX " + ALL]


def test_special_use_is_the_owners(bob, alice):
    bob.ok(b"SETACL Sent alice lr")
    assert b"\\Sent" not in b"".join(alice.ok(b'LIST "" "Other Users/bob/Sent" RETURN (SPECIAL-USE)').untagged)
    assert not any(b"Other" in line for line in alice.ok(b'LIST (SPECIAL-USE) "" *').untagged)


@pytest.mark.parametrize("rights, code, flags", [
    (b"r", b"READ-ONLY", b""), (b"lr", b"READ-ONLY", b""), (b"lrpkxa", b"READ-ONLY", b""),
    (b"lrs", b"READ-WRITE", b"\\Seen"), (b"lrt", b"READ-WRITE", b"\\Deleted"), (b"lri", b"READ-WRITE", b""),
    (b"lre", b"READ-WRITE", b""), (b"lrw", b"READ-WRITE", b"\\Answered \\Flagged \\Draft \\*"),
    (b"lrwst", b"READ-WRITE", b"\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*"),
])
def test_select(bob, alice, rights, code, flags):
    _, other = share(bob, rights)
    answer = alice.ok(b"SELECT " + other)
    assert b"[" + code + b"]" in answer.tagged
    (line,) = [line for line in answer.untagged if b"PERMANENTFLAGS" in line]
    assert set(line.partition(b"(")[2].partition(b")")[0].split()) == set(flags.split())
    assert b"* 1 EXISTS" in answer.untagged
    assert b"READ-ONLY" in alice.ok(b"EXAMINE " + other).tagged


def flags_of(client, number=b"1"):
    line = [line for line in client.ok(b"FETCH " + number + b" FLAGS").untagged if b" FETCH (FLAGS" in line][-1]
    return set(line.partition(b"FLAGS (")[2].partition(b")")[0].split()) - {b"\\Recent"}


@pytest.mark.parametrize("rights, command, expected", [
    (b"lrs", b"+FLAGS (\\Seen \\Deleted \\Flagged key)", {b"\\Seen", b"$kept", b"\\Draft"}),
    (b"lrt", b"+FLAGS (\\Seen \\Deleted \\Flagged key)", {b"\\Deleted", b"$kept", b"\\Draft"}),
    (b"lrw", b"+FLAGS (\\Seen \\Deleted \\Flagged key)", {b"\\Flagged", b"key", b"$kept", b"\\Draft"}),
    (b"lrw", b"-FLAGS (\\Seen $kept \\Draft)", set()),
    (b"lrs", b"-FLAGS (\\Seen $kept \\Draft)", {b"$kept", b"\\Draft"}),
    (b"lrs", b"FLAGS (\\Flagged)", {b"$kept", b"\\Draft"}),
    (b"lrw", b"FLAGS (\\Flagged \\Seen)", {b"\\Flagged"}),
    (b"lrwst", b"FLAGS (\\Flagged \\Seen)", {b"\\Flagged", b"\\Seen"}),
    (b"lrt", b"FLAGS.SILENT ()", {b"$kept", b"\\Draft"}),
    (b"lrs", b"FLAGS (\\Seen key)", {b"$kept", b"\\Draft", b"\\Seen"}),
    (b"lri", b"+FLAGS (\\Seen)", None), (b"lre", b"FLAGS (\\Seen)", None), (b"lrs", b"+FLAGS (\\Deleted)", None),
    (b"lrt", b"+FLAGS (key)", None), (b"lrw", b"+FLAGS (\\Seen \\Deleted)", None), (b"lrst", b"-FLAGS ($kept)", None),
])
def test_store(bob, alice, rights, command, expected):
    name, other = share(bob, rights)
    bob.ok(b"SELECT " + name)
    bob.ok(b"STORE 1 FLAGS ($kept \\Draft)")
    alice.ok(b"SELECT " + other)
    answer = alice.command(b"STORE 1 " + command)
    assert answer.is_ok if expected is not None else b" NO [NOPERM]" in answer.tagged
    assert flags_of(bob) == (expected if expected is not None else {b"$kept", b"\\Draft"})
    alice.ok(b"UNSELECT")


@pytest.mark.parametrize("rights, is_set", [(b"lrs", True), (b"lrw", False), (b"lr", False)])
def test_fetch_sets_seen(bob, alice, rights, is_set):
    name, other = share(bob, rights)
    alice.ok(b"SELECT " + other)
    alice.ok(b"FETCH 1 BODY[]")
    bob.ok(b"SELECT " + name)
    assert (b"\\Seen" in flags_of(bob)) == is_set


def test_recent_stays_the_owners(bob, alice):
    name, other = share(bob, b"lrswite")
    alice.ok(b"SELECT " + other)
    assert b"* 1 RECENT" in bob.ok(b"SELECT " + name).untagged


def test_expunge_and_close(bob, alice):
    name, other = share(bob, b"lrt", messages=3)
    alice.ok(b"SELECT " + other)
    alice.ok(b"STORE 1 +FLAGS (\\Deleted)")
    for command in (b"EXPUNGE", b"UID EXPUNGE 1:*"):
        assert b" NO [NOPERM]" in alice.command(command).tagged
    alice.ok(b"CLOSE")
    assert bob.ok(b"STATUS " + name + b" (MESSAGES)").untagged == [b"* STATUS " + name + b" (MESSAGES 3)"]
    bob.ok(b"SETACL " + name + b" alice lre")
    alice.ok(b"SELECT " + other)
    assert b"* 1 EXPUNGE" in alice.ok(b"EXPUNGE").untagged
    bob.ok(b"SELECT " + name)
    bob.ok(b"STORE 1 +FLAGS (\\Deleted)")
    alice.ok(b"CLOSE")
    assert b"* STATUS " + name + b" (MESSAGES 1)" in bob.ok(b"STATUS " + name + b" (MESSAGES)").untagged


ALL_FLAGS = b"(\\Seen \\Deleted \\Draft key)"


@pytest.mark.parametrize("rights, kept", [
    (b"i", b""), (b"lis", b"\\Seen"), (b"lit", b"\\Deleted"), (b"liw", b"\\Draft key"), (b"liwst", b"\\Seen \\Deleted \\Draft key"),
])
def test_append_and_copy_keep_permitted_flags(bob, alice, rights, kept):
    name, other = share(bob, rights, messages=0)
    from_name, from_other = share(bob, b"lr")
    alice.ok(b"APPEND " + other + b" " + ALL_FLAGS + b" {}", lib.message(7))
    assert alice.append(b"INBOX", lib.message(8)).is_ok
    alice.ok(b"SELECT INBOX")
    alice.ok(b"STORE * FLAGS " + ALL_FLAGS)
    assert b"[COPYUID " in alice.ok(b"COPY * " + other).tagged		# from one file to another
    bob.ok(b"SELECT " + from_name)
    bob.ok(b"STORE 1 FLAGS " + ALL_FLAGS)
    alice.ok(b"SELECT " + from_other)
    assert b"[COPYUID " in alice.ok(b"COPY 1 " + other).tagged		# within one
    bob.ok(b"SELECT " + name)
    for number in (b"1", b"2", b"3"):
        assert flags_of(bob, number) == set(kept.split()), number
    bodies = [bob.ok(b"FETCH %d BODY.PEEK[]" % number).untagged for number in (1, 2, 3)]
    assert lib.message(7) in b"".join(bodies[0]) and lib.message(8) in b"".join(bodies[1])


@pytest.mark.parametrize("rights", [b"lr", b"lrswpkxtea"])
def test_append_and_copy_need_i(bob, alice, rights):
    name, other = share(bob, rights, messages=0)
    assert alice.append(b"INBOX", lib.message(8)).is_ok
    alice.ok(b"SELECT INBOX")
    assert b" NO [NOPERM]" in alice.append(other, lib.message(1)).tagged
    assert b" NO [NOPERM]" in alice.command(b"COPY * " + other).tagged
    assert b" NO [NOPERM]" in alice.command(b"MOVE * " + other).tagged
    assert bob.ok(b"STATUS " + name + b" (MESSAGES)").untagged == [b"* STATUS " + name + b" (MESSAGES 0)"]


def test_copy_out_and_move(bob, alice):
    name, other = share(bob, b"lr", messages=3)
    alice.ok(b"SELECT " + other)
    assert b"[COPYUID " in alice.ok(b"COPY 2:3 Trash").tagged
    assert b" NO the mailbox is open read-only" in alice.command(b"MOVE 1 Trash").tagged
    assert b" NO [TRYCREATE]" in alice.command(b"COPY 1 nowhere").tagged
    bob.ok(b"SETACL " + name + b" alice lrte")
    answer = alice.ok(b"MOVE 1:2 Trash")
    assert [line for line in answer.untagged if b"COPYUID" in line] and answer.untagged.count(b"* 1 EXPUNGE") == 2
    assert alice.ok(b"FETCH 1:* UID").untagged == [b"* 1 FETCH (UID 3)"]
    alice.ok(b"SELECT Trash")
    bodies = b"".join(b"".join(alice.ok(b"FETCH %d BODY.PEEK[]" % number).untagged) for number in (1, 2, 3, 4))
    assert all(lib.message(number) in bodies for number in range(3))


def test_move_between_two_others(server, bob, alice):
    _, other = share(bob, b"lrte", messages=1)
    with server.client("carol") as carol:
        carol.ok(b"CREATE in")
        carol.ok(b"SETACL in alice i")
        alice.ok(b"SELECT " + other)
        alice.ok(b'MOVE 1 "Other Users/carol/in"')
        assert carol.ok(b"STATUS in (MESSAGES)").untagged == [b"* STATUS in (MESSAGES 1)"]
    assert bob.ok(b"STATUS " + other.split(b"/")[-1].strip(b'"') + b" (MESSAGES)").untagged[0].endswith(b"(MESSAGES 0)")


def test_copy_of_many_is_whole(bob, alice):
    """More than one piece of a transfer; and all of it is taken back where the last one fails."""
    name, other = share(bob, b"li", messages=0)
    alice.ok(b"CREATE many%s" % name)
    for first in range(0, 1100, 50):
        alice.ok(b"APPEND many" + name + b" {}" * 50, *[lib.message(first + number) for number in range(50)])
    alice.ok(b"SELECT many" + name)
    answer = alice.ok(b"COPY 1:* " + other)
    assert b" 1:1100 1:1100]" in answer.tagged
    assert bob.ok(b"STATUS " + name + b" (MESSAGES)").untagged[0].endswith(b"(MESSAGES 1100)")


def test_replace(bob, alice):
    name, other = share(bob, b"lri", messages=2)
    alice.ok(b"SELECT " + other)
    assert b" NO [NOPERM]" in alice.command(b"REPLACE 1 " + other + b" {}", lib.message(9)).tagged
    bob.ok(b"SETACL " + name + b" alice lrite")
    alice.ok(b"NOOP")
    answer = alice.ok(b"REPLACE 1 " + other + b" {}", lib.message(9))
    assert b"* 1 EXPUNGE" in answer.untagged
    answer = alice.ok(b"REPLACE 1 Drafts {}", lib.message(10))		# into one's own
    assert b"* 1 EXPUNGE" in answer.untagged
    assert bob.ok(b"STATUS " + name + b" (MESSAGES)").untagged[0].endswith(b"(MESSAGES 1)")
    assert alice.ok(b"STATUS Drafts (MESSAGES)").untagged[0].endswith(b"(MESSAGES 1)")


def test_create_delete_rename(bob, alice):
    name, other = share(bob, b"l")
    inside = other[:-1] + b"/new"
    denied = b" NO [NOPERM]"
    for command in (b"CREATE " + inside + b'"', b"DELETE " + other, b'CREATE "Other Users/bob/top"', b'CREATE "Other Users/x"',
                    b'CREATE "Other Users/nobody/x"', b'CREATE "Other Users"', b'RENAME INBOX "Other Users/y"'):
        assert denied in alice.command(command).tagged, command
    assert b" NO [ALREADYEXISTS]" in alice.command(b"CREATE " + other).tagged
    bob.ok(b"SETACL " + name + b" alice lk")
    alice.ok(b"CREATE " + inside + b'"')
    assert alice.ok(b"MYRIGHTS " + inside + b'"').untagged[0].endswith(b" lkc")
    assert denied in alice.command(b"DELETE " + inside + b'"').tagged
    assert denied in alice.command(b"RENAME " + inside + b'" ' + inside + b'er"').tagged
    bob.ok(b"SETACL " + name + b"/new alice lx")
    alice.ok(b"RENAME " + inside + b'" ' + inside + b'er"')
    assert b" NO [CANNOT]" in alice.command(b"RENAME " + inside + b'er" mine').tagged
    assert b" NO [CANNOT]" in alice.command(b"RENAME Trash " + inside + b'est"').tagged
    alice.ok(b"DELETE " + inside + b'er"')
    bob.ok(b"SETACL INBOX alice lrx")
    assert b" NO [CANNOT]" in alice.command(b'DELETE "Other Users/bob/INBOX"').tagged
    assert b" NO [CANNOT]" in alice.command(b'RENAME "Other Users/bob/inbox" ' + inside + b'"').tagged
    alice.ok(b'STATUS "Other Users/bob/inbox" (MESSAGES)')


def test_administering(server, bob, alice):
    name, other = share(bob, b"lr")
    for command in (b"GETACL " + other, b"SETACL " + other + b" carol lr", b"DELETEACL " + other + b" carol",
                    b"LISTRIGHTS " + other + b" carol", b"SETACL " + other + b" bob lr"):
        assert b" NO [NOPERM]" in alice.command(command).tagged
    bob.ok(b"SETACL " + name + b" alice la")
    alice.ok(b"SETACL " + other + b" carol lr")
    assert b" NO [CANNOT]" in alice.command(b"SETACL " + other + b" bob l").tagged
    assert alice.ok(b"GETACL " + other).untagged == [b"* ACL " + other + b" bob " + ALL + b" alice la carol lr"]
    with server.client("carol") as carol:
        carol.ok(b"SELECT " + other)


def test_quota_root(bob, alice):
    _, other = share(bob, b"lr")
    assert alice.ok(b"GETQUOTAROOT " + other).untagged == [b"* QUOTAROOT " + other]
    assert b" NO [NONEXISTENT]" in alice.command(b'GETQUOTAROOT "Other Users/bob/nowhere"').tagged
    _, hidden = share(bob, b"l")
    assert b" NO [NOPERM]" in alice.command(b"GETQUOTAROOT " + hidden).tagged


def test_esearch(bob, alice):
    name, other = share(bob, b"lr", messages=2)
    hidden, _ = share(bob, b"r", messages=2)
    unread, _ = share(bob, b"l", messages=2)
    for source in (b'mailboxes (' + other + b')', b'subtree "Other Users"', b'subtree "Other Users/bob"', b'subtree-one "Other Users/bob"'):
        found = b"\n".join(alice.ok(b"ESEARCH IN (" + source + b") RETURN (COUNT) ALL").untagged)
        assert b"MAILBOX " + other in found and b"COUNT 2" in found, source
        assert hidden not in found and unread not in found
    assert not any(b"Other Users" in line for line in alice.ok(b"ESEARCH IN (personal inboxes) RETURN (COUNT) ALL").untagged)
    alice.ok(b"SUBSCRIBE " + other)
    assert any(other in line for line in alice.ok(b"ESEARCH IN (subscribed) RETURN (COUNT) ALL").untagged)
    alice.ok(b"UNSUBSCRIBE " + other)
    alice.ok(b'SELECT "Other Users/bob/' + hidden + b'"')
    (line,) = alice.ok(b"ESEARCH IN (selected mailboxes (nowhere)) RETURN (COUNT) ALL").untagged
    assert hidden in line and b"COUNT 2" in line


def test_search_sort_thread_fetch(bob, alice):
    _, other = share(bob, b"lr", messages=3)
    alice.ok(b"SELECT " + other)
    assert alice.ok(b"SEARCH TEXT message").untagged == [b"* SEARCH 1 2 3"] or alice.ok(b"SEARCH ALL").untagged == [b"* SEARCH 1 2 3"]
    assert alice.ok(b"SORT (ARRIVAL) UTF-8 ALL").untagged == [b"* SORT 1 2 3"]
    alice.ok(b"THREAD REFERENCES UTF-8 ALL")
    assert b"ENVELOPE" in b"".join(alice.ok(b"FETCH 1:* (ENVELOPE BODYSTRUCTURE)").untagged)


# ---- rights that change under open sessions -------------------------------------------------------------------


def test_flags_that_may_be_changed_are_told_anew(bob, alice):
    name, other = share(bob, b"lr")
    alice.ok(b"SELECT " + other)
    bob.ok(b"SETACL " + name + b" alice lrs")
    assert any(b"[PERMANENTFLAGS (\\Seen)]" in line or b"PERMANENTFLAGS ()" in line for line in alice.ok(b"NOOP").untagged)
    alice.ok(b"SELECT " + other)
    bob.ok(b"SETACL " + name + b" alice lrst")
    assert any(b"[PERMANENTFLAGS (\\Deleted \\Seen)]" in line for line in alice.ok(b"NOOP").untagged)
    alice.ok(b"STORE 1 +FLAGS (\\Deleted)")
    bob.ok(b"SETACL " + name + b" alice lrs")
    assert b" NO [NOPERM]" in alice.command(b"STORE 1 -FLAGS (\\Deleted)").tagged


def test_who_may_not_read_any_more_is_sent_away(bob, alice):
    name, other = share(bob, b"lr")
    alice.ok(b"SELECT " + other)
    alice.send(b"i IDLE\r\n")
    while not alice.line().startswith(b"+"):
        pass
    bob.ok(b"DELETEACL " + name + b" alice")
    assert alice.line().startswith(b"* BYE")


def test_what_comes_after_the_right_is_taken_is_not_found():
    """While ESEARCH is busy elsewhere: whatever it has reached by then, no message that came later is told."""
    busy = b"lorem ipsum dolor " * 80000 + b"\r\n"
    with lib.Server(users=("bob", "alice")) as server, server.client("bob") as bob, server.client("alice") as alice:
        share(bob, b"lr", name=b"m0")
        share(bob, b"lr", name=b"m1", messages=0)
        for number in range(40):
            assert bob.append(b"m1", lib.message(number, busy)).is_ok
        taken, _ = share(bob, b"lr", name=b"m2")
        hidden, _ = share(bob, b"lr", name=b"m3")
        share(bob, b"lr", name=b"m4")
        tag = alice.tag()
        alice.send(tag + b' ESEARCH IN (subtree "Other Users") RETURN (ALL) NOT BODY "nowhere"\r\n')
        found = [alice.line()]
        assert b"Other Users/bob/m0" in found[0]
        bob.ok(b"DELETEACL " + taken + b" alice")
        bob.ok(b"SETACL " + hidden + b" alice l")
        for name in (taken, hidden):
            assert bob.append(name, lib.message(2)).is_ok
        found += alice.reply(tag).untagged
    assert any(b"Other Users/bob/m1" in line and b"ALL 1:40" in line for line in found)
    assert any(b"Other Users/bob/m4" in line for line in found)
    assert not any((b"/m2" in line or b"/m3" in line) and b"ALL 1:2" in line for line in found), found


@pytest.mark.same_everywhere
def test_many_identifiers():
    """Each change leaves the others as they are, and the last that goes takes the namespace with it."""
    folders, each = 3, 400
    with lib.Server(users=("bob", "alice")) as server, server.client("bob") as bob, server.client("alice") as alice:
        def change(command):
            for folder in range(folders):
                tags = [bob.tag() for _ in range(each)]
                bob.send(b"".join(tag + command % (folder, folder, number) for number, tag in enumerate(tags)))
                assert all(bob.reply(tag).is_ok for tag in tags)

        for folder in range(folders):
            bob.ok(b"CREATE m%d" % folder)
        change(b" SETACL m%d user%d-%d lr\r\n")
        bob.ok(b"SETACL m0 alice lr")
        change(b" DELETEACL m%d user%d-%d\r\n")
        alice.ok(b'SELECT "Other Users/bob/m0"')
        alice.ok(b"UNSELECT")
        bob.ok(b"DELETEACL m0 alice")
        lib.wait_until(lambda: alice.ok(b"NAMESPACE").untagged == [b'* NAMESPACE (("" "/")) NIL NIL'])
        server.stop()
        server.start()
        with server.client("alice") as again:
            assert again.ok(b"NAMESPACE").untagged == [b'* NAMESPACE (("" "/")) NIL NIL']


def test_idle_tells_what_others_do(bob, alice):
    name, other = share(bob, b"lr")
    alice.ok(b"SELECT " + other)
    alice.send(b"i IDLE\r\n")
    while not alice.line().startswith(b"+"):
        pass
    assert bob.append(name, lib.message(1)).is_ok
    assert alice.line() == b"* 2 EXISTS"
    alice.send(b"DONE\r\n")


def test_a_deleted_user_leaves_nothing(server):
    server.add_user("eve")
    server.add_user("mallory")
    with server.client("eve") as eve, server.client("mallory") as mallory:
        eve.ok(b"SETACL INBOX mallory lr")
        mallory.ok(b'SELECT "Other Users/eve/INBOX"')
    server.imapctl("user", "del", "mallory", "--yes")
    server.add_user("mallory")
    with server.client("mallory") as mallory:
        assert b" NO [NONEXISTENT]" in mallory.command(b'SELECT "Other Users/eve/INBOX"').tagged
    server.imapctl("user", "del", "eve", "--yes")
    with server.client("mallory") as mallory:
        assert not any(b"eve" in line for line in mallory.ok(b'LIST "" *').untagged)


@pytest.fixture
def erin(server):
    """An owner who is deleted in the course of a test."""
    server.add_user("erin")
    with server.client("erin") as client:
        yield client
    server.imapctl("user", "del", "erin", "--yes", check=False)


ERINS = b'"Other Users/erin/INBOX"'


def wait_for_bye(client):
    """What comes up to BYE."""
    lines = []
    while not lines or not lines[-1].startswith(b"* BYE"):
        lines.append(client.line())
    return lines


def select_erins(erin, alice):
    assert erin.append(b"INBOX", lib.message(1)).is_ok
    erin.ok(b"SETACL INBOX alice lrswitea")
    alice.ok(b"SELECT " + ERINS)


LOST = b"* BYE the selected mailbox was deleted"


def test_the_owner_is_deleted_beneath_a_selected_mailbox(server, erin, alice):
    select_erins(erin, alice)
    server.imapctl("user", "del", "erin", "--yes")
    assert wait_for_bye(alice) == [LOST]


def read_to_end(client, raw):
    """All octets up to the end of the connection."""
    try:
        while piece := client.socket.recv(65536):
            raw += piece
    except ConnectionResetError:
        pass
    return raw


def without_fetches(raw, message):
    """What comes behind the lines of FETCH; of the last one only a beginning may have come."""
    while header := re.match(rb"\* \d+ FETCH \(BODY\[\] \{(\d+)\}\r\n", raw):
        text, raw = raw[header.end():header.end() + len(message)], raw[header.end() + len(message):]
        assert int(header[1]) == len(message) and message.startswith(text)
        raw = raw.removeprefix(b")\r\n")
    return raw


def test_the_owner_is_deleted_beneath_commands(server, erin, alice):
    """More than buffers hold: the FETCH is under way until its client reads, and the STORE waits behind it."""
    message = b"Subject: long\r\n\r\n" + (b"x" * 70 + b"\r\n") * 30000
    assert erin.append(b"INBOX", message).is_ok
    erin.ok(b"SELECT INBOX")
    for _ in range(5):
        erin.ok(b"COPY 1:* INBOX")
    select_erins(erin, alice)
    alice.send(b"a1 FETCH 1:32 (BODY.PEEK[])\r\na2 STORE 1 +FLAGS (\\Deleted)\r\na3 EXPUNGE\r\n")
    raw = alice.socket.recv(65536)
    server.imapctl("user", "del", "erin", "--yes")
    raw = read_to_end(alice, raw)
    assert len(raw) < 32 * len(message)
    assert re.fullmatch(rb"(a1 NO [^\r]*\r\n" + re.escape(LOST) + rb"\r\n)?", without_fetches(raw, message))


def test_the_owner_is_deleted_beneath_idle(server, erin, alice):
    select_erins(erin, alice)
    alice.send(b"i IDLE\r\n")
    while not alice.line().startswith(b"+"):
        pass
    server.imapctl("user", "del", "erin", "--yes")
    assert wait_for_bye(alice) == [LOST]


def test_the_owner_is_deleted_beneath_a_message_that_comes(server, erin, alice):
    """Whose command has begun with the name, and goes on when the name is nobody's."""
    select_erins(erin, alice)
    alice.ok(b"UNSELECT")
    message = lib.message(2)
    alice.send(b"a1 APPEND " + ERINS + b" {%d}\r\n" % len(message))
    assert alice.line().startswith(b"+")
    server.imapctl("user", "del", "erin", "--yes")
    alice.send(message + b"\r\n")
    assert alice.line().startswith(b"a1 NO ")
    alice.ok(b"NOOP")


def test_the_owner_may_not_log_in(server, erin, alice):
    """What is shared stays so."""
    select_erins(erin, alice)
    server.imapctl("user", "set", "erin", "--imap=off")
    assert wait_for_bye(erin)[-1].startswith(b"* BYE")
    alice.ok(b"STORE 1 +FLAGS (\\Deleted)")
    assert b"* 1 EXPUNGE" in alice.ok(b"EXPUNGE").untagged
    alice.ok(b"SELECT " + ERINS)


def test_groups_and_shared_accounts():
    with lib.Server(users=("bob", "alice", "carol")) as server:
        server.imapctl("user", "add", "helpdesk", "--shared")
        server.imapctl("group", "add", "Help Desk", "alice", "carol")
        server.imapctl("acl", "set", "helpdesk", "INBOX", "$help desk", "lrswite")
        server.imapctl("acl", "set", "helpdesk", "INBOX", "--", "-carol", "e")
        with server.client("alice") as alice, server.client("carol") as carol, server.client("bob") as bob:
            assert alice.ok(b'MYRIGHTS "Shared/helpdesk/INBOX"').untagged[0].endswith(b" lrswited")
            assert carol.ok(b'MYRIGHTS "Shared/helpdesk/INBOX"').untagged[0].endswith(b" lrswitd")
            assert b" NO [NONEXISTENT]" in bob.command(b'MYRIGHTS "Shared/helpdesk/INBOX"').tagged
            assert alice.ok(b"NAMESPACE").untagged == [b'* NAMESPACE (("" "/")) NIL (("Shared/" "/"))']
            assert b" NO [NONEXISTENT]" in alice.command(b'SELECT "Other Users/helpdesk/INBOX"').tagged
            assert b'* LIST (\\HasNoChildren) "/" Shared/helpdesk/INBOX' in alice.ok(b'LIST "" *').untagged
            assert not any(b"Shared" in line for line in bob.ok(b'LIST "" *').untagged)
            assert b" NO [NOPERM]" in bob.command(b"CREATE Shared/mine").tagged
            assert alice.append(b"Shared/helpdesk/INBOX", lib.message(1)).is_ok
            bob.ok(b'SETACL INBOX "$HELP desk" r')
            assert b'(("Other Users/" "/")) (("Shared/" "/"))' in alice.ok(b"NAMESPACE").untagged[0]
            assert bob.ok(b"GETACL INBOX").untagged == [b'* ACL INBOX bob ' + ALL + b' "$help desk" r']
            alice.ok(b'SELECT "Other Users/bob/INBOX"')
        server.imapctl("group", "remove", "help desk", "alice")
        server.stop()
        server.start()
        with server.client("carol") as carol:
            carol.ok(b"SELECT Shared/helpdesk/INBOX")
        with server.client("alice") as alice:
            assert b" NO [NONEXISTENT]" in alice.command(b'SELECT "Other Users/bob/INBOX"').tagged


def test_metadata(bob, alice):
    """Shared entries are the mailbox's, private ones everybody's own; RFC 5464 section 3.3 says who may."""
    name, other = share(bob, b"lr")
    bob.ok(b"SETMETADATA " + name + b' (/shared/comment "all" /private/comment "bob")')
    get = b"GETMETADATA " + other + b" (/shared/comment /private/comment /private/specialuse)"
    assert set(alice.ok(get).untagged) == {b"* METADATA " + other + b' (/shared/comment all)',
        b"* METADATA " + other + b" (/private/comment NIL)", b"* METADATA " + other + b" (/private/specialuse NIL)"} or \
        set(alice.ok(get).untagged) == {b"* METADATA " + other + b' (/shared/comment "all")',
        b"* METADATA " + other + b" (/private/comment NIL)", b"* METADATA " + other + b" (/private/specialuse NIL)"}
    alice.ok(b"SETMETADATA " + other + b' (/private/comment "alice" /shared/vendor/x/y "y")')
    assert any(b'"alice"' in line for line in alice.ok(get).untagged)
    told = b"".join(bob.ok(b"GETMETADATA " + name + b" (/private/comment /shared/vendor/x/y)").untagged)
    assert b"bob" in told and b'"y"' in told and b"alice" not in told
    listed = alice.ok(b'LIST "" ' + other + b" RETURN (METADATA (/shared/comment /private/comment))").untagged
    assert any(b"all" in line for line in listed) and any(b"alice" in line for line in listed)
    assert b" NO [USEATTR]" in alice.command(b"SETMETADATA " + other + b' (/private/specialuse "\\\\Junk")').tagged


def test_clients(server):
    """What Thunderbird and Roundcube say of folders that are shared."""
    with server.client("bob") as bob, server.client("alice") as alice:
        bob.ok(b"CREATE Projects")
        bob.append(b"Projects", lib.message(1))
        # Roundcube's dialogue of a folder's permissions, plugin acl
        assert bob.ok(b"MYRIGHTS Projects").untagged == [b"* MYRIGHTS Projects " + ALL]
        assert bob.ok(b"GETACL Projects").untagged == [b"* ACL Projects bob " + ALL]
        assert b' "" l r s w i p k x t e a c d' in bob.ok(b"LISTRIGHTS Projects alice").untagged[0]
        bob.ok(b"SETACL Projects alice lrswi")
        bob.ok(b"SETACL Projects carol lrs")
        bob.ok(b"DELETEACL Projects carol")
        # Roundcube: namespaces, then all that is in them
        assert b'(("Other Users/" "/"))' in alice.ok(b"NAMESPACE").untagged[0]
        listed = alice.ok(b'LIST "" (*) RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))').untagged
        assert b'* STATUS "Other Users/bob/Projects" (MESSAGES 1 UNSEEN 1)' in listed
        alice.ok(b'SUBSCRIBE "Other Users/bob/Projects"')
        assert b'* LIST (\\Subscribed \\HasNoChildren) "/" "Other Users/bob/Projects"' in alice.ok(b'LIST (SUBSCRIBED) "" *').untagged
        # Thunderbird: the same by LSUB, its properties of a folder, and reading
        assert b'* LSUB () "/" "Other Users/bob/Projects"' in alice.ok(b'LSUB "" "*"').untagged
        assert b'* LIST (\\HasNoChildren) "/" "Other Users/bob/Projects"' in alice.ok(b'LIST "" "Other Users/bob/Projects"').untagged
        answer = alice.ok(b'SELECT "Other Users/bob/Projects"')
        assert b"[READ-WRITE]" in answer.tagged
        assert alice.ok(b'MYRIGHTS "Other Users/bob/Projects"').untagged == [b'* MYRIGHTS "Other Users/bob/Projects" lrswi']
        assert b" NO [NOPERM]" in alice.command(b'GETACL "Other Users/bob/Projects"').tagged
        assert b"FLAGS" in alice.ok(b"UID FETCH 1:* (FLAGS)").untagged[0]
        alice.ok(b"UID STORE 1 +FLAGS (\\Seen NonJunk)")
        assert b" NO [NOPERM]" in alice.command(b"UID STORE 1 +FLAGS (\\Deleted)").tagged
        alice.ok(b"UID COPY 1 Archive")
        alice.ok(b"CLOSE")
        assert bob.ok(b"STATUS Projects (MESSAGES UNSEEN)").untagged == [b"* STATUS Projects (MESSAGES 1 UNSEEN 0)"]
        alice.ok(b'UNSUBSCRIBE "Other Users/bob/Projects"')
