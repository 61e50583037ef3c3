"""Generates malformed responses: from a grammar with mistakes, and from damaged recordings."""

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"
FACTOR = max(1, int(os.environ.get("BFF_FUZZ", "1")))
"""How many times as many examples as usual; more than usual are drawn by chance."""

USUAL = 40
"""How many times likelier the usual token is than each odd one."""

POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"


def effort(examples: int) -> settings:
    """Return how long a property searches: the same every time, unless `BFF_FUZZ` is set."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        derandomize=FACTOR == 1,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def mostly(usual: bytes, *odd: bytes) -> st.SearchStrategy[bytes]:
    """Draw the usual token, and now and then an odd one."""
    return st.sampled_from([usual] * USUAL + list(odd))


VERSION = mostly(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1", b"")
STATUS = mostly(b"200", b"204", b"304", b"206", b"404", b"500", b"100", b"103", b"101", b"20", b"")
END = mostly(b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\r\n\t", b"\0\r\n", b" \r\n")
COLON = mostly(b": ", b":", b" : ", b":\t", b"", b":\r\n ")
LENGTHS = st.one_of(
    st.integers(0, 20).map(b"%d".__mod__),
    st.sampled_from([b"5, 5", b"+5", b"-1", b"0x5", b"5 5", b"", b"05", b"9" * 30, b"5\t", b"5;"]),
)
NAMES = {
    b"Content-Length": LENGTHS,
    b"content-length": LENGTHS,
    b"Transfer-Encoding": mostly(
        b"chunked", b"Chunked", b"gzip, chunked", b"chunked, chunked", b"identity", b"\x0bchunked"
    ),
    b"Connection": st.sampled_from(
        [b"close", b"keep-alive", b"Keep-Alive, Close", b"Content-Length", b"upgrade", b"x"]
    ),
    b"Content-Encoding": st.sampled_from([b"gzip", b"br", b"zstd", b"identity", b"x", b"gzip, br"]),
    b"Upgrade": st.just(b"h2c"),
    b"X-One": st.binary(max_size=6),
    b"X\xe9": st.just(b"1"),
    b"Trailer": st.just(b"X-Sum"),
}
SIZE_END = mostly(b"\r\n", b"\n", b";a=b\r\n", b";a\r\n", b"\r", b" \r\n", b"; \0\r\n", b"")
DATA_END = mostly(b"\r\n", b"\n", b"", b"\r", b"x\r\n")


@st.composite
def chunks(draw: st.DrawFn) -> bytes:
    """Draw a chunked body, whose sizes, line ends and trailer may be malformed."""
    body = b""
    for data in draw(st.lists(st.binary(min_size=1, max_size=6), max_size=4)):
        size = draw(mostly(b"%x" % len(data), b"0%x" % len(data), b"-1", b"0x1", b"f", b"", b" 1"))
        body += size + draw(SIZE_END) + data + draw(DATA_END)
    last = draw(mostly(b"0", b"00", b"", b"1"))
    trailer = draw(mostly(b"", b"X-Sum: 1\r\n", b"X-Sum: 1\n", b" folded\r\n", b"no colon\r\n"))
    return body + last + draw(SIZE_END) + trailer + draw(END)


@st.composite
def fields(draw: st.DrawFn, name: bytes, value: bytes) -> bytes:
    """Draw one line of a head, its tokens mostly as they should be."""
    return name + draw(COLON) + value + draw(END)


@st.composite
def heads(draw: st.DrawFn, *framing: tuple[bytes, bytes]) -> bytes:
    """Draw a head that says how its body is framed, among other things."""
    space, reason = draw(mostly(b" ", b"  ", b"\t", b"")), draw(mostly(b" OK", b"", b" ", b" \xff"))
    names = draw(st.lists(st.sampled_from(sorted(NAMES)), max_size=draw(st.integers(0, 3))))
    lines = [*framing, *((name, draw(NAMES[name])) for name in names)]
    head = draw(VERSION) + space + draw(STATUS) + reason + draw(END)
    return head + b"".join(draw(fields(*line)) for line in draw(st.permutations(lines)))


@st.composite
def sound(draw: st.DrawFn) -> bytes:
    """Draw a valid response, of either framing."""
    data = draw(st.binary(max_size=20))
    if draw(st.booleans()):
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)
    framed = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """Draw a response from the grammar: interim ones, a head, a body that mostly belongs to it."""
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n" * draw(st.sampled_from([0, 0, 0, 0, 1, 9]))
    body, framing = draw(st.binary(max_size=20)), []
    if draw(st.booleans()):
        framing = [(b"Content-Length", draw(mostly(b"%d" % len(body), b"%d" % (len(body) + 1))))]
    elif draw(st.booleans()):
        body, framing = draw(chunks()), [(b"Transfer-Encoding", b"chunked")]
    return interim + draw(heads(*framing)) + draw(END) + body


def corpus(folder: str) -> list[Path]:
    """List the files of one folder of the corpus."""
    return sorted((CORPUS / folder).glob("*.http"))


SEEDS = [path.read_bytes() for folder in ("read", "refused") for path in corpus(folder)]
SHORT = [seed for seed in SEEDS if len(seed) < 500]
WORDS = (b"\r\n", b"\n", b"\0", b"0", b"9", b"Content-Length: 3\r\n", POISON, b":", b" ", b"\t")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw one of the corpus and damage it: replace, drop, repeat, insert, splice with another."""
    response = bytearray(draw(st.sampled_from(SHORT)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(response)))
        match draw(st.sampled_from(("replace", "drop", "repeat", "insert", "splice"))):
            case "replace":
                response[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "drop":
                del response[at : at + draw(st.integers(1, 6))]
            case "repeat":
                response[at:at] = response[at : at + draw(st.integers(1, 12))]
            case "insert":
                response[at:at] = draw(st.sampled_from(WORDS))
            case _:
                other = draw(st.sampled_from(SHORT))
                response[at:] = other[draw(st.integers(0, len(other))) :]
    return bytes(response)


TAILS = st.sampled_from([b"", b"", b"", b"\r\n", POISON, b"HTTP/1.1 200", b"x"])
adversarial = st.builds(bytes.__add__, st.one_of(bent(), bent(), damaged(), sound()), TAILS)


@st.composite
def packets(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    """Cut a response as a network may."""
    inner = st.integers(0, len(whole))
    edges = sorted({0, len(whole), *draw(st.sets(inner, max_size=6))})
    return [whole[start:end] for start, end in itertools.pairwise(edges)]


@dataclass(frozen=True)
class Move:
    """What a service does with one call, and how the call was made."""

    packets: list[bytes]
    after: Literal["keep", "close", "reset"]
    method: str
    is_streamed: bool


@st.composite
def moves(draw: st.DrawFn) -> Move:
    """Draw a move."""
    return Move(
        draw(packets(draw(adversarial))),
        draw(st.sampled_from(["keep", "close", "close", "reset"])),
        draw(st.sampled_from(["GET", "GET", "POST", "HEAD"])),
        draw(st.booleans()),
    )
