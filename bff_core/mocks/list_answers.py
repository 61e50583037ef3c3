"""Answers with lists: pages, batches by id, filters, and what clients have added or deleted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bff_core.contracts.document import Content
from bff_core.contracts.types import Json
from bff_core.mocks.listing import Listing, as_type, filters_of, ids_in_body, paging_of, wanted_ids
from bff_core.mocks.pages import PAGE_SIZE, PAGED_ITEMS, Page, filled, next_address, page_of
from bff_core.mocks.resources import MadeAnswer, MockExchange, MockResources, below
from bff_core.mocks.values import MAX_VALUES, distinct

MAX_BATCH: Final = 200
"""Items that a batch read returns."""


def list_of(
    exchange: MockExchange, content: Content, listing: Listing, resources: MockResources
) -> MadeAnswer:
    """Return the answer to a request for a list."""
    values, paging = resources.values, paging_of(exchange.operation, resources.values)
    body = next(iter(resources.examples(content)), None)
    ids = _ids(exchange, listing, resources)
    if ids is None:
        count = PAGED_ITEMS if paging.is_paged else listing.bounded(PAGE_SIZE)
        known = _items(exchange, listing, resources, body, count)
        page = page_of(known, paging, exchange.given, values, most=listing.bounded(PAGED_ITEMS))
    else:
        items = _batch(exchange, listing, resources, ids)
        page = Page(items, 0, len(items), len(items), 1)
    value = _around(exchange, content, listing, resources, body, page.items)
    link = next_address(exchange.address, page, paging)
    if isinstance(value, dict) and not (listing.is_map and not listing.path):
        value = filled(value, content.type, page, paging, values, link=link)
    return MadeAnswer(value, page, link if paging.is_paged and page.has_next else "")


def _ids(exchange: MockExchange, listing: Listing, resources: MockResources) -> list[Json] | None:
    ids = wanted_ids(exchange.operation, exchange.given, listing, resources.values)
    if ids is None and exchange.operation.method.upper() == "POST":
        ids = ids_in_body(exchange.body, listing, resources.values)
    return ids


def _batch(
    exchange: MockExchange, listing: Listing, resources: MockResources, ids: Sequence[Json]
) -> list[Json]:
    """Return the items with these ids, without those that were deleted."""
    found = []
    for one in ids[:MAX_BATCH]:
        path = below(exchange.path, one)
        if not resources.memory.is_deleted(path):
            made = resources.item(exchange, listing, one)
            found.append(resources.merged(made, resources.memory.get(path), listing.items))
    return found


def _items(
    exchange: MockExchange, listing: Listing, resources: MockResources, body: Json, count: int
) -> list[Json]:
    """Return all items of a collection: new ones, then those of the example, or made ones."""
    in_query = (one.name for one in exchange.operation.parameters if one.place == "query")
    filters = filters_of(exchange.given, in_query, listing.items, resources.values)
    known = _of_example(body, listing)
    if not known:
        made = _numbered(exchange, listing, resources, count)
        known = [{**one, **filters} if isinstance(one, dict) else one for one in made]
        if listing.limits.get("uniqueItems"):
            known = distinct(known, count)
    stored = dict(resources.memory.below(exchange.path))
    if not listing.identity:
        made_of = (resources.item(exchange, listing, name) for name in stored)
        new_items = zip(made_of, stored.values(), strict=True)
        return [*(resources.merged(one, value, listing.items) for one, value in new_items), *known]
    names = [str(one.get(listing.identity)) if isinstance(one, dict) else "" for one in known]
    items = [
        resources.merged(one, stored.get(name), listing.items)
        for one, name in zip(known, names, strict=True)
        if not (name in stored and stored[name] is None)
    ]
    new = [name for name, value in stored.items() if name not in names and value is not None]
    fields = resources.values.fields(listing.items)
    ids = [as_type(fields[listing.identity].type, name, resources.values) for name in new]
    added = _batch(exchange, listing, resources, ids)
    return [*(one for one in added if _passes(one, filters)), *items]


def _numbered(
    exchange: MockExchange, listing: Listing, resources: MockResources, count: int
) -> Iterator[Json]:
    """Yield items that are made, with ids from 1 on."""
    field = resources.values.fields(listing.items).get(listing.identity)
    first = exchange.first_number
    for number in range(first, first + count):
        own = None if field is None else resources.values.identifier(field.type, number)
        id_ = number if own is None else own
        yield resources.item(exchange, listing, id_, number - first, most=MAX_VALUES // count)


def _of_example(body: Json, listing: Listing) -> list[Json]:
    for name in listing.path:
        body = body.get(name) if isinstance(body, dict) else None
    if isinstance(body, dict) and listing.is_map:
        return [*body.values()]
    return [*body] if isinstance(body, list) else []


def _passes(item: Json, filters: Mapping[str, Json]) -> bool:
    return isinstance(item, dict) and all(item.get(k, v) == v for k, v in filters.items())


def _around(  # noqa: PLR0917 # what the list is put into, and how it is made
    exchange: MockExchange,
    content: Content,
    listing: Listing,
    resources: MockResources,
    body: Json,
    items: Iterable[Json],
) -> Json:
    """Return the body of an answer with these items in the place of its list."""
    shown: Json = _by_id(items, listing) if listing.is_map else [*items]
    if not listing.path:
        return shown
    if not isinstance(body, dict):
        body = resources.values.make(content.type, exchange.path, exchange.noun)
    return _with(body, listing.path, shown)


def _by_id(items: Iterable[Json], listing: Listing) -> dict[str, Json]:
    names = ((one.get(listing.identity) if isinstance(one, dict) else None, one) for one in items)
    return {
        str(number if name is None else name): one for number, (name, one) in enumerate(names, 1)
    }


def _with(body: Json, path: Sequence[str], items: Json) -> Json:
    """Return a body with a list in the place that names lead to."""
    if not path:
        return items
    around = body if isinstance(body, dict) else {}
    return {**around, path[0]: _with(around.get(path[0]), path[1:], items)}
