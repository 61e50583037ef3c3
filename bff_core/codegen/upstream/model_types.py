"""Converts the types of a contract to annotations, and plans the classes that they need."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bff_core.codegen.names import UniqueNames, constant, pascal, shortened, snake
from bff_core.codegen.python_text import text_literal
from bff_core.codegen.upstream.defaults import default_of
from bff_core.codegen.upstream.plans import (
    MODEL,
    ClassField,
    ClassPlan,
    EnumPlan,
    Kind,
    PythonType,
    Side,
    UnionPlan,
)
from bff_core.codegen.upstream.reach import Reach
from bff_core.codegen.upstream.union_types import MAX_INLINE_LENGTH, UnionTypes
from bff_core.contracts.document import Document, NamedType
from bff_core.contracts.types import (
    Anything,
    Array,
    Enum,
    Field,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
    Union,
)
from bff_core.upstream.reading.coercion import UNRECOGNIZED

IMPORTED: Final = frozenset(
    {"Any", "ClassVar", "Decimal", "Final", "IntEnum", "Literal", "Mapping", "Sequence",
     "StrEnum", "Struct", "TYPE_CHECKING", "TypeAlias", "UNSET", "UUID", "UnsetType", "dataclass",
     "dt", "models", "msgspec", "one_of"}
)  # fmt: skip
"""Names of modules that hold the models; no class may have one of them."""

NOT_FOR_FIELDS: Final = frozenset(
    {"bool", "bytes", "dict", "dt", "float", "int", "msgspec", "str", "tuple"}
)
"""Names that annotations of a class use; a field of such a name would hide it."""

_FORMATS: Final = {
    "date-time": "dt.datetime",
    "date": "dt.date",
    "time": "dt.time",
    "duration": "dt.timedelta",
    "uuid": "UUID",
    "byte": "bytes",
    "decimal": "Decimal",
}

_MAX_DEPTH: Final = 30
"""Classes inside one another that are planned at once; Python limits recursion."""

_MAX_LITERAL: Final = 2**63
"""msgspec decodes no larger members of enums."""

ANY: Final = PythonType("Any", "any")
NULL: Final = PythonType("None", "null", is_nullable=True)


class ModelTypes:
    """The classes of models.py; each is planned when an annotation first needs it."""

    def __init__(self, document: Document, reach: Reach) -> None:
        self.classes: list[ClassPlan] = []
        self.enums: list[EnumPlan] = []
        self.unions: list[UnionPlan] = []
        self.notes: list[str] = []
        self._types = document.types
        self._reach = reach
        self._names = UniqueNames(IMPORTED)
        self._named: dict[tuple[str, bool], PythonType] = {}
        self._busy: set[tuple[str, bool]] = set()
        self._is_patched = False
        self._depth = 0
        self._waiting: list[tuple[ClassPlan, ObjectType, bool]] = []
        self._union_types = UnionTypes(self)
        used = reach.read | reach.sent
        self._own_names = {
            name: self._names.take(pascal(name), f"{pascal(name)}Model")
            for name in document.types
            if name in used
        }
        self._inputs = {
            name: self._names.take(f"{self._own_names[name]}Input")
            for name in self._own_names
            if name in reach.split
        }

    def body(self, kind: Type, hint: str, *, is_patch: bool) -> PythonType:
        """Return the annotation of a request's body."""
        self._is_patched = is_patch
        shape = self.shape(kind, "write", hint)
        self._is_patched = False
        return shape

    def shape(self, kind: Type, side: Side, hint: str) -> PythonType:  # noqa: C901, PLR0911 # a table
        """Return the annotation of a type; `hint` is the name of the class that it may need."""
        match kind:
            case Scalar():
                return _scalar(kind, side)
            case Enum():
                return self._enum(kind, side, hint)
            case Array():
                return self._array(self.shape(kind.items, side, f"{hint}Item"), side)
            case Tuple():
                items = [self.shape(one, side, f"{hint}Item") for one in kind.items]
                return PythonType(f"tuple[{', '.join(one.text for one in items) or '()'}]", "array")
            case Map():
                return self._map(kind.values, side, f"{hint}Value")
            case ObjectType():
                return self._object(kind, side, hint)
            case Union():
                return self._union_types.union(kind, side, hint)
            case Nullable():
                return self.shape(kind.of, side, hint).or_none()
            case Ref():
                return self.named(kind.name, side)
            case Anything():
                return ANY

    def named(self, name: str, side: Side) -> PythonType:
        """Return the annotation of one of the document's types."""
        one = self._types.get(name)
        if one is None:
            return ANY
        is_input = side == "write" and name in self._reach.split
        key = (name, is_input)
        found = self._named.get(key)
        if found is not None:
            return found
        if key in self._busy:
            return self._recursive(name, is_input=is_input)
        self._busy.add(key)
        outer, self._is_patched = self._is_patched, name in self._reach.patched
        self._depth += 1
        shape = self._named_shape(one, key)
        self._depth -= 1
        self._is_patched = outer
        self._busy.discard(key)
        self._named[key] = shape
        self._fill_waiting()
        return shape

    def _fill_waiting(self) -> None:
        """Plan the fields of classes that were too deep inside others."""
        while self._waiting and not self._depth:
            plan, kind, is_patched = self._waiting.pop()
            outer, self._is_patched = self._is_patched, is_patched
            self._fill(plan, kind)
            self._is_patched = outer

    def _named_shape(self, one: NamedType, key: tuple[str, bool]) -> PythonType:
        name, is_input = key
        hint = self.name_of(name, is_input=is_input)
        inner = one.type.of if isinstance(one.type, Nullable) else one.type
        side: Side = "write"
        if not is_input and name in self._reach.read:
            is_shared = name in self._reach.sent and name not in self._reach.split
            side = "both" if is_shared else "read"
        if isinstance(inner, ObjectType) and inner.fields:
            plan = ClassPlan(hint, side, one.description or _of_contract(name))
            shape = PythonType(f"{MODEL}{hint}", "object", plan)
            self._named[key] = shape.or_none() if isinstance(one.type, Nullable) else shape
            if self._depth > _MAX_DEPTH:
                self._waiting.append((plan, inner, self._is_patched))
            else:
                self._fill(plan, inner)
            return self._named[key]
        if isinstance(inner, Union):
            described = one.description or _of_contract(name)
            shape = self._union_types.union(inner, side, hint, is_named=True, description=described)
        elif isinstance(inner, Enum):
            shape = self._enum(inner, side, hint, is_named=True, description=one.description)
        else:
            shape = self.shape(inner, side, hint)
        return shape.or_none() if isinstance(one.type, Nullable) else shape

    def name_of(self, name: str, *, is_input: bool) -> str:
        """Return the class name of one of the document's types."""
        if is_input:
            return self._inputs[name]
        return self._own_names.get(name) or pascal(name)

    def _recursive(self, name: str, *, is_input: bool) -> PythonType:
        """Return the annotation of a type that is not a class and refers to itself."""
        plan = self._union_types.open_union(self.name_of(name, is_input=is_input))
        if plan is not None:
            plan.is_named_by_itself = True
            return PythonType(f"{MODEL}{plan.name}", "any")
        self.notes.append(f"schema {name}: refers to itself without an object; read as Any")
        return ANY

    def type_behind(self, kind: Type) -> Type:
        """Return the type behind references, as far as it is no object."""
        passed = set()
        while isinstance(kind, Ref) and kind.name in self._types and kind.name not in passed:
            passed.add(kind.name)
            behind = self._types[kind.name].type
            if isinstance(behind, ObjectType):
                return kind
            kind = behind
        return kind

    def short(
        self, type_: PythonType, hint: str, side: Side, *, length: int = MAX_INLINE_LENGTH
    ) -> PythonType:
        """Return a type, by a name of its own if its annotation is longer than `length`."""
        plain = type_.text.removesuffix(" | None")
        if len(plain) <= length or plain.removeprefix(MODEL).isidentifier():
            return type_
        type_ = replace(type_, text=plain)
        plan = UnionPlan(self.take(hint), side, (type_,), _of_values(hint))
        self.unions.append(plan)
        shown = PythonType(f"{MODEL}{plan.name}", type_.kind, options=(type_,))
        return shown.or_none() if type_.is_nullable else shown

    def definition(self, name: str) -> Type:
        """Return one of the document's types."""
        one = self._types.get(name)
        return Anything() if one is None else one.type

    def take(self, name: str) -> str:
        """Return a free name for a class, without the middle of a long one."""
        return self._names.take(shortened(name))

    def is_own_name(self, name: str) -> bool:
        """Whether a name belongs to one of the document's types."""
        return name in self._own_names.values() or name in self._inputs.values()

    def _array(self, item: PythonType, side: Side) -> PythonType:
        text = f"Sequence[{item.text}]" if side == "write" else f"tuple[{item.text}, ...]"
        return PythonType(text, "array", options=(item,))

    def _map(self, values: Type, side: Side, hint: str) -> PythonType:
        value = self.shape(values, side, hint)
        name = "Mapping" if side == "write" else "dict"
        return PythonType(f"{name}[str, {value.text}]", "map", options=(value,))

    def _object(self, kind: ObjectType, side: Side, hint: str) -> PythonType:
        if not kind.fields:
            return self._map(kind.others or Anything(), side, f"{hint}Value")
        plan = ClassPlan(self.take(hint), side)
        self._fill(plan, kind)
        return PythonType(f"{MODEL}{plan.name}", "object", plan)

    def _fill(self, plan: ClassPlan, kind: ObjectType) -> None:
        """Plan the fields of a class."""
        self.classes.append(plan)
        plan.has_others = kind.others is not None
        names = UniqueNames(NOT_FOR_FIELDS)
        for one in kind.fields:
            hidden = one.is_write_only if plan.side == "read" else one.is_read_only
            if plan.side != "both" and hidden:
                continue
            if not _can_be_renamed(one.name):
                self.notes.append(f"{plan.name}: property {one.name!r} can't be a field; left out")
                continue
            plan.fields.append(self._field(one, plan, names))

    def _field(self, one: Field, plan: ClassPlan, names: UniqueNames) -> ClassField:
        plain = snake(one.name)
        attribute = names.take(plain, f"{plain.rstrip('_')}_")
        shape = self.shape(one.type, plan.side, f"{plan.name}{pascal(one.name)}")
        default = ""
        if not one.is_required:
            default = default_of(one, shape) if one.has_default else ""
            if not default and self._is_patched and plan.side == "write" and shape.is_nullable:
                default = "UNSET"
                text = f"{shape.text.removesuffix(' | None')} | UnsetType | None"
                shape = replace(shape, text=text)
            elif not default:
                default, shape = "None", shape.or_none()
        description = one.description
        if one.is_deprecated and "deprecated" not in description.lower():
            description = f"{description.rstrip()} Deprecated." if description else "Deprecated."
        const = ""
        is_always_there = one.is_required or one.has_default
        if isinstance(one.type, Enum) and len(one.type.values) == 1 and is_always_there:
            const = one.type.values[0] if isinstance(one.type.values[0], str) else ""
        return ClassField(attribute, one.name, shape, default, description, const)

    def _enum(
        self, kind: Enum, side: Side, hint: str, *, is_named: bool = False, description: str = ""
    ) -> PythonType:
        values = kind.values
        if all(isinstance(one, bool) for one in values):
            return PythonType("bool", "boolean")
        is_text = all(isinstance(one, str) for one in values)
        is_whole = all(type(one) is int for one in values)
        if not is_text and not is_whole:
            is_float = all(
                isinstance(one, float | int) and not isinstance(one, bool) for one in values
            )
            return PythonType("float", "number") if is_float else ANY
        if not is_text and any(abs(one) >= _MAX_LITERAL for one in values if type(one) is int):
            return PythonType("int", "integer")
        json_kind: Kind = "string" if is_text else "integer"
        if not is_named and (side == "write" or len(values) == 1):
            written = ", ".join(literal_member(one) for one in values)
            return self.short(PythonType(f"Literal[{written}]", json_kind), hint, side)
        name = hint if is_named else self.take(hint)
        plan = EnumPlan(name, _members(kind), description or _of_values(name), side != "write")
        self.enums.append(plan)
        return PythonType(f"{MODEL}{name}", json_kind, plan)


