"""A client of SCRAM written from RFC 5802, RFC 7677, RFC 5929 and RFC 9266; nothing of it is imapd's."""
import base64
import hashlib
import hmac
import os


def b64(octets):
    return base64.b64encode(octets)


class Scram:
    """One exchange; `change` may alter each message before it is sent: 1 the first, 2 the final one before it is
    signed, 3 the final one."""

    def __init__(self, user, password, change=lambda step, message: message, mechanism="SCRAM-SHA-256",
                 flag=b"n", binding=b"", identity=""):
        self.user, self.password, self.change = user.encode(), password.encode(), change
        self.mechanism, self.flag, self.binding = mechanism.encode(), flag, binding
        self.header = flag + b"," + (b"a=" + identity.encode() if identity else b"") + b","
        self.hash = "sha1" if b"SHA-1" in self.mechanism else "sha256"
        self.nonce = b64(os.urandom(18))

    def sign(self, key, text):
        return hmac.new(key, text, self.hash).digest()

    def run(self, client, has_initial_response=True):
        """The tagged line of the answer; the client checks the server's signature, too."""
        bare = b"n=%s,r=%s" % (self.user, self.nonce)
        first = self.change(1, self.header + bare)
        if has_initial_response:
            client.send(b"s AUTHENTICATE %s %s\r\n" % (self.mechanism, b64(first)))
        else:
            client.send(b"s AUTHENTICATE %s\r\n" % self.mechanism)
            assert client.line().startswith(b"+")
            client.send(b64(first) + b"\r\n")
        line = client.line()
        if not line.startswith(b"+ "):
            return line
        challenge = base64.b64decode(line[2:])
        self.fields = fields = dict(part.split(b"=", 1) for part in challenge.split(b","))
        assert fields[b"r"].startswith(self.nonce) and len(fields[b"r"]) > len(self.nonce) + 8
        assert int(fields[b"i"]) >= 4096
        salted = hashlib.pbkdf2_hmac(self.hash, self.password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        header = b64(self.header + self.binding)
        without_proof = self.change(2, b"c=" + header + b",r=" + fields[b"r"])
        text = bare + b"," + challenge + b"," + without_proof
        client_key = self.sign(salted, b"Client Key")
        signature = self.sign(hashlib.new(self.hash, client_key).digest(), text)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        client.send(b64(self.change(3, without_proof + b",p=" + b64(proof))) + b"\r\n")
        line = client.line()
        if not line.startswith(b"+ "):
            return line
        # Only a server that knows the key can say this.
        assert base64.b64decode(line[2:]) == b"v=" + b64(self.sign(self.sign(salted, b"Server Key"), text))
        client.send(b"\r\n")
        return client.line()


def end_point(client, signed_with="sha256"):
    """tls-server-end-point of a connection (RFC 5929 section 4.1)."""
    return hashlib.new("sha256" if signed_with == "sha1" else signed_with,
                       client.socket.getpeercert(binary_form=True)).digest()


def bound(user, password, client, mechanism="SCRAM-SHA-256-PLUS", signed_with="sha256", **more):
    return Scram(user, password, mechanism=mechanism, flag=b"p=tls-server-end-point",
                 binding=end_point(client, signed_with), **more)
