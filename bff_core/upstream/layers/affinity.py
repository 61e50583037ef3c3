"""Outermost: gives a client the value that names its endpoint, when that is new or another one."""

from bff_core.call import Call, EndpointChoice, Handler, Reply
from bff_core.upstream.affinity_values import AffinityValues


class AffinityLayer:
    """Sets the value once in a request, however many calls it makes.

    It stands outside of retries and hedges, so that the endpoint of the reply counts, and outside
    of the cache: a stored reply sets no value.
    """

    __slots__ = ("_values", "inner")

    def __init__(self, values: AffinityValues, inner: Handler) -> None:
        self.inner = inner
        self._values = values

    def __repr__(self) -> str:
        return f"affinity   {self._values.name}"

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on; note its endpoint for the client."""
        reply = await self.inner(call)
        if call.choice is not None and call.choice.answered:
            self._settle(call.choice)
        return reply

    def _settle(self, choice: EndpointChoice) -> None:
        client = choice.client
        if client is None or client.is_settled:
            return
        if choice.answered == client.wanted and not client.is_due:
            return
        client.is_settled, client.wanted = True, choice.answered
        client.added.append(self._values.field(choice.answered))
