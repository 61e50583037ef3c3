"""Compares the parameters of two operations, and the headers of two responses."""

from collections.abc import Iterable, Iterator, Sequence

from bff_core.contracts.changes.differences import OperationDifference
from bff_core.contracts.changes.schemas import SchemaComparison
from bff_core.contracts.changes.words import plain, shown
from bff_core.contracts.document import HttpParameter

_Key = tuple[str, str]


def parameter_differences(
    before: Sequence[HttpParameter], after: Sequence[HttpParameter], schemas: SchemaComparison
) -> Iterator[OperationDifference]:
    """Yield the differences of the parameters of an operation."""
    old, new = _by_key(before), _by_key(after)
    removed = {key: old[key] for key in old if key not in new}
    added = {key: new[key] for key in new if key not in old}
    for one in removed.values():
        moved = next((other for other in added.values() if other.name == one.name), None)
        if moved is None:
            text = f"the {one.place} parameter {plain(one.name)} was removed"
            yield _difference("parameter-removed", text, one)
        else:
            del added[_key(moved)]
            text = f"the parameter {plain(one.name)} moved from {one.place} to {moved.place}"
            yield _difference("parameter-moved", text, one)
            yield from _pair(one, moved, schemas)
    for key, one in old.items():
        if key in new:
            yield from _pair(one, new[key], schemas)
    for one in added.values():
        necessity = "required" if one.is_required else "optional"
        text = f"the {necessity} {one.place} parameter {plain(one.name)} was added"
        yield _difference(f"parameter-added-{necessity}", text, one)


def header_differences(
    before: Iterable[HttpParameter],
    after: Iterable[HttpParameter],
    status: str,
    schemas: SchemaComparison,
) -> Iterator[OperationDifference]:
    """Yield the differences of the headers of a response."""
    old, new = ({one.name.lower(): one for one in headers} for headers in (before, after))
    for name, one in old.items():
        other = new.get(name)
        if other is None:
            rule = f"response-{'' if one.is_required else 'optional-'}header-removed"
            yield _header(rule, f"the header {plain(name)} was removed", name, status)
            continue
        if one.is_required != other.is_required:
            necessity = "required" if other.is_required else "optional"
            text = f"the header became {necessity}"
            yield _header(f"response-header-became-{necessity}", text, name, status)
        if other.is_deprecated and not one.is_deprecated:
            yield _header("response-header-deprecated", "the header is deprecated", name, status)
        types = schemas.compare(one.type, other.type, "response-header")
        yield OperationDifference(place="response", within=(name,), status=status, types=types)
    for name in new.keys() - old.keys():
        text = f"the header {plain(name)} was added"
        yield _header("response-header-added", text, name, status)


def _pair(
    old: HttpParameter, new: HttpParameter, schemas: SchemaComparison
) -> Iterator[OperationDifference]:
    if old.is_required != new.is_required:
        necessity = "required" if new.is_required else "optional"
        rule, text = f"parameter-became-{necessity}", f"the parameter became {necessity}"
        yield _difference(rule, text, new)
    if new.is_deprecated and not old.is_deprecated:
        yield _difference("parameter-deprecated", "the parameter is deprecated", new)
    if _default(old) != _default(new) and not new.is_required:
        text = f"the default changed from {_default(old)} to {_default(new)}"
        yield _difference("parameter-default-changed", text, new)
    if old.media_type != new.media_type:
        text = f"it is written as {plain(new.media_type) or 'text'} now"
        yield _difference("parameter-media-type-changed", text, new)
    elif old.place == new.place and _style(old) != _style(new):
        text = f"its style changed from {_style(old)} to {_style(new)}"
        yield _difference("parameter-style-changed", text, new)
    types = schemas.compare(old.type, new.type, "parameter")
    yield OperationDifference(place="parameter", within=(new.name,), types=types)


def _by_key(parameters: Iterable[HttpParameter]) -> dict[_Key, HttpParameter]:
    return {_key(one): one for one in parameters}


def _key(of: HttpParameter) -> _Key:
    """Return place and name; names of headers are the same in upper and lower case."""
    return of.place, of.name.lower() if of.place == "header" else of.name


def _default(of: HttpParameter) -> str:
    return shown(of.default) if of.has_default else "none"


def _style(of: HttpParameter) -> str:
    return plain(of.style) + (" with repeated names" if of.is_exploded else "")


def _difference(rule: str, text: str, parameter: HttpParameter) -> OperationDifference:
    return OperationDifference(rule, text, "parameter", (parameter.name,))


def _header(rule: str, text: str, name: str, status: str) -> OperationDifference:
    return OperationDifference(rule, text, "response", (name,), status)
