"""The language of an answer, negotiated with the client."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from bff_core import Scope

OFFERED = ("en", "de", "fr")


@dataclass(frozen=True, slots=True)
class Locale:
    """One of the shop's languages, from `Accept-Language`; English where none of them is wanted."""

    code: str = "en"

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Choose for a request; the answer varies by the header."""
        return cls(choose(scope.header("accept-language") or ""))


@lru_cache(maxsize=1024)
def choose(accepted: str) -> str:
    """Return what the client likes best of what is offered (RFC 9110, section 12.5.4)."""
    wanted = sorted((_weighted(item) for item in accepted.split(",")), key=lambda one: -one[1])
    for language, weight in wanted:
        if weight > 0 and (language in OFFERED or language == "*"):
            return OFFERED[0] if language == "*" else language
    return OFFERED[0]


def _weighted(item: str) -> tuple[str, float]:
    language, _, parameter = item.partition(";")
    weight = parameter.strip().removeprefix("q=") or "1"
    is_number = weight.replace(".", "", 1).isdigit() and weight.isascii()
    return language.strip().lower().split("-")[0], float(weight) if is_number else 0.0
