"""`Views(case="camel")`: two names in Python that would be one name are refused."""

# ruff: noqa: N803, N815 # names in camelCase are what is tested

import json
from typing import Annotated, Any

import pytest
from fastapi import Depends, Form, Query
from pydantic import BaseModel, ConfigDict, Field, computed_field

from bff_core import ANYONE, Composition, ConfigurationError, Views, critical
from bff_core.rest.response_model import Dump, ResponseModel


class Money(BaseModel):
    """A body."""

    amount: int = 1


class Two(BaseModel):
    """A model whose fields would have one name."""

    a_b: int = 1
    aB: int = 2


class Read(BaseModel):
    """A model of which one field is read under the name of another."""

    a_b: int = 1
    other: int = Field(2, validation_alias="aB")


class Computed(BaseModel):
    """A model that computes a field under the name of another."""

    aB: int = 1

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented form
    @property
    def a_b(self) -> int:
        """A field that is only written."""
        return 1


class Filters(BaseModel):
    """Query parameters."""

    page_size: int = 1


class Paged(Composition):
    """A screen with an input."""

    page_size: int = 3

    @critical
    async def page(self) -> int:
        """Return the input."""
        return self.page_size


class Twice(Composition):
    """A screen whose inputs would have one name."""

    page_size: int = 3
    pageSize: int = 4

    @critical
    async def page(self) -> int:
        """Return one of the inputs."""
        return self.page_size


def of_caller(pageSize: int = 1) -> int:
    """Read a parameter, whose name stays."""
    return pageSize


QUERY: dict[str, dict[str, Any]] = {
    "parameters": {"page_size": int, "pageSize": int},
    "inputs of a screen": {"screen": Twice},
    "an input and a parameter": {"screen": Paged, "pageSize": int},
    "a chosen name": {"page_size": int, "other": Annotated[int, Query(alias="pageSize")]},
    "fields of a model": {"given": Annotated[Two, Query()]},
    "an alias of a model": {"given": Annotated[Read, Query()]},
    "a dependency": {"page_size": int, "other": Annotated[int, Depends(of_caller)]},
}


def declare(hints: dict[str, Any]) -> None:
    """Declare a view with parameters of these types."""
    names = ", ".join(hints)
    scope: dict[str, Any] = {}
    exec(f"async def show({names}): return 1", scope)  # parameters of any name
    scope["show"].__annotations__ = {**hints, "return": int}
    Views(access=ANYONE, case="camel").post("/show")(scope["show"])


@pytest.mark.parametrize("name", QUERY)
def test_query_parameters_of_one_name_are_refused(name):
    """One value would be read for two inputs."""
    with pytest.raises(
        ConfigurationError, match=r"query parameters .* are both (pageSize|aB) in camelCase: rename"
    ):
        declare(QUERY[name])


@pytest.mark.parametrize("kind", [Money, Annotated[str, Form()]])
def test_fields_of_a_body_of_one_name_are_refused(kind):
    """Bodies that share the JSON object are named, and so are the fields of a form."""
    with pytest.raises(ConfigurationError, match="fields of the body first_one and firstOne"):
        declare({"first_one": kind, "firstOne": kind})


@pytest.mark.parametrize("kind", [Two, Read, Computed])
def test_fields_of_a_class_of_one_name_are_refused(kind):
    """The names that are read count as well as those that are written."""
    with pytest.raises(ConfigurationError, match=f"{kind.__name__}: the fields .* aB in camelCase"):
        declare({"given": kind})


@pytest.mark.parametrize(
    "hints",
    [
        {"screen": Paged, "page_size": int},
        {"screen": Paged, "given": Annotated[Filters, Query()]},
        {"page_size": int, "the_body": Money},
    ],
)
def test_one_parameter_may_be_read_twice(hints):
    """A view and its screen share a parameter, as they do without a case."""
    declare(hints)


class Open(BaseModel):
    """A model that takes any other field."""

    model_config = ConfigDict(extra="allow")

    a_b: int


def test_an_extra_value_does_not_repeat_the_name_of_a_field():
    """JSON with a name twice means something else to each of its readers; the field is written."""
    value = Open.model_validate({"a_b": 1, "aB": 2, "c_d": 3})

    body = ResponseModel(Open, Dump(), "show", "camel").encode(value)

    assert json.loads(body, object_pairs_hook=list) == [("aB", 1), ("c_d", 3)]
    assert value.model_extra == {"aB": 2, "c_d": 3}
