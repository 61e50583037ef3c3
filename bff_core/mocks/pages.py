"""Cuts a list into pages, and writes where the next one is: in the body, and as `Link`."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from bff_core.contracts.types import Json, Nullable, ObjectType, Scalar, Type
from bff_core.mocks.listing import Paging, words
from bff_core.mocks.problems import Refusal
from bff_core.mocks.values import ValueMaker

PAGE_SIZE: Final = 5
PAGED_ITEMS: Final = 12
"""Items of a list that is made up and paged; one without pages has as many as a page."""

NEXT: Final = {
    *("next", "next cursor", "next page token", "next token", "cursor", "after", "end cursor"),
    *("continuation token", "continuation", "next page cursor", "next marker", "next page"),
    *("scroll id", "next url", "next link", "next href", "starting after", "page token"),
}
ADDRESSES: Final = {"uri", "url", "uri-reference"}
TOTAL: Final = {
    *("total", "total count", "total items", "total elements", "total results", "item count"),
    *("count total", "num found", "total records", "total size"),
}
PAGES: Final = {"total pages", "pages", "page count", "last page", "num pages"}
MORE: Final = {"has more", "has next", "has next page", "more", "is truncated", "incomplete"}
LAST: Final = {"is last", "last"}
COUNT: Final = {"count", "number of elements"}


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list from `start` on. `number` is that of a page, as the service counts."""

    items: Sequence[Json]
    start: int
    size: int
    total: int
    number: int

    @property
    def end(self) -> int:
        """The position behind the last item."""
        return self.start + len(self.items)

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.end < self.total


def page_of(
    items: Sequence[Json],
    paging: Paging,
    given: Mapping[str, Json],
    values: ValueMaker,
    *,
    most: int,
) -> Page:
    """Return the page that a request wants, with at most so many items."""
    size = _size(paging, given, len(items))
    size = min(size, most) if paging.is_paged else size
    first = _first_page(paging, values)
    start = 0
    number = first
    if paging.page is not None and given.get(paging.page.name) is not None:
        number = _whole(given[paging.page.name], first)
        start = max(number - first, 0) * size
    elif paging.offset is not None and given.get(paging.offset.name) is not None:
        start = max(_whole(given[paging.offset.name], 0), 0)
        number = first + start // max(size, 1)
    elif paging.cursor is not None and given.get(paging.cursor.name) not in {None, ""}:
        start = _position(paging.cursor.name, given[paging.cursor.name])
        number = first + start // max(size, 1)
    return Page(items[start : start + size], start, size, len(items), number)


def cursor_at(position: int) -> str:
    """Return the cursor of a position."""
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode().rstrip("=")


def _position(name: str, cursor: Json) -> int:
    text = str(cursor)
    try:
        decoded = base64.urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}").decode()
    except (ValueError, binascii.Error):
        decoded = ""
    number = decoded.removeprefix("at:")
    if decoded.startswith("at:") and number.isdecimal():
        return int(number)
    if text.isdecimal() and text.isascii():
        return int(text[:9])
    message = "the cursor is none of this service"
    raise Refusal(400, f"{name}: {message}", [{"in": "query", "name": name, "message": message}])


def _size(paging: Paging, given: Mapping[str, Json], count: int) -> int:
    if paging.size is None:
        return PAGE_SIZE if paging.is_paged else count
    value = given.get(paging.size.name)
    if value is None and paging.size.has_default:
        value = paging.size.default
    return max(_whole(value, PAGE_SIZE), 1)


def _first_page(paging: Paging, values: ValueMaker) -> int:
    """Return the number of the first page: that of the default, or of the minimum."""
    one = paging.page
    if one is None:
        return 1
    kind = values.resolved(one.type)
    minimum = kind.limits.get("minimum") if isinstance(kind, Scalar) else None
    known = one.default if one.has_default else minimum
    return 0 if known == 0 else 1


def _whole(value: Json, default: int) -> int:
    return int(value) if isinstance(value, int | float) and value == value else default  # noqa: PLR0124 # no NaN


def filled(
    body: dict[str, Json], kind: Type, page: Page, paging: Paging, values: ValueMaker, *, link: str
) -> dict[str, Json]:
    """Return an envelope with the numbers of a page, and with its next page, where it has them.

    `link` is the address of the next page.
    """
    made = dict(body)
    for name, field in values.fields(kind).items():
        found, inner = values.resolved(field.type), made.get(name)
        if isinstance(found, ObjectType) and isinstance(inner, dict):
            made[name] = filled(inner, field.type, page, paging, values, link=link)
        elif not isinstance(found, Scalar):
            continue
        elif words(name) not in NEXT:
            number = _number_of(words(name), found, page)
            made |= {} if number is None else {name: number}
        elif page.has_next:
            made[name] = _following(words(name), found, page, paging, link)
        elif not field.is_required:
            made.pop(name, None)
        elif isinstance(field.type, Nullable):
            made[name] = None
        else:
            made[name] = "" if found.kind == "string" else 0
    return made


def _following(name: str, kind: Scalar, page: Page, paging: Paging, link: str) -> Json:
    """Return the value of a property that leads to the next page."""
    if kind.kind in {"integer", "number"}:
        return page.number + 1 if paging.page is not None else page.end
    is_address = kind.format in ADDRESSES or name in {"next url", "next link", "next href", "href"}
    if is_address or (name == "next" and paging.cursor is None):
        return link
    return cursor_at(page.end)


def _number_of(name: str, kind: Scalar, page: Page) -> Json:
    if kind.kind == "boolean":
        return page.has_next if name in MORE else not page.has_next if name in LAST else None
    if kind.kind not in {"integer", "number"}:
        return None
    known: dict[str, int] = {
        **dict.fromkeys(TOTAL, page.total),
        **dict.fromkeys(PAGES, -(-page.total // max(page.size, 1))),
        **dict.fromkeys(COUNT, len(page.items)),
        **dict.fromkeys(("page", "page number", "current page", "number"), page.number),
        **dict.fromkeys(("per page", "page size", "limit", "size"), page.size),
        **dict.fromkeys(("offset", "skip", "start"), page.start),
    }
    return known.get(name)


def next_address(address: str, page: Page, paging: Paging) -> str:
    """Return the address of the next page: that of this one, with another position."""
    path, _, query = address.partition("?")
    if paging.page is not None:
        name, value = paging.page.name, str(page.number + 1)
    elif paging.offset is not None:
        name, value = paging.offset.name, str(page.end)
    elif paging.cursor is not None:
        name, value = paging.cursor.name, cursor_at(page.end)
    else:
        return address
    others = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != name]
    return f"{path}?{urlencode([*others, (name, value)])}"
