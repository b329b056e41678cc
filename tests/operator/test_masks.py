"""capability-mask: what is masked is shown nowhere, is unknown when it is used, and leaves all else as it was."""
import base64
import re
import subprocess

import pytest

import server as lib

CONFIGURED = ("message-limit 1000000",)		# offered only where it is said
PLAIN = base64.b64encode(b"\0demo\0" + lib.PASSWORD.encode())


@pytest.fixture(scope="module")
def server():
    with lib.Server(settings=CONFIGURED, users=("demo", "ada@example.org")) as running:
        with running.client("demo") as client:
            client.append(b"INBOX", lib.message(1))
        yield running


@pytest.fixture(autouse=True)
def unmask(server):
    yield
    reload(server)


def reload(server, *settings):
    server.settings = [*CONFIGURED, *settings]
    server.write_config()
    server.imapctl("reload")


def names(text):
    return set(re.search(rb"CAPABILITY ([^\]\r]*)", text).group(1).decode().split())


def shown(client):
    return names(client.ok(b"CAPABILITY").untagged[0])


# What belongs to each capability, as commands of a session that has INBOX selected.
USES = {
    "IDLE": [b"IDLE"],
    "NAMESPACE": [b"NAMESPACE"],
    "UNSELECT": [b"UNSELECT"],
    "MOVE": [b"MOVE 1 Trash", b"UID MOVE 1 Trash"],
    "ID": [b"ID NIL"],
    "ENABLE": [b"ENABLE IMAP4rev2"],
    "UIDPLUS": [b"UID EXPUNGE 1"],
    "CHILDREN": [b'LIST "" % RETURN (CHILDREN)'],
    "SPECIAL-USE": [b'LIST (SPECIAL-USE) "" %', b'LIST "" % RETURN (SPECIAL-USE)'],
    "CREATE-SPECIAL-USE": [b"CREATE x (USE (\\Junk))"],
    "LIST-EXTENDED": [b'LIST () "" %', b'LIST "" (% INBOX)', b'LIST "" % RETURN ()'],
    "LIST-STATUS": [b'LIST "" % RETURN (STATUS (MESSAGES))'],
    "ESEARCH": [b"SEARCH RETURN (COUNT) ALL", b"UID SEARCH RETURN () ALL"],
    "SEARCHRES": [b"SEARCH RETURN (SAVE) ALL", b"FETCH $ UID", b"SEARCH NOT $", b"UID STORE $ FLAGS ()", b"COPY $ Trash",
                  b"ESEARCH RETURN (SAVE) ALL", b"ESEARCH IN (personal) NOT $",
                  b"UID EXPUNGE $", b"SORT (DATE) UTF-8 $", b"THREAD REFS UTF-8 $", b"SORT RETURN (SAVE) (DATE) UTF-8 ALL"],
    "MULTISEARCH": [b"ESEARCH ALL", b"ESEARCH IN (personal) RETURN (COUNT) ALL"],
    "SORT": [b"SORT (DATE) UTF-8 ALL", b"UID SORT (DATE) UTF-8 ALL", b"SORT RETURN () (DISPLAYFROM) UTF-8 ALL"],
    "SORT=DISPLAY": [b"SORT (DISPLAYFROM) UTF-8 ALL", b"UID SORT (DATE REVERSE DISPLAYTO) UTF-8 ALL"],
    "THREAD=ORDEREDSUBJECT": [b"THREAD ORDEREDSUBJECT UTF-8 ALL"],
    "THREAD=REFERENCES": [b"THREAD REFERENCES UTF-8 ALL", b"UID THREAD references US-ASCII UNSEEN"],
    "THREAD=REFS": [b"UID THREAD REFS UTF-8 ALL"],
    "ESORT": [b"SORT RETURN () (DATE) UTF-8 ALL", b"UID SORT RETURN (MIN) (DATE) UTF-8 ALL"],
    "BINARY": [b"FETCH 1 BINARY[1]", b"UID FETCH 1 BINARY.SIZE[1]", b"FETCH 1 (UID BINARY.PEEK[])"],
    "STATUS=SIZE": [b"STATUS INBOX (SIZE)", b'LIST "" INBOX RETURN (STATUS (MESSAGES SIZE))'],
    "APPENDLIMIT": [b"STATUS INBOX (APPENDLIMIT)"],
    "COMPRESS=DEFLATE": [b"COMPRESS DEFLATE"],
    "UNAUTHENTICATE": [b"UNAUTHENTICATE"],
    "OBJECTID": [b"FETCH 1 EMAILID", b"FETCH 1 THREADID", b"SEARCH EMAILID m1", b"SEARCH NOT THREADID t1",
                 b"STATUS INBOX (MAILBOXID)"],
    "SAVEDATE": [b"FETCH 1 SAVEDATE", b"SEARCH SAVEDATESUPPORTED", b"SEARCH SAVEDON 1-Jan-2026", b"SEARCH SAVEDBEFORE 1-Jan-2026",
                 b"SEARCH SAVEDSINCE 1-Jan-2026"],
    "NOTIFY": [b"NOTIFY NONE", b"NOTIFY SET (SELECTED (MessageNew MessageExpunge))"],
    "PREVIEW": [b"FETCH 1 PREVIEW", b"FETCH 1 (PREVIEW (LAZY))"],
    "MESSAGELIMIT": [b"SEARCH UIDAFTER 1", b"UID SEARCH NOT (UIDBEFORE 9)"],
    "UIDBATCHES": [b"UIDBATCHES 500", b"UIDBATCHES 500 1:2"],
    "QUOTA": [b"GETQUOTA user", b"GETQUOTAROOT INBOX", b"SETQUOTA user ()", b"STATUS INBOX (DELETED-STORAGE)"],
    "QUOTA=RES-STORAGE": [b"STATUS INBOX (MESSAGES DELETED-STORAGE)", b'LIST "" INBOX RETURN (STATUS (DELETED-STORAGE))'],
    "METADATA": [b'GETMETADATA "" /shared/comment', b"SETMETADATA INBOX (/private/comment NIL)",
                 b"NOTIFY SET (personal (MailboxMetadataChange))", b"NOTIFY SET (personal (ServerMetadataChange))",
                 b'LIST "" % RETURN (METADATA (/shared/comment))'],
    "LIST-METADATA": [b'LIST "" % RETURN (METADATA (/shared/comment))', b'LIST "" % RETURN (CHILDREN METADATA (/private/a /shared/b))'],
    "QUOTA=RES-MESSAGE": [],			# what is not told of them: tests/wire/test_quota.py
    "QUOTA=RES-MAILBOX": [],
    "PARTIAL": [b"SEARCH RETURN (PARTIAL 1:2) ALL", b"UID SORT RETURN (COUNT PARTIAL -1:-2) (DATE) UTF-8 ALL",
                b"ESEARCH IN (personal) RETURN (PARTIAL 1:2) ALL", b"UID FETCH 1:* FLAGS (PARTIAL 1:1)", b"UID FETCH 1 FLAGS (CHANGEDSINCE 1 PARTIAL -1:-1)"],
    "ACL": [b"GETACL INBOX", b"SETACL INBOX ada lr", b"DELETEACL INBOX ada", b"LISTRIGHTS INBOX ada", b"MYRIGHTS INBOX",
            b'LIST "" % RETURN (MYRIGHTS)'],
    "RIGHTS=texk": [],				# "RIGHTS=texk" says which rights there are: nothing is asked for by it
    "LIST-MYRIGHTS": [b'LIST "" % RETURN (MYRIGHTS)', b'LIST "" % RETURN (CHILDREN MYRIGHTS)'],
    "WITHIN": [b"SEARCH OLDER 1", b"SEARCH OR YOUNGER 1 ALL", b"ESEARCH IN (personal) OLDER 1"],
    "CONDSTORE": [b"SELECT INBOX (CONDSTORE)", b"FETCH 1 (FLAGS MODSEQ)", b"FETCH 1 FLAGS (CHANGEDSINCE 1)",
                  b"STORE 1 (UNCHANGEDSINCE 1) FLAGS ()", b"SEARCH MODSEQ 1", b"ESEARCH IN (personal) MODSEQ 1", b"SORT (DATE) UTF-8 MODSEQ 1",
                  b"THREAD REFS UTF-8 MODSEQ 1", b"STATUS INBOX (HIGHESTMODSEQ)"],
    "QRESYNC": [b"SELECT INBOX (QRESYNC (1 1))", b"UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)"],
}
IMPLIED = {"QUOTA": {"QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX"},
           "METADATA": {"LIST-METADATA"}, "ACL": {"RIGHTS=texk", "LIST-MYRIGHTS"}, "CONDSTORE": {"QRESYNC"}, "ESEARCH": {"MULTISEARCH"}, "SORT": {"SORT=DISPLAY", "ESORT"}}	# without the one there is no other
