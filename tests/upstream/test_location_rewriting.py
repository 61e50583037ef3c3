"""References of a service as paths of the gateway: declared ones are rewritten, others dropped."""

from types import SimpleNamespace

import pytest

from bff_core import BadStatus, ConfigurationError, Scope, TypedReply, Upstream
from bff_core.events import Events, LocationDropped
from bff_core.testing.scripted import Scripted, reply
from bff_core.upstream.location_rewriting import Locations
from tests.upstream.test_client import ADA, Profile

ORIGINS = ["http://orders:9005/v1"]
DECLARED = {
    "/orders/{id}": "/shop/orders/{id}",
    "/users/{user}/orders/{id}": "/orders/{id}?of={user}",
    "/jobs?id={id}": "/jobs/{id}",
    "/files/{name:path}": "/f/{name}",
    "/last": "/shop/last",
    "https://orders.internal/api/orders/{id}": "/shop/orders/{id}",
}


def own(reference, declared=DECLARED, origins=ORIGINS):
    """Return the gateway's path for a reference in the reply to a POST of /orders."""
    return Locations("Orders", declared).own_path(reference, "/orders", origins)


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("/v1/orders/7", "/shop/orders/7"),
        ("orders/7", "/shop/orders/7"),
        ("./orders/7", "/shop/orders/7"),
        ("../v1/orders/7", "/shop/orders/7"),
        ("http://orders:9005/v1/orders/7", "/shop/orders/7"),
        ("HTTP://Orders:9005/v1/orders/7", "/shop/orders/7"),
        ("//orders:9005/v1/orders/7", "/shop/orders/7"),
        ("/v1/orders/7#top", "/shop/orders/7"),
        ("/v1/orders/a%2Fb", "/shop/orders/a%2Fb"),
        ("/v1/orders/M%C3%BCller", "/shop/orders/M%C3%BCller"),
        ("/v1/orders/M\xc3\xbcller", "/shop/orders/M%C3%BCller"),
        ("/v1/orders/a b", "/shop/orders/a%20b"),
        ("/v1/orders/a%0d%0aSet-Cookie:x", "/shop/orders/a%0D%0ASet-Cookie%3Ax"),
        ("/v1/users/u-1/orders/7", "/orders/7?of=u-1"),
        ("/v1/jobs?id=7", "/jobs/7"),
        ("/v1/files/a/b.txt", "/f/a/b.txt"),
        ("/v1/last", "/shop/last"),
        ("https://orders.internal/api/orders/7", "/shop/orders/7"),
        ("https://me:pw@Orders.Internal/api/orders/7", "/shop/orders/7"),
    ],
)
def test_declared_reference_becomes_a_path_of_the_gateway(reference, path):
    """Relative and absolute, whatever the service knows of its own host."""
    assert own(reference) == path


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "/orders/7",
        "/v1/orders/7/lines",
        "/v1/orders/",
        "/v1/orders/7?token=secret",
        "/v1/orders/%2e%2e",
        "/v1/orders/%2E",
        "/v1/files/a/%2e%2e/b",
        "/v1/files/a//b",
        "/v1/orders/%ff",
        "/v1/orders/\xfc",
        "http://orders:9006/v1/orders/7",
        "https://orders:9005/v1/orders/7",
        "http://evil.example/v1/orders/7",
        "//evil.example/v1/orders/7",
        "https://orders.internal:8443/api/orders/7",
        "http://orders.internal/api/orders/7",
        "https://orders.internal/api/orders/7?x=1",
        "http://[",
        "javascript:alert(1)",
    ],
)
def test_an_undeclared_reference_is_dropped(reference):
    """No host, no path and no query of the service reaches a client unless it was declared."""
    assert own(reference) is None


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        ({"orders/{id}": "/orders/{id}"}, "begin the service's path with / or http"),
        ({"/orders/{id}": "orders/{id}"}, "must be a path of this gateway"),
        ({"/orders/{id}": "//evil.example/{id}"}, "must be a path of this gateway"),
        ({"/orders/{id}": "https://shop.example/{id}"}, "must be a path of this gateway"),
        ({"/orders/{id}": 7}, "must be a path of this gateway"),
        ({"/orders/{id}": "/orders/{no}"}, "parameter that the key lacks"),
        ({"/orders/{}": "/orders"}, "write parameters as"),
        ({"/orders/{id:int}": "/orders/{id}"}, "write parameters as"),
        ({"/{id}/{id}": "/orders/{id}"}, "write parameters as"),
        ({"/orders/{id": "/orders"}, "locations"),
        (["/orders"], "must map"),
    ],
)
def test_wrong_declaration_is_refused_when_the_class_is_built(declared, complaint):
    """Not when the first order is placed."""
    with pytest.raises(ConfigurationError, match=complaint):
        type("Odd", (Upstream,), {"locations": declared})


