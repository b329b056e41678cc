"""Users in LDAP who live elsewhere: the attribute of ldap-home-attribute is imap://HOST or imaps://HOST."""
import subprocess

import pytest

import server as lib
import slapd
from test_ldap import Server

pytestmark = pytest.mark.skipif(slapd.SLAPD is None, reason="slapd is not installed")
LOGIN = b'LOGIN tim "%s"' % lib.PASSWORD.encode()


@pytest.fixture
def old():
    with lib.Server(users=("tim",)) as running:
        yield running


def move(directory, home):
    directory.modify(f"dn: uid=tim,ou=people,{slapd.BASE}\nchangetype: modify\nreplace: ou\n" + (f"ou: {home}\n" if home else ""))


def test_move(old):
    """Before the move the password of the old server counts, afterwards that of the entry; mail may be brought before."""
    with slapd.Slapd(slapd.person("tim", "secret", f"ou: imaps://localhost:{old.imaps_port}")) as directory, \
            Server(directory.uri) as new:
        new.settings.append(f"relay-ca {old.cert}")
        new.write_config()
        new.imapctl("reload")
        with new.client() as client:
            assert client.command(LOGIN).is_ok
            client.ok(b"CREATE at-the-old-one")
        assert new.try_login("tim", "secret").startswith(b"a NO [AUTHENTICATIONFAILED]")
        with new.lmtp() as lmtp:
            lmtp.command(b"MAIL FROM:<sender@example.org>")
            assert lmtp.command(b"RCPT TO:<tim>")[-1].startswith(b"451 4.3.5 ")
        letter = new.folder / "1.eml"
        letter.write_bytes(lib.message())
        new.imapctl("import", "tim", "eml", letter)
        move(directory, None)
        with new.client() as client:
            client.ok(b'LOGIN tim secret')
            assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
            assert b"at-the-old-one" not in b"".join(client.ok(b'LIST "" *').untagged)
        with new.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(2), b"tim")[0].startswith(b"250 ")
        move(directory, "imap://old.example.org/of-no-use")
        with new.client() as client:
            assert client.command(b"LOGIN tim secret").tagged.endswith(b"NO [UNAVAILABLE] Try again later")


def test_users_of_ldap_are_not_moved():
    """Where they live is said in LDAP, which is only read: the operator is told what to do."""
    with slapd.Slapd(slapd.person("tim", "secret")) as directory, Server(directory.uri) as server:
        done = server.imapctl("move", "tim", "localhost", check=False)
        assert done.returncode == 69 and "LDAP" in done.stderr and "restore" in done.stderr
        with server.client() as client:
            client.ok(b"LOGIN tim secret")


class MailboxHost(Server):
    role = "mailbox"


class CasHost(Server):
    """A host for clients alone."""

    role = "cas"

    def lines(self):
        return [line for line in super().lines() if not line.startswith("lmtp-listen")]


def link_key(folder):
    subprocess.run([lib.IMAPCTL, "link-key", folder / "link.key"], check=True, capture_output=True)
    return f"link-key {folder / 'link.key'}"


def configure(server, *lines):
    server.settings += lines
    server.write_config()
    return server


def test_a_host_for_clients_alone(old):
    """Nobody who is relayed needs a mailbox server, which cannot be reached here."""
    with slapd.Slapd(slapd.person("tim", "secret", f"ou: imap://localhost:{old.imap_port}")) as directory:
        new = CasHost(directory.uri)
        configure(new, link_key(new.folder), f"mailbox-server mbx1 127.0.0.1:{lib.free_port()}", f"relay-ca {old.cert}")
        with new, new.client() as client:
            assert client.command(LOGIN).is_ok
            client.append(b"INBOX", lib.message())
            assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
            new.imapctl("kick", "tim")
            assert client.line() == b"* BYE The operator has ended this session"


def test_a_host_for_clients_without_a_directory():
    """Only the mailbox server knows that the mail is elsewhere, and it relays nobody: no empty mailbox is shown instead."""
    with slapd.Slapd(slapd.person("tim", "secret", "ou: imap://old.example.org") + slapd.person("ann", "geheim")) as directory:
        mailbox, port = MailboxHost(directory.uri), lib.free_port()
        key = link_key(mailbox.folder)
        configure(mailbox, key, f"link-listen 127.0.0.1:{port}")
        cas = CasHost(directory.uri)
        cas.settings = [key, f"mailbox-server mbx1 127.0.0.1:{port}", "directory link mbx1"]
        cas.write_config()
        with mailbox, cas, cas.client() as client:
            assert client.command(b"LOGIN tim secret").tagged.startswith(b"t1 NO [UNAVAILABLE] ")
            client.ok(b"LOGIN ann geheim")
