"""`part()` and `screen()`: fields of GraphQL types whose values are parts of compositions."""

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, ParamSpec, Protocol, TypedDict, TypeVar, Unpack, overload

import strawberry

from bff_core.auth.access import Access, access
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.errors import ConfigurationError
from bff_core.graphql.arguments import (
    FieldArgument,
    arguments_of_part,
    arguments_of_screen,
    check_types,
    with_most,
    with_overrides,
)
from bff_core.graphql.context import Info
from bff_core.graphql.field_plan import (
    Composed,
    ComposedPart,
    FieldPlan,
    FromSource,
    HeldPart,
    LoadedValue,
)
from bff_core.graphql.sizes import CONVENTIONAL_ARGUMENTS, ListSize

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
V = TypeVar("V")
K = TypeVar("K")
C = TypeVar("C", bound=Composition)

TAKEN_NAMES: Final = frozenset({"_info", "_parent", "_source", "info", "root"})
"""Names of arguments that Strawberry passes itself."""

PLAN: Final = "__field_plan__"
"""The attribute of a resolver that holds the plan of its field."""


class FieldOptions(TypedDict, total=False):
    """The options of a field.

    `access` is its access rule. `description` replaces the first paragraph of the part's docstring.
    """

    access: Access
    name: str
    description: str
    deprecation_reason: str
    directives: Sequence[object]


class PartOptions(FieldOptions, total=False):
    """The options of a field with arguments.

    `most` bounds the argument that limits a list: `first`, `last` or `limit`, or else the only
    number or the only list. `arguments` gives an argument another name in GraphQL (a string), or
    another annotation.
    """

    most: int
    arguments: Mapping[str, object]


class PartWithoutArguments(Protocol[T]):
    """A part without arguments, in which `most` has nothing to bound."""

    body: Callable[..., Coroutine[object, object, T]]

    def has_parameters_of(self, call: Callable[[], object], /) -> bool: ...  # noqa: D102 # the part's


class NothingToBound:
    """The type of a field with `most=`, but without an argument that it could bound."""


@overload
def part(
    part: PartWithoutArguments[T],
    shape: Callable[[T], R],
    /,
    *,
    most: int,
    **options: Unpack[FieldOptions],
) -> NothingToBound: ...
@overload
def part(
    part: PartMethod[P, T | None], shape: Callable[[T], R], /, **options: Unpack[PartOptions]
) -> R | None: ...
@overload
def part(
    part: PartMethod[P, T], shape: Callable[[T], R], /, **options: Unpack[PartOptions]
) -> R: ...
@overload
def part(
    part: LoaderMethod[K, T | None],
    shape: Callable[[T], R],
    /,
    *,
    key: str,
    **options: Unpack[FieldOptions],
) -> R | None: ...
@overload
def part(
    part: LoaderMethod[K, T],
    shape: Callable[[T], R],
    /,
    *,
    key: str,
    **options: Unpack[FieldOptions],
) -> R: ...
@overload
def part(
    part: PartWithoutArguments[T], /, *, most: int, **options: Unpack[FieldOptions]
) -> NothingToBound: ...
@overload
def part(part: PartMethod[P, T], /, **options: Unpack[PartOptions]) -> T: ...
@overload
def part(part: LoaderMethod[K, T], /, *, key: str, **options: Unpack[FieldOptions]) -> T: ...
def part(
    part: Any,
    shape: Callable[[Any], Any] | None = None,
    /,
    *,
    key: str = "",
    **options: Unpack[PartOptions],
) -> Any:
    """Declare a field whose value is a part of the screen that the parent holds.

        viewer: WebUser = part(Home.profile, WebUser.of)
        reviews: list[WebReview] = part(ProductPage.reviews, each(WebReview.of), most=20)
        price: WebPrice | None = part(Shelf.price, WebPrice.of, key="id")

    `shape` makes the field's value from the part's. It does not get a None, which the field has to
    allow. The arguments of the part are those of the field.

    The parent holds a screen as the source of a `ShapeOf`, or in a private field. A loader takes
    the `key` from an attribute of the parent (of a ShapeOf's source), and loads it together with
    all other keys of the request.
    """
    label, owner = _label_of(part, "part")
    if isinstance(part, LoaderMethod):
        _check_options(options, FieldOptions, label)
        if not key:
            raise ConfigurationError(
                f'{label}: a loader takes a key, such as key="id": an attribute of the parent'
            )
        return _field(
            LoadedValue(label=label, screen=owner, loader=part, key=key), part, shape, options
        )
    if key:
        raise ConfigurationError(f"{label}: only a loader takes a key")
    arguments = _arguments([*arguments_of_part(part, label)], options, label)
    plan = HeldPart(label=label, screen=owner, arguments=arguments, part=part)
    return _field(plan, part, shape, options)


