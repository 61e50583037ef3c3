"""Health checks: liveness, readiness and version."""

import platform

import pytest

from bff_core.edge.health import Readiness
from bff_core.events import RequestAnswered


async def never(scope, receive, send):
    """Be an application that must not be called."""
    raise AssertionError("the application was called")


async def test_a_gateway_is_alive_for_every_caller(edged):
    """Probes have an address as Host and no credentials, and emit no event."""
    gateway = edged(never)

    answer = await gateway.get("/healthz", headers={"Host": "10.1.2.3:8080"})

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"
    assert gateway.of(RequestAnswered) == []


async def test_a_gateway_whose_checks_pass_is_ready(edged):
    """All checks pass."""
    readiness = Readiness([("users", lambda: None)])

    answer = await edged(never, readiness=readiness).get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_an_unready_gateway_says_why(edged):
    """All reasons are listed at once."""
    readiness = Readiness(
        [("users", lambda: "circuit open"), ("orders", lambda: None), ("cart", lambda: 1 / 0)]
    )

    answer = await edged(never, readiness=readiness).get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == {
        "users": "circuit open",
        "cart": "check failed: ZeroDivisionError",
    }


async def test_a_draining_gateway_is_alive_but_not_ready(edged):
    """The platform stops sending requests, but must not kill the process."""
    readiness = Readiness()
    gateway = edged(never, readiness=readiness)
    before = await gateway.get("/readyz")

    readiness.drain()
    after, alive = await gateway.get("/readyz"), await gateway.get("/healthz")

    assert (before.status_code, after.status_code, alive.status_code) == (200, 503, 200)
    assert after.json()["reasons"] == {"gateway": "draining"}


async def test_a_check_that_recovers_makes_ready_again(edged):
    """Readiness is checked at each request."""
    answers = iter(["circuit open", None])
    gateway = edged(never, readiness=Readiness([("users", lambda: next(answers))]))

    statuses = [(await gateway.get("/readyz")).status_code for _ in range(2)]

    assert statuses == [503, 200]


async def test_the_version_says_what_runs(edged):
    """Name, version, revision and Python."""
    answer = await edged(never).get("/version")

    assert answer.json() == {
        "name": "shop",
        "version": "1.2.3",
        "revision": "abc123",
        "python": platform.python_version(),
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version"])
async def test_a_head_request_gets_the_head_only(edged, path):
    """Some probes use HEAD."""
    gateway = edged(never)

    answer = await gateway.ask("HEAD", path)

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_probes_can_only_be_read(edged):
    """The answer to a POST names the methods that work."""
    answer = await edged(never).ask("POST", "/healthz")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_probes_are_answered_below_a_root_path(edged):
    """With and without the prefix that a proxy adds."""
    gateway = edged(never)

    for path in ("/shop/healthz", "/healthz"):
        await gateway.speak(path=path, root_path="/shop")  # the application is never called
