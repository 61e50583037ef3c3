"""Lists: one format, cursors that survive insertions, batches in the requested order."""

import base64
import binascii
import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
from fastapi import Depends, Query

from services_mock.problems import Problem, invalid

BATCH = 100
"""The ids of one request, at most."""

Key = tuple[str | int, ...]
Row = TypeVar("Row")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `total` counts the whole, `missing` has requested ids that do not exist."""

    items: Sequence[T]
    next_cursor: str | None
    total: int
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """The requested part of a list."""

    limit: int
    cursor: str | None


async def _window(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Window:
    return Window(limit, cursor)


def split(raw: str, name: str = "ids") -> tuple[str, ...]:
    """Read a comma-separated list of 1 to 100 ids, each once."""
    requested = tuple(dict.fromkeys(part.strip() for part in raw.split(",") if part.strip()))
    if not 1 <= len(requested) <= BATCH:
        raise invalid(f"query.{name}", f"1 to {BATCH} ids, separated by commas")
    return requested


async def _requested(
    ids: Annotated[str | None, Query(description="comma-separated; answers in this order")] = None,
) -> tuple[str, ...] | None:
    return None if ids is None else split(ids)


async def _required(
    ids: Annotated[str, Query(description="comma-separated; answers in this order")],
) -> tuple[str, ...]:
    return split(ids)


Paging = Annotated[Window, Depends(_window)]
RequestedIds = Annotated[tuple[str, ...] | None, Depends(_requested)]
Required = Annotated[tuple[str, ...], Depends(_required)]


def page(
    rows: Sequence[Row],
    window: Window,
    *,
    key: Callable[[Row], Key],
    load: Callable[[Row], T],
    within: str,
) -> Page[T]:
    """Cut a page out of rows that ascend by a unique `key`.

    A cursor holds the key of the last row listed, so that rows which come later are neither skipped
    nor repeated; `within` names filter and order, which must be the same for the next page.
    """
    start = 0
    if window.cursor is not None:
        start = _position(rows, key, _read(window.cursor, within))
    part = rows[start : start + window.limit]
    is_last = start + window.limit >= len(rows)
    following = None if is_last else _write(within, key(part[-1]))
    return Page([load(row) for row in part], following, len(rows))


def batch(requested: Sequence[str], find: Callable[[str], T | None]) -> Page[T]:
    """Answer many ids at once, in their order."""
    found = [(identity, find(identity)) for identity in requested]
    items = [item for _, item in found if item is not None]
    missing = [identity for identity, item in found if item is None]
    return Page(items, None, len(items), missing)


def _position(rows: Sequence[Row], key: Callable[[Row], Key], last: Key) -> int:
    try:
        return bisect.bisect_right(rows, last, key=key)
    except TypeError:  # a forged cursor, whose key has another type
        raise _bad_cursor() from None


def _write(within: str, last: Key) -> str:
    text = msgspec.json.encode((within, last))
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _read(cursor: str, within: str) -> Key:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        owner, last = msgspec.json.decode(text, type=tuple[str, Key])
    except (ValueError, binascii.Error):  # msgspec's errors are ValueErrors, too
        raise _bad_cursor() from None
    if owner != within:
        raise _bad_cursor()
    return last


def _bad_cursor() -> Problem:
    return invalid("query.cursor", "not a cursor of this list", "invalid_cursor")
