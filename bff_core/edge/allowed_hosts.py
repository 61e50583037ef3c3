"""Allowed hosts: refuses requests whose `Host` is not a name of the gateway.

A forged Host would get into links and caches.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from starlette.exceptions import HTTPException

from bff_core.http_exchange.request_context import RequestContext

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


class AllowedHosts:
    """After the header limits: a request for another host, or for none, is a 400."""

    __slots__ = ("_is_allowed",)

    def __init__(self, *, allowed: Iterable[str]) -> None:
        self._is_allowed = host_check(allowed)

    def check(self, context: RequestContext) -> None:
        """Raise a 400 if the host is missing, or is not allowed."""
        host = context.fields.get(b"host")
        if host is None:
            raise HTTPException(400, "The Host header is missing.")
        if not self._is_allowed(host):
            raise HTTPException(400, "This host is not served here.")


def host_check(allowed: Iterable[str]) -> Callable[[bytes], bool]:
    """Return a function that checks whether a `Host` is one of `allowed`; ports do not count.

    "*.example.com" allows every name below example.com, but not example.com. "*" allows all names.
    """
    names = frozenset(name.lower() for name in allowed)
    suffixes = tuple(name[1:] for name in names if name.startswith("*."))

    @lru_cache(maxsize=256)
    def is_allowed(host: bytes) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].decode("ascii").lower().removesuffix(".")
        return "*" in names or name in names or name.endswith(suffixes)

    return is_allowed
