"""Types without JSON Schema are refused at start, before /openapi.json is requested."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Query
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, WithJsonSchema
from pydantic_core.core_schema import no_info_plain_validator_function

from bff_core import ANYONE, ConfigurationError, Settings, Views, gateway

LAPTOP = Settings(env="development", gc_freeze=False, log="off")


class Odd:
    """A class that has no schema."""


@dataclass
class Line:
    """A class with a function in it."""

    name: str
    changed: Callable[[str], None]


class Cart(BaseModel):
    """A model that contains such a class."""

    lines: list[Line]


class Holder(BaseModel):
    """A model with a class that pydantic only checks to be one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    odd: Odd | None


class Sku:
    """A class with a core schema of its own, which says nothing of JSON."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        """Return a schema that calls the class."""
        return no_info_plain_validator_function(lambda _: cls())


class Checked(BaseModel):
    """A model with such a class."""

    sku: Sku


class Described(BaseModel):
    """A model whose author gives the schema."""

    changed: Annotated[Callable[[], int], WithJsonSchema({"type": "string"})]


class Hidden(BaseModel):
    """A model that leaves the field out of answers."""

    changed: Callable[[], int] = Field(int, exclude=True)
    names: Sequence[SkipValidation[str]] = ()


class Packed(Struct):
    """A Struct with a type that pydantic does not know."""

    data: bytearray


async def started(*faces: Any, router: APIRouter | None = None, **options: Any) -> Any:
    """Start a gateway, and return its OpenAPI document."""
    app = gateway("shop", faces=list(faces), settings=LAPTOP, **options)
    if router is not None:
        app.include_router(router)
    async with app.router.lifespan_context(app):
        return app.openapi() if app.openapi_url else None


def answering(declared: Any, **options: Any) -> Views:
    """Return a view that answers with a type."""
    views = Views(access=ANYONE)

    async def get_it() -> Any:
        """Return nothing."""

    get_it.__annotations__["return"] = declared
    views.get("/it", **options)(get_it)
    return views


def taking(declared: Any) -> Views:
    """Return a view that takes a type as its body."""
    views = Views(access=ANYONE)

    async def post_it(sent: Any) -> None:
        """Take it."""

    post_it.__annotations__["sent"] = declared
    views.post("/it")(post_it)
    return views


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        (Line, r"the field Line\.changed of a type without JSON Schema \(Callable\)"),
        (Cart, r"the field Line\.changed of a type"),
        (list[Cart], r"the field Line\.changed of a type"),
        (dict[str, Cart | None], r"the field Line\.changed of a type"),
        (Checked, r"the field Checked\.sku of a type"),
        (Holder, r"the field Holder\.odd of a type without JSON Schema \(Odd\)"),
    ],
)
async def test_a_type_without_schema_is_refused_at_start(declared, named):
    """The error names the route, the field and what to do, for answers and for bodies."""
    with pytest.raises(ConfigurationError, match=rf"GET /it \(.*get_it\): its answer has {named}"):
        await started(answering(declared))
    with pytest.raises(ConfigurationError, match=rf"its input sent has {named}.*WithJsonSchema"):
        await started(taking(declared))


async def test_a_plain_route_is_checked_as_well():
    """Its further answers are documented as well."""
    router = APIRouter()

    @router.get("/plain", responses={404: {"model": Cart}})
    async def get_plain(kind: Annotated[str, Query()]) -> int:
        return 1

    with pytest.raises(ConfigurationError, match=r"GET /plain .*: its answer has .* Line\.changed"):
        await started(router=router)


@pytest.mark.parametrize("make", [answering, taking])
def test_a_struct_with_an_unknown_type_is_refused_at_import(make):
    """The error names the Struct, and an example of what to declare."""
    with pytest.raises(
        ConfigurationError,
        match=r"Packed.* can't document: \$\.data is bytearray; .* bytes for byte",
    ):
        make(Packed)


@pytest.mark.parametrize("declared", [Described, Hidden])
async def test_types_that_can_be_documented_are_accepted(declared):
    """The author may give a schema, or leave the field out of answers."""
    document = await started(answering(declared))

    assert declared.__name__ in document["components"]["schemas"]


async def test_what_is_not_documented_is_not_checked():
    """A route that OpenAPI leaves out, and a gateway without a document."""
    document = await started(answering(Cart, include_in_schema=False))
    nothing = await started(answering(Cart), openapi_url=None)

    assert document["paths"] == {}
    assert nothing is None
