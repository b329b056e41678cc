"""Two hosts and three: logins, homes, what reaches the mailbox server's log, a server that is down or comes back."""
import base64
import json
import re
import subprocess
import time

import pytest

import server as lib
import split

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")


@pytest.fixture(scope="module")
def pair():
    with split.SplitServer(cas_settings=["link-timeout 4"]) as running:
        running.add_user("alice")
        yield running


@pytest.fixture(scope="module")
def three():
    with split.SplitServer(mailbox_servers=2, cas_settings=["link-timeout 4"]) as running:
        running.add_user("alice", home=0)
        running.add_user("bob", home=1)
        yield running


def last(host, event, word=""):
    found = [line for line in host.log_lines if f"ev={event} " in line and word in line]
    return found[-1] if found else ""


def test_facts_reach_the_mailbox_server(pair):
    with pair.client("alice", tls=True) as client:
        client.ok(b"NOOP")
        lib.wait_until(lambda: last(pair.cas, "login") and last(pair.mailboxes[0], "login"))
        line = last(pair.mailboxes[0], "login")
        sid = re.search(r"sid=(\w+)", last(pair.cas, "login"))[1]
        assert f"sid={sid} " in line and "user=alice" in line
        assert f"address={pair.wire.near_address} " in line and "tls=TLSv1." in line and "cipher=" in line
        assert f"cas={pair.mailboxes[0].wire.near_address} " in line and "link=TLSv1.2" in line


def test_second_login_resumes(pair):
    """No public-key operation between the hosts, and a round trip less."""
    for _ in range(3):
        pair.client("alice").close()
    lib.wait_until(lambda: last(pair.mailboxes[0], "login").endswith("resumed=yes"))


def test_unknown_user_and_wrong_password_look_alike(pair):
    answers = []
    for user, password in ((b"alice", b"wrong"), (b"nobody", b"wrong")):
        with pair.client() as client:
            answers.append(client.command(b'LOGIN %s "%s"' % (user, password)).tagged)
    assert answers[0] == answers[1] and b"[AUTHENTICATIONFAILED]" in answers[0]


def test_no_scram_without_directory(pair):
    with pair.client() as client:
        assert b"AUTH=PLAIN" in client.greeting and b"SCRAM" not in client.greeting


def test_users_cannot_be_changed_at_the_cas(pair):
    done = pair.cas.imapctl("user", "add", "eve", input="x\n", check=False)
    assert done.returncode == 69, done


NAMES = [b"a\rb", b"a\nb", b"a\0b", b'a"b', b"a\\b", b"a L3 DELETE INBOX", b"a\r\nL3 DELETE INBOX", "aé".encode(),
         b"\xff\xfe", b"a" * 600, b"*)(uid=*", b"%s%n"]


def test_hostile_names(pair):
    """Base64 all the way, so that no name can say anything on the link."""
    def logins():
        return [line for line in pair.mailboxes[0].log_lines if "ev=login " in line]
    before = logins()
    clients = [pair.client() for _ in NAMES]
    for client, name in zip(clients, NAMES):
        client.send(b"a AUTHENTICATE PLAIN " + base64.b64encode(b"\0" + name + b"\0" + b"x") + b"\r\n")
    for client, name in zip(clients, NAMES):
        answer = client.line()
        assert answer.startswith((b"a NO", b"a BAD")) and b"UNAVAILABLE" not in answer, (name, answer)
        client.close()
    assert logins() == before


def test_external_is_not_for_the_public(pair):
    with pair.client() as client:
        assert not client.command(b"AUTHENTICATE EXTERNAL YWxpY2U=").is_ok
        assert client.command(b'ID ("x-session-id" "forged" "x-originating-ip" "6.6.6.6")').is_ok
        assert not client.command(b"AUTHENTICATE EXTERNAL =").is_ok
    with pair.client("alice") as client:
        client.ok(b'ID ("x-originating-ip" "6.6.6.6")')
        client.ok(b"NOOP")
    assert "6.6.6.6" not in "\n".join(pair.log_lines) and "forged" not in "\n".join(pair.log_lines)


def test_masks_know_the_client_at_the_mailbox_server(pair):
    """Its address and the words of its ID cross the link."""
    mailbox = pair.mailboxes[0]
    before = mailbox.settings
    mailbox.settings = [*before, f"capability-mask IDLE address={pair.wire.near_address}", "capability-mask MOVE id=phone",
                        "capability-mask UNSELECT address=192.0.2.0/24"]
    mailbox.write_config()
    mailbox.imapctl("reload")
    with pair.client() as client:
        client.ok(b'ID ("name" "My Phone")')
        shown = client.ok(b"LOGIN alice \"%s\"" % lib.PASSWORD.encode()).tagged
        assert b" IDLE" not in shown and b" MOVE" not in shown and b" UNSELECT" in shown
        assert b" BAD " in client.command(b"IDLE").tagged
    mailbox.settings = before
    mailbox.write_config()
    mailbox.imapctl("reload")


