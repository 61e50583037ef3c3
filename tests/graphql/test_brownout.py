"""Brownout in GraphQL: fields whose part was shed are null or empty, and the reason is reported."""

import asyncio

import strawberry

from bff_core import ANYONE, Reply, Settings, access, gateway
from bff_core.edge.options import EdgeOptions
from bff_core.graphql import GraphQL
from bff_core.routing.route_table import RouteTable
from bff_core.testing.scripted import reply

QUERY = '{ product(id: "%s") { title reviews rating } }'


async def test_fields_of_shed_parts_are_reported(shop):
    """In `extensions.parts`, in the header, and as an error at the path of a field that is null."""
    arrived, gate = asyncio.Event(), asyncio.Event()

    async def waiting(_) -> Reply:
        arrived.set()
        await gate.wait()
        return Reply(200, ((b"content-type", b"application/json"),), b'{"id": "7", "title": "x"}')

    async with shop(options=EdgeOptions(max_concurrent=2, max_lag=0)) as open_shop:
        open_shop.scripts["catalog"].then(waiting, reply(200, {"id": "8", "title": "A tent"}))
        first = asyncio.create_task(open_shop.ask('{ product(id: "1") { title } }'))
        await arrived.wait()

        answer = await open_shop.ask(QUERY % 8)

        answered = answer.json()
        assert answered["data"]["product"] == {"title": "A tent", "reviews": [], "rating": None}
        assert answered["extensions"]["parts"] == {
            "product": {"status": "ok"},
            "reviews": {"status": "missing", "reason": "shed"},
            "rating": {"status": "missing", "reason": "shed"},
        }
        [error] = answered["errors"]
        assert error["path"] == ["product", "rating"]
        assert (error["extensions"]["code"], error["extensions"]["part"]) == ("shed", "rating")
        assert answer.headers["cache-control"] == "no-store"
        assert open_shop.scripts["reviews"].calls == []
        gate.set()
        assert (await first).json()["data"] == {"product": {"title": "x"}}


@access(ANYONE)
@strawberry.type
class Query:
    """A query type."""

    @strawberry.field
    def one(self) -> int:
        return 1


def test_criticality_of_a_face_holds_for_its_requests():
    """All operations of a face have its criticality; another face has its own."""
    faces = [
        GraphQL(strawberry.Schema(Query)),
        GraphQL(strawberry.Schema(Query), "/batch", criticality="sheddable"),
    ]
    app = gateway("ranked", faces=faces, settings=Settings(env="development", gc_freeze=False))
    app.shedding.set_routes(RouteTable.of(app.routes, app.fast_path.compiled))

    assert app.shedding.criticality.of_path("POST", "/graphql", {}) == "critical"
    assert app.shedding.criticality.of_path("POST", "/batch", {}) == "sheddable"
