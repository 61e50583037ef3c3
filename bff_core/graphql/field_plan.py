"""How a field of `part()`, `screen()` or `value()` gets its value."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar, TypeAlias, get_args

import strawberry
from graphql import GraphQLResolveInfo, OperationType

from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.composition.part import Part
from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError
from bff_core.graphql.annotations import evaluated, split_none
from bff_core.graphql.arguments import FieldArgument
from bff_core.graphql.context import Context
from bff_core.graphql.held_screen import screen_attribute
from bff_core.graphql.inputs import InputOutOfBounds, hashable
from bff_core.graphql.null_errors import raise_if_missing
from bff_core.graphql.shape import ShapeOf, source_type
from bff_core.graphql.shape_check import attribute_of, may_be, name_of

AnyInfo: TypeAlias = strawberry.Info[Context, Any] | GraphQLResolveInfo[Context]
Values: TypeAlias = Mapping[str, Any]
Read: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class FieldPlan:
    """What the plans of all fields have in common; `label` is how errors call the field."""

    screen: ClassVar[type[Composition] | None] = None

    label: str
    arguments: Sequence[FieldArgument] = ()
    shape: Callable[[Any], Any] | None = None

    def check(self, kind: type, where: str) -> None:
        """Raise `ConfigurationError` if values of a type can't have the field."""

    def resolve(self, _source: object, _info: AnyInfo, _values: Values, /) -> Any:
        """Return the value of the field, or an awaitable of it."""
        raise NotImplementedError

    def checked(self, given: Values) -> Values:
        """Return the arguments by their names in Python; raise `InvalidInput` for a wrong one.

        If no argument limits a list that has a `most`, that is the limit.
        """
        values = {
            one.name: one.checked(given.get(one.name))
            for one in self.arguments
            if one.is_given(given)
        }
        limits = self._limits
        if limits and all(values.get(one.name, one.default) is None for one in limits):
            values[limits[0].name] = limits[0].most
        return values

    @cached_property
    def _limits(self) -> Sequence[FieldArgument]:
        """The numbers with a `most`, of which one may be None; `last` comes last."""
        found = [one for one in self.arguments if one.most is not None and not one.is_list]
        return sorted(found, key=lambda one: one.graphql_name == "last")

    @cached_property
    def is_plain(self) -> bool:
        """Whether graphql-core coerces all arguments, and all are hashable."""
        return all(one.is_plain for one in self.arguments)


