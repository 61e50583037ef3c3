"""A request as a curl command, with placeholders for what is redacted."""

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from bff_core.observe.masking import HIDDEN

_PLACEHOLDERS: Final = {
    "authorization": "Bearer $TOKEN",
    "cookie": "$COOKIE",
    "x-api-key": "$API_KEY",
}
"""Variables of the shell that stand for redacted headers."""

_OF_CONNECTION: Final = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "expect", "host", "te"),
        *("traceparent", "transfer-encoding", "upgrade", "x-request-id"),
    }
)
"""Headers that curl sets, or that belong to one request only."""

_PLAIN: Final = re.compile(r"[a-z0-9-]+")
_OTHER: Final = re.compile(r"[^a-z0-9]", re.IGNORECASE)


def curl_of(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: str | None = None,
) -> str:
    """Return a command for a shell; redacted headers become variables that the reader sets."""
    words = ["curl", *([] if method == "GET" else ["-X", method]), shlex.quote(url)]
    for name, value in headers:
        if name not in _OF_CONNECTION:
            words += ["-H", _header(name, value)]
    if body:
        words += ["--data-raw", shlex.quote(body)]
    return _joined(words)


def _header(name: str, value: str) -> str:
    if value != HIDDEN:
        return shlex.quote(f"{name}: {value}")
    variable = "$" + _OTHER.sub("_", name).upper()
    value = _PLACEHOLDERS.get(name, variable)
    # In double quotes the shell expands the variable, and nothing else: a name may have a quote.
    return (
        f'"{name}: {value}"' if _PLAIN.fullmatch(name) else f'{shlex.quote(f"{name}: ")}"{value}"'
    )


def _joined(words: Sequence[str]) -> str:
    """Return the words on lines that end with a backslash, an option on each."""
    line, lines = "", []
    for word in words:
        if word in {"-H", "--data-raw"}:
            lines.append(f"{line} \\")
            line = f"  {word}"
        else:
            line = f"{line} {word}".strip() if not line.startswith("  ") else f"{line} {word}"
    return "\n".join([*lines, line])
