"""Finds which named types operations read and send, and which need a class for each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bff_core.contracts.document import Document, HttpOperation
from bff_core.contracts.types import (
    Array,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Tuple,
    Type,
    Union,
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Names of types: those in replies, in requests, in bodies of PATCH.

    `split` are those that need a class for replies and one for requests.
    """

    read: frozenset[str]
    sent: frozenset[str]
    patched: frozenset[str]
    split: frozenset[str]


def reach_of(document: Document, operations: Iterable[HttpOperation]) -> Reach:
    """Return which types the operations need, and how."""
    refs = {name: frozenset(_refs(one.type)) for name, one in document.types.items()}
    read: set[str] = set()
    sent: set[str] = set()
    patched: set[str] = set()
    for operation in operations:
        read |= _closed(_read(operation), refs)
        bodies = set(_sent(operation))
        sent |= _closed(bodies, refs)
        if operation.method == "PATCH":
            patched |= _closed(bodies, refs)
    both = read & sent
    split = {
        name for name in both if _differs(document.types[name].type, is_patched=name in patched)
    }
    while True:
        wider = {name for name in both - split if refs[name] & split}
        if not wider:
            break
        split |= wider
    return Reach(frozenset(read), frozenset(sent), frozenset(patched), frozenset(split))


def _read(operation: HttpOperation) -> Iterator[str]:
    for response in operation.responses:
        for content in response.contents:
            yield from _refs(content.type)


def _sent(operation: HttpOperation) -> Iterator[str]:
    for parameter in operation.parameters:
        yield from _refs(parameter.type)
    for content in operation.body.contents if operation.body else ():
        yield from _refs(content.type)


def _closed(names: Iterable[str], refs: dict[str, frozenset[str]]) -> set[str]:
    """Return names with all that their types refer to."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name in refs:
            found.add(name)
            waiting += refs[name]
    return found


def inner_types(kind: Type) -> Iterator[Type]:
    """Yield the types that a type is made of, without those behind references."""
    match kind:
        case Array(items=one) | Map(values=one) | Nullable(of=one):
            yield one
        case Tuple(items=items) | Union(options=items):
            yield from items
        case ObjectType():
            yield from (one.type for one in kind.fields)
            if kind.others is not None:
                yield kind.others


def _refs(kind: Type) -> Iterator[str]:
    if isinstance(kind, Ref):
        yield kind.name
    for inner in inner_types(kind):
        yield from _refs(inner)


def _differs(kind: Type, *, is_patched: bool) -> bool:
    """Whether requests need another class: for one-way properties, and null that is not absent."""
    if isinstance(kind, ObjectType):
        for one in kind.fields:
            if one.is_read_only or one.is_write_only:
                return True
            if is_patched and not one.is_required and isinstance(one.type, Nullable):
                return True
    return any(_differs(inner, is_patched=is_patched) for inner in inner_types(kind))
