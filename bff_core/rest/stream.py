"""Streaming views: async generators whose values are sent as lines of JSON (NDJSON)."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, get_args, get_origin, get_type_hints

from fastapi import Response
from starlette.responses import JSONResponse, StreamingResponse

from bff_core.auth.access import Access, admit_to
from bff_core.errors import ConfigurationError
from bff_core.http_exchange.answer import Answer
from bff_core.http_exchange.request_context import SCOPE, declare_stream
from bff_core.http_statuses import WITHOUT_CONTENT
from bff_core.rest.answer import with_injected
from bff_core.rest.response_model import ResponseModel
from bff_core.rest.result_check import checked_stream
from bff_core.rest.route_options import AnswerOptions
from bff_core.rest.signature import with_request
from bff_core.rest.when_inputs import inputs_of


class Lines(JSONResponse):
    """The response class of streams in OpenAPI: lines of JSON, with the schema of a value."""

    media_type = "application/x-ndjson"


@dataclass(slots=True, eq=False)
class Stream:
    """An async generator and the type of its values; in development `call` checks them."""

    endpoint: Callable[..., AsyncGenerator[object]]
    item: object
    call: Callable[..., AsyncGenerator[object]] = field(init=False)

    def __post_init__(self) -> None:
        self.call = self.endpoint

    def set_development(self, *, is_development: bool) -> None:
        """In development, check each value; a gateway calls it when it is made."""
        is_checked = is_development and self.item is not None
        self.call = checked_stream(self.endpoint, self.item) if is_checked else self.endpoint


def item_of(endpoint: Callable[..., Any]) -> Any:
    """Return the type of the values of an async generator; None if it declares none."""
    if not inspect.isasyncgenfunction(endpoint):
        raise ConfigurationError(f"stream {endpoint.__qualname__}: write it with `yield`")
    declared = get_type_hints(endpoint, include_extras=True).get("return")
    inner = get_args(declared) if get_origin(declared) is not None else ()
    return inner[0] if inner else None


def as_stream(
    source: Stream,
    signature: inspect.Signature,
    access: Access | None,
    answer_options: AnswerOptions,
) -> Callable[..., Any]:
    """Return an endpoint for FastAPI that streams an async generator; `access` is its rule."""
    model, endpoint = answer_options.model, source.endpoint

    @wraps(endpoint)
    async def stream(**values: object) -> Response:
        request, injected = wanted.fill(values)
        admit_to(access, request.scope[SCOPE], lambda: inputs_of(wanted.others(values)))
        rows = source.call(**values)
        # The answer starts after the first value, so that an earlier failure is a problem document.
        first, status = await _first(rows, model), injected.status_code or answer_options.status
        if status in WITHOUT_CONTENT:
            await rows.aclose()
            return Answer(status, with_injected([], injected), b"").as_response()
        declare_stream(request.scope)
        lines = _lines(first, rows, model)
        answer = StreamingResponse(lines, status_code=status, media_type=Lines.media_type)
        answer.raw_headers[:] = with_injected(answer.raw_headers, injected)
        return answer

    # FastAPI would follow it, and take the wrapper for an async generator.
    del stream.__wrapped__
    wanted = with_request(stream, endpoint, signature)
    return stream


async def _first(rows: AsyncGenerator[object], model: ResponseModel) -> bytes | None:
    """Return the first line; None for an empty stream."""
    try:
        return model.encode(await anext(rows)) + b"\n"
    except StopAsyncIteration:
        return None
    except BaseException:
        await rows.aclose()
        raise


async def _lines(
    first: bytes | None, rows: AsyncGenerator[object], model: ResponseModel
) -> AsyncIterator[bytes]:
    async with aclosing(rows):
        if first is None:
            return
        yield first
        async for row in rows:
            yield model.encode(row) + b"\n"
