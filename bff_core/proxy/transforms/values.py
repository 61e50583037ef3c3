"""Values of a request that templates name: `{route.id}`, `{claims.tenant}`, `{headers.accept}`."""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from bff_core.auth.viewer import Viewer
from bff_core.errors import ConfigurationError
from bff_core.scope import Scope

_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_ALIASES: Final = {"sub": "subject"}

RouteValues = Mapping[str, str]
"""The parameters of a path as the client encoded them."""


class RequestValues(NamedTuple):
    """What templates are filled from: the request, and the parameters of its path."""

    request: Scope
    route: RouteValues


Value = Callable[[RequestValues], str | None]
"""Returns a value of a request; None if the request does not have it."""


class ValueTemplate:
    """A text with placeholders; it can't be filled if a request lacks one of the values.

    Two braces stand for one. Raises `ConfigurationError` for a placeholder that names nothing;
    `parameters` are those of the path. With `is_path` a bare name is one of them.
    """

    __slots__ = ("_pieces", "constant")

    def __init__(
        self, text: str, parameters: Sequence[str], where: str, *, is_path: bool = False
    ) -> None:
        self._pieces: list[tuple[str, Value | None, bool]] = []
        end, literal = 0, ""
        for found in _PLACEHOLDER.finditer(text):
            literal += text[end : found.start()]
            end = found.end()
            if found[1] is None:
                literal += found[0][0]
                continue
            source, dot, name = found[1].partition(".")
            if is_path and not dot:
                source, name = "route", source
            value = _value(source, name, parameters, f"{where}: {found[0]}")
            self._pieces.append((literal, value, source == "route"))
            literal = ""
        literal += text[end:]
        if "{" in text[end:].replace("}}", "") or "}" in text[end:].replace("{{", ""):
            raise ConfigurationError(f"{where}: {text!r} has a brace without its partner")
        self.constant = None if self._pieces else literal
        self._pieces.append((literal, None, False))

    def fill(self, values: RequestValues) -> str | None:
        """Return the text with decoded values; None if the request lacks one."""
        if self.constant is not None:
            return self.constant
        return self._filled(values, unquote, str)

    def fill_path(self, values: RequestValues) -> str | None:
        """Return an encoded path: parameters as the client encoded them, others in one segment."""
        if self.constant is not None:
            return self.constant
        return self._filled(values, str, _in_one_segment)

    def _filled(
        self, values: RequestValues, of_route: Callable[[str], str], of_other: Callable[[str], str]
    ) -> str | None:
        text = ""
        for literal, value, is_of_route in self._pieces:
            text += literal
            if value is not None:
                found = value(values)
                if found is None:
                    return None
                text += of_route(found) if is_of_route else of_other(found)
        return text


def _in_one_segment(value: str) -> str:
    return quote(value, safe="")


def _value(source: str, name: str, parameters: Sequence[str], where: str) -> Value:
    if source == "route" and name:
        _check_parameter(name, parameters, where)
        return lambda values: values.route.get(name)
    if source == "claims" and name:
        attribute = _ALIASES.get(name, name)
        return lambda values: _claim(attribute, values.request.viewer)
    if source == "headers" and name:
        field = name.lower().encode("latin-1", "replace")
        return lambda values: _field(field, values.request)
    raise ConfigurationError(
        f"{where}: a placeholder is {{route.name}}, {{claims.name}} or {{headers.name}}"
    )


def _check_parameter(name: str, parameters: Sequence[str], where: str) -> None:
    if name not in parameters:
        near = get_close_matches(name, parameters, 1)
        known = f"it has {', '.join(parameters)}" if parameters else "it has none"
        hint = f"did you mean {near[0]!r}?" if near else known
        raise ConfigurationError(
            f"{where}: the path of the route has no parameter {name!r}; {hint}"
        )


def _field(name: bytes, request: Scope) -> str | None:
    found = request.field(name)
    return None if found is None else found.decode("utf-8", "replace")


def _claim(name: str, viewer: object) -> str | None:
    """Return the text of a viewer's attribute; None if it is empty, or the caller is anonymous."""
    if not isinstance(viewer, Viewer) or viewer.is_anonymous or name.startswith("_"):
        return None
    value = getattr(viewer, name, None)
    if isinstance(value, frozenset | tuple | list):
        value = " ".join(sorted(map(str, value)))
    return None if value is None or value == "" or callable(value) else str(value)
