"""A user moves from one mailbox server to another while clients work: what was there is there, and nothing twice."""
import hashlib
import json
import re
import socket
import subprocess

import pytest

import rehoming
import server as lib
import split
from rehoming import Traffic, append, finish, host_of, move, picture

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")


@pytest.fixture(scope="module")
def three():
    with split.SplitServer(mailbox_servers=2, cas_settings=["link-timeout 10"]) as running:
        yield running


def moves(running, *words):
    return json.loads(running.cas.imapctl("move", *words, "--status", "--json").stdout)["move"]


def fill(client, count):
    client.ok(b"CREATE Projects/One")
    for number in range(count):
        append(client, [b"Projects/One", b"INBOX"][number % 3 > 0], b"%d" % number,
               [b"", b"\\Seen kept", b"$Work"][number % 3])


def test_move(three):
    """Content, flags, keywords, dates, UIDs, UIDVALIDITY, modseqs and ids are the same on the other server."""
    three.add_user("ada", home=0)
    with three.client("ada") as client:
        fill(client, 30)
        client.ok(b"SELECT INBOX")
        client.ok(b"UID STORE 3:5 +FLAGS (\\Deleted)")
        client.ok(b"UID EXPUNGE 3:4")
        before = picture(client)
    done = move(three, "ada", "mbx2")
    assert re.fullmatch(r"ada has moved to mbx2; sessions waited for \d+ ms\.\n", done.stdout)
    with three.client("ada") as client:
        assert picture(client) == before
        assert append(client, b"INBOX", b"99").is_ok
    there = json.loads(three.mailboxes[1].imapctl("user", "list", "--json").stdout)["user"]
    assert [user["name"] for user in there] == ["ada"]
    orphans = json.loads(three.mailboxes[0].imapctl("user", "list", "--orphans", "--json").stdout)["orphan"]
    assert [orphan["user"] for orphan in orphans] == ["ada"]
    assert host_of(three, "ada") == "mbx2"
    assert moves(three, "ada")[0]["phase"] == "moved"
    assert three.mailboxes[1].imapctl("verify", "ada").returncode == 0


def test_again_and_back(three):
    three.add_user("bert", home=0)
    with three.client("bert") as client:
        fill(client, 5)
        before = picture(client)
    for server in ("mbx2", "mbx2", "mbx1", "mbx2", "mbx1"):
        move(three, "bert", server)
        with three.client("bert") as client:
            assert picture(client) == before, server
    assert "bert is on mbx1" in move(three, "bert", "mbx1").stdout


def test_quota_and_groups_go_along(three):
    three.add_user("quentin", home=0)
    three.mailboxes[0].imapctl("user", "set", "quentin", "--quota-messages=7", "--quota-storage=1G")
    three.mailboxes[0].imapctl("group", "add", "sales", "quentin")
    three.mailboxes[0].imapctl("alias", "add", "tarantino", "quentin")
    move(three, "quentin", "mbx2")
    shown = json.loads(three.mailboxes[1].imapctl("user", "show", "quentin", "--json").stdout)
    assert shown["user"][0]["quota-messages"] == "7" and shown["group"] == [{"name": "sales"}]
    for host, answer in ((0, b"451"), (1, b"250")):
        with three.lmtp(host) as lmtp:
            lmtp.command(b"MAIL FROM:<>")
            assert lmtp.command(b"RCPT TO:<tarantino>")[-1].startswith(answer)
    with three.client("quentin") as client:
        assert b"MESSAGE 0 7" in b"".join(client.ok(b"GETQUOTAROOT INBOX").untagged)


def test_mail_for_who_has_left(three):
    """The server that was left puts mail off, the other one takes it."""
    three.add_user("cleo", home=0)
    move(three, "cleo", "mbx2")
    with three.lmtp(0) as lmtp:
        lmtp.command(b"MAIL FROM:<>")
        assert lmtp.command(b"RCPT TO:<cleo>")[-1].startswith(b"451 4.3.5")
    with three.lmtp(1) as lmtp:
        assert lmtp.deliver(b"Subject: here\r\n\r\n", b"cleo")[0].startswith(b"250")


