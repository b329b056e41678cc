"""Users in LDAP: imapd against OpenLDAP's slapd, two of them, with and without TLS."""
import base64
import concurrent.futures
import itertools
import re
import socket
import json
import sqlite3
import subprocess
import time

import pytest

import server as lib
import slapd

pytestmark = pytest.mark.skipif(slapd.SLAPD is None, reason="slapd is not installed")

PEOPLE = "".join([
    slapd.person("tim", "secret", "mail: tim@example.org", "mail: sales@example.org"),
    slapd.person("ann", "geheim", "ou: localhost"),
    slapd.person("far", "away", "ou: mbx2.example.org"),
    slapd.person("nopass", "x").replace("userPassword: x\n", ""),
    f"dn: cn=odd,ou=people,{slapd.BASE}\nobjectClass: person\ncn: odd\nsn: odd\nuserPassword: odd\n\n",
])
addresses = (f"127.7.{high}.{low}" for high, low in itertools.product(range(256), range(1, 255)))


def settings(*servers, **options):
    """The lines of imapd.conf; keyword arguments are ldap options."""
    wanted = {"base": f"ou=people,{slapd.BASE}", "filter": '"(|(uid=%u)(mail=%u)(cn=%u))"',
              "bind_dn": slapd.SERVICE_DN, "starttls": "no", "timeout": "2", "retry_time": "1",
              "home_attribute": "ou", **options}
    return (["directory ldap " + " ".join(servers)] +
            [f"ldap-{name.replace('_', '-')} {value}" for name, value in wanted.items()])


class Server(lib.Server):
    """imapd with the password of its LDAP entry in a file."""

    def __init__(self, *servers, folder=None, **options):
        super().__init__(folder, settings=settings(*servers, **options), users=())
        secret = self.folder / "ldap.password"
        secret.write_text(slapd.SERVICE_PASSWORD + "\n")
        secret.chmod(0o600)
        self.settings.append(f"ldap-password-file {secret}")
        self.write_config()

    def try_login(self, name, password):
        """The tagged answer to LOGIN, from an address of its own: failures slow down the next ones."""
        with socket.create_connection(("127.0.0.1", self.imap_port), lib.LIMIT_S, (next(addresses), 0)) as connected:
            file = connected.makefile("rb")
            file.readline()
            name, password = name.encode(), password.encode()
            connected.sendall(b"a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\n" % (len(name), name, len(password), password))
            return file.readline().rstrip(b"\r\n")


@pytest.fixture(scope="module")
def servers():
    with slapd.Slapd(PEOPLE) as one, slapd.Slapd(PEOPLE) as two:
        yield one, two


@pytest.fixture(scope="module")
def running(servers):
    with Server(*(one.uri for one in servers)) as server:
        yield server
        text = "\n".join(server.log_lines)
        for secret in ("geheim", "secret\n", slapd.SERVICE_PASSWORD):
            assert secret not in text


@pytest.fixture
def restored(servers):
    yield servers
    for one in servers:
        if one.process is None:
            one.start()
        else:
            one.thaw()


def is_ok(line):
    return line.startswith(b"a OK ")


def is_unavailable(line):
    return line.startswith(b"a NO [UNAVAILABLE]")


def is_refused(line):
    return line.startswith(b"a NO [AUTHENTICATIONFAILED]")


def test_logs_in_and_keeps_mail(running):
    with running.client("tim", password="secret") as client:
        assert client.append(b"INBOX", lib.message(1)).is_ok
    with running.client("TIM", password="secret") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_all_names_of_a_user_lead_to_one_mailbox(running):
    for name in (b"ann", b"ANN"):
        with running.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(2), name)[0].startswith(b"250")
    with running.client("ann", password="geheim") as client:
        assert b"* 2 EXISTS" in client.ok(b"SELECT INBOX").untagged
    for name in ("sales@example.org", "tim@example.org", "tim"):
        with running.client(name, password="secret") as client:
            client.command(b"CREATE shared-by-names")
            assert any(line.endswith(b"shared-by-names") for line in client.ok(b'LIST "" *').untagged)
    with running.lmtp() as lmtp:
        assert lmtp.deliver(lib.message(3), b"sales@example.org")[0].startswith(b"250")
    listed = running.imapctl("user", "list").stdout
    assert "tim" in listed and "ann" in listed and "sales" not in listed
    assert all(line.split()[-1] == "elsewhere" for line in listed.splitlines()[1:])		# where their homes are said


