"""Makes values of the types of a contract: the same ones for the same seed and key."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from bff_core.contracts.document import NamedType
from bff_core.contracts.types import (
    Anything,
    Array,
    Enum,
    Field,
    Json,
    Limits,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
    Union,
)
from bff_core.mocks.patterns import text_matching
from bff_core.mocks.texts import (
    NOUNS,
    number_of_name,
    text_of_format,
    text_of_name,
    words_of,
)

MAX_DEPTH: Final = 4
"""Objects inside one another that have all their properties; deeper ones have the required."""

MAX_RECURSION: Final = 12
"""Objects inside one another at all."""

ITEMS: Final = 3
INNER_ITEMS: Final = 2
"""Items of a list, and of a list in one, where the schema does not limit them."""

FRACTION: Final = 0.01
"""How far a number is from an exclusive limit."""

TRIES: Final = 20
"""Attempts to match a pattern and the limits of length at once."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is made: its key, the name of its property, the types around it."""

    key: str
    name: str = ""
    depth: int = 0
    refs: tuple[str, ...] = ()
    index: int = 0

    def below(self, name: str, index: int = 0, *, is_item: bool = False) -> "_Place":
        inner = name if not is_item else self.name
        return _Place(f"{self.key}/{name or index}", inner, self.depth + 1, self.refs, index)

    @property
    def is_cut(self) -> bool:
        """Whether what may be absent is left out: the types repeat, or the value is deep."""
        repeated = bool(self.refs) and self.refs.count(self.refs[-1]) > 1
        return self.depth > MAX_DEPTH * 2 or repeated


class ValueMaker:
    """Makes values of types. `types` are those that the contract names.

    `is_valid` decides whether an example of the contract is of its type: contracts have mistakes.
    """

    def __init__(
        self,
        types: Mapping[str, NamedType],
        seed: int = 0,
        *,
        is_valid: Callable[[Type, Json], bool] = lambda _kind, _example: True,
    ) -> None:
        self._types = types
        self._is_valid = is_valid
        self._seed = seed

    def make(self, kind: Type, key: str, name: str = "", index: int = 0) -> Json:
        """Return a value; `key` identifies it, and `name` is that of its property or resource.

        `index` is its place in a list: it chooses among the examples of its type.
        """
        return self._make(kind, _Place(key, name, index=index))

    def resolved(self, kind: Type) -> Type:
        """Return a type without references and null at the top."""
        for _ in range(MAX_RECURSION):
            if isinstance(kind, Nullable):
                kind = kind.of
            elif isinstance(kind, Ref):
                named = self._types.get(kind.name)
                kind = Anything() if named is None else named.type
            else:
                return kind
        return Anything()

    def fields(self, kind: Type) -> Mapping[str, Field]:
        """Return the properties of an object by name; those of all options of a union."""
        found = self.resolved(kind)
        if isinstance(found, Union):
            merged: dict[str, Field] = {}
            for one in found.options:
                if isinstance(option := self.resolved(one), ObjectType):
                    merged |= {field.name: field for field in option.fields}
            return merged
        return {one.name: one for one in found.fields} if isinstance(found, ObjectType) else {}

    def identifier(self, kind: Type, number: int) -> Json:
        """Return the id of the item with a number, for a property of this type; None if unknown."""
        found = self.resolved(kind)
        if not isinstance(found, Scalar):
            return None
        if found.kind in {"integer", "number"}:
            low, _ = _bounds(found.limits)
            return number if low is None else max(int(low), 1) + number - 1
        if found.kind != "string":
            return None
        if found.format == "uuid":
            return str(uuid.UUID(int=number, version=4))
        if "pattern" in found.limits or found.format:
            return self._string(found, _Place(f"id/{number}", "id"))
        return str(number).zfill(int(_number(found.limits.get("minLength")) or 0))

    def fits(self, kind: Type, value: Json) -> bool:
        """Whether a plain value may stand for a property: a text for a text of its format."""
        found = self.resolved(kind)
        if isinstance(found, Scalar) and found.format and not self._is_valid(found, value):
            return False
        if isinstance(found, Enum):
            return value in found.values
        if not isinstance(found, Scalar) or isinstance(value, dict | list) or value is None:
            return isinstance(found, Anything)
        if isinstance(value, bool) or found.kind == "boolean":
            return found.kind == "boolean" and isinstance(value, bool)
        if found.kind == "integer":
            return isinstance(value, int)
        return isinstance(value, int | float) == (found.kind == "number")

    def _random(self, place: _Place) -> Random:
        return Random(f"{self._seed}:{place.key}")  # noqa: S311 # the same value each time

    def _make(self, kind: Type, place: _Place) -> Json:  # noqa: PLR0911 # one branch for each type
        match kind:
            case Ref(name):
                return self._named(name, place)
            case Nullable(of):
                return None if place.is_cut else self._make(of, place)
            case Enum(values):
                return self._random(place).choice(values) if values else None
            case Scalar():
                return self._scalar(kind, place)
            case Array():
                return self._array(kind, place)
            case Tuple(items):
                return [self._make(one, place.below("", i)) for i, one in enumerate(items)]
            case Map(values):
                return self._map(values, place)
            case ObjectType():
                return self._object(kind, place)
            case Union():
                return self._union(kind, place)
        return text_of_name(place.name, self._random(place))

    def _named(self, name: str, place: _Place) -> Json:
        named = self._types.get(name)
        if named is None or len(place.refs) > MAX_RECURSION * 2:
            return {}
        examples = [one for one in named.examples if self._is_valid(named.type, one)]
        if examples and not place.is_cut:
            return examples[place.index % len(examples)]
        inner = _Place(place.key, place.name or name, place.depth, (*place.refs, name), place.index)
        return self._make(named.type, inner)

    def _object(self, kind: ObjectType, place: _Place) -> Json:
        if place.depth > MAX_RECURSION:
            return {}
        made: dict[str, Json] = {}
        for one in kind.fields:
            if one.is_write_only or (self._is_left_out(one, place)):
                continue
            made[one.name] = self._field(one, place.below(one.name, place.index))
        if kind.others is not None and not kind.fields:
            return self._map(kind.others, place)
        return made

    def _is_left_out(self, field: Field, place: _Place) -> bool:
        if field.is_required:
            return False
        is_plain = isinstance(self.resolved(field.type), Scalar | Enum)
        return place.is_cut or (place.depth >= MAX_DEPTH and not is_plain)

    def _field(self, field: Field, place: _Place) -> Json:
        examples = [one for one in field.examples if self._is_valid(field.type, one)]
        if examples:
            return examples[place.index % len(examples)]
        is_usable = field.has_default and field.default is not None
        if is_usable and self._is_valid(field.type, field.default):
            return field.default
        return self._make(field.type, place)

    def _map(self, values: Type, place: _Place) -> Json:
        if place.is_cut or place.depth > MAX_RECURSION:
            return {}
        keys = self._random(place).sample(NOUNS, INNER_ITEMS)
        return {key: self._make(values, place.below(key)) for key in keys}

    def _array(self, kind: Array, place: _Place) -> Json:
        least = int(_number(kind.limits.get("minItems")) or 0)
        most = _number(kind.limits.get("maxItems"))
        count = least if place.is_cut else max(least, INNER_ITEMS if place.depth else ITEMS)
        count = count if most is None else min(count, int(most))
        items = [self.item(kind.items, place, number) for number in range(count)]
        return _unique(items) if kind.limits.get("uniqueItems") else items

    def item(self, kind: Type, place: _Place, index: int) -> Json:
        """Return an item of a list: with an id of its own."""
        made = self._make(kind, place.below("", index, is_item=True))
        fields = self.fields(kind) if isinstance(made, dict) else {}
        if isinstance(made, dict) and "id" in fields and "id" in made:
            own = self.identifier(fields["id"].type, index + 1)
            return {**made, "id": made["id"] if own is None else own}
        return made

    def _union(self, kind: Union, place: _Place) -> Json:
        if not kind.options:
            return None
        option = kind.options[place.index % len(kind.options)]
        if place.is_cut:  # the one that ends the recursion
            plain = (Scalar, Enum)
            ends = [one for one in kind.options if isinstance(self.resolved(one), plain)]
            option = (ends or [option])[0]
        made = self._make(option, place)
        found = kind.discriminator
        if found is not None and isinstance(option, Ref) and isinstance(made, dict):
            values = [value for value, name in found.mapping.items() if name == option.name]
            return {**made, found.property: values[0]} if values else made
        return made

    def _scalar(self, kind: Scalar, place: _Place) -> Json:
        random = self._random(place)
        if kind.kind == "boolean":
            return random.random() < 0.5
        if kind.kind in {"integer", "number"}:
            return _numeric(kind, place.name, random)
        return self._string(kind, place)

    def _string(self, kind: Scalar, place: _Place) -> str:
        random = self._random(place)
        low = int(_number(kind.limits.get("minLength")) or 0)
        high = _number(kind.limits.get("maxLength"))
        pattern = kind.limits.get("pattern")
        text = text_of_format(kind.format, place.name, random)
        if text is not None and self._is_valid(kind, text):
            return text
        if isinstance(pattern, str):
            for _ in range(TRIES):
                made = text_matching(pattern, random)
                if made is not None and low <= len(made) <= (len(made) if high is None else high):
                    return made
        if text is not None:
            return text
        text = text_of_name(place.name, random)
        text += "x" * min(low - len(text), 10_000)
        return text if high is None else text[: int(high)]