# What has a test of its own, or cannot be masked.
OTHERS = {"REPLACE", "INPROGRESS", "I18NLEVEL", "UTF8", "IMAP4rev1", "IMAP4rev2", "LITERAL+", "MULTIAPPEND"}
STAYS = [b"NOOP", b'LIST "" *', b"STATUS INBOX (MESSAGES)", b"FETCH 1 FLAGS", b"SEARCH ALL", b"CHECK"]


def test_every_capability_is_here(server):
    """A new one needs its row in USES: what must be unknown where it is masked."""
    with server.client("demo") as client:
        assert {name.split("=")[0] if "=" in name and name not in USES else name for name in shown(client)} == \
            set(USES) | OTHERS


@pytest.mark.parametrize("capability", USES)
def test_after_login(server, capability):
    with server.client("demo") as before:
        all_names = shown(before)
    reload(server, f"capability-mask {capability.lower()}")
    with server.client() as client:
        answer = client.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        masked = {name for name in all_names if name.split("=")[0] == capability and name not in USES or name == capability}
        masked |= IMPLIED.get(capability, set())
        assert masked and names(answer.tagged) == shown(client) == all_names - masked
        client.ok(b"SELECT INBOX")
        for command in USES[capability]:
            tagged = client.command(command).tagged
            assert b" BAD Unknown command or argument" in tagged, (command, tagged)
        for command in STAYS:
            client.ok(command)


