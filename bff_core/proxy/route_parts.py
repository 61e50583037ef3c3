"""What a route may have beside its upstream: files, a canary, a mirror, web sockets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import ANYONE
from bff_core.events import Events
from bff_core.proxy.destination import Named
from bff_core.proxy.mirroring import MirroredReply, Mirroring
from bff_core.proxy.route import Route
from bff_core.proxy.socket_forwarding import forward_socket
from bff_core.proxy.sockets import Socket
from bff_core.proxy.splitting import Splitter
from bff_core.proxy.static_files import files_app
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest


class ChoosesUpstream(Protocol):
    """Chooses the side of a split for each request."""

    def choose(self, scope: ASGIScope, /) -> int:
        """Return 0 for the route's own upstream, n for the n-th split."""
        ...


class CopiesRequests(Protocol):
    """Copies requests to another upstream."""

    def begin(self, request: ForwardedRequest, /) -> MirroredReply | None:
        """Send a copy; None if this request is not copied."""
        ...


class ForwardsSockets(Protocol):
    """Forwards a web socket in both directions."""

    def __call__(
        self,
        scope: ASGIScope,
        receive: Receive,
        send: Send,
        *,
        upstream: Upstream,
        request: ForwardedRequest,
        options: Socket,
    ) -> Awaitable[None]:
        """Forward one web socket until it ends."""
        ...


FindUpstreams = Callable[[Named], Callable[[], Upstream]]
"""Returns what finds the client of an upstream while the gateway runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteParts:
    """The optional parts of a route; None for each that it does not have."""

    files: ASGIApp | None = None
    splitter: ChoosesUpstream | None = None
    mirroring: CopiesRequests | None = None
    forward_socket: ForwardsSockets | None = None


NO_PARTS = RouteParts()


def parts_of(route: Route, find: FindUpstreams, events: Events) -> RouteParts:
    """Return the parts of a route.

    Raises `ConfigurationError` for a folder that is not there, and for a mirror that can't be.
    """
    return RouteParts(
        files=_files_of(route, find),
        splitter=_splitter_of(route, events),
        mirroring=_mirroring_of(route, find, events),
        forward_socket=forward_socket if route.websocket else None,
    )


def _files_of(route: Route, find: FindUpstreams) -> ASGIApp | None:
    files = route.files
    if files is None:
        return None
    named = files.fallback_from
    return files_app(
        files,
        None if named is None else find(named),
        changes=None if route.transform is None else route.transform.response_headers,
        is_shared=route.access is ANYONE,
    )


def _splitter_of(route: Route, events: Events) -> Splitter | None:
    splits = route.split if isinstance(route.split, tuple) else (route.split,)
    if not splits or route.to is None:
        return None
    names = [_name_of(route.to), *(_name_of(one.to) for one in splits)]
    return Splitter(route.id, splits, names=names, events=events)


def _mirroring_of(route: Route, find: FindUpstreams, events: Events) -> Mirroring | None:
    mirror = route.mirror
    return None if mirror is None else Mirroring(route.id, mirror, find(mirror.to), events=events)


def _name_of(named: Named) -> str:
    return named if isinstance(named, str) else named.name
