"""Removes secrets from recorded traffic, before anything is written."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final
from urllib.parse import quote, unquote_plus

from bff_core.observe.masking import masked

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

SECRET_WORDS: Final = frozenset({
    "apikey", "authorization", "cookie", "credential", "credentials", "cvc", "cvv", "dpop", "iban",
    "jwt", "otp", "passphrase", "passwd", "password", "pin", "pwd", "secret", "secrets",
    "signature", "ssn", "token", "tokens",
})  # fmt: skip
"""A header, parameter or member with one of these words in its name is redacted."""

SECRET_PAIRS: Final = frozenset({
    ("access", "key"), ("account", "number"), ("api", "key"), ("card", "number"),
    ("code", "verifier"), ("private", "key"), ("session", "id"),
})  # fmt: skip
"""The same for two words in a row."""

REDACTED: Final = "redacted-"
_MASKED: Final = re.compile(r"redacted-(?:\d+|any)")


class Redaction:
    """Replaces secrets by `redacted-1`, `redacted-2` and so on; equal secrets get equal numbers.

    Secrets are the values under names of `SECRET_WORDS`, `SECRET_PAIRS` and `names`, and tokens
    anywhere. `visible` names are not redacted. Without `numbers` all secrets become `redacted-any`,
    but those that a recording has already replaced.
    """

    def __init__(
        self, names: Iterable[str] = (), visible: Iterable[str] = (), *, numbers: bool = True
    ) -> None:
        self.names = tuple(sorted({_plain(name) for name in names}))
        self.visible = tuple(sorted({_plain(name) for name in visible}))
        self._numbers: dict[str, int] | None = {} if numbers else None

    def is_secret(self, name: str) -> bool:
        """Whether the value of a header, a parameter or a member is redacted."""
        plain = _plain(name)
        if plain in self.visible:
            return False
        words = [word.lower() for word in _WORD.findall(name)]
        pairs = pairwise(words)
        return (
            plain in self.names
            or not SECRET_WORDS.isdisjoint(words)
            or not SECRET_PAIRS.isdisjoint(pairs)
        )

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return headers without secrets."""
        return {
            name: self._number(value) if self.is_secret(name) else self.text(value)
            for name, value in headers.items()
        }

    def target(self, target: str) -> str:
        """Return the target of a request without secrets in its query."""
        path, mark, query = target.partition("?")
        return f"{self.text(path)}{mark}{self.form(query)}"

    def form(self, form: str) -> str:
        """Return a query or a form without secrets."""
        return "&".join(map(self._pair, form.split("&")))

    def _pair(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if value and self.is_secret(unquote_plus(name)):
            return f"{name}{equals}{quote(self._number(unquote_plus(value)))}"
        return self.text(pair)

    def json(self, value: object, *, is_secret: bool = False) -> object:
        """Return a JSON value without secrets; numbers become 0, so that types stay."""
        if isinstance(value, dict):
            return {
                name: self.json(inner, is_secret=is_secret or self.is_secret(name))
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.json(one, is_secret=is_secret) for one in value]
        if isinstance(value, str):
            return self._number(value) if is_secret else self.text(value)
        if is_secret and isinstance(value, int | float) and not isinstance(value, bool):
            return type(value)(0)
        return value

    def line(self, line: str) -> str:
        """Return a line of a stream without secrets: JSON, or an event with JSON as its data."""
        prefix, data = ("data:", line[5:]) if line.startswith("data:") else ("", line)
        try:
            value = json.loads(data)
        except ValueError:
            return self.text(line)
        clean = self.json(value)
        if clean == value:
            return line
        end = data[len(data.rstrip()) :]
        space = " " if prefix and data.startswith(" ") else ""
        return f"{prefix}{space}{json.dumps(clean, ensure_ascii=False)}{end}"

    def text(self, text: str) -> str:
        """Return a text without tokens."""
        return masked(text)

    def _number(self, secret: str) -> str:
        if _MASKED.fullmatch(secret) or not secret:
            return secret
        if self._numbers is None:
            return f"{REDACTED}any"
        number = self._numbers.setdefault(secret, len(self._numbers) + 1)
        return f"{REDACTED}{number}"


def with_any(text: str) -> str:
    """Return a text in which all redacted secrets are equal."""
    return _MASKED.sub(f"{REDACTED}any", text)


def _plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()
