"""Models of generated clients: what replies become, and what bodies are sent."""

import dataclasses
import datetime as dt
import enum
import json
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from bff_core import BadPayload, Policy
from bff_core.testing.scripted import Scripted, reply
from tests.codegen.upstream.generated import (
    NUMBER,
    TEXT,
    answers,
    client,
    document,
    get,
    ref,
    thing,
)


async def read(schema, value, schemas=None, policy=None):
    """Return a value that a service sends for a schema, as its client returns it."""
    with client(document({"/x": get(schema)}, schemas)) as made:
        return await made.over(Scripted(reply(200, value)), policy).read()


async def test_an_object_is_a_frozen_dataclass():
    """A schema in snake case needs no more than a dataclass."""
    schemas = {"Pet": {**thing("id", id=NUMBER, name=TEXT), "description": "An animal."}}
    with client(document({"/pet": get(ref("Pet"))}, schemas)) as made:
        pet = await made.over(Scripted(reply(200, {"id": 1}))).read()

        assert pet == made.models.Pet(id=1, name=None)
        assert dataclasses.is_dataclass(pet)
        assert made.models.Pet.__doc__ == "An animal."
        with pytest.raises(dataclasses.FrozenInstanceError):
            pet.id = 2


async def test_names_in_camel_case_become_snake_case():
    """Attributes are Python's, names in JSON the contract's, in both directions."""
    schemas = {"Pet": thing("petId", petId=NUMBER, **{"X-Odd name": TEXT, "bornAt": TEXT})}
    operation = {
        "operationId": "save",
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Pet")}}},
        "responses": answers(ref("Pet")),
    }
    with client(document({"/pet": {"put": operation}}, schemas)) as made:
        script = Scripted(reply(200, {"petId": 3, "X-Odd name": "x"}))
        sent = made.models.Pet(pet_id=3, x_odd_name="x")

        assert await made.over(script).save(body=sent) == sent
        assert json.loads(script.calls[0].body) == {"petId": 3, "X-Odd name": "x"}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({**TEXT, "format": "date-time"}, "2026-01-02T03:04:05Z",
         dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ({**TEXT, "format": "date"}, "2026-01-02", dt.date(2026, 1, 2)),
        ({**TEXT, "format": "time"}, "03:04:05", dt.time(3, 4, 5)),
        ({**TEXT, "format": "duration"}, "PT90S", dt.timedelta(seconds=90)),
        ({**TEXT, "format": "uuid"}, "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
         UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")),
        ({**TEXT, "format": "byte"}, "aGk=", b"hi"),
        ({"type": "number", "format": "decimal"}, "10.50", Decimal("10.50")),
        ({"type": "integer", "format": "int64"}, 2**60, 2**60),
        ({"type": "number"}, 1.5, 1.5),
        ({"type": "array", "items": NUMBER}, [1, 2], (1, 2)),
        ({"type": "array", "prefixItems": [NUMBER, TEXT], "items": False}, [1, "a"], (1, "a")),
        ({"type": "object", "additionalProperties": NUMBER}, {"a": 1}, {"a": 1}),
        ({"const": "on"}, "on", "on"),
        ({"type": ["string", "null"]}, None, None),
        ({"type": ["string", "integer"]}, 7, 7),
        ({}, {"any": [1]}, {"any": [1]}),
    ],
)  # fmt: skip
async def test_formats_become_types_of_python(schema, value, expected):
    """Each type and format of JSON Schema has its type."""
    assert await read(schema, value) == expected


async def test_absent_null_and_default_values():
    """An optional field has the contract's default, else None; a required null is None."""
    schemas = {
        "Pet": thing(
            "owner",
            owner={"type": ["string", "null"]},
            size={"type": "string", "default": "small"},
            tags={"type": "array", "items": TEXT, "default": []},
            state={"$ref": "#/components/schemas/State", "default": "new"},
            age=NUMBER,
        ),
        "State": {"type": "string", "enum": ["new", "old"]},
    }
    pet = await read(ref("Pet"), {"owner": None}, schemas)

    assert (pet.owner, pet.size, pet.tags, pet.state, pet.age) == (None, "small", (), "new", None)
    with pytest.raises(BadPayload):
        await read(ref("Pet"), {}, schemas)


