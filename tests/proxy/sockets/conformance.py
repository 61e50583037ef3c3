"""The table of conformance cases, after the published sections of the Autobahn testsuite.

A case is what one side sends, frame by frame, and what it must get: its messages back, pongs, and
a close code. The masks follow from the side that sends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.proxy.sockets.wire import BINARY, CLOSE, CONT, PING, PONG, TEXT

Chop = Literal["", "frames", "octets"] | int
"""The segments of a case: one, one per frame, one per byte, or so many bytes each."""


@dataclass(frozen=True)
class Step:
    """One frame."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    is_masked_wrongly: bool = False


@dataclass(frozen=True)
class Case:
    """What is sent, and what must come back.

    `code` is that of the close frame: the echo of the sender's own, or of a failure. A case without
    a close frame of its own is closed with 1000 at its end. With `fails` only the first of the
    messages may have come back.
    """

    id: str
    steps: tuple[Step, ...]
    messages: tuple[tuple[int, bytes], ...] = ()
    pongs: tuple[bytes, ...] = ()
    code: int | None = 1000
    chop: Chop = ""
    fails: bool = False
    reason: bytes = b""


def text(payload: bytes | str, *, fin: bool = True, rsv: int = 0) -> Step:
    """Return a text frame."""
    return Step(TEXT, payload.encode() if isinstance(payload, str) else payload, fin, rsv)


def more(payload: bytes | str = b"", *, fin: bool = False) -> Step:
    """Return a continuation."""
    return Step(CONT, payload.encode() if isinstance(payload, str) else payload, fin)


def close(payload: bytes = b"\x03\xe8") -> Step:
    """Return a close frame."""
    return Step(CLOSE, payload)


def echoed(id_: str, *steps: Step, chop: Chop = "", pongs: tuple[bytes, ...] = ()) -> Case:
    """Return a case whose frames are messages that come back."""
    messages: list[tuple[int, bytes]] = []
    partial: tuple[int, bytes] | None = None
    for step in steps:
        if step.opcode in {PING, PONG}:
            continue
        begun = (
            (step.opcode, step.payload)
            if partial is None
            else (
                partial[0],
                partial[1] + step.payload,
            )
        )
        partial = None if step.fin else begun
        if step.fin:
            messages.append(begun)
    return Case(id_, steps, tuple(messages), pongs, chop=chop)


def failing(
    id_: str, *steps: Step, code: int = 1002, chop: Chop = "", before: tuple[bytes, ...] = ()
) -> Case:
    """Return a case that fails; the texts `before` may come back, and pongs as well."""
    messages = tuple((TEXT, one) for one in before)
    return Case(id_, steps, messages, code=code, chop=chop, fails=True)


SIZES = (0, 125, 126, 127, 128, 65535, 65536)


def framing() -> Iterator[Case]:
    """Section 1: lengths of frames."""
    for section, opcode in ((1, TEXT), (2, BINARY)):
        payload = b"*" if opcode == TEXT else b"\xfe"
        for number, size in enumerate(SIZES, 1):
            yield echoed(f"1.{section}.{number}", Step(opcode, payload * size))
        yield echoed(f"1.{section}.8", Step(opcode, payload * 65536), chop=997)


def pings() -> Iterator[Case]:
    """Section 2: pings and pongs."""
    binary = bytes.fromhex("00fffefdfcfb00ff")
    for number, payload in enumerate((b"", b"Hello, world!", binary, b"\xfe" * 125), 1):
        yield echoed(f"2.{number}", Step(PING, payload), pongs=(payload,))
    yield failing("2.5", Step(PING, b"\xfe" * 126))
    yield echoed("2.6", Step(PING, b"\xfe" * 125), pongs=(b"\xfe" * 125,), chop="octets")
    yield echoed("2.7", Step(PONG))
    yield echoed("2.8", Step(PONG, b"unsolicited"))
    yield echoed("2.9", Step(PONG, b"unsolicited"), Step(PING, b"ping"), pongs=(b"ping",))
    ten = tuple(b"payload-%d" % number for number in range(10))
    for number, chop in ((10, ""), (11, "octets")):
        yield echoed(f"2.{number}", *(Step(PING, one) for one in ten), pongs=ten, chop=chop)


