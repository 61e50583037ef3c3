"""Decodes YAML with the types of YAML 1.2: `no` is a text, and so is 2024-01-01."""

import re
from collections.abc import Iterator
from typing import Any, Final

from bff_core.contracts.errors import ContractError
from bff_core.extras import needs

with needs("openapi", "Reading YAML"):
    import yaml

MAX_VALUES: Final = 10_000_000
"""Values of a text, those that its aliases repeat included."""

MAX_DEPTH: Final = 200
"""How deep objects and lists may be nested: reading a document recurses."""

_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_MAX_DIGITS: Final = 300
_TEXT_TAGS: Final = frozenset({"!", "tag:yaml.org,2002:str"})
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "int", "float", "bool", "null")
)


class _Invalid(Exception):
    def __init__(self, text: str, event: Any) -> None:
        super().__init__(f"line {event.start_mark.line + 1}: {text}")


def decode_yaml(text: bytes, source: str, *, max_values: int = MAX_VALUES) -> object:
    """Return the value of a YAML text. Raises ContractError with the line."""
    try:
        return _Builder(yaml.parse(text, Loader=yaml.CSafeLoader), max_values).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}: " if mark else ""
        fault = f"{line}{error.problem or error.context or 'it is no YAML'}"
    except yaml.YAMLError as error:
        fault = f"it is no YAML: {error}"
    except _Invalid as error:
        fault = str(error)
    raise ContractError(source, [fault])


ValuePath = tuple[str | int, ...]

YAMLPlaces = dict[ValuePath, tuple[int, int]]
"""Lines and columns, counted from 1, by path."""


def yaml_places(text: bytes) -> tuple[YAMLPlaces, YAMLPlaces]:
    """Return the places of the keys and of the values in a text that `decode_yaml` accepts.

    What aliases and merge keys repeat has no places of its own.
    """
    keys: YAMLPlaces = {}
    values: YAMLPlaces = {}
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            _note_value(next(events), events, (), keys, values)
    return keys, values


def _note_value(
    event: Any, events: Iterator[Any], path: ValuePath, keys: YAMLPlaces, values: YAMLPlaces
) -> None:
    values[path] = _place_of(event)
    if isinstance(event, yaml.SequenceStartEvent):
        number = 0
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            _note_value(event, events, (*path, number), keys, values)
            number += 1
    elif isinstance(event, yaml.MappingStartEvent):
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            inner = (*path, str(getattr(event, "value", "")))
            keys[inner] = _place_of(event)
            _note_value(next(events), events, inner, keys, values)


def _place_of(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


class _Builder:
    """Builds the value of a text from the events of its parser."""

    def __init__(self, events: Iterator[Any], max_values: int) -> None:
        self._events = events
        self._max_values = max_values
        self._anchors: dict[str, tuple[object, int]] = {}
        self._values = 0

    def document(self) -> object:
        """Return the value of the only document."""
        result: object = None
        count = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > 1:
                    raise _Invalid("another document begins, expected one", event)
                result = self._value(next(self._events), 0)
        return result

    def _value(self, event: Any, depth: int) -> object:
        self._values += 1
        if isinstance(event, yaml.ScalarEvent):
            result = _scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        else:
            return self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = (result, 1)
        return result

    def _collection(self, event: Any, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise _Invalid(f"nested deeper than {MAX_DEPTH} levels", event)
        if event.tag and event.tag not in _PLAIN_TAGS and event.tag != "!":
            raise _Invalid(f"the tag {event.tag} has no meaning in JSON", event)
        before = self._values
        if isinstance(event, yaml.MappingStartEvent):
            result: object = self._mapping(depth)
        else:
            result = self._sequence(depth)
        if event.anchor:
            self._anchors[event.anchor] = (result, self._values - before + 1)
        return result

    def _sequence(self, depth: int) -> list[object]:
        result = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            result.append(self._value(event, depth + 1))
        return result

    def _mapping(self, depth: int) -> dict[str, object]:
        result: dict[str, object] = {}
        merged: list[tuple[object, Any]] = []
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            value = self._value(next(self._events), depth + 1)
            if key == "<<" and event.implicit[0]:
                merged.append((value, event))
            elif key in result:
                raise _Invalid(f"the key {key!r} is there twice", event)
            else:
                result[key] = value
        for value, event in merged:
            result = _merge(value, result, event)
        return result

    def _key(self, event: Any) -> str:
        """Return a key as it is written, so that a status is a text."""
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor:
                self._anchors[event.anchor] = (event.value, 1)
            return str(event.value)
        value = self._alias(event) if isinstance(event, yaml.AliasEvent) else None
        if not isinstance(value, str):
            raise _Invalid("a key is a list or an object, expected a text", event)
        return value

    def _alias(self, event: Any) -> object:
        if event.anchor not in self._anchors:
            raise _Invalid(f"the alias *{event.anchor} has no anchor before it", event)
        value, size = self._anchors[event.anchor]
        self._values += size
        if self._values > self._max_values:
            raise _Invalid(f"aliases repeat more than {self._max_values:,} values", event)
        return value


def _merge(value: object, own: dict[str, object], event: Any) -> dict[str, object]:
    """Return a mapping together with those of its merge key; its own keys win."""
    sources = value if isinstance(value, list) else [value]
    result: dict[str, object] = {}
    for source in reversed(sources):
        if not isinstance(source, dict):
            raise _Invalid("the merge key << is for objects", event)
        result |= source
    return {**result, **own}


def _scalar(event: Any) -> object:
    text: str = event.value
    if event.tag in _TEXT_TAGS or (event.tag is None and not event.implicit[0]):
        return text
    if event.tag and event.tag not in _PLAIN_TAGS:
        raise _Invalid(f"the tag {event.tag} has no meaning in JSON", event)
    return _WORDS[text] if text in _WORDS else _number(text)


def _number(text: str) -> object:
    """Return the number that a text is, else the text."""
    if text[0] not in "-+.0123456789" or len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return _based(text) if text.startswith(("0x", "0o")) else text


def _based(text: str) -> object:
    try:
        return int(text, 0)
    except ValueError:
        return text