async def test_enums_are_classes_with_members():
    """Texts are a StrEnum, numbers an IntEnum; names are valid whatever the values are."""
    schemas = {
        "Mood": {"type": "string", "enum": ["very happy", "class", "2fa", "+1", "-1", ""]},
        "Level": {"type": "integer", "enum": [1, 2], "x-enum-varnames": ["low", "high"]},
        "Pet": thing("mood level", mood=ref("Mood"), level=ref("Level")),
    }
    with client(document({"/pet": get(ref("Pet"))}, schemas)) as made:
        pet = await made.over(Scripted(reply(200, {"mood": "class", "level": 2}))).read()

        assert isinstance(pet.mood, enum.StrEnum)
        assert pet.mood is made.models.Mood.CLASS
        assert pet.level is made.models.Level.HIGH
        assert [one.name for one in made.models.Mood][:6] == [
            *("VERY_HAPPY", "CLASS", "N_2FA", "PLUS_1", "MINUS_1", "EMPTY")
        ]


async def test_tolerant_reading_knows_no_new_member():
    """A service that is newer than the contract does not fail a view."""
    schemas = {"Pet": thing("mood", mood={"type": "string", "enum": ["glad", "sad"]})}
    value = {"mood": "curious"}

    pet = await read(ref("Pet"), value, schemas, Policy(reading="tolerant"))

    assert pet.mood.name == "UNRECOGNIZED"
    with pytest.raises(BadPayload):
        await read(ref("Pet"), value, schemas)


UNION = {
    "Cat": thing("kind lives", kind=TEXT, lives=NUMBER),
    "Dog": thing("kind bark", kind=TEXT, bark=TEXT),
}


async def test_a_discriminator_selects_the_class():
    """A union with a discriminator is decoded by it, in lists and recursive types as well."""
    schemas = {
        "Cat": thing("petType", petType=TEXT, kittens={"type": "array", "items": ref("Pet")}),
        "Dog": thing("petType bark", petType=TEXT, bark=TEXT),
        "Pet": {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {
                "propertyName": "petType",
                "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
            },
        },
    }
    value = [{"petType": "cat", "kittens": [{"petType": "dog", "bark": "wow"}]}]
    with client(document({"/x": get({"type": "array", "items": ref("Pet")})}, schemas)) as made:
        [cat] = await made.over(Scripted(reply(200, value))).read()

        assert isinstance(cat, made.models.Cat)
        assert cat.kittens == (made.models.Dog(bark="wow"),)
        assert cat.pet_type == "cat"
        assert json.loads(msgspec.json.encode(cat)) == {
            "petType": "cat",
            "kittens": [{"petType": "dog", "bark": "wow"}],
        }
        with pytest.raises(BadPayload):
            await made.over(Scripted(reply(200, [{"petType": "cow"}]))).read()


async def test_one_class_for_several_values_of_a_discriminator():
    """Where two values mean one class, a function decodes the union, with the same result."""
    schemas = {
        **UNION,
        "Pet": {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {
                "propertyName": "kind",
                "mapping": {
                    "cat": "#/components/schemas/Cat",
                    "tom": "#/components/schemas/Cat",
                    "dog": "#/components/schemas/Dog",
                },
            },
        },
    }
    pet = await read(ref("Pet"), {"kind": "tom", "lives": 9}, schemas)

    assert (type(pet).__name__, pet.kind, pet.lives) == ("Cat", "tom", 9)