def test_backup_comes_back_to_another_host(servers, tmp_path):
    """The host is lost, the directory is not: who is in it gets the mail, and who is not any more is told of."""
    with Server(servers[0].uri) as first:
        for user, password in (("tim", "secret"), ("ann", "geheim")):
            with first.client(user, password=password) as client:
                assert client.append(b"INBOX", lib.message(1), b"\\Flagged kept").is_ok
        done = first.imapctl("--json", "backup", tmp_path / "backup")
        assert {record["user"]: record["state"] for record in json.loads(done.stdout)["backup"]} == {"tim": "copied", "ann": "copied"}
        with first.client("tim", password="secret") as client:      # also where the user is, and goes on
            client.ok(b"SELECT INBOX")
            client.ok(b"STORE 1 +FLAGS (\\Deleted)")
            client.ok(b"EXPUNGE")
            done = first.imapctl("--json", "restore", tmp_path / "backup", "tim")
            assert json.loads(done.stdout)["restore"][0]["restored"] == 1
    people = slapd.person("tim", "another") + slapd.person("late", "secret")
    with slapd.Slapd(people) as directory, Server(directory.uri) as second:
        done = second.imapctl("--json", "restore", tmp_path / "backup", "--all", check=False)
        answer = json.loads(done.stdout)
        assert done.returncode == 67 and "ann" in done.stderr, done
        assert [(record["user"], record["state"], record["restored"]) for record in answer["restore"]] == [("tim", "whole", 1)]
        with second.client("tim", password="another") as client:
            assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
            assert b"kept" in client.ok(b"FETCH 1 FLAGS").untagged[0]
        assert second.imapctl("restore", tmp_path / "backup", "ann", "--as=late").returncode == 0
        with second.client("late", password="secret") as client:
            assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_gives_one_mailbox_to_a_new_user_logging_in_many_times(servers):
    with Server(servers[0].uri) as server:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: server.try_login("tim", "secret"), range(24)))
        assert all(map(is_ok, answers)), answers
        assert server.imapctl("user", "list").stdout.count("tim") == 1


def test_refuses(running):
    cases = [("tim", "wrong"), ("nobody", "secret"), ("nopass", "x"), ("tim", "secre"),
             ("tim", "secret "), ("tim", "Secret"), ("imapd", slapd.SERVICE_PASSWORD), ("admin", "admin")]
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        answers = list(pool.map(lambda case: running.try_login(*case), cases))
    assert all(map(is_refused, answers)), list(zip(cases, answers))
    for name in ("tim", "nopass", "nobody"):    # an empty password would be an anonymous bind: RFC 4513 section 5.1.2
        assert not is_ok(running.try_login(name, ""))


def test_names_carry_no_syntax(running):
    """RFC 4515 section 3, RFC 4514 section 2.4: with any of these unescaped, tim's password would fit."""
    names = ["*", "t*", "ti?", "*)(uid=*", "tim)(uid=*", "tim)(|(uid=*", "tim*", "\\74im", "tim\\00", "tim,ou=people",
             f"uid=tim,ou=people,{slapd.BASE}", "tim)(&", "*))%00", "%u", "tim;x", "#74696d", "(uid=tim)", "tim|", "&",
             "!", "tim\\", '"tim"', "tim+uid=ann", "%s%n%d", "tím", "x)(!(uid=x"]
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(lambda name: running.try_login(name, "secret"), names))
    assert all(map(is_refused, answers)), list(zip(names, answers))
    for name in ("tim\r\nuid: ann", "tim\n", " tim", "tim\u2028", "tim\u00a0"):
        assert not is_ok(running.try_login(name, "secret"))


def test_names_carry_no_syntax_into_the_base(servers):
    with Server(servers[0].uri, base=f"uid=%n,ou=people,{slapd.BASE}", filter="(objectClass=inetOrgPerson)") as server:
        assert is_ok(server.try_login("tim", "secret"))
        assert is_ok(server.try_login("tim@example.org", "secret"))
        names = ["tim,ou=people", "*", "tim+cn=tim", "tim,", "\\74im", '"tim"', "#0403746996d", "tim\\2c", "ann@tim"]
        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            answers = list(pool.map(lambda name: server.try_login(name, "secret"), names))
        assert all(map(is_refused, answers)), list(zip(names, answers))


def logged(server, event):
    """The last line of an event, or nothing."""
    return next((line for line in reversed(server.log_lines) if f" ev={event} " in line), "")


def recipient(server, address):
    with server.lmtp() as lmtp:
        lmtp.command(b"MAIL FROM:<a@example.org>")
        return lmtp.command(b"RCPT TO:<%s>" % address)[-1][:3]


def test_several_entries_are_a_matter_for_the_operator(servers):
    with Server(servers[0].uri, filter='"(|(uid=%u)(objectClass=inetOrgPerson))"') as server:
        assert is_unavailable(server.try_login("tim", "secret"))
        assert is_unavailable(server.try_login("tim", "wrong"))
        assert "user=tim " in logged(server, "ldap-ambiguous")
        assert recipient(server, b"tim") == b"451" and recipient(server, b"tim@example.org") == b"451"
        done = server.imapctl("user", "show", "tim", check=False)
        assert done.returncode == 75 and "several" in done.stderr
        assert server.imapctl("status", check=False).returncode == 0, "one name's trouble is no outage"


