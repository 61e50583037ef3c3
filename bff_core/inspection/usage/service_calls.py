"""Reads the call of a verb of a client: its method, its path, its reply type, what it sends."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from bff_core.inspection.attributes import GRAPHQL_VERBS
from bff_core.inspection.frame import METHODS
from bff_core.inspection.usage.flow_facts import ClientCall, FieldPath
from bff_core.inspection.usage.flow_values import (
    ClientVerb,
    Existing,
    FlowValue,
    Keyed,
    Several,
    Typed,
    options_of,
)
from bff_core.inspection.usage.reply_fields import ANY, MAX_DEPTH, all_fields
from bff_core.inspection.usage.type_hints import members

TYPED: Final = frozenset({"delete", "get", "ndjson", "patch", "post", "put", "typed"})

BODIES: Final = ("json", "form")


def service_call(
    verb: ClientVerb,
    given: Sequence[FlowValue],
    keywords: Mapping[str, FlowValue],
    via: str,
    place: str,
) -> ClientCall:
    """Return the call of a verb; what is decided at run time stays empty or None."""
    name, rest = verb.name, list(given)
    if name in GRAPHQL_VERBS:
        return _graphql_call(verb, rest, keywords, via, place)
    method = METHODS.get(name, name.upper())
    if name in {"request", "typed"}:
        method, rest = (_text(rest[0]).upper() if rest else ""), rest[1:]
    if name == "stream" and "method" in keywords:
        method = _text(keywords["method"]).upper()
    path = _text(rest[0]) if rest and name != "forward" else ""
    reply, ignores = None, False
    if name in TYPED and len(rest) > 1:
        model = rest[1] if name == "typed" else rest[-1]
        reply, ignores = _model(model)
    return ClientCall(
        verb.service, via, method, path, reply, _sends(name, keywords), place, ignores
    )


def _graphql_call(
    verb: ClientVerb,
    given: Sequence[FlowValue],
    keywords: Mapping[str, FlowValue],
    via: str,
    place: str,
) -> ClientCall:
    """Return the call of a GraphQL service; `sends` are the names of its variables."""
    document = _text(given[0]) if given else ""
    reply, ignores = _model(given[1]) if len(given) > 1 else (None, False)
    variables = list(_paths(keywords.get("variables", Keyed(())), is_nested=True))
    is_decided = None not in variables
    sends = frozenset(one for one in variables if one is not None) if is_decided else None
    kind = GRAPHQL_VERBS[verb.name]
    return ClientCall(verb.service, via, kind, "", reply, sends, place, ignores, document)


def _text(value: FlowValue) -> str:
    """Return a text that the source shows; empty for any other value."""
    is_text = isinstance(value, Existing) and isinstance(value.value, str)
    return str(value.value) if is_text else ""  # type: ignore[union-attr]  # as checked


def _model(value: FlowValue) -> tuple[Any, bool]:
    """Return the annotation of a reply, and whether the reply is ignored."""
    if isinstance(value, Existing):
        is_ignored = value.value is None
        return (None if is_ignored else value.value), is_ignored
    if isinstance(value, Typed):  # a parameter that is a class
        for one in members(value.hint):
            if getattr(one, "__origin__", None) is type:
                return one.__args__[0], False
    return None, False


def _sends(name: str, keywords: Mapping[str, FlowValue]) -> frozenset[FieldPath] | None:
    """Return what is sent beside the path; None if the source does not show all of it."""
    if name == "forward" or any(one in keywords for one in ("files", "content", "body")):
        return None
    found: set[FieldPath] = set()
    for option in ("query", "headers", *BODIES):
        if option in keywords:
            paths = list(_paths(keywords[option], is_nested=option in BODIES))
            if None in paths or any(one is not None and ANY in one for one in paths):
                return None
            found |= {one for one in paths if one is not None}
    return frozenset(found)


def _paths(  # noqa: C901 # one branch for each kind of value
    value: FlowValue, before: FieldPath = (), *, is_nested: bool
) -> Iterator[FieldPath | None]:
    """Yield the paths of what a value has; None for what can't be decided."""
    for one in options_of(value):
        if len(before) > MAX_DEPTH:
            yield None
        elif isinstance(one, Keyed):
            if one.has_others:
                yield None
            for name, inner in one.values:
                yield (*before, name)
                if is_nested and isinstance(inner, Keyed | Several | Typed):
                    yield from _paths(inner, (*before, name), is_nested=True)
        elif isinstance(one, Several):
            for inner in one.values:
                if isinstance(inner, Keyed | Several | Typed):
                    yield from _paths(inner, (*before, "[]"), is_nested=True)
        elif isinstance(one, Typed):
            yield from (all_fields(one.hint, before) if is_nested or _is_table(one) else (None,))
        elif not (isinstance(one, Existing) and (before or one.value is None)):
            yield before or None


def _is_table(value: Typed) -> bool:
    """Whether a value is an object whose fields are its keys."""
    return isinstance(value.hint, type) and issubclass(value.hint, msgspec.Struct)
