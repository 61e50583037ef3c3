"""Reads a GraphQL request from a body or a query string (GraphQL over HTTP, section 5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import parse_qs

import msgspec
from graphql import GraphQLError
from starlette.requests import Request
from starlette.types import Receive
from starlette.types import Scope as ASGIScope

from bff_core.edge.json_errors import Unreadable, unreadable
from bff_core.edge.problem_details import place
from bff_core.edge.strict_json import BYTE_ORDER_MARK, MAX_DEPTH, is_flat
from bff_core.graphql.documents import RequestRefused
from bff_core.graphql.query_limits import QueryLimits, QueryTooLarge, check_values
from bff_core.routing.body_types import check_media, unsupported
from bff_core.scope import Scope

T = TypeVar("T")

Variables = dict[str, object]

NULL: Final = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A query text, the name of the operation to execute, and the values of the variables."""

    query: str
    operation_name: str | None
    variables: Variables | None


class _Extensions(msgspec.Struct, rename="camel"):
    """The extensions of a request; only the persisted query is of interest."""

    persisted_query: msgspec.Raw = NULL


class _Body(msgspec.Struct, rename="camel"):
    """A request as it is sent; variables are decoded after their number was checked."""

    query: str | None = None
    operation_name: str | None = None
    variables: msgspec.Raw = NULL
    extensions: _Extensions | None = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_extensions = msgspec.json.Decoder(_Extensions | None).decode
_decode_variables = msgspec.json.Decoder(Variables | None).decode


async def read_body(
    scope: ASGIScope, request_scope: Scope, receive: Receive, limits: QueryLimits
) -> GraphQLRequest:
    """Return the request in the body of a POST; raise 415 or 400 if it has none."""
    if not check_media(request_scope.headers, "json"):
        raise unsupported("json")
    text = (await Request(scope, receive).body()).removeprefix(BYTE_ORDER_MARK)
    body = _decoded(_decode_body, text, where="body")
    return _checked(body, limits, where="body")


def read_query(request_scope: Scope, limits: QueryLimits) -> GraphQLRequest:
    """Return the request in the query string of a GET; raise 400 if it has none."""
    try:
        text = request_scope.query.decode("ascii")
        given = parse_qs(text, errors="strict", max_num_fields=20)
        values = {name: lines[-1] for name, lines in given.items()}
    except ValueError as error:
        raise Unreadable(place("query", "", str(error), "invalid"), status=400) from error
    raw = values.get("extensions", "null").encode()
    extensions = _decoded(_decode_extensions, raw, where="query", prefix="/extensions")
    variables = msgspec.Raw(values.get("variables", "null").encode())
    body = _Body(values.get("query"), values.get("operationName"), variables, extensions)
    return _checked(body, limits, where="query")


def _decoded(decode: Callable[[bytes], T], text: bytes, *, where: str, prefix: str = "") -> T:
    """Return the value of a JSON text; raise 400 that names the place if it is malformed."""
    try:
        if is_flat(text):
            return decode(text)
        raise ValueError(f"More than {MAX_DEPTH} levels")  # noqa: TRY301 - one handler for all of them
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise unreadable(text, error, where=where, prefix=prefix, status=400) from error


def _checked(body: _Body, limits: QueryLimits, *, where: str) -> GraphQLRequest:
    """Return the request of a body; check the number of values in its variables."""
    if body.query is None:
        raise _without_query(body.extensions, where)
    text = bytes(body.variables)
    try:
        check_values(text, limits)
    except QueryTooLarge as error:
        raise RequestRefused("query_too_large", error) from error
    variables = _decoded(_decode_variables, text, where=where, prefix="/variables")
    return GraphQLRequest(body.query, body.operation_name, variables)


def _without_query(extensions: _Extensions | None, where: str) -> Exception:
    """Return the error of a request without a query, which may have the hash of one.

    Clients of persisted queries send the hash first. If the error says that hashes are not
    supported, they send the query from then on. The status is 200, since some of them read errors
    in no other answer.
    """
    if extensions is None or bytes(extensions.persisted_query) == b"null":
        fault = place(where, "/query", "The request lacks a query.", "missing")
        return Unreadable(fault, status=400)
    error = GraphQLError("PersistedQueryNotSupported", extensions={"status": 200})
    return RequestRefused("PERSISTED_QUERY_NOT_SUPPORTED", error)
