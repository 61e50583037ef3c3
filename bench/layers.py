"""Measures each layer of the upstream stack, on a constant reply: `python -m bench.layers`.

Prints the rows as JSON. The stack is built as a gateway builds it, from a policy that leaves
layers out; the transport at its end answers at once.
"""

import asyncio
import itertools
import json
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from msgspec import structs

from bff_core import Cache, Call, Policy, Relay, Reply, Upstream
from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.clock import chance, monotonic
from bff_core.events import Events
from bff_core.oauth.tokens import token_sources
from bff_core.upstream.credentials.factory import CredentialFactory
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import UpstreamStack, open_stack
from bff_core.upstream.transport.interface import Endpoint, Load

CALLS = 20_000
ROUNDS = 7
BODY = b'{"id":7,"name":"Goran Novak"}'

FULL = Policy()
BARE = Policy(
    timeout=FULL.timeout,
    attempt_timeout=FULL.timeout,
    coalesce=False,
    retry=None,
    breaker=None,
    bulkhead=None,
)
STEPS = {
    "deadline, balance": BARE,
    "+ attempt": (step := replace(BARE, attempt_timeout=FULL.attempt_timeout)),
    "+ bulkhead": (step := replace(step, bulkhead=FULL.bulkhead)),
    "+ breaker": (step := replace(step, breaker=FULL.breaker)),
    "+ retry": (step := replace(step, retry=FULL.retry)),
    "+ coalesce: the whole stack": FULL,
}
"""From the smallest stack to what every upstream has by default, a layer at a time."""


class Constant:
    """A transport, and the connections of its only endpoint: the same reply to every call."""

    def __init__(self) -> None:
        self.endpoint = Endpoint("http", "127.0.0.1", 80, "127.0.0.1")
        self.load = Load(0, 0, 0)
        self.reply = Reply(200, ((b"content-type", b"application/json"),), BODY)

    def connect(self, _endpoint: Endpoint) -> "Constant":
        """Return the only connector."""
        return self

    async def send(self, _call: Call) -> Reply:
        """Answer."""
        return self.reply

    async def aclose(self) -> None:
        """Have nothing to close."""


@dataclass(frozen=True, slots=True)
class User:
    """The type of the constant reply."""

    id: int
    name: str


class Users(Upstream):
    """A service client of one method."""

    async def profile(self, user_id: int) -> User:
        """Return a user."""
        return await self.get("/users/{id}", User, id=user_id)


def stack_of(
    policy: Policy, loop: asyncio.AbstractEventLoop, cache: ResponseCache | None = None
) -> UpstreamStack:
    """Return the stack that a gateway would build, above a constant reply."""
    shown = CredentialFactory(str, token_sources(dict)).open
    runtime = Runtime(
        "users", loop, monotonic, chance, Events(), loop.create_task, cache=cache, credential=shown
    )
    return open_stack(policy, ["http://127.0.0.1"], runtime, lambda *_: Constant())


async def cost_of(one: Callable[[int], Awaitable[object]]) -> float:
    """Return the microseconds that one call takes: the best of several rounds.

    Whatever else the machine does can only add to it.
    """
    rounds = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        for index in range(CALLS):
            await one(index)
        rounds.append((time.perf_counter() - before) / CALLS * 1e6)
    return min(rounds)


async def through_handler(policy: Policy) -> float:
    """Return the time of a call without making the `Call`."""
    stack = stack_of(policy, asyncio.get_running_loop())
    call = Call("users", "GET", "/users/7", "GET /users/{id}", monotonic() + 600)

    def anew(_: int) -> Awaitable[Reply]:
        call.trail.clear()  # it is the first time, as far as the call knows
        return stack.handler(call)

    return await cost_of(anew)


async def through_method() -> float:
    """Return the time of a typed method: making the call, the stack, decoding."""
    users = Users(stack_of(FULL, asyncio.get_running_loop()))
    return await cost_of(users.profile)


async def with_cache(user: Callable[[], int]) -> float:
    """Return the time of a typed method with cached replies, for these users in turn."""
    store = MemoryCacheStore(size=64 * 2**20, clock=monotonic, events=Events())
    policy = replace(FULL, public=True, cache=Cache(ttl=600))
    stack = stack_of(policy, asyncio.get_running_loop(), ResponseCache(store, Events()))
    users = Users(stack)
    return await cost_of(lambda _: users.profile(user()))


class Held:
    """A viewer's token that needs no refresh."""

    async def current(self) -> str:
        """Return a token as long as they are."""
        return "eyJ" * 300

    async def renewed(self, _refused: str, /) -> None:
        """Have no other."""


async def relaying() -> float:
    """Return the time of a call that relays its viewer's token."""
    stack = stack_of(replace(FULL, credentials=Relay()), asyncio.get_running_loop())
    call = Call("users", "GET", "/users/7", "GET /users/{id}", monotonic() + 600, "0::7")
    call = structs.replace(call, token=Held())

    def anew(_: int) -> Awaitable[Reply]:
        call.trail.clear()
        return stack.handler(call)

    return await cost_of(anew)


async def without_stack() -> float:
    """Return the time of the reply alone."""
    constant = Constant()
    call = Call("users", "GET", "/users/7", "GET /users/{id}", math.inf)
    return await cost_of(lambda _: constant.send(call))


async def measure() -> list[dict[str, str | float]]:
    """Return a row for each step, with what it adds to the one before."""
    costs = {"no stack": await without_stack()}
    for name, policy in STEPS.items():
        costs[name] = await through_handler(policy)
    costs["+ typed method: make the call, decode"] = await through_method()
    before = [0.0, *costs.values()]
    rows = [row(*one) for one in zip(costs, costs.values(), before, strict=False)]
    method = before[-1]
    found = await with_cache(lambda: 7)
    lacked = await with_cache(partial(next, itertools.count()))
    relayed = await relaying()
    return [
        *rows,
        row("the same, with a cache: found", found, method),
        row("the same, with a cache: not found, and stored", lacked, method),
        row("the whole stack, relaying the viewer's token", relayed, costs[[*STEPS][-1]]),
    ]


def row(stack: str, cost: float, before: float) -> dict[str, str | float]:
    """Return the time of a stack, and the difference to another."""
    return {"stack": stack, "us": round(cost, 2), "added_us": round(cost - before, 2)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure())))