@overload
def screen(screen: type[C], shape: Callable[[C], R], /, **options: Unpack[PartOptions]) -> R: ...
@overload
def screen(
    screen: PartMethod[P, T | None], shape: Callable[[T], R], /, **options: Unpack[PartOptions]
) -> R | None: ...
@overload
def screen(
    screen: PartMethod[P, T], shape: Callable[[T], R], /, **options: Unpack[PartOptions]
) -> R: ...
@overload
def screen(screen: PartMethod[P, T], /, **options: Unpack[PartOptions]) -> T: ...
def screen(
    screen: Any, shape: Callable[[Any], Any] | None = None, /, **options: Unpack[PartOptions]
) -> Any:
    """Declare a field that composes a screen, or a part of one, from its arguments.

        product: WebProduct = screen(ProductPage, WebProduct.of)
        order: WebOrder = screen(OrderPage.order, WebOrder.of, arguments={"order_id": "id"})

    The inputs of the screen are arguments of the field, and so are those of the part. Fields with
    equal arguments share the screen; a field of the mutation composes it anew.
    """
    if isinstance(screen, type) and issubclass(screen, Composition):
        label = f"screen({screen.__name__})"
        arguments = _arguments([*arguments_of_screen(screen)], options, label)
        composed = Composed(label=label, screen=screen, arguments=arguments)
        return _field(composed, screen, shape, options)
    label, owner = _label_of(screen, "screen")
    if isinstance(screen, LoaderMethod):
        raise ConfigurationError(f"{label}: a loader takes a key of the parent: {label[7:-1]}")
    inputs = [*arguments_of_screen(owner)]
    plan = ComposedPart(
        label=label,
        screen=owner,
        arguments=_arguments([*inputs, *arguments_of_part(screen, label)], options, label),
        part=screen,
        inputs=frozenset(one.name for one in inputs),
    )
    return _field(plan, screen, shape, options)


def value(source: type[V], shape: Callable[[V], R], /, **options: Unpack[FieldOptions]) -> R:
    """Declare a field that is made from the source of a `ShapeOf`.

    name: str = value(User, lambda user: user.name.full)
    """
    label = f"value({getattr(source, '__name__', source)}, ...)"
    _check_options(options, FieldOptions, label)
    plan = FromSource(label=label, source=source)
    made: R = _field(plan, None, shape, options)
    return made


def plan_of(resolver: object) -> FieldPlan | None:
    """Return the plan of a field's resolver; None if `part()` or `screen()` did not make it."""
    plan = getattr(resolver, PLAN, None)
    return plan if isinstance(plan, FieldPlan) else None


def _label_of(part: object, word: str) -> tuple[str, type[Composition]]:
    """Return how errors call a field, and the screen that its part belongs to."""
    if isinstance(part, PartMethod | LoaderMethod) and part.owner is not None:
        return f"{word}({part.owner.__name__}.{part.attribute})", part.owner
    name = getattr(part, "__qualname__", None) or repr(part)
    also = ", or a composition such as Home" if word == "screen" else ""
    raise ConfigurationError(
        f"{word}({name}): give a part of a composition, such as Home.profile: a method with "
        f"@critical, @optional or @loader{also}"
    )


