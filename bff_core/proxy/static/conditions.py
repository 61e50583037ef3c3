"""Conditional requests for a file, in the order of RFC 9110, section 13.2.2."""

import re
import time
from collections.abc import Iterable, Mapping
from typing import Final

from bff_core.cache.dates import parse_http_date
from bff_core.cache.validation import matches
from bff_core.proxy.static.representation import Representation

READ: Final = frozenset({
    *(b"accept", b"accept-encoding", b"if-match", b"if-modified-since", b"if-none-match"),
    *(b"if-range", b"if-unmodified-since", b"range"),
})  # fmt: skip
"""The fields of a request that decide how a file is sent."""

_tags: Final = re.compile(rb'(W/)?("[^"]*")').findall

Fields = Mapping[bytes, bytes]


def fields_of(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    """Return the fields that matter, the lines of one joined by commas."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in READ:
            fields[name] = b"%b, %b" % (fields[name], value) if name in fields else value
    return fields


def is_refused(fields: Fields, representation: Representation, modified: int | None) -> bool:
    """Whether If-Match or If-Unmodified-Since demands another state of the file: 412."""
    wanted = fields.get(b"if-match")
    if wanted is not None:
        return wanted.strip() != b"*" and representation.etag not in _strong_tags(wanted)
    since = parse_http_date(fields.get(b"if-unmodified-since"))
    return since is not None and modified is not None and modified > since


def _strong_tags(field: bytes) -> list[bytes]:
    """Return the strong entity tags in a list: only those match If-Match (RFC 9110, 13.1.1)."""
    return [tag for weak, tag in _tags(field) if not weak]


def is_known(fields: Fields, representation: Representation, modified: int | None) -> bool:
    """Whether the client has these bytes: 304."""
    held = fields.get(b"if-none-match")
    if held is not None:
        return matches(held, representation.etag)
    since = parse_http_date(fields.get(b"if-modified-since"))
    return since is not None and modified is not None and modified <= since


def range_of(fields: Fields, representation: Representation, modified: int | None) -> bytes | None:
    """Return the Range to follow; None if If-Range names another state of the file.

    A date is a strong validator only if the file was a second old by then (RFC 9110, 8.8.2.2).
    """
    wanted, condition = fields.get(b"range"), fields.get(b"if-range")
    if wanted is None or condition is None:
        return wanted
    if condition.startswith((b'"', b"W/")):
        return wanted if condition == representation.etag else None
    is_old = modified is not None and modified < time.time() - 1
    return wanted if is_old and parse_http_date(condition) == modified else None
