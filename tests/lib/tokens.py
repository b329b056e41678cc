"""An issuer of tokens, made with python3-cryptography and, where it is there, python3-jwt: nothing of it is imapd's."""
import base64
import json
import time

import pytest

cryptography = pytest.importorskip("cryptography", reason="python3-cryptography is not installed")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: E402

NAME = "https://login.example.org"
AUDIENCE = "imap.example.org"


def b64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(value, length=None):
    return b64url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Issuer:
    """Three keys, of which the key set knows the public halves."""

    def __init__(self, name=NAME):
        self.name = name
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.ed = ed25519.Ed25519PrivateKey.generate()

    def jwks(self):
        one, two = self.rsa.public_key().public_numbers(), self.ec.public_key().public_numbers()
        raw = self.ed.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return json.dumps({"keys": [
            {"kty": "RSA", "kid": "r", "use": "sig", "n": number(one.n), "e": number(one.e)},
            {"kty": "EC", "kid": "e", "crv": "P-256", "x": number(two.x, 32), "y": number(two.y, 32)},
            {"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": b64url(raw)},
            {"kty": "RSA", "kid": "enc", "use": "enc", "n": "AQAB", "e": "AQAB"}]}, indent=1)

    def pem(self, key):
        return key.public_key().public_bytes(serialization.Encoding.PEM,
                                             serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, algorithm, text):
        if algorithm == "RS256":
            return self.rsa.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if algorithm == "ES256":
            r, s = decode_dss_signature(self.ec.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.ed.sign(text) if algorithm == "EdDSA" else b""

    def token(self, user, algorithm="ES256", header=(), **claims):
        """A claim that is None is left out."""
        now = int(time.time())
        claims = {"iss": self.name, "aud": AUDIENCE, "email": user, "iat": now, "exp": now + 600, **claims}
        head = {"alg": algorithm, "typ": "at+jwt", "kid": {"RS256": "r", "ES256": "e"}.get(algorithm, "d"), **dict(header)}
        parts = [b64url(json.dumps({k: v for k, v in part.items() if v is not None}).encode()) for part in (head, claims)]
        return ".".join([*parts, b64url(self.sign(algorithm, ".".join(parts).encode()))])
