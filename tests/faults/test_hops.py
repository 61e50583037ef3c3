"""Forwarded fields are believed of trusted proxies only, and are never sent to services."""

import pytest

from tests.faults.conftest import FAULT_GATEWAY
from tests.faults.limits import QUOTA
from tests.faults.raw_service import answering
from tests.processes.client import ask

SPOOFED = {
    "forwarded": "for=6.6.6.6;host=evil.example;proto=https",
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "X_Forwarded_For": "6.6.6.6",
    "X_Forwarded_Host": "evil.example",
    "x-real-ip": "6.6.6.6",
    "x-forwarded-user": "root",
    "x-ssl-client-cert": "root",
    "connection": "keep-alive, X-Forwarded-For, X-Secret",
    "x-secret": "6.6.6.6",
    "te": "trailers",
    "proxy-authorization": "Basic cm9vdA==",
    "cookie": "session=root",
    "request-timeout": "9999",
    "traceparent": "00-66666666666666666666666666666666-6666666666666666-01",
    "tracestate": "evil=7777",
    "baggage": "user=root",
}
FORGERIES = (
    "6.6.6.6",
    "evil.example",
    "root",
    "cm9vdA",
    "666666",
    "9999",
    "7777",
    "x-secret",
    "\r\nte:",
)

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 26\r\n"
    b"Connection: keep-alive, X-Internal\r\nX-Internal: 10.0.0.7\r\nServer: secret/1.0\r\n"
    b"Set-Cookie: service=1\r\nX-Powered-By: secret\r\nKeep-Alive: timeout=5\r\n\r\n"
    b'{"id": "1", "title": "Hi"}'
)
INTERNALS = ("x-internal", "server", "set-cookie", "x-powered-by", "keep-alive")


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
async def test_spoofed_forwarded_deadline_or_trace_headers(fault_site, trusted):
    """A service sees what the gateway says, whatever its client or even its proxy said."""
    requests: list[str] = []
    of_the_trace = ("666666", "7777") if trusted else ()  # a trusted proxy's trace continues
    forgeries = [one for one in FORGERIES if one not in of_the_trace]
    async with answering(ANSWER, requests) as port:
        environ = fault_site.environ(
            BFF_UPSTREAM_NAMED=f"http://127.0.0.1:{port}",
            BFF_TRUSTED_PROXIES=trusted or "10.0.0.0/8",
            BFF_ALLOWED_HOSTS="localhost,127.0.0.1,evil.example",
        )
        with fault_site.site.serving(FAULT_GATEWAY, environ) as gateway:
            answer = await ask(gateway.port, "/v1/named/1", headers=SPOOFED)
            limited = await ask(gateway.port, "/v1/limited", headers=SPOOFED)

    (request,) = requests
    assert answer.status == 200
    assert [word for word in forgeries if word in request] == []
    assert 0 < timeout_of(request) <= 10
    assert [name for name in INTERNALS if name in answer.headers] == []
    usual = "http://localhost 127.0.0.1"
    assert limited.json()["text"] == ("https://evil.example 6.6.6.6" if trusted else usual)


async def test_spoofed_addresses_evade_no_limit(fault_site):
    """Another address in each request is still one client."""
    environ = fault_site.environ(BFF_TRUSTED_PROXIES="10.0.0.0/8")
    with fault_site.site.serving(FAULT_GATEWAY, environ) as gateway:
        answers = [
            await ask(gateway.port, "/v1/limited", headers={"x-forwarded-for": f"6.6.6.{number}"})
            for number in range(QUOTA + 4)
        ]

    assert [answer.status for answer in answers] == [200] * QUOTA + [429] * 4
    assert int(answers[-1].headers["retry-after"]) > 0


def timeout_of(request: str) -> float:
    """Return the Request-Timeout that a service gets, in seconds."""
    (line,) = (line for line in request.split("\r\n") if line.startswith("request-timeout:"))
    return float(line.partition(":")[2])
