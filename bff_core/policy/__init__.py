"""Options for calls to services and for requests, and the state machines that decide by them."""

from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.edge.shedding import Criticality
from bff_core.policy.upstream.affinity import Affinity
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.concurrency import Adaptive
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.credentials import (
    ApiKey,
    Basic,
    ClientCredentials,
    Credentials,
    Relay,
    Signature,
    TokenExchange,
)
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.health import HealthCheck
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.public_names import publish

__all__ = [
    "Adaptive",
    "Affinity",
    "ApiKey",
    "Balance",
    "Basic",
    "Breaker",
    "Bulkhead",
    "Cache",
    "ClientCredentials",
    "Connection",
    "Credentials",
    "Criticality",
    "EndpointOptions",
    "HealthCheck",
    "Hedge",
    "IdempotencyOptions",
    "Limit",
    "Policy",
    "Relay",
    "Retry",
    "Signature",
    "TokenExchange",
]

publish(__name__, __all__)
