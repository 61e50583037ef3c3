"""What a route may have beside its upstream: files, a canary, a mirror, web sockets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.call import Headers
from bff_core.errors import ConfigurationError
from bff_core.proxy.route import Route
from bff_core.proxy.sockets import Socket
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest


class ChoosesUpstream(Protocol):
    """Chooses the side of a split for each request."""

    def choose(self, scope: ASGIScope, /) -> int:
        """Return 0 for the route's own upstream, n for the n-th split."""
        ...


class MirroredReply(Protocol):
    """Gets the reply of a request that was copied, to compare it."""

    def head(self, status: int, headers: Headers, /) -> None:
        """Take the head of the reply."""

    def piece(self, data: bytes, /) -> None:
        """Take a piece of its body."""

    def end(self) -> None:
        """Take the end of its body."""


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


FindUpstream = Callable[[], Upstream]
"""Returns the client of an upstream while the gateway runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteParts:
    """The optional parts of a route; None for each that it does not have."""

    files: ASGIApp | None = None
    splitter: ChoosesUpstream | None = None
    mirroring: CopiesRequests | None = None
    forward_socket: ForwardsSockets | None = None


NO_PARTS = RouteParts()


def parts_of(route: Route, find: Callable[[type[Upstream] | str], FindUpstream]) -> RouteParts:
    """Return the parts of a route; `find` returns how an upstream is found."""
    del find
    wanted = {
        "files": route.files,
        "split": route.split,
        "mirror": route.mirror,
        "websocket": route.websocket,
    }
    for name, given in wanted.items():
        if given:
            raise ConfigurationError(f"Route({route.id!r}, {name}=...) is not served yet")
    return NO_PARTS
