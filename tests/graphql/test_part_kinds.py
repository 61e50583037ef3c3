"""Parts in interfaces, unions, generic types, derived types and federation."""

from part_kinds import SCHEMA, LargeZoo, ManyZoos, TownHall, Zoo

from bff_core.graphql import GraphQL

QUERY = """{
  sight { dogs(first: 1) { name } }
  large {
    dogs { name barks loud }
    fish { name friends { name friends { name } } }
    either { name kind }
    mayor
    pages { items { name } total }
    pet { __typename name loud }
    cage { animals { __typename ... on Dog { barks } ... on Fish { name } } first { __typename } }
  }
}"""

DATA = {
    "sight": {"dogs": [{"name": "Ulm 0"}]},
    "large": {
        "dogs": [
            {"name": "large 0", "barks": True, "loud": "LARGE 0"},
            {"name": "large 1", "barks": True, "loud": "LARGE 1"},
        ],
        "fish": {"name": "Nemo", "friends": [{"name": "Dory", "friends": []}]},
        "either": {"name": "Rex", "kind": "Dog"},
        "mayor": "mayor of Ulm, Bonn",
        "pages": {"items": [{"name": "large 0"}, {"name": "large 1"}], "total": 2},
        "pet": {"__typename": "Dog", "name": "large 0", "loud": "LARGE 0"},
        "cage": {
            "animals": [
                {"__typename": "Dog", "barks": True},
                {"__typename": "Fish", "name": "Nemo"},
            ],
            "first": {"__typename": "Fish"},
        },
    },
}


async def test_parts_work_in_all_kinds_of_types(shop):
    """Interfaces, unions, generic and derived types, lazy types, parts that are overridden."""
    async with shop(schema=SCHEMA) as open_shop:
        answer = await open_shop.ask(QUERY)

    assert answer.json().get("errors") is None
    assert answer.json()["data"] == DATA
    assert {"dogs", "fish", "cage", "mayor"} == answer.json()["extensions"]["parts"].keys()


def test_federation_prints_directives_of_parts():
    """A field of `part()` takes directives as any field does."""
    assert "dogs(first: Int! = 2): [Dog!]! @shareable" in SCHEMA.as_str()


def test_compositions_of_derived_types_are_reported():
    """Private fields are found although their annotations are strings."""
    assert {*GraphQL(SCHEMA).compositions} == {Zoo, TownHall, ManyZoos}
    assert issubclass(LargeZoo, Zoo)


def test_inherited_part_is_of_the_screen_that_is_named():
    """`screen(ManyZoos.cage)` composes `ManyZoos`, although `Zoo` declares the part."""
    assert 'inherited(town: String! = "Ulm", number: Int!): Cage!' in SCHEMA.as_str()