HELLO = b"Hello, world!"


def reserved_bits() -> Iterator[Case]:
    """Section 3: bits that no extension has given a meaning."""
    yield failing("3.1", text(HELLO, rsv=1))
    for number, chop in ((2, ""), (3, "frames"), (4, "octets")):
        steps = (text(HELLO), text(HELLO, rsv=number), Step(PING))
        yield failing(f"3.{number}", *steps, chop=chop, before=(HELLO,))
    yield failing("3.5", Step(BINARY, b"\0\xff" * 4, rsv=5))
    yield failing("3.6", Step(PING, HELLO, rsv=6))
    yield failing("3.7", Step(CLOSE, b"\x03\xe8", rsv=7))
    for rsv in range(1, 8):
        for name, opcode in (("text", TEXT), ("binary", BINARY), ("pong", PONG)):
            yield failing(f"3.x {name} {rsv}", Step(opcode, HELLO, rsv=rsv))


def opcodes() -> Iterator[Case]:
    """Section 4: opcodes that are reserved."""
    for section, first in ((1, 3), (2, 11)):
        for number in range(5):
            opcode = first + number
            chop: Chop = ("", "", "", "frames", "octets")[number]
            yield failing(f"4.{section}.{number + 1} alone", Step(opcode), chop=chop)
            steps = (text(HELLO), Step(opcode, b"reserved"), Step(PING))
            yield failing(f"4.{section}.{number + 1} behind", *steps, chop=chop, before=(HELLO,))


def fragmentation() -> Iterator[Case]:
    """Section 5: fragments."""
    one, two = b"fragment1", b"fragment2"
    yield failing("5.1", Step(PING, one, fin=False), more(two, fin=True))
    yield failing("5.2", Step(PONG, one, fin=False), more(two, fin=True))
    for number, chop in ((3, ""), (4, "frames"), (5, "octets")):
        yield echoed(f"5.{number}", text(one, fin=False), more(two, fin=True), chop=chop)
    for number, chop in ((6, ""), (7, "frames"), (8, "octets")):
        steps = (text(one, fin=False), Step(PING, b"ping"), more(two, fin=True))
        yield echoed(f"5.{number}", *steps, pongs=(b"ping",), chop=chop)
    for number, chop in ((9, ""), (10, "frames"), (11, "octets")):
        yield failing(f"5.{number}", more(b"non-continuation", fin=True), text(HELLO), chop=chop)
    for number, chop in ((12, ""), (13, "frames"), (14, "octets")):
        yield failing(f"5.{number}", more(b"non-continuation"), text(HELLO), chop=chop)
    whole = (text(one, fin=False), more(two, fin=True))
    yield failing("5.15", *whole, more(b"x"), text(HELLO), before=(one + two,))
    twice = (more(one), text(two, fin=False), more(two, fin=True)) * 2
    yield failing("5.16", *twice)
    yield failing("5.17", more(one, fin=True), text(two, fin=False), more(two, fin=True))
    yield failing("5.18", text(one, fin=False), text(two))
    five = [b"fragment%d" % number for number in range(1, 6)]
    for number, chop in ((19, ""), (20, "frames")):
        steps = (
            text(five[0], fin=False),
            more(five[1]),
            Step(PING, b"pongme 1!"),
            more(five[2]),
            more(five[3]),
            Step(PING, b"pongme 2!"),
            more(five[4], fin=True),
        )
        yield echoed(f"5.{number}", *steps, pongs=(b"pongme 1!", b"pongme 2!"), chop=chop)
    yield failing("5.x binary in text", text(one, fin=False), Step(BINARY, two))
    yield failing("5.x text in binary", Step(BINARY, one, fin=False), text(two))
    yield echoed("5.x empty first", text(b"", fin=False), more(two, fin=True))
    yield echoed("5.x empty last", text(one, fin=False), more(b"", fin=True))
    yield echoed("5.x binary", Step(BINARY, b"\xff", fin=False), more(b"\xfe", fin=True))


