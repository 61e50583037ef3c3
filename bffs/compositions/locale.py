"""The language of an answer, negotiated with the client."""

from bff_core import Locale

OFFERED = ("en", "de", "fr")


class ShopLocale(Locale, offers=OFFERED):
    """One of the shop's languages; English where the client wants none of them."""
