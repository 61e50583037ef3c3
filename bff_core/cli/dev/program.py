"""The description of a program of a run, and its readiness probe."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bff_core.cli.ports import HOST, Port

PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A gateway or a service of a run; `env` is added to the environment of the supervisor.

    A gateway has an `app`, "module:attribute"; a service has a `command`. The path `ready` answers
    200 once the program can serve. `about`, `page`, `token` and `example` are those of the
    project's table.
    """

    name: str
    port: Port
    ready: str
    root: Path
    app: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    about: str = ""
    page: str = ""
    token: str = ""
    example: str = ""

    @property
    def is_gateway(self) -> bool:
        """Whether it is a gateway."""
        return bool(self.app)

    @property
    def url(self) -> str:
        """Its address, for people."""
        return f"http://localhost:{self.port.number}"


async def probe(program: Program) -> str:
    """Probe a program; return its status line, or why there is none."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            line, _ = await send(program, "GET", program.ready)
            return line
    except TimeoutError:
        return f"no answer within {PROBE_SECONDS:g} s"
    except OSError as failure:
        return failure.strerror or type(failure).__name__


def says_ready(answer: str) -> bool:
    """Whether the answer to a probe means that the program is ready."""
    return answer.partition(" ")[2].startswith("200")


async def send(program: Program, method: str, path: str, body: bytes = b"") -> tuple[str, bytes]:
    """Send a request to a program; return the status line and the rest of the answer."""
    port = program.port.number
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}\r\n".encode() + body)
        line = await reader.readline()
        rest = await reader.read(1 << 16) if method != "GET" or path.startswith("/__") else b""
    finally:
        writer.close()
    text = line.decode("latin-1").strip() or "closed the connection without an answer"
    return text, rest
