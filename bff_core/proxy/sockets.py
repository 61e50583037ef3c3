"""Web sockets of a route: what they may send, and when they end."""

from dataclasses import dataclass
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option
from bff_core.proxy.option_faults import refuse
from bff_core.proxy.option_types import type_faults
from bff_core.proxy.value_checks import faults_in, token_complaint


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """A web socket that is passed on in both directions.

    `subprotocols` are those that may be agreed on; none are all that the client offers.
    """

    max_message: Annotated[int, Option("The largest message, in bytes", 1, 64 * 1024 * 1024)] = (
        1024 * 1024
    )
    idle: Annotated[float, Option("The longest silence, in seconds", 0.1, 86_400)] = 300.0
    ping: Annotated[float, Option("How often a silent side is pinged, in seconds", 0.1, 3600)] = (
        20.0
    )
    subprotocols: Annotated[
        tuple[str, ...],
        Option("The subprotocols that may be agreed on; none are all that the client offers"),
    ] = ()

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, faults_in(("subprotocols",), self.subprotocols, token_complaint))