def literal_member(value: str | float) -> str:
    """Return a value of an enum as `Literal` has it."""
    return text_literal(value) if isinstance(value, str) else repr(value)


def _members(kind: Enum) -> dict[str, str | int]:
    names = UniqueNames({UNRECOGNIZED, "mro"})
    given: Iterable[str] = kind.names if len(kind.names) == len(kind.values) else ()
    chosen = list(given) or [
        one if isinstance(one, str) else f"value_{one}".replace("-", "minus_")
        for one in kind.values
    ]
    return {
        names.take(constant(name)): value
        for name, value in zip(chosen, kind.values, strict=True)
        if isinstance(value, str | int)
    }


def _scalar(kind: Scalar, side: Side) -> PythonType:
    """Return the annotation of a plain value; msgspec sends a `Decimal` as text, not as number."""
    match kind.kind:
        case "integer":
            return PythonType("int", "integer")
        case "number":
            is_exact = kind.format == "decimal" and side == "read"
            return PythonType("Decimal" if is_exact else "float", "number")
        case "boolean":
            return PythonType("bool", "boolean")
        case "binary":
            return PythonType("str", "string")  # in JSON a text, such as pydantic writes for bytes
        case "string":
            return PythonType(_FORMATS.get(kind.format, "str"), "string")


def _can_be_renamed(name: str) -> bool:
    """Whether msgspec can encode a field with this name."""
    return bool(name) and name.isprintable() and not {'"', "\\"} & set(name)


def _of_contract(name: str) -> str:
    return f"The schema `{name}` of the contract."


def _of_values(name: str) -> str:
    return f"The values of `{name}`."
