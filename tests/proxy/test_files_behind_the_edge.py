"""Static files as a gateway answers with them: what the edge adds, and what it leaves."""

import asyncio
import gzip

import httpx
import pytest

from bff_core.edge.health import About, Readiness
from bff_core.edge.options import EdgeOptions
from bff_core.events import Crashed, Events
from bff_core.gateway.pipeline import EdgeParts, edge
from bff_core.proxy import Files
from bff_core.proxy.static_files import files_app
from tests.proxy.file_requests import BROWSER, FILES, build


@pytest.fixture
def happened():
    """Collect what the edge reports."""
    return []


class Browser:
    """A browser at an edge in front of files."""

    def __init__(self, folder, sink) -> None:
        build(folder, {**FILES, "video.mp4": bytes(2_000_000), "words.txt": b"word " * 400})
        files = files_app(Files(folder, fallback="index.html", immutable="/assets/*"), None)

        async def app(scope, receive, send):
            await files({**scope, "path_params": {"path": scope["path"][1:]}}, receive, send)

        parts = EdgeParts(
            about=About("shop", "1", "a"),
            readiness=Readiness(),
            events=Events(sink),
            clock=lambda: asyncio.get_running_loop().time(),
        )
        self.app = edge(app, EdgeOptions(), parts)

    async def send(self, method, path, headers=None):
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, path, headers=headers)

    async def get(self, path, headers=None):
        return await self.send("GET", path, headers)


@pytest.fixture
def client(tmp_path, happened):
    """Return a browser of the shop."""
    return Browser(tmp_path, happened.append)


async def test_headers_of_files_are_sent_once(client):
    """The policy of pages replaces that of data, which would stop their scripts."""
    answer = await client.get("/index.html")
    names = [name for name, _ in answer.headers.multi_items()]

    assert len(names) == len(set(names))
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["vary"] == "Accept-Encoding, Accept"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/words.txt", "/assets/app.4f2a.js", "/assets/logo.png", "/"])
@pytest.mark.parametrize("accepted", ["gzip", "br, gzip", "identity"])
async def test_head_and_conditions_match_get(client, path, accepted):
    """Files are compressed here and not by the edge, which would do it for each request."""
    headers = {"accept-encoding": accepted}
    whole = await client.get(path, headers=headers)
    head = await client.send("HEAD", path, headers)
    known = await client.get(path, headers=headers | {"if-none-match": whole.headers["etag"]})

    described = ("etag", "content-type", "content-encoding", "content-length", "vary")
    assert [head.headers.get(one) for one in described] == [
        whole.headers.get(one) for one in described
    ]
    assert (known.status_code, known.content) == (304, b"")


async def test_a_range_passes_unchanged(client):
    """Of a large and of a small file."""
    small = await client.get("/words.txt", headers={"range": "bytes=0-3"})
    large = await client.get("/video.mp4", headers={"range": "bytes=0-9"})

    assert (small.status_code, small.content) == (206, b"word")
    assert (large.status_code, large.headers["content-range"]) == (206, "bytes 0-9/2000000")


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/gone.js", {}, (404, "not_found")),
        ("/words.txt", {"range": "bytes=9000-"}, (416, "range_not_satisfiable")),
        ("/words.txt", {"if-match": '"x"'}, (412, "precondition_failed")),
    ],
)
async def test_refusals_are_problem_details(client, happened, path, headers, expected):
    """As everywhere in a gateway; none is reported as a crash."""
    answer = await client.get(path, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == expected
    assert answer.headers["cache-control"] == "no-store"
    assert not [one for one in happened if isinstance(one, Crashed)]


async def test_other_methods_are_named(client):
    """The problem has the field Allow."""
    answer = await client.send("POST", "/index.html", BROWSER)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_compressed_text_is_that_of_the_file(client):
    """A client decodes it."""
    answer = await client.get("/words.txt", headers={"accept-encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == b"word " * 400
    assert int(answer.headers["content-length"]) < len(gzip.compress(answer.content)) + 20
