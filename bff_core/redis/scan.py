"""Lists keys of a group, for operators: a bounded part of a Redis that may hold millions."""

import re
from dataclasses import dataclass
from typing import Final

from bff_core.redis.interface import RedisInterface

SCAN_SECONDS: Final = 1.0
"""The time limit of one step of a scan."""

STEP_KEYS: Final = 1000
"""Keys that Redis visits in one step, so that it is not blocked for long."""


@dataclass(frozen=True, slots=True)
class ScannedKeys:
    """Keys without their prefix; not all are found unless it `is_complete`."""

    names: list[str]
    is_complete: bool


async def scanned(link: RedisInterface, prefix: str, *, limit: int, visited: int) -> ScannedKeys:
    """Return up to `limit` keys with a prefix; Redis visits about `visited` keys of any kind.

    In a cluster the hash tag of the prefix puts all its keys on one node, which is scanned. Raises
    `StoreUnavailable`.
    """
    pattern = re.sub(r"([\\*?\[\]])", r"\\\1", prefix) + "*"
    cursor, found = b"0", dict[str, None]()
    for _ in range(-(-visited // STEP_KEYS)):
        reply = await link.run(
            "SCAN", cursor, "MATCH", pattern, "COUNT", STEP_KEYS, within=SCAN_SECONDS
        )
        match reply:
            case [bytes(following), list(keys)]:
                cursor = following
                names = (key.decode() for key in keys if isinstance(key, bytes))
                found |= dict.fromkeys(name.removeprefix(prefix) for name in names)
        if len(found) >= limit or cursor == b"0":
            break
    is_complete = cursor == b"0" and len(found) <= limit
    return ScannedKeys(list(found)[:limit], is_complete=is_complete)