def words_match(first: str, second: str) -> bool:
    """Whether two names have the same words: `petId` and `pet_id`."""
    return words_of(first) == words_of(second)


def _numeric(kind: Scalar, name: str, random: Random) -> int | float:
    is_whole = kind.kind == "integer"
    low, high = _bounds(kind.limits, 1 if is_whole else FRACTION)
    step = _number(kind.limits.get("multipleOf"))
    wanted = number_of_name(name, random)
    if low is None:
        low = min(0 if is_whole else 0.5, high) if high is not None else 1
    if high is None:
        high = low + 99
    if wanted is None or not low <= wanted <= high:
        wanted = random.randint(int(low), int(high)) if is_whole and int(low) <= high else low
        wanted = wanted if is_whole else round(low + (high - low) * random.random(), 2)
    if step:
        count = int(wanted / step)
        wanted = (count if count * step >= low else count + 1) * step
    return int(wanted) if is_whole else min(max(float(wanted), float(low)), float(high))


def _bounds(limits: Limits, step: float = 1) -> tuple[float | None, float | None]:
    """Return the least and the greatest number; exclusive ones are moved by a step."""
    low, high = _number(limits.get("minimum")), _number(limits.get("maximum"))
    above, below = limits.get("exclusiveMinimum"), limits.get("exclusiveMaximum")
    if above is True and low is not None:
        low += step
    elif above is not True and (number := _number(above)) is not None:
        low = number + step
    if below is True and high is not None:
        high -= step
    elif below is not True and (number := _number(below)) is not None:
        high = number - step
    if low is not None and high is not None and low > high:
        low = high = (low + high) / 2
    return low, high


def _number(value: Json) -> int | float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value] # narrowed by the line above


def _unique(items: list[Json]) -> list[Json]:
    return [one for index, one in enumerate(items) if one not in items[:index]]
