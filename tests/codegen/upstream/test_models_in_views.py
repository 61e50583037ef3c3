"""Models of generated clients as answers of REST views and as sources of GraphQL types."""

import strawberry

from bff_core import Views, gateway
from bff_core.graphql import ShapeOf
from bff_core.testing import client as connect
from tests.codegen.upstream.generated import NUMBER, TEXT, client, document, get, ref, thing

SCHEMAS = {
    "Cat": thing("petType", petType=TEXT, bornAt={**TEXT, "format": "date-time"}),
    "Dog": thing("petType", petType=TEXT, age=NUMBER),
    "Pet": {
        "oneOf": [ref("Cat"), ref("Dog")],
        "discriminator": {"propertyName": "petType"},
    },
    "Circle": thing("r", r=NUMBER),
    "Square": thing("side", side=NUMBER),
    "Owner": thing(
        "name pets",
        name=TEXT,
        pets={"type": "array", "items": ref("Pet")},
    ),
    "Logo": {"oneOf": [ref("Circle"), ref("Square")]},
}


def owner(models):
    """Return an owner with a pet of each kind."""
    pets = (models.Cat(born_at=None), models.Dog(age=3))
    return models.Owner(name="Ada", pets=pets)


async def test_a_view_answers_with_a_model():
    """The answer has the contract's names and tags, and OpenAPI its schema."""
    with client(document({"/owner": get(ref("Owner"))}, SCHEMAS)) as made:
        views = Views(prefix="/v1")

        @views.get("/owner")
        async def get_owner() -> made.models.Owner:
            return owner(made.models)

        async with connect(lambda: gateway("shop", faces=[views])) as shop:
            answer = await shop.get("/v1/owner")
            described = await shop.get("/openapi.json")

    assert answer.json() == {
        "name": "Ada",
        "pets": [{"petType": "Cat", "bornAt": None}, {"petType": "Dog", "age": 3}],
    }
    assert "Owner" in described.json()["components"]["schemas"]


async def test_a_view_answers_with_a_union_without_tags():
    """A value of such a union is written as its own class, and OpenAPI lists the classes."""
    item = get(thing("logo id", logo=ref("Logo"), petId=NUMBER))
    with client(document({"/owner": item}, SCHEMAS)) as made:
        views = Views(prefix="/v1")

        @views.get("/logo")
        async def get_logo() -> made.models.ReadReply:
            return made.models.ReadReply(logo=made.models.Circle(r=2), id=1, pet_id=None)

        async with connect(lambda: gateway("shop", faces=[views])) as shop:
            answer = await shop.get("/v1/logo")
            described = await shop.get("/openapi.json")

    assert answer.json()["logo"] == {"r": 2}
    assert {"Circle", "Square"} <= described.json()["components"]["schemas"].keys()


def test_a_graphql_type_selects_from_a_model():
    """A shape of a model reads its attributes."""
    with client(document({"/owner": get(ref("Owner"))}, SCHEMAS)) as made:

        @strawberry.type
        class WebDog(ShapeOf[made.models.Dog]):
            age: int | None

        assert WebDog.of(made.models.Dog(age=3)).age == 3
