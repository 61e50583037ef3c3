"""Finds the list in a reply, and what its operation takes: pages, ids, filters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bff_core.contracts.document import HttpOperation, HttpParameter
from bff_core.contracts.types import (
    Array,
    Enum,
    Field,
    Json,
    Limits,
    Map,
    ObjectType,
    Scalar,
    Type,
)
from bff_core.mocks.limits import number_of_items
from bff_core.mocks.texts import words_of
from bff_core.mocks.values import ValueMaker

MAX_NESTING: Final = 2
"""Objects around the list of a reply: `{"data": {"items": []}}`."""

LIST_NAMES: Final = ("items", "data", "results", "content", "values", "entries", "records", "hits")
ENVELOPES: Final = {
    *("data", "result", "response", "page", "_embedded", "embedded", "payload"),
}
"""Properties whose object has the list of a reply."""

ID_NAMES: Final = ("id", "uuid", "key", "slug", "sku", "code")

PAGE: Final = {"page", "page number", "page no", "page index"}
OFFSET: Final = {"offset", "skip", "start", "start index", "from"}
CURSOR: Final = {
    *("cursor", "after", "page token", "next token", "starting after", "continuation token"),
    *("continuation", "next cursor", "page cursor", "marker", "since id"),
}
SIZE: Final = {
    *("limit", "per page", "size", "page size", "first", "count", "max results", "page limit"),
    *("max items", "take", "top", "rows", "num"),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list in a reply: the names that lead to it, its items, and the property with their ids.

    `is_map` means an object with the ids as its keys.
    """

    path: tuple[str, ...]
    items: Type
    identity: str = ""
    is_map: bool = False
    limits: Limits = field(default_factory=dict)

    def bounded(self, count: int) -> int:
        """Return a number of items that the list may have."""
        return number_of_items(self.limits, "Items", count)


def words(name: str) -> str:
    """Return the words of a parameter's name, without brackets: `page[size]` is "page size"."""
    return " ".join(words_of(name))


def listing_of(kind: Type, values: ValueMaker, path: tuple[str, ...] = ()) -> Listing | None:
    """Return the list of a reply; None for a reply without one."""
    found = values.resolved(kind)
    if isinstance(found, Array):
        identity = identity_of(found.items, values)
        return Listing(path, found.items, identity, limits=found.limits)
    if isinstance(found, Map) and values.fields(found.values):
        return Listing(path, found.values, identity_of(found.values, values), is_map=True)
    is_resource = not path and identity_of(found, values)  # it may happen to have a list
    if not isinstance(found, ObjectType) or is_resource or len(path) > MAX_NESTING:
        return None
    for one in sorted(found.fields, key=_rank):
        inner = values.resolved(one.type)
        if isinstance(inner, Array) and values.fields(inner.items):
            return listing_of(inner, values, (*path, one.name))
    around = (one for one in found.fields if one.name in ENVELOPES)
    deeper = (listing_of(one.type, values, (*path, one.name)) for one in around)
    return next((one for one in deeper if one is not None), None)


def _rank(field: Field) -> int:
    return LIST_NAMES.index(field.name) if field.name in LIST_NAMES else len(LIST_NAMES)


def identity_of(kind: Type, values: ValueMaker) -> str:
    """Return the name of the property that identifies an object; empty if none does."""
    fields = values.fields(kind)
    plain = {name for name, one in fields.items() if isinstance(values.resolved(one.type), Scalar)}
    for name in ID_NAMES:
        found = next((one for one in plain if words(one) == name), None)
        if found:
            return found
    return next((one for one in fields if one in plain and words(one).endswith(" id")), "")


@dataclass(frozen=True, slots=True)
class Paging:
    """The parameters of an operation that choose a page; None if it has no such one."""

    page: HttpParameter | None = None
    offset: HttpParameter | None = None
    cursor: HttpParameter | None = None
    size: HttpParameter | None = None

    @property
    def names(self) -> set[str]:
        """The names of the parameters."""
        known = (self.page, self.offset, self.cursor, self.size)
        return {one.name for one in known if one is not None}

    @property
    def is_paged(self) -> bool:
        """Whether the operation returns its list in pages."""
        return any(one is not None for one in (self.page, self.offset, self.cursor))


def paging_of(operation: HttpOperation, values: ValueMaker) -> Paging:
    """Return which parameters of an operation choose a page."""
    found: dict[str, HttpParameter] = {}
    for one in operation.parameters:
        kind = values.resolved(one.type)
        if one.place == "query" and isinstance(kind, Scalar):
            for role, names in _ROLES.items():
                is_role = words(one.name) in names
                if is_role and (role == "cursor" or kind.kind in {"integer", "number"}):
                    found.setdefault(role, one)
    return Paging(**found)


_ROLES: Final = {"page": PAGE, "offset": OFFSET, "cursor": CURSOR, "size": SIZE}


def wanted_ids(
    operation: HttpOperation, given: Mapping[str, Json], listing: Listing, values: ValueMaker
) -> list[Json] | None:
    """Return the ids of a batch read, `?ids=1,2`; None if the request names none."""
    for one in operation.parameters:
        value = given.get(one.name)
        if one.place == "query" and value is not None and _is_of_ids(one.name, listing, value):
            texts = value.split(",") if isinstance(value, str) else value
            known = texts if isinstance(texts, list) else [texts]
            return [_typed(each, listing, values) for each in known if each != ""]
    return None


def ids_in_body(body: Json, listing: Listing, values: ValueMaker) -> list[Json] | None:
    """Return the ids in the body of a batch read, `{"ids": [1, 2]}`; None if it has none."""
    if isinstance(body, list) and body and not any(isinstance(one, dict | list) for one in body):
        return [_typed(one, listing, values) for one in body]
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, list) and _is_of_ids(name, listing, value):
            return [_typed(one, listing, values) for one in value]
    return None


def _is_of_ids(name: str, listing: Listing, value: Json) -> bool:
    plain = words(name)
    several = {"ids", "id list", *(f"{one}s" for one in ID_NAMES)}
    if plain in several or plain.endswith((" ids", " skus", " codes", " keys", " slugs")):
        return isinstance(value, list | str)
    own = words(listing.identity)
    return isinstance(value, list) and bool(own) and plain in {own, f"{own}s", "id"}


def _typed(value: Json, listing: Listing, values: ValueMaker) -> Json:
    """Return an id as the items have it: 7 for the text "7" where they have numbers."""
    field = values.fields(listing.items).get(listing.identity)
    return value if field is None else as_type(field.type, value, values)


def as_type(kind: Type, value: Json, values: ValueMaker) -> Json:
    """Return a text or a number as a value of a type, where it can be one."""
    found = values.resolved(kind)
    if isinstance(found, Scalar) and found.kind == "integer" and isinstance(value, str):
        is_number = value.removeprefix("-").isdecimal() and value.isascii()
        return int(value) if is_number else value
    if isinstance(found, Scalar) and found.kind == "string" and isinstance(value, int):
        return str(value)
    return value


def filters_of(
    given: Mapping[str, Json], names: Iterable[str], kind: Type, values: ValueMaker
) -> dict[str, Json]:
    """Return the properties that the items of a filtered list have: `?status=sold`."""
    fields = values.fields(kind)
    found = {}
    for name in names:
        value = given.get(name)
        field = fields.get(name)
        is_plain = field is not None and isinstance(values.resolved(field.type), Scalar | Enum)
        if field is None or value is None or not is_plain:
            continue
        one = value[0] if isinstance(value, list) and value else value
        if values.fits(field.type, one):
            found[name] = one
    return found
