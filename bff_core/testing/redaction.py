"""Removes secrets from recorded traffic, before anything is written."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from string import Formatter
from typing import Final, Never
from urllib.parse import quote, unquote, unquote_plus

from bff_core.observe import secret_names
from bff_core.observe.masking import without_credentials

REDACTED: Final = "redacted-"
_MASKED: Final = re.compile(r"redacted-(?:\d+|any)")

_NAME: Final = re.compile(r"""(?<![\w.%-])["']?[\w.%[\]-]{1,80}["']?\s{0,9}[:=]\s{0,9}""")
_VALUE: Final = re.compile(r""""(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s&;,#<>"']+""")
"""A name and its value within a text: in the query of a URL, in a cookie, in a piece of JSON."""

_ENCODED: Final = re.compile(r"""[^\s&;,#<>"'=?]*%[0-9A-Fa-f]{2}[^\s&;,#<>"'=]*""")
_MOST_ENCODINGS: Final = 4
"""How often a value is decoded: a URL in a query of a URL in a query."""

_USER_INFO: Final = re.compile(r"(?<=://)([^\s/?#@:]*):([^\s/?#@]+)(?=@)")
_OAUTH: Final = frozenset({"state", "session_state", "iss", "grant_type", "redirect_uri"})
"""Parameters that are sent with an authorization code: the parameter `code` is one then."""

_QUERY: Final = re.compile(r"""[?#][^\s"'<>]+""")
"""The query and the fragment of a URL within a text."""

_KEY_FILE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_CARD: Final = re.compile(r"(?<![\w.-])(?:\d[ -]?){14,15}\d(?![\w-])")
_CARD_DIGITS: Final = (15, 16)

_LABELS: Final = ("name", "key", "header", "field")
"""Members of an object that name its member `value`, as forms and lists of headers are written."""


class Redaction:
    """Replaces secrets by `redacted-1`, `redacted-2` and so on; equal secrets get equal numbers.

    Secrets are the values under names that `secret_names` knows and under `names`, also in URLs and
    in JSON within values, and tokens anywhere. `visible` names are not redacted. Bodies of
    `unredacted_types` are recorded as they are. Without `numbers` all secrets become
    `redacted-any`, but those that a recording has already replaced.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        visible: Iterable[str] = (),
        unredacted_types: Iterable[str] = (),
        *,
        numbers: bool = True,
    ) -> None:
        self.names = tuple(sorted({secret_names.plain(name) for name in names}))
        self.visible = tuple(sorted({secret_names.plain(name) for name in visible}))
        self.unredacted_types = tuple(sorted({one.strip().lower() for one in unredacted_types}))
        self._numbers: dict[str, int] | None = {} if numbers else None

    def is_secret(self, name: str) -> bool:
        """Whether the value of a header, a parameter or a member is redacted."""
        plain = secret_names.plain(name)
        return plain not in self.visible and (plain in self.names or secret_names.is_secret(name))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return headers without secrets."""
        return {
            name: self._number(value) if self.is_secret(name) else self.text(value)
            for name, value in headers.items()
        }

    def target(self, target: str, operation: str = "") -> str:
        """Return the target of a request without secrets in its path and its query.

        The `operation`, "GET /resets/{token}", names what is in the path.
        """
        path, mark, query = target.partition("?")
        return f"{self.text(self._path(path, operation))}{mark}{self.form(query)}"

    def _path(self, path: str, operation: str) -> str:
        try:
            pieces = list(Formatter().parse(operation.partition(" ")[2]))
        except ValueError:  # the name of a forwarded call, which is no template
            return path
        if not any(name is not None and self.is_secret(name) for _, name, *_ in pieces):
            return path
        values = "".join(
            re.escape(text) + ("" if name is None else "(.+)" if kind else "([^/]+)")
            for text, name, kind, _ in pieces
        )
        found = re.fullmatch(values, path)
        if found is None:
            return path
        given = iter(found.groups())
        return "".join(
            text + ("" if name is None else self._segment(name, next(given)))
            for text, name, *_ in pieces
        )

    def _segment(self, name: str, value: str) -> str:
        return quote(self._number(unquote(value))) if self.is_secret(name) else value

    def form(self, form: str) -> str:
        """Return a query or a form without secrets."""
        pairs = form.split("&")
        has_code = any(pair.partition("=")[0] in _OAUTH for pair in pairs)
        return "&".join(self._pair(pair, has_code=has_code) for pair in pairs)

    def _pair(self, pair: str, *, has_code: bool) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote_plus(name)
        is_code = has_code and plain == "code" and plain not in self.visible
        if value and (is_code or self.is_secret(plain)):
            return f"{name}{equals}{quote(self._number(unquote_plus(value)))}"
        return f"{name}{equals}{self._encoded(value)}"

    def _encoded(self, value: str, depth: int = 0) -> str:
        """Return a value of a query without secrets: a URL or JSON may be encoded in it."""
        known = unquote_plus(value)
        clean = self.text(known, depth + 1)
        return value if clean == known else quote(clean, safe="")

    def json(self, value: object, *, is_secret: bool = False, parent: str = "") -> object:
        """Return a JSON value without secrets; numbers become 0, so that types stay.

        `parent` is the name of the member that holds the value.
        """
        if isinstance(value, dict):
            labels = [value.get(one) for one in _LABELS]
            is_pair = any(isinstance(one, str) and self.is_secret(one) for one in labels)
            return {
                self.text(name): self.json(
                    inner,
                    is_secret=is_secret
                    or self._is_secret_in(parent, name)
                    or (is_pair and name == "value"),
                    parent=name,
                )
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.json(one, is_secret=is_secret, parent=parent) for one in value]
        if isinstance(value, str):
            return self._number(value) if is_secret else self.text(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return type(value)(0) if is_secret or _is_card(str(value)) else value

    def _is_secret_in(self, parent: str, name: str) -> bool:
        """Whether a member is redacted: also `number` within `card`, unless it is visible."""
        if self.is_secret(name):
            return True
        return (
            secret_names.plain(name) not in self.visible
            and secret_names.plain(f"{parent}{name}") not in self.visible
            and secret_names.is_secret_within(parent, name)
        )

    def text(self, text: str, depth: int = 0) -> str:
        """Return a text without tokens, and without secrets in JSON or in URLs in it."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                value = parsed(text)
                clean = self.json(value)
            except (ValueError, RecursionError):
                pass
            else:
                return text if clean == value else json.dumps(clean, ensure_ascii=False)
        text = _USER_INFO.sub(
            lambda found: f"{found[1]}:{self._number(found[2])}", without_credentials(text)
        )
        text = _KEY_FILE.sub(lambda found: self._number(found[0]), text)
        text = _CARD.sub(
            lambda found: self._number(found[0]) if _is_card(found[0]) else found[0], text
        )
        text = _QUERY.sub(lambda found: self._without_code(found[0]), text)
        text = "".join(self._without_named(text))
        if depth >= _MOST_ENCODINGS or "%" not in text:
            return text
        return _ENCODED.sub(lambda found: self._encoded(found[0], depth), text)

    def _without_code(self, query: str) -> str:
        """Return the query of a URL without the authorization code that it may have."""
        pieces = re.split("([?#&;])", query)
        names = {piece.partition("=")[0] for piece in pieces}
        if names.isdisjoint(_OAUTH) or "code" in self.visible:
            return query
        return "".join(
            f"code={self._number(unquote_plus(piece[5:]))}" if piece.startswith("code=") else piece
            for piece in pieces
        )

    def _without_named(self, text: str) -> Iterator[str]:
        """Yield the pieces of a text, with values replaced whose names say that they are secret."""
        position = 0
        while name := _NAME.search(text, position):
            yield text[position : name.end()]
            position = name.end()
            plain = unquote_plus(name[0].rstrip(" \t\r\n:=").strip("\"'"))
            value = _VALUE.match(text, position) if self.is_secret(plain) else None
            if value is not None:
                mark = value[0][0] if value[0][0] in "\"'" else ""
                secret = value[0].strip(mark) if mark else value[0]
                yield f"{mark}{self._number(secret)}{mark}"
                position = value.end()
        yield text[position:]

    def _number(self, secret: str) -> str:
        if _MASKED.fullmatch(secret) or not secret:
            return secret
        if self._numbers is None:
            return f"{REDACTED}any"
        number = self._numbers.setdefault(secret, len(self._numbers) + 1)
        return f"{REDACTED}{number}"


def _is_card(text: str) -> bool:
    """Whether a text is the number of a payment card: its first digits and its check digit fit."""
    digits = [int(one) for one in text if one.isdigit()]
    if len(digits) not in _CARD_DIGITS or text[0] not in "23456":
        return False
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def parsed(text: str) -> object:
    """Return the JSON value of a text; raise `ValueError` for what is not quite JSON."""
    value: object = json.loads(text, parse_constant=_refuse)
    return value


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")


def with_any(text: str) -> str:
    """Return a text in which all redacted secrets are equal."""
    return _MASKED.sub(f"{REDACTED}any", text)
