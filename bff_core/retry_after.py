"""The Retry-After header: how many seconds a reply wants its caller to wait."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from bff_core.call import Reply


def retry_after(reply: Reply, *, wall: float) -> float | None:
    """Return the seconds of a reply's Retry-After (RFC 9110, section 10.2.3), or None.

    A date in it is compared with the reply's `Date`, since the clocks of two machines differ;
    without `Date` with `wall`, a Unix time.
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
    """Return an HTTP date as a Unix time; the asctime form has no zone and means GMT."""
    try:
        parsed = parsedate_to_datetime(date)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
