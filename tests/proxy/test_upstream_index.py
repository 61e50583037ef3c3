"""The index of a single-page app from an upstream, such as a CDN."""

import gzip
from dataclasses import replace

import pytest

from bff_core import Cache, Policy, Scope, Upstream
from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.errors import BadStatus
from bff_core.proxy import Files, Headers
from bff_core.proxy.static_files import files_app
from bff_core.testing import LayerRuntime, Scripted, ScriptedTransport, fail, reply
from bff_core.upstream.stack import open_stack
from tests.proxy.file_requests import BROWSER, FILES, SCRIPT, build, get

pytestmark = pytest.mark.virtual_time

PAGE = b"<!doctype html><title>From the CDN</title>" + b"<p>shop</p>" * 200


class Cdn(Upstream):
    """Where the front end team deploys."""

    policy = Policy(retry=None, public=True, cache=Cache(ttl=60))


class Pages:
    """An application whose index comes from a scripted upstream."""

    def __init__(self, folder, *steps, fallback="shop/index.html", changes=None):
        bench = LayerRuntime("cdn")
        self.script = Scripted(*steps)
        transport = ScriptedTransport({"10.0.0.1": self.script})
        runtime = bench.runtime
        store = MemoryCacheStore(size=2**22, clock=runtime.clock, events=runtime.events)
        runtime = replace(runtime, cache=ResponseCache(store, runtime.events))
        stack = open_stack(Cdn.policy, ["http://10.0.0.1"], runtime, lambda *_: transport)
        self.scope = Scope(deadline=bench.now + 1000, audience="viewer 7")
        cdn = Cdn(stack, clock=bench.runtime.clock)
        files = Files(build(folder), fallback=fallback, fallback_from=Cdn)
        self.app = files_app(files, lambda: cdn, changes=changes)

    async def get(self, path, headers=None, method="GET"):
        scope = {"bff.scope": self.scope}
        return await get(self.app, path, BROWSER | (headers or {}), method, **scope)


async def test_pages_of_the_app_get_the_index_of_the_upstream(tmp_path):
    """One call for all viewers, without anything of a client, however many pages are opened."""
    pages = Pages(tmp_path, reply(200, PAGE, headers={"content-type": "text/html; charset=utf-8"}))
    first, second = await pages.get("store/1", {"cookie": "a=1"}), await pages.get("store/2")

    (call,) = pages.script.calls
    assert (first.status, first.body, second.body) == (200, PAGE, PAGE)
    assert (call.method, call.target) == ("GET", "/shop/index.html")
    assert dict(call.headers).keys() == {b"accept"}
    assert first["cache-control"] == "no-cache"
    assert first["vary"] == "Accept-Encoding, Accept"
    assert first["content-type"] == "text/html; charset=utf-8"


async def test_its_name_is_that_of_the_fallback(tmp_path):
    """At the root of the upstream."""
    pages = Pages(tmp_path, reply(200, PAGE), fallback="index.html")

    assert (await pages.get("store")).body == PAGE
    assert pages.script.calls[0].target == "/index.html"


async def test_files_and_scripts_come_from_the_folder(tmp_path):
    """The upstream is called for pages only."""
    pages = Pages(tmp_path, reply(200, PAGE))

    assert (await pages.get("robots.txt")).body == FILES["robots.txt"]
    assert (await pages.get("gone.js", SCRIPT)).status == 404
    assert len(pages.script.calls) == 0


async def test_a_browser_that_has_the_index_gets_no_copy(tmp_path):
    """By a tag of the bytes, whatever validators the upstream has."""
    pages = Pages(tmp_path, reply(200, PAGE))
    tag = (await pages.get("store"))["etag"]

    assert (await pages.get("store", {"if-none-match": tag})).status == 304
    assert (
        await pages.get("store", {"if-modified-since": "Sun, 09 Sep 2001 01:46:40 GMT"})
    ).status == 200
    assert (
        await pages.get("store", {"if-unmodified-since": "Sun, 09 Sep 2001 01:46:40 GMT"})
    ).status == 200


async def test_the_index_is_compressed_once(tmp_path):
    """As long as the cache of the upstream has the same reply."""
    pages = Pages(tmp_path, reply(200, PAGE))
    first = await pages.get("a", {"accept-encoding": "gzip"})
    second = await pages.get("b", {"accept-encoding": "gzip"})

    assert gzip.decompress(first.body) == PAGE
    assert first.pieces[0] is second.pieces[0]


async def test_the_policy_of_the_upstream_holds(tmp_path):
    """The front end team decides what its page may load."""
    policy = {"content-security-policy": "default-src 'self' https://cdn.example"}
    answer = await Pages(tmp_path, reply(200, PAGE, headers=policy)).get("store")

    assert answer["content-security-policy"] == "default-src 'self' https://cdn.example"


async def test_the_policy_of_the_route_goes_before_that_of_the_upstream(tmp_path):
    """It is the last word of who runs the gateway."""
    own, theirs = "default-src 'self'", {"content-security-policy": "default-src *"}
    changes = Headers(set={"content-security-policy": own})
    pages = Pages(tmp_path, reply(200, PAGE, headers=theirs), changes=changes)

    assert (await pages.get("store"))["content-security-policy"] == own


@pytest.mark.parametrize(("status", "shown"), [(404, 502), (403, 502), (500, 502), (503, 503)])
async def test_an_upstream_without_an_index_fails(tmp_path, status, shown):
    """The path of the client is right, so it is no 404."""
    answer = await Pages(tmp_path, reply(status)).get("store")

    assert (answer.status, type(answer.error)) == (shown, BadStatus)


async def test_an_upstream_that_is_down_fails(tmp_path):
    """The error names the upstream, and the folder is served still."""
    pages = Pages(tmp_path, fail())

    assert (await pages.get("store")).status == 502
    assert (await pages.get("robots.txt")).status == 200
