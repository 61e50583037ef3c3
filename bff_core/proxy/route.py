"""A proxied route: which requests it takes, and what answers them."""

from dataclasses import dataclass, field
from typing import Annotated

from bff_core.auth.access import Access
from bff_core.edge.options import CorsOptions
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY, Criticality
from bff_core.policy.options import Option, check
from bff_core.policy.upstream.cache import Cache
from bff_core.proxy.files import Files
from bff_core.proxy.match import Match
from bff_core.proxy.sockets import Socket
from bff_core.proxy.traffic import Mirror, Split
from bff_core.proxy.transform import Transform
from bff_core.upstream.client import Upstream

MIB = 1024 * 1024
TIB = 1024**4


@checks_keywords
@dataclass(frozen=True, slots=True)
class Route:
    """A route without code: requests that match go to an upstream, or are answered by files.

    `id` names it in logs, metrics and limits. Exactly one of `to` (the class of an upstream, or its
    name) and `files` is given. `access` is a signed-in viewer unless declared. `cache` is what the
    policy of the upstream says (True), nothing (False), or options of its own. Durations are in
    seconds, sizes in bytes.
    """

    id: str
    match: Match
    to: type[Upstream] | str | None = field(default=None, kw_only=True)
    files: Files | None = field(default=None, kw_only=True)
    access: Access | None = field(default=None, kw_only=True)
    limits: tuple[Limit, ...] = field(default=(), kw_only=True)
    cache: Cache | bool = field(default=True, kw_only=True)
    criticality: Criticality = field(default=DEFAULT_CRITICALITY, kw_only=True)
    max_body: Annotated[int, Option("The largest body of a request, in bytes", 0, TIB)] = field(
        default=MIB, kw_only=True
    )
    timeout: Annotated[
        float | None, Option("The deadline of the answer's head; None: the gateway's", 0.001, 3600)
    ] = field(default=None, kw_only=True)
    idle_timeout: Annotated[float, Option("The longest silence of a stream", 0.1, 3600)] = field(
        default=30.0, kw_only=True
    )
    cors: CorsOptions | None = field(default=None, kw_only=True)
    idempotency: bool = field(default=True, kw_only=True)
    transform: Transform | None = field(default=None, kw_only=True)
    split: Split | tuple[Split, ...] = field(default=(), kw_only=True)
    mirror: Mirror | None = field(default=None, kw_only=True)
    websocket: bool | Socket = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check(self)
        if (self.to is None) == (self.files is None):
            raise ConfigurationError(f"Route({self.id!r}) needs exactly one of to= and files=")
