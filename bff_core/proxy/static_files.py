"""Serves the files of a route: a folder, and the index of a single-page app for its pages."""

import os
import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.call import Headers
from bff_core.clock import Clock, monotonic
from bff_core.errors import ConfigurationError, NotFound
from bff_core.policy.edge.negotiation import preferences
from bff_core.proxy.files import Files
from bff_core.proxy.static.conditions import Fields, fields_of
from bff_core.proxy.static.file_names import INDEX, has_encoded_separator, may_be_page
from bff_core.proxy.static.folder import Absent, Folder, Found
from bff_core.proxy.static.page_headers import PAGE_POLICY, changed
from bff_core.proxy.static.sending import FileChanged, send_file
from bff_core.proxy.static.stored_file import StoredFile
from bff_core.proxy.static.upstream_index import UpstreamIndex
from bff_core.proxy.transform import Headers as HeaderChanges
from bff_core.upstream.client import Upstream

YEAR_SECONDS: Final = 31_536_000

HTML: Final = frozenset({b"text/html", b"application/xhtml+xml"})
"""Media types that browsers accept by name when they open a page, and scripts do not."""

MAX_TRIES: Final = 3
"""How often a large file is looked up that is replaced just then."""


def files_app(
    files: Files,
    fallback: Callable[[], Upstream] | None,
    *,
    changes: HeaderChanges | None = None,
    is_shared: bool = True,
    clock: Clock = monotonic,
) -> ASGIApp:
    """Return an application that answers GET and HEAD with files.

    The last of `scope["path_params"]` is the path below the folder; without one the fallback
    answers. `fallback` returns the upstream that `Files.fallback_from` names. `changes` are the
    `response_headers` of the route's transform: values are text without placeholders. Files of a
    route that not everybody may use are not `is_shared`: no shared cache stores them.

    Raises `ConfigurationError` if the folder or the fallback is not there.
    """
    return _FilesApp(files, fallback, changes, is_shared=is_shared, clock=clock)


