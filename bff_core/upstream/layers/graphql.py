"""Between credentials and attempt: gives replies with GraphQL errors the status of an HTTP API."""

import math
from typing import Final

import msgspec
from msgspec.structs import replace

from bff_core.call import Call, Handler, Headers, Reply, find_header
from bff_core.graphql_response import GraphQLResponse, graphql_response

PARTIAL: Final = 206
"""The status of a reply with data and errors; no cache stores it (RFC 9110, section 15.3.7)."""


class GraphQLLayer:
    """Gives replies whose `errors` left no data the status that their codes stand for.

    GraphQL services answer 200 to a request that failed. With the status all other layers treat it
    as they treat one of an HTTP API: the breaker counts it, a read is retried, other credentials
    are tried, no cache stores it. A reply with data and errors becomes 206.
    """

    __slots__ = ("inner",)

    def __init__(self, inner: Handler) -> None:
        self.inner = inner

    def __repr__(self) -> str:
        return "graphql    status from errors"

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on, and set the status of its reply."""
        reply = await self.inner(call)
        if isinstance(reply.body, bytes) and b'"errors"' in reply.body and reply.status < 500:
            return _with_status(reply)
        return reply


def _with_status(reply: Reply) -> Reply:
    try:
        response = graphql_response(reply.content)
        has_failed = response.has_failed
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return reply
    if not response.errors:
        return reply
    if not has_failed:
        is_partial = reply.status < 300 and not response.is_absence
        return replace(reply, status=PARTIAL) if is_partial else reply
    status = response.status
    is_success = 200 <= reply.status < 300
    if status is None or (not is_success and not any(error.status for error in response.errors)):
        return reply
    return replace(reply, status=status, headers=_with_retry_after(reply.headers, response))


def _with_retry_after(headers: Headers, response: GraphQLResponse) -> Headers:
    """Return headers with the Retry-After of a rate limit, unless there is one."""
    waits = [error.retry_after for error in response.errors if error.retry_after is not None]
    if not waits or find_header(headers, b"retry-after") is not None:
        return headers
    seconds = math.ceil(max(waits))
    return (*headers, (b"retry-after", str(seconds).encode()))
