"""The captures of requests that the console has read from gateways in development."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from bff_core.console.requests.store import StoredRequest
from bff_core.console.sources import Sources
from bff_core.gateway.captures import MAX_STORED, MAX_STORED_BYTES, Capture

CAPTURES: Final = "requests.captures"
"""The command that returns the captures of a process: a list, for a list of span ids."""

MAX_READ: Final = 4
"""Captures that are read with the records, so that they outlive a gateway's restart."""


class CapturedRequests:
    """The newest captures, in bounded memory.

    They are read while their gateway runs: after it was restarted with other code, its requests can
    be sent again.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._stored: OrderedDict[tuple[str, str], Capture] = OrderedDict()
        self._size = 0

    async def get(self, stored: StoredRequest) -> Capture | None:
        """Return the capture of a request; None if no process has it, or has it any more."""
        key = stored.row.gateway, stored.record.span_id
        if key not in self._stored and stored.record.span_id:
            await self._read(stored.row.gateway, [stored.record.span_id])
        return self._stored.get(key)

    async def read(self, fresh: Iterable[StoredRequest]) -> None:
        """Read the captures of the newest of these requests."""
        by_gateway: dict[str, list[str]] = {}
        for one in list(fresh)[-MAX_READ:]:
            if one.record.span_id:
                by_gateway.setdefault(one.row.gateway, []).append(one.record.span_id)
        await asyncio.gather(*(self._read(gateway, ids) for gateway, ids in by_gateway.items()))

    async def _read(self, gateway: str, ids: list[str]) -> None:
        body = msgspec.json.encode(ids)
        answers = await self._sources.send_all(gateway, CAPTURES, body)
        for some in answers.decoded(list[Capture]):
            for one in some:
                self._add(gateway, one)

    def _add(self, gateway: str, one: Capture) -> None:
        if (gateway, one.span_id) in self._stored:
            return
        self._stored[gateway, one.span_id] = one
        self._size += one.stored_bytes
        while self._size > MAX_STORED_BYTES or len(self._stored) > MAX_STORED:
            _, oldest = self._stored.popitem(last=False)
            self._size -= oldest.stored_bytes
