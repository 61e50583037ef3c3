"""What `bff_core/compat/websockets.py` needs of websockets; each test has one promise."""

import gc
import weakref

from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, State

from bff_core.compat import websockets as compat
from tests.compat.promises import parameters

BAD_TEXT = b"\x81\x82\0\0\0\0\xff\xfe"
PING = b"\x89\x80\0\0\0\0"


def accepted() -> compat.CheckedServer:
    """Return the protocol of an open web socket."""
    protocol = compat.CheckedServer(state=OPEN)
    protocol.messages = []
    return protocol


def test_a_protocol_takes_frames_by_a_method():
    """`Protocol.recv_frame` takes one frame, in their order."""
    assert parameters(Protocol.recv_frame) == {"self", "frame"}
    assert issubclass(compat.CheckedClient, Protocol)


def test_a_frame_has_an_opcode_its_data_and_its_end():
    """`Frame` has `opcode`, `data` and `fin`."""
    frame = Frame(Opcode.TEXT, b"x")

    assert (frame.opcode, frame.data, frame.fin) == (Opcode.TEXT, b"x", True)


def test_a_decoding_error_fails_the_connection_at_once():
    """A `UnicodeDecodeError` of `recv_frame` is 1007; frames behind it are not read."""
    protocol = accepted()

    protocol.receive_data(BAD_TEXT + PING)

    assert isinstance(protocol.parser_exc, UnicodeDecodeError)
    assert protocol.close_sent is not None
    assert protocol.close_sent.code == 1007
    assert b"\x8a\x00" not in protocol.data_to_send()
    assert protocol.state is not State.OPEN


def test_messages_are_collected_in_their_order():
    """Text and binary, whole or in fragments."""
    protocol = accepted()

    protocol.receive_data(b"\x01\x81\0\0\0\0a" + PING + b"\x80\x81\0\0\0\0b")
    protocol.receive_data(b"\x82\x81\0\0\0\0c")

    assert protocol.messages == ["ab", b"c"]


def test_a_close_frame_may_come_within_a_message():
    """`Protocol.current_size` is None outside a fragmented message; then a close is just that."""
    protocol = accepted()

    protocol.receive_data(b"\x01\x81\0\0\0\0a")
    assert protocol.current_size == 1
    protocol.receive_data(b"\x88\x82\0\0\0\0\x03\xe8")

    assert protocol.close_rcvd is not None
    assert protocol.close_rcvd.code == 1000
    assert protocol.parser_exc is None


def test_the_parser_of_a_protocol_can_be_ended():
    """`Protocol.parser` is a generator, which alone forms a cycle with its protocol."""
    protocol = accepted()
    found = weakref.ref(protocol)

    protocol.release()
    gc.disable()
    del protocol
    gc.enable()

    assert found() is None
