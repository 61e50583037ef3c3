"""Session affinity: all requests of a client go to the endpoint that answered its first one."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

_is_token: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """A signed value in a cookie or a header names the endpoint that a client belongs to.

    It names it by a hash, never by its address. Raises `ConfigurationError` for wrong options.
    """

    by: Annotated[
        Literal["cookie", "header"], Option("Where the value is: in a cookie, or in a header")
    ] = "cookie"
    name: Annotated[
        str, Option("The name of the cookie or the header; empty: made of the upstream's")
    ] = ""
    when_gone: Annotated[
        Literal["redistribute", "refuse"],
        Option(
            "If the endpoint is gone: redistribute sends calls to another one and sets the value "
            "anew, refuse answers 503 affinity_lost"
        ),
    ] = "redistribute"
    max_age: Annotated[
        float | None,
        Option(
            "For how many seconds after it was set the value holds; None: no limit", 1, 31_536_000
        ),
    ] = None

    def __post_init__(self) -> None:
        check(self)
        for option, known in (
            ("by", ("cookie", "header")),
            ("when_gone", ("redistribute", "refuse")),
        ):
            value = getattr(self, option)
            if value not in known:
                raise ConfigurationError(
                    f"Affinity.{option} must be {' or '.join(known)}, not {value!r}"
                )
        if self.name and not _is_token(self.name):
            raise ConfigurationError(
                f"Affinity.name must be the name of a cookie or a header, not {self.name!r}"
            )

    def name_for(self, upstream: str) -> str:
        """Return the name of the cookie or the header for an upstream.

        Browsers accept a cookie with the prefix `__Host-` only over TLS, and for one host.
        """
        if self.name:
            return self.name
        bare = upstream.replace("_", "-")
        return f"__Host-endpoint-{bare}" if self.by == "cookie" else f"endpoint-{bare}"
