"""The signed values that name the endpoint of a client: how they are made and read."""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from bff_core.call import Headers
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.affinity import Affinity

HASH_BYTES: Final = 12
TIME_BYTES: Final = 5
SIGNATURE_BYTES: Final = 16
VALUE_BYTES: Final = HASH_BYTES + TIME_BYTES + SIGNATURE_BYTES
VALUE_CHARACTERS: Final = VALUE_BYTES * 4 // 3

NO_KEYS: Final = (
    "its policy has affinity, and there is no key that signs the value: set BFF_SECRET_AFFINITY, "
    "as in BFF_SECRET_AFFINITY=$(openssl rand -base64 32), or BFF_SESSION_KEYS; all instances need "
    "the same"
)


class AffinityValues:
    """Makes and reads the values of one upstream: the hash of an endpoint, a time, a signature.

    Hash and signature are HMAC-SHA256 (RFC 2104) with a secret key: a client can neither learn an
    address from a value nor make one. The first of several `secrets` makes values, and all read
    them, so that keys can rotate. `wall` is Unix time. Raises `ConfigurationError` without a
    secret.
    """

    def __init__(
        self,
        options: Affinity,
        upstream: str,
        secrets: Sequence[str],
        *,
        wall: Clock = time.time,
    ) -> None:
        if not secrets:
            raise ConfigurationError(f"{upstream}: {NO_KEYS}")
        self.name = options.name_for(upstream)
        self._options = options
        self._upstream = upstream.encode()
        self._keys = [sha256(b"bff affinity " + secret.encode()).digest() for secret in secrets]
        self._wall = wall

    def hashes_of(self, endpoint: str) -> list[bytes]:
        """Return the hashes of an endpoint, by each key; the first is used in new values."""
        text = b"endpoint\0" + self._upstream + b"\0" + endpoint.encode()
        return [hmac.digest(key, text, "sha256")[:HASH_BYTES] for key in self._keys]

    def read(self, headers: Headers) -> tuple[bytes, bool] | None:
        """Return the hash that a client's value holds, and whether to set the value anew.

        None without a value, and for one that is forged, too old, or sent twice.
        """
        found = self._found(headers)
        if len(found) != 1 or len(found[0]) != VALUE_CHARACTERS:
            return None
        try:
            octets = urlsafe_b64decode(found[0])
        except ValueError:
            return None
        if urlsafe_b64encode(octets) != found[0] or not self._is_signed(octets):
            return None
        max_age = self._options.max_age
        if max_age is None:
            return octets[:HASH_BYTES], False
        age = self._wall() - int.from_bytes(octets[HASH_BYTES : HASH_BYTES + TIME_BYTES])
        return (octets[:HASH_BYTES], age > max_age / 2) if age <= max_age else None

    def field(self, endpoint: bytes) -> tuple[bytes, bytes]:
        """Return the header that gives a client the value for an endpoint's hash."""
        plain = endpoint + int(self._wall()).to_bytes(TIME_BYTES)
        value = urlsafe_b64encode(plain + self._signature(self._keys[0], plain))
        if self._options.by == "header":
            return self.name.lower().encode(), value
        max_age = self._options.max_age
        term = "" if max_age is None else f"; Max-Age={round(max_age)}"
        text = f"{self.name}={value.decode()}; Path=/; Secure; HttpOnly; SameSite=Lax{term}"
        return b"set-cookie", text.encode()

    def without(self, headers: Headers) -> Headers:
        """Return a client's headers without the value, which is nothing for services."""
        if self._options.by == "header":
            own = self.name.lower().encode()
            return tuple(field for field in headers if field[0].lower() != own)
        return tuple(
            field
            for line in headers
            if (field := _without_cookie(line, self.name.encode())) is not None
        )

    def _found(self, headers: Headers) -> list[bytes]:
        name = self.name.encode()
        if self._options.by == "header":
            return [value.strip() for key, value in headers if key.lower() == name.lower()]
        return [
            value for key, line in headers if key.lower() == b"cookie"
            for own, value in _pairs(line) if own == name
        ]  # fmt: skip

    def _is_signed(self, octets: bytes) -> bool:
        plain, signature = octets[:-SIGNATURE_BYTES], octets[-SIGNATURE_BYTES:]
        return any(
            hmac.compare_digest(self._signature(key, plain), signature) for key in self._keys
        )

    def _signature(self, key: bytes, plain: bytes) -> bytes:
        text = b"value\0" + self._upstream + b"\0" + self.name.encode() + b"\0" + plain
        return hmac.digest(key, text, "sha256")[:SIGNATURE_BYTES]


def _pairs(line: bytes) -> list[tuple[bytes, bytes]]:
    """Return the names and values of a Cookie header."""
    parts = (pair.strip(b" \t").partition(b"=") for pair in line.split(b";"))
    return [(name, value) for name, _, value in parts]


def _without_cookie(field: tuple[bytes, bytes], name: bytes) -> tuple[bytes, bytes] | None:
    if field[0].lower() != b"cookie" or name not in field[1]:
        return field
    others = [
        pair for pair in field[1].split(b";") if pair.strip(b" \t").partition(b"=")[0] != name
    ]
    left = b";".join(others).strip(b" \t")
    return (field[0], left) if left else None
