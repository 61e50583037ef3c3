"""The scopes of this shop, and the users who are granted them: customers and staff.

Routes and fields require them by `Require(...)`, before anything is read; compositions require them
again where a customer's data is fetched, so that a screen is safe on any route. What the catalogue
shows takes none.
"""

from typing import Final

from bff_core import Viewer

PROFILE_READ: Final = "profile:read"
ORDERS_READ: Final = "orders:read"
ORDERS_WRITE: Final = "orders:write"
CART_READ: Final = "cart:read"
CART_WRITE: Final = "cart:write"
PAYMENTS_READ: Final = "payments:read"
RECOMMENDATIONS_READ: Final = "recommendations:read"
PRICES_WRITE: Final = "prices:write"

CUSTOMER: Final = (
    PROFILE_READ,
    ORDERS_READ,
    ORDERS_WRITE,
    CART_READ,
    CART_WRITE,
    PAYMENTS_READ,
    RECOMMENDATIONS_READ,
)
"""The scopes that the shop's apps request for their users."""

STAFF: Final = (PRICES_WRITE,)
"""The additional scopes of staff."""

DEMO_STAFF: Final = "9"
"""The customer who works for the shop, with `BFF_AUTH=demo` as at the mock provider."""


def demo_viewer(user_id: str) -> Viewer:
    """Return the viewer of a demo token, with the scopes that this user would be granted."""
    extra = STAFF if user_id == DEMO_STAFF else ()
    return Viewer(user_id, scopes=frozenset((*CUSTOMER, *extra)))
