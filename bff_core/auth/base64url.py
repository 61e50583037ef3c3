"""Base64url without padding (RFC 7515, section 2)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(octets: bytes) -> str:
    """Encode bytes as text for URLs, cookies and tokens."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text: str | bytes) -> bytes:
    """Decode such a text, and others that mean the same; raises `ValueError` for any other."""
    octets = text.encode() if isinstance(text, str) else text
    return urlsafe_b64decode(octets + b"=" * (-len(octets) % 4))
