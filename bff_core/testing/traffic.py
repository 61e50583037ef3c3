"""The file of recorded traffic: JSON lines, the first one with format, version and names."""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote_plus

import msgspec

from bff_core.call import Call, Headers, Reply
from bff_core.errors import ConfigurationError
from bff_core.testing.redacted_bodies import Body
from bff_core.testing.redaction import Redaction

FORMAT: Final = "bff-traffic"
VERSION: Final = 1

DROPPED: Final = frozenset({
    "connection", "content-length", "date", "keep-alive", "server", "transfer-encoding",
})  # fmt: skip
"""Headers of replies that are not recorded: they are of the connection, or of that moment."""


class Heading(msgspec.Struct, frozen=True):
    """The first line of the file: the options of `record`.

    `redacted` and `visible` are names beside the usual ones.
    """

    format: str
    version: int
    redacted: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    unredacted_types: tuple[str, ...] = ()


class RecordedReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reply in the file; `pieces` is the body of a stream. `breaks` if it broke off."""

    status: int
    headers: dict[str, str]
    body: Body | None = None
    pieces: list[Body] | None = None
    breaks: bool = False


class RecordedCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call and its outcome in the file: `reply`, or how the connection `failed`.

    `varies` are the request headers that the reply varies by.
    """

    service: str
    method: str
    operation: str
    target: str
    seconds: float
    varies: dict[str, str] = {}
    body: Body | None = None
    reply: RecordedReply | None = None
    failed: Literal["refused", "broken"] | None = None

    @property
    def request_key(self) -> str:
        """What calls with equal replies have in common."""
        return f"{self.method} {self.target}\n{json.dumps(self.body, sort_keys=True)}"


def content_of(body: Body | None) -> bytes:
    """Return the bytes of a body of the file."""
    if body is None:
        return b""
    if "json" in body:
        return json.dumps(body["json"], ensure_ascii=False).encode()
    if "base64" in body:
        return b64decode(str(body["base64"]))
    return str(body.get("text", "")).encode()


def headers_of(headers: Headers) -> dict[str, str]:
    """Return header fields by name; several of one name are joined."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def recorded_headers(reply: Reply, redaction: Redaction) -> dict[str, str]:
    """Return the headers of a reply that are written."""
    found = headers_of(reply.headers)
    return redaction.headers({name: one for name, one in found.items() if name not in DROPPED})


def varied_headers(call: Call, vary: str, redaction: Redaction) -> dict[str, str]:
    """Return the headers of a call by which its reply varies."""
    found = headers_of(call.headers)
    names = {name.strip().lower() for name in vary.split(",")}
    return redaction.headers({name: found[name] for name in sorted(names & found.keys())})


def read(path: Path) -> tuple[Redaction, Sequence[RecordedCall]]:
    """Return the redaction and the exchanges of a file; raise `ConfigurationError` for others."""
    lines = _lines(path)
    try:
        heading = msgspec.json.decode(next(lines, "{}"), type=Heading)
    except msgspec.MsgspecError:
        heading = Heading("", 0)
    if heading.format != FORMAT or heading.version != VERSION:
        raise ConfigurationError(
            f"{path}: the first line has to be that of a recording, with "
            f'"format": "{FORMAT}" and "version": {VERSION}: record the traffic again'
        )
    exchanges = []
    for number, line in enumerate(lines, 2):
        try:
            exchanges.append(msgspec.json.decode(line, type=RecordedCall))
        except msgspec.MsgspecError as error:
            raise ConfigurationError(f"{path}:{number}: {error}") from error
    options = (heading.redacted, heading.visible, heading.unredacted_types)
    return Redaction(*options, numbers=False), exchanges


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
    return iter([line for line in text.splitlines() if line.strip()])


def shown(exchange: RecordedCall) -> str:
    """Return an exchange in a few words, for errors."""
    return f"{exchange.method} {unquote_plus(exchange.target)}"
