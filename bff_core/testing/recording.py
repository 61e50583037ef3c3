"""Records what services answer while a gateway runs."""

import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec.structs import replace as changed

from bff_core.call import Call, Reply, find_header
from bff_core.errors import ConfigurationError, TransportFailed
from bff_core.gateway.app import Gateway
from bff_core.policy.upstream.policy import Policy
from bff_core.reply_stream import ReplyStream
from bff_core.streamed_body import StreamedBody
from bff_core.testing.paths import beside_caller
from bff_core.testing.redacted_bodies import Body, body_of, pieces_of
from bff_core.testing.redaction import Redaction
from bff_core.testing.traffic import (
    FORMAT,
    VERSION,
    Heading,
    RecordedCall,
    RecordedReply,
    recorded_headers,
    varied_headers,
)
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport
from bff_core.upstream.transport.interface import Connector, Endpoint, Load, Transport

MAX_BODY_BYTES = 4 * 1024 * 1024
"""The longest body that is recorded."""

_TOO_LARGE: Body = {"omitted": f"more than {MAX_BODY_BYTES} bytes"}


def record(
    app: Gateway | Callable[[], Gateway],
    path: str | Path,
    *,
    redact: Iterable[str] = (),
    visible: Iterable[str] = (),
    unredacted_types: Iterable[str] = (),
) -> Gateway:
    """Return a gateway that writes what its services answer to a file, for `replay`.

        app = record(make_app(), "traffic.jsonl", redact=["email", "street"])

    Run it in development, with one process. `path` is relative to the file that calls `record`. The
    file begins anew with the first call of a process.
    Secrets are replaced before anything is written: credentials, cookies, tokens, and values whose
    names say so. `redact` has further names of headers, parameters and members, `visible` names
    that are no secrets. A body that is not JSON (lines and events of JSON included) or a form is
    left out, since secrets can't be found in it: `unredacted_types` are the media types of bodies
    that are recorded as they are, such as "image/png". Raises `ConfigurationError` in production,
    and if the folder of the file does not exist.
    """
    path = beside_caller(path)
    if not path.parent.is_dir():
        raise ConfigurationError(f"record(...) can't write {path}: create the folder {path.parent}")
    made = app if isinstance(app, Gateway) else app()
    if made.settings.env == "production":
        raise ConfigurationError(
            "record(...) writes what services answer to a file: set BFF_ENV=development"
        )
    writer = TrafficWriter(path, Redaction(redact, visible, unredacted_types))
    made.configure(replace(made.config, transport=_recording(made.config.transport, writer)))
    return made


def _recording(make_transport: MakeTransport, writer: "TrafficWriter") -> MakeTransport:
    def make(policy: Policy, runtime: Runtime) -> Transport:
        return _RecordingTransport(make_transport(policy, runtime), writer)

    return make


class TrafficWriter:
    """Writes exchanges to a file that only its owner may read."""

    def __init__(self, path: Path, redaction: Redaction) -> None:
        self.redaction = redaction
        self._path = path
        self._has_begun = False

    def write(self, exchange: RecordedCall) -> None:
        """Append an exchange without secrets."""
        if not self._has_begun:
            self._has_begun = True
            redaction = self.redaction
            options = (redaction.names, redaction.visible, redaction.unredacted_types)
            heading = Heading(FORMAT, VERSION, *options)
            self._append(heading, os.O_TRUNC)
        self._append(exchange, os.O_APPEND)

    def _append(self, line: msgspec.Struct, how: int) -> None:
        with os.fdopen(os.open(self._path, os.O_CREAT | os.O_WRONLY | how, 0o600), "wb") as file:
            self._path.chmod(0o600)  # it may have existed
            file.write(msgspec.json.encode(line) + b"\n")


class _RecordingTransport:
    """Wraps the connectors of a transport."""

    def __init__(self, inner: Transport, writer: TrafficWriter) -> None:
        self._inner = inner
        self._writer = writer
        self.needs_addresses = getattr(inner, "needs_addresses", False)

    def __repr__(self) -> str:
        return f"{self._inner!r}, recorded"

    def connect(self, endpoint: Endpoint) -> Connector:
        """Return the connector of an endpoint."""
        return _RecordingConnector(self._inner.connect(endpoint), self._writer)


class _RecordingConnector:
    """Writes each call and its outcome."""

    def __init__(self, inner: Connector, writer: TrafficWriter) -> None:
        self._inner = inner
        self._writer = writer

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint of the connections."""
        return self._inner.endpoint

    @property
    def load(self) -> Load:
        """The load of the connections."""
        return self._inner.load

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def send(self, call: Call) -> Reply:
        """Send a call, and write it with its reply."""
        began, redaction = time.perf_counter(), self._writer.redaction
        try:
            reply = await self._inner.send(call)
        except TransportFailed as error:
            how = "broken" if error.is_sent else "refused"
            self._writer.write(changed(_exchange(call, redaction, began), failed=how))
            raise
        vary = (find_header(reply.headers, b"vary") or b"").decode("latin-1")
        exchange = changed(
            _exchange(call, redaction, began), varies=varied_headers(call, vary, redaction)
        )
        known = RecordedReply(reply.status, recorded_headers(reply, redaction))
        if isinstance(reply.body, bytes):
            body = _body(reply.body, reply, redaction)
            self._writer.write(changed(exchange, reply=changed(known, body=body)))
            return reply
        return changed(reply, body=self._recorded(reply.body, reply, exchange, known))

    def _recorded(
        self, stream: ReplyStream, reply: Reply, exchange: RecordedCall, known: RecordedReply
    ) -> ReplyStream:
        """Return a stream that is written when it has ended, as far as it was read."""
        chunks: list[bytes] = []

        def write(error: BaseException | None) -> None:
            if stream.size > MAX_BODY_BYTES:
                pieces = [_TOO_LARGE]
            else:
                pieces = pieces_of(
                    chunks, reply.headers, self._writer.redaction, is_whole=error is None
                )
            ended = changed(known, pieces=pieces, breaks=isinstance(error, Exception))
            self._writer.write(changed(exchange, reply=ended))

        async def read() -> AsyncIterator[bytes]:
            size = 0
            async for chunk in stream:
                size += len(chunk)
                if size <= MAX_BODY_BYTES:
                    chunks.append(chunk)
                yield chunk

        stream.on_end(write)
        return ReplyStream(read(), stream.aclose)


def _exchange(call: Call, redaction: Redaction, began: float) -> RecordedCall:
    if isinstance(call.body, StreamedBody):
        body: Body | None = {"omitted": "streamed"}
    else:
        body = request_body(call, call.body, redaction)
    return RecordedCall(
        call.upstream,
        call.method,
        call.operation,
        redaction.target(call.target, call.operation),
        round(time.perf_counter() - began, 4),
        body=body,
    )


def request_body(call: Call, content: bytes, redaction: Redaction) -> Body | None:
    """Return the body of a call as it is written; None without one."""
    kind = find_header(call.headers, b"content-type") or b""
    if kind.lower().startswith(b"multipart/"):
        return {"omitted": "multipart"}  # its boundary differs from call to call
    return body_of(content, call.headers, redaction) if content else None


def _body(content: bytes, reply: Reply, redaction: Redaction) -> Body:
    if len(content) > MAX_BODY_BYTES:
        return _TOO_LARGE
    return body_of(content, reply.headers, redaction)
