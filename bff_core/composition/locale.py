"""`Locale`: the language of an answer, negotiated with the client (Accept-Language)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from bff_core.errors import ConfigurationError
from bff_core.policy.edge.negotiation import preferred_language
from bff_core.scope import Scope

MAX_HEADER_CHARACTERS = 200
"""The rest of a longer header is ignored: browsers send less, and parsed headers are cached."""


@dataclass(frozen=True)
class Locale:
    """The language of an answer: the one of `offers` that the client prefers.

        class ShopLocale(Locale, offers=("en", "de", "fr")): ...

    A composition with a field of this type gets the client's language as `locale.code`, and its
    answer varies by `Accept-Language`. The first of `offers` is the default.
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
        """Return the language for a request."""
        if not cls.offers:
            raise ConfigurationError(
                f"{cls.__name__} offers no languages: declare them, as in class ShopLocale(Locale, "
                'offers=("en", "de"))'
            )
        field = (scope.header("accept-language") or "")[:MAX_HEADER_CHARACTERS]
        return cls(preferred_language(field.encode("latin-1"), cls.offers))
