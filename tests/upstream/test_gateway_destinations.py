"""Destinations of a whole gateway: real services, the settings, and what a client gets."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, Request

from bff_core import (
    ANYONE,
    Affinity,
    Composition,
    EndpointOptions,
    ForwardedResponse,
    Gateway,
    HealthCheck,
    Policy,
    Settings,
    Upstream,
    access,
    compose,
    forwarded_request,
    gateway,
)
from bff_core.errors import ConfigurationError
from bff_core.testing.gateway_client import running
from tests.upstream.service import serving

SECRET = "affinity-" + "k3n" * 12
STICKY = Policy(affinity=Affinity(), retry=None)


def shop(settings: Settings, policy: Policy = STICKY, **attributes: object) -> Gateway:
    """Return a gateway with a composed and a proxied route to one service."""
    service = type("Carts", (Upstream,), {"policy": policy, **attributes})

    class Cart(Composition):
        carts: service

    app = gateway("shop", services=[service], settings=settings)

    @app.get("/composed")
    @access(ANYONE)
    async def composed(cart: Annotated[Cart, Depends(compose(Cart))]) -> str:
        return await cart.carts.get("/cart", str)

    @app.get("/cart")
    @access(ANYONE)
    async def proxied(request: Request, cart: Annotated[Cart, Depends(compose(Cart))]):
        forwarded = forwarded_request(request, audience=None)
        return ForwardedResponse(await cart.carts.forward(forwarded), request)

    return app


def answers(name: str, *, health: int = 200) -> dict:
    body = json.dumps(name).encode()
    return {
        "GET /cart": (200, ["content-type: application/json"], body),
        "GET /healthz": (health, [], b""),
    }


def settings(*addresses: str, **more: object) -> Settings:
    upstreams = {"carts": addresses} if addresses else {}
    values = {"env": "development", "upstreams": upstreams, "secrets": {"affinity": SECRET}}
    return Settings(**values | more)


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


async def names(client: httpx.AsyncClient, times: int = 30) -> set[str]:
    client.cookies.clear()
    return {(await client.get("/composed")).json() for _ in range(times)}


@pytest.mark.parametrize("path", ["/composed", "/cart"])
async def test_a_browser_stays_with_its_endpoint(path: str) -> None:
    """Composed or proxied: one answer sets the cookie, and no service ever gets it."""
    async with serving(answers("one")) as one, serving(answers("two")) as two:
        async with running(shop(settings(one.url, two.url))) as client:
            first = await client.get(path)
            client.cookies.clear()
            again = [await client.get(path, headers=cookie_of(first)) for _ in range(12)]

        line = first.headers["set-cookie"]
        assert line.startswith("__Host-endpoint-carts=")
        assert line.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
        assert {answer.json() for answer in again} == {first.json()}
        assert all("set-cookie" not in answer.headers for answer in again)
        assert not any("endpoint-carts" in head for head, _ in (*one.requests, *two.requests))


@pytest.mark.parametrize("path", ["/composed", "/cart"])
async def test_a_lost_session_is_a_problem_without_addresses(path: str) -> None:
    """503 with a code, and nothing of the service's addresses."""
    policy = Policy(affinity=Affinity(when_gone="refuse"), retry=None)
    async with serving(answers("one")) as one, serving(answers("two")) as two:
        async with running(app := shop(settings(one.url, two.url), policy)) as client:
            first = await client.get(path)
            port = (one if first.json() == "one" else two).port
            (stack,) = app.running.stacks
            stack.balancer.eject(stack.balancer.named(f"127.0.0.1:{port}"), 60.0)
            client.cookies.clear()
            answer = await client.get(path, headers=cookie_of(first))

        assert (answer.status_code, answer.json()["code"]) == (503, "affinity_lost")
        assert str(port) not in answer.text


async def test_a_service_that_is_down_gets_no_calls() -> None:
    """The gateway probes from its start on; a dead address is found before a client meets it."""
    policy = Policy(health=HealthCheck(timeout=0.5), retry=None)
    async with (
        serving(answers("one")) as one,
        serving(answers("two", health=503)) as two,
        serving(answers("three")) as three,
    ):
        urls = one.url, two.url, three.url, "http://127.0.0.1:9"
        async with running(app := shop(settings(*urls), policy)) as client:
            await asyncio.sleep(0.2)
            (stack,) = app.running.stacks
            health = [state.health for state in stack.state().endpoints]
            called = await names(client)

    assert health == ["up", "down", "up", "down"]
    assert called == {"one", "three"}
    assert {head.split()[1] for head, _ in two.requests} == {"/healthz"}


async def test_addresses_in_the_code_have_weights() -> None:
    """Without a variable; the drained one gets nothing."""
    async with serving(answers("one")) as one, serving(answers("two")) as two:
        endpoints = (EndpointOptions(one.url, weight=0), EndpointOptions(two.url, weight=3))
        async with running(shop(settings(), Policy(), endpoints=endpoints)) as client:
            assert await names(client) == {"two"}
        async with running(shop(settings(one.url), Policy(), endpoints=endpoints)) as client:
            assert await names(client) == {"one"}


async def test_a_file_of_endpoints_is_followed(tmp_path: Path) -> None:
    """`BFF_UPSTREAM_CARTS=file://…`: the file may be replaced while the gateway runs."""
    path = tmp_path / "carts.json"
    async with serving(answers("one")) as one, serving(answers("two")) as two:
        path.write_text(json.dumps([one.url]))
        async with running(shop(settings(f"file://{path}"), Policy())) as client:
            assert await names(client, 3) == {"one"}
            fresh = tmp_path / "fresh"
            fresh.write_text(json.dumps([{"url": two.url}]))
            fresh.replace(path)
            async with asyncio.timeout(5):
                while await names(client, 1) == {"one"}:  # noqa: ASYNC110 - no event of the app
                    await asyncio.sleep(0.1)
            assert await names(client, 3) == {"two"}


async def test_affinity_without_a_key_is_an_error_at_start() -> None:
    """In production a key has to be set; the message says which."""
    with pytest.raises(ConfigurationError, match=r"carts: .*BFF_SECRET_AFFINITY"):
        async with running(
            shop(
                settings(
                    "http://10.0.0.9",
                    env="production",
                    secrets={},
                    allowed_hosts=("shop.example",),
                )
            )
        ):
            pass


def test_services_can_be_shown_before_the_gateway_runs() -> None:
    """`repr` needs neither a key nor a list."""
    app = shop(settings("http://127.0.0.1:9", "srv://_http._tcp.carts.internal", secrets={}))

    (service,) = app.services.values()

    assert "affinity   __Host-endpoint-carts" in repr(service)
    assert "balance    127.0.0.1:9, affinity by cookie" in repr(service)
