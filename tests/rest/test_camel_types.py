"""`Views(case="camel")`: answers, OpenAPI and bodies of any type have the same names."""

import json
from dataclasses import dataclass, field, make_dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Generic, Literal, TypeVar

import httpx
import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SerializeAsAny, create_model

from bff_core import ANYONE, Views
from bff_core.rest.response_model import Dump, ResponseModel
from tests.rest.conformance.three_ways import gateway_of

T = TypeVar("T")
Typed = tuple[Any, Any]
"""A type, and a value of it."""

NUMBERS = count()
SCALARS: list[Typed] = [
    (int, 7),
    (str, "a_b"),
    (bool, True),
    (float, 1.5),
    (datetime, datetime(2026, 1, 2, tzinfo=UTC)),
    (Literal["in_stock"], "in_stock"),
]


def class_of(kind: str, members: dict[str, Typed], **options: Any) -> Typed:
    """Return a class whose fields have names to change, and an object of it."""
    name = f"Kind{next(NUMBERS)}"
    hints = {key: hint for key, (hint, _) in members.items()}
    made: Any
    if kind == "model":
        made = create_model(name, **{key: (hint, ...) for key, hint in hints.items()})  # type: ignore[call-overload] # fields by name
    elif kind == "struct":
        made = msgspec.defstruct(name, [*hints.items()], module=__name__, **options)
    else:
        made = make_dataclass(name, [*hints.items()])
    made.__module__ = __name__
    return made, made(**{key: value for key, (_, value) in members.items()})


@dataclass
class Boxed(Generic[T]):
    """A generic class."""

    the_item: T


class BoxedStruct(msgspec.Struct, Generic[T]):
    """A generic Struct."""

    the_item: T


@st.composite
def typed_values(draw: Any, other: str, depth: int = 3) -> Typed:  # noqa: PLR0911 # a table
    """Draw a nested type and a value of it: dataclasses, and classes of one `other` kind."""
    shapes = ["class", "list", "dict", "optional", "union", "generic", "scalar"]
    shape = draw(st.sampled_from(shapes if depth else ["scalar"]))
    if shape == "scalar":
        return draw(st.sampled_from(SCALARS))
    inner = typed_values(other, depth - 1)
    hint, value = draw(inner)
    kind = draw(st.sampled_from(["dataclass", other]))
    if shape == "list":
        return list[hint], [value]
    if shape == "dict":
        return dict[str, hint], {"key_of": value}
    if shape == "optional":
        return hint | None, draw(st.sampled_from([value, None]))
    if shape == "generic":
        box: Any = BoxedStruct if kind == "struct" else Boxed
        return box[hint], box(value)
    if shape == "class":
        return class_of(kind, {"first_one": (hint, value), "other_one": draw(inner)})
    members = [
        class_of(
            other, {f"{name}_one": (hint, value)}, **{"tag": name} if other == "struct" else {}
        )
        for name in ("left", "right")
    ]
    return members[0][0] | members[1][0], draw(st.sampled_from(members))[1]


def views_of(hint: Any, value: Any) -> Views:
    """Return a view that answers with a value, and one that answers with its body."""
    views = Views(access=ANYONE, case="camel")

    async def show() -> Any:
        return value

    async def repeat(given: Any) -> Any:
        return given

    show.__annotations__ = {"return": hint}
    repeat.__annotations__ = {"given": hint, "return": hint}
    views.get("/show")(show)
    views.post("/repeat")(repeat)
    return views


@pytest.mark.mostly_slow
@pytest.mark.parametrize("other", ["struct", "model", "dataclass"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
async def test_answers_are_as_documented_and_can_be_sent_back(other, data):
    """No name in Python is left anywhere, and a body of the same type loses no value."""
    members = {"the_first": data.draw(typed_values(other)), "the_second": (int, 1)}
    kind = data.draw(st.sampled_from(["dataclass", other]))
    hint, value = class_of(kind, members)
    app = gateway_of(views_of(hint, value), [])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        shown = await client.get("/show")
        repeated = await client.post("/repeat", json=shown.json())
    document = app.openapi()
    documented = document["paths"]["/show"]["get"]["responses"]["200"]["content"]

    schema = documented["application/json"]["schema"] | {"components": document["components"]}
    jsonschema.validate(shown.json(), schema)
    assert not {"the_first", "first_one", "left_one", "right_one", "the_item"} & names_in(
        shown.json()
    )
    assert (repeated.status_code, repeated.text) == (200, shown.text)


def names_in(plain: Any) -> set[str]:
    """Return the keys of all objects in plain JSON."""
    if isinstance(plain, dict):
        return set(plain).union(*map(names_in, plain.values()))
    return set().union(*map(names_in, plain)) if isinstance(plain, list) else set()


@dataclass
class Price:
    """A class of a union without tags."""

    exact_sum: float


@dataclass
class Branch:
    """A class that contains itself."""

    branch_name: int
    all_branches: "list[Branch]" = field(default_factory=list)


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        (Price | Branch, Price("much"), {"exactSum": "much"}),
        (
            Branch,
            Branch("x", (Branch(1),)),
            {"branchName": "x", "allBranches": [{"branchName": 1, "allBranches": []}]},
        ),
    ],
)
def test_values_of_other_types_do_not_change_names(declared, value, expected):
    """In production a dataclass is sent as it is: a wrong field does not rename the others."""
    model = ResponseModel(declared, Dump(), "show", "camel")

    assert json.loads(model.encode(value)) == expected


class Animal(BaseModel):
    """A model that is extended."""

    given_name: str


class Hound(Animal):
    """A model with a field more."""

    leg_count: int = 4
    best_toy: str | None = None


class Kennel(BaseModel):
    """A model whose members are written as the classes that they are."""

    first_pet: SerializeAsAny[Animal]
    all_pets: list[SerializeAsAny[Animal]]
    no_pet: SerializeAsAny[Animal] | None = None


def test_members_of_any_class_are_in_camel_case():
    """`SerializeAsAny` writes the fields of a subclass, too; the options of the view apply."""
    hound = Hound(given_name="Rex")
    value = Kennel(first_pet=hound, all_pets=[hound])

    model = ResponseModel(Kennel, Dump(exclude_none=True), "show", "camel")

    shown = {"givenName": "Rex", "legCount": 4}
    assert json.loads(model.encode(value)) == {"firstPet": shown, "allPets": [shown]}
