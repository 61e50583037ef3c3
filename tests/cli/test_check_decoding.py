"""A change after which replies can't be decoded affects each view that makes the call."""

import dataclasses
from typing import Any

import msgspec
import pydantic
import pytest

from bff_core.cli.check.decoding import breaks_decoding
from bff_core.contracts.changes import openapi_changes
from bff_core.contracts.openapi import parse
from bff_core.contracts.usage import OperationUse
from bff_core.inspection.usage.operation_uses import ReplyUse
from bff_core.inspection.usage.reply_fields import closed_objects, declared_fields


@dataclasses.dataclass
class Maker:
    """The maker of a product."""

    name: str


@dataclasses.dataclass
class Product:
    """A product that ignores other fields."""

    title: str = ""
    maker: Maker | None = None


class StrictStruct(msgspec.Struct, forbid_unknown_fields=True):
    """A product that may have no other fields."""

    title: str = ""
    maker: Any = None


class StrictModel(pydantic.BaseModel, extra="forbid"):
    """A model that may have no other fields."""

    title: str = ""
    maker: Any = None


class OpenModel(pydantic.BaseModel):
    """A model that ignores other fields."""

    title: str = ""
    maker: Any = None


TEXT = {"type": "string"}


def document(maker: dict, **more):
    """Return a contract whose product has a maker, and more fields."""
    product = {"type": "object", "properties": {"title": TEXT, "maker": maker, **more}}
    content = {"application/json": {"schema": product}}
    get = {"responses": {"200": {"description": "ok", "content": content}}}
    return parse(
        {
            "openapi": "3.1.0",
            "info": {"title": "Catalog", "version": "1"},
            "paths": {"/product": {"get": get}},
        }
    )


def named(**properties):
    return {"type": "object", "required": [*properties], "properties": properties}


def use(reply):
    """Return the use of a view that makes the call and reads nothing."""
    call = OperationUse("catalog", "GET", "/product", frozenset(), frozenset(), ("g: GET /",))
    return ReplyUse(call, declared_fields(reply), "", closed=closed_objects(reply))


def broken(before, after, reply):
    """Return the rules of the changes after which a reply can't be decoded."""
    changes = openapi_changes(before, after)
    return {one.rule for one in changes if breaks_decoding(one, use(reply))}


def test_a_required_field_within_an_optional_object():
    """The object is sent still, without a field that its class requires."""
    before, after = document(named(name=TEXT, id=TEXT)), document(named(id=TEXT))

    assert broken(before, after, Product) == {"response-property-removed"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"title": "", "maker": {"id": "1"}}, Product)


@pytest.mark.parametrize("reply", [StrictStruct, StrictModel])
def test_a_new_field_of_a_class_that_forbids_others(reply):
    """A service adds a field, and the class accepts those only that it declares."""
    found = broken(document(TEXT), document(TEXT, colour=TEXT), reply)

    assert found == {"response-property-added"}


@pytest.mark.parametrize("reply", [Product, OpenModel])
def test_a_new_field_of_other_classes(reply):
    """Classes ignore fields that they don't declare, unless they forbid them."""
    assert broken(document(TEXT), document(TEXT, colour=TEXT), reply) == set()
