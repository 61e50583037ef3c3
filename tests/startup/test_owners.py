"""Several teams in one gateway: the owner of a route is logged, and conflicts end the start."""

from collections.abc import Sequence

import pytest

from bff_core import ConfigurationError, Gateway, Views, gateway
from bff_core.events import Events, RequestAnswered
from bff_core.testing import client


def views_of(owner: str, path: str, method: str = "get") -> Views:
    """Return views of a team, with one route."""
    made = Views(prefix="/v1", owner=owner)

    @getattr(made, method)(path)
    async def serve() -> dict[str, str]:
        return {"owner": owner}

    return made


def shop(faces: Sequence[Views], events: Events | None = None) -> Gateway:
    """Return a gateway with the views of several teams."""
    return gateway("shop", faces=faces, events=events)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            ("checkout", "/cart"),
            ("home", "/cart"),
            "GET /v1/cart is declared by checkout and by home: change one of the paths",
        ),
        (
            ("checkout", "/carts/{cart_id}"),
            ("home", "/carts/{id}"),
            "GET /v1/carts/{id} is declared by checkout and by home",
        ),
        (("checkout", "/cart"), ("", "/cart"), "by checkout and by a route without owner"),
        (("", "/cart"), ("home", "/cart"), "by a route without owner and by home"),
        (("home", "/cart"), ("home", "/cart"), "declared by home and by home"),
        (
            ("checkout", "/carts/{cart_id}"),
            ("home", "/carts/new"),
            "GET /v1/carts/new of home is never reached, since /v1/carts/{cart_id} of checkout",
        ),
    ],
)
async def test_routes_of_two_teams_that_conflict_end_the_start(
    first: tuple[str, str], second: tuple[str, str], message: str
) -> None:
    """The error names the route and both owners, so that they can talk to each other."""
    with pytest.raises(ConfigurationError) as refused:
        async with client(lambda: shop([views_of(*first), views_of(*second)])):
            pass

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("checkout", "/cart"), ("home", "/carts")),
        (("checkout", "/cart", "get"), ("home", "/cart", "post")),
        (("home", "/carts/new"), ("checkout", "/carts/{cart_id}")),
        (("checkout", "/carts/{cart_id:int}"), ("home", "/carts/new")),
        (("", "/cart"), ("", "/cart")),
    ],
)
async def test_routes_beside_each_other_are_served(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    """Teams share a path with different methods, and literal paths before templates."""
    async with client(lambda: shop([views_of(*first), views_of(*second)])) as c:
        answer = await c.get(f"/v1{second[1].replace('{cart_id}', '7')}")

    assert answer.status_code == 200


async def test_the_owner_is_in_the_log() -> None:
    """The line of a request names the team that owns its route; other routes name none."""
    emitted: list[object] = []
    events = Events(emitted.append)
    faces = [views_of("checkout", "/cart"), views_of("", "/home")]
    async with client(lambda: shop(faces, events)) as c:
        for path in ("/v1/cart", "/v1/home", "/v1/unknown"):
            await c.get(path)

    answered = [one for one in emitted if isinstance(one, RequestAnswered)]
    assert [(one.route, one.owner) for one in answered] == [
        ("/v1/cart", "checkout"),
        ("/v1/home", ""),
        ("", ""),
    ]


@pytest.mark.parametrize("owner", [7, None, " checkout", "a\nb"])
def test_an_owner_is_a_name(owner: object) -> None:
    """A line of the log has one name, without line ends."""
    with pytest.raises(ConfigurationError, match="give the name of a team"):
        Views(owner=owner)
