"""The addresses of `localhost`, independent of resolver and hosts file."""

from typing import Final

LOOPBACK: Final = ("127.0.0.1", "::1")
"""Both addresses of this machine (RFC 6761, section 6.3); dev servers of Node have the second."""


def is_localhost(host: str) -> bool:
    """Whether a name is `localhost`; those below it may be aliases of containers."""
    return host.lower().removesuffix(".") == "localhost"
