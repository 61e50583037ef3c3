"""Composed answers are compared with those of the service that they replace."""

import asyncio
from dataclasses import dataclass

import pytest

from bff_core import ANYONE, ConfigurationError, Settings, Upstream, Views, gateway
from bff_core.events import Events, MirrorCompared
from bff_core.proxy import Mirror, MirroredViews
from bff_core.proxy.mirroring import MARKER
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, hang, reply

pytestmark = pytest.mark.virtual_time


class Shop(Upstream):
    """The service that the gateway replaces."""


@dataclass(frozen=True)
class Product:
    """A product, as a view composes it."""

    id: str
    price: float


views = Views(access=ANYONE)


@views.get("/v1/products/{product_id}")
async def get_product(product_id: str) -> Product:
    return Product(product_id, 9.5)


@views.get("/v1/files/{name:path}")
async def get_file(name: str) -> Product:
    return Product(name, 1)


@views.post("/v1/products/{product_id}")
async def change(product_id: str) -> Product:
    return Product(product_id, 1)


PATHS = {
    "/v1/products/{product_id}": "/api/product/{product_id}.json",
    "/v1/files/{name:path}": "/files/{name}",
}


class Mirrored:
    """The gateway with its mirror, and what it reported."""

    def __init__(self, *steps, paths=PATHS, to=Shop, **options):
        self.script = Scripted(*steps)
        self.events = []
        self.app = gateway(
            "shop",
            faces=[views],
            services=[Shop],
            settings=Settings(env="development", upstreams={"shop": ("http://10.0.0.1",)}),
            events=Events(self.events.append),
            transport=lambda *_: ScriptedTransport({"10.0.0.1": self.script}),
            edge=[MirroredViews(Mirror(to=to, **options), paths)],
        )

    async def send(self, method, path, **options):
        """Send a request, and return its answer and how it compares."""
        async with running(self.app) as client:
            answer = await client.request(method, path, **options)
            await asyncio.sleep(1.0)
        found = [one for one in self.events if isinstance(one, MirrorCompared)]
        return answer, (found[0] if found else None)


@pytest.mark.parametrize("to", [Shop, "shop"])
@pytest.mark.parametrize(
    ("body", "outcome", "differences"),
    [
        ({"price": 9.50, "id": "7"}, "same", ()),
        ({"price": 9, "id": "7"}, "body_differs", ("changed $.price",)),
    ],
)
async def test_composed_answer_is_compared_with_that_of_the_service(to, body, outcome, differences):
    """By meaning, and the event names the view."""
    mirrored = Mirrored(reply(200, body), to=to)
    answer, event = await mirrored.send("GET", "/v1/products/7?lang=en&x=%20y")

    (call,) = mirrored.script.calls
    assert answer.json() == {"id": "7", "price": 9.5}
    assert (call.target, MARKER in call.headers) == ("/api/product/7.json?lang=en&x=%20y", True)
    assert (event.route, event.upstream) == ("/v1/products/{product_id}", "shop")
    assert (event.outcome, event.differences) == (outcome, differences)


async def test_a_compressed_answer_is_compared_as_it_was_composed():
    """And the copy has none of the client's credentials."""
    mirrored = Mirrored(reply(200, {"id": "7", "price": 9.5}))
    headers = {"accept-encoding": "gzip", "cookie": "a=secret"}
    _, event = await mirrored.send("GET", "/v1/products/7", headers=headers)

    assert (event.outcome, event.is_body_compared) == ("same", True)
    assert b"cookie" not in {name for name, _ in mirrored.script.calls[0].headers}


async def test_an_answer_that_the_client_holds_is_not_compared():
    """A 304 has no body, and the service may answer 200."""
    mirrored = Mirrored(reply(200, {}))
    _, event = await mirrored.send("GET", "/v1/products/7", headers={"if-none-match": "*"})

    assert (event.status, event.outcome, event.is_body_compared) == (304, "same", False)


async def test_a_copy_ends_with_the_gateway():
    """Shutdown, and a test of a gateway, do not wait for the service."""
    mirrored = Mirrored(hang())
    async with running(mirrored.app) as client:
        await client.get("/v1/products/7")
        await asyncio.sleep(0.001)

    assert (mirrored.script.cancelled, mirrored.script.in_flight) == (1, 0)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/v1/products/a%20b", "/api/product/a%20b.json"),
        ("/v1/products/a%3Fb", "/api/product/a%3Fb.json"),
        ("/v1/products/M%C3%BCller", "/api/product/M%C3%BCller.json"),
        ("/v1/products/%252e%252e", "/api/product/%252e%252e.json"),
        ("/v1/files/a/b.txt", "/files/a/b.txt"),
        ("/v1/files/a/%2e%2e/b", None),
        ("/v1/files/..%2F..%2Fsecret", None),
        ("/v1/files/..%5Csecret", None),
        ("/v1/products/%2e%2e", None),
    ],
)
async def test_values_stay_in_their_place(path, target):
    """No value leads to another path of the service."""
    mirrored = Mirrored(reply(200, {}))
    await mirrored.send("GET", path)

    assert [call.target for call in mirrored.script.calls] == ([target] if target else [])


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/products/7"), ("GET", "/v1/other"), ("GET", "/docs")]
)
async def test_only_reads_of_mirrored_views_are_copied(method, path):
    """Neither writes nor other routes."""
    mirrored = Mirrored(reply(200, {}))
    await mirrored.send(method, path)

    assert mirrored.script.calls == []


@pytest.mark.parametrize(
    "paths",
    [
        {"/v1/products/{product_id}": "/api/{id}"},
        {"/v1/products/{product_id}": "api/{product_id}"},
        {"/v1/products": "/api/{id}"},
    ],
)
async def test_wrong_path_is_refused_at_start(paths):
    """A path with a parameter that the view does not have, or a relative one."""
    with pytest.raises(ConfigurationError, match="MirroredViews"):
        Mirrored(paths=paths)


async def test_wrong_mirror_is_refused_at_start():
    """As for a proxied route."""
    with pytest.raises(ConfigurationError, match=r"Mirror.methods"):
        Mirrored(methods=("POST",))
