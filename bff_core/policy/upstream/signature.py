"""HTTP message signatures: the signature base and its fields (RFC 9421, RFC 9530)."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

import http_sf

Component = tuple[str, str]
"""A covered component: its name, such as "@method", and its value."""


def digest_field(body: bytes) -> bytes:
    """Return the value of Content-Digest for a body (RFC 9530, section 2)."""
    return b"sha-256=:%b:" % b64encode(sha256(body).digest())


def parameters(components: Sequence[Component], *, created: int, key_id: str) -> str:
    """Return the value of @signature-params: covered components, time and key.

    `created` is a Unix time. Source: RFC 9421, section 2.3.
    """
    covered = " ".join(f'"{name}"' for name, _ in components)
    return f"({covered});created={created};keyid={_quoted(key_id)}"


def base(components: Sequence[Component], params: str) -> bytes:
    """Return the octets that are signed (RFC 9421, section 2.5)."""
    lines = [f'"{name}": {value}' for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode("latin-1")


def sign(key: bytes, components: Sequence[Component], params: str) -> bytes:
    """Return the signature by hmac-sha256 (RFC 9421, section 3.3.3) as a byte sequence field."""
    return b":%b:" % b64encode(hmac.digest(key, base(components, params), "sha256"))


@lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    """Return printable ASCII as a string of a structured field (RFC 9651, section 4.1.6)."""
    return http_sf.ser(text)
