"""The options of connections, queries and the environment as their pages list them."""

import math
from dataclasses import MISSING, fields

from bff_core.graphql import QueryLimits
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.options import Option, described
from bff_core.saga.saga import SagaPolicy
from bff_core.server.options import ServerOptions


def connection_rows() -> list[list[str]]:
    """Return name, default, range and sentence of each option of a connection."""
    return _rows(Connection)


def idempotency_rows() -> list[list[str]]:
    """Return the same of each option of idempotency keys."""
    return _rows(IdempotencyOptions)


def rate_limit_rows() -> list[list[str]]:
    """Return the same of each option of a limit; one that has no default has to be given."""
    return [
        [name, default.replace(repr(MISSING), "—"), *rest] for name, default, *rest in _rows(Limit)
    ]


def saga_rows() -> list[list[str]]:
    """Return the same of each option of a saga."""
    return _rows(SagaPolicy)


def server_rows() -> list[list[str]]:
    """Return the same of each option of the server."""
    return _rows(ServerOptions)


def _rows(policy: type) -> list[list[str]]:
    return [
        [f"`{one.name}`", f"`{one.default!r}`", _range(one.option), f"{one.option.sentence}."]
        for one in described(policy)
    ]


def _range(option: Option) -> str:
    return "—" if math.isinf(option.at_least) else option.range


def limit_rows() -> list[list[str]]:
    """Return name and default of each limit of a query."""
    return [[f"`{one.name}`", f"{one.default:,}"] for one in fields(QueryLimits)]