THEO = (f"dn: cn=Theo,ou=people,{slapd.BASE}\nobjectClass: inetOrgPerson\ncn: Theo\nsn: T\nuid: theo\nuid: ted\n"
        "mail: theo@example.org\nuserPassword: pass\n\n")
THEO_FILTER = '"(|(uid=%u)(mail=%u))"'
UNIQUE = "".join(f"attributetype ( {oid} NAME '{name}' EQUALITY {match} SYNTAX 1.3.6.1.4.1.1466.115.121.1.{syntax} )\n"
                 f"objectclass ( {oid}.1 NAME 'has{name}' AUXILIARY MAY {name} )\n"
                 for oid, name, syntax, match in (
                     ("1.2.840.113556.1.4.2", "objectGUID", 40, "octetStringMatch"),
                     ("2.16.840.1.113730.3.1.542", "nsUniqueId", 15, "caseIgnoreMatch")))


def seen(server, names, password="pass"):
    """How many messages each name sees in its INBOX."""
    counts = set()
    for name in names:
        with server.client(name, password=password) as client:
            counts.update(int(line.split()[1]) for line in client.ok(b"SELECT INBOX").untagged if b" EXISTS" in line)
    return counts


@pytest.mark.parametrize("kind", ["entryUUID", "objectGUID", "nsUniqueId", "dn"])
def test_one_entry_is_one_mailbox(kind):
    """Whatever it is found by, and whatever its names become."""
    value = {"objectGUID": "objectClass: hasobjectGUID\nobjectGUID:: AAECA/8FBgcICQoLDA0ODw==\n",
             "nsUniqueId": "objectClass: hasnsUniqueId\nnsUniqueId: 66446001-1DD211B2-80DEBDF9-0F2A0000\n"}.get(kind, "")
    access = "" if kind == "entryUUID" else "access to attrs=entryUUID by * none"
    with slapd.Slapd(THEO.replace("uid: theo", value + "uid: theo"), UNIQUE, access) as ldap, \
            Server(ldap.uri, filter=THEO_FILTER) as server:
        names = ["theo", "ted", "TED", "theo@example.org", "Theo@Example.ORG"]
        for name in [*names, "theo+detail", "theo+detail@example.org", "ted@example.net"]:
            with server.lmtp() as lmtp:
                assert lmtp.deliver(lib.message(1), name.encode())[0].startswith(b"250")
        assert seen(server, names) == {8}
        assert len(server.imapctl("user", "list").stdout.strip().splitlines()) == 2		# with the heading
        change = f"dn: cn=Theo,ou=people,{slapd.BASE}\nchangetype: modify\n"
        ldap.modify(change + "replace: uid\nuid: theodore\nuid: ted\n")
        assert seen(server, ["theodore", "ted", "theo@example.org"]) == {8}
        ldap.modify(change + "replace: uid\nuid: abel\n-\nreplace: mail\nmail: abel@example.org\n")
        assert seen(server, ["abel", "abel@example.org"]) == {8}
        assert is_refused(server.try_login("theo", "pass"))
        with sqlite3.connect(server.data / "directory.db") as directory:
            (name, entry), = directory.execute("SELECT name, entry FROM user")
        assert name == "abel" and entry.startswith(f"{kind}=")
        if kind == "objectGUID":
            assert entry == "objectGUID=00010203ff05060708090a0b0c0d0e0f"
        assert "octets, stays in" in server.imapctl("user", "del", "abel@example.org", "--yes").stdout
        assert seen(server, ["abel"]) == {0}


def added(person):
    return person.replace("\nobjectClass", "\nchangetype: add\nobjectClass", 1)


def test_a_name_for_somebody_else():
    """Nobody gets the mailbox of another entry; what becomes of it is the operator's decision."""
    with slapd.Slapd(slapd.person("eve", "first")) as ldap, Server(ldap.uri, filter=THEO_FILTER) as server:
        with server.client("eve", password="first") as client:
            client.append(b"INBOX", lib.message(1))
        # She has another name and place now, and somebody else has hers: nobody sees what is not theirs.
        ldap.modify(f"dn: uid=eve,ou=people,{slapd.BASE}\nchangetype: modrdn\nnewrdn: uid=eva\ndeleteoldrdn: 1\n")
        ldap.modify(added(slapd.person("eve", "second")))
        assert is_unavailable(server.try_login("eve", "second"))
        assert recipient(server, b"eve@example.org") == b"451"
        assert "belongs to another entry" in logged(server, "ldap-ambiguous")
        assert seen(server, ["eva"], "first") == {1}
        assert seen(server, ["eve"], "second") == {0}
        # Her entry is made anew elsewhere.
        ldap.modify(f"dn: uid=eva,ou=people,{slapd.BASE}\nchangetype: delete\n")
        assert is_refused(server.try_login("eva", "first"))
        ldap.modify(added(slapd.person("eva", "third").replace("dn: uid=eva", "dn: cn=eva")))
        assert is_unavailable(server.try_login("eva", "third"))
        assert server.imapctl("user", "set", "eva", "--entry=mine", check=False).returncode == 64
        server.imapctl("user", "set", "eva", "--entry=any")
        assert seen(server, ["eva"], "third") == {1}


