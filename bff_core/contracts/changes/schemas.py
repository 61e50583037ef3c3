"""Compares types of two documents along their references.

Each pair of named types is compared once, whatever refers to it; `reached.py` finds out at which
fields of a body its differences are. So recursive types come to an end, and a large document takes
time in proportion to its size.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bff_core.contracts.changes.limits import limit_differences
from bff_core.contracts.changes.rules import SENT, Flow
from bff_core.contracts.changes.unions import match_options
from bff_core.contracts.changes.words import plain, shown, type_words
from bff_core.contracts.document import NamedType
from bff_core.contracts.types import (
    NO_LIMITS,
    Anything,
    Array,
    Discriminator,
    Enum,
    Field,
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

Path = tuple[str, ...]
Pair = tuple[int, int, Flow]
"""The identities of a type before and of its counterpart after, and where their values go."""

ANYTHING: Final = Anything()

WIDENINGS: Final = {("int32", "int64"), ("float", "double")}
"""Formats of which the second has all values of the first."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two types: its rule, the path of the field within them, a sentence."""

    rule: str
    path: Path
    text: str


@dataclass(slots=True)
class Comparison:
    """The differences of two types, and the pairs of named types that they refer to."""

    differences: list[Difference] = field(default_factory=list)
    references: list[tuple[Path, Pair]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Peeled:
    """A type without references and null: whether it has a name, and whether it allows null."""

    type: Type
    is_named: bool
    is_nullable: bool


class SchemaComparison:
    """Compares types of two documents; `pairs` has the comparisons of named types.

    A pair is compared once if either type has a name. Two types without names end, as they are
    written out.
    """

    def __init__(self, before: Mapping[str, NamedType], after: Mapping[str, NamedType]) -> None:
        self._before = before
        self._after = after
        self._waiting: deque[tuple[Comparison, Type, Type, Flow]] = deque()
        self.pairs: dict[Pair, Comparison] = {}

    def compare(self, before: Type, after: Type, flow: Flow) -> Comparison:
        """Compare two types, and all named types that they refer to."""
        into = Comparison()
        _Walk(self, into, flow).compare((), before, after)
        while self._waiting:
            pair, old, new, its_flow = self._waiting.popleft()
            _Walk(self, pair, its_flow).compare_bare((), old, new)
        return into

    def refer(self, old: Type, new: Type, flow: Flow) -> Pair:
        """Return a pair of types that is compared later, unless it is compared already."""
        pair = (id(old), id(new), flow)
        if pair not in self.pairs:
            self.pairs[pair] = Comparison()
            self._waiting.append((self.pairs[pair], old, new, flow))
        return pair

    def peel_before(self, of: Type) -> _Peeled:
        """Follow the references of a type in the document before."""
        return _peeled(of, self._before)

    def peel_after(self, of: Type) -> _Peeled:
        """Follow the references of a type in the document after."""
        return _peeled(of, self._after)


def _peeled(of: Type, types: Mapping[str, NamedType]) -> _Peeled:
    is_nullable, passed = False, set[str]()
    while isinstance(of, Ref | Nullable):
        if isinstance(of, Nullable):
            is_nullable, of = True, of.of
        elif of.name in passed or of.name not in types:
            return _Peeled(ANYTHING, bool(passed), is_nullable)
        else:
            passed.add(of.name)
            of = types[of.name].type
    return _Peeled(of, bool(passed), is_nullable)


class _Walk:
    """Compares one pair of types down to the next names."""

    def __init__(self, schemas: SchemaComparison, into: Comparison, flow: Flow) -> None:
        self._schemas = schemas
        self._into = into
        self._flow: Flow = flow
        self._is_sent = flow in SENT

    def compare(self, path: Path, before: Type, after: Type) -> None:
        old, new = self._schemas.peel_before(before), self._schemas.peel_after(after)
        self._nullability(path, old, new)
        if old.is_named or new.is_named:
            pair = self._schemas.refer(old.type, new.type, self._flow)
            self._into.references.append((path, pair))
        else:
            self.compare_bare(path, old.type, new.type)

    def compare_bare(self, path: Path, old: Type, new: Type) -> None:
        """Compare types that are neither references nor nullable."""
        match old, new:
            case (Anything(), _) | (_, Anything()):
                self._anything(path, old, new)
            case (Union(), _) | (_, Union()):
                self._unions(path, old, new)
            case ObjectType() | Map(), ObjectType() | Map():
                self._objects(path, _as_object(old), _as_object(new))
                self._limits(path, old, new)
            case Array(), Array():
                self._limits(path, old, new)
                self.compare((*path, "[]"), old.items, new.items)
            case Tuple(), Tuple():
                self._tuples(path, old, new)
            case Scalar() | Enum(), Scalar() | Enum():
                self._values(path, old, new)
            case _, Array() if self._flow == "parameter":
                self._widened(path, old, new)
            case _:
                self._changed(path, old, new)

    def _anything(self, path: Path, old: Type, new: Type) -> None:
        if not isinstance(new, Anything):
            self._narrowed(path, old, new)
        elif not isinstance(old, Anything):
            self._widened(path, old, new)

    def _tuples(self, path: Path, old: Tuple, new: Tuple) -> None:
        if len(old.items) != len(new.items):
            self._changed(path, old, new)
        for one, other in zip(old.items, new.items, strict=False):
            self.compare((*path, "[]"), one, other)

    def _nullability(self, path: Path, old: _Peeled, new: _Peeled) -> None:
        allows = [each.is_nullable or isinstance(each.type, Anything) for each in (old, new)]
        if allows == [False, True] and new.is_nullable:
            self._report("became-nullable", path, "it may be null now")
        elif allows == [True, False] and old.is_nullable:
            self._report("became-not-nullable", path, "it can't be null any more")

    def _values(self, path: Path, old: Scalar | Enum, new: Scalar | Enum) -> None:
        match old, new:
            case Enum(), Enum() if _kinds(old) & _kinds(new):
                self._enums(path, old, new)
            case Scalar(), Enum() if _kinds(new) <= _accepted(old.kind):
                self._report("became-enum", path, f"it is now {type_words(new)}")
            case Enum(), Scalar() if _kinds(old) <= _accepted(new.kind):
                self._report("enum-opened", path, f"it was {type_words(old)}")
            case Scalar(), Scalar() if old.kind == new.kind:
                self._formats(path, old, new)
                self._limits(path, old, new)
            case Scalar("integer"), Scalar("number"):
                self._widened(path, old, new)
            case Scalar("number"), Scalar("integer"):
                self._narrowed(path, old, new)
            case _, Scalar("string", "") if self._flow == "parameter":
                self._widened(path, old, new)
            case _:
                self._changed(path, old, new)

    def _enums(self, path: Path, old: Enum, new: Enum) -> None:
        before, after = _exact(old), _exact(new)
        for kind, value in before:
            if (kind, value) not in after:
                self._report("enum-value-removed", path, f"the value {shown(value)} was removed")
        for kind, value in after:
            if (kind, value) not in before:
                self._report("enum-value-added", path, f"the value {shown(value)} was added")

    def _formats(self, path: Path, old: Scalar, new: Scalar) -> None:
        if old.format == new.format:
            return
        text = f"the format changed from {_format(old)} to {_format(new)}"
        if self._is_sent and (not new.format or (old.format, new.format) in WIDENINGS):
            self._report("format-widened", path, text)
        elif not self._is_sent and (not old.format or (new.format, old.format) in WIDENINGS):
            self._report("format-narrowed", path, text)
        else:
            self._report("format-changed", path, text)

    def _limits(self, path: Path, old: Type, new: Type) -> None:
        for kind, text in limit_differences(_limits_of(old), _limits_of(new)):
            self._report(kind, path, text)

    def _objects(self, path: Path, old: ObjectType, new: ObjectType) -> None:
        before, after = self._fields(old), self._fields(new)
        for name, one in before.items():
            if name in after:
                self._field((*path, name), one, after[name])
            else:
                kind = "property-removed"
                if not self._is_sent and not one.is_required:
                    kind = "optional-property-removed"
                self._report(kind, (*path, name), f"the property {plain(name)} was removed")
        for name, other in after.items():
            if name not in before:
                self._field_added((*path, name), other)
        self._others(path, old, new)

    def _fields(self, of: ObjectType) -> dict[str, Field]:
        """Return the properties that values have on their way."""
        return {
            each.name: each
            for each in of.fields
            if not (each.is_read_only if self._is_sent else each.is_write_only)
        }

    def _field_added(self, path: Path, new: Field) -> None:
        kind = "property-added"
        if self._is_sent:
            kind += "-required" if new.is_required else "-optional"
        words = "a required property" if new.is_required else "a property"
        self._report(kind, path, f"{words}, {plain(new.name)}, was added")

    def _field(self, path: Path, old: Field, new: Field) -> None:
        if old.is_required and not new.is_required:
            self._report("property-became-optional", path, "the property became optional")
        elif new.is_required and not old.is_required:
            self._report("property-became-required", path, "the property became required")
        if new.is_deprecated and not old.is_deprecated:
            self._report("property-deprecated", path, "the property is deprecated")
        if self._is_sent and not new.is_required and _default(old) != _default(new):
            text = f"the default changed from {_default(old)} to {_default(new)}"
            self._report("property-default-changed", path, text)
        self.compare(path, old.type, new.type)

    def _others(self, path: Path, old: ObjectType, new: ObjectType) -> None:
        if old.is_closed and not new.is_closed:
            text = "properties of other names are allowed now"
            self._report("additional-properties-allowed", path, text)
        elif new.is_closed and not old.is_closed:
            text = "properties of other names are forbidden now"
            self._report("additional-properties-forbidden", path, text)
        elif old.others is not None or new.others is not None:
            others = [ANYTHING if one is None else one for one in (old.others, new.others)]
            self.compare((*path, "{}"), *others)

    def _unions(self, path: Path, old: Type, new: Type) -> None:
        before, after = _options(old), _options(new)
        peel_old, peel_new = self._schemas.peel_before, self._schemas.peel_after
        matched = match_options(
            before, after, lambda one: peel_old(one).type, lambda one: peel_new(one).type
        )
        if not matched.pairs:
            self._changed(path, old, new)
            return
        for one, other in matched.pairs:
            self.compare(path, one, other)
        for one in matched.removed:
            text = f"the type {type_words(one)} was removed"
            self._report("union-option-removed", path, text)
        for one in matched.added:
            self._report("union-option-added", path, f"the type {type_words(one)} was added")
        if isinstance(old, Union) and isinstance(new, Union):
            names = {
                one.name: other.name
                for one, other in matched.pairs
                if isinstance(one, Ref) and isinstance(other, Ref)
            }
            self._discriminators(path, old.discriminator, new.discriminator, names)

    def _discriminators(
        self,
        path: Path,
        old: Discriminator | None,
        new: Discriminator | None,
        names: dict[str, str],
    ) -> None:
        """Compare what names the options; `names` has those that both unions have."""
        if old is None or new is None or old.property != new.property:
            if old is not None:
                text = f"the property {plain(old.property)} no longer names the type"
                self._report("discriminator-changed", path, text)
            return
        for value, target in old.mapping.items():
            now = new.mapping.get(value)
            if now is None and target in names:
                self._report("discriminator-value-removed", path, f"{shown(value)} was removed")
            elif now is not None and names.get(target, now) != now:
                text = f"{shown(value)} names {plain(now)} instead of {plain(target)}"
                self._report("discriminator-changed", path, text)
        for value in new.mapping.keys() - old.mapping.keys():
            if new.mapping[value] in names.values():
                self._report("discriminator-value-added", path, f"{shown(value)} was added")

    def _widened(self, path: Path, old: Type, new: Type) -> None:
        self._report("type-widened" if self._is_sent else "type-changed", path, _turned(old, new))

    def _narrowed(self, path: Path, old: Type, new: Type) -> None:
        self._report("type-changed" if self._is_sent else "type-narrowed", path, _turned(old, new))

    def _changed(self, path: Path, old: Type, new: Type) -> None:
        self._report("type-changed", path, _turned(old, new))

    def _report(self, kind: str, path: Path, text: str) -> None:
        self._into.differences.append(Difference(f"{self._flow}-{kind}", path, text))


def _turned(old: Type, new: Type) -> str:
    return f"the type changed from {type_words(old)} to {type_words(new)}"


def _limits_of(of: Type) -> Limits:
    return of.limits if isinstance(of, Scalar | Array | Map) else NO_LIMITS


def _as_object(of: ObjectType | Map) -> ObjectType:
    return of if isinstance(of, ObjectType) else ObjectType(others=of.values)


def _options(of: Type) -> tuple[Type, ...]:
    return of.options if isinstance(of, Union) else (of,)


def _default(of: Field) -> str:
    return shown(of.default) if of.has_default else "none"


def _format(of: Scalar) -> str:
    return plain(of.format) or "none"


def _exact(of: Enum) -> list[tuple[type, str | int | float | bool]]:
    """Return the values with their types: true is not 1."""
    return [(type(value), value) for value in of.values]


def _kinds(of: Enum) -> set[str]:
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {names[type(value)] for value in of.values}


def _accepted(kind: str) -> set[str]:
    return {"integer", "number"} if kind == "number" else {kind}
