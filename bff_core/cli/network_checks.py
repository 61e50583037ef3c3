"""Checks of `bff doctor` that use the network: ports, services, stores."""

import http.client
import os
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from bff_core.cli.environment import address_of
from bff_core.cli.findings import Finding, fail, note, ok
from bff_core.cli.project import GatewayEntry, Project, ServiceEntry
from bff_core.settings.values import without_password
from bff_core.sqlite import path_of

TIMEOUT_SECONDS: Final = 2.0

LOCAL_TIMEOUT_SECONDS: Final = 0.5

MAX_SKEW_SECONDS: Final = 30.0
"""Clocks may differ by this much: tokens and signatures are valid for minutes."""

SERVICES: Final = "services"


def port_findings(project: Project, gateways: Mapping[str, GatewayEntry]) -> Iterator[Finding]:
    """Yield the ports that two programs have, and those of gateways that others use."""
    ports = [(one.port, name) for name, one in project.gateways.items()]
    ports += [(one.port, name) for name, one in project.services.items() if one.port]
    for index, (port, name) in enumerate(ports):
        others = [other for taken, other in ports[:index] if taken == port]
        if others:
            yield fail(
                "project",
                f"port {port} is that of {others[0]} and of {name}",
                "Give one of them another port in [tool.bff]",
            )
    for name, gateway in gateways.items():
        yield _port(name, gateway.port)


def _port(name: str, port: int) -> Finding:
    area = f"gateway {name}"
    if not _is_taken(port):
        return ok(area, f"port {port} is free")
    if _get("127.0.0.1", port, "/version").get("name") == name:
        return ok(area, f"it runs at port {port}")
    return fail(
        area,
        f"port {port} is in use by another program",
        f"End that program (lsof -i :{port}), or give {name} another port in [tool.bff]",
    )


def _is_taken(port: int) -> bool:
    with closing(socket.socket()) as one:
        one.settimeout(TIMEOUT_SECONDS)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _get(host: str, port: int, path: str) -> Mapping[str, object]:
    """Return the JSON object at a path; empty if there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=LOCAL_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return msgspec.json.decode(connection.getresponse().read(), type=dict[str, object])
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        return {}
    finally:
        connection.close()


def service_findings(project: Project) -> list[Finding]:
    """Return whether each service of the project can be reached, and how far its clock differs."""
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda item: _service(*item), project.services.items()))
    down = [name for name, several in zip(project.services, found, strict=True) if not several]
    stopped = [
        note(SERVICES, f"{', '.join(down)}: not running", "They are started by: bff dev")
        for _ in down[:1]
    ]
    return [*(one for several in found for one in several), *stopped]


def _service(name: str, entry: ServiceEntry) -> list[Finding]:
    """Return what was found of a service; nothing for one that does not run, but can be started."""
    address = address_of(entry)
    try:
        status, date = _status_and_date(urlsplit(address), entry.ready)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        what = f"{name} does not answer at {without_password(address)}: {reason}"
        if entry.command:
            return []
        return [fail(SERVICES, what, f"Start it, or mend [tool.bff.services.{name}]")]
    found = [ok(SERVICES, f"{name} answers at {address}")]
    is_probed = bool(entry.command) or entry.ready != ServiceEntry().ready  # else it is a guess
    if status >= 500 or (status == 404 and is_probed):
        found = [
            note(
                SERVICES,
                f"{name} answers {status} to {entry.ready}",
                f"Set ready of [tool.bff.services.{name}] to a path that answers 200",
            )
        ]
    skew = time.time() - date if date else 0.0
    if abs(skew) > MAX_SKEW_SECONDS:
        what = f"the clock of {name} differs by {skew:.0f} s from that of this machine"
        found.append(note(SERVICES, what, "Tokens may be refused as expired: set it, as by NTP"))
    return found


def _status_and_date(url: SplitResult, path: str) -> tuple[int, float]:
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"{url.path.rstrip('/')}{path}")
        reply = connection.getresponse()
        sent = reply.getheader("date")
        return reply.status, parsedate_to_datetime(sent).timestamp() if sent else 0.0
    except ValueError:
        return reply.status, 0.0
    finally:
        connection.close()


def store_finding(area: str, what: str, variable: str, url: str, root: Path) -> Finding | None:
    """Return whether a store of a gateway can be used; no file is created."""
    if url.startswith("sqlite:"):
        path = path_of(url)
        return None if path == ":memory:" else _file(area, what, variable, root / path)
    parts = urlsplit(url)
    try:
        address = (parts.hostname or "", parts.port or 6379)
        socket.create_connection(address, TIMEOUT_SECONDS).close()
    except OSError as error:
        return fail(
            area,
            f"the {what} at {without_password(url)} can't be reached: {error.strerror or error}",
            f"Start that Redis, or mend {variable}",
        )
    return ok(area, f"the {what} can be reached: {without_password(url)}")


def _file(area: str, what: str, variable: str, path: Path) -> Finding:
    """Judge the file of a store, or the nearest folder in which it will be."""
    existing = next(one for one in (path, *path.parents) if one.exists())
    is_right = existing.is_dir() if existing != path else existing.is_file()
    if is_right and os.access(existing, os.W_OK):
        return ok(area, f"the {what} can be written: {path}")
    return fail(
        area,
        f"the {what} can't be written to {path}",
        f"Make {existing} writable, or name another file by {variable}=sqlite:////path",
    )