@pytest.mark.parametrize("identity", ["", "objectClass: hasobjectGUID\nobjectGUID:: AAECA/8FBgcICQoLDA0ODw==\n"])
def test_an_entry_made_anew_at_its_place(identity):
    person = slapd.person("eve", "x").replace("uid: eve", identity + "uid: eve")
    access = "access to attrs=entryUUID by * none" if identity else ""
    with slapd.Slapd(person, UNIQUE, access) as ldap, Server(ldap.uri, filter=THEO_FILTER) as server:
        with server.client("eve", password="x") as client:
            client.append(b"INBOX", lib.message(1))
        ldap.modify(f"dn: uid=eve,ou=people,{slapd.BASE}\nchangetype: delete\n")
        ldap.modify(added(person.replace("AAECA", "AAECB")))
        assert seen(server, ["eve"], "x") == {1}
        # An entry that is elsewhere now is asked for by what it is known by, and found.
        ldap.modify(f"dn: uid=eve,ou=people,{slapd.BASE}\nchangetype: delete\n")
        ldap.modify(added(person))
        assert seen(server, ["eve"], "x") == {1}
        ldap.modify(f"dn: uid=eve,ou=people,{slapd.BASE}\nchangetype: modrdn\nnewrdn: cn=moved\ndeleteoldrdn: 0\n")
        ldap.modify(f"dn: cn=moved,ou=people,{slapd.BASE}\nchangetype: modify\nreplace: uid\nuid: moved\n")
        ldap.modify(added(slapd.person("eve", "y")))
        assert is_unavailable(server.try_login("eve", "y"))
        assert seen(server, ["moved"], "x") == {1}


def test_mailboxes_from_before_entries_were_noted():
    """A directory.db of a release that went by names: each user finds what they had."""
    with slapd.Slapd(PEOPLE + THEO) as ldap:
        server = Server(ldap.uri, filter=THEO_FILTER)
        with sqlite3.connect(server.data / "directory.db") as directory:
            for number in (1, 2):
                directory.executescript((lib.ROOT / f"schema/directory.00{number}.sql").read_text())
            directory.executemany("INSERT INTO user (name, mailbox_id, credential, credential_version, created) "
                                  "VALUES (?, ?, '', 1, 1)",
                                  [(name, digit * 32) for name, digit in (("tim", "1"), ("theo", "2"), ("ted", "3"))])
            directory.execute("PRAGMA user_version = 2")
        with server:
            seen(server, ["tim"], "secret")
            seen(server, ["theo", "ted"])
            warning = logged(server, "ldap-left-behind")
            assert "user=ted " in warning and "name=theo " in warning and f"mailbox-id={'2' * 32}" in warning
            assert server.stop() == 0
            with sqlite3.connect(server.data / "directory.db") as directory:
                rows = {name: (box[0], entry) for name, box, entry in
                        directory.execute("SELECT name, mailbox_id, entry FROM user")}
        assert {name: box for name, (box, _) in rows.items()} == {"tim": "1", "theo": "2", "ted": "3"}
        assert rows["theo"][1] == "" and rows["ted"][1].startswith("entryUUID=")


def test_an_entry_without_the_name_is_unusable(running):
    assert is_unavailable(running.try_login("odd", "odd"))


def test_a_user_of_another_server_is_not_served_here(running):
    answer = running.try_login("far", "away")
    assert not is_ok(answer) and b"UNAVAILABLE" in answer
    with running.lmtp() as lmtp:
        lmtp.command(b"MAIL FROM:<a@example.org>")
        assert lmtp.command(b"RCPT TO:<far>")[-1].startswith(b"451")
        assert lmtp.command(b"RCPT TO:<nobody>")[-1].startswith(b"550")
        assert lmtp.command(b"RCPT TO:<*>")[-1].startswith(b"550")


@pytest.mark.parametrize("verb", ("verify", "index"))
def test_a_user_of_another_server_has_no_file_here(running, verb):
    record, = json.loads(running.imapctl("--json", verb, "far").stdout)[verb]
    assert (record["user"], record["state"]) == ("far", "none")
    done = running.imapctl("quota", "far", check=False)
    assert (done.returncode, done.stderr) == (69, "imapctl: far: the user's mail is on another server\n")


