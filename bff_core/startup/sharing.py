"""State that several processes of a gateway must share, and whether they share it."""

from collections.abc import Sequence
from typing import Final

from bff_core.auth.authenticator import Authenticator, GatewayAuthenticator, each_of
from bff_core.routing.route_table import RouteTable
from bff_core.settings.model import Settings

REDIS: Final = "redis://redis.internal:6379/0"

KEYED_REQUESTS: Final = (
    "each process would execute a request with the same Idempotency-Key ({paths}); or turn keys "
    "off with gateway(options=EdgeOptions(idempotency=None))"
)
SAGAS: Final = "the other processes could not finish the sagas of a process that ends"
LIMITS: Final = "each process counts for itself, so callers get {count} times their limits"
CACHE: Final = "each process has a cache of its own, and a purge reaches only one of them"


def unsafe_unshared_state(
    settings: Settings,
    authenticator: Authenticator | None,
    *,
    has_sagas: bool,
    keyed_paths: Sequence[str],
) -> dict[str, str]:
    """Return state that is unsafe in several processes, by the variable that shares it."""
    found: dict[str, str] = {}
    for one in each_of(authenticator):
        if isinstance(one, GatewayAuthenticator):
            found |= one.unshared(settings)
    if keyed_paths and not settings.idempotency_url:
        shown = ", ".join(keyed_paths[:3]) + (", …" if len(keyed_paths) > 3 else "")
        found["BFF_IDEMPOTENCY_URL"] = KEYED_REQUESTS.format(paths=shown)
    if has_sagas and is_memory(settings.journal_url):
        found["BFF_JOURNAL_URL"] = SAGAS
    return found


def too_many_processes(count: int, unsafe: dict[str, str]) -> str:
    """Return why a gateway can't run in several processes, a line for each variable."""
    return "\n".join(
        f"{variable} is not shared, and the gateway runs in {count} processes: {consequence}. Set "
        f"{_example(variable)} for all of them, or run one process (BFF_WORKERS=1)."
        for variable, consequence in unsafe.items()
    )


def inaccurate_unshared_state(
    settings: Settings, count: int, *, has_limits: bool, has_cache: bool
) -> dict[str, str]:
    """Return state that is inaccurate in several processes, by the variable that shares it."""
    found: dict[str, str] = {}
    if has_limits and not settings.limits_url:
        found["BFF_LIMITS_URL"] = LIMITS.format(count=count)
    if has_cache and not settings.cache_url:
        found["BFF_CACHE_URL"] = CACHE
    return found


def keyed_paths(table: RouteTable, own: Sequence[object]) -> list[str]:
    """Return the routes whose requests may have an Idempotency-Key, except `own` endpoints."""
    return [route.path for route in table.entries if route.is_keyed and route.endpoint not in own]


def is_memory(url: str) -> bool:
    """Whether the URL of a store means the memory of the process."""
    return url == "sqlite://" or url.endswith(":memory:")


def _example(variable: str) -> str:
    if variable == "BFF_SESSION_KEYS":
        return f"{variable}=$(openssl rand -base64 32)"
    return f"{variable}={REDIS}"
