"""`Part`: one part of a composition. It runs once, many may await it, and it reports its state."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Generic, Never, Protocol, TypeVar

from bff_core.call import Reply
from bff_core.composition.errors import PartCancelled, PartTimedOut
from bff_core.composition.part_status import State, reason_of, state_of
from bff_core.composition.run_context import RunContext
from bff_core.errors import BFFError, CompositionCycle, PartFailed
from bff_core.events import Crashed, PartEnded, PartStarted, Span
from bff_core.events.part_states import DEPENDENCY
from bff_core.scope import running_part

T_co = TypeVar("T_co", covariant=True)


class PartFailure(Protocol):
    """The failure policy of a part: its deadline, and what happens after an error."""

    @property
    def is_critical(self) -> bool:
        """Whether an error of the part is an error of the screen."""

    @property
    def may_shed(self) -> bool:
        """Whether the part may be left out under load."""

    @property
    def tolerates_degraded(self) -> bool:
        """Whether the part is complete although a part that it awaited has degraded."""

    def deadline(self, now: float, limit: float, /) -> float:
        """Return the part's deadline; `now` is an instant, `limit` the request's deadline."""

    def settle(self, part: "Part[object]", error: Exception, /) -> None:
        """Set the part's fallback, or the error that its waiters get."""

    def shed(self, part: "Part[object]", /) -> None:
        """Set the fallback of a part that is shed; called only if it `may_shed`."""


