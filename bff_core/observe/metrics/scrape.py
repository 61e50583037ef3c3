"""`Scrape`: what all processes of a gateway have counted, as text for Prometheus."""

import asyncio
import os
from math import inf
from pathlib import Path
from typing import Final

from bff_core.observe.metrics.ended import ended_totals, store_totals
from bff_core.observe.metrics.exposition import content_type_for, exposition
from bff_core.observe.metrics.process import ProcessMetrics
from bff_core.observe.metrics.samples import (
    Samples,
    SamplesQuery,
    Totals,
    added_totals,
    decoded_samples,
    encoded,
)
from bff_core.observe.process_socket import ProcessCommandFailed, send_command, sockets_in

SAMPLES: Final = "metrics.samples"
"""The command that returns the `Samples` of a process; its body is a `SamplesQuery`."""

ANSWER_SECONDS: Final = 1.0
"""How long a process may take to answer; Prometheus waits for ten seconds by default."""

SILENT_SECONDS: Final = 0.1
"""The same for a process that did not answer the last time."""

NO_STEPS: Final = 2**53


class Scrape:
    """Reads all processes whose sockets are in a folder; `own` is this one, if it counts.

    For a process that does not answer, the totals that it stored for the last scrape are used, and
    `bff_worker_up` is 0.
    """

    def __init__(self, folder: Path | None, own: ProcessMetrics | None = None) -> None:
        self._folder = folder
        self._own = own
        self._silent: set[int] = set()
        self._gateway = "" if own is None else own.gateway

    async def __call__(self, accept: str, client_seconds: float = inf) -> tuple[str, bytes]:
        """Return the content type and the text, in the format that `Accept` prefers.

        Other processes have half of `client_seconds` at most: how long the client waits.
        """
        query = SamplesQuery(since=NO_STEPS, is_scrape=True)
        samples, ended = await self._read(query, min(ANSWER_SECONDS, client_seconds / 2))
        if samples:
            self._gateway = samples[0].gateway
        content_type = content_type_for(accept)
        return content_type, exposition(
            samples, ended, content_type, gateway=self._gateway, silent=sorted(self._silent)
        )

    async def totals(self) -> Totals:
        """Return what all processes have counted, those that ended included."""
        samples, ended = await self._read(SamplesQuery(since=NO_STEPS), ANSWER_SECONDS)
        return added_totals([*ended, *(one.totals for one in samples)])

    async def _read(
        self, query: SamplesQuery, seconds: float
    ) -> tuple[list[Samples], list[Totals]]:
        """Return the samples of running processes, and the totals of those that ended."""
        own, folder = self._own, self._folder
        samples = [] if own is None else [stored_samples(own, query, folder)]
        samples += await self._others(query, seconds)
        ended = [] if folder is None else ended_totals(folder, [one.pid for one in samples])
        return samples, ended

    async def _others(self, query: SamplesQuery, seconds: float) -> list[Samples]:
        if self._folder is None:
            return []
        paths = sockets_in(self._folder)
        paths.pop(os.getpid(), None)
        body = encoded(query)
        answers = await asyncio.gather(
            *(self._samples_of(pid, paths[pid], body, seconds) for pid in paths)
        )
        # One that has ended meanwhile is not silent: its parent has removed its socket.
        self._silent = {
            pid
            for pid, answer in zip(paths, answers, strict=True)
            if answer is None and paths[pid].exists()
        }
        return [one for one in answers if one is not None]

    async def _samples_of(
        self, pid: int, path: Path, body: bytes, seconds: float
    ) -> Samples | None:
        seconds = min(seconds, SILENT_SECONDS) if pid in self._silent else seconds
        try:
            return decoded_samples(await send_command(path, SAMPLES, body, seconds=seconds))
        except ProcessCommandFailed:
            return None


def stored_samples(process: ProcessMetrics, query: SamplesQuery, folder: Path | None) -> Samples:
    """Return the samples of this process; before a scrape gets its totals, they are stored."""
    found = process.samples(query)
    if query.is_scrape and folder is not None:
        store_totals(folder, found.totals)
    return found
