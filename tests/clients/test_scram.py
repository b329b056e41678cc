"""SCRAM-SHA-256 (RFC 5802, RFC 7677) by a client written from the RFC."""
import base64
import hashlib
import hmac
import os

import pytest

import server as lib


def b64(octets):
    return base64.b64encode(octets)


def sign(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class Scram:
    """One exchange; `change` may alter each message before it is sent."""

    def __init__(self, user, password, change=lambda step, message: message):
        self.user, self.password, self.change = user.encode(), password.encode(), change
        self.nonce = b64(os.urandom(18))

    def run(self, client, has_initial_response):
        bare = b"n=%s,r=%s" % (self.user, self.nonce)
        first = self.change(1, b"n,," + bare)
        if has_initial_response:
            client.send(b"s AUTHENTICATE SCRAM-SHA-256 " + b64(first) + b"\r\n")
        else:
            client.send(b"s AUTHENTICATE SCRAM-SHA-256\r\n")
            assert client.line().startswith(b"+")
            client.send(b64(first) + b"\r\n")
        line = client.line()
        if not line.startswith(b"+ "):
            return line
        challenge = base64.b64decode(line[2:])
        fields = dict(part.split(b"=", 1) for part in challenge.split(b","))
        assert fields[b"r"].startswith(self.nonce) and len(fields[b"r"]) > len(self.nonce) + 8
        assert int(fields[b"i"]) >= 4096
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        without_proof = self.change(2, b"c=biws,r=" + fields[b"r"])
        text = bare + b"," + challenge + b"," + without_proof
        client_key = sign(salted, b"Client Key")
        signature = sign(hashlib.sha256(client_key).digest(), text)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        client.send(b64(self.change(3, without_proof + b",p=" + b64(proof))) + b"\r\n")
        line = client.line()
        if not line.startswith(b"+ "):
            return line
        # Only a server that knows the key can say this.
        assert base64.b64decode(line[2:]) == b"v=" + b64(sign(sign(salted, b"Server Key"), text))
        client.send(b"\r\n")
        return client.line()


@pytest.fixture
def new_server():
    """Failed logins delay the next one from the same address: no test waits for another's."""
    with lib.Server() as running:
        yield running


@pytest.mark.parametrize("has_initial_response", [True, False], ids=["with SASL-IR", "without"])
def test_the_right_password(shared_server, user, has_initial_response):
    client = shared_server.client()
    assert Scram(user, lib.PASSWORD).run(client, has_initial_response).startswith(b"s OK")
    client.ok(b"SELECT INBOX")
    client.close()


@pytest.mark.parametrize("name, change", {
    "another nonce": lambda step, m: m[:-1] + (b"A" if m[-1:] != b"A" else b"B") if step == 2 else m,
    "channel binding that was not offered": lambda step, m: b"p=tls-unique,," + m[3:] if step == 1 else m,
    "another binding in the proof": lambda step, m: m.replace(b"c=biws", b"c=eSws") if step == 2 else m,
    "a second user name": lambda step, m: m + b",n=root" if step == 1 else m,
    "a mandatory extension": lambda step, m: b"n,,m=x," + m[3:] if step == 1 else m,
    "a proof cut short": lambda step, m: m[:-8] if step == 3 else m,
}.items())
def test_what_is_forged_is_refused(new_server, name, change):
    client = new_server.client()
    assert Scram("demo", lib.PASSWORD, change).run(client, True).split()[1] in (b"NO", b"BAD"), name
    client.close()


def test_wrong_password_and_unknown_user_look_alike(new_server):
    answers = []
    for name, password in (("demo", "wrong"), ("nobody", lib.PASSWORD)):
        client = new_server.client()
        answers.append(Scram(name, password).run(client, True))
        client.close()
    assert answers[0] == answers[1] and answers[0].startswith(b"s NO")
