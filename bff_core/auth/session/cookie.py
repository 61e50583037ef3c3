"""The cookies of sessions: read from a request, written for an answer (RFC 6265bis)."""

from dataclasses import dataclass
from typing import Final, Literal

from bff_core.call import Headers
from bff_core.errors import ConfigurationError

SameSite = Literal["Strict", "Lax"]

PREFIX: Final = "__Host-"
"""Browsers take a cookie of such a name only if it is Secure, for "/", and for one host alone."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that scripts can't read, that goes over TLS and to one host only.

    Raises `ConfigurationError` for a name that browsers would not hold to that.
    """

    name: str
    same_site: SameSite = "Strict"

    def __post_init__(self) -> None:
        bare = self.name.removeprefix(PREFIX)
        is_token = bare.isascii() and bare.replace("-", "").replace("_", "").isalnum()
        if not self.name.startswith(PREFIX) or not is_token:
            raise ConfigurationError(
                f"cookie {self.name!r}: a name starts with {PREFIX} and goes on with letters, "
                "digits, - and _"
            )
        if self.same_site not in {"Strict", "Lax"}:
            raise ConfigurationError(f"cookie {self.name!r}: same_site is Strict or Lax")

    def read(self, headers: Headers) -> str | None:
        """Return its value; None without it, or where it was sent twice: one is somebody's."""
        found: list[bytes] = []
        sought = self.name.encode() + b"="
        for name, value in headers:
            if name == b"cookie" and sought in value:
                pairs = (pair.strip() for pair in value.split(b";"))
                found += [pair[len(sought) :] for pair in pairs if pair.startswith(sought)]
        return found[0].decode("latin-1") if len(found) == 1 else None

    def written(self, value: str, *, seconds: float | None = None) -> tuple[bytes, bytes]:
        """Return the header that sets it, until the browser is closed or for so long."""
        term = "" if seconds is None else f"; Max-Age={round(seconds)}"
        text = f"{self.name}={value}; Path=/; Secure; HttpOnly; SameSite={self.same_site}{term}"
        return b"set-cookie", text.encode("latin-1")

    def cleared(self) -> tuple[bytes, bytes]:
        """Return the header that removes it."""
        return self.written("", seconds=0)
