"""Decodes responses of GraphQL services: data becomes a typed value, errors an error."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from msgspec.structs import replace

from bff_core.call import Call, Decode, Reply
from bff_core.errors import BadPayload, BadStatus, ConfigurationError, GraphQLFailed
from bff_core.graphql_response import GraphQLError, GraphQLResponse, graphql_response
from bff_core.payload_errors import describe_mismatch
from bff_core.upstream.decoding import problem_detail
from bff_core.upstream.reading.tolerant import DECODE_ERRORS, Reduced, without_content

OnErrors = Literal["partial", "raise"]
"""What becomes of data with errors: a value with null where fields failed, or an error."""


FIELDS_FAILED: Final = "graphql_errors"
"""The reason of a part that is partial because fields failed."""


@dataclass(frozen=True, slots=True)
class Incomplete(Reduced):
    """A value without the fields that failed."""


class GraphQLDecoding:
    """Decodes the data of responses by another decoding, whose type is that of the operation."""

    __slots__ = ("_inner", "_on_errors", "is_shareable")

    def __init__(self, inner: Decode, on_errors: OnErrors) -> None:
        self._inner = inner
        self._on_errors = on_errors
        self.is_shareable = inner.is_shareable

    def value(self, reply: Reply, call: Call) -> object:
        """Return the value, `Incomplete` if fields failed, `Reduced` if it was read tolerantly.

        Raises `GraphQLFailed` for errors without data, and for any error with "raise"; `BadStatus`
        for a failure that is no GraphQL response; `BadPayload` for data that does not fit.
        """
        is_success = 200 <= reply.status < 300
        try:
            response = graphql_response(reply.content)
            has_failed = response.has_failed
        except DECODE_ERRORS as error:
            if not is_success:
                raise _no_response(reply, call) from None
            message = describe_mismatch(reply, "a GraphQL response", error, without_content(error))
            raise BadPayload(message, call=call, reply=reply) from error
        if has_failed or (response.errors and self._on_errors == "raise"):
            raise GraphQLFailed(_with_status(reply, response), response, call=call)
        if not is_success:
            raise _no_response(reply, call)
        if response.data is None:
            raise BadPayload("a response without data and errors", call=call, reply=reply)
        value = self._inner.value(replace(reply, status=200, body=response.data), call)
        if not response.errors or response.is_absence:
            return value
        return _reduced(value, response)


def _no_response(reply: Reply, call: Call) -> BadStatus:
    return BadStatus(reply, call=call, detail=problem_detail(reply))


def _with_status(reply: Reply, response: GraphQLResponse) -> Reply:
    """Return a reply whose status says that it failed; one with data has that of a success."""
    if not 200 <= reply.status < 300:
        return reply
    return replace(reply, status=response.status or 500)


def _reduced(value: Any, response: GraphQLResponse) -> Incomplete:
    lost = tuple(map(_shown, response.errors))
    if isinstance(value, Reduced):
        return Incomplete(value.value, (*lost, *value.lost))
    return Incomplete(value, lost)


def _shown(error: GraphQLError) -> str:
    return f"$.{error.path}: {error.code or 'an error'}"


def graphql_decoding(inner: Decode, on_errors: OnErrors) -> GraphQLDecoding:
    """Return the decoding of a type's responses; it is the same for the same arguments.

    Raises `ConfigurationError` for a wrong `errors=`.
    """
    if on_errors not in {"partial", "raise"}:
        raise ConfigurationError(f"errors={on_errors!r}: pass 'partial' or 'raise'")
    return _compiled(inner, on_errors)  # type: ignore[arg-type]  # hashed by identity


@lru_cache(maxsize=4096)
def _compiled(inner: Hashable, on_errors: OnErrors) -> GraphQLDecoding:
    return GraphQLDecoding(inner, on_errors)  # type: ignore[arg-type]  # it is a Decode
