"""Composed answers are compared with those of an older service: mirrors of views."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_from_bytes

from starlette.responses import Response
from starlette.types import Message, Send

from bff_core.compat.starlette import compile_path
from bff_core.edge.concern import HTTP_ONLY
from bff_core.errors import ConfigurationError
from bff_core.http_exchange.request_context import RequestContext
from bff_core.proxy.mirroring import MirroredReply, Mirroring, check_mirror
from bff_core.proxy.traffic import Mirror
from bff_core.routing.path import path_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest

READS: Final = frozenset({"GET", "HEAD"})

_QUERY: Final = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")
_DOTS: Final = frozenset({".", ".."})

_placeholders: Final = re.compile(r"\{(\w+)\}").findall


class MirroredViews:
    """Copies requests for views to another service, and compares the composed answers as JSON.

        app = gateway("shop", faces=[views], services=[Shop],
                      edge=[MirroredViews(Mirror(to=Shop, percent=5), {
                          "/v1/products/{product_id}": "/api/product/{product_id}"})])

    `paths` maps the path of a view, as the view declares it, to that of the service; the query is
    the client's. The service is one of the gateway's. `/operator/mirrors` and events name the view
    by its template. All else is as for the mirror of a proxied route (`Mirroring`).

    Raises `ConfigurationError` for a mirror that can't be, and for a path with a parameter that its
    view does not have.
    """

    kinds = HTTP_ONLY

    def __init__(self, mirror: Mirror, paths: Mapping[str, str]) -> None:
        check_mirror(mirror)
        methods = tuple(one for one in mirror.methods if one in READS)
        self._mirror = replace(mirror, methods=methods)
        self._targets = {compile_path(view)[1]: _Target(view, path) for view, path in paths.items()}
        self._mirrorings: dict[str, Mirroring] = {}
        self._app: object = None

    def check(self, context: RequestContext) -> None:
        """Send a copy of the request, if it is one for a mirrored view."""
        if context.scope.method not in READS:
            return
        view = context.route
        target = self._targets.get(view)
        path = None if target is None else target.path(context)
        if path is None:
            return
        own = self._mirroring(view, context).begin(_request(context, view, path))
        if own is not None:
            context.state[self] = own
            context.send = _observed(context.send, own)

    def finish(self, context: RequestContext, response: Response | None) -> None:
        """End the comparison; an answer of the edge itself is compared as well."""
        own: MirroredReply | None = context.state.get(self)
        if own is None:
            return
        if response is not None and not context.status:
            own.head(response.status_code, tuple(response.raw_headers))
            own.piece(bytes(response.body))
        own.end(is_whole=response is not None or context.is_complete)

    def _mirroring(self, view: str, context: RequestContext) -> Mirroring:
        """Return the mirroring of a view; each gateway has its own."""
        app = context.asgi["app"]
        if app is not self._app:
            self._app, self._mirrorings = app, {}
        found = self._mirrorings.get(view)
        if found is None:
            found = self._mirrorings[view] = Mirroring(
                view,
                self._mirror,
                lambda: _service(app.services, self._mirror),
                events=lambda: app.events,
            )
        return found


class _Target:
    """The path of a service for a view."""

    def __init__(self, view: str, path: str) -> None:
        self._match = compile_path(view)[0].match
        unknown = set(_placeholders(path)) - set(_placeholders(compile_path(view)[1]))
        if unknown or not path.startswith("/"):
            fault = f"the view has no {{{min(unknown)}}}" if unknown else "it begins with /"
            raise ConfigurationError(f"MirroredViews({{{view!r}: {path!r}}}): {fault}")
        self._path = path

    def path(self, context: RequestContext) -> str | None:
        """Return the path for a request; None for a value that would lead to another one."""
        match = self._match(path_of(context.asgi))
        if match is None:
            return None
        values = match.groupdict()
        if any(_DOTS & set(re.split(r"[/\\]", one)) for one in values.values()):
            return None
        encoded = {name: quote(one, safe="/") for name, one in values.items()}
        return re.sub(r"\{(\w+)\}", lambda name: encoded[name[1]], self._path)


def _request(context: RequestContext, view: str, path: str) -> ForwardedRequest:
    scope = context.scope
    query = quote_from_bytes(scope.query, safe=_QUERY)
    return ForwardedRequest(
        method=scope.method,
        target=f"{path}?{query}" if query else path,
        audience=scope.audience,
        headers=scope.headers,
        operation=f"{scope.method} {view}",
    )


def _service(services: Mapping[type[Upstream], Upstream], mirror: Mirror) -> Upstream:
    for kind, service in services.items():
        if mirror.to in {kind, kind.name}:
            return service
    name = mirror.to if isinstance(mirror.to, str) else mirror.to.__name__
    raise ConfigurationError(
        f"MirroredViews(Mirror(to={name})): the gateway has no such service: add it to "
        "gateway(..., services=[...])"
    )


def _observed(send: Send, own: MirroredReply) -> Send:
    """Return a `send` that the mirrored reply reads along."""

    async def observe(message: Message) -> None:
        if message["type"] == "http.response.start":
            own.head(message["status"], tuple(message.get("headers", ())))
        elif message["type"] == "http.response.body":
            own.piece(message.get("body", b""))
            if not message.get("more_body", False):
                own.end()
        await send(message)

    return observe
