"""Views with inputs of each kind, whose names are changed to camelCase."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from fastapi import Body, Cookie, File, Form, Header, Query, UploadFile
from msgspec import Struct
from pydantic import BaseModel, Field

from bff_core import ANYONE, Composition, Views
from tests.rest.camel_case import Line


@dataclass
class Order:
    """A body that holds others."""

    order_lines: Annotated[list[Line], Field(max_length=2)]
    free_form: dict[str, int] = field(default_factory=dict)


class ModelLine(BaseModel):
    """A model as a body, nested in another."""

    sku_code: str
    own_name: str = Field("", alias="own_name_2")


class ModelOrder(BaseModel):
    """A model whose nested model has a validator already."""

    first_line: ModelLine


class StructLine(Struct, rename={"own_name": "own_name_2"}):
    """A Struct as a body."""

    sku_code: str
    own_name: str = ""


class Desk(Composition):
    """A screen with inputs to rename."""

    shop_id: str
    page_size: Annotated[int, Query(le=50)] = 10
    sort_words: Annotated[list[str], Query()] = field(default_factory=list)
    x_language: Annotated[str, Header()] = "en"
    dark_theme: Annotated[str, Cookie()] = "no"
    own_name: Annotated[str, Query(alias="own_name_2")] = ""

    def found(self) -> dict[str, Any]:
        return {
            "shop": self.shop_id,
            "size": self.page_size,
            "words": self.sort_words,
            "language": self.x_language,
            "theme": self.dark_theme,
            "own": self.own_name,
        }


class Fast(Composition):
    """A screen whose inputs the fast path reads."""

    shop_id: str
    page_size: Annotated[int, Query(le=50)] = 10


class OrderDesk(Composition):
    """A screen with a body, and a value beside it."""

    new_order: Order
    method_id: Annotated[str, Body(max_length=5)] = "card"


class EmbeddedDesk(Composition):
    """A screen with one embedded value."""

    method_id: Annotated[str, Body(embed=True, max_length=5)]


class Cat(BaseModel):
    """A class of a union that a field decides."""

    pet_kind: Literal["cat"]
    nine_lives: int = 9


class Dog(BaseModel):
    """Another class of it."""

    pet_kind: Literal["dog"]
    good_dog: bool = True


class Owner(BaseModel):
    """A model with such a union."""

    first_pet: Annotated[Cat | Dog, Field(discriminator="pet_kind")]


class Filters(BaseModel):
    """A model of query parameters."""

    first_word: str = ""
    all_words: list[str] = []


def inputs() -> Views:  # noqa: C901 - a list of views, none of them complex
    """Return views with inputs of each kind."""
    views = Views(access=ANYONE, case="camel")

    @views.get("/{shop_id}/desk")
    async def get_desk(desk: Desk) -> dict[str, Any]:
        return desk.found()

    @views.get("/{shop_id}/fast")
    async def get_fast(fast: Fast, last_page: int, other_page: int = Query(3)) -> list[Any]:
        return [fast.shop_id, fast.page_size, last_page, other_page]

    @views.post("/n/order")
    async def post_order(order: Order) -> Order:
        return order

    @views.put("/n/order")
    async def put_order(desk: OrderDesk) -> list[Any]:
        return [type(desk.new_order).__name__, asdict(desk.new_order), desk.method_id]

    @views.patch("/n/method")
    async def patch_method(desk: EmbeddedDesk) -> str:
        return desk.method_id

    @views.post("/n/model")
    async def post_model(order: ModelOrder) -> ModelOrder:
        return order

    @views.post("/n/struct")
    async def post_struct(line: StructLine) -> StructLine:
        return line

    @views.post("/n/lines")
    async def post_lines(lines: list[Line]) -> list[Line]:
        return lines

    @views.post("/n/pet")
    async def post_pet(
        pet: Annotated[Cat | Dog, Body(discriminator="pet_kind")],
    ) -> Annotated[Cat | Dog, Field(discriminator="pet_kind")]:
        return pet

    @views.post("/n/owner")
    async def post_owner(owner: Owner) -> Owner:
        return owner

    @views.post("/n/old-style")
    async def post_old(
        new_order: Order = Body(embed=True),  # noqa: B008 # how FastAPI was written once
        other_line: Line = Body(alias="one_line"),  # noqa: B008 # likewise
        page_size: int = Query(3, ge=1),
    ) -> list[Any]:
        return [new_order.order_lines[0].sku_code, other_line.sku_code, page_size]

    @views.post("/n/form")
    async def post_form(
        sku_code: Annotated[str, Form()], product_picture: Annotated[UploadFile, File()]
    ) -> list[Any]:
        return [sku_code, (await product_picture.read()).decode()]

    @views.post("/n/form-model")
    async def post_form_model(filters: Annotated[Filters, Form()]) -> Filters:
        return filters

    @views.get("/n/filters")
    async def get_filters(filters: Annotated[Filters, Query()]) -> Filters:
        return filters

    return views