def test_homes(three):
    for user, number in (("alice", 0), ("bob", 1)):
        with three.client(user) as client:
            assert client.append(b"INBOX", lib.message()).is_ok
        lib.wait_until(lambda: f"user={user} " in last(three.mailboxes[number], "login"))
        assert f"user={user}" not in last(three.mailboxes[1 - number], "login")


def test_a_home_is_a_configured_server(three):
    done = three.cas.imapctl("user", "set", "bob", "--home=mbx9", check=False)
    assert done.returncode == 65
    assert done.stderr == "imapctl: no mailbox-server of this name: mbx9; there are: mbx1, mbx2\n"
    done = three.cas.imapctl("user", "add", "carol", "--home=mbx9", input="x\n", check=False)
    assert done.returncode == 65 and three.cas.imapctl("user", "show", "carol", check=False).returncode == 67
    assert json.loads(three.cas.imapctl("--json", "user", "show", "bob").stdout)["user"][0]["home"] == "mbx2"


def test_a_home_counts_from_the_next_login(three):
    three.mailboxes[0].add_user("carol")
    three.add_user("carol", home=1)
    for number in (1, 0):
        three.cas.imapctl("user", "set", "carol", f"--home=mbx{number + 1}")
        three.client("carol").close()
        lib.wait_until(lambda host=three.mailboxes[number]: "user=carol" in last(host, "login"))


def sessions(host):
    return json.loads(host.imapctl("--json", "status", check=False).stdout)["role"][0]["sessions"]


def test_unauthenticate_leads_to_another_host(three):
    """Time and again, in one packet, with and without TLS and DEFLATE; in the end nobody has a session."""
    def login(user):
        return b'LOGIN %s "%s"' % (user, lib.PASSWORD.encode())
    for number, user in ((0, "alice"), (1, "bob")):
        with three.client(user) as client:
            assert client.ok(b"CREATE %s-only" % user.encode())
    for tls in (False, True):
        with three.client(tls=tls) as client:
            for number in range(1000):
                user = (b"alice", b"bob")[number % 2]
                client.send(b"l %s\r\ns LIST \"\" *only\r\nu UNAUTHENTICATE\r\n" % login(user))
                assert client.reply(b"l").is_ok
                assert client.reply(b"s").untagged == [b'* LIST (\\HasNoChildren) "/" %s-only' % user]
                assert client.reply(b"u").is_ok
            client.ok(login(b"alice"))
            client.start_deflate()
            client.socket.send_last(b"u UNAUTHENTICATE\r\n", lib.zlib.Z_SYNC_FLUSH, b"l " + login(b"bob") + b"\r\n")
            assert client.reply(b"u").is_ok and client.reply(b"l").is_ok
            client.ok(b"SELECT bob-only")
            client.ok(b"UNAUTHENTICATE")
            assert b" BAD " in client.command(b"NOOP x").tagged
            client.ok(b"LOGOUT")
    lib.wait_until(lambda: [sessions(host) for host in three.hosts()] == [0, 1, 1])     # the pulse is one
    for host in three.hosts():
        lib.wait_until(lambda host=host: three.descriptors(host) < 60)


def test_unauthenticate_when_a_server_dies(three):
    """Clients at the way back when their mailbox server is killed: each of them is told, or logs in as somebody else."""
    clients = [three.client("bob") for _ in range(20)]
    for client in clients:
        client.ok(b"SELECT INBOX")
    for client in clients:
        client.send(b"u UNAUTHENTICATE\r\n" + b"n NOOP\r\n" * 500 + b'l LOGIN alice "%s"\r\n' % lib.PASSWORD.encode())
    three.mailboxes[1].kill()
    for client in clients:
        line = client.file.readline()
        while line and not line.startswith((b"l ", b"* BYE [UNAVAILABLE]")):
            line = client.file.readline()
        assert line.startswith((b"l OK", b"* BYE [UNAVAILABLE]")), line
        client.close()
    with three.client("alice") as client:
        client.ok(b"UNAUTHENTICATE")
        answer = client.command(b'LOGIN bob "%s"' % lib.PASSWORD.encode())
        assert b"NO [UNAVAILABLE]" in answer.tagged
        client.ok(b'LOGIN alice "%s"' % lib.PASSWORD.encode())
    three.mailboxes[1].start()
    three.await_link(1)
    lib.wait_until(lambda: sessions(three.cas) == 0)


