"""Request ids: connect an answer with its line in the log."""

import re
from collections.abc import Callable
from typing import Final

Bits = Callable[[int], int]
"""Returns as many random bits as requested; not for secrets."""

MAX_REQUEST_ID: Final = 128
"""The longest id of a caller that is used, in characters."""

_ACCEPTED = re.compile(rb"[A-Za-z0-9._~:+/=-]{1,%d}" % MAX_REQUEST_ID)


def request_id(offered: bytes | None, bits: Bits) -> str:
    """Return the caller's `X-Request-ID` if it is safe in logs and headers, else a new one.

    Safe ids have at most 128 letters, digits and `._~:+/=-`. A new id has 24 hexadecimal digits.
    """
    if offered is not None and _ACCEPTED.fullmatch(offered):
        return offered.decode("ascii")
    return f"{bits(96):024x}"
