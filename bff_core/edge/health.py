"""Health checks: answers liveness and readiness probes, even under overload."""

import json
import platform
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.types import Scope as ASGIScope
from starlette.types import Send

from bff_core.routing.path import path_of

PROBES = frozenset({"/healthz", "/readyz", "/version"})
"""The paths of the probes, which are never refused."""

Check = Callable[[], str | None]
"""Returns None if all is well, else a reason without internals, since anyone can read it."""


@dataclass(frozen=True, slots=True)
class About:
    """What `/version` reports: the gateway's name, the framework's version, the source revision."""

    name: str
    version: str = ""
    revision: str = ""


class Readiness:
    """Whether the gateway wants traffic; the lifespan changes it, the probe reads it.

    `checks` have names. They are synchronous and fast: they read state, and call nothing.
    """

    __slots__ = ("_checks", "is_draining")

    def __init__(self, checks: Iterable[tuple[str, Check]] = ()) -> None:
        self._checks = tuple(checks)
        self.is_draining = False

    def open(self) -> None:
        """Report ready, also when an app starts again after a drain."""
        self.is_draining = False

    def drain(self) -> None:
        """Report not ready; requests in flight continue."""
        self.is_draining = True

    def reasons(self) -> dict[str, str]:
        """Return why the gateway is not ready, by the name of the check; empty if it is."""
        found = {"gateway": "draining"} if self.is_draining else {}
        for name, check in self._checks:
            reason = _run(check)
            if reason is not None:
                found[name] = reason
        return found


def _run(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a probe is answered even if a check fails
        return f"check failed: {type(error).__name__}"


class Health:
    """Before all else: answers `/healthz` (liveness), `/readyz` (readiness) and `/version`.

    It does not check the host, since probes call by address, and emits no event, since they call
    often.
    """

    __slots__ = ("_answers",)

    def __init__(self, *, readiness: Readiness, about: About) -> None:
        version = _version(about)
        self._answers: dict[str, Callable[[], tuple[int, dict[str, object]]]] = {
            "/healthz": lambda: (200, {"status": "ok"}),
            "/readyz": lambda: _ready(readiness),
            "/version": lambda: (200, version),
        }

    def answer(self, scope: ASGIScope, send: Send) -> Awaitable[None] | None:
        """Answer a probe; return None for any other request."""
        answer = self._answers.get(path_of(scope)) if scope["type"] == "http" else None
        if answer is None:
            return None
        if scope["method"] not in {"GET", "HEAD"}:
            return _send(405, {"status": "method not allowed"}, scope, send)
        return _send(*answer(), scope, send)


def _ready(readiness: Readiness) -> tuple[int, dict[str, object]]:
    reasons = readiness.reasons()
    if reasons:
        return 503, {"status": "unavailable", "reasons": reasons}
    return 200, {"status": "ready"}


def _version(about: About) -> dict[str, object]:
    return {
        "name": about.name,
        "version": about.version,
        "revision": about.revision,
        "python": platform.python_version(),
    }


async def _send(status: int, content: dict[str, object], scope: ASGIScope, send: Send) -> None:
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
