"""Active health checks: what a probe expects, and after how many an endpoint is up or down."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Final

from bff_core.clock import Chance
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.policy.upstream.member import Health

_is_path: Final = re.compile(r"/[!-~]*").fullmatch


@checks_keywords
@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Probes each endpoint by a GET, beside the ejection of those that fail calls.

    `path` follows the path of the endpoint's address. Durations in seconds. Raises
    `ConfigurationError` where an option is out of its range.
    """

    path: Annotated[str, Option("The path of the GET, with its query")] = "/healthz"
    interval: Annotated[float, Option("How often an endpoint is probed", 1, 3600)] = field(
        default=10.0, kw_only=True
    )
    timeout: Annotated[float, Option("How long a probe may take", 0.01, 60)] = field(
        default=2.0, kw_only=True
    )
    expect: Annotated[
        tuple[int, int], Option("The lowest and the highest status of an endpoint that is up")
    ] = field(default=(200, 299), kw_only=True)
    contains: Annotated[str, Option("Text that the body must contain")] = field(
        default="", kw_only=True
    )
    down_after: Annotated[
        int,
        Option("How many bad probes in a row take an endpoint out; the first one counts", 1, 100),
    ] = field(default=3, kw_only=True)
    up_after: Annotated[int, Option("How many good probes in a row bring it back", 1, 100)] = field(
        default=1, kw_only=True
    )
    jitter: Annotated[
        float, Option("By which part an interval is longer or shorter, at random", 0, 0.9)
    ] = field(default=0.2, kw_only=True)

    def __post_init__(self) -> None:
        check(self)
        if not _is_path(self.path) or "#" in self.path:
            raise ConfigurationError(
                f"HealthCheck.path must begin with / and hold no spaces, not {self.path!r}"
            )
        is_pair = len(self.expect) == 2 and all(type(one) is int for one in self.expect)
        if not is_pair or not 100 <= self.expect[0] <= self.expect[1] <= 599:
            raise ConfigurationError(
                "HealthCheck.expect must be the lowest and the highest of the expected statuses, "
                f"such as (200, 299), not {self.expect!r}"
            )

    def complaint(self, status: int, body: bytes) -> str:
        """Return why an answer is not that of an endpoint that is up; empty if it is."""
        if not self.expect[0] <= status <= self.expect[1]:
            return f"status {status}"
        if self.contains and self.contains.encode() not in body:
            return "the body lacks the expected text"
        return ""

    def pause(self, chance: Chance) -> float:
        """Return the seconds until the next probe; jitter spreads those of several gateways."""
        return self.interval * (1 + self.jitter * (2 * chance() - 1))


class Streak:
    """The probes of one endpoint that ended alike in a row.

    The first probe of an unknown endpoint decides at once.
    """

    __slots__ = ("_count", "_is_good", "_options")

    def __init__(self, options: HealthCheck) -> None:
        self._options = options
        self._count = 0
        self._is_good = True

    def add(self, health: Health, *, is_good: bool) -> Health:
        """Return the health of an endpoint after one more probe."""
        self._count = self._count + 1 if is_good is self._is_good else 1
        self._is_good = is_good
        needed = self._options.up_after if is_good else self._options.down_after
        if health in {"", "unknown"} or self._count >= needed:
            return "up" if is_good else "down"
        return health
