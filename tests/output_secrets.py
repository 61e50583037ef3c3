"""Finds credentials in what tests print and log: the whole suite is a test of redaction."""

import re
from collections.abc import Iterable
from typing import Final

CREDENTIALS: Final = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"  # a signed token
    r"|\bbearer\s+[\w.~+/-]{8,}"
    r"|canary[\w.-]*(?:token|cookie|session|mail)[\w.-]*",
    re.IGNORECASE,
)
"""Tokens of every test that has some, and the names of what test_canaries sends."""


def credentials_in(sections: Iterable[tuple[str, str]]) -> list[str]:
    """Return the credentials in sections of captured output, each once, with its section."""
    found = {
        f"{title}: {match[0][:80]}"
        for title, text in sections
        for match in CREDENTIALS.finditer(text)
    }
    return sorted(found)
