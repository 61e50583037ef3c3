"""The language of an answer: a request fact that screens take as a field."""

from dataclasses import dataclass
from typing import ClassVar, Self

from bff_core.errors import ConfigurationError
from bff_core.policy.edge.negotiation import preferred_language
from bff_core.scope import Scope

MAX_LENGTH = 200
"""Characters of the header that are read: browsers send fewer, and what is cached is bounded."""


@dataclass(frozen=True)
class Locale:
    """The language of an answer, negotiated by `Accept-Language` among those that one offers.

        class ShopLocale(Locale, offers=("en", "de", "fr")): ...

    A composition with a field of this type gets the client's language as `locale.code`, and its
    answer varies by the header. The first of `offers` is the default.
    """

    offers: ClassVar[tuple[str, ...]] = ()

    code: str

    def __init_subclass__(cls, *, offers: tuple[str, ...] = (), **options: object) -> None:
        super().__init_subclass__(**options)
        if isinstance(offers, str):
            raise ConfigurationError(f"{cls.__name__}: offers=({offers!r},), a tuple of languages")
        cls.offers = offers or cls.offers

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Choose for a request."""
        if not cls.offers:
            raise ConfigurationError(
                f"{cls.__name__} offers no languages: declare them, as in class ShopLocale(Locale, "
                'offers=("en", "de"))'
            )
        field = (scope.header("accept-language") or "")[:MAX_LENGTH]
        return cls(preferred_language(field.encode("latin-1"), cls.offers))
