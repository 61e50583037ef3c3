"""Decides who may use the console: developers on their machine, and operators with the token."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from bff_core.console.answers import ConsoleProblem

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

CSRF_HEADER: Final = "x-bff-console"
"""The header that unsafe requests need: pages of other origins can't send it."""

_LOOPBACK: Final = re.compile(
    r"(localhost|[a-z0-9-]+\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who uses the console; `can_operate` is whether they may change gateways."""

    name: str
    can_operate: bool = True


class Access:
    """Admits requests to the console."""

    def __init__(self, *, is_development: bool) -> None:
        self._is_development = is_development

    def admit(self, request: Request) -> Actor:
        """Return who sent a request; raises `ConsoleProblem` for one that is refused."""
        if not is_loopback(request.headers.get("host", "")):
            raise ConsoleProblem(
                403,
                "The console is open on this machine only",
                "Open it at http://localhost, or set BFF_CONSOLE=on and BFF_OPERATOR_TOKEN.",
            )
        check_origin(request)
        return Actor("developer")


def is_loopback(host: str) -> bool:
    """Whether a `Host` names this machine: others may resolve to it (DNS rebinding)."""
    return _LOOPBACK.fullmatch(host) is not None


def check_origin(request: Request) -> None:
    """Raise a `ConsoleProblem` for an unsafe request that a page of another origin may send."""
    if request.method in SAFE_METHODS:
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get(CSRF_HEADER) != "1" or kind != "application/json":
        raise ConsoleProblem(
            403,
            "This request may come from another site",
            "Send Content-Type: application/json and X-BFF-Console: 1.",
        )