def test_replies_hold_nothing_of_it(server):
    with server.client("demo") as client:
        assert b"\\HasNoChildren" in client.ok(b'LIST "" INBOX').untagged[0]
        assert b"\\Sent" in client.ok(b'LIST "" Sent').untagged[0]
        assert b"APPENDUID" in client.append(b"Trash", lib.message(2)).tagged
        assert b"MAILBOXID" in client.ok(b"CREATE one").tagged
        client.ok(b"ENABLE CONDSTORE")
        assert any(b"HIGHESTMODSEQ" in line for line in client.ok(b"SELECT INBOX").untagged)
        assert b"MODSEQ" in client.ok(b"STORE 1 FLAGS (\\Seen)").untagged[0]
        reload(server, "capability-mask UIDPLUS,CHILDREN,CONDSTORE,OBJECTID", "capability-mask SPECIAL-USE")
        assert b"MAILBOXID" not in client.ok(b"CREATE two").tagged
        assert b"MODSEQ" not in client.ok(b"STORE 1 FLAGS ()").untagged[0]
        assert not any(b"HIGHESTMODSEQ" in line or b"MAILBOXID" in line for line in client.ok(b"SELECT INBOX").untagged)
        assert client.ok(b"ENABLE CONDSTORE").untagged == [b"* ENABLED"]
        assert client.ok(b'LIST "" Sent').untagged == [b'* LIST () "/" Sent']
        assert b"APPENDUID" not in client.append(b"Trash", lib.message(2)).tagged
        client.ok(b"SELECT Trash")
        assert not any(b"COPYUID" in line for line in [client.ok(b"COPY 1 Junk").tagged])
        answer = client.ok(b"MOVE 1 Junk")
        assert b"COPYUID" not in answer.tagged + b"".join(answer.untagged)


def test_what_was_begun_goes_on(server):
    """What a session has asked for before it was masked stays, and cannot be asked for again."""
    with server.client("demo") as client, server.client("demo") as other:
        client.ok(b"ENABLE UTF8=ACCEPT IMAP4rev2")
        client.ok(b"NOTIFY SET (personal (MailboxName)) (selected (MessageNew (UID) MessageExpunge))")
        client.start_deflate()
        client.ok(b"SELECT Junk")
        begun = {"UTF8=ACCEPT", "IMAP4rev2", "NOTIFY", "COMPRESS=DEFLATE"}
        reload(server, "capability-mask " + ",".join(sorted(begun)))
        assert not begun & shown(client)
        for command in (b"NOTIFY NONE", b"NOTIFY SET (personal (MailboxName))", b"COMPRESS DEFLATE"):
            assert b" BAD Unknown command or argument" in client.command(command).tagged
        other.ok(b'CREATE "&AOk-t&AOk-"')
        assert client.line().endswith(' "été"'.encode())
        other.append(b"Junk", lib.message(1))
        assert client.line().endswith(b" EXISTS") and b" FETCH (UID " in client.line()
        assert client.ok(b"SEARCH RETURN (COUNT) ALL").untagged[0].startswith(b"* ESEARCH")


