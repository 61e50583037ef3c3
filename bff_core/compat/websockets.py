"""The private names of websockets that the framework uses.

`recv_frame` is the step of its parser that takes one frame. To override it is the only way to
refuse text that is not UTF-8 before the frames behind it are answered.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol
from websockets.server import ServerProtocol

__all__ = ["CheckedClient", "CheckedServer"]

_utf8 = getincrementaldecoder("utf_8")


class _Checked(Protocol):
    """Collects whole messages; text is checked fragment by fragment."""

    messages: list[str | bytes]
    _partial: bytearray | None = None
    _check: Callable[[bytes, bool], str] | None = None

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame; raise `UnicodeDecodeError`, which fails the connection with 1007.

        A close frame may come within a fragmented message (section 5.4), which then has no end.
        """
        if frame.opcode is Opcode.CLOSE:
            self.current_size = self._partial = None
        super().recv_frame(frame)
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY}:
            if frame.fin:
                whole = bytes(frame.data)  # not a bytearray
                self.messages.append(whole.decode() if frame.opcode is Opcode.TEXT else whole)
                return
            self._partial = bytearray()
            self._check = _utf8().decode if frame.opcode is Opcode.TEXT else None
        elif frame.opcode is not Opcode.CONT:
            return
        self._add(frame)

    def release(self) -> None:
        """End the parser, which forms a reference cycle with the protocol, as its error does."""
        self.parser.close()
        self.parser_exc = None

    def _add(self, frame: Frame) -> None:
        """Add a fragment to its message."""
        partial, check = self._partial, self._check
        if partial is None:
            return
        partial += frame.data
        if check is not None:
            check(bytes(frame.data), frame.fin)
        if frame.fin:
            self.messages.append(bytes(partial) if check is None else partial.decode())
            self._partial = self._check = None


class CheckedClient(_Checked, ClientProtocol):
    """The protocol of the side that opened the connection."""


class CheckedServer(_Checked, ServerProtocol):
    """The protocol of the side that accepted the connection."""
