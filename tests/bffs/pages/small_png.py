"""Makes pictures small: a PNG of true colours becomes one with a palette of 256."""

import struct
import zlib
from collections import Counter
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
NEAR = 6
"""Bits of a channel that tell rare colours apart."""


def shrink(path: Path) -> None:
    """Rewrite a PNG of 8 bits a channel, without interlacing, with a palette."""
    width, height, channels, raw = _read(path.read_bytes())
    pixels = _pixels(raw, width, height, channels)
    counts = Counter(pixels)
    palette = [colour for colour, _ in counts.most_common(COLOURS)]
    index = {colour: number for number, colour in enumerate(palette)}
    near: dict[bytes, int] = {}
    for colour in counts:
        if colour not in index:
            rough = bytes(channel >> (8 - NEAR) for channel in colour)
            if rough not in near:
                near[rough] = _nearest(colour, palette)
            index[colour] = near[rough]
    rows = bytes(index[pixel] for pixel in pixels)
    lines = b"".join(b"\0" + rows[y * width : (y + 1) * width] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(lines, 9))]
    path.write_bytes(SIGNATURE + b"".join(_chunk(*one) for one in [*chunks, (b"IEND", b"")]))


def _nearest(colour: bytes, palette: list[bytes]) -> int:
    red, green, blue = colour
    distances = [
        (red - one[0]) ** 2 + (green - one[1]) ** 2 + (blue - one[2]) ** 2 for one in palette
    ]
    return distances.index(min(distances))


def _read(data: bytes) -> tuple[int, int, int, bytes]:
    """Return width, height, bytes of a pixel, and the filtered lines."""
    at, packed, head = len(SIGNATURE), b"", b""
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        head = content if kind == b"IHDR" else head
        packed += content if kind == b"IDAT" else b""
        at += size + 12
    width, height, depth, colours = struct.unpack_from(">IIBB", head)
    assert depth == 8, "8 bits a channel"
    return width, height, {2: 3, 6: 4}[colours], zlib.decompress(packed)


def _pixels(raw: bytes, width: int, height: int, channels: int) -> list[bytes]:
    """Return the colours of all pixels, with the filters of lines undone (PNG, section 9)."""
    size = width * channels
    above, pixels = bytearray(size), []
    for y in range(height):
        begin = y * (size + 1)
        line = bytearray(raw[begin + 1 : begin + 1 + size])
        _unfilter(raw[begin], line, above, channels)
        pixels += [bytes(line[at : at + 3]) for at in range(0, size, channels)]
        above = line
    return pixels


def _unfilter(kind: int, line: bytearray, above: bytearray, channels: int) -> None:
    if kind == 0:
        return
    for at in range(len(line)):
        left = line[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        known = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))
        line[at] = (line[at] + known[kind]) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    distances = (abs(guess - left), abs(guess - up), abs(guess - corner))
    return (left, up, corner)[distances.index(min(distances))]


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
