"""Services of one sandbox: own connections and no caches, so that no other traffic is touched."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from bff_core.background import Background
from bff_core.call import Call, Reply
from bff_core.clock import chance
from bff_core.errors import TransportFailed
from bff_core.events import Events
from bff_core.gateway.app import Gateway
from bff_core.gateway.services import open_registry
from bff_core.policy.upstream.policy import Policy
from bff_core.reply_stream import ReplyStream
from bff_core.upstream.client import Upstream
from bff_core.upstream.registry import UpstreamRegistry
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport
from bff_core.upstream.transport.interface import Connector, Endpoint, Load, Transport
from bff_core.upstream.user_agent import user_agent

Replies = dict[tuple[str, ...], "asyncio.Future[Reply]"]
"""The replies of services by upstream, method, target and body."""


@dataclass(slots=True, eq=False)
class SandboxCalls:
    """The calls of one request of a sandbox, and the `upstreams` that they called.

    Calls of the `broken` upstreams fail as if nothing listened there. `replies` are shared by all
    requests of a sandbox: each read is sent once. `received` counts the bytes of each reply.
    """

    broken: Collection[str]
    replies: Replies
    received: dict[tuple[str, ...], int] = field(default_factory=dict)
    upstreams: set[str] = field(default_factory=set)


current_calls: ContextVar[SandboxCalls | None] = ContextVar("current_calls", default=None)
"""The calls of the running request of a sandbox."""


class _SandboxConnector:
    """A connector that counts calls, or fails them, before those of the gateway's transport."""

    def __init__(self, inner: Connector, upstream: str) -> None:
        self._inner = inner
        self._upstream = upstream

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that it connects to."""
        return self._inner.endpoint

    @property
    def load(self) -> Load:
        """How many connections and waiting calls there are now."""
        return self._inner.load

    async def send(self, call: Call, /) -> Reply:
        """Send a call; raise `TransportFailed` if its upstream is to fail."""
        calls = current_calls.get()
        if calls is None:
            return await self._inner.send(call)
        calls.upstreams.add(self._upstream)
        if self._upstream in calls.broken:
            message = "the console made this service fail"
            raise TransportFailed(message, call=call, is_sent=False, is_lasting=True)
        body = call.body if isinstance(call.body, bytes) else b""
        text = body.decode("latin-1")
        key: tuple[str, ...] = (self._upstream, call.method, call.target, text)
        if not call.is_safe or call.is_streamed:
            reply = await self._inner.send(call)
            key = (*key, str(len(calls.received)))
        else:
            reply = await self._shared(key, call, calls.replies)
        calls.received[key] = 0 if isinstance(reply.body, ReplyStream) else len(reply.body)
        return reply

    async def _shared(self, key: tuple[str, ...], call: Call, replies: Replies) -> Reply:
        known = replies.get(key)
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = replies[key] = asyncio.ensure_future(self._inner.send(call))
            known.add_done_callback(_mark_retrieved)
        return await asyncio.shield(known)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()


def _mark_retrieved(done: "asyncio.Future[Reply]") -> None:
    """Read an error that no request waits for, so that asyncio does not log it."""
    if not done.cancelled():
        done.exception()


class _SandboxTransport:
    def __init__(self, inner: Transport, upstream: str) -> None:
        self._inner = inner
        self._upstream = upstream
        self.needs_addresses = getattr(inner, "needs_addresses", False)

    def connect(self, endpoint: Endpoint, /) -> Connector:
        """Return the connector of an endpoint; opens no socket."""
        return _SandboxConnector(self._inner.connect(endpoint), self._upstream)


def _sandboxed(make: MakeTransport) -> MakeTransport:
    def made(policy: Policy, runtime: Runtime) -> Transport:
        return _SandboxTransport(make(policy, runtime), runtime.upstream)

    return made


def without_shared_state(policy: Policy) -> Policy:
    """Return a policy whose layers share nothing between requests; a cache is not opened."""
    return replace(policy, coalesce=False, hedge=None, breaker=None, bulkhead=None, critical=False)


@asynccontextmanager
async def open_services(app: Gateway, events: Events) -> "AsyncIterator[UpstreamRegistry]":
    """Open services as those of a running gateway, with its policies in effect."""
    loop, config = asyncio.get_running_loop(), app.config
    background = Background(loop, events)
    runtime = Runtime(
        upstream="",
        loop=loop,
        clock=config.clock,
        chance=chance,
        events=events,
        spawn=background.spawn,
        agent=user_agent(config.name),
    )
    registry = open_registry(config.settings, runtime, _sandboxed(config.transport))
    policies: dict[type[Upstream], Policy] = {
        kind: without_shared_state(one) for kind, one in app.running.upstreams.policies.items()
    }
    try:
        registry.adopt(policies)
        yield registry
    finally:
        await background.aclose()
        await registry.aclose()
