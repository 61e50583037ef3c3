"""Resolves the fields of a GraphQL schema with values made up: the same ones for the same ids."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeAlias

from bff_core.contracts.types import Json
from bff_core.extras import needs
from bff_core.mocks.memory import Memory
from bff_core.mocks.numbers import number_of_name
from bff_core.mocks.pages import PAGED_ITEMS, cursor_at
from bff_core.mocks.texts import text_of_format, text_of_name, words_of
from bff_core.mocks.values import ITEMS, MAX_VALUES

with needs("graphql", "the mock of a GraphQL service"):
    from graphql import (
        GraphQLEnumType,
        GraphQLInterfaceType,
        GraphQLList,
        GraphQLNamedOutputType,
        GraphQLNonNull,
        GraphQLObjectType,
        GraphQLOutputType,
        GraphQLResolveInfo,
        GraphQLUnionType,
        get_named_type,
        get_nullable_type,
        is_abstract_type,
        is_leaf_type,
        is_list_type,
    )

MAX_COUNT: Final = 100
"""Items of a list, whatever the arguments say."""

COUNTS: Final = ("first", "last", "limit", "take", "count", "size", "pageSize", "perPage")

Info: TypeAlias = "GraphQLResolveInfo[Any]"

FieldHandler = Callable[..., object]
"""A handler of the user for one field: it gets the object around it, and its arguments."""


@dataclass(frozen=True, slots=True)
class MadeObject:
    """An object that is made up: its fields are values of `known`, else made from its key."""

    key: str
    known: Mapping[str, Any] = field(default_factory=dict)
    page: "ConnectionPage | None" = None


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """The part of a connection that its arguments choose."""

    start: int
    end: int
    total: int = PAGED_ITEMS


@dataclass(frozen=True, slots=True)
class GraphQLValues:
    """Resolves fields: by handlers of the user ("Pet.name"), by what is known, else made up."""

    seed: int
    handlers: Mapping[str, FieldHandler]
    memory: Memory

    def field(self, source: Any, info: Info, **arguments: Any) -> Any:
        """Return the value of a field; lists are empty behind the first `MAX_VALUES` fields."""
        is_full = next(info.context) > MAX_VALUES
        handler = self.handlers.get(f"{info.parent_type.name}.{info.field_name}")
        if handler is not None:
            around = source.known if isinstance(source, MadeObject) else source
            return handler(around or {}, **arguments)
        if isinstance(source, Mapping):  # what a handler returned
            if info.field_name in source:
                return source[info.field_name]
            source = MadeObject(str(source.get("id", "")), source)
        made = source if isinstance(source, MadeObject) else MadeObject("")
        if info.field_name in made.known:
            return made.known[info.field_name]
        if is_full and is_list_type(get_nullable_type(info.return_type)):
            return []
        return self._of(info.return_type, made, info, arguments)

    def type_of(self, value: Any, info: Info, abstract: Any) -> str | None:
        """Return the concrete type of an interface or a union."""
        if isinstance(value, Mapping):
            return value.get("__typename")
        known = value.known.get("__typename") if isinstance(value, MadeObject) else None
        return known or info.schema.get_possible_types(abstract)[0].name

    def _of(
        self,
        kind: GraphQLOutputType,
        source: MadeObject,
        info: Info,
        arguments: Mapping[str, Any],
        index: int = 0,
    ) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._of(kind.of_type, source, info, arguments, index)
        name = info.field_name
        if isinstance(kind, GraphQLList):
            return self._list(kind.of_type, source, info, arguments)
        key = f"{source.key}/{name}" + (f"/{index}" if index else "")
        if is_leaf_type(kind):
            return self._leaf(kind, key, name)
        if source.page is not None and name == "pageInfo":
            return MadeObject(key, _page_info(source.page))
        return self._object(kind, key, info, arguments, index)

    def _object(
        self,
        kind: Any,
        key: str,
        info: Info,
        arguments: Mapping[str, Any],
        index: int,
    ) -> Any:
        possible = info.schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
        concrete: GraphQLObjectType = possible[index % len(possible)]
        page = _page_of(arguments) if "pageInfo" in concrete.fields else None
        if page is not None:
            return MadeObject(
                key, {"totalCount": page.total} if "totalCount" in concrete.fields else {}, page
            )
        given = _flat(arguments)
        id_ = next(
            (given[one] for one in ("id", "slug", "key", "sku", "code") if given.get(one)), None
        )
        is_write = info.parent_type is info.schema.mutation_type
        own = str(id_) if id_ is not None else str(_number(key)) if not is_write else "new"
        return self._entity(concrete, own, given if is_write else {}, is_given=id_ is not None)

    def _entity(
        self,
        kind: GraphQLObjectType,
        id_: str,
        changes: Mapping[str, Any],
        *,
        is_given: bool = True,
    ) -> MadeObject:
        """Return an object with an id, with what clients have changed of it."""
        path = f"/{kind.name}/{id_}"
        stored = self.memory.get(path)
        known: dict[str, Any] = {**stored} if isinstance(stored, dict) else {}
        if "id" in kind.fields and is_given:
            known.setdefault("id", _typed(kind, "id", id_))
        changed = {
            name: value
            for name, value in changes.items()
            if name in kind.fields and is_leaf_type(get_named_type(kind.fields[name].type))
        }
        known |= changed
        if changed:
            self.memory.put(path, dict(known))
        return MadeObject(path, {"__typename": kind.name, **known})

    def _list(
        self,
        item: GraphQLOutputType,
        source: MadeObject,
        info: Info,
        arguments: Mapping[str, Any],
    ) -> list[Any]:
        kind = item.of_type if isinstance(item, GraphQLNonNull) else item
        name = info.field_name
        page = source.page
        if page is not None and name in {"edges", "nodes", "items"}:
            return [
                self._on_page(kind, source, position) for position in range(page.start, page.end)
            ]
        ids = next((value for key, value in arguments.items() if _is_of_ids(key, value)), None)
        if ids is not None:
            return [self._item(kind, info, str(one)) for one in ids[:MAX_COUNT]]
        count = min(_count(arguments, ITEMS), MAX_COUNT)
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return [self._of(kind, source, info, {}, number + 1) for number in range(count)]
        if source.key == "":
            return [self._item(kind, info, str(number + 1), number) for number in range(count)]
        return [self._of(kind, source, info, {}, number + 1) for number in range(count)]

    def _item(self, kind: Any, info: Info, id_: str, index: int = 0) -> MadeObject:
        possible = info.schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
        return self._entity(possible[index % len(possible)], id_, {})

    def _on_page(self, kind: Any, source: MadeObject, position: int) -> MadeObject:
        id_ = str(position + 1)
        if isinstance(kind, GraphQLObjectType) and "node" in kind.fields:
            node = get_named_type(kind.fields["node"].type)
            known: dict[str, Any] = {"cursor": cursor_at(position + 1)}
            if isinstance(node, GraphQLObjectType):
                known["node"] = self._entity(node, id_, {})
            return MadeObject(f"{source.key}/{position}", known)
        return self._entity(kind, id_, {})

    def _leaf(self, kind: GraphQLNamedOutputType, key: str, name: str) -> Json:
        random = Random(f"{self.seed}:{key}")  # noqa: S311 # the same value each time
        if isinstance(kind, GraphQLEnumType):
            member: str = random.choice(sorted(kind.values))
            return member
        number = number_of_name(name, random)
        made: dict[str, Callable[[], Json]] = {
            "Boolean": lambda: random.random() < 0.5,
            "Int": lambda: int(number if number is not None else random.randint(1, 99)),
            "Float": lambda: float(number if number is not None else random.randint(1, 99)),
            "ID": lambda: str(_number(key)),
            "String": lambda: text_of_name(name, random),
        }
        return made[kind.name]() if kind.name in made else _custom(kind.name, name, random)


def _custom(kind: str, name: str, random: Random) -> Json:
    """Return the value of a custom scalar, by its name: DateTime, URL, JSON, Decimal."""
    words = words_of(kind)
    joined = "".join(words)
    if joined in {"json", "jsonobject", "map", "any"}:
        return {"key": text_of_name(name, random)}
    if joined in {"long", "bigint", "int64", "timestamp", "unsignedint", "positiveint"}:
        return random.randint(1, 999)
    formats = {
        "datetime": "date-time",
        "timestamptz": "date-time",
        "instant": "date-time",
        "guid": "uuid",
        "money": "decimal",
        "bigdecimal": "decimal",
        "emailaddress": "email",
    }
    text = text_of_format(formats.get(joined, joined), name, random)
    return text_of_name(name, random) if text is None else text


def _page_of(arguments: Mapping[str, Any]) -> ConnectionPage:
    """Return the page of a connection: `first` and `after`, or `last` and `before`."""
    size = min(_count(arguments, 5), MAX_COUNT)
    if arguments.get("last") is not None or arguments.get("before") is not None:
        end = _position(arguments.get("before"), PAGED_ITEMS + 1) - 1
        return ConnectionPage(max(end - size, 0), max(end, 0))
    start = min(_position(arguments.get("after"), 0), PAGED_ITEMS)
    return ConnectionPage(start, min(start + size, PAGED_ITEMS))


def _position(cursor: Any, default: int) -> int:
    known = {cursor_at(position): position for position in range(PAGED_ITEMS + 1)}
    return default if cursor is None else known.get(str(cursor), default)


def _page_info(page: ConnectionPage) -> dict[str, Any]:
    return {
        "hasNextPage": page.end < page.total,
        "hasPreviousPage": page.start > 0,
        "startCursor": cursor_at(page.start + 1) if page.end > page.start else None,
        "endCursor": cursor_at(page.end) if page.end > page.start else None,
    }


def _count(arguments: Mapping[str, Any], default: int) -> int:
    found = (arguments.get(one) for one in COUNTS)
    return max(next((one for one in found if isinstance(one, int)), default), 0)


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with the members of inputs among them: `rename(input: {id: 1})`."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        found |= value if isinstance(value, dict) else {name: value}
    return found


def _is_of_ids(name: str, value: Any) -> bool:
    plain = words_of(name)
    is_plural = bool(plain) and plain[-1] in {"ids", "skus", "keys", "slugs", "codes"}
    return is_plural and isinstance(value, list)


def _typed(kind: GraphQLObjectType, name: str, id_: str) -> Json:
    is_number = getattr(get_named_type(kind.fields[name].type), "name", "") == "Int"
    return int(id_) if is_number and id_.isdecimal() else id_


def _number(key: str) -> int:
    return Random(key).randint(1, 99)  # noqa: S311 # the same value each time