KOSME = "Hello-µ@ßöäüàá-UTF-8!!"
GREEK = "κόσμε"

VALID = {
    "6.1.1": (b"",),
    "6.1.2": (b"", b"", b""),
    "6.1.3": (b"", b"middle frame payload", b""),
    "6.2.1": (KOSME.encode(),),
    "6.2.2": (KOSME.encode()[:12], KOSME.encode()[12:]),
    "6.2.3": tuple(KOSME.encode()[at : at + 1] for at in range(len(KOSME.encode()))),
    "6.2.4": tuple(GREEK.encode()[at : at + 1] for at in range(len(GREEK.encode()))),
    "6.5.1": (GREEK.encode(),),
    **{f"6.6.{n}": (GREEK.encode()[:n],) for n in (2, 4, 6, 8, 10)},
    "6.7.1": (b"\x00",),
    "6.7.2": (b"\xc2\x80",),
    "6.7.3": (b"\xe0\xa0\x80",),
    "6.7.4": (b"\xf0\x90\x80\x80",),
    "6.9.1": (b"\x7f",),
    "6.9.2": (b"\xdf\xbf",),
    "6.9.3": (b"\xef\xbf\xbf",),
    "6.9.4": (b"\xf4\x8f\xbf\xbf",),
    "6.11.1": (b"\xed\x9f\xbf",),
    "6.11.2": (b"\xee\x80\x80",),
    "6.11.3": (b"\xef\xbf\xbd",),
    "6.11.4": (b"\xf4\x8f\xbf\xbf",),
    **{
        f"6.22.{number}": (chr(0x10000 * plane + low).encode(),)
        for number, (plane, low) in enumerate(
            ((plane, low) for plane in range(17) for low in (0xFFFE, 0xFFFF)), 1
        )
    },
    **{
        f"6.23.{number}": (chr(point).encode(),)
        for number, point in enumerate((0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0xFFFD, 0xFEFF, 0x200B), 1)
    },
}
"""Texts, fragment by fragment."""

