"""Replaces msgspec Structs in a type by a `TypedDict`: for OpenAPI, and to read them from requests.

FastAPI makes schemas with pydantic, which does not support Structs. The `TypedDict` has the name,
the docstring, the encoded fields and the tag of the Struct. A dataclass that contains a Struct is
replaced as well.
"""

import dataclasses
from collections.abc import Iterator
from functools import partial
from types import UnionType
from typing import Annotated, Any, Final, Literal, NotRequired, Union, get_args, get_origin

import msgspec
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PydanticSchemaGenerationError,
    PydanticUserError,
    TypeAdapter,
    with_config,
)
from typing_extensions import TypedDict

from bff_core.errors import ConfigurationError
from bff_core.rest.culprit_field import culprit_in
from bff_core.rest.exact_types import fields_of, is_struct
from bff_core.scope import Wired
from bff_core.service_clients.unions import decode_union, union_options

_CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")
_TEXTS = ("title", "description", "examples")


def has_structs(declared: object) -> bool:
    """Whether a type is, or contains, a msgspec Struct, or a union of `one_of`."""
    return any(is_struct(one) or union_options(one) for one in _types_in(declared, set()))


def unknown_in(declared: object) -> Iterator[type]:
    """Yield the classes in a type that msgspec does not support, such as pydantic models."""
    left: list[object] = [msgspec.inspect.type_info(declared)]
    known: set[int] = set()
    while left:
        one = left.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        if isinstance(one, msgspec.inspect.CustomType) and union_options(one.cls):
            left += map(msgspec.inspect.type_info, union_options(one.cls))
        elif isinstance(one, msgspec.inspect.CustomType) and one.cls is not object:
            yield one.cls
        elif isinstance(one, msgspec.inspect.Type | msgspec.inspect.Field):
            left += [getattr(one, name) for name in one.__struct_fields__]
        elif isinstance(one, tuple):
            left += one


def without_structs(declared: object) -> Any:
    """Return a type that pydantic supports, with the schema of the given type."""
    return _COPIES.of(declared)


def documented_structs(declared: Any) -> Any:
    """Return the same type; raise `ConfigurationError` if it holds one that pydantic can't know."""
    made = without_structs(declared)
    try:
        TypeAdapter(made)
    except PydanticSchemaGenerationError as error:
        where = culprit_in(declared, has_no_schema) or error.message.partition(". ")[0]
        raise ConfigurationError(
            f"{declared!r} holds a type that OpenAPI can't document: {where}; declare another, "
            "such as bytes for bytearray"
        ) from error
    return made


def has_no_schema(declared: object) -> bool:
    """Whether a type is, or holds, one that OpenAPI can't document."""
    try:
        TypeAdapter(without_structs(declared))
    except PydanticSchemaGenerationError:
        return True
    except (PydanticUserError, TypeError):  # what is no type of its own: `...`, metadata
        return False
    return False


def with_built_structs(declared: Any) -> Any:
    """Return a type that pydantic reads from a request, with the values of the given type.

    The same `TypedDict` is in OpenAPI for requests and answers; msgspec makes the Structs of it.
    """
    for kind in _types_in(declared, set()):
        if isinstance(kind, type) and issubclass(kind, Wired):
            raise ConfigurationError(
                f"{kind.__name__} is made by the gateway for each request, and clients can't send "
                "it: take it as a parameter of a view, or as a field of a Composition"
            )
    convert = partial(msgspec.convert, type=declared, dec_hook=decode_union)
    return Annotated[documented_structs(declared), AfterValidator(convert)]


def _types_in(declared: object, known: set[object]) -> Iterator[object]:
    """Yield a type, and all types that it contains."""
    kind = get_origin(declared) or declared
    try:
        if (kind, get_args(declared)) in known:
            return
        known.add((kind, get_args(declared)))
    except TypeError:  # metadata that has no hash
        pass
    yield kind
    for one in (*get_args(declared), *union_options(kind)):
        yield from _types_in(one, known)
    if is_struct(kind) or _is_dataclass(kind):
        for one in fields_of(kind).values():
            yield from _types_in(one, known)


def _is_dataclass(kind: object) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


