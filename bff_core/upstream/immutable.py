"""Which types decode to immutable values? Requests may share those."""

from msgspec import Struct, inspect
from typing_extensions import TypeForm

_SCALARS = (
    inspect.NoneType,
    inspect.BoolType,
    inspect.IntType,
    inspect.FloatType,
    inspect.StrType,
    inspect.BytesType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.TimeType,
    inspect.TimeDeltaType,
    inspect.DecimalType,
    inspect.UUIDType,
    inspect.EnumType,
    inspect.LiteralType,
)

_WithFields = inspect.NamedTupleType | inspect.StructType | inspect.DataclassType


def is_immutable(model: TypeForm[object]) -> bool:
    """Whether every value that is decoded as this type is immutable.

    Scalars are immutable, and tuples, frozen sets, frozen structs and frozen dataclasses of
    immutable types. Lists, dictionaries and types that msgspec does not know are not.
    """
    try:
        return _is_immutable(inspect.type_info(model), set())
    except TypeError:  # a type that msgspec does not know
        return False


def _is_immutable(info: inspect.Type, visited: set[int]) -> bool:
    match info:
        case inspect.Metadata(type=one) | inspect.VarTupleType(item_type=one):
            return _is_immutable(one, visited)
        case inspect.FrozenSetType(item_type=one):
            return _is_immutable(one, visited)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            return all(_is_immutable(one, visited) for one in types)
        case inspect.NamedTupleType() | inspect.StructType() | inspect.DataclassType():
            return _is_frozen(info.cls) and _has_immutable_fields(info, visited)
    return isinstance(info, _SCALARS)


def _is_frozen(kind: type) -> bool:
    if issubclass(kind, Struct):
        return kind.__struct_config__.frozen
    parameters = getattr(kind, "__dataclass_params__", None)  # named tuples have none
    return parameters is None or parameters.frozen


def _has_immutable_fields(info: _WithFields, visited: set[int]) -> bool:
    if id(info) in visited:  # a recursive type
        return True
    visited.add(id(info))
    return all(_is_immutable(one.type, visited) for one in info.fields)
