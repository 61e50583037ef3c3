"""`Locale`: the language of an answer, negotiated with the client (Accept-Language)."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Self

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
        if not isinstance(offers, tuple) or not all(map(_is_language, offers)):
            raise ConfigurationError(
                f"{cls.__name__}: offers={offers!r}: give a tuple of languages, as in "
                '("en", "de-CH")'
            )
        cls.offers = offers or cls.offers

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Return the language for a request."""
        if not cls.offers:
            raise ConfigurationError(
                f"{cls.__name__} offers no languages: declare them, as in class ShopLocale(Locale, "
                'offers=("en", "de"))'
            )
        field = scope.header("accept-language") or ""
        if len(field) > MAX_HEADER_CHARACTERS:
            field = field[:MAX_HEADER_CHARACTERS].rpartition(",")[0]
        return cls(preferred_language(field.encode("latin-1"), cls.offers))


def _is_language(one: object) -> bool:
    return isinstance(one, str) and _is_tag(one) is not None


_is_tag: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*").fullmatch  # RFC 4647, section 2.1
