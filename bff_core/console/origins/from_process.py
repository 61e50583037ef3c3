"""Origins of a stored response, from a process of its gateway."""

from typing import Final

import msgspec

from bff_core.console.answers import ConsoleProblem
from bff_core.console.model import PartBytes
from bff_core.console.origins.exchange import ORIGINS, FoundOrigins, OriginsRequest
from bff_core.console.origins.learned import UNKNOWN
from bff_core.console.sources import Sources

LEARNING_SECONDS: Final = 5.0
"""How long it may take to learn a route, once."""


async def origins_of(
    sources: Sources, gateway: str, stored: OriginsRequest
) -> tuple[dict[str, str], list[PartBytes]]:
    """Return JSON pointers of a stored response to parts, and the bytes of each part.

    Both are empty where they can't be known: for what may change something, and for what is not
    JSON. The part of a pointer is empty if it is not known within one that is.
    """
    try:
        body = await sources.send_one(
            gateway, ORIGINS, msgspec.json.encode(stored), seconds=LEARNING_SECONDS
        )
    except ConsoleProblem:
        return {}, []
    found = msgspec.json.decode(body, type=FoundOrigins)
    parts = [PartBytes(part=name, sent=size) for name, size in found.sent.items()]
    return found.origins, [one for one in parts if one.part != UNKNOWN]
