"""Makes Strawberry's field from the plan of a field: resolver, description, directives, options."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypedDict

import strawberry

from bff_core.auth.access import Access, access
from bff_core.errors import ConfigurationError
from bff_core.graphql.arguments import FieldArgument, check_types, with_most, with_overrides
from bff_core.graphql.context import Info
from bff_core.graphql.field_plan import FieldPlan
from bff_core.graphql.sizes import CONVENTIONAL_ARGUMENTS, ListSize
from bff_core.objective import objective

TAKEN_NAMES: Final = frozenset({"_info", "_parent", "_source", "info", "root"})
"""Names of arguments that Strawberry passes itself."""

PLAN: Final = "__field_plan__"
"""The attribute of a resolver that holds the plan of its field."""


class FieldOptions(TypedDict, total=False):
    """The options of a field.

    `access` is its access rule. `description` replaces the first paragraph of the part's docstring.
    `objective` is that of a field of the query or mutation, a text as that of `objective(...)`.
    """

    access: Access
    name: str
    description: str
    deprecation_reason: str
    directives: Sequence[object]
    objective: str


class PartOptions(FieldOptions, total=False):
    """The options of a field with arguments.

    `most` bounds the argument that limits a list: `first`, `last` or `limit`, or else the only
    number or the only list. `arguments` gives an argument another name in GraphQL (a string), or
    another annotation.
    """

    most: int
    arguments: Mapping[str, object]


def plan_of(resolver: object) -> FieldPlan | None:
    """Return the plan of a field's resolver; None if `part()` or `screen()` did not make it."""
    plan = getattr(resolver, PLAN, None)
    return plan if isinstance(plan, FieldPlan) else None


def check_options(options: FieldOptions, known: type, label: str) -> None:
    """Raise `ConfigurationError` for an option that the kind of options does not have."""
    unknown = sorted(options.keys() - known.__annotations__.keys())
    if unknown:
        names = ", ".join(known.__annotations__)
        raise ConfigurationError(f"{label} has no option {unknown[0]!r}; it has {names}")


def arguments_of(
    found: list[FieldArgument], options: PartOptions, label: str
) -> Sequence[FieldArgument]:
    """Return the arguments of a field, as its options want them; raise for mistakes."""
    check_options(options, PartOptions, label)
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


def strawberry_field(
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
    if "objective" in options:
        objective(options["objective"])(resolver)
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
        one.is_list or (one.graphql_name in CONVENTIONAL_ARGUMENTS and not one.is_nullable)
        for one in bounded
    )
    if is_known:
        return ()
    names = [one.graphql_name for one in bounded]
    return [ListSize(assumed_size=bounded[0].most, slicing_arguments=names)]
