"""`Balance`: how calls are spread over the endpoints of an upstream."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal, get_args

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

AlgorithmName = Literal["power-of-two", "least-requests", "round-robin", "random", "hash"]

_hash_key: Final = re.compile(r"viewer|path|(header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How calls are spread over the endpoints of an upstream; durations in seconds."""

    algorithm: Annotated[
        AlgorithmName,
        Option(
            "Which endpoint takes a call: power-of-two (the less busy of two), least-requests, "
            "round-robin, random, or hash (the same one for the same `hash_by`)"
        ),
    ] = "power-of-two"
    hash_by: Annotated[
        str,
        Option(
            "With the algorithm hash: viewer (one who is signed in), path, header:NAME or "
            "cookie:NAME; calls without it are spread by power-of-two"
        ),
    ] = "viewer"
    slow_start: Annotated[
        float,
        Option("How long the share of a new or restored endpoint grows; 0 gives it all", 0, 3600),
    ] = 0.0
    ejection_failures: Annotated[
        int, Option("How many failures in a row eject an endpoint", 1, 1000)
    ] = 5
    eject_for: Annotated[
        float,
        Option("How long the first ejection lasts; each further one is longer by it", 0.01, 3600),
    ] = 10.0
    eject_for_max: Annotated[
        float, Option("How long an endpoint is ejected at most", 0.01, 86_400)
    ] = 300.0
    max_ejected_ratio: Annotated[
        float, Option("Beyond which ejected share all endpoints are used (panic)", 0, 1)
    ] = 0.5
    resolve_every: Annotated[float, Option("How often a name is resolved", 0.1, 86_400)] = 30.0
    last_good_for: Annotated[
        float, Option("How long addresses stay in use while the resolver fails", 0, 604_800)
    ] = 600.0

    def __post_init__(self) -> None:
        check(self)
        if self.algorithm not in get_args(AlgorithmName):
            names = ", ".join(get_args(AlgorithmName))
            raise ConfigurationError(
                f"Balance.algorithm must be one of {names}, not {self.algorithm!r}"
            )
        if not _hash_key(self.hash_by):
            raise ConfigurationError(
                "Balance.hash_by must be viewer, path, header:NAME or cookie:NAME, not "
                f"{self.hash_by!r}"
            )
        if self.eject_for_max < self.eject_for:
            raise ConfigurationError("Balance.eject_for_max must be at least Balance.eject_for")