INVALID = {
    "6.3.1": GREEK.encode() + b"\xed\xa0\x80edited",
    "6.4.1": GREEK.encode() + b"\xf4\x90\x80\x80edited",
    **{f"6.6.{n}": GREEK.encode()[:n] for n in (1, 3, 5, 7, 9)},
    "6.8.1": b"\xf8\x88\x80\x80\x80",
    "6.8.2": b"\xfc\x84\x80\x80\x80\x80",
    "6.10.1": b"\xf7\xbf\xbf\xbf",
    "6.10.2": b"\xfb\xbf\xbf\xbf\xbf",
    "6.10.3": b"\xfd\xbf\xbf\xbf\xbf\xbf",
    "6.11.5": b"\xf4\x90\x80\x80",
    "6.12.1": b"\x80",
    "6.12.2": b"\xbf",
    **{f"6.12.{n + 1}": (b"\x80\xbf" * 4)[:n] for n in range(2, 8)},
    "6.13.1": b" ".join(bytes([one]) for one in range(0xC0, 0xE0)),
    "6.13.2": b" ".join(bytes([one]) for one in range(0xE0, 0xF0)),
    "6.13.3": b" ".join(bytes([one]) for one in range(0xF0, 0xF8)),
    "6.13.4": b" ".join(bytes([one]) for one in range(0xF8, 0xFC)),
    "6.13.5": b"\xfc \xfd ",
    "6.14.1": b"\xc0",
    "6.14.2": b"\xe0\x80",
    "6.14.3": b"\xf0\x80\x80",
    "6.14.4": b"\xf8\x80\x80\x80",
    "6.14.5": b"\xfc\x80\x80\x80\x80",
    "6.14.6": b"\xdf",
    "6.14.7": b"\xef\xbf",
    "6.14.8": b"\xf7\xbf\xbf",
    "6.14.9": b"\xfb\xbf\xbf\xbf",
    "6.14.10": b"\xfd\xbf\xbf\xbf\xbf",
    "6.15.1": b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf",
    "6.16.1": b"\xfe",
    "6.16.2": b"\xff",
    "6.16.3": b"\xfe\xfe\xff\xff",
    "6.17.1": b"\xc0\xaf",
    "6.17.2": b"\xe0\x80\xaf",
    "6.17.3": b"\xf0\x80\x80\xaf",
    "6.17.4": b"\xf8\x80\x80\x80\xaf",
    "6.17.5": b"\xfc\x80\x80\x80\x80\xaf",
    "6.18.1": b"\xc1\xbf",
    "6.18.2": b"\xe0\x9f\xbf",
    "6.18.3": b"\xf0\x8f\xbf\xbf",
    "6.18.4": b"\xf8\x87\xbf\xbf\xbf",
    "6.18.5": b"\xfc\x83\xbf\xbf\xbf\xbf",
    "6.19.1": b"\xc0\x80",
    "6.19.2": b"\xe0\x80\x80",
    "6.19.3": b"\xf0\x80\x80\x80",
    "6.19.4": b"\xf8\x80\x80\x80\x80",
    "6.19.5": b"\xfc\x80\x80\x80\x80\x80",
    **{
        f"6.20.{number}": bytes.fromhex(one)
        for number, one in enumerate(
            ("eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"), 1
        )
    },
    **{
        f"6.21.{number}": bytes.fromhex(one)
        for number, one in enumerate(
            (
                "eda080edb080",
                "eda080edbfbf",
                "edadbfedb080",
                "edadbfedbfbf",
                "edae80edb080",
                "edae80edbfbf",
                "edafbfedb080",
                "edafbfedbfbf",
            ),
            1,
        )
    },
}
"""What is no UTF-8."""


def utf8() -> Iterator[Case]:
    """Section 6: text."""
    for id_, (first, *rest) in VALID.items():
        steps = [text(first, fin=not rest), *(more(one) for one in rest[:-1])]
        yield echoed(id_, *steps, *(more(one, fin=True) for one in rest[-1:]))
    for id_, payload in INVALID.items():
        yield failing(id_, text(payload), code=1007)
        yield failing(
            f"{id_} cut", text(payload[:1], fin=False), more(payload[1:], fin=True), code=1007
        )
    bad = GREEK.encode(), b"\xf4\x90\x80\x80", b"edited"
    yield failing("6.3.2", *_by_octets(INVALID["6.3.1"]), code=1007)
    # Fail fast: the message has no end, and still it fails.
    yield failing("6.4.1 fast", text(bad[0], fin=False), more(bad[1]), code=1007)
    yield failing("6.4.2 fast", text(bad[0] + b"\xf4", fin=False), more(b"\x90"), code=1007)
    yield failing("6.4.3 ping", text(b"\xff", fin=False), Step(PING, b"late"), code=1007)
    yield failing("6.4.4 close", text(b"\xff"), close(), code=1007)
    yield echoed("6.x binary", *(Step(BINARY, one) for one in INVALID.values()))


def _by_octets(payload: bytes) -> list[Step]:
    pieces = [payload[at : at + 1] for at in range(len(payload))]
    steps = [text(pieces[0], fin=False), *(more(one) for one in pieces[1:-1])]
    return [*steps, more(pieces[-1], fin=True)]


MAY_BE_SENT = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
NEVER_SENT = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535)


def _coded(code: int, reason: bytes = b"") -> bytes:
    return code.to_bytes(2, "big") + reason


