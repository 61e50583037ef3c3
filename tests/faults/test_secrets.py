"""Credentials never reach logs or other clients, and no client can forge a log line."""

import json
from collections.abc import Iterator

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.processes.client import Answer, ask
from tests.processes.gateway import Gateway

TOKEN = "eyJhbGciOiJub25lIn0.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl"
COOKIE = "c00kie-in-confidence"
PASSWORD = "passw0rd-in-confidence"
QUERY = "qu3ry-in-confidence"
SECRETS = (TOKEN, COOKIE, PASSWORD, QUERY)
JSON = {"content-type": "application/json"}
FORGED = "%0d%0a%1b[31m{%22event%22:%22forged%22}"


@pytest.fixture(scope="module", params=["json", "text"])
def talkative(started: FaultSite, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Serve a gateway that logs at level debug."""
    environ = started.environ(BFF_LOG=request.param, BFF_LOG_LEVEL="debug")
    with started.site.serving(FAULT_GATEWAY, environ) as gateway:
        yield gateway


async def confide(fault_site: FaultSite, port: int) -> list[Answer]:
    """Send secrets wherever there is room for one, so that much goes wrong."""
    secret = {
        "authorization": f"Bearer {TOKEN}",
        "cookie": f"session={COOKIE}",
        "referer": f"https://shop.example/?token={QUERY}",
    }
    viewer = {**secret, "authorization": "Bearer demo-1", "x-api-key": PASSWORD}
    login = json.dumps({"text": {"password": PASSWORD}}).encode()
    answers = [
        await ask(port, f"/v1/me?token={QUERY}", headers=secret),
        await ask(port, f"/v1/me?token={QUERY}", headers=viewer),
        await ask(port, f"/v1/products/{FORGED}?q={QUERY}", headers=viewer),
        await ask(port, f"/nowhere/{FORGED}", headers=viewer),
        await ask(port, "/v1/echo", method="POST", headers=viewer | JSON, body=login),
        await ask(port, f"/v1/crash?said={TOKEN}", headers=viewer),
    ]
    escaping = {**secret, "x-request-id": f"{PASSWORD}\x1b[31m"}
    answers.append(await ask(port, "/v1/me", headers=escaping))
    for service in (fault_site.users, fault_site.catalog):
        service.break_by({"kind": "error"})
    answers.append(await ask(port, f"/v1/me?token={QUERY}", headers=viewer))
    answers.append(await ask(port, f"/v1/products/7?token={QUERY}", headers=viewer))
    return answers


async def test_logs_and_problems_hold_no_secrets(fault_site, talkative):
    """No token, cookie, password or e-mail address is logged, or shown to another."""
    email = fault_site.users.ask("GET", "/users/1")["email"]
    answers = await confide(fault_site, talkative.port)
    problems = [answer for answer in answers if answer.status >= 400]
    log = talkative.output
    addresses = [f"127.0.0.1:{service.port}" for service in fault_site.services]

    assert [answer.status for answer in answers] == [401, 200, 404, 404, 422, 500, 400, 502, 502]
    assert [secret for secret in (*SECRETS, email) if secret in log] == []
    for problem in problems:
        text = f"{problem.headers} {problem.body.decode()}"
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["trace_id"]
        internals = (*SECRETS, *addresses, "Traceback", ".py", "RuntimeError")
        assert [word for word in internals if word in text] == []


async def test_logs_hold_no_forged_lines(fault_site, talkative):
    """Line ends and escape sequences arrive in the log as text: one event stays one line."""
    await confide(fault_site, talkative.port)
    log = talkative.output

    assert "\x1b" not in log
    assert "\r" not in log
    assert [line for line in log.splitlines() if line.startswith(("{'", '{"event"'))] == []
    assert "exception.unhandled" in log
