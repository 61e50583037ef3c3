"""Which paths of a reply stand for all that is below them."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from bff_core.inspection.usage.reply_fields import ends_of, used_paths


@dataclass
class Price:
    """A price."""

    amount: int
    currency: str


@dataclass
class Product:
    """A product whose prices may be anything."""

    price: Price | dict[str, Any]
    total: Annotated[Any, "or a price"] | Price


def ends(*attributes: str):
    return ends_of(used_paths(Product, lambda _, name: name in attributes, lambda _: False))


@pytest.mark.parametrize(("attribute", "end"), [("price", ("price", "{}")), ("total", ("total",))])
def test_a_value_of_any_members_counts_whole_beside_one_with_known_members(attribute, end):
    """What may be anything is used whole, although some code reads one field of it."""
    assert end in ends(attribute, "amount")


def test_a_field_that_leads_to_a_read_field_is_no_end():
    """Only what is read counts, not everything beside it."""
    assert ends_of(used_paths(list[Price], lambda _, name: name == "amount", lambda _: False)) == {
        ("[]", "amount")
    }
