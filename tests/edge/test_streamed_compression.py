"""Compression of answers in chunks: a client can read each chunk at once."""

import zlib
from itertools import accumulate
from random import Random

import brotli
import pytest
import zstandard
from fastapi import FastAPI
from starlette.responses import FileResponse

from bff_core.edge.compression import MIN_BYTES, THREAD_BYTES
from bff_core.http_exchange.request_context import declare_stream
from bff_core.routing.head import answer_head

LARGE = b'{"text": "' + b"word " * 1000 + b'"}'
JSON = (b"content-type", b"application/json")
CODINGS = ("gzip", "br", "zstd")

STREAMS = {
    "a small piece, then a large one": [b'{"a":', LARGE, b"}"],
    "a large piece, then a small one": [LARGE, b"\n"],
    "large pieces": [LARGE, LARGE, LARGE],
    "lines": [b'{"n": %d}\n' % number for number in range(5)],
    "nothing first": [b"", LARGE, b"\n"],
    "nothing in between": [LARGE, b"", b"", LARGE],
    "nothing last": [LARGE, b""],
    "nothing but pieces": [b"", b"", b""],
    "a piece for a thread": [b"word " * THREAD_BYTES, b"\n"],
}


def plain():
    """Return a decoder that changes nothing."""
    return lambda data: data


DECODERS = {
    None: plain,
    b"gzip": lambda: zlib.decompressobj(wbits=31).decompress,
    b"br": lambda: brotli.Decompressor().process,
    b"zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
}


