"""Pictures of the documentation are small, and look the same."""

import struct
import zlib

from tests.bffs.pages.small_png import SIGNATURE, shrink


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def test_a_picture_gets_a_palette(tmp_path):
    """Each filter of lines is undone, and each pixel has its colour."""
    red, blue = bytes([200, 0, 0]), bytes([0, 0, 200])
    lines = [
        b"\0" + red + blue,
        b"\1" + red + bytes([56, 0, 200]),  # minus the pixel on the left
        b"\2" + bytes(6),  # as the line above
        b"\3" + bytes([100, 0, 0]) + bytes([156, 0, 100]),  # minus the mean of left and above
        b"\4" + bytes(6),  # Paeth: above, which is like the corner
    ]
    head = struct.pack(">IIBBBBB", 2, 5, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b"")
    path = tmp_path / "small.png"
    path.write_bytes(SIGNATURE + chunk(b"IHDR", head) + body)

    shrink(path)

    data = path.read_bytes()
    colours = data[data.index(b"PLTE") + 4 :][:6]
    at = data.index(b"IDAT")
    (size,) = struct.unpack_from(">I", data, at - 4)
    rows = zlib.decompress(data[at + 4 : at + 4 + size])
    assert {colours[:3], colours[3:]} == {red, blue}
    shown = [
        colours[3 * index : 3 * index + 3] for y in range(5) for index in rows[3 * y + 1 :][:2]
    ]
    assert shown == [red, blue] * 5
