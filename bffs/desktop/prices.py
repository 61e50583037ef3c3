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
class WantedMoney:
    """An amount in minor units of a currency (ISO 4217)."""

    amount: Annotated[int, Field(ge=0, le=1_000_000_000)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", max_length=3)]


@dataclass(frozen=True, slots=True)
class WantedPrice:
    """What a variant is to cost."""

    sku: Annotated[str, Field(min_length=1, max_length=64)]
    price: WantedMoney

    def as_change(self) -> PriceChange:
        """Return the change for the service."""
        return PriceChange(self.sku, Money(self.price.amount, self.price.currency))


@dataclass(frozen=True, slots=True)
class WantedPrices:
    """The changes of a batch."""

    items: Annotated[Sequence[WantedPrice], Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class ChangedPrice:
    """What a product costs after a change: the cheapest of its variants."""

    product_id: str
    price: Money


views = Views(prefix="/v1", tags=["prices"])


@views.post("/prices/bulk", status=207, access=Require(PRICES_WRITE))
async def change_prices(wanted: WantedPrices, prices: PriceList) -> BulkAnswer[ChangedPrice]:
    """Set what variants cost; a change that fails stops no other."""
    results = await prices.change([one.as_change() for one in wanted.items])
    return bulk_answer(results, lambda price: ChangedPrice(price.product_id, price.price))
