"""How session cookies are read from a request, and set and removed by an answer (RFC 6265bis)."""

from dataclasses import dataclass
from typing import Final, Literal

from bff_core.call import Headers
from bff_core.errors import ConfigurationError

SameSite = Literal["Strict", "Lax"]

PREFIX: Final = "__Host-"
"""Browsers accept a cookie with this prefix only if it is Secure, for "/" and for one host."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that scripts can't read, and that browsers send over TLS and to one host only.

    Raises `ConfigurationError` for a name to which browsers don't apply these rules.
    """

    name: str
    same_site: SameSite = "Strict"

    def __post_init__(self) -> None:
        bare = self.name.removeprefix(PREFIX)
        is_token = bare.isascii() and bare.replace("-", "").replace("_", "").isalnum()
        if not self.name.startswith(PREFIX) or not is_token:
            raise ConfigurationError(
                f"cookie {self.name!r}: a name has to start with {PREFIX}, followed by letters, "
                "digits, - and _"
            )
        if self.same_site not in {"Strict", "Lax"}:
            raise ConfigurationError(f"cookie {self.name!r}: same_site is Strict or Lax")

    def read(self, headers: Headers) -> str | None:
        """Return its value; None without it, or if it was sent twice: another site may set one."""
        found: list[bytes] = []
        prefix = self.name.encode() + b"="
        for name, value in headers:
            if name == b"cookie" and prefix in value:
                pairs = (pair.strip() for pair in value.split(b";"))
                found += [pair[len(prefix) :] for pair in pairs if pair.startswith(prefix)]
        return found[0].decode("latin-1") if len(found) == 1 else None

    def set_header(self, value: str, *, seconds: float | None = None) -> tuple[bytes, bytes]:
        """Return the header that sets it, for the browser's session or for some seconds."""
        term = "" if seconds is None else f"; Max-Age={round(seconds)}"
        text = f"{self.name}={value}; Path=/; Secure; HttpOnly; SameSite={self.same_site}{term}"
        return b"set-cookie", text.encode("latin-1")

    def removal_header(self) -> tuple[bytes, bytes]:
        """Return the header that removes it from the browser."""
        return self.set_header("", seconds=0)
