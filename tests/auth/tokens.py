"""An issuer for tests: its keys, and tokens, honest or forged."""

import base64
import json
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ISSUER = "https://id.example.com"
AUDIENCE = "https://shop.example.com"
NOW = 1_700_000_000.0

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "ec-1"}, private=True)
ED = OKPKey.generate_key("Ed25519", {"kid": "ed-1"}, private=True)
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a good token; None takes one away."""
    members = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-7",
        "exp": NOW + 600,
        "iat": NOW,
        "client_id": "app",
        "scope": "orders:read cart",
        **changed,
    }
    return {name: value for name, value in members.items() if value is not None}


def signed(
    payload: dict[str, Any] | bytes | None = None,
    *,
    key: Any = RSA,
    algorithm: str = "RS256",
    **header: Any,
) -> str:
    """Return a token, signed by a key; its header names the key, unless `kid` is given."""
    head = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid, **header}
    head = {name: value for name, value in head.items() if value is not None}
    body = payload if isinstance(payload, bytes) else json.dumps(payload or claims()).encode()
    return assembled(head, body, key=key, algorithm=algorithm)


def assembled(head: dict[str, Any], body: bytes, *, key: Any, algorithm: str) -> str:
    """Return a token with any header, signed whatever that says."""
    started = b".".join([encoded(json.dumps(head).encode()), encoded(body)])
    model = JWSRegistry.algorithms[algorithm]
    return (started + b"." + encoded(model.sign(started, key))).decode()


def encoded(octets: bytes) -> bytes:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def key_set(*keys: Any, **more: Any) -> dict[str, Any]:
    """Return the public keys as an issuer publishes them."""
    return {"keys": [{**key.as_dict(private=False), **more} for key in keys or (RSA, EC, ED)]}


def wall() -> float:
    """Return the time of the tests."""
    return NOW
