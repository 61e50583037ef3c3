"""NaN, infinity and half surrogate pairs, which JSON can't represent, in answers."""

import pytest
import strawberry

from bff_core import ANYONE, access
from bff_core.events import Crashed

NUMBERS = {"nan": float("nan"), "infinity": float("inf"), "minus": float("-inf")}
HALF = "a\ud83d"


@strawberry.type
class Inner:
    """Numbers and texts, some of which may be null."""

    number: float
    text: str = ""


@access(ANYONE)
@strawberry.type
class Odd:
    """Fields with values that JSON can't represent."""

    @strawberry.field
    def number(self, of: str) -> float | None:
        return NUMBERS[of]

    @strawberry.field
    def numbers(self, of: str) -> list[float | None]:
        return [1.0, NUMBERS[of]]

    @strawberry.field
    def inner(self, of: str) -> Inner | None:
        return Inner(number=NUMBERS[of])

    @strawberry.field
    def text(self) -> str | None:
        return HALF

    @strawberry.field
    def texts(self) -> list[Inner]:
        return [Inner(number=1.0, text=HALF)]


@pytest.mark.parametrize("of", NUMBERS)
@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("number(of: $of)", None),
        ("numbers(of: $of)", [1.0, None]),
        ("inner(of: $of) {number}", None),
    ],
    ids=["field", "list", "inner"],
)
async def test_number_without_a_json_form_is_null_with_an_error(shop, of, field, data):
    """The nearest nullable field is null, and an error has its path."""
    async with shop(schema=strawberry.Schema(Odd)) as open_shop:
        query = f"query($of: String!) {{ one: {field} }}"
        answer = await open_shop.ask(query, of=of)

    assert answer.status_code == 200
    entry = answer.json()
    assert entry["data"] == {"one": data}
    assert [error["extensions"]["code"] for error in entry["errors"]] == ["internal_error"]
    assert any(isinstance(event, Crashed) for event in open_shop.heard)


@pytest.mark.parametrize("field", ["text", "texts {text}"])
async def test_half_a_surrogate_pair_is_an_error(shop, field):
    """It can't be sent as UTF-8, so the client gets an error."""
    async with shop(schema=strawberry.Schema(Odd)) as open_shop:
        answer = await open_shop.ask(f"{{ one: {field} }}")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
