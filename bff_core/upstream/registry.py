"""The service clients of one gateway, and the stacks that they call through."""

import weakref
from asyncio import TimerHandle
from collections.abc import Callable, Mapping, Sequence

from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.client import Upstream
from bff_core.upstream.layers.balance import Balancer
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport, UpstreamStack, open_stack

Policies = Mapping[type[Upstream], Policy]

LONGEST_DRAIN = 600.0
"""How long a stack that was replaced may be in use, by streams, before it is closed (seconds)."""


class UpstreamRegistry:
    """One instance of each service while a gateway runs; its stack may be replaced.

    Whoever is bound to a service keeps the stack of that moment, whole, until the request ends:
    replacing one is an assignment, and costs no call anything. A stack that nobody can call
    through any more closes its connections, each when the last call on it has ended.
    """

    def __init__(
        self,
        addresses: Callable[[str], Sequence[str]],
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
        self._retired: dict[Balancer, _Retirement] = {}

    @property
    def stacks(self) -> list[UpstreamStack]:
        """The stacks that new requests call through."""
        return list(self._stacks.values())

    def adopt(self, policies: Policies) -> None:
        """Let services be called by these policies from now on; an unchanged one keeps its stack.

        All or nothing: what a stack can't be built of is raised before any is replaced.
        """
        known = self.policies
        changed = {kind: one for kind, one in policies.items() if known.get(kind) != one}
        built: dict[type[Upstream], UpstreamStack] = {}
        try:
            for kind, policy in changed.items():
                built[kind] = self._open(kind, policy)
        except BaseException:
            for stack in built.values():
                stack.balancer.retire()
            raise
        self.policies = {**known, **changed}
        for kind, stack in built.items():
            self._enlist(kind, stack)

    async def aclose(self) -> None:
        """Close the connections of all stacks; calls under way fail."""
        for balancer, retirement in self._retired.items():
            retirement.cancel()
            await balancer.aclose()
        self._retired.clear()
        for stack in self._stacks.values():
            await stack.aclose()

    def _open(self, kind: type[Upstream], policy: Policy) -> UpstreamStack:
        runtime = self._runtimes.get(kind)
        if runtime is None:
            runtime = self._runtimes[kind] = self._runtime(kind.name)
        return open_stack(policy, self._addresses(kind.name), runtime, self._make_transport)

    def _enlist(self, kind: type[Upstream], stack: UpstreamStack) -> None:
        before = self._stacks.get(kind)
        self._stacks[kind] = stack
        runtime = self._runtimes[kind]
        if before is None:
            self.services[kind] = kind(stack, clock=runtime.clock)
            return
        self.services[kind].call_through(stack)
        self._retired[before.balancer] = _Retirement(before, runtime, self._forget)

    def _forget(self, balancer: Balancer) -> None:
        del self._retired[balancer]


class _Retirement:
    """The end of a stack that was replaced: when the last who holds it lets go, or when it is time.

    Asked of the reference count, so that no call has to be counted.
    """

    def __init__(
        self, stack: UpstreamStack, runtime: Runtime, forget: Callable[[Balancer], None]
    ) -> None:
        self._balancer = stack.balancer
        self._runtime = runtime
        self._forget = forget
        self._timer: TimerHandle = runtime.loop.call_later(LONGEST_DRAIN, self._cut)
        self._finalizer = weakref.finalize(stack, self._drain_from_anywhere)
        self._finalizer.atexit = False

    def cancel(self) -> None:
        """Leave the closing to somebody else."""
        self._timer.cancel()
        self._finalizer.detach()

    def _drain_from_anywhere(self) -> None:
        # The last to let go may have been in another thread, or in the middle of anything.
        if not self._runtime.loop.is_closed():
            self._runtime.loop.call_soon_threadsafe(self._balancer.retire)

    def _cut(self) -> None:
        self.cancel()
        self._forget(self._balancer)
        self._runtime.spawn(self._balancer.aclose())
