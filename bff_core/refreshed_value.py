"""A value that is fetched early, once for all callers, and used while its source is down."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Generic, TypeVar

from bff_core.clock import Clock
from bff_core.errors import BFFError
from bff_core.scope import running_part

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """A value of a source, and three instants of the clock, in ascending order.

    From `refresh_at` on, a use starts a fetch in the background. From `wait_at` on, callers wait
    for that fetch, unless the source is down. From `expires_at` on, the value is not used.
    """

    value: T
    refresh_at: float
    wait_at: float
    expires_at: float


class Refreshed(Generic[T]):
    """One value of a source that may be slow or down, fetched once for all callers.

    1. There is one fetch at a time, in a task of its own: it continues for the others if a caller
       is cancelled or its deadline passes.
    2. A value in use is fetched again before it gets old, in the background: no caller waits.
    3. While the source is down, the last value is used until it expires.
    4. After a failure the source is not called for `pause` seconds. `refresh` calls it once in
       `interval` seconds, at most.

    `fetch` returns the value, or raises one of `errors`; another error also fails in its task.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Fetched[T]]],
        *,
        clock: Clock,
        spawn: Callable[[Coroutine[object, object, None]], asyncio.Task[None]],
        errors: tuple[type[Exception], ...] = (BFFError,),
        pause: float = 0.0,
        interval: float = 0.0,
    ) -> None:
        self.failure: Exception | None = None
        self._fetch = fetch
        self._clock = clock
        self._spawn = spawn
        self._errors = errors
        self._pause = pause
        self._interval = interval
        self._fetched: Fetched[T] | None = None
        self._fetched_at = self._started_at = self._failed_at = -math.inf
        self._task: asyncio.Task[None] | None = None

    @property
    def current(self) -> T | None:
        """The last value, unless it has expired."""
        fetched = self._fetched
        if fetched is None or self._clock() >= fetched.expires_at:
            return None
        return fetched.value

    @property
    def age(self) -> float | None:
        """How many seconds ago the last value was fetched; None without one."""
        return None if self._fetched is None else self._clock() - self._fetched_at

    @property
    def expires_in(self) -> float | None:
        """In how many seconds the last value expires, 0 if it has; None without one."""
        return None if self._fetched is None else max(0.0, self._fetched.expires_at - self._clock())

    @property
    def trusted_until(self) -> float:
        """Until when the value can be used without another `get`."""
        wait_at = -math.inf if self._fetched is None else self._fetched.wait_at
        return max(wait_at, self._failed_at + self._pause)

    def ready(self) -> T | None:
        """Return the value if no caller has to wait for another; fetch early if that is due."""
        fetched, now = self._fetched, self._clock()
        if fetched is not None and now < fetched.refresh_at:
            return fetched.value
        self._fetch_if_allowed(now)
        if fetched is None or now >= fetched.expires_at:
            return None
        return fetched.value if now < fetched.wait_at or self._is_down(fetched, now) else None

    async def get(self) -> T | None:
        """Return the value, after a fetch if one is needed; None if it failed (see `failure`)."""
        value, before = self.ready(), self._fetched
        if value is not None:
            return value
        if self._task is not None:
            await asyncio.wait((self._task,))
        if self._fetched is not None and self._fetched is not before:
            return self._fetched.value  # even if it has expired since
        return self.current

    async def refresh(self) -> T | None:
        """Fetch again, even if the value is fresh; return the value after that.

        It fetches once in `interval` seconds at most, since any client may cause it.
        """
        now, fetched = self._clock(), self._fetched
        if fetched is None or now >= fetched.refresh_at or now >= self._fetched_at + self._interval:
            self._fetch_if_allowed(now)
        if self._task is not None:
            await asyncio.wait((self._task,))
        return self.current

    def start(self) -> asyncio.Task[None]:
        """Return the fetch that is under way, or start one at once."""
        if self._task is None or self._task.done():
            self._started_at = self._clock()
            self._task = self._spawn(self._run())
        return self._task

    def end_pause(self) -> None:
        """Allow the next fetch at once, though the last one has failed."""
        self._failed_at = -math.inf

    def _fetch_if_allowed(self, now: float) -> None:
        fetched = self._fetched
        # Callers wait for one fetch of their own, even if an early one has just failed.
        is_first_due = fetched is not None and self._started_at < fetched.wait_at <= now
        if is_first_due or now >= self._failed_at + self._pause:
            self.start()

    def _is_down(self, fetched: Fetched[T], now: float) -> bool:
        """Return whether a fetch has failed since callers have to wait, and not long ago.

        While it is down, callers do not wait if they come at least once in a `pause`; their fetches
        run in the background. The first caller after a quiet time waits.
        """
        return self._failed_at >= fetched.wait_at and now <= self._failed_at + 2 * self._pause

    async def _run(self) -> None:
        running_part.set(None)  # the value is for all callers: no deadline of a part applies
        try:
            fetched = await self._fetch()
        except Exception as error:
            self.failure, self._failed_at = error, self._clock()
            if not isinstance(error, self._errors):
                raise
            error.__traceback__ = None  # it would hold the frames of the fetch until the next one
        else:
            self._fetched, self._fetched_at = fetched, self._clock()
            self.failure = None
        finally:
            self._task = None
