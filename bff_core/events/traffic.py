"""Events of proxied routes: which upstream a split chose, and what a mirror answered."""

from typing import ClassVar, Literal

from bff_core.events.sinks import GatewayEvent


class SplitChosen(GatewayEvent, frozen=True):
    """The split of a route chose the upstream of a request; only for sinks that count."""

    name: ClassVar[str] = "split.chosen"
    route: str
    upstream: str


MirrorOutcome = Literal["same", "status_differs", "body_differs", "too_large", "failed"]


class MirrorCompared(GatewayEvent, frozen=True):
    """The reply of a mirror was compared with that of the route's own upstream.

    `status` and `mirror_status` are 0 without a reply. `differences` are the first ones: a word and
    the JSON path of a place, without values. `reason` is why the comparison `failed`: an error
    code of the mirror, or `no_reply` and `unfinished` if the client's answer had none or was cut
    off. `is_body_compared` is False if only the statuses were. The durations are in seconds until
    the heads of the replies.
    """

    name: ClassVar[str] = "mirror.compared"
    route: str
    upstream: str
    outcome: MirrorOutcome
    status: int = 0
    mirror_status: int = 0
    differences: tuple[str, ...] = ()
    reason: str = ""
    is_body_compared: bool = False
    duration: float = 0.0
    mirror_duration: float = 0.0


class MirrorDropped(GatewayEvent, frozen=True):
    """A request was not copied to the mirror of its route.

    `reason` is `busy` (too many copies are under way) or `body` (the request has one that can be
    read once).
    """

    name: ClassVar[str] = "mirror.dropped"
    route: str
    upstream: str
    reason: Literal["busy", "body"]
