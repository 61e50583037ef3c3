"""Active health checks: probes each endpoint beside the calls, and reports what it found."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Literal

from bff_core.call import Call
from bff_core.errors import UpstreamError
from bff_core.events import EndpointProbed, HealthChanged
from bff_core.policy.upstream.endpoint_set import EndpointSet
from bff_core.policy.upstream.health import HealthCheck, Streak
from bff_core.policy.upstream.member import Member
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Connector, Endpoint

_ANY_TYPE: Final = ((b"accept", b"*/*"),)

Probed = Member[Endpoint, Connector]


class Prober:
    """Probes the endpoints of one upstream, each in a task of its own, while it is started.

    Probes have connections of their own, no credentials, and pass no layer: neither the breaker nor
    the figures of calls count them. `connect` makes the connector of an endpoint. `prepare` is
    called before each probe.
    """

    def __init__(
        self,
        options: HealthCheck,
        runtime: Runtime,
        endpoints: EndpointSet[Endpoint, Connector],
        connect: Callable[[Endpoint], Connector],
        prepare: Callable[[], None],
    ) -> None:
        self._options = options
        self._runtime = runtime
        self._endpoints = endpoints
        self._connect = connect
        self._prepare = prepare
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}
        self._is_started = False

    def start(self) -> None:
        """Begin to probe: each endpoint at once, and then at intervals."""
        self._is_started = True
        self.follow(self._endpoints.members)

    def stop(self) -> None:
        """Stop probing; the health of endpoints stays as it is."""
        self._is_started = False
        self.follow(())

    def follow(self, members: Sequence[Probed]) -> None:
        """Probe these endpoints, and no others."""
        wanted = {member.key: member for member in members} if self._is_started else {}
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
        for key, member in wanted.items():
            if key not in self._tasks:
                self._tasks[key] = self._runtime.spawn(self._watch(member))

    async def _watch(self, member: Probed) -> None:
        streak, connector = Streak(self._options), self._connect(member.key)
        try:
            while True:
                self._prepare()
                complaint = await self._probe(member, connector)
                health = streak.add(member.health, is_good=not complaint)
                if health != member.health:
                    self._change(member, complaint, is_up=health == "up")
                await asyncio.sleep(self._options.pause(self._runtime.chance))
        finally:
            await connector.aclose()

    async def _probe(self, member: Probed, connector: Connector) -> str:
        """Return why the endpoint is not up; empty if it is."""
        started = self._runtime.clock()
        try:
            async with asyncio.timeout(self._options.timeout):
                reply = await connector.send(self._call(started))
            complaint = self._options.complaint(reply.status, reply.content)
        except TimeoutError:
            complaint = "timeout"
        except UpstreamError as error:
            complaint = error.code
        except Exception as error:  # noqa: BLE001 - a transport of the user's may raise any error
            complaint = type(error).__name__
        events = self._runtime.events
        if events.is_detailed:
            duration = self._runtime.clock() - started
            name = self._runtime.upstream
            events.emit(EndpointProbed(name, "", member.key.name, complaint or "up", duration))
        return complaint

    def _call(self, now: float) -> Call:
        path = self._options.path
        deadline = now + self._options.timeout
        operation = f"GET {path.partition('?')[0]}"
        return Call(self._runtime.upstream, "GET", path, operation, deadline, None, _ANY_TYPE)

    def _change(self, member: Probed, complaint: str, *, is_up: bool) -> None:
        is_news = not is_up or member.health == "down" or member.is_awaited
        self._endpoints.set_health(member, is_up=is_up, now=self._runtime.clock())
        events = self._runtime.events
        if is_news and events.sinks:
            name, endpoint = self._runtime.upstream, member.key.name
            health: Literal["up", "down"] = "up" if is_up else "down"
            events.emit(HealthChanged(name, "", endpoint, health, complaint))