async def test_a_discriminator_that_the_service_leaves_out():
    """Where the property is optional, the fields of an object decide without it."""
    schemas = {
        "Cat": thing("", kind=TEXT, lives=NUMBER),
        "Dog": thing("", kind=TEXT, bark=TEXT),
        "Pet": {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {"propertyName": "kind"},
        },
    }
    by_fields = await read(ref("Pet"), {"bark": "wow"}, schemas)
    by_kind = await read(ref("Pet"), {"kind": "Cat", "bark": "wow"}, schemas)

    assert (type(by_fields).__name__, type(by_kind).__name__) == ("Dog", "Cat")


@pytest.mark.parametrize(
    ("value", "discriminator"),
    [
        ({"const": "dog"}, {"propertyName": "kind"}),
        ({"const": "dog"}, None),
        ({"enum": ["dog"]}, None),
        ({"type": "string"}, {"propertyName": "kind"}),
    ],
)
async def test_a_discriminator_with_a_default_is_sent(value, discriminator):
    """A discriminator that pydantic declares with a default is in each body, and in answers."""
    schemas = {
        "Cat": thing("", kind={"const": "cat", "default": "cat"}, lives=NUMBER),
        "Dog": thing("", kind={**value, "default": "dog"}, bark=TEXT),
        "Pet": {"oneOf": [ref("Cat"), ref("Dog")]},
    }
    if discriminator is not None:
        mapping = {one.lower(): f"#/components/schemas/{one}" for one in ("Cat", "Dog")}
        schemas["Pet"]["discriminator"] = {**discriminator, "mapping": mapping}
    service = Scripted(reply(200, {"kind": "dog", "bark": "wow"}))
    body = {"content": {"application/json": {"schema": ref("Pet")}}}
    create = {"operationId": "create", "requestBody": body, "responses": answers(ref("Pet"))}
    with client(document({"/x": {"post": create}}, schemas)) as made:
        got = await made.over(service).create(body=made.models.Dog(bark="wow"))

        assert json.loads(service.calls[0].body) == {"kind": "dog", "bark": "wow"}
        assert (type(got).__name__, got.kind) == ("Dog", "dog")
        assert json.loads(msgspec.json.encode(got)) == {"kind": "dog", "bark": "wow"}


async def test_a_discriminator_of_several_values_has_to_be_given():
    """Where one class has two values, its property has no default, which bodies would lack."""
    kinds = {"enum": ["cat", "tom"], "default": "cat"}
    schemas = {
        **UNION,
        "Cat": thing("", kind=kinds, lives=NUMBER),
        "Pet": {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {
                "propertyName": "kind",
                "mapping": {
                    "cat": "#/components/schemas/Cat",
                    "tom": "#/components/schemas/Cat",
                    "dog": "#/components/schemas/Dog",
                },
            },
        },
    }
    service = Scripted(reply(200, {"kind": "cat"}))
    body = {"content": {"application/json": {"schema": ref("Pet")}}}
    create = {"operationId": "create", "requestBody": body, "responses": answers(ref("Pet"))}
    with client(document({"/x": {"post": create}}, schemas)) as made:
        await made.over(service).create(body=made.models.Cat(kind="cat"))

        assert json.loads(service.calls[0].body) == {"kind": "cat"}


async def test_constants_discriminate_without_a_discriminator():
    """Classes whose `type` has one value each need no discriminator."""
    schemas = {
        "Cat": thing("type", type={"const": "cat"}),
        "Dog": thing("type", type={"type": "string", "enum": ["dog"]}),
        "Pet": {"anyOf": [ref("Cat"), ref("Dog")]},
    }
    pet = await read(ref("Pet"), {"type": "dog"}, schemas)

    assert (type(pet).__name__, pet.type) == ("Dog", "dog")


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"name": "x"}, "Named"), ({"name": "x", "size": 3}, "Sized"), ("plain", "str"),
     ([{"name": "x", "size": 3}], "tuple")],
)  # fmt: skip
async def test_a_union_without_tags_takes_the_option_that_fits_best(value, expected):
    """An object becomes the class that has fields for most of it; texts and lists stay apart."""
    schemas = {
        "Named": thing("name", name=TEXT),
        "Sized": thing("name size", name=TEXT, size=NUMBER),
        "Any": {
            "oneOf": [
                ref("Named"),
                ref("Sized"),
                TEXT,
                {"type": "array", "items": ref("Any")},
            ]
        },
    }
    found = await read(ref("Any"), value, schemas)

    assert type(found).__name__ == expected
    if expected == "tuple":
        assert type(found[0]).__name__ == "Sized"