class _Copies:
    """Makes one copy of each type, so that a type may contain itself."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Any] = {}

    def of(self, declared: Any, args: dict[object, object] | None = None) -> Any:
        """Return the copy of a type."""
        declared = (args or {}).get(declared, declared) if _is_hashable(declared) else declared
        kind, inner = get_origin(declared) or declared, get_args(declared)
        if is_struct(kind) or (_is_dataclass(kind) and has_structs(declared)):
            given = tuple(self.of(one, args) for one in inner)
            is_array = is_struct(kind) and kind.__struct_config__.array_like
            return self._array(kind, given) if is_array else self._object(kind, given)
        if options := union_options(kind):
            return Union[tuple(self.of(one, args) for one in options)]  # noqa: UP007 - likewise
        if not inner or kind is Literal:
            return declared
        if kind is Annotated:
            return Annotated[(self.of(inner[0], args), *map(_as_field, inner[1:]))]
        copied = tuple(self.of(one, args) for one in inner if one is not msgspec.UnsetType)
        if kind in {Union, UnionType}:
            return Union[copied]  # noqa: UP007 - of types that are only known here
        return kind[copied]

    def _array(self, kind: Any, given: tuple[Any, ...]) -> Any:
        """Return a tuple of all fields: an array has those with a default as well."""
        members = (one for _, one in self._members(kind, _arguments(kind, given)))
        items = (get_args(one)[0] if get_origin(one) is NotRequired else one for one in members)
        return tuple[tuple(items)]  # type: ignore[misc]  # made at run time

    def _object(self, kind: Any, given: tuple[Any, ...]) -> Any:
        if (kind, given) in self._made:
            return self._made[kind, given]
        names = [getattr(one, "__name__", str(one)) for one in given]
        copy: Any = TypedDict("copy", {})  # filled in below
        self._made[kind, given] = copy
        copy.__name__ = copy.__qualname__ = "_".join([kind.__name__, *names])
        copy.__module__, copy.__doc__ = kind.__module__, _own_doc(kind)
        members = dict(self._members(kind, _arguments(kind, given)))
        copy.__annotations__ = members
        required = {name for name, one in members.items() if get_origin(one) is not NotRequired}
        copy.__required_keys__ = frozenset(required)
        copy.__optional_keys__ = frozenset(members.keys() - required)
        if is_struct(kind) and kind.__struct_config__.forbid_unknown_fields:
            with_config(ConfigDict(extra="forbid"))(copy)
        return copy

    def _members(self, kind: Any, args: dict[object, object]) -> Iterator[tuple[str, Any]]:
        if is_struct(kind):
            config = kind.__struct_config__
            if config.tag is not None:
                yield _named(str(config.tag_field), Literal[config.tag])
        names = _encoded_names(kind)
        for name, hint in fields_of(kind).items():
            copied = self.of(hint, args)
            is_not_required = _is_not_required(kind, name, hint)
            key, shown = name, copied
            if names.get(name, name) != name:
                key, shown = _named(names[name], copied)
            yield key, NotRequired[shown] if is_not_required else shown


def _arguments(kind: Any, given: tuple[Any, ...]) -> dict[object, object]:
    """Return the types that a generic class gets for its type variables."""
    return dict(zip(getattr(kind, "__parameters__", ()), given, strict=False))


def _named(key: str, hint: Any) -> tuple[str, Any]:
    """Return a name that the author has chosen, so that no other replaces it, and its type."""
    return key, Annotated[hint, Field(alias=key)]


_COPIES: Final = _Copies()
"""Shared by all views, so that OpenAPI has each Struct once."""


def _encoded_names(kind: Any) -> dict[str, str]:
    if not is_struct(kind):
        return {}
    return dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


def _is_not_required(kind: Any, name: str, hint: object) -> bool:
    """Whether a field may be absent or has a default: FastAPI documents both as not required."""
    if msgspec.UnsetType in get_args(hint):
        return True
    found: Any = msgspec.structs.fields(kind) if is_struct(kind) else dataclasses.fields(kind)
    absent = (msgspec.NODEFAULT, dataclasses.MISSING)
    return any(
        one.default not in absent or one.default_factory not in absent
        for one in found
        if one.name == name
    )


def _own_doc(kind: Any) -> str | None:
    """Return the docstring of the author; a dataclass without one has its signature."""
    doc: str | None = kind.__doc__
    return None if doc is None or doc.startswith(f"{kind.__name__}(") else doc


def _as_field(metadata: object) -> object:
    """Return msgspec's constraints as pydantic's; other metadata as they are."""
    if not isinstance(metadata, msgspec.Meta):
        return metadata
    shown = {name: getattr(metadata, name) for name in (*_CONSTRAINTS, *_TEXTS)}
    given: dict[str, Any] = {name: one for name, one in shown.items() if one is not None}
    return Field(json_schema_extra=metadata.extra_json_schema, **given)


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
