"""Unions with discriminators, be they listed by the base or made by those that extend it."""

from typing import Any

from bff_core.contracts.types import Discriminator, Field, ObjectType, Ref, Scalar, Union
from tests.contracts.openapi.documents import type_of, with_schemas

TEXT = Scalar("string")


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def child(**properties: Any) -> dict[str, Any]:
    """Return a schema that extends Pet."""
    own = {"type": "object", "properties": properties}
    return {"allOf": [ref("Pet"), own]}


PET = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}, "friend": ref("Pet")},
    "discriminator": {"propertyName": "kind"},
}
KIND = Field("kind", TEXT, is_required=True)
FRIEND = Field("friend", Ref("Pet"))


def test_a_base_is_the_union_of_those_that_extend_it() -> None:
    """A field of type Pet holds a Cat or a Dog, and those have the fields of Pet."""
    types = with_schemas(
        {
            "Pet": PET,
            "Cat": child(claws={"type": "integer"}),
            "Dog": child(bark={"type": "string"}),
            "Puppy": {"allOf": [ref("Dog"), {"properties": {"age": {"type": "integer"}}}]},
        }
    ).types

    implied = {"Cat": "Cat", "Dog": "Dog", "Puppy": "Puppy"}
    assert types["Pet"].type == Union(
        (Ref("Cat"), Ref("Dog"), Ref("Puppy")), Discriminator("kind", implied)
    )
    assert types["Cat"].type == ObjectType((KIND, FRIEND, Field("claws", Scalar("integer"))))
    assert types["Puppy"].type == ObjectType(
        (KIND, FRIEND, Field("bark", TEXT), Field("age", Scalar("integer")))
    )


def test_a_mapping_names_the_values() -> None:
    """By the name of a schema, or by a reference; others have the name of their schema."""
    mapping = {"cat": "Cat", "hund": "#/components/schemas/Dog"}
    base = PET | {"discriminator": {"propertyName": "kind", "mapping": mapping}}

    types = with_schemas({"Pet": base, "Cat": child(), "Dog": child(), "Fish": child()}).types

    pet = types["Pet"].type
    assert isinstance(pet, Union)
    assert pet.discriminator == Discriminator("kind", {"cat": "Cat", "hund": "Dog", "Fish": "Fish"})


def test_a_base_in_its_own_mapping_is_an_option() -> None:
    """It gets a name of its own, so that the union does not contain itself."""
    mapping = {"pet": "Pet", "cat": "Cat"}
    base = PET | {"discriminator": {"propertyName": "kind", "mapping": mapping}}

    types = with_schemas({"Pet": base, "Cat": child()}).types

    expected = Discriminator("kind", {"pet": "PetBase", "cat": "Cat"})
    assert types["Pet"].type == Union((Ref("Cat"), Ref("PetBase")), expected)
    assert types["PetBase"].type == ObjectType((KIND, FRIEND))


def test_a_base_without_children_is_an_object() -> None:
    """A discriminator alone makes no union."""
    assert with_schemas({"Pet": PET}).types["Pet"].type == ObjectType((KIND, FRIEND))


def test_a_child_without_members_of_its_own_is_an_object() -> None:
    """Not the union that it is an option of."""
    types = with_schemas({"Pet": PET, "Cat": {"allOf": [ref("Pet")]}, "Dog": child()}).types

    assert types["Cat"].type == ObjectType((KIND, FRIEND))


def test_a_base_that_lists_its_children() -> None:
    """`oneOf` in the base, `allOf` of the base in each option: no endless recursion."""
    base = {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "oneOf": [ref("Cat"), ref("Dog")],
        "discriminator": {"propertyName": "kind", "mapping": {"c": "Cat", "d": "Dog"}},
    }

    types = with_schemas({"Pet": base, "Cat": child(claws={}), "Dog": child()}).types

    expected = Discriminator("kind", {"c": "Cat", "d": "Dog"})
    assert types["Pet"].type == Union((Ref("Cat"), Ref("Dog")), expected)
    assert [field.name for field in types["Cat"].type.fields] == ["kind", "claws"]
    assert [field.name for field in types["Dog"].type.fields] == ["kind"]


