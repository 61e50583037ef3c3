"""Ten rolling restarts of two instances behind a balancer: no request fails, reads or writes.

The balancers' configurations are the recipes of docs/how-to/reverse-proxies.md.
"""

import asyncio
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.processes.nginx import nginx
from tests.processes.process import Process
from tests.processes.services import answers
from tests.server.conftest import free_port
from tests.server.talking import connect, until

ROOT = Path(__file__).parents[2]
CLIENTS = 16
SOME_LINES = 5000
EVERY = 0.03
"""Seconds from one request of a client to its next."""

HAPROXY = """\
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
{recipe}
"""


@dataclass
class Load:
    """Clients that read and write over connections that they keep, each at its own pace."""

    port: int
    answers: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    async def run(self, number: int) -> None:
        """Be one client until it is over."""
        client, count = None, 0
        while not self.is_over:
            client = client or await connect(self.port)
            count += 1
            client.send(_read(count) if (number + count) % 2 else _write(count))
            try:
                answer = await client.answer()
            except (OSError, EOFError, TimeoutError) as failure:
                self.answers[f"{type(failure).__name__}"] += 1
                client = None
                continue
            self.answers[str(answer.status)] += 1
            if answer.fields.get("connection") == "close":
                client = None
            await asyncio.sleep(EVERY)


def _read(number: int) -> bytes:
    return b"GET /items/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number


def _write(number: int) -> bytes:
    body = b'{"order": %d}' % number
    return (
        b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )


def recipe(language: str, ports: list[int], listen: int) -> str:
    """Return a recipe of the page about reverse proxies, for these ports."""
    page = (ROOT / "docs/how-to/reverse-proxies.md").read_text()
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for written, port in (("8080", listen), ("8001", ports[0]), ("8002", ports[1])):
        assert written in text
        text = text.replace(written, str(port))
    return text


@contextmanager
def balancing(program: str, folder: Path, ports: list[int]) -> Iterator[int]:
    """Run a balancer in front of two ports; yield its own."""
    listen = free_port()
    text = recipe(program, ports, listen)
    with nginx(folder, text, port=listen) if program == "nginx" else haproxy(folder, text):
        yield listen


@contextmanager
def haproxy(folder: Path, text: str) -> Iterator[None]:
    """Run HAProxy with this recipe."""
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    configuration = folder / "haproxy.conf"
    configuration.write_text(HAPROXY.format(recipe=text))
    with (folder / "haproxy.out").open("wb") as output:
        process = subprocess.Popen(
            [found, "-db", "-f", str(configuration)], stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(
    ("program", "restarts", "delay"),
    [
        pytest.param("nginx", 10, 0.2, marks=pytest.mark.needs("nginx")),
        # Its probes come every half second: the delay has to be longer.
        pytest.param("haproxy", 4, 1.0, marks=pytest.mark.needs("haproxy")),
    ],
)
async def test_no_request_fails_over_rolling_restarts(program, restarts, delay, depot, tmp_path):
    """Each instance in turn is stopped, and started again after its exit."""
    options = (f"--drain-delay={delay}", "--grace=5")
    instances = [depot(*options), depot(*options)]

    with balancing(program, tmp_path, [instance.port for instance in instances]) as port:
        await until(lambda: answers(port, "/items/1"))
        load = Load(port)
        clients = [asyncio.ensure_future(load.run(number)) for number in range(CLIENTS)]
        for number in range(restarts):
            await restart(instances[number % 2])
        load.is_over = True
        await asyncio.gather(*clients)

    assert set(load.answers) == {"200", "201"}, load.answers
    assert min(load.answers.values()) > 20 * restarts


async def restart(instance: Process) -> None:
    """Restart an instance under load, as a platform does, until the balancer uses it again."""
    instance.ask_to_end()
    await until(lambda: not instance.is_alive)
    instance.start()
    await until(lambda: answers(instance.port, "/readyz"))
    before = instance.log.stat().st_size
    await until(lambda: instance.log.stat().st_size > before + SOME_LINES)
