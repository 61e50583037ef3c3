"""What a client asks: read from a body or a query string (GraphQL over HTTP, section 5)."""

from functools import lru_cache
from urllib.parse import parse_qs

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive
from starlette.types import Scope as ASGIScope

from bff_core.call import find_header
from bff_core.errors import ClientError
from bff_core.scope import Scope

Variables = dict[str, object]


class Asked(msgspec.Struct, frozen=True, rename="camel"):
    """One request: a query text, which of its operations, and the values of its variables.

    `extensions` are for conventions between client and server; none is known here yet.
    """

    query: str
    operation_name: str | None = None
    variables: Variables | None = None
    extensions: Variables | None = None


_decode_body = msgspec.json.Decoder(Asked).decode
_decode_variables = msgspec.json.Decoder(Variables | None).decode


async def read_body(scope: ASGIScope, seen: Scope, receive: Receive) -> Asked:
    """Return what a POST asks; raise 415 or 400 where it does not ask in JSON."""
    if not _is_json(find_header(seen.headers, b"content-type")):
        raise HTTPException(415, "Send the request as application/json in UTF-8.")
    body = await Request(scope, receive).body()
    try:
        return _decode_body(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ClientError(f"The body is no GraphQL request: {error}.") from error


def read_query(seen: Scope) -> Asked:
    """Return what a GET asks in its query string; raise 400 where that is nothing."""
    try:
        told = parse_qs(seen.query.decode("ascii"), errors="strict", max_num_fields=20)
        values = {name: given[-1] for name, given in told.items()}
        variables = _decode_variables(values.get("variables", "null"))
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise ClientError(f"The query string is no GraphQL request: {error}.") from error
    if "query" not in values:
        raise ClientError("The query string lacks the parameter query.")
    return Asked(values["query"], values.get("operationName"), variables)


@lru_cache(maxsize=64)
def _is_json(content_type: bytes | None) -> bool:
    kind, *parameters = (content_type or b"").lower().replace(b" ", b"").split(b";")
    charsets = {one for one in parameters if one.startswith(b"charset=")}
    return kind == b"application/json" and charsets <= {b"charset=utf-8", b'charset="utf-8"'}
