"""Pagination: the items of all pages of a list, as an async iterator.

Each page is a call within the deadline of the request and its part. All stop after `limit` items or
`pages` pages, at an empty page, and at a cursor or an address that came before.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from bff_core.errors import BadPayload, BFFError
from bff_core.parameter_values import Scalar
from bff_core.upstream.caller import origins_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.request_target import template
from bff_core.upstream.typed_reply import TypedReply

T = TypeVar("T")
Item = TypeVar("Item")
Cursor = TypeVar("Cursor", str, int)

MAX_PAGES: Final = 100
"""How many pages an iterator reads unless its caller says otherwise."""

_links: Final = re.compile(
    r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))?)*)"
)
_relations: Final = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


class ForeignPage(BFFError):
    """The next page of a list is at another origin than the service; it was not requested."""

    status = 502
    code = BadPayload.code
    title = BadPayload.title


async def pages_by_cursor(
    page: Callable[[Cursor | None], Awaitable[tuple[Sequence[Item] | None, Cursor | None]]],
    *,
    limit: int | None = None,
    pages: int = MAX_PAGES,
) -> AsyncIterator[Item]:
    """Yield the items of pages that name the cursor of the next one.

    A page without a cursor, or with an empty one, is the last.
    """
    left = _Left(limit)
    cursor: Cursor | None = None
    passed: set[Cursor] = set()
    for _ in range(0 if left.is_over else pages):
        items, cursor = await page(cursor)
        for item in left.of(items):
            yield item
        if not items or left.is_over or cursor is None or cursor == "" or cursor in passed:
            return
        passed.add(cursor)


async def pages_by_number(
    page: Callable[[int], Awaitable[tuple[Sequence[Item] | None, bool | None]]],
    *,
    first: int = 1,
    limit: int | None = None,
    pages: int = MAX_PAGES,
) -> AsyncIterator[Item]:
    """Yield the items of pages with a number; a page may say whether there are more."""
    left = _Left(limit)
    for number in range(first, first + (0 if left.is_over else pages)):
        items, has_more = await page(number)
        for item in left.of(items):
            yield item
        if not items or left.is_over or has_more is False:
            return


async def pages_by_offset(
    page: Callable[[int], Awaitable[tuple[Sequence[Item] | None, bool | None]]],
    *,
    first: int = 0,
    limit: int | None = None,
    pages: int = MAX_PAGES,
) -> AsyncIterator[Item]:
    """Yield the items of pages that begin at an offset; a page may say whether there are more."""
    left, offset = _Left(limit), first
    for _ in range(0 if left.is_over else pages):
        items, has_more = await page(offset)
        for item in left.of(items):
            yield item
        if not items or left.is_over or has_more is False:
            return
        offset += len(items)


async def pages_by_url(
    upstream: Upstream,
    path: str,
    values: Mapping[str, Scalar],
    model: type[T],
    *,
    items: Callable[[T], Sequence[Item] | None],
    next_url: Callable[[TypedReply[T]], str | None],
    query: Mapping[str, object] | None = None,
    headers: Mapping[str, object] | None = None,
    limit: int | None = None,
    pages: int = MAX_PAGES,
) -> AsyncIterator[Item]:
    """Yield the items of pages that have the URL of the next one.

    The URL is never called itself: its path and query are, at the service. Raises `ForeignPage` for
    a URL of another origin with another path.
    """
    left = _Left(limit)
    base = template(path).fill(values)
    passed: set[str] = set()
    for _ in range(0 if left.is_over else pages):
        reply = await upstream.get(
            path, values, TypedReply[model], query=query, headers=headers  # type: ignore[valid-type]  # at run time
        )  # fmt: skip
        found = items(reply.value)
        for item in left.of(found):
            yield item
        url = next_url(reply)
        if not found or left.is_over or not url or url in passed:
            return
        passed.add(url)
        path, values, query = _followed(upstream, url, base, path, values)


def _followed(
    upstream: Upstream, url: str, base: str, path: str, values: Mapping[str, Scalar]
) -> tuple[str, Mapping[str, Scalar], Mapping[str, object]]:
    """Return path, values and query of the call for the next page.

    A URL with the service's address in its own network, or with another one that ends with the path
    of the first page, stands for the service.
    """
    origins = [urlsplit(one) for one in origins_of(upstream)]
    first = origins[0].geturl().rstrip("/") if origins else ""
    parts = urlsplit(urljoin(first + base, url))
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    own = [one for one in origins if (one.scheme, one.netloc) == (parts.scheme, parts.netloc)]
    target = unquote(parts.path)
    if not own and parts.netloc:
        if target.endswith(unquote(base)):
            return path, values, query
        raise ForeignPage(
            f"{upstream.name}: the next page of {path} is at another origin; it is not called"
        )
    rest = target.removeprefix(unquote(own[0].path).rstrip("/") if own else "")
    if rest == unquote(base):
        return path, values, query
    return "/{next:path}", {"next": rest.lstrip("/")}, query


def next_link(reply: TypedReply[T]) -> str | None:
    """Return the target of the link to the next page (RFC 8288), or None."""
    for target, parameters in _links.findall(reply.headers.get("link", "")):
        relations = {
            one.lower()
            for found in _relations.findall(parameters)
            for one in "".join(found).split()
        }
        if "next" in relations:
            return str(target)
    return None


class _Left:
    """How many items may still be yielded."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit

    @property
    def is_over(self) -> bool:
        """Whether no item may be yielded any more."""
        return self._limit is not None and self._limit <= 0

    def of(self, items: Sequence[Item] | None) -> Sequence[Item]:
        """Return the items that may be yielded."""
        found = items or ()
        if self._limit is None:
            return found
        allowed = found[: max(self._limit, 0)]
        self._limit -= len(allowed)
        return allowed
