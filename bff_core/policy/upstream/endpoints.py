"""`EndpointOptions`: one address of an upstream, with its share of the calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

SERVICE_SCHEMES: Final = ("http", "https", "dns")
"""Schemes of an address that is called; `dns://name:port` is another way to write http."""

LIST_SCHEMES: Final = ("srv", "file")
"""Schemes of an address that names a list of endpoints."""


@checks_keywords
@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """One address of an upstream: an IP address, or a name whose addresses share these options.

    A higher `weight` gets more calls, by proportion; 0 drains the endpoint: it gets no calls but
    those of clients that affinity sends there. Endpoints of a higher `priority` number are used
    while no endpoint of a lower one can be. `zone` and `metadata` are for people. Raises
    `ConfigurationError` for an address that can't be called, and options out of their range.
    """

    url: str
    weight: Annotated[int, Option("Its share of the calls; 0 drains it", 0, 1000)] = field(
        default=1, kw_only=True
    )
    priority: Annotated[
        int, Option("A number above others takes over when all lower ones are out", 0, 1000)
    ] = field(default=0, kw_only=True)
    zone: Annotated[str, Option("Where it runs, as people name it")] = field(
        default="", kw_only=True
    )
    metadata: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        check(self)
        if not isinstance(self.url, str):
            raise ConfigurationError(f"EndpointOptions.url must be text, not {self.url!r}")
        try:
            url = checked_address(self.url, SERVICE_SCHEMES)
        except ValueError as error:
            raise ConfigurationError(f"EndpointOptions.url = {self.url!r}: {error}") from None
        object.__setattr__(self, "url", url)
        texts = isinstance(self.metadata, Mapping) and all(
            isinstance(one, str) for pair in self.metadata.items() for one in pair
        )
        if not texts:
            raise ConfigurationError(
                f"EndpointOptions.metadata must map text to text, not {self.metadata!r}"
            )


def checked_address(url: str, schemes: tuple[str, ...]) -> str:
    """Return an address without a slash at its end; raises `ValueError` for a wrong one.

    It has one of the schemes, a host, and optionally a port and a path; of `file`, only a path.
    """
    if not url.isprintable() or " " in url:
        raise ValueError("an address has neither spaces nor control characters")
    parts = urlsplit(url)
    if parts.scheme not in schemes or not (parts.hostname or parts.scheme == "file"):
        *others, last = (f"{one}://" for one in schemes)
        raise ValueError(f"an address starts with {', '.join(others)} or {last} and a host")
    _check_parts(parts)
    if "?" in url or "#" in url:
        raise ValueError("an address has neither query nor fragment")
    if parts.port == 0:
        raise ValueError("port 0 can't be called")
    return url.rstrip("/")


def _check_parts(parts: SplitResult) -> None:
    if parts.scheme == "file" and (parts.netloc or len(parts.path) < 2):
        raise ValueError("the address of a file is file:///path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address holds no credentials")
    if parts.scheme == "srv" and (":" in parts.netloc or not parts.netloc.startswith("_")):
        raise ValueError("an SRV name is srv://_http._tcp.NAME, or _https, and has no port")
