"""A gateway with bearer authentication, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
from fastapi import Depends

from bff_core import (
    Composition,
    FirstOf,
    Viewer,
    Views,
    compose,
    gateway,
)
from bff_core.auth import BearerAuthenticator, Issuer
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, Step, fail, reply
from tests.auth.tokens import AUDIENCE, ISSUER, claims, key_set, signed, wall
from tests.shop_with_view_cache import by_script, client_of, in_production


class Me(Composition):
    """A screen with the viewer."""

    viewer: Viewer


@dataclass
class Subject:
    """The subject of the viewer."""

    subject: str


views = Views(prefix="/v1")


@views.get("/me")
async def get_me(me: Annotated[Me, Depends(compose(Me))]) -> Subject:
    """Return the subject of the viewer."""
    return Subject(me.viewer.require("orders:read").subject)


@asynccontextmanager
async def open_shop(*steps: Step) -> AsyncIterator[tuple[httpx.AsyncClient, Scripted]]:
    """Run a gateway over an issuer that answers by a script."""
    service = Scripted(*steps)
    issuer = Issuer(issuer=ISSUER, audience=(AUDIENCE,))
    app = gateway(
        "shop",
        faces=[views],
        settings=in_production(["identity"]),
        authenticator=FirstOf(BearerAuthenticator(issuer, wall=wall)),
        events=Events(),
        transport=by_script({"identity": service}),
    )
    async with client_of(app) as client:
        yield client, service


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a client that has a token."""
    return {"authorization": f"Bearer {token}"}


async def test_a_token_authenticates_its_viewer():
    """The keys are fetched once."""
    async with open_shop(reply(200, key_set())) as (client, service):
        answers = [await client.get("/v1/me", headers=bearer(signed())) for _ in range(3)]

    assert [one.status_code for one in answers] == [200] * 3
    assert answers[0].json() == {"subject": "user-7"}
    assert len(service.calls) == 1


async def test_a_missing_token_a_forged_one_and_one_without_the_scope():
    """401 with a challenge, the same 401, 403: as problems, without reasons that help a forger."""
    async with open_shop(reply(200, key_set())) as (client, _):
        missing = await client.get("/v1/me")
        forged = await client.get("/v1/me", headers=bearer(signed(claims(aud="elsewhere"))))
        weak = await client.get("/v1/me", headers=bearer(signed(claims(scope="cart"))))

    assert [one.status_code for one in (missing, forged, weak)] == [401, 401, 403]
    assert missing.headers["www-authenticate"] == forged.headers["www-authenticate"] == "Bearer"
    assert forged.json()["code"] == "not_authenticated"
    assert "audience" not in forged.text


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (["a", "orders:read"], 200),
        (["a orders:read"], 403),
        ("a\torders:read", 403),
        ("a\u00a0orders:read", 403),
        ({"orders:read": True}, 403),
        (None, 403),
    ],
)
async def test_only_well_formed_scopes_are_granted(scope, status):
    """Words with spaces between them, or a list of words; anything else grants nothing."""
    async with open_shop(reply(200, key_set())) as (client, _):
        answer = await client.get("/v1/me", headers=bearer(signed(claims(scope=scope))))

    assert answer.status_code == status


async def test_an_issuer_that_is_down_signs_no_one_out():
    """The answer is a 503 with Retry-After; tokens stay valid."""
    async with open_shop(fail()) as (client, _):
        answer = await client.get("/v1/me", headers=bearer(signed()))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "provider_unavailable"
