"""Load shedding before ASGI: refuses requests that the edge would refuse, at half the cost.

The answer is the edge's. Here it takes no task, no ASGI cycle, and one write. Under overload most
requests are refused, and the time that it takes is time that the admitted ones lack.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bff_core.edge.health import PROBES
from bff_core.edge.shedding.controller import SheddingController
from bff_core.edge.shedding.criticality import Fields
from bff_core.errors import Overloaded
from bff_core.policy.edge.shedding import LoadShedder
from bff_core.server.parser import RequestReader
from bff_core.server.response_head import STATUS_LINES

_STATUS: Final = STATUS_LINES[Overloaded.status]


class EarlyShedding:
    """Load shedding for one gateway; any other application has no controller, and none is refused.

    Requests that end their connection, or whose body waits for a 100, are left to the edge.
    """

    __slots__ = ("_controller", "_defaults", "_head", "_loop", "_pressure")

    def __init__(
        self,
        controller: SheddingController | None,
        defaults: Callable[[], bytes],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._controller = controller
        self._defaults = defaults
        self._loop = loop
        self._pressure = controller.pressure if controller is not None else LoadShedder()
        fields = controller.refusal.constant if controller is not None else ()
        lines = b"".join(b"%b: %b\r\n" % field for field in fields).replace(b"%", b"%%")
        self._head = lines + b"content-length: %d\r\nretry-after: %d\r\nx-request-id: %b\r\n"

    def reject(self, request: RequestReader) -> bytes | None:
        """Return the whole answer to a request that is not admitted; None for one that is.

        Several requests are read in one turn of the loop before the first of them begins: those
        that are admitted count as arriving until they do.
        """
        pressure, controller = self._pressure, self._controller
        if controller is None or not (pressure.is_limited or pressure.in_flight >= pressure.calm):
            return None
        path = request.target.path
        if path in PROBES or request.is_last or request.continues:
            return None
        if pressure.in_flight + pressure.arriving >= pressure.calm:
            fields = dict(request.headers)
            if not controller.admits_path(request.method, path, fields):
                return self._render(controller, fields, has_body=request.method != "HEAD")
        if not pressure.arriving:
            self._loop.call_soon(self._arrived)
        pressure.arriving += 1
        return None

    def _render(self, controller: SheddingController, fields: Fields, *, has_body: bool) -> bytes:
        name, body, added = controller.refusal.render(fields)
        head = self._head % (len(body), controller.refusal.wait(), name)
        cors = b"".join([b"%b: %b\r\n" % field for field in added]) if added else b""
        return b"%b%b%b%b\r\n%b" % (
            _STATUS,
            self._defaults(),
            head,
            cors,
            body if has_body else b"",
        )

    def _arrived(self) -> None:
        self._pressure.arriving = 0
