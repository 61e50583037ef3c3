"""Load shedding before ASGI: refuses what the edge would refuse, at half the cost.

The answer is the same as the edge's, without a task and an ASGI cycle, in one write. Under overload
most requests are refused, and refusals take CPU time from the admitted ones.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bff_core.edge.health import PROBES
from bff_core.edge.shedding.controller import SheddingController
from bff_core.edge.shedding.criticality import Fields
from bff_core.errors import Overloaded
from bff_core.gateway.console import is_console_path
from bff_core.policy.edge.shedding import LoadShedder
from bff_core.server.parser import RequestReader
from bff_core.server.response_head import STATUS_LINES

_STATUS: Final = STATUS_LINES[Overloaded.status]


class EarlyShedding:
    """Load shedding for one gateway; other applications have no controller and refuse nothing.

    Requests that end their connection, or that expect a 100, are left to the edge.
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
        """Return the whole answer to a refused request; None for an admitted one.

        The loop reads several requests before the first of their tasks begins. So admitted requests
        count as arriving until the next iteration of the loop.
        """
        pressure, controller = self._pressure, self._controller
        if controller is None or not (
            pressure.is_limited or pressure.in_flight >= pressure.lowest_threshold
        ):
            return None
        path = request.target.path
        is_admitted = path in PROBES or is_console_path(path)
        if is_admitted or request.is_last or request.expects_continue:
            return None
        if pressure.in_flight + pressure.arriving >= pressure.lowest_threshold:
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
