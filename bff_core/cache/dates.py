"""Parses HTTP dates (RFC 9110, section 5.6.7) strictly: anything malformed is no date."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

MAX_DATE_BYTES: Final = 40
"""Longer fields are rejected unparsed: a date has fewer bytes, two dates in one field have more."""

_MONTHS: Final = (
    *(b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun"),
    *(b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"),
)
_MONTH: Final = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_TIME: Final = rb"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FORMATS: Final = tuple(
    re.compile(one).fullmatch
    for one in (
        rb"[A-Z][a-z]{2}, (?P<day>\d\d) " + _MONTH + rb" (?P<year>\d{4}) " + _TIME + rb" GMT",
        rb"[A-Z][a-z]{5,8}, (?P<day>\d\d)-" + _MONTH + rb"-(?P<year>\d\d) " + _TIME + rb" GMT",
        rb"[A-Z][a-z]{2} " + _MONTH + rb" (?P<day>[ \d]\d) " + _TIME + rb" (?P<year>\d{4})",
    )
)
"""IMF-fixdate, and the two obsolete formats: RFC 850 and asctime."""


def parse_http_date(field: bytes | None) -> float | None:
    """Return an HTTP date as Unix time, or None for a missing or malformed one."""
    return None if field is None or len(field) > MAX_DATE_BYTES else _date(field)


@lru_cache(maxsize=1024)
def _date(field: bytes) -> float | None:
    for is_date in _FORMATS:
        if found := is_date(field):
            return _unix_time(found)
    return None


def _unix_time(found: re.Match[bytes]) -> float | None:
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 2000 if year < 70 else 1900
    second = int(found["second"])
    leap = second == 60  # a leap second counts as the first second of the next minute
    try:
        whole = datetime(
            year,
            _MONTHS.index(found["month"]) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            second - leap,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return whole.timestamp() + leap
