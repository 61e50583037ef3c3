"""What a request prefers: the header `Prefer`, as mock servers read it.

Prefer: code=404
Prefer: example=sold-out, wait=2
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bff_core.mocks.problems import Refusal

MAX_WAIT_SECONDS: Final = 60.0
STATUS: Final = re.compile(r"0|[2-5][0-9][0-9]")
PREFERENCE: Final = re.compile(r'(?:"[^"]*"|[^",;])+')
PAIR: Final = re.compile(r"""([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s"]*)))?""")


@dataclass(frozen=True, slots=True)
class Preferences:
    """A status and the name of an example, 0 and empty if any will do; `wait` is in seconds."""

    code: int = 0
    example: str = ""
    wait: float = 0.0


def preferences_of(headers: Iterable[str]) -> Preferences:
    """Read the headers `Prefer` of a request; other preferences are ignored (RFC 7240)."""
    found: dict[str, str] = {}
    for text in headers:
        for one in PREFERENCE.findall(text):
            if match := PAIR.fullmatch(one.strip()):
                found.setdefault(match[1].lower(), match[2] or match[3] or "")
    return Preferences(_code(found), found.get("example", ""), _wait(found))


def _code(found: dict[str, str]) -> int:
    text = found.get("code") or found.get("status") or "0"
    if STATUS.fullmatch(text):
        return int(text)
    raise Refusal(400, f"Prefer: code={text} is no status: use a number from 200 to 599")


def _wait(found: dict[str, str]) -> float:
    text = found.get("wait") or "0"
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 <= seconds <= MAX_WAIT_SECONDS:
        return seconds
    raise Refusal(400, f"Prefer: wait={text}: use seconds, {MAX_WAIT_SECONDS:g} at most")
