"""The interface of discovery: what a source of endpoints is."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from bff_core.policy.upstream.endpoints import EndpointOptions


@runtime_checkable
class Discovery(Protocol):
    """A source of the endpoints of one upstream; its `repr` names it in logs.

    class Fixed:
        async def watch(self) -> AsyncIterator[Sequence[EndpointOptions]]:
            yield [EndpointOptions("http://10.0.0.1:8000", weight=2)]
    """

    def watch(self) -> AsyncIterator[Sequence[EndpointOptions]]:
        """Yield the whole list at once, and again whenever it has changed.

        An error ends the iteration: it is reported, the last list stays in use for
        `Balance.last_good_for`, and `watch` is called again a second later. The iteration is
        cancelled when the gateway closes.
        """
        ...
