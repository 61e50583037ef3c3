"""Views that yield: values become lines while the client reads, and stop when it leaves."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial, wraps
from typing import Any

from fastapi import Request
from starlette.responses import StreamingResponse

from bff_core.auth.access import Access, admit_to
from bff_core.edge.exchange import SCOPE, declare_stream
from bff_core.errors import ConfigurationError
from bff_core.rest.answer import encode
from bff_core.rest.compose import inputs_of
from bff_core.rest.signature import REQUEST, with_request

NDJSON = "application/x-ndjson"


def as_stream(endpoint: Callable[..., Any], access: Access | None) -> Callable[..., Any]:
    """Return an async generator function as FastAPI calls it; `access` is who may ask."""
    if not inspect.isasyncgenfunction(endpoint):
        raise ConfigurationError(f"stream {endpoint.__qualname__}: write it with `yield`")

    @wraps(endpoint)
    async def stream(**values: object) -> StreamingResponse:
        request = values.pop(REQUEST)
        assert isinstance(request, Request)  # noqa: S101 - FastAPI fills it by its type
        admit_to(access, request.scope[SCOPE], partial(inputs_of, values))
        rows = endpoint(**values, **dict.fromkeys(wanted, request))
        # The first value is awaited before the answer starts: a failure can still be a problem.
        first = await anext(rows, _END)
        declare_stream(request.scope)
        return StreamingResponse(_lines(first, rows), media_type=NDJSON)

    # An async generator's wrapper is none: FastAPI must not take it for one.
    del stream.__wrapped__
    wanted = with_request(stream, endpoint)
    return stream


_END: Any = object()


async def _lines(first: object, rows: AsyncGenerator[object]) -> AsyncIterator[bytes]:
    async with aclosing(rows):
        if first is _END:
            return
        yield encode(first) + b"\n"
        async for row in rows:
            yield encode(row) + b"\n"
