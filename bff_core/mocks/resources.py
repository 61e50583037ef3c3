"""Resources of a mock: examples of the contract or values made up, with the ids of the request."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from bff_core.contracts.document import Content, HttpOperation
from bff_core.contracts.types import Json, Nullable, Ref, Type, Union
from bff_core.mocks.listing import Listing, as_type, identity_of
from bff_core.mocks.memory import Memory
from bff_core.mocks.pages import Page
from bff_core.mocks.routes import VARIABLE
from bff_core.mocks.schemas import Schemas
from bff_core.mocks.texts import words_of
from bff_core.mocks.values import MAX_VALUES, ValueMaker, words_match

VARIANTS: Final = {
    *("response", "detail", "details", "dto", "summary", "full", "simple", "minimal", "read"),
    *("out", "view", "resource", "representation", "model", "entity", "list", "page", "collection"),
}
"""Words of type names that name a view of a resource, not another one: `PetSummary`."""


@dataclass(frozen=True, slots=True)
class MockExchange:
    """A valid request: its operation, its path and address, its parameters and body as values."""

    operation: HttpOperation
    path: str
    address: str
    in_path: Mapping[str, Json]
    given: Mapping[str, Json]
    body: Json

    @property
    def first_number(self) -> int:
        """The number of the first item of a list: another one for each parent in the path."""
        if not self.in_path:
            return 1
        parents = "/".join(map(str, self.in_path.values()))
        return zlib.crc32(parents.encode()) % 9_000 * 100 + 1

    @property
    def flat_collection(self) -> str:
        """The path that a collection has without its parents: `/ratings`; empty without them."""
        before, _, rest = self.operation.path.partition("/{")
        return f"{before.rpartition('/')[0]}/{rest.rstrip('/').rpartition('/')[2]}" if rest else ""

    @property
    def noun(self) -> str:
        """What the path is about: "pet" for `/pets/{id}`."""
        steps = [one for one in self.operation.path.split("/") if one and not VARIABLE.search(one)]
        return re.sub(r"s$", "", steps[-1]) if steps else "value"


@dataclass(frozen=True, slots=True)
class MadeAnswer:
    """A body, and what its headers need: the page that it is, the path of a new resource."""

    value: Json
    page: Page | None = None
    next: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class MockResources:
    """Makes single resources, and remembers those that clients have changed."""

    values: ValueMaker
    schemas: Schemas
    memory: Memory

    def examples(self, content: Content) -> list[Json]:
        """Return the examples of a body that are of its type."""
        return [one for one in content.examples.values() if self.is_valid(content, one)]

    def is_valid(self, content: Content, value: Json) -> bool:
        """Whether a value may be the body of an answer."""
        return not self.schemas.faults(content.type, value, "response")

    def single(self, exchange: MockExchange, content: Content) -> Json:
        """Return the resource of a path: as it was stored, else an example, else made up."""
        ids = list(exchange.in_path.values())
        examples = self.examples(content)
        if examples:
            made = _best(examples, ids)
        else:
            key = _key(content.type, exchange, ids[-1] if ids else "")
            made = self.values.make(content.type, key, exchange.noun)
        changed = self.merged(made, self.memory.get(exchange.path), content.type)
        found = self.with_ids(changed, content.type, exchange)
        is_union = isinstance(self.values.resolved(content.type), Union)
        if is_union and self.schemas.faults(content.type, found, "response"):
            return made  # a property of one option is none of the other
        return found

    def merged(self, made: Json, stored: Json, kind: Type) -> Json:
        """Return a resource with what is stored of it, as far as its type has it."""
        if not isinstance(made, dict) or not isinstance(stored, dict):
            return made
        fields = self.values.fields(kind)
        if not fields:
            both = {**made, **stored}
            return made if self.schemas.faults(kind, both, "response") else both
        known = {name: value for name, value in stored.items() if name in fields}
        return made | {
            name: value
            for name, value in known.items()
            if not fields[name].is_write_only
            and not self.schemas.faults(fields[name].type, value, "response")
        }

    def item(
        self,
        exchange: MockExchange,
        listing: Listing,
        id_: Json,
        index: int = 0,
        *,
        most: int = MAX_VALUES,
    ) -> Json:
        """Return the item of a list with an id, made up of `most` values."""
        key = _key(listing.items, exchange, id_)
        made = self.values.make(listing.items, key, exchange.noun, index, most=most)
        if not isinstance(made, dict):
            return made
        fields = self.values.fields(listing.items)
        around = {name: value for name, value in exchange.in_path.items() if name != "id"}
        found = {**made, **self._matching(around, listing.items)}
        if listing.identity and self.values.fits(fields[listing.identity].type, id_):
            found[listing.identity] = id_
        return found

    def with_ids(self, made: Json, kind: Type, exchange: MockExchange) -> Json:
        """Return a resource with the parameters of its path as its properties."""
        if not isinstance(made, dict):
            return made
        is_item = exchange.operation.path.endswith("{id}")
        own = {name: one for name, one in exchange.in_path.items() if is_item or name != "id"}
        found = {**made, **self._matching(own, kind)}
        identity = identity_of(kind, self.values)
        last = next(
            (n for n in exchange.in_path if exchange.operation.path.endswith(f"{{{n}}}")), ""
        )
        if identity and last and last not in self.values.fields(kind):
            field = self.values.fields(kind)[identity]
            id_ = as_type(field.type, exchange.in_path[last], self.values)
            found |= {identity: id_} if self.values.fits(field.type, id_) else {}
        return found

    def _matching(self, given: Mapping[str, Json], kind: Type) -> dict[str, Json]:
        """Return the values whose names are those of properties: `pet_id` is `petId`."""
        found: dict[str, Json] = {}
        for field in self.values.fields(kind).values():
            name = next((one for one in given if words_match(one, field.name)), "")
            value = as_type(field.type, given[name], self.values) if name else None
            if name and self.values.fits(field.type, value):
                found[field.name] = value
        return found


def below(path: str, id_: Json) -> str:
    """Return the path of a resource of a collection."""
    return f"{path.rstrip('/')}/{quote(str(id_), safe='')}"


def _key(kind: Type, exchange: MockExchange, id_: Json) -> str:
    """Return the key of a resource: the same in lists, in batches and alone."""
    while isinstance(kind, Nullable):
        kind = kind.of
    words = words_of(kind.name) if isinstance(kind, Ref) else ()
    return f"{'-'.join(one for one in words if one not in VARIANTS) or exchange.noun}/{id_}"


def _best(examples: Sequence[Json], ids: Sequence[Json]) -> Json:
    """Return the example with the id of the path, or the first one."""
    for one in examples:
        if isinstance(one, dict) and ids and str(ids[-1]) in {str(value) for value in one.values()}:
            return one
    return examples[0]
