"""In development: stores the parts of the newest answer of each route, for the console.

From their values it learns which part each place of an answer comes from. Other processes, and
gateways in production, store nothing.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.wiring import Wiring
from bff_core.edge.route_template import route_template
from bff_core.routing.wiring import WIRING
from bff_core.scope import Scope

C = TypeVar("C", bound=Composition)

MAX_ROUTES: Final = 50
"""Routes whose newest answer is stored."""

Composed = tuple[type[Composition], PartRegistry]
"""The class of a composition, and the registry of its parts."""


@dataclass(frozen=True, slots=True)
class RecordedParts:
    """A GET that was answered, and its compositions in their order; header names are as sent."""

    target: str
    headers: Sequence[tuple[bytes, bytes]]
    composed: Sequence[Composed]


class PartsRecorder:
    """Records the compositions of requests that only read."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, RecordedParts] = OrderedDict()

    def newest(self, route: str) -> RecordedParts | None:
        """Return what is stored of a route, by its template."""
        return self._newest.get(route)

    def recording(self, app: ASGIApp) -> ASGIApp:
        """Wrap what is behind the edge."""

        async def recorded(scope: ASGIScope, receive: Receive, send: Send) -> None:
            usual = scope.get(WIRING)
            if scope["type"] != "http" or scope["method"] != "GET" or usual is None:
                await app(scope, receive, send)
                return
            scope[WIRING] = wiring = _RecordingWiring(usual)
            await app(scope, receive, send)
            if wiring.composed:
                self._store(scope, wiring.composed)

        return recorded

    def _store(self, scope: ASGIScope, composed: Sequence[Composed]) -> None:
        route = route_template(scope)
        query: bytes = scope["query_string"]
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        target = (path + b"?" + query if query else path).decode("latin-1")
        self._newest.pop(route, None)
        self._newest[route] = RecordedParts(target, list(scope["headers"]), composed)
        if len(self._newest) > MAX_ROUTES:
            self._newest.popitem(last=False)


class _RecordingWiring(Wiring):
    """The wiring of a gateway for one request, which lists what it builds."""

    def __init__(self, usual: Wiring) -> None:
        self.__dict__ = {**usual.__dict__, "composed": []}

    composed: list[Composed]

    def build(self, cls: type[C], scope: Scope, inputs: Mapping[str, object]) -> C:
        """Return a composition for one request."""
        composition = super().build(cls, scope, inputs)
        self.composed.append((cls, composition.part_registry))
        return composition