def test_replace_without_its_code(server):
    """Without UIDPLUS the message that REPLACE takes away is still told of."""
    reload(server, "capability-mask UIDPLUS")
    with server.client("demo") as client:
        client.ok(b"CREATE replaced")
        assert client.append(b"replaced", lib.message(1)).is_ok
        client.ok(b"SELECT replaced")
        answer = client.ok(b"REPLACE 1 replaced {}", lib.message(2))
        assert answer.untagged == [b"* 1 EXPUNGE", b"* 1 EXISTS", b"* 1 RECENT"] and b"UID" not in answer.tagged
        assert client.ok(b"FETCH 1:* UID").untagged == [b"* 1 FETCH (UID 2)"]


def test_enable_ignores_it(server):
    reload(server, "capability-mask IMAP4rev2", "capability-mask utf8=accept")
    with server.client() as client:
        assert "IMAP4rev2" not in names(client.greeting)
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert client.ok(b"ENABLE IMAP4rev2 UTF8=ACCEPT").untagged == [b"* ENABLED"]
        assert "UTF8=ACCEPT" not in shown(client)
        client.send(b"u APPEND Trash UTF8 (~{5}\r\n")
        assert client.line().startswith(b"u BAD")
        assert any(line.startswith(b"* SEARCH") for line in [*client.ok(b"SELECT INBOX").untagged,
                                                              *client.ok(b"SEARCH ALL").untagged])


def test_literals(server):
    message = lib.message(3)
    reload(server, "capability-mask LITERAL+,literal-,MULTIAPPEND,BINARY")
    with server.client(tls=True) as client:
        assert not {"LITERAL+", "LITERAL-"} & names(client.greeting)
        client.send(b"a LOGIN {4+}\r\ndemo {%d+}\r\n%s\r\n" % (len(lib.PASSWORD), lib.PASSWORD.encode()))
        assert client.line().startswith(b"a BAD Unknown kind of literal")
        client.ok(b"NOOP")                      # its octets were no commands
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert not {"LITERAL+", "LITERAL-", "MULTIAPPEND", "BINARY"} & shown(client)
        for head in (b"b APPEND Trash {%d+}\r\n", b"b APPEND Trash ~{%d+}\r\n"):
            client.send(head % len(message) + message + b"\r\n")
            assert client.line().startswith(b"b BAD Unknown kind of literal")
        client.send(b"c APPEND Trash ~{%d}\r\n" % len(message))
        assert client.line().startswith(b"c BAD Unknown kind of literal")
        reload(server, "capability-mask LITERAL+,LITERAL-,MULTIAPPEND,BINARY,REPLACE")
        client.ok(b"SELECT INBOX")
        client.send(b"r REPLACE 1 Trash {%d}\r\n" % len(message))
        assert client.line().startswith(b"r BAD Unknown command or argument")
        client.send(b"d APPEND Trash {%d}\r\n" % len(message))
        assert client.line().startswith(b"+")
        client.send(message + b" {%d}\r\n" % len(message))
        assert client.line().startswith(b"d BAD Unknown command or argument")
        client.send(b"e APPEND Trash {%d}\r\n" % len(message))
        assert client.line().startswith(b"+")
        client.send(message + b"\r\n")
        assert client.line().startswith(b"e OK [APPENDUID")


