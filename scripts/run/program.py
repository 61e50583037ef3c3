"""The description of a program of a run, and its readiness probe."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.run.ports import HOST, Port

PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of a run; `env` is added to the environment of the supervisor.

    `ready` is the path that answers 200 once the program can serve.
    A run ends by itself when none of its vital programs is left. `key` stops the program and starts
    it again.
    """

    name: str
    command: tuple[str, ...]
    port: Port
    ready: str
    env: Mapping[str, str] = field(default_factory=dict)
    is_vital: bool = False
    key: str = ""


async def probe(program: Program) -> str:
    """Probe a program; return its status line, or why there is none."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await _status_line(program.port.number, program.ready)
    except TimeoutError:
        return f"no answer within {PROBE_SECONDS:g} s"
    except OSError as failure:
        return failure.strerror or type(failure).__name__


def says_ready(answer: str) -> bool:
    """Whether the answer to a probe means that the program is ready."""
    return answer.partition(" ")[2].startswith("200")


async def _status_line(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        line = await reader.readline()
    finally:
        writer.close()
    return line.decode("latin-1").strip() or "closed the connection without an answer"
