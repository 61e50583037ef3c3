"""The scripts of services under test: a reply, several in order, one for each route, a function."""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from bff_core.call import Call, Reply
from bff_core.errors import BFFError, TransportFailed
from bff_core.streamed_body import StreamedBody
from bff_core.testing.calls import Calls
from bff_core.testing.scripted import Scripted, Step
from bff_core.testing.virtual_time import VirtualTimeLoop

Answering: TypeAlias = Callable[[Call], Reply | Step | Awaitable[Reply | Step]]
"""A function that answers a call: it returns a reply, or a step such as `reply(200, ...)`."""

Script: TypeAlias = Answering | Sequence[Step] | Mapping[str, Answering | Sequence[Step]]
"""How a service answers: a step, steps in order, a script for each route, or a function."""

_ROUTE = re.compile(
    r"(?:(?P<method>[A-Z]+) +)?(?P<path>/\S*)|(?P<operation>(?:query|mutation) [_A-Za-z]\w*)"
)

TICK_SECONDS = 1e-6
TICK_OF_REAL_TIME_SECONDS = 1e-3
"""The least that a call takes: calls that begin meanwhile run in parallel to it."""

ROUNDS_OF_REAL_TIME = 20
"""How often the loop goes on after that: on a busy machine the tick is over before others begin."""


class UnscriptedCall(AssertionError):
    """A service was called that has no script for the call."""


def example_for(call: Call) -> str:
    """Return how a test would script the call."""
    name = call.upstream if call.upstream.isidentifier() else None
    script = f'{{"{call.operation}": reply(200, ...)}}'
    return f"{name}={script}" if name else f'services={{"{call.upstream}": {script}}}'


class ScriptedService:
    """One service of a gateway under test: answers by its script, and records its calls.

    `errors` lists what is wrong with the script: calls that it has nothing for, mistakes in it.
    """

    def __init__(self, name: str, script: Script | None, calls: Calls) -> None:
        self.name = name
        self.errors: list[Exception] = []
        self.in_flight = 0
        self._calls = calls
        self._routes: dict[str, Scripted] = {}
        self.then(script)

    def __repr__(self) -> str:
        return f"scripted   {len(self._calls[self.name])} calls, {self.in_flight} in flight"

    def then(self, script: Script | None) -> None:
        """Replace the script; None means that the service must not be called."""
        self._routes = dict(_routes_of(self.name, script))

    def unused(self) -> Iterator[str]:
        """Yield a text for each route that has steps which were never taken."""
        for route, steps in self._routes.items():
            if steps.unused:
                where = f"{self.name} {route}".strip()
                total = steps.unused + steps.used
                yield f"{where}: {steps.unused} of {total} replies unused"

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        received = self._calls.begin(call)
        began = asyncio.get_running_loop().time()
        self.in_flight += 1
        try:
            if isinstance(call.body, StreamedBody):
                received.body = b"".join([chunk async for chunk in call.body.open()])
                call = replace(call, body=received.body)
            try:
                answer = await self._script_for(call)(call)
            finally:
                await self._take_time(began)
        except BaseException as error:
            self._calls.end(received, error=type(error).__name__)
            if isinstance(error, Exception) and not isinstance(error, BFFError):
                self.errors.append(error)
            raise
        finally:
            self.in_flight -= 1
        self._calls.end(received, status=answer.status)
        return answer

    async def _take_time(self, began: float) -> None:
        """Wait for what is left of a tick, so that calls of the same moment overlap."""
        loop = asyncio.get_running_loop()
        is_virtual = isinstance(loop, VirtualTimeLoop)
        tick = TICK_SECONDS if is_virtual else TICK_OF_REAL_TIME_SECONDS
        if (left := began + tick - loop.time()) > 0:
            await asyncio.sleep(left)
        for _ in range(0 if is_virtual else ROUNDS_OF_REAL_TIME):
            await asyncio.sleep(0)

    def _script_for(self, call: Call) -> Scripted:
        for route in _routes_for(call):
            if route in self._routes:
                return self._routes[route]
        self.errors.append(UnscriptedCall(self._explained(call)))
        raise TransportFailed("the test has no script for this call", call=call, is_sent=False)

    def _explained(self, call: Call) -> str:
        known = ", ".join(self._routes)
        has = f"its script has {known}" if known else "it has no script"
        return (
            f"{self.name} was called, {call.method} {call.target} ({call.operation}), and {has}: "
            f"script the call, as in client(app, {example_for(call)})"
        )


def _routes_for(call: Call) -> Iterator[str]:
    """Yield the routes that match a call, the most specific first."""
    _, _, template = call.operation.partition(" ")
    path = call.target.partition("?")[0]
    for one in (call.target, path, template):
        yield f"{call.method} {one}"
        yield one
    yield call.operation
    yield ""


def _routes_of(name: str, script: Script | None) -> Iterator[tuple[str, Scripted]]:
    if script is None:
        return
    if not isinstance(script, Mapping):
        yield "", _steps_of(name, script)
        return
    for route, steps in script.items():
        match = _ROUTE.fullmatch(route)
        if match is None:
            raise TypeError(
                f"{name}: {route!r} is no route: write a path, or a method and a path, such as "
                '"GET /products/{id}", or a GraphQL operation, such as "query Product"'
            )
        yield " ".join(filter(None, match.groups())), _steps_of(f"{name} {route}", steps)


def _steps_of(name: str, steps: Answering | Sequence[Step]) -> Scripted:
    given = [steps] if callable(steps) else steps
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise TypeError(f"{name}: {_shown(given)} is no reply: write reply(200, ...)")
    if not given:
        raise TypeError(f"{name}: an empty list of replies: write [reply(200, ...)]")
    for one in given:
        if not callable(one):
            raise TypeError(f"{name}: {_shown(one)} is no reply: write reply(200, ...)")
    return Scripted(*(_as_step(name, one) for one in given))


def _as_step(name: str, answering: Answering) -> Step:
    """Return a step that calls a function, and then takes the step that it may return."""

    async def step(call: Call) -> Reply:
        answer = answering(call)
        for _ in range(3):  # a coroutine, the step that it returns, the coroutine of that
            if inspect.isawaitable(answer):
                answer = await answer
            elif callable(answer):
                answer = answer(call)
        if not isinstance(answer, Reply):
            raise TypeError(
                f"{name}: the function of the script returned {_shown(answer)}: return a Reply, "
                "or a step such as reply(200, ...)"
            )
        return answer

    return step


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