def test_imap_off_on_the_host_for_clients(three):
    with three.client("bob") as client, three.client("alice") as other:
        client.ok(b"SELECT INBOX")
        three.cas.imapctl("user", "set", "bob", "--imap=off")
        assert client.line().startswith(b"* BYE ")
        assert client.file.readline() == b""
        other.ok(b"NOOP")
        with three.client() as again:
            assert b"NO [AUTHENTICATIONFAILED]" in again.command(b'LOGIN bob "%s"' % lib.PASSWORD.encode()).tagged
    three.cas.imapctl("user", "set", "bob", "--imap=on")
    three.client("bob").close()


def test_one_server_down_leaves_the_others_alone(three):
    three.mailboxes[1].stop()
    with three.client() as client:
        answer = client.command(b'LOGIN bob "%s"' % lib.PASSWORD.encode())
        assert b"NO [UNAVAILABLE]" in answer.tagged
    with three.client("alice") as client:
        client.ok(b"SELECT INBOX")
    seconds = []
    for _ in range(20):
        with three.client() as client:
            begun = time.monotonic()
            assert b"[UNAVAILABLE]" in client.command(b'LOGIN bob "%s"' % lib.PASSWORD.encode()).tagged
            seconds.append(time.monotonic() - begun)
    assert sorted(seconds)[10] < 10, "a server known to be down is not waited for"
    three.mailboxes[1].start()

    def can_log_in():
        with three.client() as client:
            return client.command(b'LOGIN bob "%s"' % lib.PASSWORD.encode()).is_ok
    lib.wait_until(can_log_in)


def goodbye(client):
    """What a client that waits gets to see, to the end."""
    client.socket.settimeout(lib.LIMIT_S)
    return client.file.read()


def test_killed_server_says_bye(pair):
    with pair.client("alice") as client:
        client.ok(b"SELECT INBOX")
        client.send(b"i IDLE\r\n")
        assert client.line().startswith(b"+ ")
        pair.mailboxes[0].kill()
        assert b"* BYE [UNAVAILABLE]" in goodbye(client)
    pair.mailboxes[0].start()
    pair.await_link()


@pytest.mark.parametrize("fault", ["cut", "swallow", "swallow_near", "stop"])
def test_silent_server_says_bye(pair, fault):
    """Half-open, cut, or a process that hangs: the client is told within the time of link-timeout."""
    pair.await_link()
    host = pair.mailboxes[0]
    with pair.client("alice") as client:
        client.ok(b"SELECT INBOX")
        if fault == "stop":
            lib.freeze(host.process)
        else:
            getattr(host.wire, fault)()
        try:
            client.send(b"n NOOP\r\n")
            rest = goodbye(client)
            assert b"* BYE [UNAVAILABLE]" in rest and b"n OK" not in rest
        finally:
            lib.thaw(host.process)
            host.wire.heal()

    def can_log_in():
        with pair.client() as again:
            return again.command(b'LOGIN alice "%s"' % lib.PASSWORD.encode()).is_ok
    lib.wait_until(can_log_in)
    pair.await_link()


def test_idle_clients_hear_of_a_silent_server(pair):
    pair.await_link()
    clients = [pair.client("alice") for _ in range(5)]
    for client in clients:
        client.ok(b"SELECT INBOX")
    pair.mailboxes[0].wire.cut()
    try:
        for client in clients:
            assert b"* BYE [UNAVAILABLE]" in goodbye(client)
            client.close()
    finally:
        pair.mailboxes[0].wire.heal()
    lib.wait_until(lambda: "ev=link-up" in [line for line in pair.cas.log_lines if "ev=link-" in line][-1])
    lib.wait_until(lambda: pair.descriptors(pair.cas) < 40)


def authority(folder):
    """A private authority and what it signs; returns a function that makes a certificate for a name."""
    def run(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=folder)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=site", "-addext", "keyUsage=critical,keyCertSign", "-keyout", "ca.key", "-out", "ca.pem")

    def make(name, usage):
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage={usage}\n"
                                             "authorityKeyIdentifier=keyid\n")	# Python 3.13 asks for it
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        (folder / f"{name}.key").chmod(0o600)
        return [f"link-certificate {folder}/{name}.pem", f"link-private-key {folder}/{name}.key",
                f"link-ca {folder}/ca.pem"]
    return make


@pytest.mark.parametrize("server_name, usage, is_good", [
    ("mbx1", "serverAuth", True), ("other", "serverAuth", False), ("mbx1", "clientAuth", False)])
def test_certificates(tmp_path, server_name, usage, is_good):
    make = authority(tmp_path)
    lines = {"mailbox": make(server_name, usage), "cas": make("cas", "clientAuth")}
    pair = split.SplitServer(link=lambda split, host, role: lines[role])
    pair.await_link = lambda: None
    with pair:
        pair.add_user("alice")
        sign = "ev=link-up" if is_good else "ev=link-down"
        lib.wait_until(lambda: any(sign in line for line in pair.cas.log_lines))
        with pair.client() as client:
            answer = client.command(b'LOGIN alice "%s"' % lib.PASSWORD.encode())
            assert answer.is_ok if is_good else b"[UNAVAILABLE]" in answer.tagged
        if is_good:
            pair.client("alice").close()
            lib.wait_until(lambda: last(pair.mailboxes[0], "login").endswith("resumed=yes"))