def test_letter_on_the_way(three):
    """A recipient who was accepted before the move, and whose letter ends behind it: nothing is written into what was left."""
    three.add_user("dora", home=0)
    with three.lmtp(0) as lmtp:
        lmtp.command(b"MAIL FROM:<>")
        assert lmtp.command(b"RCPT TO:<dora>")[-1].startswith(b"250")
        lmtp.command(b"DATA")
        move(three, "dora", "mbx2")
        assert lmtp.command(b"Subject: late\r\n\r\n.")[-1].startswith(b"4")
    with three.client("dora") as client:
        assert b"* 0 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_under_way(three):
    """Appends and letters while the user is moved to and fro: each that was acknowledged is there, once."""
    three.add_user("emil", home=0)
    with Traffic(three, "emil") as traffic:
        for server in ("mbx2", "mbx1", "mbx2"):
            done = traffic.rounds
            lib.wait_until(lambda: traffic.rounds > done + 5)
            move(three, "emil", server)
    traffic.check()
    assert traffic.acknowledged and traffic.delivered


def test_a_long_upload_is_cut_and_leaves_nothing(three):
    three.add_user("fred", home=0)
    with three.client("fred") as client:
        client.send(b"a APPEND INBOX {100000}\r\n")
        assert client.line().startswith(b"+")
        client.send(b"x" * 50000)
        move(three, "fred", "mbx2")
        assert client.line().startswith(b"* BYE [UNAVAILABLE]")
    with three.client("fred") as client:
        assert b"* 0 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_a_restore_that_ends_behind_it_says_so(three, tmp_path):
    """Its octets come while the user moves: nothing is put where nobody looks any more."""
    three.add_user("zita", home=0)
    with three.client("zita") as client:
        fill(client, 5)
    three.mailboxes[0].imapctl("backup", tmp_path / "backup", "--user=zita")
    octets = (tmp_path / "backup" / "zita.db").read_bytes()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(three.mailboxes[0].control))
        client.sendall(b'restore zita %d %s "" replace\n' % (len(octets), hashlib.sha256(octets).hexdigest().encode()))
        assert client.recv(100) == b".0\n"
        move(three, "zita", "mbx2")
        client.sendall(octets)
        answer = b"".join(iter(lambda: client.recv(1000), b""))
    assert answer.startswith(b"failed "), answer


def refused(running, user, server, *words):
    done = move(running, user, server, *words, check=False)
    return done.returncode, done.stderr


def test_what_cannot_be(three):
    three.add_user("gina", home=0)
    assert refused(three, "gina", "mbx7")[0] == 69
    assert refused(three, "nobody", "mbx2")[0] == 67
    three.cas.imapctl("user", "set", "gina", "--home=imaps://old.example.org")
    assert refused(three, "gina", "mbx2")[0] == 65
    three.cas.imapctl("user", "set", "gina", "--home=mbx1")
    done = three.mailboxes[0].imapctl("move", "gina", "mbx2", check=False)
    assert done.returncode == 69 and "service cas" in done.stderr
    three.mailboxes[1].add_user("gina")
    with three.lmtp(1) as lmtp:
        assert lmtp.deliver(b"Subject: there\r\n\r\n", b"gina")[0].startswith(b"250")
    code, why = refused(three, "gina", "mbx2")
    assert code == 69 and "there is mail of this user already" in why
    lib.wait_until(lambda: moves(three, "gina")[0]["phase"] == "failed")	# the two servers are told first
    assert host_of(three, "gina") == "mbx1"
    with three.client("gina") as client:		# who goes on as before
        assert append(client, b"INBOX", b"1").is_ok


def test_shared_mailboxes_are_told(three):
    """Who shares is moved when the operator has said so; the rights stay, and are in force again when the user is back."""
    three.add_user("hugo", home=0)
    three.add_user("ines", home=0)
    with three.client("hugo") as client:
        client.ok(b"SETACL INBOX ines lrs")
        assert append(client, b"INBOX", b"shared").is_ok
    with three.client("ines") as client:
        client.ok(b'SELECT "Other Users/hugo/INBOX"')
        code, why = refused(three, "hugo", "mbx2")
        assert code == 77 and "mailboxes of hugo are shared with ines" in why
        move(three, "hugo", "mbx2", "--yes")
        assert client.line().startswith(b"* BYE")
    with three.client("ines") as client:
        assert not client.command(b'SELECT "Other Users/hugo/INBOX"').is_ok
    with three.client("hugo") as client:
        assert b"ines lrs" in b"".join(client.ok(b"GETACL INBOX").untagged)
    move(three, "hugo", "mbx1", "--yes")
    with three.client("ines") as client:
        assert b"* 1 EXISTS" in client.ok(b'SELECT "Other Users/hugo/INBOX"').untagged


