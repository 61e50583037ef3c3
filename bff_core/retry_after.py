"""How many seconds a reply wants its caller to wait: the Retry-After header."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from bff_core.call import Reply


def retry_after(reply: Reply, *, wall: float) -> float | None:
    """Return the seconds to wait that a reply names (RFC 9110, section 10.2.3), or None.

    `wall` is the time of day as a Unix time; a date is judged by the reply's own `Date` if it has
    one, since the clocks of two machines differ.
    """
    value = reply.header("retry-after")
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    instant = _instant(value)
    if instant is None:
        return None
    sent = _instant(reply.header("date") or "")
    return max(0.0, instant - (wall if sent is None else sent))


def _instant(date: str) -> float | None:
    """Return a date as a Unix time; one without a zone is in GMT, as asctime's form is."""
    try:
        parsed = parsedate_to_datetime(date)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