def closes() -> Iterator[Case]:
    """Section 7: closing."""
    yield Case("7.1.1", (text(HELLO), close()), ((TEXT, HELLO),), fails=True)
    yield Case("7.1.2", (close(), close()))
    yield Case("7.1.3", (close(), Step(PING)))
    yield Case("7.1.4", (close(), text(HELLO)))
    yield Case("7.1.5", (text(b"fragment1", fin=False), close(), more(b"fragment2", fin=True)))
    yield Case("7.1.6", (text(b"x" * 262144), close(), Step(PING)), ((TEXT, b"x" * 262144),),
               fails=True)  # fmt: skip
    yield Case("7.3.1", (close(b""),), code=None)
    yield failing("7.3.2", close(b"\x03"))
    yield Case("7.3.3", (close(),))
    for number, reason in ((4, b"Hello World!"), (5, b"*" * 123)):
        yield Case(f"7.3.{number}", (close(_coded(1000, reason)),), reason=reason)
    yield failing("7.3.6", close(_coded(1000, b"*" * 124)))
    yield failing("7.5.1", close(_coded(1000, GREEK.encode() + b"\xed\xa0\x80")), code=1007)
    for number, code in enumerate(MAY_BE_SENT, 1):
        yield Case(f"7.7.{number}", (close(_coded(code)),), code=code)
    for number, code in enumerate(NEVER_SENT, 1):
        yield failing(f"7.9.{number}", close(_coded(code)))
    for code in (1012, 1013, 1014):
        yield Case(f"7.x {code}", (close(_coded(code, b"later")),), code=code, reason=b"later")
    yield failing("7.x a fragment", Step(CLOSE, b"\x03\xe8", fin=False))


def masks() -> Iterator[Case]:
    """Masks (RFC 6455, section 5.1): a client's frames have one, a service's have none."""
    for name, opcode in (("text", TEXT), ("ping", PING), ("close", CLOSE), ("cont", CONT)):
        payload = b"\x03\xe8" if opcode == CLOSE else b"x"
        yield failing(f"5.1 {name}", Step(opcode, payload, is_masked_wrongly=True))


KIB = 1024


def limits() -> Iterator[Case]:
    """Sections 9 and 10: large messages, many messages, and the limit of a message."""
    for section, opcode, octet in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for number, size in enumerate((64 * KIB, 256 * KIB, 1024 * KIB), 1):
            yield echoed(f"9.{section}.{number}", Step(opcode, octet * size))
        for number, size in enumerate((64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB), 1):
            yield echoed(f"9.{section + 2}.{number}", *_cut(opcode, octet * (128 * KIB), size))
        for number, chop in enumerate((64, 128, 256, 512, KIB, 2 * KIB), 1):
            yield echoed(f"9.{section + 4}.{number}", Step(opcode, octet * 16 * KIB), chop=chop)
        for number, size in enumerate((0, 16, 64, 256, KIB, 4 * KIB), 1):
            yield echoed(f"9.{section + 6}.{number}", *([Step(opcode, octet * size)] * 100))
    yield echoed("10.1.1", *_cut(TEXT, b"*" * 65536, 1300))
    over = 1024 * KIB + 1
    yield failing("9.x too large", Step(BINARY, b"x" * over), code=1009)
    yield failing("9.x fragments too large", *_cut(TEXT, b"x" * over, 300 * KIB), code=1009)


def _cut(opcode: int, payload: bytes, size: int) -> list[Step]:
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    last = len(pieces) - 1
    return [
        Step(opcode if at == 0 else CONT, piece, fin=at == last) for at, piece in enumerate(pieces)
    ]


SECTIONS = {
    "1 framing": framing,
    "2 pings": pings,
    "3 reserved bits": reserved_bits,
    "4 opcodes": opcodes,
    "5 fragmentation": fragmentation,
    "5.1 masks": masks,
    "6 UTF-8": utf8,
    "7 closing": closes,
    "9 limits": limits,
}
"""The cases by section of the testsuite, or of the RFC."""