def test_two_at_once(three):
    """Two orders for one place are one move; for two places the second is refused; others go on beside it."""
    for name in ("jack", "jill"):
        three.add_user(name, home=0)
    orders = [subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", name, "mbx2"], stderr=subprocess.PIPE)
              for name in ("jack", "jill", "jack")]
    assert [order.wait() for order in orders] == [0, 0, 0], [order.stderr.read() for order in orders]
    assert host_of(three, "jack") == host_of(three, "jill") == "mbx2"


def test_user_goes_meanwhile(three):
    """The target is frozen, and so the move waits, while its user is deleted; then it has not happened."""
    three.add_user("kurt", home=0)
    lib.freeze(three.mailboxes[1].process)
    order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", "kurt", "mbx2"], stderr=subprocess.PIPE)
    lib.wait_until(lambda: [line for line in three.cas.log_lines if "ev=move-begun" in line and "user=kurt" in line])
    three.cas.imapctl("user", "del", "kurt", "--yes")
    lib.thaw(three.mailboxes[1].process)
    assert order.wait() == 75, order.stderr.read()
    assert three.cas.imapctl("user", "show", "kurt", check=False).returncode == 67


def test_target_hangs(three):
    """A target that stands still holds the user up for a bounded time: then all goes on as before, and nobody was cut."""
    three.add_user("lena", home=0)
    with three.client("lena") as client, three.client("lena") as idle:
        client.ok(b"SELECT INBOX")
        idle.ok(b"SELECT INBOX")
        lib.freeze(three.mailboxes[1].process)
        order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", "lena", "mbx2"], stderr=subprocess.PIPE)
        assert order.wait() != 0
        assert append(client, b"INBOX", b"1").is_ok
        idle.ok(b"NOOP")
        lib.thaw(three.mailboxes[1].process)
        three.await_link(1)
    finish(three, "lena", "mbx2")
    with three.client("lena") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_without_the_key(three):
    """Who comes without the key to a mailbox server is told nothing and moves nobody; a client of the cas is refused, too."""
    with three.client() as client:
        assert not client.command(b"AUTHENTICATE X-IMAPD-MOVE AG91dABhZGEAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=").is_ok


def test_cable_is_cut(three):
    """In the middle of it: whoever is moved goes on where the directory says, and a second run finishes it."""
    three.add_user("mona", home=0)
    with three.client("mona") as client:
        for number in range(40):
            assert append(client, b"INBOX", b"%d" % number, size=50000).is_ok
        before = picture(client)
    for number, host in enumerate((three.mailboxes[1], three.mailboxes[0])):
        def has_begun():
            return len([line for line in three.cas.log_lines if "ev=move-begun" in line and "user=mona" in line]) > number

        while not has_begun():		# the one before may still be undone
            order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", "mona", "mbx2"],
                                     stderr=subprocess.PIPE)
            lib.wait_until(lambda: has_begun() or order.poll() is not None)
            if host_of(three, "mona") == "mbx2":
                break
        host.wire.cut()
        order.wait()
        host.wire.heal()
        three.await_link(0)
        three.await_link(1)
    finish(three, "mona", "mbx2")
    with three.client("mona") as client:
        assert picture(client) == before


@pytest.fixture(scope="module")
def site():
    """A host for clients that has mailboxes itself, and another mailbox host."""
    with split.SplitServer(mailbox_servers=2) as running:
        running.cas.stop()
        running.cas.role = "both"
        running.cas.settings = ["hostname main.example.org", f"lmtp-listen 127.0.0.1:{running.cas.lmtp_port}"]
        running.cas.write_config()
        running.cas.start()
        running.await_link(1)
        yield running


def test_from_and_to_the_host_for_clients(site):
    """There one directory says where users live and which mailbox is whose."""
    site.cas.add_user("nora")
    with site.client("nora") as client:
        fill(client, 9)
        before = picture(client)
    assert "nora has moved to mbx2" in move(site, "nora", "mbx2").stdout
    assert host_of(site, "nora") == "mbx2"
    with site.client("nora") as client:
        assert picture(client) == before
    assert "nora has moved to main.example.org" in move(site, "nora", "main.example.org").stdout
    assert host_of(site, "nora") == ""
    with site.client("nora") as client:
        assert picture(client) == before
        assert append(client, b"INBOX", b"10").is_ok
    site.cas.imapctl("user", "passwd", "nora", input="another\n")
    with site.client("nora", password="another") as client:
        client.ok(b"SELECT INBOX")


def test_link_has_no_directory():
    """Where the only mailbox host proves users, there is nowhere to move them from."""
    with split.SplitServer() as pair:
        pair.add_user("olga")
        code, why = refused(pair, "olga", "mbx1")
        assert code == 69 and "directory" in why
