"""How a gateway introduces itself to services."""

import re
from typing import ClassVar

import pytest

from bff_core import Settings, Upstream, gateway
from bff_core.upstream.user_agent import user_agent


class Carts(Upstream):
    """A service that is called."""

    async def touch(self):
        await self.get("/c", None)


class Named(Carts):
    """One that wants another name."""

    headers: ClassVar = {"user-agent": "shop/1"}


@pytest.mark.parametrize(
    ("name", "comment"),
    [("mobile", " (mobile)"), ("a (b)\\", " (a -b--)"), ("ä\r\n", " (---)"), (" ", ""), ("", "")],
)
def test_name_of_the_gateway_is_a_comment(name, comment):
    """The version comes first; what a comment can't hold is replaced."""
    assert re.fullmatch(rf"bff-core/[\d.]+{re.escape(comment)}", user_agent(name))


async def test_services_see_the_name_of_the_gateway(kit):
    """A class that names itself sends that name."""
    async with kit.Service(kit.answering(kit.http(status="204 No Content"))) as service:
        address = (service.endpoint.url,)
        app = gateway(
            "mobile",
            services=[Carts, Named],
            settings=Settings(env="development", upstreams={"carts": address, "named": address}),
        )
        async with app.router.lifespan_context(app):
            await app.services[Carts].touch()
            await app.services[Named].touch()

    agents = [re.findall(rb"\r\nuser-agent: (.*)\r\n", one) for one in service.requests]
    assert agents == [[user_agent("mobile").encode()], [b"shop/1"]]
    assert user_agent("mobile").endswith(" (mobile)")
