"""The language of an answer, negotiated with the client."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from bff_core import Scope

OFFERED = ("en", "de", "fr")
QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
LONGEST = 200
"""Characters of the header that are read: browsers send fewer, and what is cached is bounded."""


@dataclass(frozen=True, slots=True)
class Locale:
    """One of the shop's languages, from `Accept-Language`; English where none of them is wanted."""

    code: str = "en"

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Choose for a request; the answer varies by the header."""
        return cls(choose((scope.header("accept-language") or "")[:LONGEST]))


@lru_cache(maxsize=1024)
def choose(accepted: str) -> str:
    """Return what the client likes best of what is offered (RFC 9110, section 12.5.4).

    Regions are left out of account; of equals the first one named wins.
    """
    weights: dict[str, float] = {}
    for item in accepted.split(","):
        language, weight = _weighted(item)
        weights[language] = max(weight, weights.get(language, 0.0))
    anything = weights.pop("*", 0.0)
    wanted = {language: weights[language] for language in weights if language in OFFERED}
    # "*" stands for the languages that are not named (section 12.4.2).
    wanted |= {language: anything for language in OFFERED if language not in wanted}
    best = max(wanted, key=wanted.__getitem__)
    return best if wanted[best] > 0 else OFFERED[0]


def _weighted(item: str) -> tuple[str, float]:
    language, _, parameter = item.partition(";")
    name, _, weight = parameter.replace(" ", "").lower().partition("=")
    primary = language.strip().lower().split("-")[0]
    if not name:
        return primary, 1.0
    return primary, float(weight) if name == "q" and QUALITY.fullmatch(weight) else 0.0
