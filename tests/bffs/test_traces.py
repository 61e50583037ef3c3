"""The traces of the web gateway as a collector receives them, from several workers."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.observe.otlp_receiver import ReceivedSpan, otlp_receiver
from tests.processes.ports import free_port
from tests.server.talking import until

INTERNAL, SERVER, CLIENT = 1, 2, 3
HOME = "{ home { viewer { name } cart { count } deals { product { title stock { status } } } } }"
PRODUCTS = "{ products(first: 3) { total items { title stock { status } rating { average } } } }"
TIMES = 12


def send(url: str, query: str) -> None:
    """Send a query over a connection of its own, so that any worker may get it."""
    headers = {"authorization": "Bearer demo-1"}
    answer = httpx.post(f"{url}/graphql", json={"query": query}, headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    assert answer.json().get("data"), answer.text


def workers_of(pid: int) -> list[int]:
    """Return the process ids of the workers of a gateway."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.needs("redis-server")
async def test_every_request_of_all_workers_is_a_whole_trace(
    run_module, served_mocks, redis_server
) -> None:
    """Also those that were answered just before the shutdown: it flushes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with otlp_receiver() as collector:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_SERVICE_NAME": "shop-web",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            **served_mocks.environment,
            "BFF_IDEMPOTENCY_URL": redis_server.url,
            "BFF_JOURNAL_URL": redis_server.url,
            "BFF_SESSION_URL": redis_server.url,
            "BFF_LIMITS_URL": redis_server.url,
        }
        command = ("bff_core", "serve", "bffs.web.app:app", f"--port={port}", "--workers=2")
        with run_module(*command, ports=[port], path="/readyz", **environ) as gateway:
            await until(lambda: len(workers_of(gateway.pid)) == 2, seconds=30)
            for worker in workers_of(gateway.pid):  # each in turn, so that the other one answers
                with stopped(worker):
                    for _ in range(TIMES // 2):
                        send(url, HOME)
                        send(url, PRODUCTS)
        traces = defaultdict(list)
        for span in collector.spans:
            traces[span.trace_id].append(span)

    assert len(traces) == 2 * TIMES
    for spans in traces.values():
        check(spans)
    resources = [spans[0].resource for spans in traces.values()]
    assert {one["service.name"] for one in resources} == {"shop-web"}
    assert {one["deployment.environment.name"] for one in resources} == {"test"}
    assert len({one["process.pid"] for one in resources}) == 2
    assert len({one["service.instance.id"] for one in resources}) == 2


def check(spans: list[ReceivedSpan]) -> None:
    """Check one trace: its root, the parents, the kinds, the attributes, the times."""
    by_id = {one.span_id: one for one in spans}
    (root,) = [one for one in spans if one.kind == SERVER]
    parts = [one for one in spans if "bff.part" in one.attributes]
    sent = [one for one in spans if one.kind == CLIENT]
    assert len(by_id) == len(spans)
    assert root.name == "POST /graphql"
    assert root.attributes["http.response.status_code"] == 200
    assert root.parent_id == ""
    assert len(parts) >= 2
    assert {one.attributes["bff.part.state"] for one in parts} <= {"ok", "stale"}
    for one in spans:
        assert one is root or one.parent_id in by_id
        assert root.start <= one.start <= one.end
    for one in sent:
        assert {"http.request.method", "url.full", "server.address", "server.port"} <= set(
            one.attributes
        )
        assert one.attributes["http.response.status_code"] < 400
        assert one.parent_id != root.span_id
