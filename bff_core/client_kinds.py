"""Kinds of clients, by `User-Agent`: android, ios, browser, script, other."""

import re
from functools import lru_cache
from typing import Final

MAX_AGENT_BYTES: Final = 256

OTHER: Final = "other"

_KINDS: Final = (
    (re.compile(rb"okhttp|dalvik|android(?!.*mozilla)", re.IGNORECASE), "android"),
    (re.compile(rb"cfnetwork|darwin", re.IGNORECASE), "ios"),
    (re.compile(rb"^mozilla/", re.IGNORECASE), "browser"),
    (
        re.compile(rb"^(curl|wget|httpie|python|go-http|node|undici|axios|java)", re.IGNORECASE),
        "script",
    ),
)
"""Kinds of clients, the first that matches."""

CLIENT_KINDS: Final = (*(name for _, name in _KINDS), OTHER)
"""All kinds of clients."""


@lru_cache(maxsize=1024)
def client_kind(agent: bytes) -> str:
    """Return the kind of a client; `agent` has no more than `MAX_AGENT_BYTES`."""
    return next((name for pattern, name in _KINDS if pattern.search(agent)), OTHER)
