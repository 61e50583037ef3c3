"""Request targets that can't be talked out of their path: each parameter is one encoded segment."""

from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from urllib.parse import quote, quote_plus

from bff_core.errors import ConfigurationError, InvalidInput

Scalar = str | int | float | bool
Query = Mapping[str, object]
"""Query parameters by name: text, numbers, flags, sequences of them, or None to leave one out.

Not typed more narrowly, because a dictionary of mixed values would then need an annotation.
"""


class Template:
    """A path with named parameters: "/users/{id}/orders"."""

    __slots__ = ("_ends", "_names", "_operations", "_start", "path")

    def __init__(self, path: str) -> None:
        pieces = [(literal, name) for literal, name, *_ in Formatter().parse(path)]
        names = [name for _, name in pieces if name is not None]
        if not path.startswith("/") or any(not name.isidentifier() for name in names):
            raise ConfigurationError(
                f"path {path!r}: begin with / and name each parameter, as in /users/{{id}}"
            )
        self.path = path
        self._operations: dict[str, str] = {}
        self._names = tuple(names)
        self._start = pieces[0][0]
        literals = [literal for literal, _ in pieces]
        self._ends = (*literals[1:], *([""] if pieces[-1][1] is not None else []))

    def fill(self, values: Mapping[str, Scalar]) -> str:
        """Return the encoded path; raise `InvalidInput` for a value that can't be one segment."""
        if len(values) != len(self._names):
            raise TypeError(f"path {self.path!r} takes {self._names}, not {tuple(values)}")
        filled = self._start
        for name, end in zip(self._names, self._ends, strict=True):
            filled += encode_segment(values[name], name) + end
        return filled

    def operation(self, method: str) -> str:
        """Return how events call a call of this path: "GET /users/{id}"."""
        operation = self._operations.get(method)
        if operation is None:
            operation = self._operations[method] = f"{method} {self.path}"
        return operation


@lru_cache(maxsize=4096)
def template(path: str) -> Template:
    """Return the compiled template of a path; paths are written in code, so they are few."""
    return Template(path)


def encode_segment(value: Scalar, name: str) -> str:
    """Return a value as one path segment (RFC 3986, section 3.3).

    Dot segments and the empty one would be taken out or merged by servers, encoded or not, so they
    are refused.
    """
    text = value if isinstance(value, str) else _text(value)
    if text.isalnum() and text.isascii():
        return text
    if text in {"", ".", ".."}:
        raise InvalidInput(f"{name} must not be {text!r}")
    return quote(text, safe="", errors="surrogatepass")


def encode_query(query: Query | None) -> str:
    """Return "?name=value&…", or nothing; None values are left out, sequences repeat the name."""
    if not query:
        return ""
    pairs = [
        f"{quote_plus(name)}={quote_plus(one)}"
        for name, value in query.items()
        for one in _texts(name, value)
    ]
    return "?" + "&".join(pairs) if pairs else ""


def _texts(name: str, value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str | int | float):
        return [_text(value)]
    if isinstance(value, list | tuple) and all(isinstance(one, str | int | float) for one in value):
        return [_text(one) for one in value]
    raise TypeError(
        f"query parameter {name!r} is {value!r}: pass text, a number, a flag, a list or tuple of "
        "them, or None to leave it out"
    )


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
