"""Names each request, so that one line of a log can be found from an answer."""

import re
from collections.abc import Callable

Bits = Callable[[int], int]
"""Returns that many random bits; not for secrets."""

_ACCEPTED = re.compile(rb"[A-Za-z0-9._~:+/=-]{1,128}")


def request_id(offered: bytes | None, bits: Bits) -> str:
    """Return the caller's `X-Request-ID` if it is harmless in logs and headers, else a new one.

    Harmless: at most 128 letters, digits and `._~:+/=-`. A new one is 24 hexadecimal digits.
    """
    if offered is not None and _ACCEPTED.fullmatch(offered):
        return offered.decode("ascii")
    return f"{bits(96):024x}"
