"""Inputs that no request can have: the error names the field, its type, and what may be meant."""

import subprocess
import sys
import typing
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
import typing_extensions

from bff_core import ANYONE, Composition, ConfigurationError, Upstream, Views, critical


class Stars(Upstream):
    """A service."""

    name = "stars_service"


@dataclass
class Star:
    """A type of the service: one letter from its class."""

    count: int


class Money:
    """A class that pydantic does not know."""


@dataclass
class Cart:
    """A body with a field that has no JSON form."""

    prices: list[Money]


class Row(typing.TypedDict):
    """A mapping that pydantic does not take before Python 3.12."""

    amount: int


def declare(kind: object, *, method: str = "post") -> None:
    """Declare a view of a screen with a field of a type."""

    class Page(Composition):
        found: kind  # type: ignore[valid-type]  # made for each test

        @critical
        async def number(self) -> int:
            return 1

    async def get_page(page: object) -> int:
        """Take the screen."""
        return 1

    get_page.__annotations__["page"] = Page
    getattr(Views(access=ANYONE), method)("/page")(get_page)


@pytest.mark.parametrize(
    ("kind", "method", "expected"),
    [
        (Star, "get", "Page.found is read from a body, and a GET has none"),
        (Star, "get", "Star is no service: is Stars meant?"),
        (Money, "post", "Page.found is Money, which is no service, and no request can have one"),
        (Cart, "post", "Page.found is Cart ($.prices[] is Money)"),
    ],
)
def test_a_field_that_is_no_service(kind: object, method: str, expected: str) -> None:
    """A type in place of the class of a service is named, with the service that is close to it."""
    with pytest.raises(ConfigurationError) as caught:
        declare(kind, method=method)

    assert expected in str(caught.value)


def test_a_typed_dict_of_typing() -> None:
    """Pydantic takes it since Python 3.12; before, the error has the module to import from."""

    async def add_row(row: Row) -> int:
        return row["amount"]

    is_taken = sys.version_info >= (3, 12)
    advice = pytest.raises(ConfigurationError, match="import TypedDict from typing_extensions")
    with nullcontext() if is_taken else advice:
        Views(access=ANYONE).post("/rows")(add_row)


def test_a_typed_dict_of_typing_extensions() -> None:
    """The one that the error advises is a body."""

    class Line(typing_extensions.TypedDict):
        amount: int

    async def add_line(line: Line) -> int:
        return line["amount"]

    Views(access=ANYONE).post("/lines")(add_line)


@pytest.mark.slow
def test_the_reader_of_forms_is_not_blamed() -> None:
    """Without python-multipart a type that can't be read has the same error as with it."""
    code = (
        "import sys; sys.modules['python_multipart'] = None\n"
        "from bff_core import ANYONE, Views\n"
        "class Money: ...\n"
        "async def pay(price: Money) -> int: ...\n"
        "try:\n    Views(access=ANYONE).post('/pay')(pay)\n"
        "except Exception as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )

    assert "price is Money, which no request has" in done.stdout
    assert "uploads" not in done.stdout
