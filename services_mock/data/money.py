"""Money: minor units and a currency, never a float."""

from dataclasses import dataclass

CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents)."""

    amount: int
    currency: str = CURRENCY


def shop_price(amount: float) -> int:
    """Round an amount of minor units to a usual price: ….90, ….95 or ….99."""
    euros = max(1, round(amount / 100))
    return euros * 100 - (10 if euros > 50 else 5 if euros % 2 else 1)