def test_short_literals(server):
    """LITERAL- in the place of LITERAL+ (RFC 7888 section 5): 4096 octets, and not one more, unasked."""
    reload(server, "capability-mask LITERAL-")          # the other one is offered, so this one never was
    with server.client("demo") as client:
        assert "LITERAL+" in names(client.greeting) and "LITERAL-" not in shown(client)
        assert client.append(b"Trash", lib.message(3) + b"x" * 5000).is_ok
    reload(server, "capability-mask LITERAL+")
    with server.client(tls=True) as client:
        assert "LITERAL-" in names(client.greeting) and "LITERAL+" not in names(client.greeting)
        client.send(b"l LOGIN {4+}\r\ndemo {4097+}\r\n" + b"x" * 4097 + b"\r\n")
        assert client.line().startswith(b"l BAD [TOOBIG]")
        client.ok(b"LOGIN {} {}", b"demo", lib.PASSWORD.encode())
        assert "LITERAL-" in shown(client) and "LITERAL+" not in shown(client)
        for size, head in ((4096, b""), (4096, b"~")):
            message = (lib.message(3) + b"x" * size)[:size]
            client.send(b"a APPEND Trash %s{%d+}\r\n%s\r\n" % (head, size, message))
            assert client.line().startswith(b"a OK")
        for size in (4097, 1_000_000):
            for head in (b"APPEND Trash {%d+}\r\n", b"APPEND Trash ~{%d+}\r\n", b"APPEND Trash {3+}\r\n\n\n\n {%d+}\r\n",
                         b'APPEND Trash UTF8 (~{%d+}\r\n', b"STATUS {%d+}\r\n"):
                client.send(b"b " + head % size + b"x" * size + b")\r\n" if b"UTF8" in head else
                            b"b " + head % size + b"x" * size + b"\r\n")
                assert client.line().startswith(b"b BAD [TOOBIG]"), head
                client.ok(b"NOOP")              # its octets were no commands
        client.send(b"c APPEND Trash {4097}\r\n")
        assert client.line().startswith(b"+")
        client.send((lib.message(3) + b"x" * 4097)[:4097] + b"\r\n")
        assert client.line().startswith(b"c OK")
        client.send(b"d APPEND Trash {999999999999+}\r\n")         # too much to be skipped
        assert client.line().startswith(b"d BAD [TOOBIG]")
        assert client.line().startswith(b"* BYE [TOOBIG]") and client.file.read() == b""


def test_short_literals_of_rev2(server):
    """They are part of IMAP4rev2 (RFC 9051 section 4.3), which is not masked."""
    reload(server, "capability-mask LITERAL+,LITERAL-")
    with server.client("demo") as client:
        assert b" BAD Unknown kind" in client.command(b"STATUS {} (MESSAGES)", b"INBOX").tagged
        client.ok(b"ENABLE IMAP4rev2")
        client.ok(b"STATUS {} (MESSAGES)", b"INBOX")
        client.send(b"b APPEND Trash {4097+}\r\n" + b"x" * 4097 + b"\r\n")
        assert client.line().startswith(b"b BAD [TOOBIG]")
        client.ok(b"NOOP")


def test_imports_are_not_masked(server, tmp_path):
    """What clients cannot bear is no reason why the operator's own tool should not get it."""
    reload(server, "capability-mask LITERAL+,LITERAL-,MULTIAPPEND,UIDPLUS,BINARY")
    (tmp_path / "one.eml").write_bytes(lib.message(77))
    assert "1 imported" in server.imapctl("import", "demo", tmp_path / "one.eml").stdout


def test_before_login(server):
    reload(server, "capability-mask STARTTLS,SASL-IR,AUTH=PLAIN,auth=scram-sha-256-plus,ID")
    with server.client() as client:
        gone = {"STARTTLS", "SASL-IR", "AUTH=PLAIN", "ID"}
        assert not gone & names(client.greeting) and not gone & shown(client)
        assert b" BAD " in client.command(b"STARTTLS").tagged
        assert b" BAD " in client.command(b"AUTHENTICATE LOGIN ZGVtbw==").tagged
        assert b" NO [CANNOT] No such mechanism" in client.command(b"AUTHENTICATE PLAIN").tagged
    with server.client() as client:
        assert b" BAD " in client.command(b"ID NIL").tagged
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())       # LOGIN is a command of its own
        assert b" BAD " in client.command(b"ID NIL").tagged
    with server.client(tls=True) as client:
        assert "AUTH=SCRAM-SHA-256" in names(client.greeting)
        assert "AUTH=SCRAM-SHA-256-PLUS" not in names(client.greeting)
        assert b" NO [CANNOT]" in client.command(b"AUTHENTICATE SCRAM-SHA-256-PLUS").tagged


def test_by_user(server):
    reload(server, "capability-mask IDLE user=*@EXAMPLE.org", "capability-mask MOVE user=d[ae]m?")
    with server.client("demo") as demo, server.client("ada@example.org") as ada:
        assert "IDLE" in shown(demo) and "MOVE" not in shown(demo)
        assert "IDLE" not in shown(ada) and "MOVE" in shown(ada)
        reload(server, "capability-mask UNSELECT user=demo")            # sessions that run
        assert {"IDLE", "MOVE"} < shown(demo) and "UNSELECT" not in shown(demo)
        assert {"IDLE", "MOVE", "UNSELECT"} < shown(ada)


def test_by_address(server):
    reload(server, "capability-mask IDLE,STARTTLS address=127.0.0.0/8", "capability-mask MOVE address=2001:db8::/32")
    with server.client() as client:
        assert "STARTTLS" not in names(client.greeting)
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert "IDLE" not in shown(client) and "MOVE" in shown(client)


