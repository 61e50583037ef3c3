"""What a client asks: read from a body or a query string (GraphQL over HTTP, section 5)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs

import msgspec
from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive
from starlette.types import Scope as ASGIScope

from bff_core.call import find_header
from bff_core.errors import ClientError
from bff_core.graphql.documents import RequestRefused
from bff_core.graphql.limits import Limits, QueryTooLarge, check_values
from bff_core.scope import Scope

Variables = dict[str, object]

NOTHING: Final = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: a query text, which of its operations, and the values of its variables."""

    query: str
    operation_name: str | None
    variables: Variables | None


class _Extensions(msgspec.Struct, rename="camel"):
    """Conventions between client and server; of persisted queries it matters that there is one."""

    persisted_query: msgspec.Raw = NOTHING


class _Body(msgspec.Struct, rename="camel"):
    """A request as it is sent; its variables stay text until they are known to be few."""

    query: str | None = None
    operation_name: str | None = None
    variables: msgspec.Raw = NOTHING
    extensions: _Extensions | None = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_extensions = msgspec.json.Decoder(_Extensions | None).decode
_decode_variables = msgspec.json.Decoder(Variables | None).decode


async def read_body(scope: ASGIScope, seen: Scope, receive: Receive, limits: Limits) -> Asked:
    """Return what a POST asks; raise 415 or 400 where it does not ask in JSON."""
    if not _is_json(find_header(seen.headers, b"content-type")):
        raise HTTPException(415, "Send the request as application/json in UTF-8.")
    body = await Request(scope, receive).body()
    try:
        return _checked(_decode_body(body), limits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ClientError(f"The body is no GraphQL request: {error}.") from error


def read_query(seen: Scope, limits: Limits) -> Asked:
    """Return what a GET asks in its query string; raise 400 where that is nothing."""
    try:
        told = parse_qs(seen.query.decode("ascii"), errors="strict", max_num_fields=20)
        values = {name: given[-1] for name, given in told.items()}
        extensions = _decode_extensions(values.get("extensions", "null"))
        variables = msgspec.Raw(values.get("variables", "null"))
        body = _Body(values.get("query"), values.get("operationName"), variables, extensions)
        return _checked(body, limits)
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise ClientError(f"The query string is no GraphQL request: {error}.") from error


def _checked(body: _Body, limits: Limits) -> Asked:
    """Return a request whose variables are few enough to be decoded."""
    if body.query is None:
        raise _without_query(body.extensions)
    try:
        check_values(bytes(body.variables), limits)
    except QueryTooLarge as error:
        raise RequestRefused("query_too_large", error) from error
    return Asked(body.query, body.operation_name, _decode_variables(body.variables))


def _without_query(extensions: _Extensions | None) -> Exception:
    """Return the error of a request that has no query, but perhaps the hash of one.

    Clients send the query when they hear that the hash is not known, and first the hash the next
    time. When they hear that hashes are not supported they send queries from then on. They expect
    a status of 200: some read the error in no other answer.
    """
    if extensions is None or bytes(extensions.persisted_query) == b"null":
        return ClientError("The request lacks a query.")
    error = GraphQLError("PersistedQueryNotSupported", extensions={"status": 200})
    return RequestRefused("PERSISTED_QUERY_NOT_SUPPORTED", error)


@lru_cache(maxsize=64)
def _is_json(content_type: bytes | None) -> bool:
    kind, *parameters = (content_type or b"").lower().replace(b" ", b"").split(b";")
    charsets = {one for one in parameters if one.startswith(b"charset=")}
    return kind == b"application/json" and charsets <= {b"charset=utf-8", b'charset="utf-8"'}
