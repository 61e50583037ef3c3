"""The addresses of `localhost`, which are not looked up."""

from typing import Final

LOOPBACK: Final = ("127.0.0.1", "::1")
"""The loopback addresses (RFC 6761, section 6.3); Node's development servers listen on ::1."""


def is_localhost(host: str) -> bool:
    """Whether a name is `localhost`; names below it may be aliases of containers."""
    return host.lower().removesuffix(".") == "localhost"