async def test_a_value_of_no_option_is_a_bad_payload():
    """A union does not pass what fits none of its options, and quotes none of it."""
    schemas = {**UNION, "Pet": {"oneOf": [ref("Cat"), ref("Dog")]}}

    with pytest.raises(BadPayload) as caught:
        await read(ref("Pet"), {"secret": "s3cret"}, schemas)

    assert "Pet" in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_inline_objects_have_names():
    """A nested object is named by its parent and field; recursion and allOf need nothing."""
    schemas = {
        "Base": thing("id", id=NUMBER),
        "Node": {
            "allOf": [ref("Base"), thing(next=ref("Node"), owner=thing(fullName=TEXT))],
        },
    }
    value = {"id": 1, "next": {"id": 2}, "owner": {"fullName": "Ada"}}
    node = await read(ref("Node"), value, schemas)

    assert (node.next.id, node.next.next) == (2, None)
    assert type(node.owner).__name__ == "NodeOwner"
    assert node.owner.full_name == "Ada"


def patched(schemas, method="patch"):
    """Return a document whose only operation sends a Pet and returns one."""
    operation = {
        "operationId": "save",
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Pet")}}},
        "responses": answers(ref("Pet")),
    }
    return document({"/pet": {method: operation}}, schemas)


async def test_requests_have_a_class_of_their_own_where_they_differ():
    """Read-only properties are not sent, and write-only ones not read."""
    schemas = {
        "Pet": thing(
            "id name secret",
            id={**NUMBER, "readOnly": True},
            name=TEXT,
            secret={**TEXT, "writeOnly": True},
        )
    }
    with client(patched(schemas, "put")) as made:
        script = Scripted(reply(200, {"id": 1, "name": "Tom"}))
        pet = await made.over(script).save(body=made.models.PetInput(name="Tom", secret="s"))

        assert pet == made.models.Pet(id=1, name="Tom")
        assert json.loads(script.calls[0].body) == {"name": "Tom", "secret": "s"}


async def test_a_patch_can_send_null_and_leave_out():
    """Null deletes a value in a merge patch, so it differs from no value."""
    schemas = {"Pet": thing("", name={"type": ["string", "null"]}, age=NUMBER)}
    with client(patched(schemas)) as made:
        script = Scripted(reply(200, {}))
        shop = made.over(script)

        await shop.save(body=made.models.PetInput(name=None))
        await shop.save(body=made.models.PetInput(age=2))

        assert [call.body for call in script.calls] == [b'{"name":null}', b'{"age":2}']


async def test_names_that_python_or_the_module_has_are_changed():
    """A schema may have the name of a builtin or an import, and a field that of a type."""
    fields = thing("str", str=TEXT, int=NUMBER, date={**TEXT, "format": "date"}, list=TEXT)
    names = ("list", "str", "Optional", "datetime", "Any", "Literal", "Struct", "Exception", "None")
    schemas = dict.fromkeys(names, fields)
    everything = thing("", **{name: ref(name) for name in names}, self=TEXT, **{"class": TEXT})
    with client(document({"/x": get(everything)}, schemas)) as made:
        value = {name: {"str": "a", "date": "2026-01-02"} for name in names}
        found = await made.over(Scripted(reply(200, {**value, "class": "c", "self": "s"}))).read()

        assert found.list.str_ == "a"
        assert found.datetime.date == dt.date(2026, 1, 2)
        assert (found.class_, found.self) == ("c", "s")
        assert type(found.any).__name__ == "AnyModel"
