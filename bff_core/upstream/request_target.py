"""Request targets: encodes paths and queries, safe against path injection."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from string import Formatter
from urllib.parse import quote, quote_plus

from bff_core.errors import ConfigurationError, InvalidInput
from bff_core.parameter_values import Scalar, is_name, text_of, texts_of

Query = Mapping[str, object]
"""Query parameters by name: a `Scalar`, a list, tuple or set of them, or None to leave one out.

The type is not narrower, because a dictionary of mixed values would then need an annotation.
"""


class Template:
    """A path with named parameters: "/users/{id}/orders", or "/files/{name:path}".

    A value is one segment, in which a slash is encoded; with `:path` it is one or more segments.
    """

    __slots__ = ("_names", "_operations", "_slots", "_start", "path")

    def __init__(self, path: str) -> None:
        pieces = _pieces_of(path)
        slots = [(name, spec) for _, name, spec, how in pieces if name is not None and not how]
        is_known = all(is_name(name) and spec in {"", "path"} for name, spec in slots)
        if not path.startswith("/") or not is_known or any(how for *_, how in pieces):
            raise ConfigurationError(
                f"path {path!r}: begin with / and name each parameter, as in /users/{{id}}, or as "
                "in /files/{name:path} where a value may hold slashes"
            )
        names = [name for name, _ in slots]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigurationError(f"path {path!r} has {{{twice}}} twice: rename one of them")
        self.path = path
        self._operations: dict[str, str] = {}
        self._names = tuple(name for name, _ in slots)
        self._start = pieces[0][0]
        literals = [text for text, *_ in pieces]
        ends = [*literals[1:], *([""] if pieces[-1][1] is not None else [])]
        self._slots: tuple[tuple[str, Callable[[Scalar, str], str], str], ...] = tuple(
            (name, encode_path if spec else encode_segment, end)
            for (name, spec), end in zip(slots, ends, strict=True)
        )

    def fill(self, values: Mapping[str, Scalar]) -> str:
        """Return the encoded path.

        Raises `InvalidInput` for text that a path can't hold, `UnsupportedValue` for other types.
        """
        filled = self._start
        try:
            for name, encode, end in self._slots:
                filled += encode(values[name], name) + end
        except KeyError:
            raise self._wrong(values) from None
        if len(values) != len(self._names):
            raise self._wrong(values)
        return filled

    def _wrong(self, values: Mapping[str, Scalar]) -> TypeError:
        names = ", ".join(self._names) or "no values"
        given = ", ".join(values) or "none"
        return TypeError(
            f"path {self.path!r} takes {names}, not {given}: keyword arguments of a call, or a "
            "mapping after its path, fill the path; others go into query=, headers=, json=, form=, "
            "files= or content=, and time limits into the policy"
        )

    def operation(self, method: str) -> str:
        """Return the operation of a call, as events name it: "GET /users/{id}"."""
        operation = self._operations.get(method)
        if operation is None:
            operation = self._operations[method] = f"{method} {self.path}"
        return operation


def _pieces_of(path: str) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return the texts and the parameters of a path; raise `ConfigurationError` for odd braces."""
    fault = "double braces" if "{{" in path or "}}" in path else ""
    if not fault:
        try:
            return list(Formatter().parse(path))
        except ValueError as error:
            fault = str(error)
    raise ConfigurationError(
        f"path {path!r}: {fault}: braces name a parameter, as in /users/{{id}}; other braces are "
        "written %7B and %7D"
    )


@lru_cache(maxsize=4096)
def template(path: str) -> Template:
    """Return the compiled template of a path, from a cache: paths are literals in code, so few."""
    return Template(path)


def encode_segment(value: Scalar, name: str) -> str:
    """Return a value as one path segment (RFC 3986, section 3.3).

    Dot segments and the empty segment are refused: servers remove or merge them, even encoded ones.
    """
    text = value if type(value) is str else text_of(value, f"path parameter {name!r}")
    if text.isalnum() and text.isascii():
        return text
    if text in {"", ".", ".."}:
        raise InvalidInput(f"{name} must not be {text!r}")
    return _quoted(text, name)


def encode_path(value: Scalar, name: str) -> str:
    """Return a value as one or more path segments, separated by its slashes.

    Dot segments and empty segments are refused: they could leave the path before the value.
    """
    text = text_of(value, f"path parameter {name!r}")
    segments = text.split("/")
    if not {"", ".", ".."}.isdisjoint(segments):
        raise InvalidInput(f"{name} must not hold an empty segment, '.' or '..'")
    return "/".join([_quoted(one, name) for one in segments])


def _quoted(text: str, name: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{name} holds half of a surrogate pair") from error


def encode_query(query: Query | None) -> str:
    """Return "?name=value&…", or nothing; None values are left out, sequences repeat the name."""
    pairs = encode_pairs(query, "query parameter") if query else ""
    return f"?{pairs}" if pairs else ""


def encode_pairs(values: Mapping[str, object], what: str) -> str:
    """Return "name=value&…", the encoding of queries and forms (WHATWG URL, section 5.2)."""
    pairs = []
    for name, value in values.items():
        if type(value) is str or type(value) is int:
            pairs.append(f"{_plus(name, what)}={_plus(value, what, name)}")
        elif value is not None:
            where = f"{what} {name!r}"
            pairs += [f"{_plus(name, what)}={quote_plus(one)}" for one in texts_of(value, where)]
    return "&".join(pairs)


def _plus(value: str | int, what: str, name: str = "") -> str:
    try:
        return quote_plus(str(value))
    except UnicodeEncodeError as error:
        where = f"{what} {name!r}" if name else f"the name of a {what}"
        raise InvalidInput(f"{where} holds half of a surrogate pair") from error
