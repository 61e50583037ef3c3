"""The runtime of a single layer under test, and calls for it."""

import asyncio
import random
from collections.abc import Coroutine
from typing import TypeVar

from bff_core.call import Call, Headers
from bff_core.clock import Clock
from bff_core.events import AnyEvent, Events
from bff_core.upstream.runtime import Runtime

Kind = TypeVar("Kind")


class LayerRuntime:
    """The runtime of a layer under test; create it inside the running loop.

    `events` lists the emitted events, `background` holds the spawned tasks. `clock` is the loop's
    by default. Randomness is seeded, so that a run can be repeated.
    """

    def __init__(
        self,
        upstream: str = "users",
        *,
        seed: int = 1,
        listens: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self.events: list[AnyEvent] = []
        self.background: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self.runtime = Runtime(
            upstream=upstream,
            loop=self._loop,
            clock=self._clock,
            chance=random.Random(seed).random,  # noqa: S311 # repeatable, not secret
            events=Events(self.events.append) if listens else Events(),
            spawn=self._spawn,
        )

    @property
    def now(self) -> float:
        """The current instant of the clock."""
        return self._clock()

    def call(
        self,
        target: str = "/users/7",
        *,
        method: str = "GET",
        timeout: float = 10.0,
        audience: str | None = None,
        headers: Headers = (),
    ) -> Call:
        """Return a call whose deadline is `timeout` seconds from now."""
        return Call(
            upstream=self.runtime.upstream,
            method=method,
            target=target,
            operation=f"{method} /users/{{id}}",
            deadline=self.now + timeout,
            audience=audience,
            headers=headers,
        )

    def events_of(self, kind: type[Kind]) -> list[Kind]:
        """Return the emitted events of one class, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        return task