class Reader:
    """A client that decodes each chunk at once, by the headers of the answer."""

    def __init__(self):
        self.status = 0
        self.headers = {}
        self.vary = []
        self.raw = b""
        self.content = b""
        self.is_complete = False
        self._decode = plain()

    async def __call__(self, message):
        """Receive a message, as a server's `send` does."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
            assert len(self.headers) == len(message["headers"])
            self.vary = self.headers.get(b"vary", b"").lower().split(b", ")
            self._decode = DECODERS[self.headers.get(b"content-encoding")]()
            return
        assert not self.is_complete
        piece = message.get("body", b"")
        self.raw += piece
        self.content += self._decode(piece) if piece else b""
        self.is_complete = not message.get("more_body", False)


def in_pieces(pieces, headers=(JSON,), *, reader=None, after=None, is_stream=False, fails=False):
    """Make an app that sends chunks, and records in `after` what the reader has after each."""

    async def app(scope, _receive, send):
        if is_stream:
            declare_stream(scope)
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        for number, piece in enumerate(pieces, 1):
            is_more = number < len(pieces) or fails
            await send({"type": "http.response.body", "body": piece, "more_body": is_more})
            if after is not None:
                after.append(reader.content)
        if fails:
            raise RuntimeError("amid the answer")

    return app


async def read(edged, app, accepted, *, method="GET", reader=None, **fields):
    """Return the reader of one answer."""
    reader = reader or Reader()
    fields = {"host": "testserver", "accept-encoding": accepted} | fields
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": "/",
        "query_string": b"",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()
        ],
    }

    async def receive():
        return {"type": "http.request", "body": b""}

    await edged(app).app(scope, receive, reader)
    return reader


@pytest.mark.parametrize("accepted", [*CODINGS, "gzip, br, zstd", "identity"])
@pytest.mark.parametrize("is_stream", [False, True], ids=["undeclared", "declared"])
@pytest.mark.parametrize("pieces", STREAMS.values(), ids=STREAMS)
async def test_each_piece_can_be_read_when_it_was_sent(edged, accepted, is_stream, pieces):
    """No byte of a chunk waits for the next chunk, and the answer ends."""
    reader, after = Reader(), []
    app = in_pieces(pieces, reader=reader, after=after, is_stream=is_stream)

    await read(edged, app, accepted, reader=reader)

    assert after == list(accumulate(pieces))
    assert reader.is_complete
    assert reader.content == b"".join(pieces)


@pytest.mark.parametrize("accepted", CODINGS)
@pytest.mark.parametrize("pieces", STREAMS.values(), ids=STREAMS)
async def test_the_length_of_pieces_is_the_declared_one(edged, accepted, pieces):
    """An answer in chunks with Content-Length has exactly that length."""
    length = b"%d" % len(b"".join(pieces))

    reader = await read(
        edged, in_pieces(pieces, [JSON, (b"content-length", length), TAG]), accepted
    )

    assert reader.headers.get(b"content-length") in {None, b"%d" % len(reader.raw)}
    assert reader.content == b"".join(pieces)
    is_coded = b"content-encoding" in reader.headers
    assert (reader.headers[b"etag"] != TAG[1]) is is_coded
    assert reader.vary == [b"accept-encoding"]


TAG = (b"etag", b'"abc"')


@pytest.mark.parametrize("accepted", CODINGS)
@pytest.mark.parametrize(
    "size",
    [
        MIN_BYTES - 1,
        MIN_BYTES,
        MIN_BYTES + 1,
        THREAD_BYTES - 1,
        THREAD_BYTES,
        THREAD_BYTES + 1,
        4 * THREAD_BYTES,
    ],
)
async def test_a_whole_answer_of_any_size_can_be_read(edged, accepted, size):
    """Around the smallest compressed size, and around the size for a thread."""
    body = (b"some words of text " * (size // 19 + 1))[:size]

    reader = await read(edged, in_pieces([body]), accepted)

    coding = accepted.encode() if size >= MIN_BYTES else None
    assert reader.headers.get(b"content-encoding") == coding
    assert reader.content == body
    assert reader.vary == [b"accept-encoding"]
    if coding:
        assert reader.headers[b"content-length"] == b"%d" % len(reader.raw)


@pytest.mark.parametrize("accepted", CODINGS)
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("coding", CODINGS)
async def test_what_is_encoded_already_passes_byte_by_byte(edged, accepted, count, coding):
    """An encoded answer is not compressed again."""
    encode = {
        "gzip": lambda data: zlib.compress(data, wbits=31),
        "br": brotli.compress,
        "zstd": zstandard.compress,
    }[coding]
    plain_text = Random(7).randbytes(5000)  # it stays large enough to be compressed once more
    encoded = encode(plain_text)
    size = len(encoded) // count + 1
    sent = [encoded[place : place + size] for place in range(0, len(encoded), size)]

    reader = await read(
        edged, in_pieces(sent, [JSON, (b"content-encoding", coding.encode()), TAG]), accepted
    )

    assert reader.headers[b"content-encoding"] == coding.encode()
    assert reader.headers[b"etag"] == TAG[1]
    assert reader.raw == encoded
    assert reader.content == plain_text
    assert len(sent) == count


@pytest.mark.parametrize("accepted", CODINGS)
@pytest.mark.parametrize("body", [b"{}", LARGE], ids=["small", "large"])
async def test_head_describes_the_whole_answer_of_get_without_a_body(edged, accepted, body):
    """It has the coding, tag and Vary that a GET in one chunk has."""
    headers = [JSON, (b"content-length", b"%d" % len(body)), TAG]
    whole = in_pieces([body], headers)

    async def bodiless(scope, receive, send):
        await answer_head(whole, scope, receive, send)

    got = await read(edged, whole, accepted)
    head = await read(edged, bodiless, accepted, method="HEAD")

    assert head.raw == b""
    assert head.is_complete
    for name in (b"content-encoding", b"content-type", b"etag", b"vary"):
        assert head.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize("accepted", CODINGS)
@pytest.mark.parametrize("pieces", STREAMS.values(), ids=STREAMS)
async def test_head_of_a_stream_has_no_body_and_no_coding(edged, accepted, pieces):
    """Its length is unknown, and a GET is not compressed either."""
    stream = in_pieces(pieces)

    async def bodiless(scope, receive, send):
        await answer_head(stream, scope, receive, send)

    got = await read(edged, stream, accepted)
    head = await read(edged, bodiless, accepted, method="HEAD")

    assert head.raw == b""
    assert head.is_complete
    assert head.headers.get(b"content-encoding") == got.headers.get(b"content-encoding")


@pytest.mark.parametrize("accepted", CODINGS)
async def test_a_stream_that_breaks_has_no_end(edged, accepted):
    """The beginning can be read, and the answer is not complete."""
    reader = Reader()

    with pytest.raises(RuntimeError, match="amid"):
        await read(edged, in_pieces([LARGE, b"more"], fails=True), accepted, reader=reader)

    assert reader.content == LARGE + b"more"
    assert not reader.is_complete


@pytest.mark.parametrize("accepted", CODINGS)
async def test_vary_names_the_header_once(edged, accepted):
    """Also beside the Vary of the application."""
    headers = [JSON, (b"vary", b"Accept, accept-encoding")]

    reader = await read(edged, in_pieces([LARGE], headers), accepted)

    assert sorted(reader.vary) == [b"accept", b"accept-encoding"]


@pytest.mark.parametrize(
    "fields",
    [
        [b"no-transform"],
        [b"private, no-transform"],
        [b"max-age=60, No-Transform"],
        [b"no-transform", b"private"],
        [b"private", b"no-transform"],
    ],
)
async def test_no_transform_is_obeyed_however_it_is_written(edged, fields):
    """In any case and in any line (RFC 9110, sections 5.3 and 7.7)."""

    async def app(_scope, _receive, send):
        headers = [JSON, *((b"cache-control", field) for field in fields)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": LARGE})

    answer = await edged(app).get("/", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in answer.headers
    assert answer.content == LARGE


@pytest.mark.parametrize("accepted", CODINGS)
async def test_a_part_of_an_answer_is_not_compressed(edged, accepted):
    """A range counts the bytes of the plain answer, so it is sent plain."""
    headers = [JSON, TAG, (b"content-range", b"bytes 0-5011/9000")]

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 206, "headers": headers})
        await send({"type": "http.response.body", "body": LARGE})

    reader = await read(edged, app, accepted)

    assert b"content-encoding" not in reader.headers
    assert reader.headers[b"etag"] == TAG[1]
    assert reader.raw == LARGE


async def test_ranges_of_a_file_put_together_are_the_file(edged, tmp_path):
    """An interrupted download can be resumed, also by clients that accept gzip."""
    file = tmp_path / "words.txt"
    file.write_bytes(b"some words of text\n" * 1000)
    app = FastAPI()

    @app.get("/")
    def get() -> FileResponse:
        return FileResponse(file)

    gateway = edged(app)
    taken = b""
    for first in range(0, 19_000, 5000):
        wanted = {"accept-encoding": "gzip", "range": f"bytes={first}-{first + 4999}"}
        part = await gateway.get("/", headers=wanted)
        assert part.status_code == 206
        assert "content-encoding" not in part.headers
        taken += part.content

    assert taken == file.read_bytes()


async def test_a_compressed_answer_offers_no_ranges(edged):
    """A client would count compressed bytes, but ranges count plain ones."""
    headers = [JSON, (b"accept-ranges", b"bytes"), TAG]

    packed = await read(edged, in_pieces([LARGE], headers), "gzip")
    whole = await read(edged, in_pieces([LARGE], headers), "identity")

    assert b"accept-ranges" not in packed.headers
    assert whole.headers[b"accept-ranges"] == b"bytes"