def test_options_are_merged_with_what_holds_for_all() -> None:
    """An option that lacks a property of the base gets a name for the mapping."""
    base = {
        "properties": {"kind": {"type": "string"}},
        "oneOf": [ref("Cat")],
        "discriminator": {"propertyName": "kind"},
    }
    cat = {"type": "object", "properties": {"claws": {"type": "integer"}}}

    types = with_schemas(
        {"Pet": {**base, "oneOf": [ref("Cat"), ref("Dog")]}, "Cat": cat, "Dog": cat}
    ).types

    expected = Discriminator("kind", {"Cat": "PetCat", "Dog": "PetDog"})
    assert types["Pet"].type == Union((Ref("PetCat"), Ref("PetDog")), expected)
    assert [field.name for field in types["PetCat"].type.fields] == ["kind", "claws"]


def test_values_of_the_property_are_implied() -> None:
    """A `const` of each option says more than the name of its schema."""
    options = {
        "Cat": {"properties": {"kind": {"const": "cat"}}},
        "Dog": {"properties": {"kind": {"enum": ["dog", "puppy"]}}},
    }
    schema = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind"}}

    kind = type_of(schema, **options)

    assert isinstance(kind, Union)
    assert kind.discriminator == Discriminator("kind", {"cat": "Cat", "dog": "Dog", "puppy": "Dog"})


def test_values_that_all_options_allow_imply_nothing() -> None:
    """Then the names of the schemas count."""
    both = {"properties": {"kind": {"enum": ["Cat", "Dog"]}}}
    schema = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind"}}

    kind = type_of(schema, Cat=both, Dog=both)

    assert isinstance(kind, Union)
    assert kind.discriminator == Discriminator("kind", {"Cat": "Cat", "Dog": "Dog"})


def test_a_mapping_to_nothing_is_noted() -> None:
    """With what was probably meant."""
    spec = {"propertyName": "kind", "mapping": {"cat": "Catt", "dog": "Other"}}
    document = with_schemas(
        {
            "Pet": {"oneOf": [ref("Cat"), ref("Cow")], "discriminator": spec},
            "Cat": {"properties": {"a": {}}},
            "Cow": {"properties": {"b": {}}},
            "Other": {},
        }
    )

    place = "#/components/schemas/Pet: the discriminator's"
    lost = "#/components/schemas has no member 'Catt'; did you mean #/components/schemas/Cat?"
    assert document.notes == (
        f"{place} mapping of 'cat': {lost}",
        f"{place} value 'dog' stands for none of the options",
    )


def test_a_union_of_all_that_extend_a_base_is_the_base() -> None:
    """Some generators list them where a base is used, without its discriminator."""
    all_of_them = {"oneOf": [ref("Cat"), ref("Dog")]}
    with_base = {"oneOf": [ref("Pet"), ref("Cat"), ref("Dog")]}
    schemas = {"Pet": PET, "Cat": child(), "Dog": child(), "A": all_of_them, "B": with_base}

    types = with_schemas(schemas).types

    assert types["A"].type == types["B"].type == Ref("Pet")


def test_a_union_of_some_that_extend_a_base_has_its_discriminator() -> None:
    """With the values of its own options."""
    mapping = {"c": "Cat", "d": "Dog", "f": "Fish"}
    base = PET | {"discriminator": {"propertyName": "kind", "mapping": mapping}}
    some = {"oneOf": [ref("Cat"), ref("Dog")]}
    schemas = {"Pet": base, "Cat": child(), "Dog": child(), "Fish": child(), "A": some}

    document = with_schemas(schemas)

    expected = Discriminator("kind", {"c": "Cat", "d": "Dog"})
    assert document.types["A"].type == Union((Ref("Cat"), Ref("Dog")), expected)
    assert document.notes == ()


def test_a_union_with_others_has_no_discriminator() -> None:
    """A schema that does not extend the base need not have its property."""
    some = {"oneOf": [ref("Cat"), ref("Car")]}
    schemas = {"Pet": PET, "Cat": child(), "Car": {"properties": {"a": {}}}, "A": some}

    assert with_schemas(schemas).types["A"].type == Union((Ref("Cat"), Ref("Car")))


def test_a_union_that_lists_itself_does_not_stand_for_a_value() -> None:
    """Neither as an option nor in the mapping."""
    schema = {
        "oneOf": [ref("It"), ref("Cat"), ref("Dog")],
        "discriminator": {"propertyName": "kind"},
    }

    kind = type_of(schema, Cat={"properties": {"a": {}}}, Dog={"properties": {"b": {}}})

    expected = Discriminator("kind", {"Cat": "Cat", "Dog": "Dog"})
    assert kind == Union((Ref("Cat"), Ref("Dog")), expected)