def test_scram_is_not_offered(running):
    with running.client() as client:
        assert b"SCRAM" not in client.ok(b"CAPABILITY").untagged[0]
        assert b"AUTH=PLAIN" in client.ok(b"CAPABILITY").untagged[0]
        assert not client.command(b"AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(b"n,,n=tim,r=abc")).is_ok
        assert client.command(b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0tim\0secret")).is_ok


def test_mail_of_whom_ldap_has_no_more():
    """Nobody says user del where users are in LDAP: their mail is listed, and can be removed."""
    with slapd.Slapd(slapd.person("eve", "x") + "\n" + slapd.person("tim", "y")) as ldap, Server(ldap.uri) as server:
        for name, password in (("eve", "x"), ("tim", "y")):
            with server.client(name, password=password) as client:
                client.append(b"INBOX", lib.message(1))
        listing = ("--json", "user", "list", "--orphans")
        assert json.loads(server.imapctl(*listing).stdout)["orphan"] == []
        ldap.modify(f"dn: uid=eve,ou=people,{slapd.BASE}\nchangetype: delete\n")
        orphan, = json.loads(server.imapctl(*listing).stdout)["orphan"]
        assert (orphan["user"], orphan["reason"]) == ("eve", "no-entry")
        assert "is removed" in server.imapctl("user", "del", "eve", "--purge", "--yes").stdout
        assert json.loads(server.imapctl(*listing).stdout)["orphan"] == []
        assert seen(server, ["tim"], "y") == {1}


def test_users_are_changed_in_ldap(running):
    done = running.imapctl("user", "add", "eve", input="secret\n", check=False)
    assert done.returncode != 0 and "elsewhere" in done.stdout + done.stderr
    for setting in ("--imap=off", "--home="):
        done = running.imapctl("user", "set", "tim", setting, check=False)
        assert done.returncode == 69 and "elsewhere" in done.stderr
    users = running.folder / "users"
    users.write_text("eve:{PLAIN}secret\n")
    for words in (("user", "import", str(users)), ("alias", "add", "info", "tim"), ("alias", "remove", "info")):
        done = running.imapctl(*words, check=False)
        assert done.returncode == 69 and "elsewhere" in done.stderr
    assert running.imapctl("alias", "list").stdout == ""


def test_a_change_counts_at_once(servers):
    """Also for a password that is remembered."""
    one, _ = servers
    dn = f"dn: uid=new,ou=people,{slapd.BASE}\n"
    one.modify(dn + "changetype: add\nobjectClass: inetOrgPerson\nuid: new\ncn: new\nsn: new\nuserPassword: first\n")
    with Server(one.uri) as server:
        assert is_ok(server.try_login("new", "first"))
        time.sleep(1.1)     # modifyTimestamp counts seconds
        one.modify(dn + "changetype: modify\nreplace: userPassword\nuserPassword: second\n")
        assert is_refused(server.try_login("new", "first"))
        assert is_ok(server.try_login("new", "second"))
        one.modify(dn + "changetype: delete\n")
        assert is_refused(server.try_login("new", "second"))


def test_one_server_stops_and_comes_back(restored):
    one, two = restored
    with Server(one.uri, two.uri) as server:
        assert is_ok(server.try_login("tim", "secret"))
        one.stop()
        for password in ("secret", "secret"):
            assert is_ok(server.try_login("tim", password))
        assert is_ok(server.try_login("ann", "geheim"))
        assert is_refused(server.try_login("ann", "wrong"))
        one.start()
        before = one.log().count(" SRCH ")
        time.sleep(1.1)     # ldap-retry-time
        assert is_ok(server.try_login("tim", "secret"))
        assert one.log().count(" SRCH ") > before
        two.stop()
        assert is_ok(server.try_login("ann", "geheim"))
        events = re.findall(r" ev=(ldap-down|ldap-up) uri=(\S+)", "\n".join(server.log_lines))
        assert ("ldap-down", one.uri) in events and ("ldap-up", one.uri) in events
        assert ("ldap-down", two.uri) not in events


def test_all_servers_stop(restored):
    """Known users go on with the password that was right, and nobody with another one."""
    one, two = restored
    with Server(one.uri, two.uri) as server:
        assert is_ok(server.try_login("tim", "secret"))
        one.stop()
        two.stop()
        assert is_ok(server.try_login("tim", "secret"))
        with server.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(4), b"tim")[0].startswith(b"250")
            lmtp.command(b"MAIL FROM:<a@example.org>")
            assert lmtp.command(b"RCPT TO:<ann>")[-1].startswith(b"451")
        for name, password in (("tim", "wrong"), ("tim", "Secret"), ("ann", "geheim"), ("nobody", "x")):
            assert is_unavailable(server.try_login(name, password)), name
        assert not is_ok(server.try_login("tim", ""))
        one.start()
        time.sleep(1.1)     # ldap-retry-time
        assert is_ok(server.try_login("ann", "geheim"))


def test_known_users_are_forgotten_in_time(restored):
    one, two = restored
    with Server(one.uri, cache_time="1") as server:
        assert is_ok(server.try_login("tim", "secret"))
        one.stop()
        time.sleep(1.1)     # ldap-cache-time
        assert is_unavailable(server.try_login("tim", "secret"))


@pytest.mark.parametrize("scheme", ["ldap", "starttls", "ldaps"])
def test_a_silent_server(restored, scheme):
    """It costs its timeout, and nothing to those who are logged in."""
    one, two = restored
    uris = [server.tls_uri if scheme == "ldaps" else server.uri for server in (one, two)]
    authorities = "".join(server.cert.read_text() for server in (one, two))
    (one.folder / "both.pem").write_text(authorities)
    with Server(*uris, starttls="yes" if scheme == "starttls" else "no", retry_time="60",
                tls_ca=one.folder / "both.pem") as server, server.client("ann", password="geheim") as client:
        one.freeze()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(server.try_login, "tim", "secret")
            answered = 0
            while not answer.done():
                client.ok(b"NOOP")
                answered += 1
            assert is_ok(answer.result())
        assert answered > 3, "others waited, too"
        downs = sum(" ev=ldap-down " in line for line in server.log_lines)
        assert is_ok(server.try_login("tim", "secret"))
        server.stop()
        assert sum(" ev=ldap-down " in line for line in server.log_lines) == downs, "a server that is down was asked again"


def test_a_server_silent_from_the_start(restored):
    one, two = restored
    one.freeze()
    with Server(one.tls_uri, two.uri, tls_ca=one.cert) as server:
        assert is_ok(server.try_login("tim", "secret"))


@pytest.mark.parametrize("scheme", ["ldaps", "starttls"])
def test_tls_is_checked(servers, scheme):
    one, two = servers
    uri = one.tls_uri if scheme == "ldaps" else one.uri
    with Server(uri, starttls="yes", tls_ca=one.cert) as server:
        assert is_ok(server.try_login("tim", "secret"))
    binds = one.log().count(" BIND ")
    with Server(uri, starttls="yes", tls_ca=two.cert) as server:
        assert is_unavailable(server.try_login("tim", "secret"))
        lib.wait_until(lambda: any(" ev=ldap-down " in line for line in server.log_lines))
    with Server(one.misnamed_uri, starttls="yes", tls_ca=one.cert) as server:
        assert is_unavailable(server.try_login("tim", "secret"))
    assert one.log().count(" BIND ") == binds, "something was said to a server that is not trusted"


def test_a_server_without_tls_gets_no_password(servers):
    """A machine in the middle that refuses StartTLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard = []

        def answer():
            connected, _ = listener.accept()
            heard.append(connected.recv(4096))
            connected.sendall(bytes.fromhex("300c02010178070a010104000400"))     # protocolError
            while heard[-1]:
                heard.append(connected.recv(4096))

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(answer)
            with Server(f"ldap://127.0.0.1:{listener.getsockname()[1]}", starttls="yes") as server:
                assert is_unavailable(server.try_login("tim", "secret"))
                running.result(30)
        said = b"".join(heard)
        assert b"1.3.6.1.4.1.1466.20037" in said
        assert b"secret" not in said and b"imapd" not in said


def check_config(server):
    done = subprocess.run([lib.IMAPD, "--check-config", f"--config={server.config}"],
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_checks_the_configuration(servers, tmp_path):
    server = Server(servers[0].uri, folder=tmp_path)
    assert check_config(server)[0] == 0, check_config(server)
    (server.folder / "ldap.password").chmod(0o644)
    code, text = check_config(server)
    assert code == 78 and "ldap-password-file: others can read" in text
    server.settings = [line for line in server.settings if not line.startswith("ldap-base")]
    server.write_config()
    code, text = check_config(server)
    assert code == 78 and "ldap needs ldap-base" in text


def group(name, kind, *members):
    """LDIF that adds a group."""
    escaped = name.replace(",", "\\2C")
    return "\n".join([f"dn: cn={escaped},ou=people,{slapd.BASE}", "changetype: add", f"objectClass: {kind}",
                      f"cn: {name}", *members]) + "\n\n"


def groups_of(server, name):
    return [group["name"] for group in json.loads(server.imapctl("--json", "user", "show", name).stdout)["group"]]


def test_groups_come_from_the_entry_and_from_a_search():
    tim, ann = f"uid=tim,ou=people,{slapd.BASE}", f"uid=ann,ou=people,{slapd.BASE}"
    found = dict(group_base=slapd.BASE,
                 group_filter='"(|(&(objectClass=posixGroup)(memberUid=%u))(&(objectClass=groupOfNames)(member=%D)))"')
    with slapd.Slapd(PEOPLE, "include /etc/ldap/schema/nis.schema\nmoduleload memberof", "overlay memberof") as one:
        one.modify(group("Domain Users", "groupOfNames", f"member: {tim}", f"member: {ann}") +
                   group("b, c", "groupOfNames", f"member: {tim}") +
                   group("unix", "posixGroup", "gidNumber: 7", "memberUid: tim"))
        with Server(one.uri, group_attribute="memberOf") as server:
            assert groups_of(server, "tim") == ["b, c", "domain users"]
            assert groups_of(server, "ann") == ["domain users"] and groups_of(server, "nopass") == []
            done = server.imapctl("group", "add", "boss", "tim", check=False)
            assert done.returncode == 69 and "elsewhere" in done.stderr
            assert server.imapctl("group", "list", check=False).returncode == 69
        with Server(one.uri, **found) as server:
            assert groups_of(server, "tim@example.org") == ["b, c", "domain users", "unix"]
            assert groups_of(server, "nopass") == []
            one.stop()
            assert groups_of(server, "tim@example.org") == ["b, c", "domain users", "unix"]    # of a short while ago
            one.start()
        with Server(one.uri, group_attribute="memberOf", **found) as server:
            assert groups_of(server, "tim") == ["b, c", "domain users", "unix"]


def test_a_shared_account_is_no_entry(servers):
    with Server(servers[0].uri) as server:
        assert server.imapctl("user", "add", "ann", "--shared", check=False).returncode == 73
        server.imapctl("user", "add", "support", "--shared")
        assert json.loads(server.imapctl("--json", "user", "show", "support").stdout)["user"][0]["shared"] == "yes"
        assert recipient(server, b"support") == b"250"
        for password in ("", "x"):
            assert not is_ok(server.try_login("support", password))
        assert server.imapctl("user", "passwd", "support", input="x\n", check=False).returncode == 69
        with server.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(1), b"support")[0].startswith(b"250")
        assert json.loads(server.imapctl("--json", "user", "list", "--orphans").stdout)["orphan"] == []
        # An entry that gets its name later does not get its mail.
        servers[0].modify(slapd.person("support", "pass").replace("\n", "\nchangetype: add\n", 1))
        try:
            assert not is_ok(server.try_login("support", "pass"))
            assert recipient(server, b"support") == b"451"
            assert "name=support" in logged(server, "ldap-ambiguous")
        finally:
            servers[0].modify(f"dn: uid=support,ou=people,{slapd.BASE}\nchangetype: delete\n")


def test_a_shared_account_is_renamed(servers):
    """Its row is of this host, and so is its name; no name of an entry is taken, and no entry is renamed from here."""
    with Server(servers[0].uri) as server:
        def rename(*words, code=0):
            done = server.imapctl("user", "rename", *words, check=False)
            assert done.returncode == code, done
            return done.stdout + done.stderr

        def has_it(client, name):
            return client.command(b'EXAMINE "Shared/%s/INBOX"' % name).is_ok

        server.imapctl("user", "add", "support", "--shared")
        server.imapctl("acl", "set", "support", "INBOX", "tim", "lrs")
        with server.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(1), b"support")[0].startswith(b"250")
        with server.client("tim", password="secret") as client:
            assert has_it(client, b"support")
            client.ok(b'SUBSCRIBE "Shared/support/INBOX"')
            assert "a user of the new name" in rename("support", "ann", code=73)
            assert "kept elsewhere" in rename("tim", "timothy", code=69)
            for _ in range(2):					# and again by whom the answer did not reach
                rename("support", "helpdesk")
            assert has_it(client, b"helpdesk") and not has_it(client, b"support")
            assert b'Shared/helpdesk/INBOX' in b"".join(client.ok(b'LIST (SUBSCRIBED) "" *').untagged)
            assert b"* 1 EXISTS" in client.ok(b'EXAMINE "Shared/helpdesk/INBOX"').untagged
        assert recipient(server, b"support") == b"550" and recipient(server, b"helpdesk") == b"250"
        servers[0].modify(slapd.person("helpdesk", "pass").replace("\n", "\nchangetype: add\n", 1))
        try:
            assert recipient(server, b"helpdesk") == b"451"	# an entry that gets the new name does not get its mail
        finally:
            servers[0].modify(f"dn: uid=helpdesk,ou=people,{slapd.BASE}\nchangetype: delete\n")


QUOTAS = "".join(f"attributetype ( {oid} NAME '{name}' EQUALITY {match} SYNTAX 1.3.6.1.4.1.1466.115.121.1.{syntax} )\n"
                 f"objectclass ( {oid}.1 NAME 'has{name}' AUXILIARY MAY {name} )\n"
                 for oid, name, syntax, match in (
                     ("1.3.6.1.4.1.99999.1", "quota", 26, "caseIgnoreIA5Match"),
                     ("2.16.840.1.113730.3.1.21", "mailQuota", 15, "caseIgnoreMatch"),
                     ("1.2.840.113556.1.4.3", "mDBStorageQuota", 27, "integerMatch")))


def entry_with(name, attribute, *values):
    return slapd.person(name, "pass", f"objectClass: has{attribute}", *(f"{attribute}: {value}" for value in values))


def limits_of(server, name):
    user, = json.loads(server.imapctl("--json", "user", "show", name).stdout)["user"]
    return user["quota-storage"], user["quota-messages"]


def told_quota(client):
    return client.ok(b"GETQUOTA user").untagged[-1]


def test_quotas_come_from_the_entry():
    entries = (entry_with("rule", "quota", "*:storage=1G:messages=1000", "Trash:storage=+10%") +
               entry_with("courier", "quota", "100000S,2C") + entry_with("strange", "quota", "much") +
               entry_with("plain", "mailQuota", "1048576") + entry_with("suffix", "mailQuota", "4G") +
               entry_with("free", "mailQuota", "-1") + entry_with("exchange", "mDBStorageQuota", "1048576"))
    with slapd.Slapd(PEOPLE + entries, QUOTAS) as one:
        with Server(one.uri, quota_attribute="quota") as server:
            assert limits_of(server, "rule") == (str(1 << 30), "1000") and limits_of(server, "tim") == ("default", "default")
            assert limits_of(server, "strange") == ("default", "default")
            lib.wait_until(lambda: "quota=much" in logged(server, "ldap-failed"))
            assert server.imapctl("user", "set", "rule", "--quota-messages=1", check=False).returncode == 69
            with server.client("courier", password="pass") as client:
                assert told_quota(client) == b"* QUOTA user (STORAGE 0 97 MESSAGE 0 2)"
                one.modify(f"dn: uid=courier,ou=people,{slapd.BASE}\nchangetype: modify\nreplace: quota\nquota: 5C\n")
                assert told_quota(client) == b"* QUOTA user (STORAGE 0 97 MESSAGE 0 2)"
                assert recipient(server, b"courier") == b"250"          # looks the user up
                assert told_quota(client) == b"* QUOTA user (MESSAGE 0 5)"
            # What was said last is known to another process, too, before any server has answered.
            server.stop()
            one.stop()
            server.start()
            with sqlite3.connect(server.data / "directory.db") as database:
                assert database.execute("SELECT quota_messages FROM user WHERE name = 'courier'").fetchall() == [(5,)]
            one.start()
        with Server(one.uri, quota_attribute="mailQuota") as server:
            assert limits_of(server, "plain") == (str(1 << 20), "default")
            assert limits_of(server, "suffix") == (str(4 << 30), "default")
            assert limits_of(server, "free") == ("none", "default")
        with Server(one.uri, quota_attribute="mDBStorageQuota", quota_unit="kilobytes") as server:
            assert limits_of(server, "exchange") == (str(1 << 30), "default")


def test_masters_and_delegates_come_from_entries():
    """A delegate by name or by distinguished name, as in seeAlso here; masters by their group."""
    tim, ann = f"uid=tim,ou=people,{slapd.BASE}", f"UID=Ann, OU=people,{slapd.BASE}"
    people = PEOPLE.replace("ou: localhost", f"ou: localhost\nseeAlso: {tim}") + slapd.person("zoe", "z", f"seeAlso: {ann}")
    with slapd.Slapd(people, "moduleload memberof", "overlay memberof") as one:
        one.modify(group("Masters", "groupOfNames", f"member: {tim}", f"member: uid=zoe,ou=people,{slapd.BASE}"))
        with Server(one.uri, delegate_attribute="seeAlso") as server:
            assert is_ok(server.try_login("tim/ann", "secret")) and is_ok(server.try_login("zoe*ann", "geheim"))
            assert is_refused(server.try_login("ann*tim", "geheim")) and is_refused(server.try_login("nopass*tim", "secret"))
        with Server(one.uri, group_attribute="memberOf", master_group="masters") as server:
            assert is_ok(server.try_login("ann*tim", "secret")) and is_ok(server.try_login("nopass*zoe", "z"))
            assert is_refused(server.try_login("zoe*tim", "secret")) and is_refused(server.try_login("tim*ann", "geheim"))
        with Server(one.uri) as server:
            assert is_refused(server.try_login("ann*tim", "secret"))
