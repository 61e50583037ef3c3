"""`part()`, `screen()` and `value()`: fields of GraphQL types that are parts of compositions."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.errors import ConfigurationError
from bff_core.graphql.arguments import arguments_of_part, arguments_of_screen
from bff_core.graphql.field_plan import Composed, ComposedPart, FromSource, HeldPart, LoadedValue
from bff_core.graphql.strawberry_field import (
    FieldOptions,
    PartOptions,
    arguments_of,
    check_options,
    strawberry_field,
)
from bff_core.keywords import checks_keywords

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
V = TypeVar("V")
K = TypeVar("K")
C = TypeVar("C", bound=Composition)


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
@checks_keywords
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
        check_options(options, FieldOptions, label)
        if not key:
            raise ConfigurationError(
                f'{label}: a loader takes a key, such as key="id": an attribute of the parent'
            )
        return strawberry_field(
            LoadedValue(label=label, screen=owner, loader=part, key=key), part, shape, options
        )
    if key:
        raise ConfigurationError(f"{label}: only a loader takes a key")
    arguments = arguments_of([*arguments_of_part(part, label)], options, label)
    plan = HeldPart(label=label, screen=owner, arguments=arguments, part=part)
    return strawberry_field(plan, part, shape, options)


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
@checks_keywords
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
        arguments = arguments_of([*arguments_of_screen(screen)], options, label)
        composed = Composed(label=label, screen=screen, arguments=arguments)
        return strawberry_field(composed, screen, shape, options)
    label, owner = _label_of(screen, "screen")
    if isinstance(screen, LoaderMethod):
        raise ConfigurationError(f"{label}: a loader takes a key of the parent: {label[7:-1]}")
    inputs = [*arguments_of_screen(owner)]
    plan = ComposedPart(
        label=label,
        screen=owner,
        arguments=arguments_of([*inputs, *arguments_of_part(screen, label)], options, label),
        part=screen,
        inputs=frozenset(one.name for one in inputs),
    )
    return strawberry_field(plan, screen, shape, options)


@checks_keywords
def value(source: type[V], shape: Callable[[V], R], /, **options: Unpack[FieldOptions]) -> R:
    """Declare a field that is made from the source of a `ShapeOf`.

    name: str = value(User, lambda user: user.name.full)
    """
    label = f"value({getattr(source, '__name__', source)}, ...)"
    check_options(options, FieldOptions, label)
    plan = FromSource(label=label, source=source)
    made: R = strawberry_field(plan, None, shape, options)
    return made


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