def test_tokens_without_a_directory(tmp_path):
    """The cas believes the issuer, and the mailbox server alone knows who exists and may log in."""
    tokens = pytest.importorskip("tokens", reason="python3-cryptography is not installed")
    issuer = tokens.Issuer()
    keys = tmp_path / "jwks.json"
    keys.write_text(issuer.jwks())
    with split.SplitServer(cas_settings=[f"oauth-issuer {tokens.NAME} {keys}", f"oauth-audience {tokens.AUDIENCE}"]) as running:
        running.add_user("alice")

        def log_in(user):
            message = base64.b64encode(f"user={user}\x01auth=Bearer {issuer.token(user)}\x01\x01".encode())
            with running.client() as client:
                answer = client.command(b"AUTHENTICATE XOAUTH2 " + message)
                if answer.is_ok:
                    client.ok(b"SELECT INBOX")
                return answer.tagged
        assert b" OK " in log_in("alice")
        assert b" NO [AUTHORIZATIONFAILED]" in log_in("nobody")
        running.mailboxes[0].imapctl("user", "set", "alice", "--imap=off")
        assert b" NO [AUTHORIZATIONFAILED]" in log_in("alice")


def test_referral_of_a_home_that_knows_its_users():
    """Where the mailbox server compares the password, it has done so before anybody hears of a referral."""
    with split.SplitServer(cas_settings=["login-referral mbx1 imap1.example.org:143"]) as running:
        running.add_user("alice")
        with running.client() as client:
            assert b" LOGIN-REFERRALS " in client.greeting
            answers = [client.command(b'LOGIN %s wrong' % user).tagged.split(b" ", 1)[1] for user in (b"alice", b"nobody")]
            assert answers[0] == answers[1] and b"[AUTHENTICATIONFAILED]" in answers[0]
            answer = client.command(b'LOGIN alice "%s"' % lib.PASSWORD.encode()).tagged
            assert b" NO [REFERRAL imap://alice;AUTH=*@imap1.example.org:143/] " in answer
            client.ok(b"NOOP")
            lib.wait_until(lambda: [sessions(host) for host in running.hosts()] == [0, 1])      # the pulse is one


def plain(running, user, identity=""):
    with running.client() as client:
        message = base64.b64encode(f"{identity}\0{user}\0{lib.PASSWORD}".encode())
        return client.command(b"AUTHENTICATE PLAIN " + message).is_ok


def is_refused(running, user, identity=""):
    """The cas's log says so at once, the answer comes late."""
    def failures():
        return sum(" ev=auth-fail " in line for line in running.cas.log_lines)
    before = failures()
    with running.client() as client:
        client.send(b"s AUTHENTICATE PLAIN " + base64.b64encode(f"{identity}\0{user}\0{lib.PASSWORD}".encode()) + b"\r\n")
        lib.wait_until(lambda: failures() > before)
    return True


def test_masters_and_delegates_without_a_directory():
    """The mailbox server takes the name apart; whom the cas denies gets in by no form of it."""
    with split.SplitServer(cas_settings=["deny-users carol hal"]) as running:
        home = running.mailboxes[0]
        for user in ("alice", "carol", "root", "hal", "ann"):
            running.add_user(user)
        for words in (("set", "root", "--master"), ("set", "hal", "--master"), ("allow", "alice", "--delegate=ann")):
            home.imapctl("user", *words)
        for user, identity in (("root", "alice"), ("alice*root", ""), ("ann", "alice"), ("ann/alice", ""), ("D/ann/alice", "")):
            assert plain(running, user, identity), (user, identity)
            by = "root" if "root" in user else "ann"
            lib.wait_until(lambda by=by: f"user=alice by={by} " in last(home, "login"))
        for user, identity in (("root", "carol"), ("carol*root", ""), ("alice*hal", ""), ("ann", "root"), ("alice", "ann")):
            assert is_refused(running, user, identity)
        home.imapctl("user", "set", "root", "--imap=off")
        assert is_refused(running, "alice*root")


def test_who_acts_as_another_from_host_to_host(three):
    """The cas has the directory, and tells the mailbox server both names."""
    three.cas.imapctl("user", "allow", "bob", "--delegate=alice")
    assert plain(three, "alice", "bob")
    lib.wait_until(lambda: "by=alice" in last(three.mailboxes[1], "login", "user=bob"))
    assert is_refused(three, "bob", "alice")
