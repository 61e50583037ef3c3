"""Masks literals in documents of GraphQL, without a library of it."""

import re
from typing import Final

from bff_core.observe.masking import HIDDEN, masked
from bff_core.observe.secret_names import hides

_TOKEN: Final = re.compile(
    r"""(?P<text>\"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})?|"(?:[^"\\\n]|\\.)*+"?)"""
    r"|(?P<name>\$?[A-Za-z_]\w*+)|(?P<number>-?\d[\w.+-]*+)|(?P<mark>[:={}()\[\]])|\#[^\n]*+",
    re.DOTALL,
)


def masked_document(text: str) -> str:
    """Return a document in which `***` replaces literals of arguments with secret-sounding names.

    Comments are masked as texts are.
    """
    return _Masking().document(text)


class _Masking:
    """The names around a place: of the argument, and of the objects it is in."""

    def __init__(self) -> None:
        self._around: list[tuple[str, bool]] = []
        self._last = self._name = ""
        self._is_inner = False

    def document(self, text: str) -> str:
        """Return the masked document."""
        return _TOKEN.sub(self._token, text)

    def _token(self, match: re.Match[str]) -> str:
        token = match[0]
        if match["name"]:
            self._last = token
        elif match["mark"]:
            self._mark(token)
        elif match["text"]:
            quotes = '"""' if token.startswith('"""') else '"'
            inner = token.removeprefix(quotes).removesuffix(quotes)
            return f"{quotes}{self._value(inner)}{quotes}"
        elif match["number"]:
            shown = self._value(token)
            return token if shown == token else f'"{shown}"'
        else:
            return masked(token)
        return token

    def _mark(self, mark: str) -> None:
        if mark == ":":
            self._name = self._last
        elif mark in "({[":
            is_inner = self._is_inner or (mark != "(" and hides(self._name, ""))
            self._around.append((self._name, self._is_inner))
            self._is_inner = is_inner
            self._name = "" if mark == "(" else self._name
        elif mark in ")}]" and self._around:
            self._name, self._is_inner = self._around.pop()

    def _value(self, value: str) -> str:
        return HIDDEN if self._is_inner or hides(self._name, value) else masked(value)
