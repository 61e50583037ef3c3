"""A proxied route: which requests it takes, and what answers them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from bff_core.auth.access import Access
from bff_core.edge.options import CorsOptions
from bff_core.keywords import checks_keywords
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY, Criticality
from bff_core.policy.options import Option
from bff_core.policy.upstream.cache import Cache
from bff_core.proxy.files import Files
from bff_core.proxy.match import Match
from bff_core.proxy.option_faults import FieldPath, OptionFault, refuse
from bff_core.proxy.option_types import type_faults
from bff_core.proxy.path_checks import unknown_parameter
from bff_core.proxy.path_templates import parameters_of
from bff_core.proxy.placeholders import unknown_values
from bff_core.proxy.sockets import Socket
from bff_core.proxy.traffic import Mirror, Split
from bff_core.proxy.transform import Transform
from bff_core.proxy.value_checks import id_complaint, upstream_complaint
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

    id: Annotated[str, Option("The name of the route in logs, metrics and limits")]
    match: Annotated[Match, Option("The requests that the route takes")]
    to: Annotated[
        type[Upstream] | str | None, Option("The upstream that gets the requests; or else files")
    ] = field(default=None, kw_only=True)
    files: Annotated[Files | None, Option("The files that answer the requests; or else to")] = (
        field(default=None, kw_only=True)
    )
    access: Annotated[
        Access | None, Option("Who may use the route; a signed-in viewer unless declared")
    ] = field(default=None, kw_only=True)
    limits: Annotated[tuple[Limit, ...], Option("Rate limits of this route")] = field(
        default=(), kw_only=True
    )
    cache: Annotated[
        Cache | bool,
        Option(
            "Whether replies are cached: as the policy of the upstream says, never, or by options"
        ),
    ] = field(default=True, kw_only=True)
    criticality: Annotated[Criticality, Option("How important the requests are under load")] = (
        field(default=DEFAULT_CRITICALITY, kw_only=True)
    )
    max_body: Annotated[int, Option("The largest body of a request, in bytes", 0, TIB)] = field(
        default=MIB, kw_only=True
    )
    timeout: Annotated[
        float | None, Option("The deadline of the answer's head; None: the gateway's", 0.001, 3600)
    ] = field(default=None, kw_only=True)
    idle_timeout: Annotated[float, Option("The longest silence of a stream", 0.1, 3600)] = field(
        default=30.0, kw_only=True
    )
    cors: Annotated[
        CorsOptions | None,
        Option("The origins whose pages may read the replies; without it those of the gateway"),
    ] = field(default=None, kw_only=True)
    idempotency: Annotated[bool, Option("Whether an Idempotency-Key is honored")] = field(
        default=True, kw_only=True
    )
    transform: Annotated[
        Transform | None, Option("What changes in the request and in the reply")
    ] = field(default=None, kw_only=True)
    split: Annotated[
        Split | tuple[Split, ...], Option("Shares of the requests that go to other upstreams")
    ] = field(default=(), kw_only=True)
    mirror: Annotated[
        Mirror | None, Option("Copies of the requests that go to another upstream")
    ] = field(default=None, kw_only=True)
    websocket: Annotated[
        bool | Socket, Option("Whether the route takes web sockets, or with which options")
    ] = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits of the route, also of one that is no tuple."""
        return self.split if isinstance(self.split, tuple) else (self.split,)

    def _faults(self) -> Iterator[OptionFault]:
        if complaint := id_complaint(self.id):
            yield OptionFault(("id",), complaint)
        if (self.to is None) == (self.files is None):
            yield OptionFault((), "needs exactly one of to and files")
        if isinstance(self.to, str) and (complaint := upstream_complaint(self.to)):
            yield OptionFault(("to",), complaint)
        yield from self._split_faults()
        yield from self._transform_faults()
        yield from self._socket_faults()
        yield from self._files_faults()

    def _split_faults(self) -> Iterator[OptionFault]:
        total = sum(one.percent for one in self.splits)
        if total > 100:
            yield OptionFault(("split",), f"has {total:g} percent in total, 100 at most")
        for place, one in enumerate(self.splits):
            path = ("split", place) if isinstance(self.split, tuple) else ("split",)
            if self.to is not None and one.to == self.to:
                yield OptionFault((*path, "to"), "is where the route goes anyway: leave it out")

    def _transform_faults(self) -> Iterator[OptionFault]:
        transform, known = self.transform, parameters_of(self.match.path)
        if transform is None:
            return
        path = transform.path
        if isinstance(path, str) and (complaint := unknown_parameter(path, known)):
            yield OptionFault(("transform", "path"), complaint)
        for name in ("query", "request_headers", "response_headers", "trailers"):
            changes = getattr(transform, name)
            for change in ("set", "append") if changes is not None else ():
                for key, value in getattr(changes, change).items():
                    place: FieldPath = ("transform", name, change, key)
                    yield from (OptionFault(place, one) for one in unknown_values(value, known))

    def _socket_faults(self) -> Iterator[OptionFault]:
        if self.websocket is False:
            return
        if self.match.methods and "GET" not in self.match.methods:
            yield OptionFault(
                ("match", "methods"), "lack GET, with which web sockets begin: add it, or name none"
            )
        if self.mirror is not None:
            yield OptionFault(("mirror",), "is for requests: a web socket has no copy")

    def _files_faults(self) -> Iterator[OptionFault]:
        if self.files is None:
            return
        given = {
            "split": bool(self.splits),
            "mirror": self.mirror is not None,
            "websocket": self.websocket is not False,
        }
        for name in (name for name, is_given in given.items() if is_given):
            yield OptionFault((name,), "is for routes with `to`: files have no upstream")
        if wrong := set(self.match.methods) - {"GET", "HEAD"}:
            yield OptionFault(
                ("match", "methods"), f"has {min(wrong)}: files answer GET and HEAD only"
            )