class Users(Upstream):
    """A service that says where things are."""

    locations = {"/users/{id}": "/people/{id}"}  # noqa: RUF012 # as users write it

    async def invite(self) -> TypedReply[Profile | None]:
        return await self.post("/users", TypedReply[Profile | None], json={})

    async def invite_quietly(self) -> None:
        await self.post("/users", None, json={})

    async def invited(self) -> Profile:
        return await self.post("/users", Profile, json={})

    async def find(self) -> TypedReply[Profile]:
        return await self.get("/users/1", TypedReply[Profile])


def users(*steps, heard=None):
    """Return a client for one request, and its scope."""
    script = Scripted(*steps)
    stack = SimpleNamespace(
        policy=Users.policy,
        handler=script,
        origins=["http://users"],
        steering=None,
        events=Events() if heard is None else Events(heard.append),
    )
    scope = Scope(deadline=1e9)
    return Users(stack).bind(scope), scope


def located(status, location="/users/7", body=None):
    """Answer a write, and say where its result is."""
    return reply(status, b"" if body is None else body, headers={"location": location})


async def test_method_may_look_at_the_location_itself():
    """`TypedReply.location` is the gateway's path, and the header as the service sent it."""
    client, _ = users(located(201))

    placed = await client.invite()

    assert (placed.status, placed.location) == (201, "/people/7")
    assert placed.headers["location"] == "/users/7"


@pytest.mark.parametrize("status", [201, 202, 303])
async def test_location_of_a_write_is_for_its_client(status):
    """Made, accepted, or done with the result elsewhere: none of them is a failure."""
    client, scope = users(located(status))

    await client.invite_quietly()

    assert scope.locations == {b"location": b"/people/7"}


async def test_303_is_an_empty_success_with_its_status():
    """A method that looks sees which it was."""
    client, _ = users(located(303))

    placed = await client.invite()

    assert (placed.value, placed.status, placed.location) == (None, 303, "/people/7")


@pytest.mark.parametrize("location", ["/login", "https://login.example/"])
async def test_303_to_an_unknown_place_is_a_failure(location):
    """A sign-in page in front of the service is not taken for a write that was done."""
    client, scope = users(located(303, location))

    with pytest.raises(BadStatus, match="answered 303, a redirect to"):
        await client.invite_quietly()

    assert scope.locations is None


async def test_303_is_a_failure_where_a_value_is_expected():
    """The method has no value to return."""
    client, _ = users(located(303))

    with pytest.raises(BadStatus, match="answered 303"):
        await client.invited()


async def test_location_of_a_read_is_not_the_clients():
    """It names something else than what the client's request made."""
    headers = {"location": "/users/7", "content-location": "/users/7"}
    client, scope = users(reply(201, {"id": "1", "name": "Ada"}, headers=headers))

    found = await client.find()

    assert (found.location, scope.locations) == ("/people/7", None)


async def test_two_writes_with_different_locations_set_none():
    """With two places it is unknown which one the client means; the same one twice is one place."""
    client, scope = users(located(201), located(201), located(201, "/users/8"))

    await client.invite_quietly()
    await client.invite_quietly()
    same = dict(scope.locations)
    await client.invite_quietly()

    assert (same, scope.locations) == ({b"location": b"/people/7"}, {b"location": b""})


async def test_content_location_is_rewritten_too():
    """Of any success of a write."""
    client, scope = users(reply(200, {}, headers={"content-location": "http://users/users/7"}))

    await client.post("/users", dict, json={})

    assert scope.locations == {b"content-location": b"/people/7"}


async def test_unknown_location_is_dropped_and_logged():
    """The log names it without user information and query; the client learns nothing of it."""
    heard = []
    client, scope = users(located(201, "http://me:pw@db-7.internal/x?token=s"), heard=heard)

    placed = await client.invite()

    assert (placed.location, scope.locations) == (None, None)
    assert heard == [LocationDropped("users", "POST /users", "http://db-7.internal/x")]


async def test_a_service_without_declared_locations_emits_no_event():
    """Most services send a Location, and most gateways have no use for it."""

    class Quiet(Users):
        locations = {}  # noqa: RUF012 # as users write it

    heard = []
    client, scope = users(located(201, "/elsewhere"), ADA, heard=heard)
    quiet = Quiet(client._stack).bind(scope)

    await quiet.invite_quietly()

    assert (heard, scope.locations) == ([], None)
