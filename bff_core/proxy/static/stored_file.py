"""Reads a file of a folder, with its compressed siblings, into representations."""

import asyncio
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from bff_core.call import Headers
from bff_core.edge.compression import MIN_BYTES
from bff_core.policy.edge.negotiation import preferences
from bff_core.proxy.static.media_types import is_compressible, media_type_of
from bff_core.proxy.static.representation import Representation, open_regular
from bff_core.upstream.transport.content_coding import ENCODERS

MAX_BYTES_IN_MEMORY: Final = 1024 * 1024
"""The largest file that is stored in memory; larger ones are read while they are sent."""

SIBLINGS: Final = ((b"br", ".br"), (b"zstd", ".zst"), (b"gzip", ".gz"))
"""Content codings and the endings of their files; of equal weights the first is sent."""

MAX_AGE_DIFFERENCE: Final = 2.0
"""Seconds that a compressed sibling may be older than its file: they were copied together."""

_OVERHEAD: Final = 2048

Encoder = Callable[[bytes], bytes]
"""Encodes a complete body."""


class FileState(NamedTuple):
    """What changes whenever the file or one of its siblings does."""

    paths: tuple[Path, ...]
    stats: tuple[tuple[int, int, int, int], ...]


NO_STATE: Final = FileState((), ())


@dataclass(slots=True)
class StoredFile:
    """A file and its representations: `plain`, and one per content coding.

    Without siblings, `encoders` are the codings that it can have; a body that was encoded once is
    stored. `modified` is the Unix time of its last change, None if it is unknown. `checked_until`
    is the instant up to which the file on disk counts as unchanged.
    """

    plain: Representation
    coded: dict[bytes, Representation]
    encoders: Mapping[bytes, Encoder]
    shared: Headers
    modified: int | None
    state: FileState = NO_STATE
    checked_until: float = 0.0

    @property
    def weight(self) -> int:
        """How much memory it takes at most, in bytes."""
        bodies = [self.plain.body, *(one.body for one in self.coded.values())]
        copies = 1 + len(self.encoders)
        return _OVERHEAD + copies * sum(len(body) for body in bodies if body is not None)

    async def chosen(self, fields: Mapping[bytes, bytes]) -> Representation:
        """Return the representation that a client prefers (RFC 9110, section 12.5.3).

        A range is one of the plain bytes, unless If-Range names another representation: clients
        that decode a part of coded bytes fail.
        """
        if b"range" in fields:
            named = fields.get(b"if-range")
            return next((one for one in self.coded.values() if one.etag == named), self.plain)
        codings, accept_encoding = self.encoders or self.coded, fields.get(b"accept-encoding")
        if accept_encoding is None or not codings:
            return self.plain
        coding = _preferred(accept_encoding, tuple(codings))
        if coding is None:
            return self.plain
        return self.coded.get(coding) or await self._encoded(coding)

    async def _encoded(self, coding: bytes) -> Representation:
        body = self.plain.body or b""
        smaller = await asyncio.to_thread(self.encoders[coding], body)
        encoded = Representation(
            self.plain.content_type, self.shared, body=smaller, size=len(smaller), coding=coding
        )
        self.coded[coding] = encoded
        return encoded


def _preferred(accept_encoding: bytes, codings: tuple[bytes, ...]) -> bytes | None:
    """Return the coding of the highest weight; None if the plain bytes are preferred."""
    weights = dict(reversed(preferences(accept_encoding)))
    rest = weights.get(b"*", 0.0)
    if b"x-gzip" in weights:  # the same coding (RFC 9110, section 8.4.1.3)
        weights.setdefault(b"gzip", weights[b"x-gzip"])
    weighted = [(weights.get(one, rest), one) for one in codings]
    weight, coding = max(weighted, key=lambda pair: pair[0])
    return coding if weight > 0 and weight >= weights.get(b"identity", 0.0) else None


def read_file(
    path: Path, name: str, headers: Headers, *, is_inside: Callable[[Path], bool]
) -> StoredFile:
    """Return a file by its real path, with the media type of `name`; raises `OSError`.

    Its siblings have to be inside, too.
    """
    state = state_of(path)  # before the content: a change meanwhile is noticed at the next check
    plain_stat, body = _content(path)
    media_type = media_type_of(name)
    siblings = {
        coding: found
        for coding, ending in SIBLINGS
        if (found := _sibling(_with_ending(path, ending), plain_stat, is_inside)) is not None
    }
    modified = int(min(plain_stat.st_mtime, time.time()))
    shared: Headers = (
        (b"last-modified", formatdate(modified, usegmt=True).encode()),
        (b"accept-ranges", b"bytes"),
        *headers,
    )
    make = partial(_representation, media_type.encode(), shared)
    return StoredFile(
        plain=make(path, plain_stat, body),
        coded={
            coding: make(real, found, content, coding=coding)
            for coding, (real, found, content) in siblings.items()
        },
        encoders={} if siblings else encoders_for(body, media_type),
        shared=shared,
        modified=modified,
        state=state,
    )


def encoders_for(body: bytes | None, media_type: str) -> Mapping[bytes, Encoder]:
    """Return the codings that make a body in memory smaller."""
    is_large = body is not None and len(body) >= MIN_BYTES
    return ENCODERS if is_large and is_compressible(media_type.partition(";")[0]) else {}


def _with_ending(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def state_of(path: Path) -> FileState:
    """Return what identifies the content of a file and its siblings; raises `OSError`."""
    paths, stats = [path], [_identity(path.stat())]
    for _, ending in SIBLINGS:
        sibling = _with_ending(path, ending)
        try:
            stats.append(_identity(sibling.stat()))
        except OSError:
            continue
        paths.append(sibling)
    return FileState(tuple(paths), tuple(stats))


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)


def _content(path: Path) -> tuple[os.stat_result, bytes | None]:
    """Return the state of an open file, and its content if it is small."""
    with open_regular(path) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(path.name)
        if found.st_size > MAX_BYTES_IN_MEMORY:
            return found, None
        return found, file.read(MAX_BYTES_IN_MEMORY + 1)


def _sibling(
    path: Path, plain: os.stat_result, is_inside: Callable[[Path], bool]
) -> tuple[Path, os.stat_result, bytes | None] | None:
    """Return a compressed sibling; None if there is none, or if it is older than the file."""
    try:
        real = path.resolve(strict=True)
        if not is_inside(real):
            return None
        found, body = _content(real)
    except OSError:
        return None
    is_current = found.st_mtime >= plain.st_mtime - MAX_AGE_DIFFERENCE
    return (real, found, body) if is_current else None


def _representation(
    content_type: bytes,
    shared: Headers,
    path: Path,
    found: os.stat_result,
    body: bytes | None,
    *,
    coding: bytes = b"",
) -> Representation:
    if body is not None:
        return Representation(content_type, shared, body=body, size=len(body), coding=coding)
    identity = _identity(found)
    return Representation(
        content_type,
        shared,
        body=None,
        size=found.st_size,
        etag=b'"%x-%x"' % (found.st_mtime_ns, found.st_size),
        coding=coding,
        open_file=partial(_open_same, path, identity),
    )


def _open_same(path: Path, identity: tuple[int, int, int, int]) -> FileIO | None:
    """Open a file; None if it is another one than was measured."""
    try:
        file = open_regular(path)
    except OSError:
        return None
    if _identity(os.fstat(file.fileno())) == identity:
        return file
    file.close()
    return None