class _FilesApp:
    """The application of one route."""

    __slots__ = ("_changes", "_fallback", "_folder", "_immutable", "_index", "_is_shared")

    def __init__(
        self,
        files: Files,
        upstream: Callable[[], Upstream] | None,
        changes: HeaderChanges | None,
        *,
        is_shared: bool,
        clock: Clock,
    ) -> None:
        self._changes = changes
        self._is_shared = is_shared
        self._immutable = _pattern(files)
        self._fallback = "" if files.fallback_from is not None else files.fallback.lstrip("/")
        self._folder = Folder(_directory(files), self._headers_of, clock)
        own = self._headers_of(INDEX)
        self._index: UpstreamIndex | None = None
        if files.fallback_from is not None:
            self._index = UpstreamIndex(_given(files, upstream), _upstream_path(files), own)
        elif self._fallback and not isinstance(self._folder.find_now(self._fallback), StoredFile):
            raise ConfigurationError(
                f"{_named(files)}: there is no file {files.fallback!r} in "
                f"{Path(files.directory).absolute()} that may be served: build the front end "
                "first, or name another fallback"
            )

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del receive
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        fields = fields_of(scope["headers"])
        path = _path(scope)
        for _ in range(MAX_TRIES):
            found = await self._find(path, scope)
            if found is Absent.NEEDS_SLASH:
                await _send_redirect(scope, send)
                return
            if isinstance(found, Absent):
                found = await self._fallback_of(path, fields, scope)
            chosen = await found.chosen(fields)
            try:
                await send_file(scope, send, chosen, fields=fields, modified=found.modified)
            except FileChanged:
                self._folder.forget(path or "")
                self._folder.forget(self._fallback)
            else:
                return
        raise NotFound("The file is changing.")

    async def _find(self, path: str | None, scope: ASGIScope) -> Found:
        if path is None or has_encoded_separator(scope.get("raw_path") or b""):
            return Absent.NOTHING
        return await self._folder.find(path)

    async def _fallback_of(self, path: str | None, fields: Fields, scope: ASGIScope) -> StoredFile:
        """Return the index for a page of the app; raises `NotFound` for all else."""
        if path and not self._is_page(path, fields):
            raise NotFound("There is no such file.")
        if self._index is not None:
            return await self._index.load(scope)
        found = await self._folder.find(self._fallback) if self._fallback else Absent.NOTHING
        if isinstance(found, Absent):
            raise NotFound("There is no such file.")
        return found

    def _is_page(self, path: str, fields: Fields) -> bool:
        """Whether a browser opens a page: it wants HTML, of a path that files don't have."""
        accepted = preferences(fields.get(b"accept", b""))
        is_opened = any(one.name in HTML and one.weight > 0 for one in accepted)
        return is_opened and may_be_page(path) and not self._is_immutable(path)

    def _is_immutable(self, path: str) -> bool:
        is_named = self._immutable is not None and self._immutable.match(f"/{path}") is not None
        return is_named and path != self._fallback and path.rpartition("/")[2] not in {"", INDEX}

    def _headers_of(self, path: str) -> Headers:
        reuse = "no-cache"
        if self._is_immutable(path):
            shared = "public" if self._is_shared else "private"
            reuse = f"{shared}, max-age={YEAR_SECONDS}, immutable"
        elif not self._is_shared:
            reuse = "private, no-cache"
        is_fallback = path in {self._fallback, INDEX}
        headers: Headers = (
            (b"cache-control", reuse.encode()),
            (b"vary", b"Accept-Encoding, Accept" if is_fallback else b"Accept-Encoding"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", PAGE_POLICY),
        )
        return changed(headers, self._changes)


def _path(scope: ASGIScope) -> str | None:
    """Return the decoded path below the folder; None if the route has no value for it."""
    values = list(scope.get("path_params", {}).values())
    return values[-1] if values and isinstance(values[-1], str) else None


async def _send_redirect(scope: ASGIScope, send: Send) -> None:
    """Add the slash to the path of a folder, without which its relative links lead elsewhere.

    The reference is relative, so that it holds below any prefix, and leads to no other host.
    """
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope.get("query_string", b"")
    segment = raw.partition(b"?")[0].rpartition(b"/")[2]  # some servers include the query
    location = b"./%b/" % segment + (b"?" + query if query else b"")
    headers = [
        (b"location", location),
        (b"content-length", b"0"),
        (b"cache-control", b"no-cache"),
    ]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _directory(files: Files) -> Path:
    directory = Path(files.directory)
    if not directory.is_dir():
        what = "is no folder" if directory.exists() else "there is no such folder"
        raise ConfigurationError(
            f"{_named(files)}: {what}: {directory.absolute()}. Build the front end first, or name "
            "the folder that has its files"
        )
    if not os.access(directory, os.R_OK | os.X_OK):
        raise ConfigurationError(
            f"{_named(files)}: this process may not read {directory.absolute()}: change its owner "
            "or its permissions"
        )
    return directory


def _given(files: Files, upstream: Callable[[], Upstream] | None) -> Callable[[], Upstream]:
    if upstream is None:
        raise ConfigurationError(f"{_named(files)}: fallback_from= is no upstream of the gateway")
    return upstream


def _upstream_path(files: Files) -> str:
    return quote("/" + (files.fallback or INDEX).lstrip("/"), safe="/%?=&")


def _pattern(files: Files) -> re.Pattern[str] | None:
    """Return one expression for all patterns of immutable paths."""
    given = files.immutable
    patterns: Iterable[str] = (given,) if isinstance(given, str) else given
    found = [translate("/" + one.lstrip("/")) for one in patterns if one]
    return re.compile("|".join(found)) if found else None


def _named(files: Files) -> str:
    return f"Files({str(files.directory)!r})"
