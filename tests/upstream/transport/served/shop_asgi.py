"""The shop that real servers serve, as an ASGI app: each path shows one way to frame a response."""

import gzip

import brotli

PAGE = b"the quick brown fox " * 400
LARGE = bytes(range(256)) * 24_000
CODINGS = {"/gzip": gzip.compress, "/br": brotli.compress}

Fields = list[tuple[bytes, bytes]]


def answer(path: str, peer: int, body: bytes) -> tuple[int, Fields, list[bytes]]:
    """Return status, fields and the parts of the body; without a length it goes in chunks."""
    if path in {"/204", "/304"}:
        return int(path[1:]), [(b"etag", b'"1"')], [b""]
    if path == "/chunks":
        return 200, [], [PAGE[:3000], PAGE[3000:5000], PAGE[5000:]]
    whole, fields = whole_of(path, peer, body)
    return 200, [*fields, (b"content-length", b"%d" % len(whole))], [whole]


def whole_of(path: str, peer: int, body: bytes) -> tuple[bytes, Fields]:
    """Return a body that is known in advance, and what is special about its head."""
    if path == "/close":
        return PAGE, [(b"connection", b"close")]
    coding = CODINGS.get(path)
    if coding is not None:
        return coding(PAGE), [(b"content-encoding", path[1:].encode())]
    if path.startswith("/say/"):
        return path.removeprefix("/say/").encode(), []
    return {"/echo": body, "/large": LARGE, "/peer": b"%d" % peer}.get(path, PAGE), []


async def app(scope, receive, send):
    """Answer one request."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    status, fields, parts = answer(scope["path"], int(scope["client"][1]), body)
    await send({"type": "http.response.start", "status": status, "headers": fields})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
