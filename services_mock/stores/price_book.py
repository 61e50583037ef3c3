"""All prices: the seeded ones, and changes since."""

from dataclasses import replace

from services_mock.data import goods, prices, seed
from services_mock.data.money import Money
from services_mock.data.prices import Price, SkuPrice
from services_mock.problems import Problem

STEEPEST = 0.5
"""The largest change of a price, as a share of it: more is taken for a typing error."""


class PriceBook:
    """The prices of all variants. Orders use the seeded ones, since they are another service."""

    def __init__(self) -> None:
        self._changed: dict[str, Price] = {}

    def find(self, product_id: str) -> Price | None:
        """Return what a product costs, `None` if there is no such product."""
        if not goods.exists(product_id):
            return None
        return self._changed.get(product_id) or prices.price(product_id)

    def change(self, sku: str, amount: int) -> Price:
        """Set what a variant costs, in minor units; return the price of its product."""
        product_id = goods.product_of(sku)
        price = self.find(product_id) if product_id else None
        if price is None:
            raise Problem(404, "unknown_sku", f"There is no SKU {sku!r}.", sku=sku)
        _check(sku, amount, price)
        variants = tuple(
            SkuPrice(sku, Money(amount)) if one.sku == sku else one for one in price.variants
        )
        changed = replace(
            price,
            price=min((one.price for one in variants), key=lambda money: money.amount),
            variants=variants,
            updated_at=seed.now(),
        )
        self._changed[price.product_id] = changed
        return changed


def _check(sku: str, amount: int, price: Price) -> None:
    known = next(one.price.amount for one in price.variants if one.sku == sku)
    if abs(amount - known) > known * STEEPEST:
        detail = f"{sku!r} costs {known}: a change to {amount} is more than {STEEPEST:.0%}."
        raise Problem(409, "price_change_too_steep", detail, sku=sku, price=known)
