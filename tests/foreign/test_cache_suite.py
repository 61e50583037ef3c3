"""The public suite of HTTP caches (http-tests/cache-tests) runs through a gateway of ours.

`CACHE_TESTS=` names a checkout of it in which `npm install` was run.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port

CHECKOUT = os.environ.get("CACHE_TESTS", "")
LEAST = 143
"""Required tests that pass at least; some of the others need a browser."""

COUNT = """
import tests from './tests/index.mjs'
const required = tests.flatMap(suite => suite.tests)
  .filter(test => (test.kind ?? 'required') === 'required').map(test => test.id)
console.log(JSON.stringify(required))
"""

pytestmark = [
    pytest.mark.needs("node"),
    pytest.mark.alone,
    pytest.mark.skipif(not CHECKOUT, reason="CACHE_TESTS= names no checkout of cache-tests"),
]


@pytest.fixture
def suite() -> Iterator[Callable[..., str]]:
    """Run the suite's programs; its origin runs until the test ends."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*command: str, port: int = 0, **environ: str) -> str:
        settings = {f"npm_config_{name}": value for name, value in environ.items()}
        env = {**os.environ, "npm_package_config_id": "", **settings}
        if port:
            env |= {"npm_config_protocol": "http", "npm_config_port": str(port)}
            started.append(subprocess.Popen(command, cwd=CHECKOUT, env=env))
            return ""
        done = subprocess.run(
            command, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=400, check=True
        )
        return done.stdout

    yield run
    for one in started:
        one.terminate()
        one.wait()


@pytest.mark.parametrize("way", ["cache_gateway", "proxied_cache_gateway"])
def test_required_tests_of_the_suite_pass(
    suite: Callable[..., str], fork_server: ForkServer, tmp_path: Path, way: str
) -> None:
    """As many as ever: through a view that forwards, and through a proxied route."""
    origin, port = free_port(), free_port()
    suite("node", "test-engine/server/server.mjs", port=origin, pidfile=str(tmp_path / "pid"))
    gate = Process(
        fork_server,
        *("bff_core", "serve", f"tests.foreign.{way}:make_app", "--port", str(port)),
        log=tmp_path / "gateway.log",
        environ={"BFF_ENV": "development", "BFF_UPSTREAM_ORIGIN": f"http://127.0.0.1:{origin}"},
        is_ready=lambda: answers(port, "/readyz"),
    )
    gate.start().wait_until_ready()
    try:
        base = f"http://127.0.0.1:{port}"
        results = json.loads(
            suite("node", "--no-warnings", "test-engine/cli.mjs", base=base, id="")
        )
        required = json.loads(suite("node", "--input-type=module", "--eval", COUNT))
    finally:
        gate.kill()

    failed = {name: results.get(name) for name in required if results.get(name) is not True}
    assert len(required) - len(failed) >= LEAST, failed
