"""Header propagation: which headers of a request its calls to services get."""

from collections.abc import Iterable

from bff_core.http_exchange.request_context import RequestContext


class HeaderPropagation:
    """Before the user's own checks: names the headers that calls get; they read the values."""

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(dict.fromkeys(name.lower() for name in names))

    def check(self, context: RequestContext) -> None:
        """Note the names for the calls of the request."""
        context.scope.propagated = self._names


def propagation(names: Iterable[str]) -> tuple[HeaderPropagation, ...]:
    """Return the concern of these headers; nothing without any."""
    found = tuple(names)
    return (HeaderPropagation(found),) if found else ()
