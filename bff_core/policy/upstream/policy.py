"""`Policy`: all options for the calls to one upstream."""

from dataclasses import dataclass, field
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.policy.upstream.affinity import Affinity
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.credentials import Credentials
from bff_core.policy.upstream.health import HealthCheck
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.retry import Retry


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How an upstream is called; None leaves a layer out. Durations in seconds.

    Raises `ConfigurationError` where an option is out of its range.
    """

    timeout: Annotated[
        float, Option("The time limit of a call, retries and queues included", 0.001, 3600)
    ] = 10.0
    attempt_timeout: Annotated[
        float, Option("The time limit of one attempt, within the call's timeout", 0.001, 3600)
    ] = 2.5
    coalesce: Annotated[bool, Option("Whether equal concurrent reads become one call")] = True
    public: Annotated[
        bool, Option("Whether replies are the same for everybody, hence shared between viewers")
    ] = False
    per_tenant: Annotated[
        bool, Option("Whether replies are the same for all viewers of a tenant, and shared by them")
    ] = False
    keyed: Annotated[
        bool,
        Option(
            "Whether the service supports Idempotency-Keys: POST and PATCH get one and are retried"
        ),
    ] = True
    reading: Annotated[
        Literal["strict", "tolerant"],
        Option(
            "How replies are read: strict refuses what does not fit, tolerant leaves it out where "
            "a list, a dictionary or a default allows that"
        ),
    ] = "strict"
    naive_datetimes: Annotated[
        str,
        Option(
            "What becomes of a datetime without a zone: accept, refuse, or the name of a zone that "
            "is assumed, such as UTC"
        ),
    ] = "accept"
    redirects: Annotated[
        int, Option("How many redirects within the service's own origin a call follows", 0, 10)
    ] = 0
    critical: Annotated[
        bool, Option("Whether the gateway reports itself not ready while the circuit is open")
    ] = False
    credentials: Credentials | None = None
    cache: Cache | None = None
    hedge: Hedge | None = None
    retry: Retry | None = field(default_factory=Retry)
    breaker: Breaker | None = field(default_factory=Breaker)
    bulkhead: Bulkhead | None = field(default_factory=Bulkhead)
    health: HealthCheck | None = None
    affinity: Affinity | None = None
    balance: Balance = field(default_factory=Balance)
    connection: Connection = field(default_factory=Connection)

    def __post_init__(self) -> None:
        check(self)
        if self.public and self.per_tenant:
            raise ConfigurationError("Policy.public and Policy.per_tenant exclude each other")
        self._check_credentials()
        self._check_reading()
        if self.critical and self.breaker is None:
            raise ConfigurationError(
                "Policy.critical needs a breaker: readiness follows its circuit"
            )

    def _check_reading(self) -> None:
        if self.reading not in {"strict", "tolerant"}:
            raise ConfigurationError(
                f"Policy.reading must be strict or tolerant, not {self.reading!r}"
            )
        naive = self.naive_datetimes
        if naive not in {"accept", "refuse", "UTC"} and not _is_zone(naive):
            raise ConfigurationError(
                "Policy.naive_datetimes must be accept, refuse or the name of a zone, such as UTC "
                f"or Europe/Berlin, not {naive!r}"
            )

    def _check_credentials(self) -> None:
        credentials = self.credentials
        if credentials is None:
            return
        shared = "public" if self.public else "per_tenant" if self.per_tenant else ""
        if credentials.is_per_viewer and shared:
            raise ConfigurationError(
                f"Policy.{shared} would share replies that were made for one viewer's token: "
                f"leave {shared} off where credentials are {type(credentials).__name__}(...), or "
                "call what is the same for everybody through an upstream class of its own"
            )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True