@dataclass(frozen=True, eq=False, kw_only=True)
class FromSource(FieldPlan):
    """A value that is made from the source of the parent, which is a `ShapeOf`."""

    source: Any

    def resolve(self, source: Any, _info: AnyInfo, _values: Values, /) -> object:
        """Return the shape of the source."""
        return None if self.shape is None else self.shape(source.source)

    def check(self, kind: type, where: str) -> None:
        """Raise `ConfigurationError` for a type whose source is of another class."""
        source = source_type(kind)
        if source is None or not may_be(source, self.source):
            raise ConfigurationError(
                f"{where} = {self.label}: {kind.__name__} is no ShapeOf[{name_of(self.source)}]"
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class ScreenPlan(FieldPlan):
    """A field whose value comes from a screen."""

    screen: type[Composition]  # type: ignore[misc]  # of the class where there is none
    _read_by: dict[type, Read] = field(default_factory=dict)

    def started(self, part: PartMethod[..., Any], screen: Composition, values: Values) -> Part[Any]:
        """Return the started part of a screen, whose class may override it."""
        if self.is_plain:
            return getattr(screen, part.attribute)(**values)  # type: ignore[no-any-return]  # a part
        method: PartMethod[..., Any] = getattr(type(screen), part.attribute)
        return method.start_for(screen, hashable((*values.items(),)), values)

    def shown(self, value: Any, part: Part[Any]) -> object:
        """Return the shape of a part's value; raise if it is null because the part failed."""
        if value is not None and self.shape is not None:
            value = self.shape(value)
        if value is None:
            raise_if_missing((part,))
        return value

    def held(self, source: object) -> Any:
        """Return the screen that a value holds."""
        read = self._read_by.get(type(source))
        if read is None:
            read = self._read_by[type(source)] = self._reader(type(source))
        return read(source)

    def _reader(self, kind: type) -> Read:
        if issubclass(kind, self.screen):
            return lambda source: source
        self.check_held(kind, kind.__name__)
        return attrgetter(screen_attribute(kind, self.screen) or "")

    def check_held(self, kind: type, where: str) -> None:
        """Raise `ConfigurationError` for a type that does not hold the screen."""
        if screen_attribute(kind, self.screen) is None:
            name = self.screen.__name__
            raise ConfigurationError(
                f"{where} = {self.label}: {kind.__name__} holds no {name}. Make the type a "
                f"ShapeOf[{name}], give it a field `page: strawberry.Private[{name}]`, or compose "
                f"the screen where the field is: {self.label.replace('part(', 'screen(', 1)}"
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldPart(ScreenPlan):
    """A part of the screen that the parent holds."""

    part: PartMethod[..., Any]

    def check(self, kind: type, where: str) -> None:
        """Raise `ConfigurationError` for a type that does not hold the screen."""
        self.check_held(kind, where)

    async def resolve(self, source: object, _info: AnyInfo, values: Values, /) -> object:
        """Return the shape of the part's value."""
        part = self.started(self.part, self.held(source), values)
        return self.shown(await part, part)

    def direct(self) -> Callable[[Any, Any], Coroutine[Any, Any, object]]:
        """Return `resolve` for a part without arguments, with fewer calls."""
        read_by, attribute, shape = self._read_by, self.part.attribute, self.shape

        async def resolved(source: object, _info: AnyInfo) -> object:
            read = read_by.get(type(source))
            part = getattr(self.held(source) if read is None else read(source), attribute)()
            value = await part
            if value is not None and shape is not None:
                value = shape(value)
            if value is None:
                raise_if_missing((part,))
            return value

        return resolved


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadedValue(ScreenPlan):
    """The value of a loader under a key that the parent has.

    A loader batches the keys of a whole request, so the screen is the request's; one with inputs is
    the parent's.
    """

    loader: LoaderMethod[Any, Any]
    key: str
    _key_by: dict[type, Read] = field(default_factory=dict)

    @cached_property
    def is_shared(self) -> bool:
        """Whether the screen is the request's."""
        return not shape_of(self.screen).inputs

    async def resolve(self, source: object, info: AnyInfo, _values: Values, /) -> object:
        """Return the shape of the value under the parent's key."""
        screen = info.context.compose(self.screen) if self.is_shared else self.held(source)
        read = self._key_by.get(type(source)) or self._key_reader(type(source))
        pending = getattr(screen, self.loader.attribute)(read(source))
        return self.shown(await pending, pending.part)

    def _key_reader(self, kind: type) -> Read:
        path = f"source.{self.key}" if issubclass(kind, ShapeOf) else self.key
        return self._key_by.setdefault(kind, attrgetter(path))

    def check(self, kind: type, where: str) -> None:
        """Raise `ConfigurationError` for a type without the key, or with one of another type."""
        if not self.is_shared:
            self.check_held(kind, where)
        what = f"{where} = {self.label}"
        holder, advice = source_type(kind) or kind, "the key is the name of an attribute"
        found, is_nullable = split_none(attribute_of(holder, self.key, what, advice))
        wanted, accepts_none = split_none(self._key_type())
        if wanted is not Any and is_nullable and not accepts_none:
            raise ConfigurationError(
                f"{what}: the key {self.key!r} may be None, which the loader does not take; "
                f"declare its keys as tuple[{name_of(wanted)} | None, ...]"
            )
        if not may_be(found, wanted):
            raise ConfigurationError(
                f"{what}: the key {self.key!r} is {name_of(found)}; the keys of the loader are "
                f"{name_of(wanted)}"
            )

    def _key_type(self) -> Any:
        """Return the annotation of one key; `Any` if the loader declares none."""
        body = self.loader.body
        found = [one for name, one in body.__annotations__.items() if name != "return"]
        keys = evaluated(found[0], body.__globals__, self.label) if len(found) == 1 else Any
        return next(iter(get_args(keys)), Any)


@dataclass(frozen=True, eq=False, kw_only=True)
class Composed(ScreenPlan):
    """A screen that the field composes from its arguments.

    Fields with equal arguments share the screen; a field of the mutation composes it anew.
    """

    def resolve(self, _source: object, info: AnyInfo, values: Values, /) -> Any:
        """Return the shape of the screen."""
        composed = self.composed(info, values)
        return composed if self.shape is None else self.shape(composed)

    def composed(self, info: AnyInfo, inputs: Values) -> Composition:
        """Return the screen; errors name an input as clients do."""
        try:
            return self._compose(info, inputs)
        except InputOutOfBounds as error:
            names = {one.name: one.graphql_name for one in self.arguments}
            raise InputOutOfBounds(error.name, error.problem, names[error.name]) from error

    def _compose(self, info: AnyInfo, inputs: Values) -> Composition:
        if info.path.prev is None and info.operation.operation is OperationType.MUTATION:
            return info.context.compose_anew(self.screen, **inputs)
        return info.context.compose(self.screen, **inputs)


@dataclass(frozen=True, eq=False, kw_only=True)
class ComposedPart(Composed):
    """A part of a screen that the field composes; `inputs` are the arguments of the screen."""

    part: PartMethod[..., Any]
    inputs: frozenset[str]

    async def resolve(self, _source: object, info: AnyInfo, values: Values, /) -> object:
        """Return the shape of the part's value."""
        inputs = {name: one for name, one in values.items() if name in self.inputs}
        rest = {name: one for name, one in values.items() if name not in self.inputs}
        part = self.started(self.part, self.composed(info, inputs), rest)
        return self.shown(await part, part)
