"""The path of a proxied request: as it came, or rewritten, and never outside its prefix."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote

from bff_core.errors import ClientError
from bff_core.forwarding.paths import is_unsafe
from bff_core.proxy.path_templates import Segment, parameters_of, segments_of
from bff_core.proxy.patterns import path_rewriter
from bff_core.proxy.transform import PathRewrite
from bff_core.proxy.transforms.values import RequestValues, RouteValues, ValueTemplate

SENT_IN_PATHS: Final = "/%:@!$&'()*+,;=~[]|^`\"<>{}"
"""Characters that a rewritten path may have beside letters, digits and `-._`."""


class UnsafePath(ClientError):
    """A service might read the path of a request as another one."""

    status = 400
    code = "unsafe_path"
    title = "The path is not forwarded"


class Rewritten(NamedTuple):
    """The path that is sent, and the prefixes in which it differs from the client's.

    `own` is what the client's path has in place of `service`.
    """

    path: str
    own: str = ""
    service: str = ""


RewritePath = Callable[[str, RequestValues], Rewritten]
"""Takes the client's encoded path and the values of a request."""


class RouteParameters:
    """The parameters of a path, as the client encoded them, by the template of its route."""

    __slots__ = ("_match", "names")

    def __init__(self, template: str) -> None:
        self.names = parameters_of(template)
        segments = segments_of(template)
        pattern = "".join("/" + _pattern(one) for one in segments)
        self._match = re.compile(pattern).fullmatch

    def of(self, path: str) -> RouteValues:
        """Return the values in an encoded path.

        Raises `UnsafePath` for a path that has the form of the template only once it is decoded.
        """
        found = self._match(path)
        if found is None:
            raise UnsafePath("The path has encoded characters where the route has its own.")
        return found.groupdict()


def _pattern(segment: Segment) -> str:
    """Return the regular expression of an encoded segment; literals may be encoded."""
    pattern = _encodable(segment.literals[0])
    for name, kind, literal in zip(segment.names, segment.types, segment.literals[1:], strict=True):
        pattern += f"(?P<{name}>{'.*' if kind == 'path' else '[^/]+'})" + _encodable(literal)
    return pattern


def _encodable(literal: str) -> str:
    return "".join(
        f"(?:{re.escape(chr(byte))}|%(?i:{byte:02x}))" if chr(byte) != "/" else "/"
        for byte in literal.encode()
    )


def rewrite_of(path: str | PathRewrite | None, names: tuple[str, ...], where: str) -> RewritePath:
    """Return the function that makes the path of a request; `names` are the route's parameters."""
    if path is None:
        return _as_it_came
    if isinstance(path, str):
        return _by_template(ValueTemplate(_ascii(path), names, where, is_path=True))
    return _by_steps(path)


def _ascii(text: str) -> str:
    """Return a text of the configuration with percent-encoding for characters beyond ASCII."""
    return "".join(one if one.isascii() else quote(one) for one in text)


def _as_it_came(path: str, _: RequestValues) -> Rewritten:
    return Rewritten(path)


def _by_template(template: ValueTemplate) -> RewritePath:
    def rewrite(path: str, values: RequestValues) -> Rewritten:
        filled = template.fill_path(values)
        if filled is None:
            raise UnsafePath("The request lacks a value for the path at the service.")
        return _with_prefixes(path, _checked(filled))

    return rewrite


def _by_steps(steps: PathRewrite) -> RewritePath:
    strip, prefix = steps.strip.rstrip("/"), _ascii(steps.prefix.rstrip("/"))
    begins = re.compile(_encodable(strip) + "(?=/|$)").match if strip else None
    pattern, replacement = steps.regex or ("", "")
    replace = path_rewriter(pattern, replacement) if steps.regex else None

    def rewrite(path: str, _: RequestValues) -> Rewritten:
        found = begins(path) if begins is not None else None
        rest, own = (path[found.end() :], found[0]) if found is not None else (path, "")
        made = prefix + (rest or "/")
        if replace is None:
            return Rewritten(made, own, prefix)
        return _with_prefixes(path, _checked(replace(made)))

    return rewrite


def _checked(path: str) -> str:
    """Return a path that was made; raise `UnsafePath` for one that leads elsewhere."""
    path = quote(path, safe=SENT_IN_PATHS, encoding="latin-1")
    if path[:1] != "/" or is_unsafe(path):
        raise UnsafePath("The path would lead outside of what the route forwards.")
    return path


def _with_prefixes(path: str, made: str) -> Rewritten:
    """Return a path with its prefixes: both paths without the segments that end them alike."""
    own, service = path.split("/"), made.split("/")
    while len(own) > 1 and len(service) > 1 and own[-1] == service[-1]:
        own.pop()
        service.pop()
    return Rewritten(made, "/".join(own), "/".join(service))
