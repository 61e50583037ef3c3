"""Checks bodies in front of FastAPI's router: media type, charset, strict JSON."""

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.edge.body_limit import replay, whole
from bff_core.edge.strict_json import JSONRefused, is_plain, read_json
from bff_core.routing.body_types import RouteBody, check_media, unsupported
from bff_core.routing.route_table import RouteTable


class BodyChecks:
    """Between FastAPI's middleware and its router: checks each body that a route declares.

    A wrong media type, charset or content coding is a 415, before the body is read. FastAPI's JSON
    parser accepts values that no other JSON can hold: `NaN`, infinite numbers, halves of surrogate
    pairs. They become FastAPI's own 422, which the exception handlers of the application get, too.
    """

    __slots__ = ("_app", "_table")

    def __init__(self, app: ASGIApp, table: RouteTable) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Check the body if the route declares one, then call the router."""
        body = self._declared(scope) if scope["type"] == "http" else None
        if body is not None:
            media = check_media(scope["headers"], body.kind)
            if body.kind == "json":
                receive = await _checked(body, scope, receive, has_type=media is not None)
            elif media is not None and media.boundary:
                receive = _closed(media.boundary, receive)
        await self._app(scope, receive, send)

    def _declared(self, scope: ASGIScope) -> RouteBody | None:
        entry = self._table.match(scope).entry
        return None if entry is None else entry.body


async def _checked(
    body: RouteBody, scope: ASGIScope, receive: Receive, *, has_type: bool
) -> Receive:
    """Read a body, check that it is JSON, and return a `receive` that returns it again."""
    text = await whole(receive, scope, body.limit)
    if text and not has_type and body.needs_type:
        raise unsupported("json")
    if text and not is_plain(text):
        try:
            read_json(text)
        except JSONRefused as error:
            raise invalid_body(error) from error
    return replay(text, receive)


def _closed(boundary: bytes, receive: Receive) -> Receive:
    """Return a `receive` that raises a 400 for a form without its closing boundary.

    Starlette drops the part that is cut off, and uses the rest of the form.
    """
    closing, read, is_closed = b"--%b--" % boundary, b"", False

    async def closed() -> Message:
        nonlocal read, is_closed
        message = await receive()
        if not is_closed:
            read = read[-len(closing) :] + message.get("body", b"")
            is_closed = closing in read
        is_last = message["type"] == "http.request" and not message.get("more_body", False)
        if is_last and read and not is_closed:
            raise HTTPException(400, "The form ends before its closing boundary.")
        return message

    return closed


def invalid_body(refused: JSONRefused) -> RequestValidationError:
    """Return the error that FastAPI raises for invalid JSON."""
    fault = refused.fault
    if fault.position is None:
        where = {"type": fault.type, "loc": ("body", *fault.path), "msg": fault.message}
        return RequestValidationError([where | {"input": None}])
    where = {"type": fault.type, "loc": ("body", fault.position), "msg": "JSON decode error"}
    context = {"input": {}, "ctx": {"error": fault.message}}
    return RequestValidationError([where | context], body=refused.text)