def test_by_words_of_id(server):
    reload(server, 'capability-mask IDLE,AUTH=LOGIN "id=Bad Mail"')
    for value, is_masked in ((b"bad mail", True), (b"The Bad Mail 2.1", True), (b"Bad Mailer", False), (b"bad  mail", False),
                             (b"notbad mail", False)):
        with server.client() as client:
            assert "AUTH=LOGIN" in shown(client)
            client.ok(b'ID ("name" "%s" "version" NIL)' % value)
            assert ("AUTH=LOGIN" not in shown(client)) == is_masked
            client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
            assert ("IDLE" not in shown(client)) == is_masked, value
    with server.client("demo") as client:       # ID after login
        assert "IDLE" in shown(client)
        client.ok(b'ID ("Bad" "x" "name" "Bad Mail")')
        assert b" BAD " in client.command(b"IDLE").tagged and "IDLE" not in shown(client)
        client.ok(b'ID ("name" "good")')
        assert "IDLE" in shown(client)
        client.ok(b'ID ("Bad Mail" "names do not count")')
        assert "IDLE" in shown(client)


def test_what_was_said_before_tls_does_not_count(server):
    reload(server, "capability-mask ENABLE id=old")
    with server.client() as client:
        client.ok(b'ID ("name" "old")')
        client.ok(b"STARTTLS")
        client.start_tls()
        assert "ENABLE" in shown(client)
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert "ENABLE" in shown(client)


def test_all_conditions_must_hold(server):
    reload(server, "capability-mask IDLE user=demo address=127.0.0.1 id=phone")
    with server.client("demo") as client, server.client("ada@example.org") as ada:
        assert "IDLE" in shown(client)
        for one in (client, ada):
            one.ok(b'ID ("os" "Phone")')
        assert "IDLE" not in shown(client) and "IDLE" in shown(ada)


def test_the_example_of_the_manual(server):
    reload(server, 'capability-mask ENABLE "id=Microsoft Office 365"')
    with server.client() as client:
        client.ok(b'ID ("name" "Microsoft Office 365" "version" "15.20.9160.4" "vendor" "Microsoft Corporation")')
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert b" BAD " in client.command(b"ENABLE IMAP4rev2").tagged


def test_id_is_logged(server):
    with server.client() as client:
        client.ok(b'ID ("name" "Test \\"x\\"" "os" NIL "version" "1")')
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        for number in range(6):
            client.ok(b'ID ("name" "again %d")' % number)

    def lines():
        return [line for line in server.log_lines if " ev=id " in line and ("Test" in line or "again" in line)]
    lib.wait_until(lambda: len(lines()) == 5)   # and not on and on
    assert 'id="name=Test \\"x\\"; version=1"' in lines()[0] and "rip=127.0.0.1" in lines()[0]
    assert "user=demo" in lines()[1] and 'id="name=again 0"' in lines()[1]


@pytest.mark.parametrize("line, reason", [
    ("capability-mask NAMESAPCE", 'there is no capability "NAMESAPCE"; did you mean "NAMESPACE"?'),
    ("capability-mask imap4rev1", "imap4rev1 cannot be masked"),
    ("capability-mask AUTH=CRAM-MD5", 'there is no capability "AUTH=CRAM-MD5"'),
    ("capability-mask STARTTLS user=demo", "STARTTLS is for those whose user is not known yet"),
    ("capability-mask IDLE,AUTH=PLAIN user=demo", "AUTH=PLAIN is for those whose user is not known yet"),
    ("capability-mask IDLE,", '"IDLE," is not a list of capabilities such as IDLE,MOVE'),
    ("capability-mask IDLE user=a user=b", '"user=b" is not user=PATTERN, address=NETWORK or id=WORD, each at most once'),
    ("capability-mask IDLE address=1.2.3", '"address=1.2.3" is not user=PATTERN'),
    ("capability-mask IDLE id=", '"id=" is not user=PATTERN'),
])
def test_what_cannot_be_meant(server, tmp_path, line, reason):
    config = tmp_path / "imapd.conf"
    config.write_text(server.config.read_text() + line + "\n")
    done = subprocess.run([lib.IMAPD, "--check-config", f"--config={config}"], capture_output=True, text=True)
    assert done.returncode == 78 and f"{config}:" in done.stderr and reason in done.stderr, done.stderr
