"""Recognizes secrets that people made up, although they are long enough."""

import itertools
import re
from typing import Final

MIN_DIFFERENT: Final = 8
"""Different characters that a secret needs."""

MIN_UNKNOWN: Final = 7
"""Characters that a secret needs besides words that everybody tries first."""

_KNOWN: Final = re.compile(
    r"password|passwort|passw0rd|secret|token|admin|operator|root|qwertz?y?|letmein|welcome|"
    r"development|production|staging|default|example|sample|test|console|gateway|bff|abc|xyz|12345+6?7?8?9?0?",
    re.IGNORECASE,
)


def weakness_of(secret: str) -> str:
    """Return why a secret is easy to guess, to complete "it …"; empty if it looks random."""
    different = len(set(secret.lower()))
    if different < MIN_DIFFERENT:
        return f"has only {different} different characters"
    if _shortest_period(secret) <= len(secret) // 2:
        return "repeats itself"
    steps = [abs(ord(a) - ord(b)) for a, b in itertools.pairwise(secret)]
    if sum(step <= 1 for step in steps) > len(steps) // 2:
        return "is a row of neighbours such as 1234 or aaaa"
    if len(re.sub(r"[\W_]", "", _KNOWN.sub("", secret))) < MIN_UNKNOWN:
        return "consists of words that are guessed first"
    return ""


def _shortest_period(secret: str) -> int:
    """Return after how many characters a text repeats itself, to its end; its length if never."""
    size = len(secret)
    return next((one for one in range(1, size) if secret[one:] == secret[: size - one]), size)