def _check_options(options: FieldOptions, known: type, label: str) -> None:
    unknown = sorted(options.keys() - known.__annotations__.keys())
    if unknown:
        names = ", ".join(known.__annotations__)
        raise ConfigurationError(f"{label} has no option {unknown[0]!r}; it has {names}")


def _arguments(
    found: list[FieldArgument], options: PartOptions, label: str
) -> Sequence[FieldArgument]:
    _check_options(options, PartOptions, label)
    names = [one.name for one in found]
    taken = next((name for name in names if name in TAKEN_NAMES), None)
    if taken is not None:
        raise ConfigurationError(f"{label}: rename its argument {taken}: Strawberry takes the name")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(
            f"{label}: the screen has an input {twice!r}, and the part an argument of this name; "
            "rename one, or write a resolver"
        )
    arguments = with_overrides(found, options.get("arguments", {}), label)
    check_types(arguments, label)
    return with_most(arguments, options.get("most"), label)


def _field(
    plan: FieldPlan, described: Any, shape: Callable[[Any], Any] | None, options: FieldOptions
) -> Any:
    """Return the field of Strawberry; `described` is what has its description as a docstring."""
    if not (shape is None or callable(shape)) or inspect.iscoroutinefunction(shape):
        raise ConfigurationError(
            f"{plan.label}: a shape is a function that does not await, such as WebUser.of, "
            f"not {shape!r}"
        )
    resolver = _resolver(replace(plan, shape=shape))
    if "access" in options:
        access(options["access"])(resolver)
    return strawberry.field(
        resolver=resolver,
        name=options.get("name"),
        description=options.get("description") or _description(described, shape),
        deprecation_reason=options.get("deprecation_reason"),
        directives=[*options.get("directives", ()), *_list_size(plan, options)],
    )


def _description(described: Any, shape: object) -> str | None:
    """Return the first paragraph of a docstring.

    A lambda picks something out of the value, which the docstring does not describe. A screen
    without a docstring has one of `dataclass`, which lists its fields.
    """
    if described is None or getattr(shape, "__name__", "") == "<lambda>":
        return None
    text = described.__doc__ or ""
    if isinstance(described, type) and text.startswith(f"{described.__name__}("):
        return None
    return " ".join(inspect.cleandoc(text).partition("\n\n")[0].split()) or None


def _resolver(plan: FieldPlan) -> Callable[..., Any]:
    """Return a function whose signature is the one of the field, for Strawberry."""
    resolve: Callable[..., Any]
    if inspect.iscoroutinefunction(plan.resolve):

        async def resolve(_parent: object, _info: Info, **given: object) -> object:
            return await plan.resolve(_parent, _info, plan.checked(given))
    else:

        def resolve(_parent: object, _info: Info, **given: object) -> object:
            return plan.resolve(_parent, _info, plan.checked(given))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parent: Any = strawberry.Parent
    parameters = [
        inspect.Parameter("_parent", kind, annotation=parent[Any]),
        inspect.Parameter("_info", kind, annotation=Info),
        *(one.parameter for one in plan.arguments),
    ]
    resolve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # of PEP 362
    resolve.__name__ = resolve.__qualname__ = plan.label
    setattr(resolve, PLAN, plan)
    return resolve


def _list_size(plan: FieldPlan, options: FieldOptions) -> Sequence[ListSize]:
    """Return the directive that declares the size of a bounded list, unless a convention does."""
    bounded = [one for one in plan.arguments if one.most is not None]
    if any(isinstance(one, ListSize) for one in options.get("directives", ())):
        return ()
    is_known = all(
        one.is_list or (one.graphql_name in CONVENTIONAL_ARGUMENTS and one.default is not None)
        for one in bounded
    )
    if is_known:
        return ()
    names = [one.graphql_name for one in bounded]
    return [ListSize(assumed_size=bounded[0].most, slicing_arguments=names)]
