"""The path that routes match: the path of a request without its root path."""

from typing import Final
from urllib.parse import quote, unquote

from starlette.types import Scope as ASGIScope

from bff_core.compat.starlette import get_route_path

ENCODED_SLASH: Final = "\udc2f"
"""Stands for an encoded slash in `segments_of`: no decoded path has it."""

_UNRESERVED: Final = "/:@!$&'()*+,;=~"


def path_of(scope: ASGIScope) -> str:
    """Return the path without the root path; a path without the root path stays as it is.

    Probes call a process directly, clients call it through the proxy that adds the root path.
    """
    return get_route_path(scope) if scope.get("root_path") else str(scope["path"])


def raw_path_of(scope: ASGIScope) -> str:
    """Return the path as the client encoded it, without the root path.

    It is encoded again if a middleware or a mount has changed the path. Bytes beyond ASCII are
    Latin-1 characters.
    """
    path, raw = path_of(scope), scope.get("raw_path")
    if raw is None:
        return quote(path, safe=_UNRESERVED)
    encoded: str = raw.decode("latin-1")
    if encoded == path:
        return encoded
    encoded = encoded.partition("?")[0]  # some servers include the query
    if encoded.endswith(path) and "%" not in encoded:
        return path
    root = scope.get("root_path", "")
    for candidate in (encoded, encoded.removeprefix(root)):
        if unquote(candidate) == path:
            return candidate
    return quote(path, safe=_UNRESERVED)


def segments_of(scope: ASGIScope, path: str) -> str:
    """Return the decoded path with a character of its own in place of encoded slashes.

    So `/files/a%2Fb` has two segments, as the client wrote it.
    """
    raw = scope.get("raw_path")
    if raw is None or b"%" not in raw:
        return path
    encoded = raw_path_of(scope)
    lowered = encoded.lower()
    if "%2f" not in lowered:
        return path
    return "/".join([unquote(one).replace("/", ENCODED_SLASH) for one in encoded.split("/")])
