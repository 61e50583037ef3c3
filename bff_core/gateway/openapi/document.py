"""Completes the OpenAPI document of FastAPI; called when a client requests it."""

import warnings
from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from bff_core.auth.authenticator import Authenticator
from bff_core.edge.options import EdgeOptions
from bff_core.gateway.openapi.bounds import add_integer_formats, bound_inputs
from bff_core.gateway.openapi.operation import Document, operations_of
from bff_core.gateway.openapi.operation_ids import name_operations
from bff_core.gateway.openapi.responses import Edge, add_headers, complete_responses
from bff_core.gateway.openapi.schemas import (
    add_own_schemas,
    complete_answer,
    rename_schemas,
    use_line_schemas,
)
from bff_core.gateway.openapi.security import add_security, has_cookies, schemes_of
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.access import RouteAccess


def made(make: Callable[[], Document]) -> Document:
    """Return the document that FastAPI makes, or has made before."""
    with warnings.catch_warnings():
        # FastAPI gives the methods of one route one id; they get others in `complete`.
        warnings.filterwarnings("ignore", "Duplicate Operation ID")
        return make()


def complete(
    document: Document,
    routes: Sequence[BaseRoute],
    access: Sequence[RouteAccess],
    *,
    authenticator: Authenticator | None,
    options: EdgeOptions,
    limits: Sequence[Limit],
) -> None:
    """Add what the gateway knows of each operation to FastAPI's document, in place.

    Operation ids, answers of views, errors, headers, security, and the bounds of inputs.
    """
    operations = operations_of(document, routes, access)
    schemes = schemes_of(authenticator)
    edge = Edge(
        options=options,
        limits=limits,
        authenticator=authenticator,
        has_cookies=has_cookies(schemes),
    )
    rename_schemas(document, name_operations(operations))
    for one in operations:
        use_line_schemas(one)
        complete_answer(one, document)
        complete_responses(one, edge)
    add_headers(document, operations)
    add_own_schemas(document)
    add_security(document, operations, schemes)
    bound_inputs(operations, document, options)
    add_integer_formats(document)
    if not document["components"]["schemas"]:
        del document["components"]["schemas"]
