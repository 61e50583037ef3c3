"""What functions of the framework do that call a function or a client which they are given."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Final, Protocol

from bff_core.inspection.steps import Repeated, Request
from bff_core.inspection.values import Instance, Pending, Text, Value, WholeNumber
from bff_core.service_clients import (
    in_chunks,
    pages_by_cursor,
    pages_by_number,
    pages_by_offset,
    pages_by_url,
    read_chunks,
    read_text,
)
from bff_core.upstream.client import Upstream

Arguments = Mapping[str, Value]


class CallReader(Protocol):
    """What helpers need of the function that calls them."""

    def called(self, function: Value, given: Sequence[Value]) -> Value:
        """Return what a call of a value returns."""

    def sent(
        self, service: type[Upstream], method: str, path: str, *, is_stream: bool = False
    ) -> Request:
        """Return a request of a client."""


def helper_of(one: object) -> Callable[[CallReader, Arguments], Value] | None:
    """Return how a call of a helper is read; None for any other function.

    The result of the helper is None if its arguments can't be read.
    """
    return next((read for helper, read in _HELPERS if helper is one), None)


def arguments_of(
    one: Callable[..., object], given: Sequence[Value], keywords: Mapping[str, Value]
) -> Arguments:
    """Return the arguments of a helper by name; a number that is not given is the default."""
    parameters = signature(one).parameters
    numbers = {
        name: WholeNumber(each.default)
        for name, each in parameters.items()
        if type(each.default) is int
    }
    return {**numbers, **dict(zip(parameters, given, strict=False)), **keywords}


def _pages(reader: CallReader, given: Arguments) -> Value:
    page = reader.called(given.get("page"), ())
    return _paged(page, given)


def _paged(page: Value, given: Arguments) -> Value:
    """Return one call per page; a page has an item at least, so that `limit` is a bound as well."""
    if not isinstance(page, Pending):
        return None
    bounds = [given.get("pages"), given.get("limit")]
    known = [max(one.value, 0) for one in bounds if isinstance(one, WholeNumber)]
    return Pending(Repeated(page.step, most=min(known, default=None), unit="page"))


def _pages_by_url(reader: CallReader, given: Arguments) -> Value:
    return _paged(_request(reader, {**given, "method": Text("GET")}), given)


def _chunks(reader: CallReader, given: Arguments) -> Value:
    loaded, size = reader.called(given.get("load"), ()), given.get("size")
    if not isinstance(loaded, Pending):
        return None
    unit = f"{size.value} keys" if isinstance(size, WholeNumber) else "chunk of keys"
    return Pending(Repeated(loaded.step, at_once=True, unit=unit))


def _request(reader: CallReader, given: Arguments, *, is_stream: bool = False) -> Value:
    client, method, path = (given.get(name) for name in ("upstream", "method", "path"))
    if not (isinstance(client, Instance) and issubclass(client.kind, Upstream)):
        return None
    verb = method.value.upper() if isinstance(method, Text) else ""
    target = path.value if isinstance(path, Text) else ""
    return Pending(reader.sent(client.kind, verb, target, is_stream=is_stream))


def _stream(reader: CallReader, given: Arguments) -> Value:
    return _request(reader, given, is_stream=True)


_HELPERS: Final[Sequence[tuple[object, Callable[[CallReader, Arguments], Value]]]] = (
    (pages_by_cursor, _pages),
    (pages_by_number, _pages),
    (pages_by_offset, _pages),
    (pages_by_url, _pages_by_url),
    (in_chunks, _chunks),
    (read_text, _request),
    (read_chunks, _stream),
)
