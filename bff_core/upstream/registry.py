"""The service clients of one gateway, and the stacks that they call through."""

from asyncio import TimerHandle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.client import Upstream
from bff_core.upstream.destinations import Address
from bff_core.upstream.graphql.client import GraphQLUpstream
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport, UpstreamStack, open_stack

Policies = Mapping[type[Upstream], Policy]

CLOSE_AFTER_SECONDS: Final = 600.0
"""How long a replaced stack stays open, for the requests and streams that still use it."""


class UpstreamRegistry:
    """One instance of each service while a gateway runs; its stack may be replaced.

    A request calls through the stack that was current when the service was bound to the request.
    The pools of a replaced stack still close idle connections (`Connection.idle_expiry`); a timer
    closes the rest after `CLOSE_AFTER_SECONDS`.
    """

    def __init__(
        self,
        addresses: Callable[[type[Upstream]], Sequence[Address]],
        runtime: Callable[[str], Runtime],
        make_transport: MakeTransport,
    ) -> None:
        self.services: dict[type[Upstream], Upstream] = {}
        self.policies: Policies = {}
        self._stacks: dict[type[Upstream], UpstreamStack] = {}
        self._runtimes: dict[type[Upstream], Runtime] = {}
        self._addresses = addresses
        self._runtime = runtime
        self._make_transport = make_transport
        self._replaced: dict[UpstreamStack, TimerHandle] = {}

    @property
    def stacks(self) -> list[UpstreamStack]:
        """The stacks that new requests call through."""
        return list(self._stacks.values())

    def adopt(self, policies: Policies) -> None:
        """Apply policies: build the stacks of those that changed, and replace the old ones.

        If a stack can't be built, the error is raised before any stack is replaced.
        """
        current = self.policies
        changed = {kind: one for kind, one in policies.items() if current.get(kind) != one}
        built: dict[type[Upstream], UpstreamStack] = {}
        try:
            for kind, policy in changed.items():
                built[kind] = self._open(kind, policy)
        except BaseException:
            for kind, stack in built.items():
                self._runtimes[kind].spawn(stack.aclose())
            raise
        self.policies = {**current, **changed}
        for kind, stack in built.items():
            self._put(kind, stack)

    async def aclose(self) -> None:
        """Close the connections of all stacks; calls under way fail."""
        replaced, self._replaced = self._replaced, {}
        for stack, timer in replaced.items():
            timer.cancel()
            await stack.aclose()
        for stack in self._stacks.values():
            await stack.aclose()

    def _open(self, kind: type[Upstream], policy: Policy) -> UpstreamStack:
        runtime = self._runtimes.get(kind)
        if runtime is None:
            runtime = replace(
                self._runtime(kind.name), is_graphql=issubclass(kind, GraphQLUpstream)
            )
            self._runtimes[kind] = runtime
        return open_stack(policy, self._addresses(kind), runtime, self._make_transport)

    def _put(self, kind: type[Upstream], stack: UpstreamStack) -> None:
        runtime, before = self._runtimes[kind], self._stacks.get(kind)
        self._stacks[kind] = stack
        if before is None:
            self.services[kind] = kind(stack, clock=runtime.clock)
            stack.start()
            return
        stack.adopt_actions(before)
        before.stop()
        stack.start()
        self.services[kind].call_through(stack)
        close = runtime.loop.call_later(CLOSE_AFTER_SECONDS, self._close, before, runtime)
        self._replaced[before] = close

    def _close(self, stack: UpstreamStack, runtime: Runtime) -> None:
        del self._replaced[stack]
        runtime.spawn(stack.aclose())
