"""In development: stores the parts of the newest answers, for the console.

From their values it learns which part each place of an answer comes from. Other processes, and
gateways in production, store nothing.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.wiring import Wiring
from bff_core.http_exchange.request_context import SCOPE
from bff_core.routing.wiring import WIRING
from bff_core.scope import Scope

C = TypeVar("C", bound=Composition)

MAX_REQUESTS: Final = 100
MAX_BYTES: Final = 4 << 20
"""The newest answers whose parts are stored, and the bytes of their bodies in all."""

Composed = tuple[type[Composition], PartRegistry]
"""The class of a composition, and the registry of its parts."""


@dataclass(frozen=True, slots=True)
class RecordedParts:
    """A GET that was answered, and its compositions in their order; header names are as sent.

    `size` is that of the answer's body before it is compressed.
    """

    target: str
    headers: Sequence[tuple[bytes, bytes]]
    composed: Sequence[Composed]
    size: int = 0


class PartsRecorder:
    """Records the compositions of requests that only read."""

    def __init__(self) -> None:
        self._stored: OrderedDict[str, RecordedParts] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._stored)

    def get(self, span_id: str) -> RecordedParts | None:
        """Return what is stored of a request by its span; None if it is not, or no more."""
        return self._stored.get(span_id)

    def recording(self, app: ASGIApp) -> ASGIApp:
        """Wrap what is behind the edge."""

        async def recorded(scope: ASGIScope, receive: Receive, send: Send) -> None:
            usual = scope.get(WIRING)
            if scope["type"] != "http" or scope["method"] != "GET" or usual is None:
                await app(scope, receive, send)
                return
            scope[WIRING] = wiring = _RecordingWiring(usual)
            size = 0

            async def counted(message: Message) -> None:
                nonlocal size
                size += len(message.get("body", b""))
                await send(message)

            await app(scope, receive, counted)
            request = scope.get(SCOPE)
            if wiring.composed and isinstance(request, Scope) and request.span is not None:
                self._store(request.span.span_id, _recorded(scope, wiring.composed, size))

        return recorded

    def _store(self, span_id: str, one: RecordedParts) -> None:
        self._stored[span_id] = one
        self._size += one.size
        while len(self._stored) > MAX_REQUESTS or (
            self._size > MAX_BYTES and len(self._stored) > 1
        ):
            self._size -= self._stored.popitem(last=False)[1].size


def _recorded(scope: ASGIScope, composed: Sequence[Composed], size: int) -> RecordedParts:
    query: bytes = scope["query_string"]
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    target = (path + b"?" + query if query else path).decode("latin-1")
    return RecordedParts(target, list(scope["headers"]), composed, size)


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
