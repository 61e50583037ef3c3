"""`SteeredBalancer`: load balancing for calls that say which endpoint they should go to."""

from typing import Unpack

from bff_core.call import Call
from bff_core.errors import AffinityLost
from bff_core.upstream.layers.balance import Balancer, BalancerParts
from bff_core.upstream.membership import EndpointMember, identity_of
from bff_core.upstream.steering import Steering


class SteeredBalancer(Balancer):
    """A balancer for policies with affinity, or with the algorithm hash.

    A call goes to the endpoint of its client while that takes calls: also if it is drained or of a
    priority that gets no others, and if it is out but used in panic. If it is gone, another one
    takes the call, or `AffinityLost` is raised, as the policy says.
    """

    __slots__ = ("_by_hash", "_hashes", "_known", "_steering")

    def __init__(self, steering: Steering, **parts: Unpack[BalancerParts]) -> None:
        super().__init__(**parts)
        self._steering = steering
        self._known: object = None
        self._by_hash: dict[bytes, EndpointMember] = {}
        self._hashes: dict[EndpointMember, bytes] = {}

    def __repr__(self) -> str:
        affinity = self._steering.affinity
        how = "" if affinity is None else f", affinity by {affinity.by}"
        return super().__repr__() + how

    def _pick(self, call: Call, now: float) -> EndpointMember | None:
        choice = call.choice
        if choice is None:
            return super()._pick(call, now)
        self._look_up_when_due(now)
        tried = self._tried(call)
        if choice.client is not None and choice.client.wanted and len(self.endpoints):
            member = self._own(call, choice.client.wanted, now)
            if member is not None and (self._refuses or member.key not in tried):
                return member
        return self.endpoints.pick(now, self._runtime.chance, tried, choice.key)

    def _own(self, call: Call, wanted: bytes, now: float) -> EndpointMember | None:
        """Return the endpoint that a client belongs to; None if another one takes the call."""
        self._update_hashes()
        member = self._by_hash.get(wanted)
        if member is not None and self.endpoints.takes(member, now):
            return member
        if self._refuses:
            raise AffinityLost("the endpoint of this client is gone", call=call)
        return None

    def _after_refusal(
        self, call: Call, error: BaseException, refused: tuple[EndpointMember, ...], began: float
    ) -> EndpointMember | None:
        client = None if call.choice is None else call.choice.client
        if client is not None and client.wanted and self._refuses:
            return None
        return super()._after_refusal(call, error, refused, began)

    def _record_status(
        self, member: EndpointMember, call: Call, status: int, started: float, *, is_whole: bool
    ) -> None:
        choice = call.choice
        if choice is not None and choice.client is not None:
            self._update_hashes()
            choice.answered = self._hashes.get(member, b"")
        super()._record_status(member, call, status, started, is_whole=is_whole)

    @property
    def _refuses(self) -> bool:
        affinity = self._steering.affinity
        return affinity is not None and affinity.when_gone == "refuse"

    def _update_hashes(self) -> None:
        """Compute the hashes of endpoints again if these have changed."""
        values, endpoints = self._steering.values, self.endpoints
        if values is None or self._known is endpoints.version:
            return
        self._known = endpoints.version
        hashes = {one: values.hashes_of(identity_of(one.key)) for one in endpoints.members}
        self._hashes = {member: found[0] for member, found in hashes.items()}
        self._by_hash = {one: member for member, found in hashes.items() for one in found}
