"""Dates that the strict decoder refuses: other ISO 8601 forms, leap seconds, missing zones."""

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

import msgspec

_parts: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
).fullmatch

_is_local: Final = re.compile(rb'"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?"').search


class NoZone(ValueError):
    """A datetime has no zone, and the policy refuses those."""


def may_lack_zone(body: bytes) -> bool:
    """Whether a body may contain a datetime without a zone, which escapes can hide."""
    return _is_local(body) is not None or b"\\u00" in body


def readable(text: str, zone: tzinfo | None, *, refuses: bool) -> str:
    """Return a datetime in a form that the decoder accepts; any other text unchanged.

    1. Digits beyond microseconds are cut where rounding would leave the year 9999.
    2. A leap second, which Python does not have, becomes the second before it.
    3. 24:00 becomes midnight of the next day.
    4. A datetime without a zone gets `zone`, or raises `NoZone` if the policy refuses it.
    """
    match = _parts(text)
    if match is None:
        return text
    offset = match[6]
    if offset is None and refuses:
        raise NoZone("a date and time without a zone")
    if offset is not None or zone is None:
        return text if _fits(text) else _repaired(match) or text
    local = text if _fits(text) else _repaired(match)
    return text if local is None else _with_offset(local, zone)


def _fits(text: str) -> bool:
    try:
        msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return False
    return True


def _repaired(match: re.Match[str]) -> str | None:
    day, hour, minute, second, fraction, offset = match.groups(default="")
    is_midnight = (hour, minute, second, fraction.strip("0")) == ("24", "00", "00", "")
    is_leap = second == "60"
    clock = "00:00:00" if is_midnight else f"{hour}:{minute}:{'59' if is_leap else second}"
    text = f"{day}T{clock}.{fraction[:6] or '0'}{offset}"
    if not _fits(text):
        return None
    moment = msgspec.convert(text, datetime)
    if is_leap and not _ends_a_day(moment):
        return None
    try:
        return (moment + timedelta(days=1)).isoformat() if is_midnight else text
    except OverflowError:
        return None


def _ends_a_day(moment: datetime) -> bool:
    """Whether it is the last minute of a day in UTC, the only one that has leap seconds."""
    offset = moment.utcoffset() or timedelta()
    minute = (moment.hour * 60 + moment.minute) - offset // timedelta(minutes=1)
    return minute % 1440 == 1439


def _with_offset(local: str, zone: tzinfo) -> str:
    """Add the zone's offset at that time, in whole minutes (RFC 3339 has no seconds)."""
    moment = msgspec.convert(local, datetime)
    offset = zone.utcoffset(moment.replace(tzinfo=zone))
    minutes = (offset or timedelta()) // timedelta(minutes=1)
    return moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
