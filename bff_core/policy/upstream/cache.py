"""Options for caching an upstream's replies, which override the service's headers."""

from dataclasses import dataclass
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """How replies are stored and reused; durations in seconds.

    By default the service's headers decide (RFC 9111, 5861, 9213). `ttl`, `stale` and `error` each
    replace the matching directive. If the service forbids stale replies, `stale` and `error` apply
    only with `force_stale`. A stored reply is private to its viewer, unless the policy has `public`
    or `per_tenant`.
    """

    ttl: Annotated[
        float | None, Option("How long a reply is fresh; None: as long as the service says", 0)
    ] = None
    stale: Annotated[
        float | None,
        Option(
            "How long after that it is served while it is refreshed; None: as the service says", 0
        ),
    ] = None
    error: Annotated[
        float | None,
        Option(
            "How long after that it is served while the upstream fails; None: as the service says",
            0,
        ),
    ] = None
    force_stale: Annotated[
        bool,
        Option("Whether stale and error hold although the service forbids stale replies"),
    ] = False
    early: Annotated[
        float, Option("The last share of its freshness in which it may be refreshed ahead", 0, 0.9)
    ] = 0.1
    heuristic: Annotated[
        float, Option("The share of the age since Last-Modified that is the default ttl", 0, 1)
    ] = 0.0
    vary: Annotated[
        tuple[str, ...], Option("Request headers that are part of the key, in any case")
    ] = ()
    tags: Annotated[
        tuple[str, ...], Option('The tags that a purge names, such as "product:{id}"')
    ] = ()
    targeted: Annotated[
        tuple[str, ...],
        Option(
            "Header fields that take precedence over Cache-Control; the first present one counts"
        ),
    ] = ("bff-cache-control", "cdn-cache-control")
    max_body: Annotated[int, Option("The largest body that is stored (bytes)", 0)] = 1024 * 1024

    def __post_init__(self) -> None:
        check(self)
