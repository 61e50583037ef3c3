"""Changing prices on the desktop: many at once, with a result for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bff_core import BulkAnswer, Require, Views, bulk_answer
from bffs.compositions.prices import PriceList
from bffs.scopes import PRICES_WRITE
from bffs.services.pricing import PriceChange
from bffs.services.values import Money


@dataclass(frozen=True, slots=True)
class WantedPrices:
    """The changes of a batch."""

    items: Annotated[Sequence[PriceChange], Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class ChangedPrice:
    """What a product costs after a change: the cheapest of its variants."""

    product_id: str
    price: Money


views = Views(prefix="/v1", tags=["prices"])


@views.post("/prices/bulk", status=207, access=Require(PRICES_WRITE))
async def change_prices(wanted: WantedPrices, prices: PriceList) -> BulkAnswer[ChangedPrice]:
    """Set what variants cost; a change that fails stops no other."""
    results = await prices.change(wanted.items)
    return bulk_answer(results, lambda price: ChangedPrice(price.product_id, price.price))
