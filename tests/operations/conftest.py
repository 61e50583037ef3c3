"""A gateway with two workers under load, and a Prometheus that scrapes it."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bff_core.operations import FOLDER
from tests.processes.process import PATIENCE, ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port

SETTINGS = """
global: {{ scrape_interval: 400ms, scrape_timeout: 400ms, evaluation_interval: 400ms }}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: gateways
    static_configs: [{{ targets: ["127.0.0.1:{port}"] }}]
"""

SCRAPES = 6
"""While so many the load goes on."""


@dataclass
class Observed:
    """A Prometheus that has scraped a gateway until `time`; `exposition` is what it read."""

    client: httpx.Client
    exposition: str
    time: str

    def get(self, path: str, **parameters: str) -> Any:
        """Return what the API of Prometheus answers."""
        answer = self.client.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return json.loads(answer.text)["data"]


@pytest.fixture(scope="session")
def observed(
    fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observed]:
    """Let everything happen to a gateway while Prometheus scrapes it."""
    folder = tmp_path_factory.mktemp("observed")
    port, metrics_port, prometheus_port = free_port(), free_port(), free_port()
    process = Process(
        fork_server,
        *("bff_core", "serve", "tests.operations.observed:app", "--workers", "2"),
        *("--port", str(port)),
        log=folder / "gateway.log",
        environ={
            "BFF_ENV": "development",
            "BFF_METRICS_PORT": str(metrics_port),
            "BFF_UPSTREAM_CATALOG": "http://10.0.0.1",
            "BFF_UPSTREAM_REVIEWS": "http://10.0.0.2",
            "BFF_UPSTREAM_NEWS": "http://10.0.0.3",
            "BFF_LOG": "off",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "TMPDIR": str(folder),
        },
        is_ready=lambda: answers(port, "/readyz"),
    )
    rules = FOLDER / "prometheus/rules.yml"
    (folder / "prometheus.yml").write_text(SETTINGS.format(rules=rules, port=metrics_port))
    url = f"http://127.0.0.1:{prometheus_port}"
    process.start().wait_until_ready()
    with (folder / "prometheus.log").open("w") as log:
        prometheus = subprocess.Popen(
            (
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{prometheus_port}",
                "--enable-feature=exemplar-storage",
            ),
            stdout=log,
            stderr=log,
        )
        try:
            with httpx.Client(base_url=url) as client:
                _wait_until_ready(client)
                asyncio.run(_load(f"http://127.0.0.1:{port}", lambda: _scrapes(client)))
                scraped = client.get(f"http://127.0.0.1:{metrics_port}/metrics").text
                yield Observed(client, scraped, str(time.time()))
        finally:
            prometheus.kill()
            prometheus.wait()
            process.kill()


def _wait_until_ready(client: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if client.get("/-/ready").status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail("Prometheus is not ready")


def _scrapes(client: httpx.Client) -> float:
    """Return how often Prometheus has scraped the gateway."""
    answer = client.get("/api/v1/query", params={"query": "sum_over_time(up[5m])"})
    found = answer.json()["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


async def _load(url: str, scrapes: Callable[[], float]) -> None:
    until, context = time.monotonic() + PATIENCE, httpx.create_ssl_context()
    while time.monotonic() < until and scrapes() < SCRAPES:
        async with httpx.AsyncClient(base_url=url, verify=context) as client:  # a worker at random
            await client.post("/graphql", json={"query": "{ shelf { title rating } }"})
            for path in ("/v1/shelf", "/v1/shelf", "/v1/board", "/v1/paper", "/v1/limited", "/no"):
                await client.get(path)
            await client.post("/happen")
        await asyncio.sleep(0.02)