class Part(Awaitable[T_co], Generic[T_co]):
    """A running or ended part. A waiter that is cancelled does not cancel it.

    `deadline` is an instant of the composition's clock; `state` and `reason` are final once
    `is_done`; `age` is in seconds, and above 0 if a stale reply was used; `started` and `ended`
    are instants. A part `is_incomplete` if a part that it awaited has degraded.
    """

    __slots__ = (
        "_awaiting",
        "_body",
        "_callbacks",
        "_error",
        "_failure",
        "_has_expired",
        "_is_raised",
        "_is_reported",
        "_run_state",
        "_task",
        "_timer",
        "_value",
        "age",
        "deadline",
        "ended",
        "is_done",
        "is_incomplete",
        "name",
        "reason",
        "span",
        "started",
        "state",
    )

    def __init__(
        self,
        run: RunContext,
        name: str,
        body: Coroutine[object, object, T_co] | None,
        *,
        started: float,
        deadline: float,
        failure: PartFailure,
    ) -> None:
        """Start the body at once; a part without a body is shed."""
        self.name = name
        self.deadline = deadline
        self.state: State = "ok"
        self.reason = ""
        self.age = 0.0
        self.is_done = False
        self.started = started
        self.ended = 0.0
        self._run_state = run
        self._failure = failure
        self._value: T_co | None = None
        self._error: Exception | None = None
        self._callbacks: list[Callable[[Part[T_co]], object]] = []
        self._awaiting: list[Part[object]] = []
        self._has_expired = False
        self._is_raised = False
        self._is_reported = False
        self.span = None if run.span is None else self._started_span(run.span)
        self.is_incomplete = False
        self._timer: asyncio.TimerHandle | None = None
        self._body: Coroutine[object, object, T_co] | None = body
        self._task: asyncio.Task[None] | None = None
        if body is None:
            failure.shed(self)
            self._finish()
            return
        if deadline < run.deadline:
            self._timer = run.loop.call_later(deadline - self.started, self._expire)
        self._task = run.loop.create_task(self._run())

    def note_reply(self, reply: Reply) -> None:
        """Record a reply that the value depends on; a stale reply makes the part stale."""
        if reply.source == "stale":
            if self.state == "ok":
                self.state = "stale"
            self.age = max(self.age, reply.age)

    def mark_partial(self, reason: str, /) -> None:
        """Record that something is missing in a reply that the value depends on."""
        self.state, self.reason = "partial", reason

    def degrade(self, state: State, reason: str, value: object) -> None:
        """End with a fallback; the failure policy calls it."""
        self.state, self.reason = state, reason
        self._value = value  # type: ignore[assignment]  # the declaration types it as T | fallback

    def fail(self, error: Exception) -> None:
        """End with an error that every waiter gets; the failure policy calls it."""
        self.state, self.reason = state_of(error, has_fallback=False), reason_of(error)
        self._error = error

    def cancel(self) -> asyncio.Task[None] | None:
        """Cancel the body if it still runs, and return its task."""
        task = self._task
        if task is not None:
            task.cancel()
            if self._body is not None:
                self._close_unstarted(self._body)
        elif self._error is not None and not self._is_raised:
            self._report_bug(self._error)
        return task

    def _report_bug(self, error: Exception) -> None:
        """Emit an event for a bug in a part that nothing awaited."""
        cause = error.cause if isinstance(error, PartFailed) else error
        run = self._run_state
        if run.events.sinks and not isinstance(cause, BFFError):
            self._is_raised = True
            run.events.emit(Crashed(f"{run.title}.{self.name}", "", cause))

    async def _run(self) -> None:
        running_part.set(self)
        body, self._body = self._body, None
        try:
            self._value = await body  # type: ignore[misc]  # a body is run once
            if self.is_incomplete:
                self._degrade_incomplete()
        except asyncio.CancelledError:
            self._settle_cancellation()
            if not self._has_expired:
                raise
        except Exception as error:  # noqa: BLE001 - every error of a body becomes a state
            self._settle(error)
        finally:
            self._finish()

    def _settle_cancellation(self) -> None:
        """Settle a part that its timer, its composition or an awaited part has cancelled."""
        if self._has_expired:
            self._settle(PartTimedOut(self.name))
        elif self._task is not None and not self._task.cancelling():
            self._settle(PartCancelled(self.name))
        else:
            self.fail(PartCancelled(self.name))

    def _degrade_incomplete(self) -> None:
        """Degrade: the value depends on the fallback of a part that degraded."""
        if self._failure.tolerates_degraded or self.state not in {"ok", "stale"}:
            return
        self.state, self.reason = "fallback", DEPENDENCY
        if self._run_state.events.sinks:
            self._report_end(self.state)

    def _close_unstarted(self, body: Coroutine[object, object, T_co]) -> None:
        # A task that is cancelled before its first step never runs `_run`.
        body.close()
        self._body = None
        if self._has_expired:
            self._settle(PartTimedOut(self.name))
        else:
            self.fail(PartCancelled(self.name))
        self._finish()

    def _settle(self, error: Exception) -> None:
        self._failure.settle(self, error)
        if self._run_state.events.sinks:
            self._report_end("failed" if self._error is not None else self.state, error)

    def _started_span(self, request: Span) -> Span:
        """Report the start; return the part's span, within the part that needs it first."""
        run, caller = self._run_state, running_part.get()
        parent = request if caller is None or caller.span is None else caller.span
        span = parent.child()
        run.events.emit(PartStarted(run.title, self.name, self._failure.is_critical, span=span))
        return span

    def _report_end(self, state: str, error: Exception | None = None) -> None:
        self._is_reported = True
        run = self._run_state
        run.events.emit(
            PartEnded(
                run.title,
                self.name,
                state,
                self.reason,
                error,
                is_raised=self._error is not None,
                duration=run.clock() - self.started,
                span=self.span,
            )
        )

    def _finish(self) -> None:
        run = self._run_state
        self.is_done = True
        self.ended = run.clock()
        if self.state != "ok":
            run.add_problem(self.name, self.state, self.reason)
        if self.span is not None and not self._is_reported:
            self._report_end("failed" if self._error is not None else self.state)
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if run.on_part_ended is not None:
            run.on_part_ended(self)
        for callback in self._callbacks:
            callback(self)
        self._callbacks.clear()

    def _expire(self) -> None:
        self._has_expired = True
        self.cancel()

    def __await__(self) -> Generator[object, None, T_co]:
        value = yield from self.wait_for_result()
        self.mark_used()
        return value

    def wait_for_result(self) -> Generator[object, None, T_co]:
        """Wait for the part and return its value, or raise its error."""
        caller = running_part.get()
        if isinstance(caller, Part):
            with self.awaited_by(caller):
                yield from self._wait()
        else:
            yield from self._wait()
            self.report_use()
        return self.result()

    def mark_used(self) -> None:
        """Record that the running part, if there is one, depends on the value of this part."""
        caller = running_part.get()
        if isinstance(caller, Part) and self.state not in {"ok", "stale"}:
            caller.is_incomplete = True

    def report_use(self) -> None:
        """Pass this part to the part observer, if the running code has one."""
        observe = part_observer.get()
        if observe is not None:
            observe(self)

    def _wait(self) -> Generator[object, None, None]:
        if not self.is_done:
            waiter: asyncio.Future[None] = self._run_state.loop.create_future()
            self._callbacks.append(partial(_wake, waiter))
            yield from waiter

    @contextmanager
    def awaited_by(self, caller: "Part[object]") -> Iterator[None]:
        """Record that another part waits for this one; raise `CompositionCycle` for a deadlock."""
        self._run_state.edges[caller.name, self.name] = None
        if self._leads_to(caller):
            raise CompositionCycle(f"part {caller.name!r} awaits {self.name!r}, which awaits it")
        caller._awaiting.append(self)  # noqa: SLF001 - same class
        try:
            yield
        finally:
            caller._awaiting.remove(self)  # noqa: SLF001 - same class

    def problems_awaited(self) -> Iterator[tuple[str, State, str]]:
        """Yield name, state and reason of each awaited part that did not end well.

        These are the parts that this one awaited, and those that they awaited.
        """
        problems, edges = self._run_state.problems, self._run_state.edges
        reached = [self.name] if problems else []
        for name in reached:
            reached += [b for a, b in edges if a == name and b not in reached]
            if name != self.name and name in problems:
                yield (name, *problems[name])

    def _leads_to(self, part: "Part[object]") -> bool:
        reached: list[Part[object]] = [self]
        for one in reached:
            if one is part:
                return True
            reached += [other for other in one._awaiting if other not in reached]  # noqa: SLF001 - same class
        return False

    def add_done_callback(self, callback: Callable[["Part[T_co]"], object]) -> None:
        """Call back when the part has ended; like a future's."""
        self._callbacks.append(callback)

    def done(self) -> bool:
        """Return whether the part has ended; like a future's."""
        return self.is_done

    def cancelled(self) -> bool:
        """Return False: a part that was cancelled has failed."""
        return False

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that the part runs on."""
        return self._run_state.loop

    def exception(self) -> Exception | None:
        """Return the error of an ended part, or None."""
        return self._error

    def result(self) -> T_co:
        """Return the value of an ended part, or raise its error."""
        if self._error is not None:
            self._is_raised = True
            raise self._error
        return self._value  # type: ignore[return-value]  # set by every end without an error

    def __repr__(self) -> str:
        state = self.state if self.is_done else "running"
        return f"<Part {self.name} {state}{': ' + self.reason if self.reason else ''}>"


def _refuse_iteration(part: Part[object]) -> Never:
    """Raise `TypeError`: the value can be iterated, once it is awaited."""
    raise TypeError(f"{part!r} can't be iterated: await the part first")


# Not in the class, where it would make type checkers accept a part as an iterable.
Part.__iter__ = _refuse_iteration  # type: ignore[attr-defined]


part_observer: ContextVar[Callable[[Part[object]], object] | None] = ContextVar(
    "part_observer", default=None
)
"""Called with each ended part that was awaited outside any part; a face may set it."""


def _wake(waiter: "asyncio.Future[None]", _part: object) -> None:
    if not waiter.done():
        waiter.set_result(None)
