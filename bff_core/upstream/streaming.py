"""Splits streams into lines and server-sent events while they arrive."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from bff_core.call import Call
from bff_core.errors import BadPayload

MAX_LINE_BYTES = 1024 * 1024
"""The longest line: a line that never ends would fill the memory."""

MAX_EVENT_CHARACTERS = 1024 * 1024
"""The longest data of one event: an event that never ends would fill the memory."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream (WHATWG HTML, section 9.2); `retry` in seconds, if any."""

    data: str
    event: str = "message"
    id: str = ""
    retry: float | None = None


async def lines(
    chunks: AsyncIterator[bytes], call: Call, *, ends_by_cr: bool = False
) -> AsyncGenerator[bytes]:
    """Yield the lines of a stream without their ends; raise `BadPayload` for one too long.

    A line ends by LF or CRLF; with `ends_by_cr` by a CR alone, too, as in event streams.
    """
    # It grows in place: a long line that arrives byte by byte must not be copied for each byte.
    line = bytearray()
    was_cr = False
    async for read in chunks:
        chunk = read
        if ends_by_cr and (was_cr or b"\r" in chunk):
            chunk, was_cr = _by_lf(chunk, was_cr=was_cr)
        end, *further = chunk.split(b"\n")
        line += end
        for start in further:
            yield bytes(line.removesuffix(b"\r"))
            line = bytearray(start)
        if len(line) > MAX_LINE_BYTES:
            raise BadPayload(f"a line is longer than {MAX_LINE_BYTES} bytes", call=call)
    if line:
        yield bytes(line.removesuffix(b"\r"))


def _by_lf(chunk: bytes, *, was_cr: bool) -> tuple[bytes, bool]:
    """Return a chunk with LF at the end of each line, and whether the chunk ended with a CR.

    A CR at the end of a chunk ends its line at once, since the next chunk may come minutes later. A
    LF that begins the next chunk belongs to it.
    """
    if not chunk:
        return chunk, was_cr
    rest = chunk[1:] if was_cr and chunk.startswith(b"\n") else chunk
    return rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), chunk.endswith(b"\r")


async def events(chunks: AsyncIterator[bytes], call: Call) -> AsyncGenerator[ServerSentEvent]:
    """Yield the events of a server-sent event stream; an event cut off by the end is dropped.

    Raises `BadPayload` for an event or a line too long.
    """
    event = _EventBuffer()
    async for line in lines(chunks, call, ends_by_cr=True):
        if line:
            event.take(line)
            if event.size > MAX_EVENT_CHARACTERS:
                raise BadPayload(
                    f"an event is longer than {MAX_EVENT_CHARACTERS} characters", call=call
                )
        elif (complete := event.end()) is not None:
            yield complete


class _EventBuffer:
    """The fields of the event that is being read; `size` is the length of its data."""

    def __init__(self) -> None:
        self.size = 0
        self._encoding = "utf-8-sig"  # a byte order mark may begin the stream
        self._data: list[str] = []
        self._type = ""
        self._id = ""
        self._retry: float | None = None

    def take(self, line: bytes) -> None:
        """Take one line; comments and unknown fields are ignored."""
        text, self._encoding = line.decode(self._encoding, "replace"), "utf-8"
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self.size += len(value) + 1
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self._retry = int(value) / 1000

    def end(self) -> ServerSentEvent | None:
        """Return the event that an empty line completes; the last id stays for the next."""
        data, self._data = self._data, []
        kind, self._type = self._type, ""
        self.size = 0
        if not data:
            return None
        return ServerSentEvent("\n".join(data), kind or "message", self._id, self._retry)
