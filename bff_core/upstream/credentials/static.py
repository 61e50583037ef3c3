"""What is the same for all calls: a key in a field, a name with its password."""

from base64 import b64encode
from collections.abc import Callable

from bff_core.call import Call, Headers
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.credentials import ApiKey, Basic
from bff_core.upstream.credentials.redacted_headers import RedactedValue
from bff_core.upstream.transport.request_writer import RESERVED


class StaticHeader:
    """Shows the same fields always; nothing takes the place of those that are refused."""

    __slots__ = ("_fields", "_told", "names")

    def __init__(self, name: bytes, value: bytes, told: str) -> None:
        self._fields: Headers = ((name, RedactedValue(value)),)
        self._told = told
        self.names = frozenset({name})

    def __repr__(self) -> str:
        return self._told

    def ready(self, _: Call) -> Headers:
        """Return the fields."""
        return self._fields

    async def fetched(self, _: Call) -> Headers:
        """Return the fields."""
        return self._fields

    async def replaced(self, _: Call, _refused: Headers) -> None:
        """Have no others."""


def api_key(options: ApiKey, secret: Callable[[str], str]) -> StaticHeader:
    """Return the credential of a key; raises `ConfigurationError` for a field it can't have."""
    name = options.header.lower().encode()
    if name in RESERVED:
        raise ConfigurationError(
            f"ApiKey.header must not be {options.header!r}, which the transport sets"
        )
    return StaticHeader(name, secret(options.secret).encode(), f"a key as {options.header.lower()}")


def basic(options: Basic, secret: Callable[[str], str]) -> StaticHeader:
    """Return the credential of a name and a password (RFC 7617, section 2)."""
    pair = f"{options.username}:{secret(options.secret)}".encode()
    return StaticHeader(
        b"authorization", b"Basic " + b64encode(pair), f"Basic as {options.username}"
    )
